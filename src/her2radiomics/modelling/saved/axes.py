"""Axes of a model's nomogram, as figures, the calculator and a patient's page draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2radiomics.core.contracts import contract
from her2radiomics.core.libraries import pd
from her2radiomics.statistics import nomogram
from her2radiomics.statistics.nomogram_scale import round_probabilities

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

# denser towards the ends, where the axis of log-odds is long
FEWEST = 3
PROBABILITIES = (0.001, 0.01, 0.05, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99, 0.999)


def nomogram_table(model: FittedModel) -> pd.DataFrame:
    """Axes of the model's nomogram: ``axis, label, value, position``, one row a tick.

    ``position`` is in points on the axes of points and predictors, in total points on the other two.
    """
    laid_out = nomogram(model.nomogram_model())
    reach = float(laid_out.to_frame().query("axis == 'total'")["points"].max())
    probabilities = [p for p in PROBABILITIES if 0 <= laid_out.total_for(p) <= reach]
    if len(probabilities) < FEWEST:  # a weak model's probabilities hardly differ
        probabilities = round_probabilities(laid_out.probability(0.0), laid_out.probability(reach))
    drawn = nomogram(model.nomogram_model(), probabilities=probabilities).to_frame()
    points = [("points", f"{value}", f"{value}", float(value)) for value in range(0, 101, 10)]
    names = {"total": "total_points"}
    rows = [
        (names.get(row.axis, row.axis), _text(row.value), _text(row.value), float(row.points))
        for row in drawn.itertuples()
    ]
    return pd.DataFrame([*points, *rows], columns=list(contract("nomogram").names))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
