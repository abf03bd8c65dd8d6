"""Counts, percentages and totals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.core.printed import Number, Printed, parse, percent

_SHOWN = 6


def numerators(printed: Number, n: int) -> list[int]:
    """Whole numbers of ``n`` that are printed as ``printed``."""
    first, last = math.floor(printed.low * n) - 1, math.ceil(printed.high * n) + 1
    return [k for k in range(max(first, 0), min(last, n) + 1) if printed.agrees(k / n)]


def denominators(printed: Number, most: int) -> list[tuple[int, int]]:
    """Fractions k/m with m up to ``most`` that are printed as ``printed``, the smallest m first."""
    return [(k, m) for m in range(1, most + 1) for k in numerators(printed, m)]


def fraction(printed: Number, n: int, numerator: int | None = None, search: int | None = None) -> Finding:
    """Can a percentage be a fraction of ``n``, and of the stated numerator?

    Parameters
    ----------
    printed
        The percentage or proportion.
    n
        The stated denominator.
    numerator
        The stated count, if one is printed.
    search
        Largest other denominator to try where none of ``n`` fits (default twice ``n``).
    """
    if numerator is not None:
        agrees = printed.agrees(numerator / n)
        return found(
            agrees,
            f"{numerator}/{n} is {printed.like(numerator / n)}, "
            f"{'as printed' if agrees else f'printed {printed.text}'}.",
        )
    fits = numerators(printed, n)
    if 2 * printed.half * n >= 1:
        return unknown(f"At this precision every percentage fits a fraction of {n}.")
    if fits:
        return found(True, f"{printed.text} of {n} is {join([f'{k}/{n}' for k in fits], 'or')}.")
    below = math.floor(printed.value * n)
    near = [k for k in (below, below + 1) if 0 <= k <= n] or [n]
    neighbours = join([f"{k}/{n} is {printed.like(k / n)}" for k in near])
    most = search or 2 * n
    others = denominators(printed, most)
    listed = ", ".join(f"{k}/{m}" for k, m in others[:_SHOWN])
    elsewhere = f"Fractions that fit: {listed}." if others else f"No fraction of up to {most} fits."
    return found(False, f"No whole number of {n} is {printed.text}: {neighbours}.", elsewhere)


class FractionCheck(Check):
    """A percentage against the number it is a percentage of."""

    check: Literal["fraction"]
    value: Printed = Field(description="The percentage, as printed.")
    n: int = Field(gt=0, description="Stated number of patients (or else) that it is a percentage of.")
    numerator: int | None = Field(None, ge=0, description="Stated count, where one is printed.")
    search: int | None = Field(None, gt=0, description="Largest other denominator to try (default: twice n).")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`fraction`."""
        return fraction(parse(self.value), self.n, self.numerator, self.search)


def counts_add_up(parts: Mapping[str, int], total: int) -> Finding:
    """Do the parts sum to the total?"""
    agrees = sum(parts.values()) == total
    sums = " + ".join(f"{count} ({name})" for name, count in parts.items())
    return found(agrees, f"{sums} = {sum(parts.values())}, {'as stated' if agrees else f'stated {total}'}.")


class CountsAddUp(Check):
    """Parts against their total."""

    check: Literal["counts_add_up"]
    parts: dict[str, int] = Field(min_length=2, description="Count of each part, by name.")
    total: int = Field(description="The stated total.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`counts_add_up`."""
        return counts_add_up(self.parts, self.total)


def product(factors: Mapping[str, int], total: int) -> Finding:
    """Do the factors multiply to the total?"""
    made = math.prod(factors.values())
    words = " × ".join(f"{count} ({name})" for name, count in factors.items())
    return found(made == total, f"{words} = {made}, {'as stated' if made == total else f'stated {total}'}.")


class Product(Check):
    """Factors against their product, for example features per sequence times sequences."""

    check: Literal["product"]
    factors: dict[str, int] = Field(min_length=2, description="Each factor, by name.")
    total: int = Field(description="The stated product.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`product`."""
        return product(self.factors, self.total)


def each_at_least(counts: Mapping[str, int], least: int) -> Finding:
    """Does every part have at least so many?"""
    short = [f"{name} has {count}" for name, count in counts.items() if count < least]
    words = join([f"{count} {name}" for name, count in counts.items()])
    return found(not short, f"Stated: at least {least} each. Counted: {words}.", f"{join(short)}." if short else "")


class EachAtLeast(Check):
    """Counts against a stated minimum, for example one feature of every sequence."""

    check: Literal["each_at_least"]
    counts: dict[str, int] = Field(min_length=1, description="Count of each part, by name.")
    least: int = Field(ge=1, description="The stated minimum.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`each_at_least`."""
        return each_at_least(self.counts, self.least)


def ratio(counts: Sequence[int], stated: str) -> Finding:
    """Do counts have the stated ratio, to the nearest whole patient?

    A count may be off by one, as rounding within strata makes it.
    """
    shares = [float(part) for part in stated.split(":")]
    total = sum(counts)
    wanted = [total * share / sum(shares) for share in shares]
    agrees = all(abs(count - want) <= 1 + 1e-9 for count, want in zip(counts, wanted, strict=True))
    given = join([f"{count} ({percent(count / total, 1)})" for count in counts])
    return found(agrees, f"{stated} of {total} is {' : '.join(f'{w:.1f}' for w in wanted)}; the counts are {given}.")


class Ratio(Check):
    """The size of partitions against the ratio in which they are said to be split."""

    check: Literal["ratio"]
    counts: list[int] = Field(min_length=2, description="Sizes, in the order of the ratio.")
    stated: str = Field(pattern=r"^\d+(\.\d+)?(:\d+(\.\d+)?)+$", description="The ratio, as '7:3'.")

    @model_validator(mode="after")
    def _as_many(self) -> Ratio:
        if not sum(map(float, self.stated.split(":"))) or not sum(self.counts):
            raise ValueError(f"found the ratio {self.stated} of {self.counts}; expected numbers above 0")
        if len(self.counts) != len(self.stated.split(":")):
            raise ValueError(f"found {len(self.counts)} counts for the ratio {self.stated}; expected one for each part")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`ratio`."""
        return ratio(self.counts, self.stated)


def same_total(first: Mapping[str, Sequence[int]], second: Mapping[str, Sequence[int]]) -> Finding:
    """Do two partitions of the same patients have the same number of each kind?

    Parameters
    ----------
    first, second
        Where it is printed, to the counts of the groups there.
    """
    (here, a), (there, b) = *first.items(), *second.items()
    sums = [
        f"{' + '.join(map(str, counts))}{f' = {sum(counts)}' if len(counts) > 1 else ''} in {place}"
        for place, counts in ((here, a), (there, b))
    ]
    return found(sum(a) == sum(b), f"The same patients: {sums[0]}, {sums[1]}.")


class SameTotal(Check):
    """The same patients, grouped in two ways: a characteristic must have one total."""

    check: Literal["same_total"]
    first: dict[str, list[int]] = Field(min_length=1, max_length=1, description="Place: counts by group.")
    second: dict[str, list[int]] = Field(min_length=1, max_length=1, description="Other place: counts by group.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`same_total`."""
        return same_total(self.first, self.second)
