"""The command called in this process, in a project's folder."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from her2radiomics.cli.app import application


def call(*words: str | Path) -> Result:
    """Call ``her2radiomics``; what is wrong is the result's ``exception``."""
    return CliRunner().invoke(application(), [str(word) for word in words])


def refused(*words: str | Path) -> str:
    """What a call that is refused says."""
    done = call(*words)
    assert done.exit_code == 1 and done.exception is not None, done.output
    return f"{done.exception} {done.output}"
