"""What the figure and table jobs of the workflow do with the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from her2radiomics.cohort.manifest import BREAST, TUMOUR, ManifestRow
from her2radiomics.core.columns import columns_from
from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import validate
from her2radiomics.core.tables import read
from her2radiomics.manuscript import figures, tables
from her2radiomics.manuscript.figures import ExampleImage, FigureInputs, FigureOptions, StudyText
from her2radiomics.manuscript.tables import Outcome, TableInputs, TableOptions

Rows = Sequence[Mapping[str, str]]


def figure_from(content: Mapping[str, Any]) -> FigureOptions:
    """A figure's settings from a rule's parameter."""
    return figures.KINDS[content["kind"]].model_validate(dict(content))


def table_from(content: Mapping[str, Any]) -> TableOptions:
    """A table's settings from a rule's parameter."""
    return tables.KINDS[content["kind"]].model_validate(dict(content))


def as_paths(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Text to paths, also one level down."""
    return {
        name: {key: Path(path) for key, path in value.items()} if isinstance(value, Mapping) else Path(value)
        for name, value in inputs.items()
    }


def figure_inputs_from(
    inputs: Mapping[str, Any], study: Mapping[str, Any], images: Sequence[ExampleImage]
) -> FigureInputs:
    """A figure's inputs from a rule's parameters."""
    printed = {name: value for name, value in study.items() if name in StudyText.model_fields}
    return FigureInputs(study=validate(StudyText, printed, "study"), images=images, **as_paths(inputs))


def table_inputs_from(
    inputs: Mapping[str, Any],
    study: Mapping[str, Any],
    columns: Mapping[str, Mapping[str, Any]],
    outcome: Mapping[str, Any],
) -> TableInputs:
    """A table's inputs from a rule's parameters."""
    return TableInputs(
        columns=columns_from(columns),
        partitions=study["partitions"],
        models=study["models"],
        sequences=study["sequences"],
        simulated=study["simulated"],
        outcome=Outcome(outcome["positive"], outcome["positive"], outcome["negative"]),
        level=study["level"],
        terms=study["scores"],
        **as_paths(inputs),
    )


def example_images(
    examples: Mapping[str, Mapping[str, Mapping[str, Rows]]], study: Mapping[str, Any], qc: str
) -> list[ExampleImage]:
    """The first candidate of each partition whose every sequence passed quality control, as images to draw.

    Parameters
    ----------
    examples
        Partition → patient → sequence → manifest rows.
    study
        Printed names.
    qc
        The run's quality-control table.

    Raises
    ------
    StudyError
        No candidate of a partition passed.
    """
    if not examples:
        return []

    table = read("qc", qc)
    mine = (table["status"] == "failed") & (table["reader"] == study["reference_reader"])
    failed = set(table.loc[mine, "patient_id"])
    images = []
    for partition, patients in examples.items():
        sound = [patient for patient in patients if patient not in failed]
        if not sound:
            raise StudyError(
                f"no example for the partition '{partition}': {', '.join(patients)} failed quality control. "
                "Correct their images, or take the figure out of the protocol."
            )
        for sequence, rows in patients[sound[0]].items():
            row = study["partitions"][partition]
            example = _example(sound[0], sequence, rows, row, study["regions_by_sequence"][sequence])
            changes: dict[str, Any] = {"resample_mask": sequence in study.get("masks_resampled", [])}
            other = study.get("slice_of", {}).get(sequence)
            if other is not None:
                level = _outlined(patients[sound[0]][other], TUMOUR)[0]
                changes |= {"level_mask": Path(level.mask), "level_label": level.mask_label or None}
                changes["level_image"] = Path(level.image)
            images.append(example.model_copy(update=changes))
    return images


def _example(patient: str, sequence: str, rows: Rows, line: str, regions: Sequence[str]) -> ExampleImage:
    outlined = _outlined(rows, TUMOUR)
    breast = next(iter(_outlined(rows, BREAST)), None)
    return ExampleImage(
        row=line,
        patient_id=patient,
        sequence=sequence,
        image=Path(outlined[0].image),
        masks={row.reader: Path(row.mask) for row in outlined},
        mask_label=outlined[0].mask_label or None,
        breast=Path(breast.mask) if breast else None,
        breast_label=(breast.mask_label or None) if breast else None,
        regions=list(regions),
    )


def _outlined(rows: Rows, region: str) -> list[ManifestRow]:
    """Rows with a mask of the region, the reference reader's first."""
    return [row for row in map(ManifestRow.of, rows) if row.mask and row.region == region]


def made_from(files: Iterable[str]) -> dict[str, str]:
    """Provenance for a figure's files: one hash over the names and contents of its inputs."""
    digest = sha256()
    for file in sorted(map(str, files)):
        digest.update(file.encode() + b"\0" + sha256(Path(file).read_bytes()).digest())
    return {"inputs_sha256": digest.hexdigest()}
