"""CITATION.cff is valid, and says what pyproject.toml and LICENSE say."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

# has the schema of the format; in an environment of its own, since it wants an older jsonschema than Snakemake
VALIDATOR = "cffconvert==2.0.0"


def cffconvert(*words: str | Path) -> subprocess.CompletedProcess[str]:
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "tool", "run", "--quiet", "--from", VALIDATOR, "cffconvert", *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_it_is_valid_against_the_schema(root, tmp_path):
    done = cffconvert("--validate", "-i", root / "CITATION.cff")
    if done.returncode and cffconvert("--version").returncode:
        pytest.skip(f"{VALIDATOR} cannot be had here")
    assert done.returncode == 0, done.stderr
    assert "valid according to schema version 1.2.0" in done.stdout
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(text.replace("title:", "titel:"), encoding="utf-8")
    assert cffconvert("--validate", "-i", tmp_path / "CITATION.cff").returncode != 0


def test_it_says_what_the_package_says(root):
    """Keys that the format requires, and those with a second home."""
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["title"], citation["version"]) == (project["name"], project["version"])
    assert citation["license"] == project["license"]
    (author,) = citation["authors"]
    holder = (root / "LICENSE").read_text(encoding="utf-8").splitlines()[2]
    assert holder.endswith(author["name"])
