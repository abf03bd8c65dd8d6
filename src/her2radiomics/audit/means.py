"""Means and standard deviations: of a union from its parts, of whole numbers, within a range."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.core.printed import Number, Printed, decimal, parse, span
from her2radiomics.core.settings import Settings


@dataclass(frozen=True)
class MeanSd:
    """Mean and standard deviation of ``n`` patients, as printed."""

    mean: Number
    sd: Number
    n: int

    def __str__(self) -> str:
        """``52.1 ± 10.3 (n = 202)``."""
        return f"{self.mean.text} ± {self.sd.text} (n = {self.n})"


def parse_mean_sd(text: str, n: int) -> MeanSd:
    """Read ``52.1 ± 10.3``.

    Raises
    ------
    ValueError
        It is no mean with a standard deviation.
    """
    parts = re.split(r"±|\+/-", text)
    if len(parts) != 2:
        raise ValueError(f"found {text!r}, expected a mean and SD as '52.1 ± 10.3'")
    return MeanSd(parse(parts[0], counted=False), parse(parts[1], counted=False), n)


def _checked(text: str) -> str:
    parse_mean_sd(text, 2)
    return text


#: ``52.1 ± 10.3``
MeanSdText = Annotated[str, AfterValidator(_checked)]


class Group(Settings):
    """Mean and standard deviation of a group."""

    n: int = Field(ge=2, description="Number of patients.")
    mean_sd: MeanSdText = Field(description="Mean and SD, as '52.1 ± 10.3'.")


def pooled_mean(parts: Sequence[MeanSd]) -> tuple[float, float]:
    """Smallest and largest mean of the union that the printed parts allow."""
    total = sum(part.n for part in parts)
    middle = sum(part.n * part.mean.value for part in parts) / total
    slack = sum(part.n * part.mean.half for part in parts) / total
    return middle - slack, middle + slack


def pooled_sd(parts: Sequence[MeanSd]) -> tuple[float, float]:
    """Smallest and largest standard deviation (n − 1) of the union that the printed parts allow.

    Notes
    -----
    (N − 1) s² = Σ (nᵢ − 1) sᵢ² + Σ nᵢ (mᵢ − m)². The largest lies at a corner of the printed precision; the smallest
    at the smallest SDs with the means moved together as far as they go.
    """
    total = sum(part.n for part in parts)

    def sd(means: Sequence[float], sds: Sequence[float]) -> float:
        centre = sum(part.n * mean for part, mean in zip(parts, means, strict=True)) / total
        squares = sum(
            (part.n - 1) * s**2 + part.n * (mean - centre) ** 2 for part, mean, s in zip(parts, means, sds, strict=True)
        )
        return math.sqrt(squares / (total - 1))

    highest = [part.sd.high for part in parts]
    largest = max(sd(means, highest) for means in product(*[(p.mean.low, p.mean.high) for p in parts]))
    lowest = [max(part.sd.low, 0.0) for part in parts]
    # the spread of means between boxes is least where all are clipped to one common value
    ends = sorted({end for part in parts for end in (part.mean.low, part.mean.high)})
    steps = [a + (b - a) * k / 20 for a, b in pairwise(ends) for k in range(21)] or ends
    smallest = min(sd([min(max(at, p.mean.low), p.mean.high) for p in parts], lowest) for at in steps)
    return smallest, largest


def pooled_mean_sd(parts: Sequence[MeanSd], whole: MeanSd) -> Finding:
    """Can the mean and SD of a union come from those of its parts?"""
    size = sum(part.n for part in parts)
    if size != whole.n:
        return found(False, f"The parts have {size} patients, the whole {whole.n}.")
    means, sds = pooled_mean(parts), pooled_sd(parts)
    right = whole.mean.agrees(*means), whole.sd.agrees(*sds)
    words = [
        f"{join([str(part) for part in parts])} give {span(*means, 2)} ± {span(*sds, 2)} for all {size}; "
        f"printed {whole.mean.text} ± {whole.sd.text}."
    ]
    plain = sum(part.mean.value for part in parts) / len(parts)
    if not right[0] and abs(plain - whole.mean.value) <= whole.mean.half + 1e-9:
        words.append(f"The unweighted average of the means is {decimal(plain, 2)}.")
    if not all(right):
        words.append(f"The {join([n for n, ok in zip(('mean', 'SD'), right, strict=True) if not ok])} cannot be.")
    return found(all(right), *words)


class PooledMeanSd(Check):
    """Mean and SD of all patients against those of the groups that make them up."""

    check: Literal["pooled_mean_sd"]
    parts: list[Group] = Field(min_length=2, max_length=8, description="The groups.")
    whole: Group = Field(description="All of them together, as printed.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`pooled_mean_sd`."""
        parts = [parse_mean_sd(part.mean_sd, part.n) for part in self.parts]
        return pooled_mean_sd(parts, parse_mean_sd(self.whole.mean_sd, self.whole.n))


def same_pooled_mean(first: Mapping[str, Sequence[MeanSd]], second: Mapping[str, Sequence[MeanSd]]) -> Finding:
    """Do two groupings of the same patients have one overall mean and SD?"""
    words, limits = [], []
    for place, parts in (*first.items(), *second.items()):
        limits.append((pooled_mean(parts), pooled_sd(parts)))
        words.append(f"{span(*limits[-1][0], 2)} ± {span(*limits[-1][1], 2)} in {place}")
    (mean_a, sd_a), (mean_b, sd_b) = limits
    apart = [
        name
        for name, a, b in (("mean", mean_a, mean_b), ("SD", sd_a, sd_b))
        if a[1] < b[0] - 1e-9 or b[1] < a[0] - 1e-9
    ]
    return found(
        not apart, f"The same patients: {join(words)}.", f"The {join(apart)} cannot be the same." if apart else ""
    )


class SamePooledMean(Check):
    """The same patients, grouped in two ways: a measurement must have one overall mean."""

    check: Literal["same_pooled_mean"]
    first: dict[str, list[Group]] = Field(min_length=1, max_length=1, description="Place: its groups.")
    second: dict[str, list[Group]] = Field(min_length=1, max_length=1, description="Other place: its groups.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`same_pooled_mean`."""
        first, second = (
            {place: [parse_mean_sd(g.mean_sd, g.n) for g in groups] for place, groups in side.items()}
            for side in (self.first, self.second)
        )
        return same_pooled_mean(first, second)


def whole_number_mean(mean: Number, n: int) -> Finding:
    """Can a mean of ``n`` whole numbers be printed so?

    References
    ----------
    Brown & Heathers, The GRIM test, Social Psychological and Personality Science 8 (2017) 363–369.
    """
    if 2 * mean.half * n >= 1:
        return unknown(f"{n} whole numbers can have any mean with so many decimals.")
    at = round(mean.value * n)
    fits = [k for k in (at - 1, at, at + 1) if mean.agrees(k / n)]
    if fits:
        return found(True, f"{fits[0]}/{n} = {mean.like(fits[0] / n)}.")
    below = math.floor(mean.value * n)
    near = join([f"{k}/{n} = {decimal(k / n, 4)}" for k in (below, below + 1)])
    return found(False, f"No sum of {n} whole numbers has the mean {mean.text}: {near}.")


class WholeNumberMean(Check):
    """A mean of whole numbers (ages in years, scores) against their number: the GRIM test."""

    check: Literal["whole_number_mean"]
    mean: Printed = Field(description="Printed mean.")
    n: int = Field(gt=0, description="Number of patients.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`whole_number_mean`."""
        return whole_number_mean(parse(self.mean, counted=False), self.n)


def mean_in_range(group: MeanSd, low: float, high: float) -> Finding:
    """Can a mean and SD belong to values within a printed range whose ends both occur?

    Notes
    -----
    The SD is largest when all other values lie at the ends: s² ≤ n/(n − 1) (high − m)(m − low)
    (Bhatia & Davis, American Mathematical Monthly 107 (2000) 353–357); it is smallest when all others lie together.
    """
    n, sd = group.n, group.sd
    if not group.mean.low <= high or not group.mean.high >= low:
        return found(False, f"The mean {group.mean.text} lies outside {low:g} to {high:g}.")
    # the mean may be anything that prints so; both bounds are at their widest where it is nearest to the middle of the range
    nearest = min(max((low + high) / 2, group.mean.low), group.mean.high)
    smallest, largest = _sd_limits(nearest, n, low, high)
    agrees = sd.low <= largest + 1e-9 and sd.high >= smallest - 1e-9
    return found(
        agrees,
        f"{n} values from {low:g} to {high:g} with the mean {group.mean.text} have an SD of "
        f"{span(smallest, largest, 1)}; printed {sd.text}.",
    )


def _sd_limits(mean: float, n: int, low: float, high: float) -> tuple[float, float]:
    """Smallest and largest SD of ``n`` values with this mean that reach both ends."""
    mean = min(max(mean, low), high)
    rest = (n * mean - low - high) / (n - 2) if n > 2 else mean
    spread = (low - mean) ** 2 + (high - mean) ** 2 + (n - 2) * (rest - mean) ** 2
    return math.sqrt(spread / (n - 1)), math.sqrt(n / (n - 1) * (high - mean) * (mean - low))


class MeanInRange(Check):
    """A mean and SD against the printed range."""

    check: Literal["mean_in_range"]
    group: Group = Field(description="The group.")
    low: float = Field(description="Printed smallest value.")
    high: float = Field(description="Printed largest value.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`mean_in_range`."""
        return mean_in_range(parse_mean_sd(self.group.mean_sd, self.group.n), self.low, self.high)
