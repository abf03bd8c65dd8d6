"""Snakemake's command line, made and started for a project."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.study.project import Project


def command(project: Project, words: Sequence[str] = (), *, cores: int | None = None) -> list[str]:
    """The words of Snakemake's command for a project; ``cores`` of ``None`` leaves the number to the workflow (all)."""
    beside = Path(sys.executable).with_name("snakemake")
    start = [str(beside)] if beside.is_file() else [sys.executable, "-m", "snakemake"]
    number = [] if cores is None else ["--cores", str(cores)]
    return [*start, *number, *words, *project.words]


def shown(project: Project, words: Sequence[str]) -> str:
    """The command as it can be typed in the project's folder."""
    inside = [os.path.relpath(words[0], project.folder), *words[1:]]
    return shlex.join(words if inside[0].startswith("..") else inside)


def start(project: Project, words: Sequence[str]) -> int:
    """Print a command, run it in the project's folder, and return its exit code; interrupted, it ends its jobs itself."""
    print(f"$ {shown(project, words)}", flush=True)
    with subprocess.Popen(words, cwd=project.folder) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # Snakemake had it too, and waits for its jobs
                continue
