"""The usual clinical route: univariable regressions first, then one multivariable model of what passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import as_labels, one_of, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels, joined, treatment_coding
from her2radiomics.statistics.regression import COLUMNS, INTERCEPT, LogisticRegression, Method, fitted

#: A regression and the p of each of its variables.
Tested = tuple[LogisticRegression, dict[str, float]]
Keep = Literal["enter", "significant", "backward", "all"]


@dataclass(frozen=True, eq=False, repr=False)
class UnivariateThenMultivariate(Result):
    """Univariable, then multivariable logistic regression.

    Attributes
    ----------
    entered, selected
        Variables that passed the univariate step, and those finally kept. Both may be empty.
    model
        The model of :attr:`selected`; ``None`` where nothing was selected.
    """

    entered: tuple[str, ...]
    selected: tuple[str, ...]
    model: LogisticRegression | None
    p_enter: float
    keep: str
    _single: dict[str, Tested | None] = field(repr=False)
    _together: Tested | None = field(repr=False)

    @cached_property
    def univariate(self) -> pd.DataFrame:
        """One row per term: ``variable``, the columns of :class:`LogisticRegression`, ``p_variable``, ``method``, ``note``.

        ``p_variable`` is the test of the whole variable, ``method`` is ``ml``, ``firth``, or empty where nothing could be
        fitted.
        """
        empty = dict.fromkeys(COLUMNS[1:], float("nan")) | {"method": "", "note": "one value in all rows"}
        rows = [
            row
            for name, tested in self._single.items()
            for row in (_rows(*tested) if tested else [{"variable": name, "term": name, **empty}])
        ]
        return pd.DataFrame(rows, columns=[*_TABLED, "note"])

    @cached_property
    def multivariate(self) -> pd.DataFrame:
        """The multivariable model's table with ``variable``, ``p_variable`` and ``method``; no rows where nothing passed."""
        return pd.DataFrame(_rows(*self._together) if self._together else [], columns=_TABLED)

    @property
    def remark(self) -> str:
        """What was entered and kept, in words."""
        if not self.entered:
            return f"No variable had a univariable p < {self.p_enter:g}; nothing is selected."
        if not self.selected:
            return f"Entered {', '.join(self.entered)}; none was kept."
        return f"Entered {', '.join(self.entered)}; kept {', '.join(self.selected)} ({self.keep})."

    def to_frame(self) -> pd.DataFrame:
        """Return both tables under each other, marked by ``step``."""
        parts = {"univariate": self.univariate, "multivariate": self.multivariate}
        shown = [frame.assign(step=step) for step, frame in parts.items() if len(frame)]
        frame = pd.concat(shown, ignore_index=True).drop(columns="note", errors="ignore")
        return frame[["step", *(name for name in frame.columns if name != "step")]]


@public
def univariate_then_multivariate(
    table: pd.DataFrame,
    labels: ArrayLike,
    p_enter: float = 0.05,
    keep: Keep = "enter",
    *,
    p_keep: float = 0.05,
    method: Method = "auto",
    test: Literal["wald", "lr"] = "wald",
    levels: Levels | None = None,
    level: float = 0.95,
) -> UnivariateThenMultivariate:
    """Screen variables one by one, then fit those with p < ``p_enter`` together.

    Parameters
    ----------
    table, labels, method, levels, level
        As for :func:`logistic_regression`.
    p_enter
        Univariable p below which a variable enters; a variable with several levels enters as a whole.
    keep
        ``enter``: all that entered are kept. ``significant``: of these, the ones with p < ``p_keep`` in the
        multivariable model, and :attr:`model` is refitted on them. ``backward``: the variable with the largest
        p is removed and the rest refitted until every p < ``p_keep``. ``all``: every variable enters and stays,
        whatever its p, as in a model whose terms are published.
    p_keep
        Multivariate p below which a variable is kept.
    test
        Test of a variable after maximum likelihood: ``wald`` (the p that the table shows) or ``lr``. After
        Firth's method it is always the likelihood-ratio test.

    Notes
    -----
    A constant column cannot be fitted; it stays in the univariate table with a note and does not enter.
    """
    one_of(keep, ("enter", "significant", "backward", "all"), "keep")
    one_of(test, ("wald", "lr"), "test")
    one_of(method, ("ml", "firth", "auto"), "method")
    positive = as_labels(labels)
    if len(table) != positive.size or table.shape[1] == 0:
        raise ValueError(
            f"table: found {table.shape[0]} rows × {table.shape[1]} columns, expected {positive.size} rows, one per label."
        )
    table, levels = table.rename(columns=str), {str(name): listed for name, listed in (levels or {}).items()}
    if unknown := [name for name in levels if name not in table.columns]:
        raise ValueError(f"levels: found '{unknown[0]}', expected a column of the table.")

    varying = [name for name in table.columns if len(table[name].unique()) > 1]
    coding = treatment_coding(table[varying], {name: seen for name, seen in levels.items() if name in varying})
    blocks = coding.blocks(table, learnt=True)

    def tested(names: list[str]) -> Tested:
        design = joined([blocks[name] for name in names], len(table))
        model = fitted(design, positive, coding.of(names), method, level)
        return model, {name: p for name, *_, p in model.tests("lr" if model.method == "firth" else test)}

    single = {name: tested([name]) if name in blocks else None for name in table.columns}
    entered = [name for name, found in single.items() if found and (keep == "all" or found[1][name] < p_enter)]
    selected, together, final = list(entered), None, None
    if entered:
        together = final, p = tested(selected)
        if keep == "significant":
            selected = [name for name in selected if p[name] < p_keep]
            final = tested(selected)[0] if selected else None
        while keep == "backward" and selected:
            worst = max(selected, key=lambda name: (np.nan_to_num(p[name], nan=2.0), selected.index(name)))
            if p[worst] < p_keep:
                break
            selected.remove(worst)
            together = tested(selected) if selected else None
            final, p = together or (None, p)
    return UnivariateThenMultivariate(
        entered=tuple(entered),
        selected=tuple(selected),
        model=final,
        p_enter=p_enter,
        keep=keep,
        _single=single,
        _together=together,
    )


_TABLED = ["variable", *COLUMNS, "p_variable", "method"]


def _rows(model: LogisticRegression, p: dict[str, float]) -> list[dict]:
    """Rows of a model's table without the intercept, each with its variable and the variable's p."""
    variable = {term: name for name in model.coding.variables for term in model.coding.terms_of(name)}
    return [
        {
            "variable": variable[row["term"]],
            **row,
            "p_variable": p[variable[row["term"]]],
            "method": model.method,
            "note": "" if model.converged else "separated: maximum likelihood has no solution",
        }
        for row in model.table.to_dict("records")
        if row["term"] != INTERCEPT
    ]


@dataclass(frozen=True)
class LikelihoodRatio(Result):
    """Likelihood-ratio test of nested models."""

    statistic: float
    df: int
    p: float


@public
def likelihood_ratio_test(smaller: LogisticRegression, larger: LogisticRegression) -> LikelihoodRatio:
    """Compare two nested logistic regressions of the same rows (``anova(test = "LRT")``).

    Parameters
    ----------
    smaller, larger
        Maximum-likelihood fits; every term of ``smaller`` is in ``larger``.

    Raises
    ------
    ValueError
        If the models are not nested, were fitted on different rows, or not by maximum likelihood.
    """
    for name, model in (("smaller", smaller), ("larger", larger)):
        if not isinstance(model, LogisticRegression):
            raise ValueError(f"{name}: found {type(model).__name__}, expected a LogisticRegression.")
        if model.method != "ml" or not model.converged:
            raise ValueError(
                f"{name}: found a fit by {model.method!r}, expected maximum likelihood that converged. After Firth's "
                "method use .variable_tests('lr') of the larger model."
            )
    if smaller.n != larger.n or not np.array_equal(smaller.labels, larger.labels):
        raise ValueError("smaller, larger: found models of different rows, expected the same rows and outcomes.")
    df = len(larger.coefficients) - len(smaller.coefficients)
    if df < 1 or not set(smaller.coefficients) <= set(larger.coefficients):
        raise ValueError(
            "smaller, larger: found models that are not nested, expected every term of the smaller in the larger."
        )
    statistic = max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood))
    return LikelihoodRatio(statistic, df, float(scipy.special.chdtrc(df, statistic)))
