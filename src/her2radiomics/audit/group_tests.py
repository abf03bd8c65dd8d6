"""Printed test results against the counts, or the means and standard deviations, that they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.audit.means import MeanSd, parse_mean_sd
from her2radiomics.core.libraries import scipy
from her2radiomics.core.printed import Number, Printed, decimal, parse, probability, span
from her2radiomics.statistics.group_tests import freeman_halton

#: Smallest standard deviation that a printed zero may mean
_TINY = 1e-12


def chi_square_candidates(counts: Sequence[Sequence[int]]) -> dict[str, tuple[float | None, float]]:
    """Statistic and p of every test that papers call χ²; the exact tests have no statistic.

    Parameters
    ----------
    counts
        Levels × groups.

    Returns
    -------
    dict
        Name of the test to (statistic, p).

    Notes
    -----
    Pearson's χ² without and with Yates's correction, the likelihood-ratio χ² and the exact test, as SPSS and R print
    them; rows and columns without a patient are left out, as both do.
    """
    table = np.array(counts, dtype=int)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return {}
    found_: dict[str, tuple[float | None, float]] = {}
    pearson = scipy.stats.chi2_contingency(table, correction=False)
    found_["Pearson's χ²"] = float(pearson.statistic), float(pearson.pvalue)
    if table.shape == (2, 2):
        yates = scipy.stats.chi2_contingency(table, correction=True)
        found_["χ² with Yates's correction"] = float(yates.statistic), float(yates.pvalue)
        found_["Fisher's exact test"] = None, float(scipy.stats.fisher_exact(table).pvalue)
    elif table.shape[1] == 2 and (exact := freeman_halton(table)) is not None:
        found_["Fisher–Freeman–Halton exact test"] = None, exact
    likelihood = scipy.stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found_["likelihood-ratio χ²"] = float(likelihood.statistic), float(likelihood.pvalue)
    return found_


def chi_square(counts: Sequence[Sequence[int]], statistic: Number | None = None, p: Number | None = None) -> Finding:
    """Which test of the printed counts gives the printed statistic and p, if any?"""
    tests = chi_square_candidates(counts)
    if not tests:
        return unknown("There is only one level or one group, so there is nothing to test.")

    def fits(result: tuple[float | None, float]) -> bool:
        value, chance = result
        same = statistic is None or (value is not None and statistic.agrees(value))
        return same and (p is None or p.agrees(chance))

    matching = [name for name, result in tests.items() if fits(result)]
    printed = join([f"χ² {statistic.text}" if statistic else "", f"p {p.text}" if p else ""], "and").removeprefix(
        " and "
    )
    if matching:
        value, chance = tests[matching[0]]
        made = f"χ² = {decimal(value)}, " if value is not None else ""
        return found(True, f"{matching[0]} of the counts gives {made}p = {probability(chance)}; printed {printed}.")
    listed = "; ".join(
        f"{name} {f'{decimal(value)}, ' if value is not None else ''}p {probability(chance)}"
        for name, (value, chance) in tests.items()
    )
    return found(False, f"Printed {printed}; no test of the counts gives it: {listed}.")


class ChiSquare(Check):
    """χ² and p against the counts."""

    check: Literal["chi_square"]
    counts: list[list[int]] = Field(min_length=2, description="Counts: a list a level, with one count a group.")
    statistic: Printed | None = Field(None, description="Printed χ².")
    p: Printed | None = Field(None, description="Printed p.")

    @model_validator(mode="after")
    def _rectangular(self) -> ChiSquare:
        if len({len(row) for row in self.counts}) != 1 or len(self.counts[0]) < 2:
            raise ValueError("counts: expected the same number of groups, at least two, in every level")
        if self.statistic is None and self.p is None:
            raise ValueError("expected a statistic, p, or both, to compare with")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`chi_square`."""
        return chi_square(
            self.counts, parse(self.statistic) if self.statistic else None, parse(self.p) if self.p else None
        )


def t_test_range(first: MeanSd, second: MeanSd, equal_variances: bool) -> tuple[float, float]:
    """Smallest and largest two-sided p of a t test that the printed means and SDs allow.

    The statistic grows with the difference and falls with either SD, so its extremes lie at the corners of the
    printed precision (or at no difference, where the ranges of the means overlap).
    """
    gap = first.mean.value - second.mean.value
    slack = first.mean.half + second.mean.half
    gaps = [max(abs(gap) - slack, 0.0), abs(gap) + slack]
    sds = [[max(x.sd.low, _TINY), x.sd.high] for x in (first, second)]
    probabilities = [
        float(scipy.stats.ttest_ind_from_stats(d, s, first.n, 0.0, t, second.n, equal_var=equal_variances).pvalue)
        for d, s, t in product(gaps, *sds)
    ]
    return min(probabilities), max(probabilities)


def two_means(first: MeanSd, second: MeanSd, p: Number, ranks_possible: bool = True) -> Finding:
    """Does a t test of two printed means and SDs give the printed p?

    Parameters
    ----------
    first, second
        The groups.
    p
        Printed p.
    ranks_possible
        Whether the paper may have used the Mann–Whitney test instead, which cannot be checked.
    """
    tests = {
        "Student's t test": t_test_range(first, second, True),
        "Welch's t test": t_test_range(first, second, False),
    }
    matching = [name for name, (low, high) in tests.items() if p.agrees(low, high)]
    listed = "; ".join(f"{name} p {span(*limits)}" for name, limits in tests.items())
    if matching:
        return found(True, f"{matching[0]} gives p {span(*tests[matching[0]])}; printed {p.text}.")
    if ranks_possible:
        return unknown(f"Printed p {p.text}; {listed}. It may be of a Mann–Whitney test, which needs the patients.")
    return found(False, f"Printed p {p.text}; {listed}.")


class TwoMeans(Check):
    """p of a t test against the printed means and standard deviations."""

    check: Literal["two_means"]
    first: str = Field(description="Mean and SD of the first group, as '50.56 ± 9.12'.")
    first_n: int = Field(ge=2, description="Its size.")
    second: str = Field(description="Mean and SD of the second group.")
    second_n: int = Field(ge=2, description="Its size.")
    p: Printed = Field(description="Printed p.")
    ranks_possible: bool = Field(True, description="The paper may have used the Mann–Whitney test here.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`two_means`."""
        return two_means(
            parse_mean_sd(self.first, self.first_n),
            parse_mean_sd(self.second, self.second_n),
            parse(self.p),
            self.ranks_possible,
        )


def p_of_wald(statistic: float) -> float:
    """Two-sided p of a Wald statistic (β/SE)², χ² with one degree of freedom."""
    return math.erfc(math.sqrt(max(statistic, 0.0) / 2))
