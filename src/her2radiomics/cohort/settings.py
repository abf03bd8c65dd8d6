"""What a cohort file (``workflow/cohorts/*.yaml``) may say: how a data set's files and columns map to ours."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from her2radiomics.cohort.intake import is_inside
from her2radiomics.cohort.limits import Size
from her2radiomics.cohort.manifest import described
from her2radiomics.cohort.readers import Readers
from her2radiomics.core.brought.options import ReadingOptions
from her2radiomics.core.columns import Stage
from her2radiomics.core.settings import Settings


def _inside(path: str) -> str:
    """Refuse a path that leaves the cohort's folder by its spelling."""
    if not is_inside(path):
        raise ValueError(
            f"found '{path}'; expected a path below the cohort's folder, relative to it, without '..'. "
            "Name a folder above all files in config.yaml's data section"
        )
    return path


def _pattern(path: str) -> str:
    """Refuse a pattern that leaves the cohort's folder, or whose placeholders are not {patient} and {sequence}."""
    odd = sorted(set(re.findall(r"\{[^{}]*\}?|\}", path)) - {"{patient}", "{sequence}"})
    if odd:
        raise ValueError(f"found '{path}' with '{odd[0]}'; expected no placeholder but {{patient}} and {{sequence}}")
    return _inside(path)


class TableSource(ReadingOptions):
    """A table on disk, joined to the others on the patient identifier.

    Encoding, separator, decimal sign, sheet and heading row are found by themselves; where a file can be read in two ways
    the run stops and names the key that decides.
    """

    file: str = Field(
        description="CSV, TSV, XLSX, ODS or Parquet file, also compressed (gz), relative to the cohort's folder."
    )
    id: str = Field("patient_id", description="Column that holds the patient identifier.")
    optional: bool = Field(False, description="Patients who are absent from this table are kept, with empty cells.")
    append: bool = Field(
        False, description="The table holds further patients, of another hospital, and no further columns of the same."
    )
    constants: dict[str, str] = Field(
        default_factory=dict, description="Columns with one value for all patients of this table: centre."
    )
    prefer: list[str] = Field(
        default_factory=list,
        description="Columns (shell wildcards allowed) in which this table counts where it disagrees with an earlier one.",
    )

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        return _inside(value)


class ColumnSource(Settings):
    """Where one column of ours comes from."""

    source: str | None = Field(None, description="The column in their table; the same name as ours by default.")
    value: str | None = Field(None, description="A constant for every patient, instead of a column.")
    recode: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "Their value to ours; others stay as they are. A key that a cell holds as it is written means that text; in "
            "others * and ? are wildcards, of which the first that fits counts. A wildcard never matches an empty cell, NA "
            "and the like, or a spreadsheet's error."
        ),
    )


class Rule(Settings):
    """Patients whose column holds one of some values are left out, with a reason."""

    column: str = Field(description="Column of their tables.")
    keep: list[str] = Field(description="Values that stay; every other one, also an empty cell, is left out.")
    reason: str = Field(description="Printed in the recruitment flow and in participants.tsv.")


class ImagePattern(Settings):
    """Where the images and masks of a data set are, by name.

    In a pattern ``{patient}`` is the identifier, matched without regard to upper and lower case, and
    ``{sequence}`` for the text that ``sequences`` turns into a sequence's name.
    """

    image: str = Field(description="Path of an image, relative to the cohort's folder, with {patient} and {sequence}.")
    masks: dict[str, str] = Field(
        description="Reader to path of the mask, with {patient} and, where each sequence has its own, {sequence}."
    )
    sequences: dict[str, str] = Field(
        description="The text in the file name to the name of the sequence, for example '0001' to DCE1."
    )
    seconds: dict[str, float] = Field(
        default_factory=dict,
        description="Sequence's name to the seconds from the injection to the middle of the phase; 0 or less before it.",
    )
    b_values: dict[str, float] = Field(default_factory=dict, description="Sequence's name to its b-value in s/mm².")
    region: str = Field("tumour", description="What the mask outlines.")
    mask_label: int | str | None = Field(
        None, description="Value, name or number of the region in the mask where it holds several."
    )
    region_mask: str | None = Field(None, description="Path of a breast mask, with {patient}, used to clip rings.")

    @model_validator(mode="after")
    def _of_sequences(self) -> ImagePattern:
        odd = sorted((set(self.seconds) | set(self.b_values)) - set(self.sequences.values()))
        if odd:
            raise ValueError(f"seconds, b_values: '{odd[0]}' is no sequence; {', '.join(self.sequences.values())} are")
        return self

    @field_validator("image", "region_mask")
    @classmethod
    def _stays_inside(cls, value: str | None) -> str | None:
        return None if value is None else _pattern(value)

    @field_validator("masks")
    @classmethod
    def _stay_inside(cls, value: dict[str, str]) -> dict[str, str]:
        return {reader: _pattern(path) for reader, path in value.items()}


class FeatureSource(Settings):
    """A feature table that the user brings instead of images."""

    table: TableSource = Field(description="The table, one row per patient (and reader).")
    further: list[TableSource] = Field(
        default_factory=list,
        description="Further tables: with append: true of other patients and the same features, else of the same patients "
        "and other features.",
    )
    drop: list[str] = Field(default_factory=list, description="Columns (shell wildcards allowed) that are no features.")
    vouched: list[str] = Field(
        default_factory=list,
        description="Columns (shell wildcards allowed) that are features, though they look like none, separate the "
        "outcome or equal a participants column.",
    )
    reader: str | None = Field(
        None, description="Column that holds the reader; without it every row is the reference reader's."
    )
    available_at: dict[str, Stage] = Field(
        default_factory=dict,
        description="Feature name (shell wildcards allowed) to the stage at which it is known; the first match counts.",
    )


class Cohort(Settings):
    """A data set: real patients on disk, or the simulated cohort that each protocol describes."""

    title: str = Field(description="Name as the report prints it.")
    kind: Literal["simulated", "tables", "images", "features"] = Field(
        description=(
            "simulated: made by the generator; tables: participants.tsv and images.tsv in our own form; "
            "images: files found by name; features: a feature table brought by the user"
        )
    )
    extends: str | None = Field(None, description="Another cohort file that this one is laid over.")
    description: str = Field("", description="What the data are, in a sentence or two.")
    citation: str = Field("", description="How the data set wants to be cited.")
    licence: str = Field("", description="Licence of the data.")
    root: str | None = Field(None, description="Folder of the data; config.yaml's data section says it per machine.")
    identifiers: Literal["checked", "pseudonyms", "numbered"] = Field(
        "checked",
        description=(
            "How patients are named in all results. checked: by their identifier, and the run is refused "
            "where one looks like identity (a date, seven digits in a row, a name); pseudonyms: by their identifier, "
            "which the user vouches for; numbered: P001, P002, … in the order of the identifiers, with the key in "
            "results/cohorts/<cohort>/key.tsv alone and without any file's name"
        ),
    )
    linked_folders: list[str] = Field(
        default_factory=list,
        description=(
            "Folders outside the data's own into which its symbolic links may lead, such as an image archive; links "
            "that lead elsewhere are refused. Environment variables are expanded."
        ),
    )
    participants: list[TableSource] = Field(default_factory=list, description="Clinical tables, joined on the patient.")
    manifest: TableSource | None = Field(None, description="The manifest (kind tables); images.tsv by default.")
    columns: dict[str, ColumnSource] = Field(default_factory=dict, description="Our column to where it comes from.")
    keep: list[Rule] = Field(default_factory=list, description="Who is included, in the order of the flow.")
    images: list[ImagePattern] = Field(default_factory=list, description="Where the images are (kind images).")
    features: FeatureSource | None = Field(
        None, description="The feature table (kind features); a purely clinical study needs none."
    )
    readers: Readers = Field(default_factory=Readers, description="Whose outlines serve for what.")
    protocol: dict[str, Any] = Field(
        default_factory=dict,
        description="Laid over every protocol run on this cohort: what the data set lacks or names otherwise.",
    )
    at_size: dict[Size, dict[str, Any]] = Field(
        default_factory=dict,
        description="Laid over that at one size of a simulated cohort: how many resamples a demo takes, for example.",
    )
    replaces: list[str] = Field(
        default_factory=list,
        description="Sections of the protocol that the cohort's own replace whole, not merge into.",
    )
    departures: list[str] = Field(
        default_factory=list,
        description="What a run on this cohort does otherwise than the paper, in words; printed in the report.",
    )

    @model_validator(mode="after")
    def _sources_fit_kind(self) -> Cohort:
        if self.kind == "images" and not self.images:
            raise ValueError("kind 'images' needs an 'images' list of file patterns")
        if self.kind != "simulated" and self.at_size:
            raise ValueError("only a simulated cohort has an 'at_size' section")
        if self.kind == "features" and not self.participants:
            raise ValueError("kind 'features' needs a 'participants' list of clinical tables")
        if self.participants and self.participants[0].append:
            raise ValueError("the first of the 'participants' tables cannot be appended; append the second to it")
        return self


class ParticipantRow(Settings):
    """One row of the participants table (``participants.tsv``); the protocol's label and columns come after these."""

    patient_id: str = described("registered", "patient_id")
    centre: str = described("registered", "centre")
    partition: str = described("registered", "partition", "")
    mri_date: str = described("registered", "mri_date", "")
    person: str = described("registered", "person", "")
    exclude_reason: str = described("registered", "exclude_reason", "")
