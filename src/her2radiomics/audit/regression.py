"""Rows of a logistic regression table: β, SE, Wald, odds ratio, interval and p against each other and the counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, unknown
from her2radiomics.audit.group_tests import p_of_wald
from her2radiomics.core.printed import Number, Printed, decimal, parse, probability, span

Z95 = 1.959963984540054
_TINY = 1e-12
#: Estimated SEs scatter; only one clearly below the bound is called so.
SE_SLACK = 0.05


@dataclass(frozen=True)
class RegressionRow:
    """One printed row; what the paper does not print is ``None``. The interval is of 95%."""

    beta: Number | None = None
    se: Number | None = None
    wald: Number | None = None
    odds_ratio: Number | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    p: Number | None = None


def odds_ratio(row: RegressionRow) -> Finding:
    """Do the numbers of a row belong together?

    OR = exp(β), interval = exp(β ± 1.96 SE), Wald = (β/SE)², and p from Wald (χ², one degree of freedom), each as far
    as the printed precision allows. An OR that is exp(−β) is named: the sign of β was lost, and the rest of the row is
    checked with the sign that the OR gives.
    """
    sentences, agrees, sign = [], [], 1
    beta, se, ratio = row.beta, row.se, row.odds_ratio
    if beta and ratio:
        ok = ratio.agrees(_exp(beta.low), _exp(beta.high))
        lost = not ok and ratio.agrees(_exp(-beta.high), _exp(-beta.low))
        sign = -1 if lost else 1
        agrees.append(ok)
        text = f"exp({beta.text}) = {decimal(_exp(beta.value))}; printed OR {ratio.text}"
        sentences.append(f"{text}, which is exp(−{beta.text}): the sign of β is lost." if lost else f"{text}.")
    # β as the row's best number: printed, or the logarithm of the odds ratio
    if beta:
        betas = sorted((sign * beta.low, sign * beta.high))
    elif ratio:
        betas = [math.log(max(ratio.low, _TINY)), math.log(max(ratio.high, _TINY))]
    else:
        return unknown("Neither β nor an odds ratio is printed.")
    if row.ci_low and row.ci_high:
        if se:
            ok, text = _interval_from_se(betas, se, row.ci_low, row.ci_high)
        else:
            ok, text = _interval_around(ratio, row.ci_low, row.ci_high)
        agrees.append(ok)
        sentences.append(text)
    if row.wald and se:
        sizes = _sizes(betas)
        low, high = (sizes[0] / max(se.high, _TINY)) ** 2, (sizes[1] / max(se.low, _TINY)) ** 2
        agrees.append(row.wald.agrees(low, high))
        sentences.append(f"(β/SE)² = {span(low, high, 2)}; printed Wald {row.wald.text}.")
    if row.p:
        limits = _walds(row, betas)
        if limits:
            low, high = p_of_wald(limits[1]), p_of_wald(limits[0])
            agrees.append(row.p.agrees(low, high))
            sentences.append(f"p of Wald {probability(high)}; printed {row.p.text}.")
    if not agrees:
        return unknown("Too little is printed to compare.")
    return found(all(agrees), *sentences)


def _exp(value: float) -> float:
    """``exp``, without an overflow where a number is misprinted."""
    return math.exp(min(value, 700.0))


def _sizes(betas: Sequence[float]) -> tuple[float, float]:
    """Smallest and largest |β| in a range."""
    low, high = betas
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))


def _walds(row: RegressionRow, betas: Sequence[float]) -> tuple[float, float] | None:
    """Range of the Wald statistic: as printed, else from β and SE, else from the interval."""
    if row.wald:
        return max(row.wald.low, 0.0), row.wald.high
    sizes = _sizes(betas)
    if row.se:
        return (sizes[0] / max(row.se.high, _TINY)) ** 2, (sizes[1] / max(row.se.low, _TINY)) ** 2
    if row.ci_low and row.ci_high:
        ends = (row.ci_low.high, row.ci_high.low), (row.ci_low.low, row.ci_high.high)
        widths = [(math.log(max(high, _TINY)) - math.log(max(low, _TINY))) / (2 * Z95) for low, high in ends]
        return (sizes[0] / max(*widths, _TINY)) ** 2, (sizes[1] / max(min(widths), _TINY)) ** 2
    return None


def _interval_from_se(betas: Sequence[float], se: Number, low: Number, high: Number) -> tuple[bool, str]:
    ends = []
    for direction in (-1, 1):
        limits = [_exp(b + direction * Z95 * s) for b, s in product(betas, (se.low, se.high))]
        ends.append((min(limits), max(limits)))
    ok = low.agrees(*ends[0]) and high.agrees(*ends[1])
    made = " to ".join(span(*end, word="–") for end in ends)
    return ok, f"exp(β ± 1.96 SE) = {made}; printed {low.text} to {high.text}."


def _interval_around(ratio: Number | None, low: Number, high: Number) -> tuple[bool, str]:
    """Without an SE: the odds ratio is the geometric mean of its limits."""
    if ratio is None:
        ok = low.value <= high.value
        return ok, f"The interval is {low.text} to {high.text}."
    limits = math.sqrt(max(low.low, 0.0) * max(high.low, 0.0)), math.sqrt(max(low.high * high.high, 0.0))
    return ratio.agrees(*limits), f"√(lower × upper limit) = {span(*limits)}; printed OR {ratio.text}."


class OddsRatio(Check):
    """β, SE, Wald, odds ratio, interval and p of one row; what is not printed is left out."""

    check: Literal["odds_ratio"]
    beta: Printed | None = Field(None, description="Printed coefficient.")
    se: Printed | None = Field(None, description="Printed standard error.")
    wald: Printed | None = Field(None, description="Printed Wald χ².")
    odds_ratio: Printed | None = Field(None, description="Printed odds ratio.")
    ci_low: Printed | None = Field(None, description="Lower limit of its 95% interval.")
    ci_high: Printed | None = Field(None, description="Upper limit.")
    p: Printed | None = Field(None, description="Printed p.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`odds_ratio`."""
        names = ("beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p")
        printed = {name: getattr(self, name) for name in names}
        return odds_ratio(RegressionRow(**{name: parse(text) for name, text in printed.items() if text}))


def crude(counts: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Return log odds ratio and its standard error from the counts of a characteristic.

    Parameters
    ----------
    counts
        A list a level, [with the outcome, without]. Two levels give the odds of the first over the second (Woolf's
        SE); more are entered as 0, 1, 2, … in their order, in a logistic regression.
    """
    if len(counts) == 2:
        (a, b), (c, d) = counts
        return math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return _trend(counts)


def _trend(counts: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Maximum likelihood of a logistic regression on the level's number: Newton's method on grouped counts."""
    cases = np.array([row[0] for row in counts], dtype=float)
    sizes = cases + np.array([row[1] for row in counts], dtype=float)
    design = np.column_stack([np.ones(len(counts)), np.arange(len(counts))])
    theta = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ theta))
        information = design.T @ (design * (sizes * chance * (1 - chance))[:, None])
        step = np.linalg.solve(information, design.T @ (cases - sizes * chance))
        theta = theta + step
        if np.abs(step).max() < 1e-12:
            break
    return float(theta[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))


def crude_odds_ratio(
    counts: Sequence[Sequence[int]], printed: Number | None = None, adjusted: RegressionRow | None = None
) -> Finding:
    """A printed odds ratio against the one that the counts give.

    Parameters
    ----------
    counts
        As :func:`crude`.
    printed
        The crude odds ratio as printed, if any.
    adjusted
        The row of a multivariable model on the same patients, or some of them, if any.

    Notes
    -----
    A logistic model's adjusted SE is never below the crude one (Robinson & Jewell, International Statistical Review 58
    (1991) 227–240), and fewer patients only make it larger. Adjustment may turn an odds ratio round; here it is called
    inconsistent where both 95% intervals exclude 1 on opposite sides, which asks for an explanation.
    """
    if any(count == 0 for row in counts for count in row):
        return unknown("A cell is empty, so there is no crude odds ratio.")
    log_ratio, error = crude(counts)
    low, high = math.exp(log_ratio - Z95 * error), math.exp(log_ratio + Z95 * error)
    levels = "" if len(counts) == 2 else " a level"
    sentences = [
        f"Crude odds ratio{levels} {decimal(math.exp(log_ratio), 2)} ({decimal(low, 2)} to {decimal(high, 2)}), "
        f"SE of log OR {decimal(error)}."
    ]
    agrees = []
    if printed:
        agrees.append(printed.agrees(math.exp(log_ratio)))
        sentences.append(f"Printed {printed.text}.")
    if adjusted and adjusted.se:
        agrees.append(adjusted.se.high >= (1 - SE_SLACK) * error)
        below = "below the crude one, which adjustment does not do" if not agrees[-1] else "not below the crude one"
        sentences.append(f"The adjusted SE {adjusted.se.text} is {below}.")
    if adjusted and adjusted.odds_ratio and adjusted.ci_low and adjusted.ci_high:
        opposite = (low > 1 and adjusted.ci_high.high < 1) or (high < 1 and adjusted.ci_low.low > 1)
        agrees.append(not opposite)
        text = f"{adjusted.odds_ratio.text} ({adjusted.ci_low.text} to {adjusted.ci_high.text})"
        points = "points the other way" if opposite else "does not contradict it"
        sentences.append(f"The adjusted odds ratio {text} {points}.")
    return found(all(agrees), *sentences) if agrees else unknown(*sentences)


class CrudeOddsRatio(Check):
    """A printed crude or adjusted odds ratio and SE against the counts of the characteristic."""

    check: Literal["crude_odds_ratio"]
    counts: list[tuple[int, int]] = Field(
        min_length=2,
        description="[with the outcome, without] a level. Two levels: exposed first. More: in their order, as 0, 1, 2, …",
    )
    printed: Printed | None = Field(None, description="Crude odds ratio as printed.")
    adjusted: Printed | None = Field(None, description="Odds ratio of the multivariable model.")
    adjusted_low: Printed | None = Field(None, description="Lower limit of its interval.")
    adjusted_high: Printed | None = Field(None, description="Upper limit.")
    adjusted_se: Printed | None = Field(None, description="Standard error of its coefficient.")

    @model_validator(mode="after")
    def _whole_interval(self) -> CrudeOddsRatio:
        if (self.adjusted_low is None) != (self.adjusted_high is None):
            raise ValueError("adjusted_low and adjusted_high: expected both or none")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`crude_odds_ratio`."""
        row = RegressionRow(
            se=parse(self.adjusted_se) if self.adjusted_se else None,
            odds_ratio=parse(self.adjusted) if self.adjusted else None,
            ci_low=parse(self.adjusted_low) if self.adjusted_low else None,
            ci_high=parse(self.adjusted_high) if self.adjusted_high else None,
        )
        return crude_odds_ratio(self.counts, parse(self.printed) if self.printed else None, row)
