"""What the scripts behind the rules share: logging, settings from parameters, tables in and out."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from her2radiomics.core import software
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import FULL, DiskFullError, write_text
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings, validate
from her2radiomics.core.tables import write
from her2radiomics.engine import file_records

Model = TypeVar("Model", bound=Settings)


@contextlib.contextmanager
def logged(snakemake: Any, unlisted: Iterable[str] = ()) -> Iterator[None]:
    """Run a script: its inputs are whole and stay the same, its outputs are recorded, what it prints goes to its log.

    An output named ``software`` becomes the record of the distributions that the script used. ``unlisted`` are files that
    the script reads; those that the rule does not list as inputs are watched alike. An error that the user can
    correct is said in words, without a traceback. Where the log cannot be written either (a full disk), it is said on the
    terminal.

    A script that is run by hand (:mod:`her2radiomics.engine.rerun`) prints on the terminal, records nothing and raises its
    errors, so that a debugger can stop; a changed input is said and read.

    Raises
    ------
    SystemExit
        The script failed; the log says why.
    """
    if getattr(snakemake, "by_hand", False):
        try:
            file_records.check_inputs(snakemake.input)
        except file_records.ChangedFileError as error:
            print(in_words(error), file=sys.stderr)
        with _noting(snakemake.output):
            yield
        return
    said = ""
    try:
        log = Path(str(snakemake.log))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as stream:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                try:
                    file_records.forget(snakemake.output)
                    file_records.check_inputs(snakemake.input)
                    watch = file_records.Watch(snakemake.input)
                    others = file_records.Watch(path for path in unlisted if path not in watch.stamps)
                    with _noting(snakemake.output):
                        yield
                    watch.check()
                    others.check()
                    file_records.write_records(snakemake.output, watch.stamps, others.stamps)
                except Exception as error:
                    said = in_words(error)
                    print(said)
    except OSError as error:
        print(f"{said}\n{in_words(error)}" if said else in_words(error), file=sys.stderr)
        said = said or str(error)
    if said:
        sys.exit(1)


@contextlib.contextmanager
def _noting(output: Any) -> Iterator[None]:
    """Write the record of the distributions that are used inside the block, where the rule asks for one."""
    with software.recording() as used:
        yield
    if place := getattr(output, "software", ""):
        write_text(software.as_record(used), place)


def in_words(error: Exception) -> str:
    """What is said of an error: without a traceback where the user can correct it."""
    if isinstance(error, OSError) and error.errno in FULL:
        error = DiskFullError(error.filename or Path.cwd() / "results")
    if isinstance(error, StudyError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))


def write_tables(tables: Mapping[str, pd.DataFrame], output: Any, *, simulated: bool) -> None:
    """Write tables, by contract, to the outputs of the same names."""
    for name, table in tables.items():
        write(name, table, output[name], simulated=simulated)


def settings_from(model: type[Model], content: Mapping[str, Any]) -> Model:
    """Settings from a rule's parameter."""
    return validate(model, dict(content), "parameters of the rule")
