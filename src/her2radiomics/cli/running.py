"""Running a study: ``run``, ``resume``, ``status``, ``open``. Each says which command it calls."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

from her2radiomics import engine, study
from her2radiomics.cli.app import RUN
from her2radiomics.cli.studying import StudyName
from her2radiomics.core.errors import SettingsError

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="all, extraction, figures, tables, records, evidence, report, or files of the results.", show_default=False
    ),
]
Cores = Annotated[int | None, typer.Option("--cores", "-c", min=1, help="Cores (default: all).", show_default=False)]


def run(
    targets: Targets = None,
    name: StudyName = "",
    cores: Cores = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="List the jobs, and run none.")] = False,
) -> None:
    """Run Snakemake in the project's folder, and say which command it was.

    \b
    her2radiomics run --study her2_ours
    her2radiomics run figures --cores 4 -n
    """
    _run(study.Project.find(name), targets or [], cores, dry_run=dry_run)


def resume(targets: Targets = None, name: StudyName = "", cores: Cores = None) -> None:
    """Go on after a run was killed: unlock the folder, then run. Nobody else may be running in it.

    \b
    her2radiomics resume --study her2_ours
    """
    project = study.Project.find(name)
    code = engine.start(project, engine.command(project, ["--unlock"], cores=1))
    if code:
        raise typer.Exit(code)
    _run(project, targets or [], cores)


def _run(project: study.Project, targets: list[str], cores: int | None, *, dry_run: bool = False) -> None:
    named = f" --study {project.study}" if project.study else ""
    code = engine.start(project, engine.command(project, [*targets, *["-n"] * dry_run], cores=cores))
    if code:
        typer.echo(f"Snakemake ended with exit code {code}. See: her2radiomics status{named}", err=True)
        raise typer.Exit(code)
    typer.echo(f"Next: her2radiomics {'run' if dry_run else 'open'}{named}")


def status(name: StudyName = "") -> None:
    """What is done, running, failed and left; also while another process runs it, and on a cluster.

    \b
    her2radiomics status
    """
    typer.echo(engine.status_of(study.Project.find(name).enter().plan()))


def open_report(
    run_id: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run's folder in results (default: the page of all runs).")
    ] = "",
    name: StudyName = "",
) -> None:
    """Open a report in the browser; where there is no display its path is printed.

    \b
    her2radiomics open --study her2_ours
    """
    plan = study.Project.find(name).enter().plan()
    page = study.report_of(plan, run_id)
    if not page.is_file():
        raise SettingsError(f"{page}: no such file yet. Call: her2radiomics run{f' --study {name}' if name else ''}")
    typer.echo(page)
    if (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32")) and (
        sys.stdout.isatty()
    ):
        webbrowser.open(page.as_uri())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (("run", run), ("resume", resume), ("status", status), ("open", open_report)):
        app.command(name, rich_help_panel=RUN)(command)
