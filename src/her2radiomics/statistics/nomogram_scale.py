"""Nomograms: points a level, total points to probability, as ``rms::nomogram`` lays them out.

The predictor with the widest effect spans 0 to 100 points; every other predictor starts at 0 points at its
least favourable end and is drawn on the same scale, so that total points are a linear function of the linear
predictor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import FloatArray, as_number, as_probabilities, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.regression import LogisticRegression


@dataclass(frozen=True)
class ContinuousPredictor:
    """A predictor with one coefficient a unit, drawn from ``low`` to ``high`` (widened to round numbers).

    With ``values``, at most 10 distinct ones, it is drawn at these alone, as ``rms::datadist(n.unique = 10)`` does.
    """

    name: str
    coefficient: float
    low: float
    high: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class CategoricalPredictor:
    """A predictor with one coefficient a level; the reference level has 0."""

    name: str
    levels: Mapping[Any, float]


#: Distinct values up to which a numeric predictor is drawn at these values (``n.unique`` of rms).
FEW = 10
Predictor = ContinuousPredictor | CategoricalPredictor


@dataclass(frozen=True)
class LinearModel:
    """What a nomogram draws: an intercept and predictors on the logit scale.

    ``linear_range`` is the range of the linear predictor among the patients that the model was fitted on; it
    sets the length of the total-points axis. Without it the axis reaches as far as the predictors do.
    """

    intercept: float
    predictors: Sequence[Predictor]
    linear_range: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Nomogram(Result):
    """Nomogram.

    Attributes
    ----------
    table
        ``axis, kind, value, points``: one row a tick. ``kind`` is ``predictor`` (points of a value or level),
        ``total`` (ticks of the total-points axis) or ``probability`` (total points at which a probability
        stands).
    points_per_unit
        Points of one unit of the linear predictor.
    origin
        Linear predictor at 0 total points.
    """

    table: pd.DataFrame
    points_per_unit: float
    origin: float
    model: LinearModel
    _lowest: dict[str, float] = field(repr=False)

    @property
    def lowest(self) -> dict[str, float]:
        """Contribution of each predictor to the linear predictor at 0 points."""
        return dict(self._lowest)

    def points(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return the points of each predictor for one patient.

        Raises
        ------
        ValueError
            If a predictor is missing, not a number, or has an unknown level.
        """
        result = {}
        if not isinstance(values, (Mapping, pd.Series)):
            raise ValueError(f"values: found {type(values).__name__}, expected a value for each predictor by name.")
        for predictor in self.model.predictors:
            if predictor.name not in values:
                raise ValueError(f"values, predictor '{predictor.name}': found no value, expected one.")
            effect = _effect(predictor, values[predictor.name])
            result[predictor.name] = (effect - self._lowest[predictor.name]) * self.points_per_unit
        return result

    def total_points(self, values: Mapping[str, Any]) -> float:
        """Return the sum of the points of one patient."""
        return sum(self.points(values).values())

    @public
    def probability(self, total: float) -> float:
        """Return the probability at ``total`` points."""
        return float(scipy.special.expit(self.origin + total / self.points_per_unit))

    def total_for(self, probability: float) -> float:
        """Return the total points at which ``probability`` lies."""
        return (_logit(probability) - self.origin) * self.points_per_unit


@public
def nomogram(
    model: LinearModel | LogisticRegression,
    data: pd.DataFrame | None = None,
    *,
    probabilities: Sequence[float] | None = None,
    max_points: float = 100.0,
    ticks: int = 10,
) -> Nomogram:
    """Lay a logistic model out as a nomogram.

    Parameters
    ----------
    model
        A :class:`LinearModel`, or a fitted :class:`LogisticRegression` together with ``data``.
    data
        The rows that a :class:`LogisticRegression` was fitted on: gives ranges of continuous predictors and
        of the linear predictor.
    probabilities
        Ticks of the probability axis; by default round ones over the range of the linear predictor.
    max_points
        Points of the widest predictor.
    ticks
        About how many ticks an axis has.

    Raises
    ------
    ValueError
        If there is no predictor, or no predictor has an effect.
    """
    if not isinstance(model, (LinearModel, LogisticRegression)):
        raise ValueError(f"model: found {type(model).__name__}, expected a LinearModel or a LogisticRegression.")
    if probabilities is not None:
        for place in as_probabilities(probabilities):
            _logit(float(place), "probabilities")
    model = model if isinstance(model, LinearModel) else linear_model(model, data)
    if not model.predictors:
        raise ValueError("model: found no predictor, expected at least one.")
    values = {p.name: _axis_values(p, ticks) for p in model.predictors}
    effects = {p.name: np.array([_effect(p, v) for v in values[p.name]]) for p in model.predictors}
    lowest = {name: float(e.min()) for name, e in effects.items()}
    widest = max(float(np.ptp(e)) for e in effects.values())
    if not (np.isfinite(widest) and widest > 0):
        raise ValueError("model: found no finite effect other than 0, expected one predictor with an effect.")
    scale = max_points / widest
    origin = model.intercept + sum(lowest.values())
    linear_range = model.linear_range or (origin, origin + sum(float(np.ptp(e)) for e in effects.values()))
    linear = pretty(*linear_range, ticks)
    reach = max_points if len(effects) == 1 else max(max_points, scale * (linear.max() - origin))
    total = pretty(0.0, reach, ticks)
    rows = [
        (name, "predictor", value, float(point))
        for name in values
        for value, point in zip(values[name], (effects[name] - lowest[name]) * scale, strict=True)
    ]
    rows += [("total", "total", float(point), float(point)) for point in total]
    if probabilities is None:
        least, most = float(scipy.special.expit(linear[0])), float(scipy.special.expit(linear[-1]))
        probabilities = round_probabilities(least, most, ticks)
    rows += [("probability", "probability", float(p), (_logit(p) - origin) * float(scale)) for p in probabilities]
    table = pd.DataFrame(rows, columns=["axis", "kind", "value", "points"]).astype({"value": object})
    return Nomogram(table, float(scale), float(origin), model, lowest)


def linear_model(model: LogisticRegression, data: pd.DataFrame | None) -> LinearModel:
    """Take intercept, coefficients, levels and ranges from a fitted logistic regression and its rows."""
    if data is None:
        raise ValueError("data: found none, expected the rows that the model was fitted on (for the axes' ranges).")
    data = data.rename(columns=str)
    try:
        linear = model.linear_predictor(data)
    except ValueError as error:
        raise ValueError(f"data, {error}") from error
    predictors: list[Predictor] = []
    for name in model.coding.variables:
        if name in model.coding.levels:
            reference, *others = model.coding.levels[name]
            beta = [model.coefficients[term] for term in model.coding.terms_of(name)]
            predictors.append(CategoricalPredictor(name, {reference: 0.0, **dict(zip(others, beta, strict=True))}))
        else:
            column = data[name].to_numpy(dtype=float)
            ends = float(column.min()), float(column.max())
            predictors.append(ContinuousPredictor(name, model.coefficients[name], *ends, few_values(column)))
    return LinearModel(model.intercept, tuple(predictors), (float(linear.min()), float(linear.max())))


def few_values(values: FloatArray) -> tuple[float, ...]:
    """Distinct values of a predictor of at most 10 of them (``n.unique`` of rms), sorted; empty for more."""
    distinct = np.unique(values)
    return tuple(map(float, distinct)) if distinct.size <= FEW else ()


def round_probabilities(least: float, most: float, ticks: int = 10) -> list[float]:
    """About ``ticks`` round probabilities from ``least`` to ``most``, and never fewer than two.

    A weak model predicts within a narrow range, where the usual steps would leave one tick or none.
    """
    for wanted in (ticks, 2 * ticks, 4 * ticks, 8 * ticks):
        inside = [float(p) for p in pretty(least, most, wanted) if least <= p <= most and 0 < p < 1]
        if len(inside) >= 2:
            return inside
    return [least, most]


@public
def pretty(low: float, high: float, n: int = 5) -> FloatArray:
    """About ``n`` equally spaced round numbers that cover ``low`` to ``high``, in steps of 1, 2 or 5 times a power of ten.

    The rule is that of R's ``pretty`` with its default biases.
    """
    if high < low:
        raise ValueError(f"high: found {high:g} below low, {low:g}.")
    bias, bias5, fewest = 1.5, 2.75, n // 3
    span = high - low
    if span == 0 and high == 0:
        cell, tiny = 1.0, True
    else:
        cell = max(abs(low), abs(high))
        factor = 1 + (1 / (1 + bias) if bias5 >= 1.5 * bias + 0.5 else 1.5 / (1 + bias5))
        tiny = span < cell * factor * max(1, n) * 2.220446049250313e-16 * 3
    if tiny:
        cell = min(cell, 9 + cell / 10) * 0.75 / (fewest if fewest > 1 else 1)
    else:
        cell = span / n if n else span
    base = 10.0 ** math.floor(math.log10(cell))
    unit = base
    if 2 * base - cell < bias * (cell - unit):
        unit = 2 * base
        if 5 * base - cell < bias5 * (cell - unit):
            unit = 5 * base
            if 10 * base - cell < bias * (cell - unit):
                unit = 10 * base
    first, last = math.floor(low / unit + 1e-10), math.ceil(high / unit - 1e-10)
    while first * unit > low + 1e-10 * unit:
        first -= 1
    while last * unit < high - 1e-10 * unit:
        last += 1
    lacking = fewest - (last - first)
    if lacking > 0:
        half = lacking // 2
        if low == 0 and first == 0 and high != 0:
            last += lacking
        elif high == 0 and last == 0 and low != 0:
            first -= lacking
        elif first >= 0:
            first, last = first - half - lacking % 2, last + half
        else:
            first, last = first - half, last + half + lacking % 2
    decimals = max(0, -math.floor(math.log10(unit)))
    return np.round(np.arange(first, last + 1) * unit, decimals)


def _logit(probability: float, name: str = "probability") -> float:
    if not 0 < as_number(probability, name) < 1:
        raise ValueError(f"{name}: found {probability!r}, expected a number between 0 and 1.")
    return math.log(probability / (1 - probability))


def _axis_values(predictor: Predictor, ticks: int) -> list[Any]:
    """Values at which a predictor's axis has ticks."""
    if isinstance(predictor, CategoricalPredictor):
        if len(predictor.levels) < 2:
            raise ValueError(f"model, predictor '{predictor.name}': found one level, expected at least 2.")
        return list(predictor.levels)
    if not (np.isfinite(predictor.low) and np.isfinite(predictor.high) and predictor.low <= predictor.high):
        raise ValueError(
            f"model, predictor '{predictor.name}': found {predictor.low} to {predictor.high}, expected a range."
        )
    return list(predictor.values) or [float(v) for v in pretty(predictor.low, predictor.high, ticks)]


def _effect(predictor: Predictor, value: Any) -> float:
    """Contribution of one value to the linear predictor."""
    if isinstance(predictor, CategoricalPredictor):
        if value not in predictor.levels:
            raise ValueError(
                f"values, predictor '{predictor.name}': found level {value!r}, expected one of "
                f"{', '.join(map(repr, predictor.levels))}."
            )
        return float(predictor.levels[value])
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not math.isfinite(number):
        raise ValueError(f"values, predictor '{predictor.name}': found {value!r}, expected a finite number.")
    return predictor.coefficient * number
