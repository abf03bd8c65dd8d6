"""Printed numbers: their value, and how far rounding may have moved it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_NUMBER = re.compile(r"(?P<bound>[<>]?)(?P<sign>[-−]?)(?P<digits>\d*\.?\d+)(?P<percent>%?)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(\D|$))")
# two decimal fractions that are equal in print differ by this much in binary
_SLACK = 1e-9


@dataclass(frozen=True)
class Number:
    """A number as printed.

    Attributes
    ----------
    text
        As printed.
    value
        The number; a percentage is divided by 100.
    half
        Half a unit of the last printed place, on the scale of ``value``; 0 for a whole number, which counts
        something.
    bound
        ``<`` or ``>`` where only a bound is printed, else empty.
    """

    text: str
    value: float
    half: float
    bound: str = ""

    @property
    def low(self) -> float:
        """Smallest number that is printed so, whichever way ties are rounded."""
        return -math.inf if self.bound == "<" else self.value - self.half

    @property
    def high(self) -> float:
        """Largest number that is printed so."""
        return math.inf if self.bound == ">" else self.value + self.half

    def agrees(self, low: float, high: float | None = None) -> bool:
        """Whether ``low``, or a number from ``low`` to ``high``, is printed so."""
        high = low if high is None else high
        slack = _SLACK * max(1.0, abs(self.value))
        if self.bound == "<":
            return low < self.value
        if self.bound == ">":
            return high > self.value
        return low <= self.high + slack and high >= self.low - slack

    def like(self, value: float) -> str:
        """``value`` as this number is printed: the same number of decimals, percent where it is one."""
        percent = self.text.endswith("%")
        decimals = len(self.text.rstrip("%").strip().partition(".")[2])
        return f"{100 * value:.{decimals}f}%" if percent else f"{value:.{decimals}f}"


def parse(text: str, *, counted: bool = True) -> Number:
    """Read a number as a paper prints it: ``83.72%``, ``<0.001``, ``1,218``, ``−0.5``.

    Parameters
    ----------
    text
        As printed.
    counted
        Whether a whole number counts something and is exact; a mean of ``52`` is rounded.

    Raises
    ------
    ValueError
        It is none.
    """
    compact = _THOUSANDS.sub("", re.sub(r"\s", "", text))
    match = _NUMBER.fullmatch(compact)
    if match is None:
        raise ValueError(f"found {text!r}, expected a number as printed, for example '0.894', '83.72%', '<0.001'")
    digits = match["digits"]
    decimals = len(digits.partition(".")[2])
    value = float(digits) * (-1 if match["sign"] else 1)
    half = 0.5 * 10.0**-decimals if decimals or match["percent"] or not counted else 0.0
    scale = 100 if match["percent"] else 1
    shown = f"{match['bound']}{match['sign']}{digits}{'%' if match['percent'] else ''}"
    return Number(shown, value / scale, half / scale, match["bound"])


def _as_text(value: Any) -> Any:
    if isinstance(value, bool) or isinstance(value, float):
        raise ValueError(
            f"found the number {value}, expected it in quotes as printed: trailing zeros say how precise it is"
        )
    return str(value) if isinstance(value, int) else value


def _checked(text: str) -> str:
    parse(text)
    return text


#: A number as printed, in quotes (a whole number needs none).
Printed = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked)]


def decimal(value: float, digits: int = 3) -> str:
    """``value`` with ``digits`` decimals, or three significant figures where that would show zeros."""
    if value and abs(value) < 10.0**-digits:
        return f"{value:.3g}"
    return f"{value:.{digits}f}"


def probability(p: float) -> str:
    """Print p with three decimals, or four where it is small."""
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.4f}" if p < 0.001 else f"{p:.3f}"


def percent(value: float, digits: int = 2) -> str:
    """``value`` as a percentage."""
    return f"{100 * value:.{digits}f}%"


def span(low: float, high: float, digits: int = 3, word: str = " to ") -> str:
    """``low to high``, or one number where both are printed alike."""
    first, last = decimal(low, digits), decimal(high, digits)
    return first if first == last else f"{first}{word}{last}"
