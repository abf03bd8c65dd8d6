"""Checks of arguments: every refusal says what was found, what was expected and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def as_labels(labels: ArrayLike, *, both: bool = True, name: str = "labels") -> BoolArray:
    """Return binary labels, shape (n,), as booleans.

    Raises
    ------
    ValueError
        If a label is missing or is not 0 or 1, if there is none, or (``both``) if one class is absent.
    """
    values = np.asarray(labels)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name}: found shape {values.shape}, expected a non-empty list of 0 and 1.")
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {_some(values)}, expected 0 and 1. Recode the outcome.") from None
    wrong = ~np.isin(numbers, (0.0, 1.0))
    if wrong.any():
        raise ValueError(
            f"{name}: found {_some(values[wrong])} in {int(wrong.sum())} of {values.size} rows, "
            "expected 0 and 1. Recode the outcome, or leave out the rows where it is unknown."
        )
    if both and numbers.min() == numbers.max():
        raise ValueError(
            f"{name}: found only {int(numbers[0])} in {values.size} rows, expected both 0 and 1."
        )
    return numbers == 1.0


def as_finite(values: ArrayLike, *, size: int | None = None, name: str = "scores") -> FloatArray:
    """Return finite numbers, shape (n,).

    Raises
    ------
    ValueError
        If a value is missing, infinite or not a number, or the length is not ``size``.
    """
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {_some(np.asarray(values))}, expected numbers.") from None
    if numbers.ndim != 1 or (size is not None and numbers.size != size):
        expected = "one value a row" if size is None else f"{size} values, one a label"
        raise ValueError(f"{name}: found shape {numbers.shape}, expected {expected}.")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise ValueError(
            f"{name}: found {int(wrong.sum())} missing or infinite of {numbers.size} values (first at row "
            f"{int(np.flatnonzero(wrong)[0])}), expected finite numbers. Leave these rows out or impute them."
        )
    return numbers


def as_probabilities(
    values: ArrayLike, *, size: int | None = None, name: str = "probabilities"
) -> FloatArray:
    """Return probabilities in [0, 1], shape (n,); raise :class:`ValueError` where they are not."""
    numbers = as_finite(values, size=size, name=name)
    if numbers.size and (numbers.min() < 0 or numbers.max() > 1):
        raise ValueError(
            f"{name}: found {numbers.min():g} to {numbers.max():g}, expected 0 to 1. "
            "Give the model's probabilities, not its linear scores."
        )
    return numbers


def as_level(level: float) -> float:
    """Return a confidence level strictly between 0 and 1; raise :class:`ValueError` where it is not."""
    if not 0 < level < 1:
        raise ValueError(f"level: found {level!r}, expected a number between 0 and 1, such as 0.95.")
    return float(level)


def as_seed(seed: int | None) -> int:
    """Return the seed of a resampling; raise :class:`ValueError` where none was given."""
    if seed is None:
        raise ValueError("seed: found none; resampling needs one, so that the result can be had again.")
    return int(seed)


def one_of(value: str, allowed: tuple[str, ...], name: str) -> str:
    """Return ``value`` if it is one of ``allowed``; raise :class:`ValueError` where it is not."""
    if value not in allowed:
        raise ValueError(f"{name}: found {value!r}, expected one of {', '.join(map(repr, allowed))}.")
    return value


def _some(values: NDArray[Any]) -> str:
    """Up to three of the values found, for an error message."""
    unique = list(dict.fromkeys(str(v) for v in values.ravel().tolist()))
    return ", ".join(repr(v) for v in unique[:3]) + (", …" if len(unique) > 3 else "")
