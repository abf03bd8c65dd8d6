"""Tables that a fitted model leaves behind, and the table of its coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved.rules import LevelPredictor, LinearRule, Rule
from her2radiomics.statistics import LogisticRegression

ROWS_PER_TERM = 4


@dataclass
class FitReport:
    """Tables that a fitted model leaves behind.

    Attributes
    ----------
    coefficients
        ``term, beta, se, wald, odds_ratio, ci_low, ci_high, p``; ``term, beta`` for an empty model.
    selection
        ``step, name, features_in, features_out, note``.
    tables
        What the kind adds: ``reproducibility``, ``lasso_path``, ``lasso_cv``, ``univariate``, ``multivariate``. A combined
        model's tables are named ``<part>.<table>``.
    notes
        Sentences for the report: an empty model, separation, values imputed, patients left out.
    """

    coefficients: pd.DataFrame
    selection: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def coefficient_table(
    table: pd.DataFrame, rule: Rule, method: str, regression: Callable[[], LogisticRegression]
) -> pd.DataFrame:
    """``term, beta, se, …`` of the regression that a model used, which ``regression`` fits.

    ``term, beta`` when it is empty or penalised (ridge, support vector machine); no row for a forest, which has no
    coefficients. ``term, beta``, too, when Firth's method was used with more than a term every
    :data:`ROWS_PER_TERM` rows: so close to saturation its profile intervals say nothing and may not exist.
    """
    if not isinstance(rule, LinearRule):
        return pd.DataFrame(columns=["term", "beta"])
    if table.shape[1] == 0:
        return pd.DataFrame({"term": ["(Intercept)"], "beta": [rule.intercept]})
    try:
        if method not in ("ml", "firth"):
            raise ArithmeticError
        if method == "firth" and table.shape[1] * ROWS_PER_TERM > len(table):
            raise ArithmeticError
        fit = regression()
        fit.table.attrs["wald_terms"] = fit.wald_terms
        return fit.table
    except (ArithmeticError, np.linalg.LinAlgError):
        terms = [(p.name, p.coefficient) for p in rule.predictors if not isinstance(p, LevelPredictor)]
        terms += [
            (f"{p.name}[{level}]", weight)
            for p in rule.predictors
            if isinstance(p, LevelPredictor)
            for level, weight in p.weights[1:]
        ]
        return pd.DataFrame([("(Intercept)", rule.intercept), *terms], columns=["term", "beta"])


def coefficient_notes(rule: Rule, rows: int, method: str, coefficients: pd.DataFrame) -> list[str]:
    """Why a coefficient table has no standard errors, or another intercept than the model predicts with."""
    if not rule.predictors or not isinstance(rule, LinearRule):
        return []
    if method not in ("ml", "firth"):
        return ["a penalised estimator has no standard errors"]
    if "se" not in coefficients:
        terms = len(coefficients) - 1
        return [f"no standard errors: {terms} terms for {rows} rows are too many for Firth's intervals"]
    notes = []
    if coefficients.attrs.get("wald_terms"):
        notes.append(
            "Wald's interval and p in place of Firth's profile, which has no bound: "
            + ", ".join(coefficients.attrs["wald_terms"])
        )
    if abs(coefficients["beta"].iloc[0] - rule.intercept) > 1e-6:
        notes.append(
            f"predictions use the intercept {rule.intercept:.4f}, at which the mean probability is the "
            "prevalence (FLIC), not Firth's in the table"
        )
    return notes


def selection_row(name: str, features_in: int, features_out: int, note: str) -> dict[str, Any]:
    """A row of ``selection.csv``, without its number."""
    return {"name": name, "features_in": features_in, "features_out": features_out, "note": note}


def selection_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Number the rows of a selection report."""
    table = pd.DataFrame(rows, columns=["name", "features_in", "features_out", "note"])
    table.insert(0, "step", np.arange(1, len(table) + 1))
    return table
