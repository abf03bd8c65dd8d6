"""Values of new patients that lie outside the range of training, where a model has seen nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved.rules import FeaturePredictor, NumericPredictor

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Of the width of the range: what rounding alone may take a value outside.
ROUNDING = 1e-9


def find_extrapolated(
    model: FittedModel, features: pd.DataFrame | None, participants: pd.DataFrame, *, typed: bool = True
) -> pd.DataFrame:
    """Values outside the range of training.

    Parameters
    ----------
    model
        A loaded model.
    features, participants, typed
        As for :meth:`~her2radiomics.modelling.saved.fitted.FittedModel.predict`.

    Returns
    -------
    pandas.DataFrame
        ``patient_id, column, value, low, high``: a row a value, in the order of the columns and the patients. Of features
        that are adjusted for the centre, value and range are those after the scaling.
    """
    table = model.table_of(features, participants, typed)
    rows: dict[tuple[str, str], tuple[float, float, float]] = {}
    for predictor in (*model.rule.features(), *model.rule.clinical()):
        if isinstance(predictor, FeaturePredictor):
            values, low, high = _of_feature(predictor, table)
        elif isinstance(predictor, NumericPredictor):
            values = table[predictor.name].to_numpy(dtype=float, na_value=np.nan)
            low, high = predictor.low, predictor.high
        else:
            continue
        slack = ROUNDING * (high - low)
        for place in np.flatnonzero((values < low - slack) | (values > high + slack)):
            rows[str(table.index[place]), predictor.name] = (float(values[place]), low, high)
    return pd.DataFrame(
        [(*who, *numbers) for who, numbers in rows.items()], columns=["patient_id", "column", "value", "low", "high"]
    )


def _of_feature(predictor: FeaturePredictor, table: pd.DataFrame) -> tuple[np.ndarray, float, float]:
    """Values and range before the scaling, or after it where it depends on the centre; a missing value is NaN."""
    values, ends = predictor.numbers(table), raw_range(predictor)
    if ends is not None:
        return values, *ends
    low, high = predictor.low, predictor.high
    scaled = predictor.scaled(table)
    return np.where(np.isnan(values), np.nan, scaled), low, high


def raw_range(predictor: FeaturePredictor) -> tuple[float, float] | None:
    """Range of training before the scaling; ``None`` where the scaling depends on the centre."""
    low, high = predictor.low, predictor.high
    for scaling in reversed(predictor.scalings):
        if not isinstance(scaling, tuple):
            return None
        shift, scale = scaling
        low, high = sorted((low * scale + shift, high * scale + shift))
    return low, high
