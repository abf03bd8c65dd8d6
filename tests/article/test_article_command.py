"""The command ``her2radiomics manuscript``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from article_run import make_run

SRC = Path(__file__).parents[2] / "src"


def command(*words, **env):
    code = "from her2radiomics.cli.app import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "manuscript", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SRC), **env},
    )


@pytest.fixture
def runs(tmp_path):
    return make_run(tmp_path / "a" / "a_study"), make_run(tmp_path / "b" / "a_study", auc="0.655")


def test_check_and_refresh(runs, tmp_path):
    old, new = runs
    document = old / "manuscript" / "manuscript.docx"
    found = command("check", document, "--run", new)
    assert found.returncode == 1 and "found '0.812', the run has '0.655'" in found.stdout
    done = command("refresh", document, "--run", new, "--to", tmp_path / "copy.docx")
    assert done.returncode == 0 and "3 numbers, 1 tables and 0 figures brought up to date" in done.stdout
    again = command("refresh", document, "--run", new, "--to", tmp_path / "copy.docx")
    assert again.returncode == 1 and "nothing is overwritten" in again.stderr and "Traceback" not in again.stderr


def test_help_and_errors_in_a_plain_locale(tmp_path):
    helped = command("--help", LC_ALL="C", PYTHONUTF8="0")
    assert helped.returncode == 0 and "refresh" in helped.stdout and helped.stdout.isascii()
    wrong = command("check", tmp_path / "no.docx", "--run", tmp_path)
    assert wrong.returncode == 1 and "found no file" in wrong.stderr


def test_characters_beyond_ascii_in_a_plain_locale(runs):
    found = command("check", runs[0] / "manuscript" / "manuscript.docx", "--run", runs[1], LC_ALL="C", PYTHONUTF8="0")
    assert found.returncode == 1 and "Traceback" not in found.stderr
