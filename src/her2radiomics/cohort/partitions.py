"""Partitions: which patients train and which test, decided before anything looks at a feature."""

from __future__ import annotations

from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, model_validator

from her2radiomics.core.contracts import PARTITIONS, TRAINING
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import sklearn
from her2radiomics.core.settings import Settings

REST = "*"


class CentrePartition(Settings):
    """Whole centres train, whole centres test (geographic)."""

    kind: Literal["centre"] = Field("centre", description="Whole centres train and test.")
    training: list[str] = Field(min_length=1, description="Centres that train; '*' stands for all others.")
    testing: list[str] = Field(
        default_factory=list, description="Centres that test; '*' stands for all others."
    )
    external: list[str] = Field(
        default_factory=list, description="Centres held out as a second, external test."
    )

    @model_validator(mode="after")
    def _each_once(self) -> CentrePartition:
        named = [*self.training, *self.testing, *self.external]
        twice = {centre for centre in named if named.count(centre) > 1}
        if twice:
            raise ValueError(f"centre {', '.join(sorted(twice))} is named in more than one partition")
        return self


class RandomPartition(Settings):
    """A seeded random share trains; held-out centres or later examinations are external."""

    kind: Literal["random"] = Field("random", description="A seeded random share trains.")
    training: int | float = Field(gt=0, description="Patients who train: a count, or a share below 1.")
    stratified: bool = Field(True, description="Keep the share of positive patients equal.")
    external_centres: list[str] = Field(
        default_factory=list, description="Centres held out as external test."
    )
    external_from: str | None = Field(
        None,
        description="ISO date: patients examined (mri_date) from then on are the external, temporal test.",
    )


class GivenPartition(Settings):
    """The participants table has a ``partition`` column that the user fixed."""

    kind: Literal["given"] = Field("given", description="The participants table's partition column decides.")


Partitioning = Annotated[CentrePartition | RandomPartition | GivenPartition, Field(discriminator="kind")]

DESCRIPTIONS = {
    "centre": "geographic (whole centres are held out)",
    "random": "random",
    "given": "fixed by the participants table",
}


def assign(
    participants: pd.DataFrame, labels: pd.Series, settings: Partitioning, *, seed: int, file: str
) -> pd.Series:
    """Assign every patient to a partition.

    Parameters
    ----------
    participants
        Included patients: ``patient_id``, ``centre`` and, where the settings ask for them, ``mri_date`` or ``partition``.
    labels
        0 or 1, indexed by patient identifier.
    settings
        One of the partitionings above.
    seed
        Seed of the random split.
    file
        The participants table, named in errors.

    Returns
    -------
    pandas.Series
        ``training``, ``testing`` or ``external``, indexed by patient identifier.

    Raises
    ------
    SettingsError
        A centre that no patient belongs to, or more training patients than there are.
    TableError
        A missing column, an unknown partition, a missing or odd date, or a partition with one class only.
    """
    indexed = participants.set_index("patient_id")
    if isinstance(settings, CentrePartition):
        partition = _by_centre(indexed, settings)
    elif isinstance(settings, RandomPartition):
        partition = _at_random(indexed, labels, settings, seed, file)
    else:
        partition = _as_given(indexed, file)
    _refuse_one_class(partition, labels, file)
    return partition


def _by_centre(indexed: pd.DataFrame, settings: CentrePartition) -> pd.Series:
    partition = pd.Series("", index=indexed.index, dtype=object)
    _known_centres(indexed, [*settings.training, *settings.testing, *settings.external])
    for name in PARTITIONS:
        partition[indexed["centre"].isin(getattr(settings, name))] = name
    for name in PARTITIONS:
        if REST in getattr(settings, name):
            partition[partition == ""] = name
    left = sorted(indexed.loc[partition == "", "centre"].unique())
    if left:
        raise SettingsError(
            f"partitions: centre {', '.join(left)} is in no partition. "
            "Name it under training, testing or external, or write '*' for all others."
        )
    return partition


def _known_centres(indexed: pd.DataFrame, named: list[str]) -> None:
    centres = sorted(indexed["centre"].unique())
    unknown = [centre for centre in named if centre != REST and centre not in centres]
    if unknown:
        raise SettingsError(
            f"partitions: no patient belongs to centre '{unknown[0]}'; the cohort's centres are {', '.join(centres)}."
        )


def _at_random(
    indexed: pd.DataFrame, labels: pd.Series, settings: RandomPartition, seed: int, file: str
) -> pd.Series:

    partition = pd.Series("testing", index=indexed.index, dtype=object)
    _known_centres(indexed, settings.external_centres)
    partition[indexed["centre"].isin(settings.external_centres)] = "external"
    if settings.external_from is not None:
        partition[_dates(indexed, file) >= pd.Timestamp(settings.external_from)] = "external"
    # sorted, so that the order of the table does not change who trains
    rest = partition.index[partition != "external"].sort_values()
    size = settings.training if settings.training < 1 else int(settings.training)
    if size >= len(rest):
        raise SettingsError(
            f"partitions: {size} patients are to train, but there are {len(rest)}, some of whom must test."
        )
    training, _ = sklearn.model_selection.train_test_split(
        rest, train_size=size, random_state=seed, stratify=labels.loc[rest] if settings.stratified else None
    )
    partition[training] = "training"
    return partition


def _dates(indexed: pd.DataFrame, file: str) -> pd.Series:
    if "mri_date" not in indexed:
        raise TableError(
            file=file,
            column="mri_date",
            found="no such column",
            expected="the date of the examination, since later patients are the external test",
            remedy="Add it, or choose another partitioning.",
        )
    dates = pd.to_datetime(indexed["mri_date"], format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        patient = str(dates.index[dates.isna()][0])
        raise TableError(
            file=file,
            patient=patient,
            column="mri_date",
            found=f"'{indexed.loc[patient, 'mri_date']}'",
            expected="a date as YYYY-MM-DD",
            remedy="Correct the cell.",
        )
    return dates


def _as_given(indexed: pd.DataFrame, file: str) -> pd.Series:
    if "partition" not in indexed:
        raise TableError(
            file=file,
            column="partition",
            found="no such column",
            expected=f"{', '.join(PARTITIONS[:-1])} or {PARTITIONS[-1]} for every patient",
            remedy="Add it, or choose another partitioning.",
        )
    wrong = indexed.index[~indexed["partition"].isin(PARTITIONS)]
    if len(wrong):
        raise TableError(
            file=file,
            patient=str(wrong[0]),
            column="partition",
            found=f"'{indexed.loc[wrong[0], 'partition']}'",
            expected=f"{', '.join(PARTITIONS[:-1])} or {PARTITIONS[-1]}",
            remedy="Correct the cell.",
        )
    return indexed["partition"].astype(object)


def _refuse_one_class(partition: pd.Series, labels: pd.Series, file: str) -> None:
    for name in PARTITIONS:
        members = partition.index[partition == name]
        if name == TRAINING and len(members) == 0:
            raise TableError(
                file=file,
                column="partition",
                found="no training patient",
                expected="patients of both classes",
                remedy="Change the protocol's partitions.",
            )
        if len(members) and labels.loc[members].nunique() < 2:
            raise TableError(
                file=file,
                column="label",
                found=f"one class only in the partition '{name}' ({len(members)} patients)",
                expected="patients of both classes in every partition",
                remedy="Change the protocol's partitions, or add patients.",
            )
