"""The recipes of CONTRIBUTING.md, each on a copy of the project: its files are written, its commands run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forked import python

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`(\S+)`\n\n```(python|diff)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COPIED = ("src", "workflow", "scripts", "docs", "tests", "Snakefile", "config.yaml", "pyproject.toml")


def recipes() -> dict[str, str]:
    """Heading to text of every recipe that writes a file."""
    section = TEXT.split("\n## Recipes\n")[1].split("\n## ")[0]
    parts = [part.split("\n", 1) for part in section.split("\n### ")[1:]]
    return {heading: text for heading, text in parts if FILE.search(text)}


def changed(text: str, diff: str) -> str:
    """A file's text with the lines of a diff taken away and added."""
    lines = diff.splitlines(keepends=True)
    before, after = ("".join(line[1:] for line in lines if line[0] != sign) for sign in "+-")
    assert text.count(before) == 1, f"the lines of the recipe are not there once:\n{before}"
    return text.replace(before, after)


def test_every_recipe_is_followed():
    assert list(recipes()) == [
        "A selection step",
        "A kind of figure",
        "A kind of table",
        "A column of a table",
        "An image format",
    ]
    assert "docs/own_study.md" in TEXT and (ROOT / "tests/study/test_sixth_study.py").is_file()


@pytest.mark.long
@pytest.mark.parametrize("heading", recipes())
def test_a_recipe_works_as_it_stands(heading, tmp_path):
    recipe = recipes()[heading]
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    written = FILE.findall(recipe)
    for name, language, text in written:
        path = tmp_path / name
        assert path.exists() is (language == "diff")
        path.write_text(
            changed(path.read_text(encoding="utf-8"), text) if language == "diff" else text, encoding="utf-8"
        )
    product = [name for name, _, _ in written if not name.startswith("tests/")]
    assert len(product) <= 2, "a change of one thing needs at most two files beside tests and generated pages"
    commands = re.findall(r"^    python -m (.*)$", recipe, re.MULTILINE)
    assert any("pytest" in command for command in commands)
    for command in commands:
        done = subprocess.run(
            [python(ours=False), "-m", *command.split()],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
    style = [sys.executable, "-m", "ruff", "check", *(name for name in product)]
    done = subprocess.run(style, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
