"""``her2radiomics manuscript``: bring an edited manuscript up to date with its run, or say where it no longer agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from her2radiomics import article

Document = Annotated[
    Path, typer.Argument(metavar="EDITED.docx", help="The Word file that you edited; it is only read.")
]
Run = Annotated[Path, typer.Option("--run", metavar="FOLDER", help="Folder of the run: results/<run>.")]
Other = Annotated[bool, typer.Option("--other-run", help="Accept a manuscript that was made from another run.")]
To = Annotated[
    Path | None, typer.Option("--to", metavar="COPY.docx", help="The copy; by default EDITED.refreshed.docx.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of manuscripts."""
    group = typer.Typer(help="The manuscript of a run: its numbers, tables and figures in the file that you edited.")
    group.command("refresh")(refresh_command)
    group.command("check")(check_command)
    app.add_typer(group, name="manuscript", rich_help_panel="Your study")


def refresh_command(document: Document, run: Run, to: To = None, other_run: Other = False) -> None:
    """Write a copy with the run's present numbers, tables and figures; your words, comments and changes stay.

    \b
    her2radiomics manuscript refresh manuscript.docx --run results/her2_ours--default--our_hospital
    """
    done = article.refresh.refresh(document, run, to, other_run=other_run)
    for before, now in done.numbers:
        typer.echo(f"number: {before} -> {now}")
    for kind, changed in (("table", done.tables), ("figure", done.figures), ("note", done.notes)):
        for line in changed:
            typer.echo(f"{kind}: {line}")
    counts = f"{len(done.numbers)} numbers, {len(done.tables)} tables and {len(done.figures)} figures"
    typer.echo(f"{done.path}: {counts} brought up to date.")


def check_command(document: Document, run: Run, other_run: Other = False) -> None:
    """List what no longer agrees with the run, what is bound to nothing and what is still to be written; exit 1 if any.

    \b
    her2radiomics manuscript check manuscript.docx --run results/her2_ours--default--our_hospital
    """
    findings = article.check.check(document, run, other_run=other_run)
    for finding in findings:
        typer.echo(str(finding))
    if not article.check.agrees(findings):
        raise typer.Exit(1)
    typer.echo(f"{document}: all numbers, tables and figures agree with {run}.")
