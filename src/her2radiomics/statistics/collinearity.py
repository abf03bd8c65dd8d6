"""Variance inflation: how much the other predictors of a regression widen a coefficient's variance."""

from __future__ import annotations

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.statistics._check import public
from her2radiomics.statistics.design import Levels, treatment_coding


@public
def variance_inflation(table: pd.DataFrame, levels: Levels | None = None) -> pd.DataFrame:
    """Generalised variance inflation factors of every column of ``table``.

    Parameters
    ----------
    table
        Predictors, one row per patient, complete; text and categorical columns are expanded to their levels.
    levels
        Levels of categorical columns, the reference first.

    Returns
    -------
    pandas.DataFrame
        ``variable, df, gvif, adjusted``: for a column of one term ``gvif`` is the usual factor 1/(1 − R²); for one with
        several it is that of all its terms together, and ``adjusted`` = gvif^(1/(2·df)) is comparable between columns
        (its square with the usual factor). Infinite where a column follows from the others.

    Raises
    ------
    ValueError
        Fewer than two columns, or one that is constant or has missing values.

    References
    ----------
    Fox & Monette, Journal of the American Statistical Association 87 (1992) 178–183; as ``car::vif``.
    """
    if table.shape[1] < 2:
        raise ValueError(f"table: found {table.shape[1]} column, expected at least two predictors.")
    coding = treatment_coding(table, levels)
    correlation = np.atleast_2d(np.corrcoef(coding.matrix(table), rowvar=False))
    owner = np.array([v for v in coding.variables for _ in range(max(len(coding.levels.get(v, ())) - 1, 1))])
    whole = float(np.linalg.det(correlation))
    rows = []
    for name in coding.variables:
        own = owner == name
        parts = (float(np.linalg.det(correlation[np.ix_(part, part)])) for part in (own, ~own))
        gvif = float(np.prod(list(parts))) / whole if whole > 1e-12 else float("inf")
        df = int(own.sum())
        rows.append({"variable": name, "df": df, "gvif": gvif, "adjusted": gvif ** (1 / (2 * df))})
    return pd.DataFrame(rows)
