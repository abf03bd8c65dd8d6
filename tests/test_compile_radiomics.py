"""PyRadiomics where the machine has no C compiler: found or not, what is said, and the same features to the bit."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Features of a made-up volume by the compiled parts, as hexadecimal numbers, so that equal means equal to the bit.
FEATURES = """
import json, sys
import numpy as np, SimpleITK as sitk
sys.path.insert(0, sys.argv[1])
import radiomics
from radiomics import featureextractor
assert radiomics.__file__.startswith(sys.argv[1]), radiomics.__file__
radiomics.setVerbosity(60)
rng = np.random.default_rng(1)
image = sitk.GetImageFromArray(rng.normal(400, 120, (14, 22, 20)))
inside = np.zeros((14, 22, 20), np.uint8); inside[2:12, 3:18, 4:16] = rng.random((10, 15, 12)) > 0.1
mask = sitk.GetImageFromArray(inside)
for item in (image, mask): item.SetSpacing((0.8, 0.9, 2.0))
extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25)
extractor.enableAllFeatures()
found = extractor.execute(image, mask)
print(json.dumps({k: float(v).hex() for k, v in found.items() if k.startswith("original")}))
"""


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("compile_radiomics", ROOT / "scripts/compile_radiomics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_compiler_is_found_by_the_variable_or_on_the_path(script, monkeypatch, tmp_path):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(script.sysconfig, "get_config_var", lambda name: "gcc -pthread")
    assert script.compiler() is None
    (tmp_path / "cc").touch(mode=0o755)
    assert script.compiler() == "cc"
    monkeypatch.setenv("CC", "mycc -O2")
    assert script.compiler() is None
    (tmp_path / "mycc").touch(mode=0o755)
    assert script.compiler() == "mycc -O2"


def test_without_headers_the_first_line_says_what_to_install(script, monkeypatch, tmp_path):
    monkeypatch.setattr(script.sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    with pytest.raises(SystemExit) as ended:
        script.require_headers()
    first = str(ended.value).splitlines()[0]
    short = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
    assert first.startswith(f"Install {short}") and "python3-dev" in first
    (tmp_path / "Python.h").touch()
    script.require_headers()


def test_lock_files_pin_both_by_hash(script):
    for lock, name in (("requirements.lock", script.NAME), ("requirements.compiler.lock", "ziglang")):
        found = script.locked(ROOT / lock, name)
        assert found.startswith(f"{name}==") and "--hash=sha256:" in found


def test_hidden_compilers(tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gcc", "x86_64-linux-gnu-gcc-12", "cc", "clang++-15", "make", "python3", "soccc"):
        (programs / name).touch(mode=0o755)
    command = [sys.executable, str(ROOT / ".ci/hide_compilers"), str(tmp_path / "bin")]
    done = subprocess.run(command, env={"PATH": str(programs)}, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == str((tmp_path / "bin").resolve())
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["make", "python3", "soccc"]


@pytest.mark.skipif(not os.environ.get("HER2RADIOMICS_COMPILER"), reason="builds PyRadiomics twice: make test-compiler")
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler to compare with")
def test_both_compilers_give_the_same_features(script, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "CACHE", tmp_path / "ours")
    requirement = script.locked(ROOT / "requirements.lock", script.NAME)
    wheels = {"ours": script.build(requirement)}
    assert [path.name for path in (tmp_path / "ours").iterdir()] == [wheels["ours"].name], (
        "the compiler was not removed"
    )
    (tmp_path / "package.txt").write_text(requirement, encoding="utf-8")
    words = ("--no-deps", "--no-cache-dir", "--require-hashes", "-r", str(tmp_path / "package.txt"))
    script.pip("wheel", "--wheel-dir", str(tmp_path / "system"), *words, environment={"CC": "cc"})
    (wheels["system"],) = (tmp_path / "system").glob("*.whl")
    features = {}
    for name, wheel in wheels.items():
        folder = tmp_path / f"{name}_unpacked"
        zipfile.ZipFile(wheel).extractall(folder)
        command = [sys.executable, "-c", FEATURES, str(folder)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        features[name] = json.loads(done.stdout)
    assert len(features["ours"]) > 100
    assert features["ours"] == features["system"]
