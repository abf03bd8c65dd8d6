"""A job that makes several results: one that fails does not cost the others, and none is made twice.

Starting a job takes as long as drawing a figure, so one job makes all figures of a run that wait for the same files. The
workflow engine deletes a job's outputs when it fails, and before it runs again. Every finished piece therefore also lies in
a store (:class:`~her2radiomics.engine.jobs.case_store.CaseStore`) beside the results, in a folder named by the piece and a
hash of all that decides about it: its settings, its files, the library and what this calls. The job takes from there what
is unchanged, makes the others, and fails at its end with the names of those that could not be made. The store may be
deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import her2radiomics
from her2radiomics.core import software
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import room_for, write_text
from her2radiomics.engine.file_records import Watch
from her2radiomics.engine.jobs.case_store import CaseStore, content_key
from her2radiomics.engine.script import in_words

#: Name of the folder of finished pieces, in the one folder below which all files of a piece lie: the run's.
STORE = ".finished"


class PiecesError(StudyError):
    """Some results of a job could not be made; the others are kept."""


@dataclass(frozen=True)
class Piece:
    """One of the results that a job makes.

    Attributes
    ----------
    name
        What is said of it, and the name of its log.
    outputs
        Its files, of different names; the last is the record of the distributions that it used.
    files
        What it is made from.
    settings
        Whatever else decides about it, as plain data.
    make
        Writes the files, but the record, into a folder.
    """

    name: str
    outputs: Sequence[str]
    files: Sequence[str]
    settings: Any
    make: Callable[[Path], None]


def make_pieces(pieces: Sequence[Piece], what: str, snakemake: Any) -> bool:
    """Make each piece, or take it from the store; one that fails stops none of the others.

    A script that is run by hand for one file makes the piece that has it. What a piece prints goes to a log of its name
    beside the job's.

    Parameters
    ----------
    pieces
        In the order in which they are made.
    what
        What they are in print, as in ``figures``.
    snakemake
        What the script was handed.

    Returns
    -------
    bool
        Whether all were made: by hand it may be one.

    Raises
    ------
    PiecesError
        Names the pieces that could not be made, each with the reason.
    """
    by_hand, asked = getattr(snakemake, "by_hand", False), getattr(snakemake, "asked", "")
    chosen = [piece for piece in pieces if asked in piece.outputs] or pieces
    logs = Path(str(snakemake.log)).parent
    failed: dict[str, str] = {}
    keys: dict[Path, set[str]] = {}
    for piece in chosen:
        store = CaseStore(Path(os.path.commonpath(piece.outputs), STORE))
        try:
            with contextlib.nullcontext() if by_hand else _printing_to(logs / f"{piece.name}.log"):
                key = f"{piece.name}-{content_key(piece.files, {'settings': piece.settings}, _code())}"
                keys.setdefault(store.folder, set()).add(key)
                _lay_out(store.find(key) or _made(piece, store, key), piece.outputs)
        except Exception as error:
            if by_hand:
                raise
            failed[piece.name] = in_words(error).strip()
    if failed:
        kept = len(chosen) - len(failed)
        others = f" The other {kept} are kept in {', '.join(map(str, keys))} and are not made again." if kept else ""
        reasons = "\n".join(f"{name}: {reason}" for name, reason in failed.items())
        raise PiecesError(f"{len(failed)} of {len(chosen)} {what} could not be made.{others}\n{reasons}")
    _drop_others(keys, {piece.name for piece in chosen})
    return len(chosen) == len(pieces)


def _made(piece: Piece, store: CaseStore, key: str) -> Path:
    """Make a piece in the store."""
    folder, watch = store.scratch(key), Watch(piece.files)
    try:
        with software.recording() as used, room_for(folder):
            piece.make(folder)
        write_text(software.as_record(used), folder / Path(piece.outputs[-1]).name)
        watch.check()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return store.keep(folder, key)


def _lay_out(folder: Path, outputs: Sequence[str]) -> None:
    """Give a finished piece's files their places: as the same files where the disk allows it, else as copies."""
    for output in map(Path, outputs):
        with room_for(output):
            output.parent.mkdir(parents=True, exist_ok=True)
            output.unlink(missing_ok=True)
            try:
                os.link(folder / output.name, output)
                os.utime(output)
            except OSError:
                shutil.copy(folder / output.name, output)


def _drop_others(keys: Mapping[Path, set[str]], names: set[str]) -> None:
    """Delete what is kept of these pieces in earlier forms."""
    for folder, kept in keys.items():
        for old in folder.iterdir():
            if old.name not in kept and old.name.rpartition("-")[0] in names:
                shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _printing_to(log: Path) -> Iterator[None]:
    """Send what is printed to a log, and what is said of an error."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            try:
                yield
            except Exception as error:
                print(in_words(error))
                raise


@cache
def _code() -> str:
    """Hash of the library and the versions of what decides about numbers and drawings."""
    digest = sha256()
    for path in sorted(Path(her2radiomics.__file__).parent.rglob("*.*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    for name, version in software.versions(*software.PARTS).items():
        digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()
