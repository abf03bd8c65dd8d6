"""Drawing the participants' columns: before the outcome is known, and after it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from her2radiomics.core.seeds import stream
from her2radiomics.simulation.biology import Biology, late_change
from her2radiomics.simulation.column_settings import (
    CategoricalColumn,
    Column,
    ContinuousColumn,
    Course,
    FollowUp,
    Hazard,
    MeasuredColumn,
    OutcomeColumn,
    OutcomeNumber,
    SecondReading,
    TimeToEventColumn,
)
from her2radiomics.simulation.settings import CentreSettings
from her2radiomics.simulation.traits import uniform

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Drawn:
    """A value as text, and standardised (mean 0, SD 1 under its own distribution; a log-normal one by its logarithm).

    ``latent`` is the standard normal value behind a number.
    """

    text: str
    standard: float
    latent: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What columns drawn after the outcome may know.

    ``rank`` is the patient's mid-rank of the outcome score inside its outcome, in (0, 1); ``share`` the share
    of positive patients in the cohort; ``association`` how much of a planted link is on, from 0 to 1.
    """

    positive: bool
    rank: float
    share: float
    association: float


def depends_on_outcome(column: Column) -> bool:
    """Whether the column can only be drawn once the outcome is known."""
    if isinstance(column, ContinuousColumn | CategoricalColumn):
        return column.by_outcome is not None
    return not isinstance(column, MeasuredColumn)


def draw_before(
    name: str,
    column: Column,
    *,
    seed: int,
    patient: str,
    scores: Mapping[str, float],
    body: Biology,
    centre: CentreSettings,
    place: str,
) -> Drawn:
    """Draw a column that does not depend on the outcome.

    ``scores`` holds the traits and the latent values of the continuous columns, which are drawn first; ``place`` is the
    centre's name in the simulation.
    """
    noise = float(stream(seed, patient, f"column {name}").standard_normal())
    if isinstance(column, ContinuousColumn):
        column = column.of_centre(place)
        assert column.mean is not None and column.sd is not None
        return _number(column, column.mean, column.sd, latent_value(column.traits, scores, noise))
    if isinstance(column, CategoricalColumn):
        assert column.levels is not None
        return _level(column.levels, uniform(latent_value(column.links, scores, noise)))
    assert isinstance(column, MeasuredColumn)
    return Drawn(_measure(column, body, centre, noise), 0.0)


def draw_after(
    name: str, column: Column, *, seed: int, patient: str, outcome: Outcome, row: Mapping[str, str]
) -> dict[str, str]:
    """Draw a column that depends on the outcome; a time to event brings its event column along.

    ``row`` holds the patient's columns so far: a time to event may end with them.
    """
    random = stream(seed, patient, f"column {name}")
    if isinstance(column, OutcomeColumn):
        levels = column.positive if outcome.positive else column.negative
        return {name: _level(levels, outcome.rank if column.ordered else float(random.uniform())).text}
    if isinstance(column, OutcomeNumber):
        measured = all(row[other] in levels for other, levels in column.where.items())
        value = random.uniform(*(column.positive if outcome.positive else column.negative))
        return {name: f"{value:.{column.decimals}f}" if measured else ""}
    if isinstance(column, SecondReading):
        others = [level for level in column.levels if level != row[column.of]]
        return {name: str(random.choice(others)) if random.uniform() < column.error else row[column.of]}
    if isinstance(column, TimeToEventColumn):
        censored = float(random.uniform(*column.follow_up_months))
        event = _time(column, random, outcome)
        return _end(name, column.event_column, event, censored, column.decimals)
    if isinstance(column, FollowUp):
        days = (column.until - date.fromisoformat(row["mri_date"])).days
        return {name: f"{days / DAYS_PER_MONTH:.{column.decimals}f}"}
    if isinstance(column, Course):
        return _course(name, column, random, outcome, float(row[column.follow_up]))
    if isinstance(column, CategoricalColumn):
        assert column.by_outcome is not None
        positive, negative = _normalised(column.by_outcome.positive), _normalised(column.by_outcome.negative)
        mixed = {k: _between(positive[k], negative[k], outcome) for k in positive}
        return {name: _level(mixed, float(random.uniform())).text}
    assert isinstance(column, ContinuousColumn) and column.by_outcome is not None
    own = column.by_outcome
    mean = _between(own.positive.mean, own.negative.mean, outcome)
    sd = _between(own.positive.sd, own.negative.sd, outcome)
    return {name: _number(column, mean, sd, float(random.standard_normal())).text}


def latent_value(links: Mapping[str, float], scores: Mapping[str, float], noise: float) -> float:
    """Return a standard normal value with the given correlations to the scores, from its own standard normal noise."""
    own = math.sqrt(max(1.0 - sum(weight**2 for weight in links.values()), 0.0))
    return sum(weight * scores[name] for name, weight in links.items()) + own * noise


def _number(column: ContinuousColumn, mean: float, sd: float, latent: float) -> Drawn:
    if column.log_normal:
        variance = math.log1p((sd / mean) ** 2)
        value = math.exp(math.log(mean) - variance / 2 + math.sqrt(variance) * latent)
    else:
        value = mean + sd * latent
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    value = min(max(value, low), high)
    standard = latent if column.log_normal else (value - mean) / sd
    return Drawn(f"{value:.{column.decimals}f}", standard, latent)


def _level(frequencies: Mapping[str, float], rank: float) -> Drawn:
    shares = np.array(list(_normalised(frequencies).values()))
    index = min(int(np.searchsorted(np.cumsum(shares), rank, side="right")), len(shares) - 1)
    codes = np.arange(len(shares))
    mean = float(shares @ codes)
    sd = math.sqrt(float(shares @ (codes - mean) ** 2))
    return Drawn(list(frequencies)[index], (index - mean) / sd if sd else 0.0)


def _normalised(frequencies: Mapping[str, float]) -> dict[str, float]:
    total = sum(frequencies.values())
    return {level: frequency / total for level, frequency in frequencies.items()}


def _between(positive: float, negative: float, outcome: Outcome) -> float:
    """Move from the pooled value to the outcome's own value as the association grows from 0 to 1."""
    pooled = outcome.share * positive + (1.0 - outcome.share) * negative
    return pooled + outcome.association * ((positive if outcome.positive else negative) - pooled)


def _measure(column: MeasuredColumn, body: Biology, centre: CentreSettings, noise: float) -> str:
    if column.quantity == "tic_type":
        change = late_change(body, centre, column.late_minutes) + column.error * noise
        rising, flat, falling = column.levels
        return flat if abs(change) <= column.flat_within else rising if change > 0 else falling
    value = {"max_diameter": body.max_diameter_mm, "area": body.area_cm2, "volume": body.volume_cm3, "adc": body.adc}[
        column.quantity
    ]
    return f"{value * math.exp(column.error * noise):.{column.decimals}f}"


def _time(hazard: Hazard, random: np.random.Generator, outcome: Outcome) -> float:
    """Exponential time to an event, in months."""
    log_ratio = _between(math.log(hazard.hazard_ratio), 0.0, outcome)
    return hazard.median_months / math.log(2.0) * float(random.exponential()) / math.exp(log_ratio)


def _end(time: str, event: str, happens: float, censored: float, decimals: int) -> dict[str, str]:
    """The two columns of a time to event: what comes first, and whether that is the event."""
    months = max(min(happens, censored), 10.0**-decimals)
    return {time: f"{months:.{decimals}f}", event: str(int(happens <= censored))}


def _course(
    name: str, column: Course, random: np.random.Generator, outcome: Outcome, follow_up: float
) -> dict[str, str]:
    """Recurrence, seen at a visit; death after it, or of another cause; and the first of the two."""
    hidden, after, other = (
        _time(hazard, random, outcome) for hazard in (column.recurrence, column.death, column.other_death)
    )
    seen = math.ceil(hidden / column.visit_months) * column.visit_months
    other += column.visit_months
    recurs = seen <= other
    died = seen + after if recurs else other
    last = min(died, follow_up)
    return (
        _end(name, column.event_column, seen if recurs else math.inf, last, column.decimals)
        | _end(column.progression_free.time, column.progression_free.event, min(seen, died), follow_up, column.decimals)
        | _end(column.overall.time, column.overall.event, died, follow_up, column.decimals)
    )
