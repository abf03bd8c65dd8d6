"""Numbers as journals print them: p values, estimates with intervals, counts, fractions.

Cells use the hyphen-minus for negative numbers, so that the CSV stays machine-readable; the printed formats
put a true minus sign in its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from her2radiomics.core.wording import listing as listing

NOT_AVAILABLE = "–"
NOT_ESTIMABLE = "not estimable"
#: Under this many patients a percentage has no decimals.
WHOLE_PERCENT = 100
#: Marks of footnotes, in order.
MARKS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲ"


def fixed(value: float, digits: int) -> str:
    """``value`` with ``digits`` decimals: never a negative zero; infinity is not estimable, NaN an en dash."""
    if math.isnan(value):
        return NOT_AVAILABLE
    if math.isinf(value):
        return NOT_ESTIMABLE
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def p_value(p: float) -> str:
    """Three decimals, ``<0.001`` below that and ``>0.999`` above; an en dash where there is none.

    Raises
    ------
    ValueError
        ``p`` lies outside [0, 1].
    """
    if math.isnan(p):
        return NOT_AVAILABLE
    if not 0 <= p <= 1:
        raise ValueError(f"found p = {p}, expected a probability between 0 and 1")
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.999 else fixed(p, 3)


def p_equals(p: float) -> str:
    """``p = 0.012``, ``p < 0.001``: a p value with its sign."""
    text = p_value(p)
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def quantity(value: float, unit: str) -> str:
    """``20 %``, ``0.1 × 10⁻³ mm²/s``: a number with its unit, with a multiplication sign before a power of ten."""
    return f"{value:g}{' × ' if unit[:1].isdigit() else ' '}{unit}".rstrip()


def digits_for(values: Sequence[float]) -> int:
    """Decimals that give the typical size of ``values`` three significant figures, at most four.

    An age of 52.1 gets one, a diameter of 3.25 two, a diffusion coefficient of 0.912 three.
    """
    sizes = sorted(abs(v) for v in values if math.isfinite(v) and v != 0)
    if not sizes:
        return 1
    return min(max(2 - math.floor(math.log10(sizes[len(sizes) // 2])), 0), 4)


def mean_sd(mean: float, sd: float, digits: int) -> str:
    """``52.1 ± 10.3``."""
    return f"{fixed(mean, digits)} ± {fixed(sd, digits)}"


def median_quartiles(median: float, q1: float, q3: float, digits: int) -> str:
    """``2.9 (2.1, 3.8)``."""
    return f"{fixed(median, digits)} ({fixed(q1, digits)}, {fixed(q3, digits)})"


def count_percent(count: int, total: int) -> str:
    """``42 (61.8)``: a count and its percentage of ``total``; an en dash where ``total`` is 0."""
    return f"{count} ({fixed(100 * count / total, 1)})" if total else NOT_AVAILABLE


def percent_fraction(count: int, total: int) -> str:
    """``84% (36/43)``, from 100 patients on ``83.7% (103/123)``; an en dash where ``total`` is 0."""
    digits = 0 if total < WHOLE_PERCENT else 1
    return f"{fixed(100 * count / total, digits)}% ({count}/{total})" if total else NOT_AVAILABLE


def interval(value: float, low: float, high: float, digits: int) -> str:
    """``0.878 (0.773–0.946)``; ``to`` joins bounds of which one is negative; no bounds, no bracket.

    Bounds without any distance, or that are not finite, are no interval: ``1.000 (CI not estimable)``.
    """
    estimate = fixed(value, digits)
    if math.isnan(low) or math.isnan(high) or estimate == NOT_ESTIMABLE:
        return estimate
    if low == high or math.isinf(low) or math.isinf(high):
        return f"{estimate} (CI {NOT_ESTIMABLE})"
    joint = " to " if low < 0 or high < 0 else "–"
    return f"{estimate} ({fixed(low, digits)}{joint}{fixed(high, digits)})"


def auc(row: Any, digits: int) -> str:
    """``0.878 (0.773–0.946)`` of a row of ``performance.csv``; DeLong's interval beside an exact binomial one."""
    text = interval(float(row["auc"]), float(row["auc_low"]), float(row["auc_high"]), digits)
    low, high = (float(row.get(f"auc_delong_{end}", math.nan)) for end in ("low", "high"))
    if row.get("ci_method") != "binomial_exact" or math.isnan(low):
        return text
    return f"{text[:-1]}; DeLong {fixed(low, digits)}–{fixed(high, digits)})"


def ratio(value: float) -> str:
    """An odds ratio with two decimals, one from 100 on; ``<0.01`` and ``>1000`` beyond readers' use."""
    if math.isnan(value):
        return NOT_AVAILABLE
    if value < 0.005:
        return "<0.01"
    if value > 1000:
        return ">1000"
    return fixed(value, 1 if value >= 100 else 2)


def ratio_interval(value: float, low: float, high: float) -> str:
    """``2.31 (1.10–4.85)``; no number where both bounds are beyond use, as when a likelihood has no maximum."""
    if math.isnan(low) or math.isnan(high):
        return ratio(value)
    if math.isinf(value) or (ratio(low) == "<0.01" and ratio(high) == ">1000"):
        return NOT_ESTIMABLE
    return f"{ratio(value)} ({ratio(low)}–{ratio(high)})"


def level(value: float) -> str:
    """``95%``: the level of an interval."""
    return f"{100 * value:g}%"
