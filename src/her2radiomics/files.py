"""Files that are whole or not there: written under another name, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes its place when the block ends without an error.

    A job killed while it writes leaves the old file or none, never half of one. The parent folder is made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # the ending stays: writers choose the format by it
    temporary = target.with_name(f".writing-{os.getpid()}-{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(stem: str | Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write ``<stem><suffix>`` for each suffix and its content, each whole or not at all; the paths in that order."""
    written = []
    for suffix, content in contents.items():
        path = Path(stem)
        path = path.with_name(path.name + suffix)
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
        written.append(path)
    return written


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """As :func:`whole_file` for a folder; one that is there already is replaced."""
    target = Path(path)
    temporary = target.with_name(f".writing-{os.getpid()}-{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if target.is_dir():
            shutil.rmtree(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
