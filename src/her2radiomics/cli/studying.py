"""A study of one's own, what is wrong with it, and features without one: ``new study``, ``check``, ``extract``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from her2radiomics import engine, study
from her2radiomics.cli.app import DATA, STUDY
from her2radiomics.core.errors import SettingsError, StudyError

LIKE = "her2_nomogram"
Cores = Annotated[
    int | None, typer.Option("--cores", min=1, help="Processes side by side (default: all cores).", show_default=False)
]
StudyName = Annotated[
    str, typer.Option("--study", "-s", metavar="NAME", help="Of configs/NAME.yaml (default: config.yaml).")
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be written, and write nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files of the same name.")]


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def progress(label: str) -> Callable[[Sequence[int]], Iterator[int]]:
    """A progress line on a terminal, the label alone elsewhere; on standard error."""

    def steps(numbers: Sequence[int]) -> Iterator[int]:
        with typer.progressbar(numbers, label=label, file=sys.stderr) as bar:
            yield from bar

    return steps


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def asked(value: str, flag: str, question: str, default: str | None = None) -> str:
    """A flag's value; on a terminal one that was left open is asked for, elsewhere it is refused by its name."""
    if value:
        return value
    if not on_terminal():
        raise SettingsError(f"{flag}: found no value, and no terminal to ask; expected an answer to: {question}")
    return str(typer.prompt(question, default=default))


def listed(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def new_study(
    name: Annotated[str, typer.Argument(help="Name of the study: letters, digits, '_', '-' and '.'.")],
    cohort: Annotated[str, typer.Option(metavar="NAME", help="Cohort file in workflow/cohorts, without .yaml.")] = "",
    label: Annotated[
        str, typer.Option(metavar="COLUMN=VALUE", help="The outcome: who has the value is positive.")
    ] = "",
    candidates: Annotated[
        str,
        typer.Option(
            metavar="COLUMNS", help="Columns known before treatment that may predict: names with commas, all, or none."
        ),
    ] = "",
    like: Annotated[str, typer.Option(metavar="STUDY", help="Study whose selection and models are followed.")] = LIKE,
    external: Annotated[
        str, typer.Option(metavar="CENTRES", help="Centres held out as external test, with commas.")
    ] = "",
    survival: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME=EVENT", help="Follow-up columns, beside those like os_months and os_event; repeatable."
        ),
    ] = None,
    data: Annotated[str, typer.Option(metavar="DIR", help="Folder of the cohort's data.")] = "",
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Write a commented protocol and a configuration that runs it, checked as a run is.

    \b
    her2radiomics new study her2_ours --cohort our_hospital --label HER2=1 --candidates age,size
    her2radiomics new study her2_ours --cohort our_hospital --label her2=positive --like nat_response -n
    """
    project = study.Project.find()
    cohort = asked(cohort, "--cohort", f"Which cohort ({', '.join(study.cohorts(project))})?")
    source = study.open_cohort(project, cohort, data)
    label = asked(label, "--label", f"Which outcome, as COLUMN=VALUE ({', '.join(source.outcomes())})?")
    pairs = [tuple(pair.split("=", 1)) for pair in survival or []]
    odd = next((pair for pair in pairs if len(pair) != 2), None)
    if odd:
        raise SettingsError(f"--survival {odd[0]}: expected TIME=EVENT, for example os_months=os_event.")
    answers = study.Answers(name, label, (), like, listed(external), tuple((pair[0], pair[1]) for pair in pairs))
    source.outcome(*answers.outcome())
    known = source.candidates(answers.outcome()[0], source.endpoints() | dict(answers.survival))
    if known:
        question = (
            f"Which of these are known before treatment, and may predict: {', '.join(known)} (names, all or none)?"
        )
        chosen = asked(candidates, "--candidates", question, "none")
    else:
        chosen = candidates or "none"
    answers = answers.choosing(known if chosen == "all" else () if chosen == "none" else listed(chosen))
    made = study.NewStudy(project, source, answers)
    if dry_run:
        made.check()
        for path, text in made.files.items():
            typer.echo(f"--- {path}\n{text}")
        return
    for path in made.write(force=force):
        typer.echo(f"written: {path}")
    typer.echo(made.said())
    typer.echo("Next: read the protocol and correct its texts, then")
    typer.echo(f"  her2radiomics check --study {name}\n  her2radiomics run --study {name}")


def check(
    name: StudyName = "",
    deep: Annotated[bool, typer.Option("--deep", help="Open every image and mask of patients, too.")] = False,
    cores: Cores = None,
) -> None:
    """Say all that is wrong with settings, tables and files, at once; exit code 1 if anything is.

    \b
    her2radiomics check
    her2radiomics check --study her2_ours --deep
    """
    project = study.Project.find(name).enter()
    plan = project.plan()  # where no run is left, all that is wrong is raised
    wrong = [f"run {run}: {error}" for run, error in plan.refused.items()]
    try:
        plan.check_files()
        wrong += [str(error) for run, error in plan.refused.items() if f"run {run}: {error}" not in wrong]
    except StudyError as error:
        wrong.append(str(error))
    for facts in study.facts(plan, cores or cores_here()):
        typer.echo(facts)
    if deep:
        number, problems, doubtful = engine.open_images(
            plan, cores=cores or cores_here(), steps=progress("opening images")
        )
        typer.echo(f"{number} cases were opened: {len(problems)} problems, {len(doubtful)} warnings.")
        for doubt in doubtful:
            typer.echo(f"  look at: {doubt}")
        wrong += problems
    for problem in wrong:
        typer.echo(f"wrong: {problem}", err=True)
    if wrong:
        typer.echo("Correct what is wrong, then call this again.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Nothing is wrong. Next: her2radiomics run{f' --study {name}' if name else ''}")


def extract(
    manifest: Annotated[
        Path, typer.Argument(help="Table of images and masks: patient_id, sequence, image, mask, reader.")
    ],
    parameters: Annotated[
        str, typer.Option(metavar="P", help="PyRadiomics parameter file, a set in workflow/extraction, or a study.")
    ],
    to: Annotated[Path, typer.Option(metavar="CSV", help="Table of features to write.")],
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="tumour_volume, tumour_slice, ring_3mm_volume, ring_3mm_slice; repeatable."),
    ] = None,
    linked_folder: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder outside the manifest's own into which links may lead; repeatable."),
    ] = None,
    cores: Cores = None,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Features of all images of a manifest, with quality control and pictures; no study needed. Exit code 1 if any failed.

    \b
    her2radiomics extract data/images.tsv --parameters features_1316_3d --to features.csv
    her2radiomics extract data/images.tsv --parameters her2_peritumoral --to features.csv --region ring_3mm_slice
    """
    workflow = study.Project.find().folder / "workflow"
    file, regions = engine.parameters_of(parameters, workflow)
    regions = list(region or regions)
    if to.exists() and not (force or dry_run):
        raise SettingsError(f"{to}: found a file of this name. Give another one, or add --force.")
    if dry_run:
        cases = engine.cases_in(manifest, linked_folder or ())
        typer.echo(f"{cases} cases of {manifest}, {', '.join(regions)}, by {file}, to {to}")
        return
    found = engine.extract_manifest(
        manifest,
        file,
        regions,
        to,
        linked=linked_folder or (),
        cores=cores or cores_here(),
        steps=progress("extracting"),
    )
    typer.echo(f"{found.cases} cases, {found.computed} computed, the others were kept from before; by {file}")
    for path in found.files:
        typer.echo(f"written: {path}")
    for doubt in found.doubtful:
        typer.echo(f"look at: {doubt}")
    for problem in found.failed:
        typer.echo(f"failed: {problem}", err=True)
    if found.failed:
        raise typer.Exit(1)
    typer.echo("Next: look at the pictures, then bring the table as a cohort (docs/own_data.md).")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    new = typer.Typer(help="Begin a study.", no_args_is_help=True, rich_markup_mode=None)
    new.command("study")(new_study)
    app.add_typer(new, name="new", rich_help_panel=STUDY)
    app.command(rich_help_panel=STUDY)(check)
    app.command(rich_help_panel=DATA)(extract)
