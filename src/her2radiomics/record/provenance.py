"""What made a run: command, commit, time, platform, versions, and hashes of its results; no path, host or user."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from her2radiomics.core import software
from her2radiomics.core.files import file_hash


def file_hashes(files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each file, by path."""
    return {str(file): file_hash(file) for file in sorted(map(str, files))}


def record(run: Mapping[str, Any], files: Iterable[str]) -> str:
    """Return the provenance of a run as JSON.

    Parameters
    ----------
    run
        What was asked for: id, study, variant, cohort, seed, size.
    files
        Results whose hashes are kept.

    Notes
    -----
    The workflow leaves its command line and number of cores in the environment (``HER2RADIOMICS_COMMAND``,
    ``HER2RADIOMICS_CORES``).
    """
    content = {
        "run": dict(run),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "cores": os.environ.get("HER2RADIOMICS_CORES", ""),
        "command": without_folders(os.environ.get("HER2RADIOMICS_COMMAND", "")),
        "commit": commit(),
        "versions": software.versions(),
        "sha256": file_hashes(files),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def without_folders(command: str) -> str:
    """A command line whose absolute paths are cut to their last part: a home folder's name is a user's.

    >>> without_folders("/home/jane/.venv/bin/snakemake --cores 2 --directory=/data/jane/study")
    'snakemake --cores 2 --directory=…/study'
    """
    program, *words = command.split(" ")
    cut = [
        re.sub(r"(^|[=:,])(?:~[^/ ]*|[A-Za-z]:)?[/\\](?:[^/\\ ]*[/\\])*([^/\\ ]*)", r"\1…/\2", word) for word in words
    ]
    return " ".join([re.split(r"[/\\]", program)[-1], *cut])


def commit() -> str:
    """The checkout's commit, with a mark when it is changed; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        found = _git(here, "rev-parse", "HEAD")
        return found + ("+changes" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit_date() -> str:
    """When the checkout's commit was made, as ISO 8601 with time zone; empty outside a checkout."""
    try:
        return _git(Path(__file__).parent, "show", "--no-patch", "--format=%cI", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()
