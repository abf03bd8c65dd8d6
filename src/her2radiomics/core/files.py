"""Files that are whole or not there: written under another name, then renamed.

The other name tells who writes: ``.writing-<process>@<host>~<name>``. Two jobs that write the same file (one that ran
on after its workflow was killed, and its successor; two nodes of a cluster) never touch each other's, and what a dead
job left can be told from what a living one is writing (:func:`sweep`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from her2radiomics.core.errors import StudyError

#: No space: the disk is full, a quota is used up, or a file has reached its largest size.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MARK = re.compile(r"\.writing-(?P<process>\d+)@(?P<host>[^~]*)~")
#: A temporary is taken for dead after this: of another host's process nobody here can ask whether it runs.
ABANDONED_S = 24 * 3600
#: Rivals may swap a folder as often as this before something else must be wrong.
SWAPS = 10


class DiskFullError(StudyError):
    """There was no space to write a file; what was finished stays."""

    def __init__(self, path: str | Path) -> None:
        """Name the file and the space that is left beside it."""
        free = ""
        with contextlib.suppress(OSError):
            free = f" ({shutil.disk_usage(Path(path).parent).free / 1e6:.1f} MB free)"
        super().__init__(
            f"{path}: found no space to write it{free}; expected space on its disk and within its quota. "
            "Free some space and run again: what is finished stays."
        )


def own_mark() -> str:
    """Beginning of the names that this process writes under."""
    return f".writing-{os.getpid()}@{_host()}~"


@contextmanager
def room_for(path: str | Path) -> Iterator[None]:
    """Say that there was no space for a file.

    Raises
    ------
    DiskFullError
        In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(path) from error
        raise


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes its place when the block ends without an error.

    A job killed while it writes leaves the old file or none, never half of one. The parent folder is made.

    Raises
    ------
    DiskFullError
        There is no space for the file.
    """
    target = Path(path)
    # the ending stays: writers choose the format by it
    temporary = target.with_name(f"{own_mark()}{target.name}")
    try:
        with room_for(target):
            target.parent.mkdir(parents=True, exist_ok=True)
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
    temporary = target.with_name(f"{own_mark()}{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with room_for(target):
            temporary.mkdir(parents=True)
            yield temporary
            _swap(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(made: Path, target: Path) -> None:
    """Put a folder in another's place; a rival may put its own there in between."""
    old = made.with_name(f"{own_mark()}old~{target.name}")
    for attempt in range(SWAPS):
        with contextlib.suppress(FileNotFoundError):
            target.rename(old)
        shutil.rmtree(old, ignore_errors=True)
        try:
            made.rename(target)
            return
        except OSError as error:  # a rival was faster
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == SWAPS - 1:
                raise


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with Path(path).open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def sweep(folder: str | Path, whole: Callable[[str], bool] | None = None) -> list[Path]:
    """Delete what dead jobs were writing below a folder, and return it.

    Parameters
    ----------
    folder
        Where to look; it need not be there.
    whole
        Says of a folder's path that it appeared as a whole, so that nobody writes within it and nobody need look.

    Notes
    -----
    A temporary of this host is dead when its process is, and any when it is a day old. Folders that begin
    with a dot are looked into, not descended: a store of cases holds nothing temporary inside a case.
    """
    dead = []
    pending = [(Path(folder), True)]
    while pending:
        place, deeper = pending.pop()
        try:
            entries = list(os.scandir(place))
        except OSError:  # gone, or not ours to read
            continue
        for entry in entries:
            mark = MARK.match(entry.name)
            if mark and _dead(mark["host"], int(mark["process"]), entry):
                dead.append(Path(entry.path))
            elif not mark and deeper and entry.is_dir(follow_symlinks=False) and not (whole and whole(entry.path)):
                pending.append((Path(entry.path), not entry.name.startswith(".")))
    for path in dead:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return sorted(dead)


def _dead(host: str, process: int, entry: os.DirEntry[str]) -> bool:
    if host == _host():
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # another user's, alive
            return False
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_S
    except OSError:
        return False


def _host() -> str:
    return os.uname().nodename.split(".")[0].replace("~", "-") if hasattr(os, "uname") else "local"


def write_text(text: str, path: str | Path) -> None:
    """Write a text under a temporary name and rename it."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
