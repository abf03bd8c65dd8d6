"""``her2radiomics predict`` and ``her2radiomics calculator``: a saved model for the next patient."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from her2radiomics import modelling, prediction
from her2radiomics.cli.app import MODEL
from her2radiomics.cli.studying import DryRun, Force
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import write_text

Model = Annotated[Path, typer.Argument(help="model.json of a run, or the folder that holds it.")]


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command("predict", rich_help_panel=MODEL)(predict)
    app.command("calculator", rich_help_panel=MODEL)(calculator)


def predict(
    model: Model,
    images: Annotated[
        Path | None,
        typer.Option(help="images.tsv, or a folder with <patient>/<sequence>.nii.gz and <sequence>_mask.nii.gz."),
    ] = None,
    features: Annotated[Path | None, typer.Option(help="A table of features instead of images.")] = None,
    clinical: Annotated[Path | None, typer.Option(help="Clinical table (CSV, XLSX, ...) with patient_id.")] = None,
    cohort: Annotated[
        Path | None, typer.Option(help="Cohort file (YAML) whose columns map the clinical table.")
    ] = None,
    reader: Annotated[str, typer.Option(help="Whose outlines or rows are used; by default those of training.")] = "",
    page: Annotated[
        bool, typer.Option("--page/--no-page", help="A page for each patient beside the JSON file.")
    ] = True,
    to: Annotated[Path, typer.Option("--to", help="Folder of the results.")] = Path("predictions"),
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Score, probability, class and a page of each new patient; exit code 1 if any failed.

    \b
    her2radiomics predict results/nat_response/models/nomogram --images new/ --clinical new.xlsx --page
    her2radiomics predict model.json --features features.csv --clinical new.csv --cohort hospital.yaml --to out/
    """
    if to.exists() and any(to.iterdir()) and not force and not dry_run:
        raise StudyError(
            f"{to}: found files there, expected an empty folder. Add --force to replace the results, or "
            "choose another folder with --to."
        )
    request = prediction.Request(model, images, features, clinical, cohort, reader, page)
    if dry_run:
        for line in prediction.intended(request):
            print(line)
        return
    answer = prediction.predict(request, to)
    for note in answer.notes:
        print(f"note: {note}", file=sys.stderr)
    for patient in answer.patients:
        print(prediction.in_words(patient))
    for patient in answer.failed:
        print(f"failed: patient {patient.patient_id}: {patient.reason}", file=sys.stderr)
    if page and len(answer.failed) < len(answer.patients):
        print(f"Next: open {to / prediction.INDEX}; all numbers are in {to / prediction.TABLE}")
    if answer.failed:
        raise typer.Exit(1)


def calculator(
    model: Model,
    to: Annotated[Path, typer.Option("--to", help="The page to write.")] = Path("calculator.html"),
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Write a page that computes the model in a browser, offline.

    \b
    her2radiomics calculator results/nat_response/models/nomogram --to nomogram.html
    """
    if to.exists() and not force and not dry_run:
        raise StudyError(f"{to}: found a file there. Add --force to replace it, or choose another file with --to.")
    loaded = modelling.load_model(prediction.model_file(model))
    page = prediction.calculator_of(loaded)
    if dry_run:
        print(f"would write {to}: {loaded.label}, {len(loaded.rule.predictors)} predictors, {len(page) // 1000} kB")
        return
    write_text(page, to)
    print(
        f"{to}: {loaded.label}, {len(loaded.rule.predictors)} predictors. Next: open it in a browser; it needs no network."
    )
