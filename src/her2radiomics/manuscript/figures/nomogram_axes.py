"""Axes of a nomogram: their ticks, their places in millimetres, and labels that never overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


POINTS, TOTAL, PROBABILITY = "points", "total_points", "probability"
# mm kept between two labels, and between two numbers of a scale, whose minus signs would join
CLEAR, APART = 1.2, 1.8
SMALL = 0.7  # of the range of total points: below, the stretch where the probability changes is drawn alone
FINEST = 0.9  # mm between the finest ticks
NARROW = 5.0  # points: of a scale that spans fewer, the ends alone are labelled


@dataclass(frozen=True)
class Tick:
    """One labelled tick: its text, its value as text, and its place in points."""

    label: str
    value: str
    position: float


@dataclass(frozen=True)
class NomogramAxis:
    """One axis, its ticks sorted by position."""

    name: str
    ticks: tuple[Tick, ...]
    levels: bool = False

    @property
    def low(self) -> float:
        """Lowest position."""
        return self.ticks[0].position

    @property
    def high(self) -> float:
        """Highest position."""
        return self.ticks[-1].position

    @property
    def values(self) -> list[float] | None:
        """The ticks' values where the axis is a scale of numbers; nothing for levels."""
        numbers = [number(tick.value) for tick in self.ticks]
        named = [number(tick.label) for tick in self.ticks]
        if self.levels or len(self.ticks) < 2 or None in numbers or None in named:
            return None
        return [n for n in numbers if n is not None]

    def position_of(self, value: str, printed: str) -> float | None:
        """Points of a patient's value: between ticks on a scale, at the tick of the level otherwise."""
        scale = self.values
        wanted = number(value)
        if scale is not None:
            if wanted is None or not min(scale) - 1e-9 <= wanted <= max(scale) + 1e-9:
                return None
            return _between(scale, [tick.position for tick in self.ticks], wanted)
        for tick in self.ticks:
            known = number(tick.value)
            if tick.value == value or tick.label == printed or (known is not None and known == wanted):
                return tick.position
        return None

    def value_at(self, position: float) -> float:
        """Probability at a total: the axis is linear in the log odds."""
        odds = [math.log(float(t.value) / (1 - float(t.value))) for t in self.ticks]
        slope = (odds[-1] - odds[0]) / (self.high - self.low)
        return 1 / (1 + math.exp(-(odds[0] + slope * (position - self.low))))


def with_levels(axis: NomogramAxis, levels: Mapping[str, str]) -> NomogramAxis:
    """The axis of a column with levels, its ticks under their printed names.

    An ordinal column enters a model as 0, 1, 2, …: its axis is a scale of numbers, of which the levels alone mean
    anything, so that the ticks are put at the levels.

    Parameters
    ----------
    axis
        The axis.
    levels
        The column's levels with their printed names, in order.
    """
    scale = axis.values
    if scale is None or {tick.value for tick in axis.ticks} <= set(levels):
        ticks = [Tick(levels.get(t.value, t.label), t.value, t.position) for t in axis.ticks]
        return NomogramAxis(axis.name, tuple(ticks), levels=True)
    places = [tick.position for tick in axis.ticks]
    codes = [(code, key) for code, key in enumerate(levels) if min(scale) <= code <= max(scale)]
    found = [Tick(levels[key], key, _between(scale, places, code)) for code, key in codes]
    return NomogramAxis(axis.name, tuple(sorted(found, key=lambda tick: tick.position)), levels=True)


def _between(scale: list[float], places: list[float], wanted: float) -> float:
    """Place of a number between the ticks of a scale."""
    pairs = sorted(zip(scale, places, strict=True))
    for (low, here), (high, there) in pairwise(pairs):
        if wanted <= high + 1e-9:
            return here + (there - here) * (wanted - low) / (high - low)
    return pairs[-1][1]


def number(text: str) -> float | None:
    """The number that a text is, if it is one."""
    try:
        found = float(text.replace("−", "-"))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def read_axes(table: pd.DataFrame, path: Path) -> list[NomogramAxis]:
    """Axes of ``nomogram.csv`` in order: points, the predictors, total points, probability.

    Raises
    ------
    TableError
        One of the three common axes is missing, or has fewer than two ticks.
    """
    found = {
        str(name): NomogramAxis(
            str(name),
            tuple(
                Tick(str(r["label"]), str(r["value"]), float(r["position"]))
                for _, r in rows.sort_values("position", kind="stable").iterrows()
            ),
        )
        for name, rows in table.groupby("axis", sort=False)
    }
    for name in (POINTS, TOTAL, PROBABILITY):
        if name not in found or len(found[name].ticks) < 2:
            raise TableError(
                file=path,
                column="axis",
                found=f"{len(found[name].ticks) if name in found else 0} ticks on the axis '{name}'",
                expected="at least two",
                remedy="Make the nomogram again.",
            )
    middle = [_alike(axis) for name, axis in found.items() if name not in (POINTS, TOTAL, PROBABILITY)]
    return [found[POINTS], *middle, found[TOTAL], found[PROBABILITY]]


def _alike(axis: NomogramAxis) -> NomogramAxis:
    """The axis with all its numbers printed to as many decimals as the longest: 0.9, 1.0, 1.1."""
    digits = max((len(tick.label.partition(".")[2]) for tick in axis.ticks), default=0)
    if axis.values is None or not digits:
        return axis
    ticks = (replace(tick, label=f"{float(tick.label.replace('−', '-')):.{digits}f}") for tick in axis.ticks)
    return replace(axis, ticks=tuple(ticks))


def thin(places: list[float], widths: list[float]) -> list[int]:
    """Which labels of a scale to print on one line so that none overlaps.

    Every second, third, … label of an even scale, the ends of an uneven one first.

    Parameters
    ----------
    places
        Middles of the labels in mm, rising.
    widths
        Their widths in mm.
    """

    def free(chosen: list[int]) -> bool:
        chosen = sorted(chosen)
        return all(places[b] - places[a] >= (widths[a] + widths[b]) / 2 + APART for a, b in pairwise(chosen))

    n = len(places)
    steps = [b - a for a, b in pairwise(places)]
    if steps and max(steps) - min(steps) < 1e-6 * max(1.0, max(steps)):
        for every in range(1, n):
            chosen = list(range(0, n, every))
            if free(chosen):
                return chosen
        return [0]
    kept: list[int] = []
    # first the ends, then halves, quarters, …: what is left is spread over the axis
    queue = [0, n - 1]
    spans = [(0, n - 1)]
    while spans:
        low, high = spans.pop(0)
        if high - low > 1:
            middle = (low + high) // 2
            queue.append(middle)
            spans += [(low, middle), (middle, high)]
    for place in dict.fromkeys(queue):
        if free([*kept, place]):
            kept.append(place)
    return sorted(kept)


def stagger(places: list[float], widths: list[float]) -> list[int]:
    """Lines for the labels of levels, all of which are printed: 0 below the axis, 1 above, 2 second below.

    Parameters
    ----------
    places
        Middles of the labels in mm, rising.
    widths
        Their widths in mm.
    """
    ends: list[float] = []
    lines: list[int] = []
    for place, width in zip(places, widths, strict=True):
        free = [line for line, end in enumerate(ends) if place - width / 2 >= end + CLEAR]
        if not free:
            free = [len(ends)]
            ends.append(0.0)
        ends[free[0]] = place + width / 2
        lines.append(free[0])
    return lines


def zoomed(total: NomogramAxis, probability: NomogramAxis) -> NomogramAxis:
    """Total points over the stretch where the probability changes, where that is a small part of them.

    A model that nearly separates its patients jumps from 0 to 1 within a few points: over the whole range of totals its
    probabilities could not be read.

    Parameters
    ----------
    total, probability
        The two axes, both in total points.
    """
    low, high = probability.low, probability.high
    if high - low >= SMALL * (max(total.high, high) - min(total.low, low)):
        return total
    rough = (high - low) / 8
    step = next(s for s in (b * 10.0**e for e in range(-6, 6) for b in (1, 2, 5)) if s >= rough)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    values = [round(place * step, 9) for place in range(first, last + 1)]
    return replace(total, ticks=tuple(Tick(f"{v:.{digits}f}", str(v), v) for v in values))


def is_narrow(axis: NomogramAxis) -> bool:
    """Whether an axis is a scale over which the points hardly change."""
    return axis.values is not None and axis.high - axis.low < NARROW


def ends_only(axis: NomogramAxis) -> NomogramAxis:
    """A narrow scale by its two ends, whose labels are set on two lines; any other axis as it is."""
    if not is_narrow(axis):
        return axis
    ends = tuple(replace(tick, label=tick.label.replace("-", "−")) for tick in (axis.ticks[0], axis.ticks[-1]))
    return NomogramAxis(axis.name, ends, levels=True)


def subdivisions(step: float) -> int:
    """Into how many parts a step of ``step`` mm between labelled ticks is divided by fine ticks."""
    return next((parts for parts in (10, 5, 2) if step / parts >= FINEST), 1)
