"""What each job read and wrote, so that no file that was cut, edited or replaced since is taken for what it was.

The workflow engine compares times of change alone. It reruns what reads a file that was cut short (half a table would
be read as a whole one), it does not see an input that was replaced after a job read it and before the job ended, nor one
replaced by an older file, since both are older than the job's output. So every job leaves a record beside the engine's own
(``.snakemake/written/<output>.json``): size, time of change and SHA-256 of the output, and size and time of change of
the user's files that it read. A job checks its inputs against their records before it reads them
(:func:`check_inputs`), and that none changed while it ran (:class:`Watch`); planning compares all records with the files
(:func:`find_changed`), at the cost of a look at each file's size and time. Only where these differ is a file read.

The records may be deleted at any time: what has none is taken as it is.
"""

# some 100,000 files are looked at in planning, and a Path costs several times what the look does
# ruff: noqa: PTH112, PTH116, PTH117, PTH123

from __future__ import annotations

import contextlib
import gc
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import DiskFullError, file_hash, sweep, whole_file

FOLDER = Path(".snakemake/written")
INDEX = FOLDER / ".index"
FORM = 2  # of the index; another one is written anew
ENDING = ".json"
#: The engine sets a job's outputs to the time at which it noticed the job's end. A time of change as little later than the
#: record's, with the same size, is taken for that; a later one has the file read.
NOTICED_NS = 5_000_000_000
#: The engine's time stamp within an output folder.
OWN_FILE = ".snakemake_timestamp"
MADE_FROM = "made from"

Stamp = tuple[int, int]


class ChangedFileError(StudyError):
    """A file is not what a job wrote, or changed while a job read it."""


@dataclass(frozen=True)
class Change:
    """A result that is to be made again: the file, and why in words."""

    path: str
    why: str


def stamp(path: str | Path) -> Stamp | None:
    """Bytes and latest time of change (ns) of a file, or of all files in a folder; ``None`` where there is nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if not S_ISDIR(found.st_mode):
        return found.st_size, found.st_mtime_ns
    size = newest = 0
    for file in _files_in(path):
        with contextlib.suppress(OSError):
            inner = file.stat()
            size, newest = size + inner.st_size, max(newest, inner.st_mtime_ns)
    return size, newest


def content(path: str | Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if not os.path.isdir(path):
        return file_hash(path)
    digest = sha256()
    for file in sorted(_files_in(path), key=lambda entry: entry.path):
        digest.update(f"{os.path.relpath(file.path, path)}\0{file_hash(file.path)}\0".encode())
    return digest.hexdigest()


def _files_in(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files_in(entry.path)
            elif entry.name != OWN_FILE:
                yield entry


def forget(outputs: Iterable[str]) -> None:
    """Drop the records of files that are about to be written."""
    for path in outputs:
        place = _place(path)
        if place is not None:
            place.unlink(missing_ok=True)


def write_records(
    outputs: Iterable[str],
    inputs: Mapping[str, Stamp | None] | None = None,
    unlisted: Mapping[str, Stamp | None] | None = None,
) -> None:
    """Record a job's outputs, and with the first one the stamps of the inputs that no job wrote.

    ``unlisted`` are files that the job read and the engine does not know of: any change of theirs counts.
    """
    read = {path: found for path, found in (inputs or {}).items() if not _has_record(path)}
    more = dict(unlisted or {})
    for path in outputs:
        place, found = _place(path), stamp(path)
        if place is None or found is None:
            continue
        record = {"size": found[0], "mtime": found[1], "sha256": content(path), "inputs": read}
        text = json.dumps(record | ({"unlisted": more} if more else {}))
        with whole_file(place) as temporary:
            temporary.write_text(text, encoding="utf-8")
        read, more = {}, {}


def misfit(path: str | Path, record: Mapping[str, Any] | None = None) -> str:
    """How a file differs from its record, in words; empty where it fits or has none."""
    record = record if record is not None else _read(path)
    found = stamp(path)
    if record is None or found is None:  # a missing file is the engine's to notice
        return ""
    size, mtime = found
    if size != record["size"]:
        return f"{size} of {record['size']} bytes"
    if 0 <= mtime - record["mtime"] <= NOTICED_NS or content(path) == record["sha256"]:
        return ""
    return "other bytes"


def check_inputs(paths: Iterable[str]) -> None:
    """Refuse inputs that are not as the job that wrote them left them.

    Raises
    ------
    ChangedFileError
        The first such input.
    """
    for path in paths:
        found = misfit(path)
        if found:
            with contextlib.suppress(OSError):  # its record is new: planning looks again
                os.utime(str(_place(path)))
            raise ChangedFileError(
                f"{path}: found {found}; expected the file as its job wrote it. It was truncated or edited since. "
                "Run again: it is made anew."
            )


class Watch:
    """The stamps of files when a job began, to be compared when it ends.

    Parameters
    ----------
    paths
        Files or folders; one that is not there must not appear either.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        """Look at every file once."""
        self.stamps = {str(path): stamp(path) for path in paths}

    def changed(self) -> list[str]:
        """Files whose size or time of change is another by now.

        A file that a job wrote and that still has the recorded bytes counts as the same: a job that ran on after its
        workflow was killed may write it a second time.
        """
        return [
            path
            for path, before in self.stamps.items()
            if stamp(path) != before and not (_has_record(path) and stamp(path) and not misfit(path))
        ]

    def check(self) -> None:
        """Refuse to go on when a file changed.

        Raises
        ------
        ChangedFileError
            All files that changed.
        """
        changed = self.changed()
        if changed:
            raise ChangedFileError(
                f"{', '.join(changed)}: found content that changed since this job began; expected inputs that stay "
                "unchanged while a job reads them. What was read may mix old and new content: run again."
            )


def find_changed() -> list[Change]:
    """All recorded results below the current folder that must be made again, sorted by path.

    A result must be made again when it is not as its job left it, or when a file of the user's that the job read is another
    one and older than the result (a newer one is the engine's to notice). What was compared once is remembered in an
    index: planning reads no record and no file twice, and looks into an output folder (of pictures) again only after a
    job found it changed.
    """
    collecting = gc.isenabled()
    gc.disable()  # a million small objects that all stay: looking for garbage among them takes longer than making them
    try:
        return _find_changed()
    finally:
        if collecting:
            gc.enable()


def _find_changed() -> list[Change]:
    known = _read_index()
    seen: dict[str, list[Any]] = {}
    changes = []
    news = False
    for path, place, written in _records():
        entry = known.get(path)
        if entry is None or entry[0] != written:
            news, record = True, _load(place)
            if record is None:
                continue
            folder = os.path.isdir(path)
            entry = [written, record["size"], record["mtime"], record["sha256"], record["inputs"], folder]
            entry.append(record.get("unlisted", {}))
            found = stamp(path)
        else:
            found = None if entry[5] else stamp(path)
        why = ""
        if found is not None:
            if (entry[1], entry[2]) != found:
                why = misfit(path, {"size": entry[1], "mtime": entry[2], "sha256": entry[3]})
                if not why:
                    entry, news = [*entry[:2], found[1], *entry[3:]], True
            if entry[4] and not why:
                why = _replaced(entry[4], found[1])
            why = why or _differs(entry[6])
        if why:
            changes.append(Change(path, why))
        else:
            seen[path] = entry
    if news or len(seen) != len(known):
        with contextlib.suppress(OSError, DiskFullError):  # someone who may only read plans a little slower
            with whole_file(INDEX) as temporary:
                temporary.write_text(json.dumps({"form": FORM, "files": seen}), encoding="utf-8")
    return sorted(changes, key=lambda change: change.path)


def _replaced(inputs: Mapping[str, list[int] | None], made: int) -> str:
    for path, before in inputs.items():
        found = stamp(path)
        if found is None or (before is not None and found[0] == before[0] and found[1] == before[1]):
            continue
        # the engine notices a newer file, and nothing that happens within a folder
        if found[1] <= made or os.path.isdir(path):
            return f"{MADE_FROM} another {path} than the one that is there now"
    return ""


def _differs(unlisted: Mapping[str, list[int] | None]) -> str:
    for path, before in unlisted.items():
        found = stamp(path)
        if (found and [*found]) != before:
            return f"{MADE_FROM} another {path} than the one that is there now"
    return ""


def set_aside(changes: Iterable[Change]) -> dict[str, str]:
    """Rename changed files that are about to be made again, since an edit may have been meant; old name to new."""
    renamed = {}
    for change in changes:
        path = Path(change.path)
        if change.why.startswith(MADE_FROM) or not path.exists():
            continue
        number, aside = 1, path.with_name(f"{path.name}.changed")
        while aside.exists():
            number, aside = number + 1, path.with_name(f"{path.name}.changed.{number + 1}")
        path.rename(aside)
        renamed[change.path] = str(aside)
    return renamed


def clean(folder: str | Path = "results") -> list[Path]:
    """Delete what killed jobs left half written below the results and the records."""
    return [*sweep(folder, whole=_has_record), *sweep(FOLDER)]


def _place(path: str | Path) -> Path | None:
    """Where a file's record lies; ``None`` for one outside the current folder, which is nobody's output."""
    text = os.path.normpath(path)
    if os.path.isabs(text) or text.startswith(".."):
        return None
    return FOLDER / f"{text}{ENDING}"


def _has_record(path: str | Path) -> bool:
    place = _place(path)
    return place is not None and place.is_file()


def _read(path: str | Path) -> dict[str, Any] | None:
    place = _place(path)
    return _load(place) if place is not None else None


def _load(place: str | Path) -> dict[str, Any] | None:
    try:
        with open(place, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError):  # none, or cut itself: the file is taken as it is
        return None
    return record if isinstance(record, dict) and {"size", "mtime", "sha256", "inputs"} <= set(record) else None


def _read_index() -> dict[str, list[Any]]:
    try:
        found = json.loads(INDEX.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found["files"] if isinstance(found, dict) and found.get("form") == FORM else {}


def _records() -> Iterator[tuple[str, str, int]]:
    """Path of every recorded file, of its record, and when that was written (ns)."""
    pending = [str(FOLDER)] if FOLDER.is_dir() else []
    start = len(str(FOLDER)) + 1
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.name.endswith(ENDING) and not entry.name.startswith(".writing-"):
                    try:
                        written = entry.stat().st_mtime_ns
                    except FileNotFoundError:  # its job runs again this very moment
                        continue
                    yield entry.path[start : -len(ENDING)], entry.path, written
