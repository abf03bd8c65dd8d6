"""Partitions: which patients train and which test, decided before anything looks at a feature."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.brought.origins import Origins
from her2radiomics.core.contracts import PARTITIONS, TRAINING
from her2radiomics.core.errors import Problems, SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings

REST = "*"
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?", re.ASCII)


class CentrePartition(Settings):
    """Whole centres train, whole centres test (geographic)."""

    kind: Literal["centre"] = Field("centre", description="Whole centres train and test.")
    training: list[str] = Field(min_length=1, description="Centres that train; '*' means all others.")
    testing: list[str] = Field(default_factory=list, description="Centres that test; '*' means all others.")
    external: list[str] = Field(default_factory=list, description="Centres held out as a second, external test.")

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
    external_centres: list[str] = Field(default_factory=list, description="Centres held out as external test.")
    external_from: str | None = Field(
        None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
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


def named_centres(settings: Partitioning) -> list[str]:
    """Centres that the protocol names: two that differ in spelling alone are then two on purpose."""
    if isinstance(settings, CentrePartition):
        return [*settings.training, *settings.testing, *settings.external]
    return list(settings.external_centres) if isinstance(settings, RandomPartition) else []


def assign(
    participants: pd.DataFrame, labels: pd.Series, settings: Partitioning, *, seed: int, file: str | Origins
) -> pd.Series:
    """Assign every patient to a partition.

    Parameters
    ----------
    participants
        Included patients: ``patient_id``, ``centre`` and, where the settings ask for them, ``mri_date`` or ``partition``.
        Those who share a ``person`` share a partition.
    labels
        0 or 1, indexed by patient identifier.
    settings
        One of the partitionings above.
    seed
        Seed of the random split.
    file
        The participants table, or where its cells stood in the user's files; named in errors.

    Returns
    -------
    pandas.Series
        ``training``, ``testing`` or ``external``, indexed by patient identifier.

    Raises
    ------
    SettingsError
        A centre that no patient belongs to, or more training patients than there are.
    TableError
        A missing column, an unknown partition, a missing or odd date, a person in two partitions, or a partition with one
        class only.
    """
    indexed, origins = participants.set_index("patient_id"), Origins.of(file)
    if isinstance(settings, CentrePartition):
        partition = _by_centre(indexed, settings)
    elif isinstance(settings, RandomPartition):
        partition = _at_random(indexed, labels, settings, seed, origins)
    else:
        partition = _as_given(indexed, origins)
    _refuse_torn(partition, persons(indexed), origins)
    _refuse_one_class(partition, labels, origins)
    return partition


def persons(indexed: pd.DataFrame) -> pd.Series:
    """Who each patient is, indexed by patient: the ``person`` of the table, or the patient's own identifier."""
    own = pd.Series(indexed.index.astype(str), index=indexed.index)
    if "person" not in indexed:
        return own
    return indexed["person"].astype(str).where(indexed["person"] != "", own)


def _refuse_torn(partition: pd.Series, person: pd.Series, origins: Origins) -> None:
    """Refuse a person who would train and test."""
    problems = Problems()
    for name, places in partition.groupby(person.loc[partition.index]):
        if places.nunique() > 1:
            where = ", ".join(f"{patient} in {place}" for patient, place in places.items())
            problems.append(
                origins.problem(
                    patient=str(places.index[0]),
                    column="person",
                    found=f"the person '{name}' in several partitions ({where})",
                    expected="one partition for all rows of a person",
                    remedy="Change the partitions, or exclude rows.",
                )
            )
    problems.refuse()


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
            f"partitions: centre {', '.join(left)} belongs to no set of patients. "
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
    indexed: pd.DataFrame, labels: pd.Series, settings: RandomPartition, seed: int, origins: Origins
) -> pd.Series:
    partition = pd.Series("testing", index=indexed.index, dtype=object)
    _known_centres(indexed, settings.external_centres)
    partition[indexed["centre"].isin(settings.external_centres)] = "external"
    if settings.external_from is not None:
        partition[_dates(indexed, origins) >= pd.Timestamp(settings.external_from)] = "external"
    # sorted, so that the order of the table does not change who trains
    rest = partition.index[partition != "external"].sort_values()
    person = persons(indexed).loc[rest]
    # a person of several rows is drawn as one, positive where one row is
    outcome = labels.loc[rest].groupby(person).max()
    size = settings.training if settings.training < 1 else int(settings.training)
    if size >= len(outcome):
        raise SettingsError(
            f"partitions: {size} patients were asked for training, but there are {len(outcome)} in all; some "
            "must be left for testing. Lower 'training'."
        )
    training = outcome.index[_drawn(outcome.to_numpy() if settings.stratified else None, len(outcome), size, seed)]
    partition[rest[person.isin(training)]] = "training"
    return partition


def _drawn(outcome: np.ndarray | None, n: int, size: float, seed: int) -> np.ndarray:
    """Places of those who train: the draw of scikit-learn's ``train_test_split``, which planning does without importing it.

    A test compares the two.

    Parameters
    ----------
    outcome
        0 or 1 of each of the ``n``, of which both parts keep the shares; ``None``: drawn from all.
    n, size
        How many there are, and how many of them train (a count, or a share below 1).
    seed
        Seed of NumPy's ``RandomState``.
    """
    pool = np.random.RandomState(seed)
    wanted = int(np.floor(size * n)) if size < 1 else int(size)
    if outcome is None:
        return pool.permutation(n)[n - wanted :]
    _, of_class, counts = np.unique(outcome, return_inverse=True, return_counts=True)
    training = _shared_out(counts, wanted, pool)
    _shared_out(counts - training, n - wanted, pool)  # of the others, whose ties take numbers from the same pool
    drawn = [np.flatnonzero(of_class == i)[pool.permutation(count)][: training[i]] for i, count in enumerate(counts)]
    return np.concatenate(drawn)


def _shared_out(counts: np.ndarray, wanted: int, pool: np.random.RandomState) -> np.ndarray:
    """How many of each class are drawn: the mode of the multivariate hypergeometric distribution, ties at random."""
    expected = counts / counts.sum() * wanted
    shares = np.floor(expected)
    left, fractions = int(wanted - shares.sum()), expected - shares
    for fraction in np.sort(np.unique(fractions))[::-1] if left else ():
        tied = np.flatnonzero(fractions == fraction)
        more = min(len(tied), left)
        shares[pool.choice(tied, size=more, replace=False)] += 1
        left -= more
        if not left:
            break
    return shares.astype(int)


def _dates(indexed: pd.DataFrame, origins: Origins) -> pd.Series:
    if "mri_date" not in indexed:
        raise origins.problem(
            column="mri_date",
            found="no such column",
            expected="the date of the examination, since later patients are the external test",
            remedy="Add it, or choose another partitioning.",
        )
    texts, problems = indexed["mri_date"], Problems()
    dates = pd.Series([_date(text) for text in texts], index=texts.index, dtype="datetime64[ns]")
    for patient in texts.index[dates.isna()]:
        serial = texts[patient].isdigit() and 20_000 < int(texts[patient]) < 80_000
        problems.append(
            origins.problem(
                patient=str(patient),
                column="mri_date",
                found=f"'{texts[patient]}'",
                expected="a date as YYYY-MM-DD",
                remedy="It is the number that a spreadsheet keeps for a date: format the cells as dates."
                if serial
                else "Correct the cell; a date as text is year, month and day.",
            )
        )
    problems.refuse()
    return dates


def _date(text: str) -> pd.Timestamp | None:
    """The day of an ISO date, with or without a time; ``None`` for anything else."""
    if not ISO_DATE.fullmatch(text):
        return None
    found = pd.to_datetime(text[:10], format="%Y-%m-%d", errors="coerce")
    return None if pd.isna(found) else found


def _as_given(indexed: pd.DataFrame, origins: Origins) -> pd.Series:
    if "partition" not in indexed:
        raise origins.problem(
            column="partition",
            found="no such column",
            expected=f"{', '.join(PARTITIONS[:-1])} or {PARTITIONS[-1]} for every patient",
            remedy="Add it, or choose another partitioning.",
        )
    problems = Problems()
    for patient in indexed.index[~indexed["partition"].isin(PARTITIONS)]:
        problems.append(
            origins.problem(
                patient=str(patient),
                column="partition",
                found=f"'{indexed.loc[patient, 'partition']}'",
                expected=f"{', '.join(PARTITIONS[:-1])} or {PARTITIONS[-1]}",
                remedy="Correct the cell.",
            )
        )
    problems.refuse()
    return indexed["partition"].astype(object)


def _refuse_one_class(partition: pd.Series, labels: pd.Series, origins: Origins) -> None:
    for name in PARTITIONS:
        members = partition.index[partition == name]
        if name == TRAINING and len(members) == 0:
            raise origins.problem(
                column="partition",
                found="no training patient",
                expected="patients of both classes",
                remedy="Change the protocol's partitions.",
            )
        if len(members) and labels.loc[members].nunique() < 2:
            raise origins.problem(
                column="label",
                found=f"one class only in the partition '{name}' ({len(members)} patients)",
                expected="patients of both classes in every partition",
                remedy="Change the protocol's partitions, or add patients.",
            )
