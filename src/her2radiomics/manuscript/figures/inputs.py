"""What figures are drawn from: paths to the run's tables, read when asked for and checked when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.core.tables import read
from her2radiomics.manuscript import style
from her2radiomics.manuscript.palettes import PaletteName
from her2radiomics.manuscript.typefaces import FontName

#: Patients of each outcome below whom no calibration or decision curve, and no band, is drawn.
FEWEST = 10


class FigureInputError(StudyError):
    """A figure was asked for without something that it is drawn from."""


class StudyText(Settings):
    """What figures print about a study; everything that is not in a table of results."""

    title: str = Field(description="The study's title.")
    palette: PaletteName = Field("okabe_ito", description="Colours of figures that name none of their own.")
    font_family: FontName = Field("liberation_sans", description="Typeface of figures that name none of their own.")
    svg_text: style.SvgText = Field("outlines", description="Whether SVGs hold text or its outlines.")
    simulated: bool = Field(description="Whether the patients are simulated: every figure is then marked so.")
    positive: str = Field(description="Name of the positive outcome (label 1), e.g. pCR.")
    negative: str = Field(description="Name of the negative outcome (label 0), e.g. non-pCR.")
    partitions: dict[str, str] = Field(description="Partitions in order, with their printed names.")
    partition_notes: dict[str, str] = Field(
        default_factory=dict, description="What a partition is, e.g. 'centre 1'; printed under its name."
    )
    models: dict[str, str] = Field(default_factory=dict, description="Models in order, with printed names.")
    scores: dict[str, str] = Field(default_factory=dict, description="Printed names of the models' scores.")
    sequences: dict[str, str] = Field(default_factory=dict, description="Sequences in order, with printed names.")
    columns: dict[str, str] = Field(default_factory=dict, description="Printed names of columns and predictors.")
    units: dict[str, str] = Field(default_factory=dict, description="Units of columns, as printed.")
    levels: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Printed names of the levels of a column, the reference first."
    )
    regions: dict[str, str] = Field(default_factory=dict, description="Regions, with their printed names.")
    steps: dict[str, str] = Field(
        default_factory=dict, description="Printed names of the steps of selection.csv, by the step's name."
    )
    reference_reader: str = Field("", description="Reader whose features are drawn.")
    inclusion: list[str] = Field(default_factory=list, description="Inclusion criteria, for the flow of patients.")
    acquisition: list[str] = Field(default_factory=list, description="Lines on the scanners and the cohort.")
    delineation: list[str] = Field(default_factory=list, description="Lines on how regions were outlined.")
    features_by_sequence: dict[str, int] = Field(
        default_factory=dict, description="Number of features extracted from each sequence."
    )
    features_by_class: dict[str, int] = Field(
        default_factory=dict, description="Number of features of one image type in each feature class."
    )
    image_types: list[str] = Field(default_factory=list, description="Image types, as printed.")
    thresholds: list[float] = Field(
        default_factory=list, description="Threshold probabilities that the protocol judges net benefit at."
    )
    evaluation: list[str] = Field(default_factory=list, description="Lines on how the models are judged.")


class ExampleImage(Settings):
    """One image of an example patient, with the masks of its readers."""

    row: str = Field("", description="Printed at the left of the row, e.g. the centre; images with one row share it.")
    patient_id: str = Field(description="The patient.")
    sequence: str = Field(description="The sequence's name in the protocol.")
    image: Path = Field(description="Image file, or a DICOM folder.")
    masks: dict[str, Path] = Field(
        min_length=1,
        description="Mask of the tumour by reader; the regions of the first, the reference reader, are drawn.",
    )
    mask_label: int | str | None = Field(
        None, description="Value or name of the tumour in the mask, if it holds several."
    )
    level_mask: Path | None = Field(
        default=None, description="Mask of another sequence, at the level of whose largest slice this one is drawn."
    )
    level_image: Path | None = Field(default=None, description="Image that this mask was drawn on.")
    level_label: str | None = Field(default=None, description="Value of the region in that mask.")
    breast: Path | None = Field(None, description="Mask of the breast, which limits a ring.")
    breast_label: int | str | None = Field(None, description="Value or name of the breast in its mask.")
    resample_mask: bool = Field(
        default=False, description="Whether masks of another grid are resampled onto the image, as the protocol says."
    )
    regions: list[str] = Field(
        default_factory=lambda: ["tumour_slice"], description="Regions to outline, as protocols name them."
    )


@dataclass(frozen=True)
class FigureInputs:
    """Paths to what a figure may need, by contract; each is read only when it is asked for."""

    study: StudyText
    flow: Path | None = None
    participants: Path | None = None
    performance: Path | None = None
    performance_extra: Path | None = None
    predictions: Mapping[str, Path] = field(default_factory=dict)
    calibration: Mapping[str, Path] = field(default_factory=dict)
    coefficients: Mapping[str, Path] = field(default_factory=dict)
    selection: Mapping[str, Path] = field(default_factory=dict)
    nomogram: Mapping[str, Path] = field(default_factory=dict)
    lasso_path: Mapping[str, Path] = field(default_factory=dict)
    lasso_cv: Mapping[str, Path] = field(default_factory=dict)
    not_predicted: Mapping[str, Path] = field(default_factory=dict)
    held_out: Mapping[str, Path] = field(default_factory=dict)
    kept: Mapping[str, Path] = field(default_factory=dict)
    partition_features: Mapping[str, Path] = field(default_factory=dict)
    images: Sequence[ExampleImage] = ()

    def path(self, name: str, model: str | None = None) -> Path:
        """Path of one input.

        Raises
        ------
        FigureInputError
            It was not given, or there is no such file.
        """
        given = getattr(self, name)
        of = f" of model '{model}'" if model is not None else ""
        found = given.get(model) if model is not None else given
        if found is None:
            raise FigureInputError(
                f"found no '{name}'{of} among the figure's inputs; expected its path. "
                f"Give the figure '{name}'{of} in the rule that draws it."
            )
        if not Path(found).is_file():
            raise FigureInputError(f"{found}: found no such file; expected '{name}'{of}. Run the step that writes it.")
        return Path(found)

    def table(self, name: str, model: str | None = None) -> pd.DataFrame:
        """Read one table (:func:`her2radiomics.core.tables.read`).

        Raises
        ------
        FigureInputError
            It was not given, or there is no such file.
        TableError
            A column is missing.
        """
        return read(name, self.path(name, model))

    def predictions_of(self, model: str, partition: str) -> pd.DataFrame:
        """One model's predictions in one partition: labels 0 or 1, probabilities from 0 to 1.

        Raises
        ------
        TableError
            No patient of that partition, another label, or a probability outside [0, 1] or missing.
        """
        table = self.table("predictions", model)
        rows = table[table["partition"] == partition].reset_index(drop=True)
        path = self.path("predictions", model)
        if rows.empty:
            raise TableError(
                file=path,
                column="partition",
                found=f"the partitions {', '.join(sorted(set(table['partition']))) or 'of no patient'}",
                expected=f"patients of '{partition}'",
                remedy="Correct the figure's partition, or let the model predict it.",
            )
        self._refuse(rows, ~rows["label"].isin([0, 1]), path, "label", "0 or 1")
        self._refuse(rows, ~rows["probability"].between(0, 1), path, "probability", "a number from 0 to 1")
        return rows

    @staticmethod
    def _refuse(rows: pd.DataFrame, wrong: pd.Series, path: Path, column: str, expected: str) -> None:
        if wrong.any():
            first = rows[wrong].iloc[0]
            raise TableError(
                file=path,
                patient=str(first["patient_id"]),
                column=column,
                found=f"'{first[column]}'",
                expected=expected,
                remedy="Run the model's prediction again.",
            )

    def shared_predictions(self, models: Sequence[str], partition: str) -> dict[str, pd.DataFrame]:
        """Predictions of several models in one partition, of the patients whom all of them predict, in one order.

        Raises
        ------
        TableError
            As :meth:`predictions_of`; or no patient is predicted by all.
        """
        found = {name: self.predictions_of(name, partition).set_index("patient_id", drop=False) for name in models}
        shared = [
            patient
            for patient in next(iter(found.values())).index
            if all(patient in rows.index for rows in found.values())
        ]
        if not shared:
            raise TableError(
                file=self.path("predictions", models[0]),
                column="patient_id",
                found=f"no patient of '{partition}' whom all of {', '.join(models)} predict",
                expected="some, on whom they can be compared",
                remedy="Draw fewer models in the figure.",
            )
        return {name: rows.loc[shared].reset_index(drop=True) for name, rows in found.items()}

    def extra_of(self, model: str, partition: str) -> pd.DataFrame:
        """Rows of ``performance_extra.csv`` of one model in one partition, by measure."""
        table = self.table("performance_extra")
        return table[(table["model"] == model) & (table["partition"] == partition)].set_index("measure")

    def performance_of(self, model: str, partition: str) -> pd.Series:
        """The row of ``performance.csv`` of one model in one partition.

        Raises
        ------
        TableError
            There is not exactly one such row.
        """
        table = self.table("performance")
        rows = table[(table["model"] == model) & (table["partition"] == partition)]
        if len(rows) != 1:
            raise TableError(
                file=self.path("performance"),
                found=f"{len(rows)} rows of model '{model}' in partition '{partition}'",
                expected="one",
                remedy="Evaluate the model in that partition.",
            )
        return rows.iloc[0]

    def partition_heading(self, partition: str, n: int, events: int) -> str:
        """Name, size and events of a partition, as the heading of a panel."""
        name = self.study.partitions.get(partition, partition)
        return f"{name}, {style.keep(f'n = {n}')} {style.keep(f'({events} {self.study.positive})')}"
