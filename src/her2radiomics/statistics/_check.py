"""Checks of arguments: every refusal is a ``ValueError`` that names the argument, what was found and what was expected.

:func:`public` wraps every public function: it aligns pandas objects by their index, and checks each argument by its
name, since one name means one thing in all functions (:data:`_CHECKS`).
"""

from __future__ import annotations

import functools
import inspect
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
P = ParamSpec("P")
R = TypeVar("R")


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a public function: its arguments are aligned and checked before it runs."""
    signature = inspect.signature(function)
    checks = {name: _CHECKS[name] for name in signature.parameters if name in _CHECKS}
    defaults = {name: parameter.default for name, parameter in signature.parameters.items()}

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        given = bound.arguments
        given.update(aligned(**{name: value for name, value in given.items() if name != "self"}))
        for name, value in given.items():
            if name in checks and value is not defaults[name]:
                given[name] = checks[name](value, name)
        return function(*bound.args, **bound.kwargs)

    return cast("Callable[P, R]", checked)


def aligned(**given: Any) -> dict[str, Any]:
    """Return the arguments with every pandas object in the row order of the first one.

    Raises
    ------
    ValueError
        Two indexes hold other rows, or differ and name a row twice.
    """
    found, leaders = dict(given), dict[str, str]()
    apart = "labels_a" in given  # two sets of rows, a and b
    for name, value in given.items():
        if name not in _BY_ROW or not hasattr(value, "iloc"):
            continue
        first = leaders.setdefault(name[-2:] if apart else "", name)
        here, there = given[first].index, value.index
        if there.equals(here):
            continue
        if not (here.is_unique and there.is_unique and len(here) == len(there) and there.isin(here).all()):
            raise ValueError(
                f"{name}: found another index than that of {first}, expected the same rows. Select the same rows, or "
                "give values without an index (.to_numpy()) in the same order."
            )
        found[name] = value.loc[here]
    return found


def as_labels(labels: ArrayLike, *, both: bool = True, name: str = "labels") -> BoolArray:
    """Return binary labels, shape (n,), as booleans.

    Raises
    ------
    ValueError
        If a label is missing or is not 0 or 1, if there is none, or (``both``) if one class is absent.
    """
    values = _array(labels, name, "a non-empty list of 0 and 1")
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name}: found shape {values.shape}, expected a non-empty list of 0 and 1.")
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {_some(values)}, expected 0 and 1. Recode the outcome.") from None
    wrong = (numbers != 0.0) & (numbers != 1.0)
    if wrong.any():
        raise ValueError(
            f"{name}: found {_some(values[wrong])} in {int(wrong.sum())} of {values.size} rows, "
            "expected 0 and 1. Recode the outcome, or leave out the rows where it is unknown."
        )
    if both and numbers.min() == numbers.max():
        raise ValueError(f"{name}: found only {int(numbers[0])} in {values.size} rows, expected both 0 and 1.")
    return cast("BoolArray", numbers == 1.0)


def as_finite(values: ArrayLike, *, size: int | None = None, name: str = "scores") -> FloatArray:
    """Return finite numbers, shape (n,).

    Raises
    ------
    ValueError
        If a value is missing, infinite or not a number, or the length is not ``size``.
    """
    array = _array(values, name, "numbers")
    try:
        if array.dtype.kind not in "biufO":
            raise TypeError
        numbers = array.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found {_some(array)}, expected numbers.") from None
    if numbers.ndim != 1 or (size is not None and numbers.size != size):
        expected = "one value per row" if size is None else f"{size} values, one per row"
        raise ValueError(f"{name}: found shape {numbers.shape}, expected {expected}.")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise ValueError(
            f"{name}: found {int(wrong.sum())} missing or infinite of {numbers.size} values (first at row "
            f"{int(np.flatnonzero(wrong)[0])}), expected finite numbers. Leave these rows out or impute them."
        )
    return numbers


def as_probabilities(values: ArrayLike, *, size: int | None = None, name: str = "probabilities") -> FloatArray:
    """Return probabilities in [0, 1], shape (n,); raise :class:`ValueError` where they are not."""
    numbers = as_finite(values, size=size, name=name)
    if numbers.size and (numbers.min() < 0 or numbers.max() > 1):
        raise ValueError(
            f"{name}: found {numbers.min():g} to {numbers.max():g}, expected 0 to 1. "
            "Give the model's probabilities, not its linear scores."
        )
    return numbers


def as_thresholds(values: ArrayLike, name: str = "thresholds") -> FloatArray:
    """Return threshold probabilities, one or more from 0 to below 1; raise :class:`ValueError` elsewhere."""
    at = as_finite(values, name=name)
    if at.size == 0 or at.min() < 0 or at.max() >= 1:
        raise ValueError(f"{name}: expected one or more numbers from 0 to below 1.")
    return at


def as_number(value: Any, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number from ``least`` to ``most``; raise :class:`ValueError` where it is not."""
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and least <= number <= most):
        bounds = "" if math.isinf(least) else f" of at least {least:g}"
        bounds += "" if math.isinf(most) else f"{' and' if bounds else ' of'} at most {most:g}"
        raise ValueError(f"{name}: found {value!r}, expected a finite number{bounds}.")
    return number


def as_whole(value: Any, name: str, least: int = 0) -> int:
    """Return a whole number of at least ``least``; raise :class:`ValueError` where it is not."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: found {value!r}, expected a whole number of at least {least}.")
    return int(value)


def as_level(level: float, name: str = "level") -> float:
    """Return a confidence level strictly between 0 and 1; raise :class:`ValueError` where it is not."""
    if not 0 < as_number(level, name) < 1:
        raise ValueError(f"{name}: found {level!r}, expected a number between 0 and 1, such as 0.95.")
    return float(level)


def as_seed(seed: int | None, name: str = "seed") -> int:
    """Return the seed of a resampling; raise :class:`ValueError` where none was given."""
    if seed is None:
        raise ValueError(f"{name}: found none; resampling needs one, so that the result can be had again.")
    return as_whole(seed, name)


def as_resamples(values: Any, size: int, name: str = "resamples") -> NDArray[np.intp]:
    """Return row numbers of resamples, shape (resamples, n), each from 0 to below ``size``."""
    rows = _array(values, name, "row numbers")
    if rows.ndim != 2 or rows.dtype.kind not in "iu" or 0 in rows.shape:
        raise ValueError(f"{name}: found shape {rows.shape}, expected whole numbers, one row per resample.")
    if rows.min() < 0 or rows.max() >= size:
        raise ValueError(f"{name}: found rows {rows.min()} to {rows.max()}, expected 0 to {size - 1}.")
    return rows.astype(np.intp)


def one_of(value: Any, allowed: tuple[str, ...], name: str) -> str:
    """Return ``value`` if it is one of ``allowed``; raise :class:`ValueError` where it is not."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}: found {value!r}, expected one of {', '.join(map(repr, allowed))}.")
    return value


def distinct(names: Any, what: str) -> list[str]:
    """Return names as printed; raise :class:`ValueError` where two of them print alike."""
    printed = [str(name) for name in names]
    if len(set(printed)) < len(printed):
        twice = Counter(printed).most_common(1)[0][0]
        raise ValueError(f"{what}: found two that print as '{twice}', expected names that differ. Rename one.")
    return printed


def _table(value: Any, name: str) -> Any:
    """A data frame whose columns print differently."""
    if not (hasattr(value, "columns") and hasattr(value, "iloc")):
        raise ValueError(f"{name}: found {type(value).__name__}, expected a pandas DataFrame.")
    distinct(value.columns, f"{name}, columns")
    for column in value.select_dtypes(object).columns:
        if any(isinstance(cell, (list, dict, set, np.ndarray)) for cell in value[column]):
            raise ValueError(f"{name}, column '{column}': found lists, expected one number or level per row.")
    return value


def _mapping(value: Any, name: str) -> Any:
    """A mapping; of levels, each value a list."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: found {type(value).__name__}, expected a dictionary by column.")
    if name == "levels":
        for column, listed in value.items():
            if isinstance(listed, str) or not hasattr(listed, "__iter__") or not len(list(listed)):
                raise ValueError(f"{name}['{column}']: found {listed!r}, expected a list of levels.")
    return value


def _grouped(value: Any, name: str) -> Any:
    """A column's name, or a level per row."""
    if not isinstance(value, str) and _array(value, name, "one level per row").ndim != 1:
        raise ValueError(f"{name}: found {type(value).__name__}, expected one level per row.")
    return value


def _callable(value: Any, name: str) -> Any:
    if not callable(value):
        raise ValueError(f"{name}: found {type(value).__name__}, expected a function of row numbers.")
    return value


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}: found {value!r}, expected True or False.")
    return bool(value)


def _array(values: Any, name: str, expected: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: found rows of unequal length, expected {expected}.") from None


def _some(values: NDArray[Any]) -> str:
    """Up to three of the values found, for an error message."""
    unique = list(dict.fromkeys(str(v) for v in values.ravel().tolist()))
    return ", ".join(repr(v) for v in unique[:3]) + (", …" if len(unique) > 3 else "")


def _finite(values: Any, name: str) -> FloatArray:
    return as_finite(values, name=name)


def _probable(values: Any, name: str) -> FloatArray:
    return as_probabilities(values, name=name)


def _labelled(values: Any, name: str) -> BoolArray:
    return as_labels(values, both=False, name=name)


_BY_ROW = (
    *("labels", "labels_a", "labels_b", "scores", "scores_a", "scores_b", "probabilities", "probabilities_a"),
    *("probabilities_b", "table", "design", "time", "event", "group", "weights"),
)
_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(("labels", "labels_a", "labels_b"), _labelled),
    **dict.fromkeys(("scores", "scores_a", "scores_b", "time", "times"), _finite),
    **dict.fromkeys(("probabilities", "probabilities_a", "probabilities_b", "at", "cuts"), _probable),
    **dict.fromkeys(("table", "design", "data", "reader_1", "reader_2"), _table),
    **dict.fromkeys(("levels", "kinds"), _mapping),
    **dict.fromkeys(("threshold", "p_enter", "p_keep", "normality_p", "total", "low", "high"), as_number),
    **dict.fromkeys(("bootstrap", "decimals"), as_whole),
    **dict.fromkeys(("iterations", "n", "ticks"), functools.partial(as_whole, least=1)),
    **dict.fromkeys(("fitted", "yates"), _flag),
    **dict.fromkeys(("positives", "negatives", "parameters"), functools.partial(as_whole, least=1)),
    **dict.fromkeys(("prevalence", "r2", "target_shrinkage", "margin"), as_level),
    **dict.fromkeys(("mean", "sd"), as_number),
    "group": _grouped,
    "groups": functools.partial(as_whole, least=2),
    "successes": functools.partial(as_number, least=0),
    "max_points": functools.partial(as_number, least=1e-300),
    "level": as_level,
    "seed": as_seed,
    "thresholds": as_thresholds,
    "refit": _callable,
}
