"""``her2radiomics import``: DICOM, masks, boxes, tables and public collections into a data set of our form."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from her2radiomics import importing, study
from her2radiomics.cli import app as command
from her2radiomics.core.errors import SettingsError

if TYPE_CHECKING:
    from her2radiomics.importing.names import Identifiers
    from her2radiomics.importing.outcome import Outcome, Target

To = Annotated[Path, typer.Option("--to", help="The data's folder: where images, masks and tables are written.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there with another content.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Write nothing; say what would be written.")]
DATA = Path("data")
#: Public collections by the command's name.
COLLECTIONS = {"mama-mia": "MAMA-MIA", "duke": "Duke-Breast-Cancer-MRI", "ispy1": "I-SPY 1", "ispy2": "I-SPY 2"}


def register(app: typer.Typer) -> None:
    """Add ``import`` with its commands."""
    group = typer.Typer(
        name="import", help="Images, masks and tables of yours, or of a public collection.", no_args_is_help=True
    )
    group.command("dicom")(dicom)
    group.command("masks")(import_masks)
    group.command("boxes")(import_boxes)
    group.command("table")(import_table)
    for name, title in COLLECTIONS.items():
        about = f"{title} as it is on disk: images, masks, participants and a cohort file."
        example = f"\b\nher2radiomics import {name} {title.replace(' ', '')}/ --to data/"
        group.command(name, help=f"{about}\n\n{example}")(_collection(name))
    app.add_typer(group, rich_help_panel=command.DATA)


def _target(folder: Path, force: bool, dry_run: bool) -> Target:
    """The data's folder; cohort files go to the project's, where there is a project."""
    project = None
    with contextlib.suppress(SettingsError):  # none: they go to the data's folder
        project = Path(os.path.relpath(study.Project.find().folder))
    return importing.outcome.Target(folder, force, dry_run, project)


def tell(outcome: Outcome) -> None:
    """Print what was done, what was refused and what to do next."""
    for line in outcome.said:
        print(line)
    for line in outcome.refused:
        print(f"refused: {line}", file=sys.stderr)
    if outcome.refused:
        print(f"{len(outcome.refused)} refused; the others went on", file=sys.stderr)
    if outcome.next:
        print(f"Next: {outcome.next}")


def dicom(
    folder: Annotated[Path | None, typer.Argument(help="Folder with DICOM files, of any nesting.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="The data's folder; with --apply that of the table.")] = None,
    apply_table: Annotated[
        Path | None,
        typer.Option("--apply", metavar="SERIES.XLSX", help="Second step: write the images that the table chooses."),
    ] = None,
    rules: Annotated[
        str,
        typer.Option(
            help="Rules that propose sequences: own, duke, ispy, mama-mia or a YAML file; by default by patient."
        ),
    ] = "",
    identifiers: Annotated[
        str, typer.Option(help="checked: number patients whose identifier looks like a person's; pseudonyms; numbered.")
    ] = "checked",
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """DICOM in two steps: a table of series to complete, then images.

    \b
    her2radiomics import dicom RAW/ --to data/
    her2radiomics import dicom --apply data/series.xlsx
    """
    if apply_table is not None:
        tell(importing.apply.apply_series(apply_table, _target(to or apply_table.parent, force, dry_run)))
        return
    if folder is None:
        raise SettingsError(
            "found neither a folder nor --apply; expected one: 'her2radiomics import dicom RAW/ --to data/', then "
            "'her2radiomics import dicom --apply data/series.xlsx'."
        )
    tell(
        importing.scan.import_dicom(
            folder, _target(to or DATA, force, dry_run), rules=rules, identifiers=_mode(identifiers)
        )
    )


def _mode(text: str) -> Identifiers:
    if text not in ("checked", "pseudonyms", "numbered"):
        raise SettingsError(f"--identifiers {text}: expected checked, pseudonyms or numbered.")
    return text  # type: ignore[return-value]


def import_masks(
    folder: Annotated[Path, typer.Argument(help="Folder with masks, of any nesting, or one file.")],
    segment: Annotated[
        str, typer.Option(help="Name, number or value of the structure, where files hold several.")
    ] = "",
    reader: Annotated[str, typer.Option(help="Who outlined.")] = "1",
    region: Annotated[
        str, typer.Option(help="What is outlined: tumour, or breast for a breast mask that limits rings.")
    ] = "tumour",
    sequence: Annotated[
        list[str] | None, typer.Option(help="Sequence that gets the mask; may be repeated; by default all it fits.")
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="Path of a mask below the folder, with {patient} and perhaps {sequence}.")
    ] = "",
    functional: Annotated[
        bool, typer.Option("--functional", help="UCSF's functional tumour volume from the SER maps of I-SPY and NACT.")
    ] = False,
    resample: Annotated[bool, typer.Option("--resample", help="Resample masks that lie on another grid.")] = False,
    to: To = DATA,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Masks: DICOM SEG and RTSTRUCT, 3D Slicer (.seg.nrrd), and NIfTI, NRRD or MetaImage files by name.

    \b
    her2radiomics import masks RAW/ --segment Tumour --to data/
    her2radiomics import masks second_reading/ --reader 2 --pattern "{patient}_{sequence}.nii.gz" --to data/
    """
    if functional:
        tell(importing.tumour_volume.import_tumour_volume(folder, _target(to, force, dry_run), reader=reader))
        return
    wanted = importing.masks.Wanted(segment, reader, region, tuple(sequence or ()), pattern, resample)
    tell(importing.masks.import_masks(folder, _target(to, force, dry_run), wanted))


def import_boxes(
    table: Annotated[Path, typer.Argument(help="Annotation_Boxes.xlsx, or a table with its headings.")],
    identifier: Annotated[str, typer.Option("--id", help="Heading of the patients.")] = "Patient ID",
    reader: Annotated[str, typer.Option(help="Who drew the boxes.")] = "1",
    base: Annotated[int, typer.Option(min=0, max=1, help="Number of the first row, column and slice.")] = 1,
    first_slice: Annotated[
        str,
        typer.Option(
            help="Where slices are counted from (superior, inferior, ...), for images that are not from DICOM."
        ),
    ] = "",
    clip: Annotated[bool, typer.Option("--clip", help="Cut boxes to the image instead of refusing them.")] = False,
    to: To = DATA,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Boxes around tumours to masks; the slice order is found from the image's positions and shown.

    \b
    her2radiomics import boxes Annotation_Boxes.xlsx --to data/
    """
    counting = importing.boxes.Counting(base, first_slice, clip)
    tell(
        importing.boxes.import_boxes(
            table, _target(to, force, dry_run), identifier=identifier, reader=reader, counting=counting
        )
    )


def import_table(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, ODS or Parquet file, one row per patient.")],
    identifier: Annotated[str, typer.Option("--id", help="Heading of the patients.")],
    sheet: Annotated[str, typer.Option(help="Sheet of a workbook, where several hold the heading.")] = "",
    header: Annotated[
        str, typer.Option(help="Rows of the headings, as a spreadsheet numbers them: 2,3 joins two.")
    ] = "",
    decimal: Annotated[
        str, typer.Option(help="Decimal sign, where numbers such as 1,234 could be read in two ways.")
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the cohort; by default that of the data's folder.")] = "",
    identifiers: Annotated[str, typer.Option(help="checked, pseudonyms or numbered, as for import dicom.")] = "checked",
    to: To = DATA,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """A clinical table: a page on every column, participants.tsv, and a cohort file with what is unsure as comments.

    \b
    her2radiomics import table clin.xlsx --id "Patient ID" --to data/
    her2radiomics import table Clinical_and_Other_Features.xlsx --id "Patient ID" --sheet Data --header 2,3 --to data/
    """
    rows = [int(row) for row in header.split(",") if row.strip().isdigit()]
    given = {
        "file": file.name,
        "id": identifier,
        "sheet": sheet or None,
        "decimal": decimal or None,
        "header": rows or None,
    }
    source = importing.table.source_of(given)
    tell(
        importing.table.import_table(
            file, _target(to, force, dry_run), source, name=name, identifiers=_mode(identifiers)
        )
    )


def _collection(name: str) -> Callable[..., None]:
    """The command of one public collection."""

    def import_collection(
        folder: Annotated[Path, typer.Argument(help="The collection as it was downloaded.")],
        cohort: Annotated[
            str, typer.Option("--name", help="Name of the cohort file; the collection's by default.")
        ] = "",
        to: Annotated[
            Path | None, typer.Option("--to", help="The data's folder; for NIfTI the collection's by default.")
        ] = None,
        force: Force = False,
        dry_run: DryRun = False,
    ) -> None:
        default = folder if importing.collections.read_collection(name).images else DATA
        tell(
            importing.collections.import_collection(name, folder, _target(to or default, force, dry_run), cohort=cohort)
        )

    return import_collection
