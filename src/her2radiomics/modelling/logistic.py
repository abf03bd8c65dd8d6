"""The logistic regression inside the models: estimates only, fast enough for thousands of refits.

The published table (standard errors, intervals, p) of the same fit is made by
:func:`her2radiomics.statistics.logistic_regression` when a report asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.statistics import likelihood, separation
from her2radiomics.statistics.design import joined, treatment_coding

if TYPE_CHECKING:
    from her2radiomics.statistics.design import Coding, Levels

# share of a standardised column's length that the columns before it must leave unexplained
INDEPENDENT = 1e-6


@dataclass(frozen=True)
class LogisticFit:
    """Estimates for prediction; ``dropped`` columns were combinations of others, or too many."""

    intercept: float
    coefficients: dict[str, float]
    coding: Coding
    columns: tuple[str, ...]
    dropped: tuple[str, ...]
    method: str
    separated: bool

    @property
    def note(self) -> str:
        """What was fitted, in words."""
        if not self.columns:
            return "intercept only"
        text = "maximum likelihood" if self.method == "ml" else "Firth's penalised likelihood"
        if self.separated:
            text += "; the data are separated"
        if self.dropped:
            text += f"; {len(self.dropped)} left out: combinations of other terms, or more "
            text += "terms than the number of patients allows"
        return text


def fit_logistic(
    table: pd.DataFrame, labels: np.ndarray, method: str, levels: Levels | None = None, *, name: str
) -> LogisticFit:
    """Fit a logistic regression on every column of a table, for prediction.

    Parameters
    ----------
    table
        Complete, rows × columns, the most important column first: of columns that are combinations of one another
        the first are kept, and never more than rows − 2. Constant columns are left out. No column at all gives the
        intercept, the log-odds of the prevalence.
    labels
        0 or 1, both present, shape (rows,).
    method
        ``ml``, ``firth`` or ``auto`` (Firth when the data are separated). After Firth the intercept is the one that
        makes the mean probability equal the prevalence (FLIC).
    levels
        Levels of categorical columns, the reference first.
    name
        The model's name, for errors.

    Raises
    ------
    StudyError
        Maximum likelihood was asked for and does not exist.
    """
    positive = np.asarray(labels) == 1
    varying = [str(name) for name in table.columns if len(table[name].unique()) > 1]
    whole = treatment_coding(table[varying], {c: v for c, v in (levels or {}).items() if c in varying})
    blocks = whole.blocks(table, learnt=True)
    columns = _independent(blocks, len(table))
    dropped = tuple(str(c) for c in table.columns if c not in set(columns))
    coding = whole.of(columns)
    design = joined([blocks[name] for name in columns], len(table))
    if not columns:
        intercept = float(np.log(positive.mean() / (1 - positive.mean())))
        return LogisticFit(intercept, {}, coding, (), dropped, "ml", False)
    separated = separation.separated(design, positive)
    fit = likelihood.fit_ml(design, positive) if method != "firth" and not separated else None
    if fit is not None and fit.converged:
        beta, used = fit.beta, "ml"
    elif method == "ml":
        raise StudyError(
            f"model '{name}': found classes that {', '.join(coding.terms)} separate, where maximum likelihood has no "
            "solution; expected overlapping classes. Set method: auto, or method: firth."
        )
    else:
        try:
            beta, used = likelihood.firth_standardised(design, positive), "firth"
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            raise StudyError(
                f"model '{name}': found no maximum of Firth's likelihood with {design.shape[1]} terms and {len(design)} "
                "rows; expected far fewer terms than rows. Select fewer features (rule: 1se, or k)."
            ) from error
    intercept = float(beta[0])
    coefficients = dict(zip(coding.terms, (float(b) for b in beta[1:]), strict=True))
    return LogisticFit(intercept, coefficients, coding, tuple(columns), dropped, used, separated)


def _independent(blocks: Mapping[str, np.ndarray], n: int) -> list[str]:
    """Columns whose terms are no combination of the columns before them (Gram–Schmidt, twice for accuracy).

    ``blocks`` are the terms of each column that varies, shape (``n``, terms).
    """
    design = joined(blocks.values(), n)
    design = design - design.mean(axis=0)
    ends = np.cumsum([block.shape[1] for block in blocks.values()], dtype=int)
    basis = np.full((n, 1), 1 / np.sqrt(n))
    kept = []
    for name, end in zip(blocks, ends, strict=True):
        grown = basis
        for term in design[:, end - blocks[name].shape[1] : end].T:
            unit = term / np.linalg.norm(term)
            rest = unit - grown @ (grown.T @ unit)
            rest = rest - grown @ (grown.T @ rest)
            if np.linalg.norm(rest) < INDEPENDENT:
                break
            grown = np.column_stack([grown, rest / np.linalg.norm(rest)])
        else:
            if grown.shape[1] <= n - 1:
                basis = grown
                kept.append(name)
    return kept


def firth_reference(method: str) -> tuple[str, ...]:
    """Key of the reference of Firth's method, where a regression may use it."""
    return ("heinze_2002",) if method in ("auto", "firth") else ()
