"""Run the script behind a result by hand, in this process, so that a debugger works.

``python -m her2radiomics.engine.rerun results/nat_response/models/radiomics/model.json`` finds the job that makes the file,
finished or planned, hands its script what Snakemake would, and runs it. ``breakpoint()`` stops there, ``--pdb`` opens the
debugger where an error was raised, ``--list`` prints what would be handed over. What the script prints goes to the terminal.

No result is touched: outputs are written below ``.snakemake/rerun/<rule>``, beside links to the files that are there, and
compared with the finished ones. Nothing is recorded, so that Snakemake does not take them for results.
"""

from __future__ import annotations

import argparse
import bdb
import contextlib
import difflib
import os
import pdb
import runpy
import shutil
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from snakemake.exceptions import RuleException, WorkflowError
from snakemake.iocontainers import Namedlist, Snakemake

from her2radiomics.core.errors import StudyError
from her2radiomics.engine.file_records import content
from her2radiomics.engine.patches import jobs

FOLDER = Path(".snakemake/rerun")
FAILED = (WorkflowError, RuleException)


class NoJobError(StudyError):
    """No script can be run for a file: no job makes it, or what the job reads is missing."""


@contextlib.contextmanager
def job_of(file: str, config: Sequence[str] = ()) -> Iterator[Any]:
    """Find the job that makes a file.

    Parameters
    ----------
    file
        A result, below the current folder; one within an output folder counts.
    config
        Settings as for Snakemake's ``--config``: ``key=value``.

    Yields
    ------
    Snakemake's job
        To be used while the context is open.

    Raises
    ------
    NoJobError
        There is no Snakefile here, no job makes the file, or its job has no script.
    """
    if not Path("Snakefile").is_file():
        raise NoJobError(f"{Path.cwd()}: found no Snakefile; expected it here. Change to the project's folder.")
    path = os.path.relpath(file)
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(jobs.planned({path}, config))
        except FAILED as error:  # within an output folder, or no result at all
            try:
                found = stack.enter_context(jobs.planned(set(), config))
            except FAILED:
                raise NoJobError(f"{path}: {error}") from None
        whole = {path, *map(str, Path(path).parents)}
        job = next((job for job in found if whole & set(map(str, job.output))), None)
        if job is None:
            raise NoJobError(f"{path}: found no job that makes it; {_near(path, found)}")
        if not jobs.script_of(job):
            raise NoJobError(
                f"{path}: found the rule {job.rule.name}, which has no script; expected one with a script."
            )
        yield job


def _near(path: str, found: Iterable[Any]) -> str:
    made = sorted({str(output) for job in found for output in job.output})
    near = difflib.get_close_matches(path, made, n=3) or made[:3]
    return "\n  ".join(["expected a result of a run in config.yaml, such as", *near])


def as_text(job: Any) -> str:
    """Everything that a job's script is handed, as YAML."""
    given = jobs.handed_over(job)
    parts = ("rule", "wildcards", "input", "output", "params", "threads", "resources", "log", "config")
    shown = {"script": jobs.script_of(job), **{part: getattr(given, part) for part in parts}}
    return yaml.safe_dump(_plain(shown), sort_keys=False, allow_unicode=True, width=120)


def _plain(value: Any) -> Any:
    """Mappings, lists, texts and numbers alone."""
    if isinstance(value, Namedlist):
        value = dict(value.items()) or list(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def run(job: Any, asked: str = "") -> dict[str, str]:
    """Run a job's script in this process, with outputs that lie apart from the results.

    Parameters
    ----------
    job
        Snakemake's job.
    asked
        The output that is wanted: of a job that makes several things one by one, this one alone is made.

    Returns
    -------
    dict
        Each result to how what the script wrote compares with it.

    Raises
    ------
    NoJobError
        Inputs are missing.
    Exception
        Whatever the script raises.
    """
    given = jobs.handed_over(job)
    missing = [path for path in given.input if not Path(path).exists()]
    if missing:
        raise NoJobError(
            f"{', '.join(missing)}: found no such file; expected what the rule {given.rule} reads. Make it first: "
            f"snakemake --cores 1 {missing[0]}"
        )
    written = _apart(given, FOLDER / given.rule)
    given.asked = written.get(os.path.relpath(asked), "") if asked else ""
    runpy.run_path(jobs.script_of(job), init_globals={"snakemake": given}, run_name="__main__")
    compared = {path: _compared(path, new) for path, new in written.items()}
    return {path: how for path, how in compared.items() if not given.asked or Path(written[path]).exists()}


def _apart(given: Snakemake, folder: Path) -> dict[str, str]:
    """Let the script write to a folder of its own, in which links show the other results."""
    shutil.rmtree(folder, ignore_errors=True)
    outputs = set(map(str, given.output))
    real = {parent for path in outputs for parent in Path(path).parents} - {Path()}
    for parent in sorted(real):
        (folder / parent).mkdir(parents=True, exist_ok=True)
        # hidden entries are stores, from which a finished case would be taken instead of computed
        for entry in parent.glob("[!.]*"):
            if str(entry) not in outputs and entry not in real:
                (folder / entry).symlink_to(entry.absolute())
    given.output = type(given.output)(given.output, custom_map=lambda path: str(folder / path))
    given.by_hand = True
    return {path: str(folder / path) for path in sorted(outputs)}


def _compared(finished: str, new: str) -> str:
    if not Path(new).exists():
        return "not written"
    if not Path(finished).exists():
        return "new; there is no finished one"
    return "as the finished one" if content(finished) == content(new) else "differs from the finished one"


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.engine.rerun", description="Run the script behind a result by hand."
    )
    parser.add_argument("file", help="a finished or planned result, such as results/nat_response/report.html")
    parser.add_argument("--list", action="store_true", help="print what the script would be handed, and end")
    parser.add_argument("--pdb", action="store_true", help="open the debugger where an error is raised")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="as for snakemake")
    options = parser.parse_args(words)
    try:
        with job_of(options.file, options.config) as job:
            if options.list:
                print(as_text(job), end="")
                return 0
            print(f"rule {job.rule.name}: {jobs.script_of(job)}", flush=True)
            compared = run(job, options.file)
    except NoJobError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except bdb.BdbQuit:
        return 1
    except Exception as error:
        traceback.print_exc()
        if options.pdb:
            pdb.post_mortem(error.__traceback__)
        return 1
    print(f"written below {FOLDER / job.rule.name}:")
    print("\n".join(f"{path}: {how}" for path, how in compared.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
