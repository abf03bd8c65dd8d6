"""Columns whose counts come out exactly: levels apportioned to a centre's patients instead of drawn one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Protocol

from her2radiomics.core.seeds import stream
from her2radiomics.simulation.column_settings import CategoricalColumn
from her2radiomics.simulation.columns import latent_value


class Participant(Protocol):
    """What the apportionment needs to know of a participant."""

    @property
    def patient_id(self) -> str:
        """Identifier."""

    @property
    def centre(self) -> str:
        """Centre, by its key."""


def apportion(frequencies: Mapping[str, float], number: int) -> dict[str, int]:
    """Divide a number of patients among levels by largest remainder (Hamilton's method).

    Frequencies given as counts that add up to ``number`` are returned as they are. Equal remainders go to the
    earlier level.
    """
    exact = {level: Fraction(frequency) for level, frequency in frequencies.items()}
    total = sum(exact.values())
    quotas = {level: number * share / total for level, share in exact.items()}
    counts = {level: floor(quota) for level, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda level: counts[level] - quotas[level])
    for level in by_remainder[: number - sum(counts.values())]:
        counts[level] += 1
    return counts


def exact_levels(
    name: str,
    column: CategoricalColumn,
    *,
    seed: int,
    people: Sequence[Participant],
    positive: Sequence[bool],
    scores: Sequence[Mapping[str, float]],
    association: float,
) -> list[str]:
    """Give every patient a level so that each centre's counts by outcome are those of the settings, scaled.

    Within a centre and outcome the levels ascend with the column's latent value: the drivers', with the given
    agreement, or noise alone. An association below 1 sets a random share (1 − association) of the patients free:
    their levels are dealt out anew among them, by latent value, whatever their outcome. At 0 nothing is left of the
    association, and the centre's counts over both outcomes are the same as at 1.

    Parameters
    ----------
    name, column
        The column; it has ``by_outcome``.
    seed
        The cohort's seed.
    people, positive, scores
        The included participants, whether each has the outcome, and each one's traits and latent values of numbers.
    association
        How much of the link to the outcome is on, from 0 to 1.

    Returns
    -------
    list of str
        A level for each participant, in their order.
    """
    assert column.by_outcome is not None
    levels = list(column.by_outcome.positive)
    latent, free = [], []
    for person, own in zip(people, scores, strict=True):
        random = stream(seed, person.patient_id, f"column {name}")
        latent.append(latent_value(column.links, own, float(random.standard_normal())))
        free.append(float(random.uniform()) >= association)
    index = [0] * len(people)

    def deal(members: list[int], counts: Mapping[str, int]) -> None:
        ascending = sorted(members, key=lambda i: latent[i])
        dealt = [levels.index(level) for level in levels for _ in range(counts[level])]
        for i, level in zip(ascending, dealt, strict=True):
            index[i] = level

    for centre in dict.fromkeys(person.centre for person in people):
        here = [i for i, person in enumerate(people) if person.centre == centre]
        for outcome, frequencies in ((True, column.by_outcome.positive), (False, column.by_outcome.negative)):
            members = [i for i in here if bool(positive[i]) is outcome]
            deal(members, apportion(frequencies, len(members)))
        loose = [i for i in here if free[i]]
        deal(loose, {level: sum(index[i] == k for i in loose) for k, level in enumerate(levels)})
    return [levels[i] for i in index]
