"""What the benchmarks of the whole workflow share: a copy of it in a folder of its own, and a command's resources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
LINKED = ("Snakefile", "scripts", "src", "envs", "profiles")


@dataclass(frozen=True)
class Used:
    """What a command and all processes that it started used: seconds on the clock, CPU seconds, peak megabytes of
    the largest process; and what was printed."""

    wall: float
    cpu: float
    megabytes: float
    printed: str


def copy_of_workflow(folder: Path, config: Mapping[str, Any], root: Path = ROOT) -> Path:
    """A folder with the workflow in it (code and rules linked or copied) and a configuration of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        if not (folder / name).exists():
            (folder / name).symlink_to(root / name)
    shutil.copytree(root / "workflow", folder / "workflow", dirs_exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
    return folder


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Used:
    """Run a command in a folder, one thread a process, and say what it used.

    Raises
    ------
    SystemExit
        The command failed; its last lines are shown.
    """
    variables = os.environ | {"OMP_NUM_THREADS": "1"} | dict(environment or {})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=variables, stdout=stream, stderr=subprocess.STDOUT
        )
        # wait4 tells of this process and its descendants alone; getrusage would keep the largest child of all
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stream.seek(0)
        printed = stream.read()
    if process.returncode:
        sys.exit(f"exit {process.returncode} of {' '.join(map(str, command))}:\n{printed[-4000:]}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Used(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit, printed)


def snakemake(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Used:
    """Run Snakemake in a copy of the workflow."""
    return run([sys.executable, "-m", "snakemake", *words], folder, environment)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, text on the left and numbers on the right."""
    align = ["---" if column == 0 else "---:" for column in range(len(header))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, align, *rows])
