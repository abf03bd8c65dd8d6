"""The conda environment holds the lock's pins, and the lock pins every declared dependency."""

from __future__ import annotations

import importlib.util
import re
import tomllib

import yaml


def generator(root):
    spec = importlib.util.spec_from_file_location("generate", root / "envs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_conda_environment_is_made_from_the_lock(root):
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    assert (root / "envs/study.yaml").read_text(encoding="utf-8") == generator(root).environment(lock), (
        "run 'make envs'"
    )


def test_every_package_of_the_lock_is_in_the_environment(root):
    environment = yaml.safe_load((root / "envs/study.yaml").read_text(encoding="utf-8"))
    pinned = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    names = re.findall(r"^([A-Za-z0-9._-]+)==", (root / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert [re.split("==", pin)[0] for pin in pinned] == names


def pins(path):
    """Name and marker → pinned version."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)([^\\\n]*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {(name, marker.strip()): version for name, version, marker in found}


def test_the_tests_own_lock_changes_nothing_that_the_study_runs_with(root):
    study, tests = pins(root / "requirements.lock"), pins(root / "requirements.oracle.lock")
    shared = study.keys() & tests.keys()
    assert len(shared) > 50
    assert {pin: tests[pin] for pin in shared} == {pin: study[pin] for pin in shared}
    assert {name for name, _ in tests.keys() - study.keys()} >= {"mirp", "itk-core"}


def test_every_dependency_is_locked_with_hashes(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    for requirement in wanted:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==\S+.*\\\n +--hash=sha256:", lock, re.MULTILINE), name
