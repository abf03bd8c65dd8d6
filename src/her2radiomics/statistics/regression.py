"""Logistic regression with a publication's table: β, SE, Wald, odds ratio, interval, p.

Separation is looked for before fitting: it leaves maximum likelihood without a solution, and libraries that
iterate on print enormous odds ratios with p near 1. Firth's penalised likelihood is then used
(``method="auto"``), judged by likelihood ratio instead of Wald, since Wald intervals mislead there.

References
----------
Firth, Biometrika 80 (1993) 27–38. Heinze & Schemper, Statistics in Medicine 21 (2002) 2409–2419.
Puhr et al., Statistics in Medicine 36 (2017) 2302–2317 (FLIC).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics import likelihood, penalised, separation
from her2radiomics.statistics._check import BoolArray, FloatArray, as_labels, one_of, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Coding, Levels, joined, refuse_aliased, treatment_coding

Method = Literal["ml", "firth", "auto"]
INTERCEPT = "(Intercept)"
# terms up to which Firth's profile intervals are looked for: each costs some hundred fits
_MAX_PROFILED = 60
COLUMNS = ["term", "beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p"]


@dataclass(frozen=True)
class _FirthPeak:
    """Firth's maximum on standardised terms, the intercept first: coefficients, their covariance, and the value there."""

    beta: FloatArray
    covariance: FloatArray
    value: float


@dataclass(frozen=True, eq=False, repr=False)
class LogisticRegression(Result):
    """Logistic regression.

    Attributes
    ----------
    method
        ``ml`` or ``firth``: what was fitted.
    converged, separated
        After ``method="ml"`` on separated data ``converged`` is false. Infinite estimates, as R's
        ``detectseparation`` finds them, are given as ±inf with nothing else; the others have the limit of maximum
        likelihood.
    log_likelihood
        Maximised log-likelihood (penalised for Firth).
    coefficients, intercept
        For prediction: Firth's intercept is replaced by the one that makes the mean probability equal the
        prevalence (FLIC).
    """

    method: str
    converged: bool
    separated: bool
    log_likelihood: float
    coefficients: dict[str, float]
    intercept: float
    n: int
    events: int
    level: float
    coding: Coding
    _design: FloatArray = field(repr=False)
    _positive: BoolArray = field(repr=False)
    _fit: likelihood.Fit = field(repr=False)
    _peak: _FirthPeak | None = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """``term, beta, se, wald, odds_ratio, ci_low, ci_high, p``, the intercept first.

        ``wald`` is (β / SE)² on one degree of freedom. ``ci_low`` and ``ci_high`` bound the odds ratio: Wald intervals
        after maximum likelihood, profile intervals of the penalised likelihood after Firth, whose ``p`` are
        likelihood-ratio p (but see :attr:`wald_terms`).
        """
        return self._tabled[0]

    @property
    def wald_terms(self) -> tuple[str, ...]:
        """Terms with Wald's interval and p after Firth's method.

        Close to saturation a profile may never fall to its bound, and it is not looked for in models of more than 60 terms.
        """
        return self._tabled[1]

    @cached_property
    def _tabled(self) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The table and its Wald terms, made when they are read: Firth's intervals cost hundreds of fits."""
        if self._peak is None:
            frame, wald = _wald(self._fit, self.level), list[int]()
        else:
            frame, wald = _profiles(self._design, self._positive, self._peak, self._fit.beta, self.level)
        terms = [INTERCEPT, *self.coding.terms]
        frame.insert(0, "term", terms)
        return frame[COLUMNS], tuple(terms[i] for i in wald)

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table

    @property
    def remark(self) -> str:
        """Method, sample size and separation, in words."""
        how = "maximum likelihood" if self.method == "ml" else "Firth's penalised likelihood"
        text = f"n = {self.n}, {self.events} events; {how}; log-likelihood {self.log_likelihood:.6g}."
        if self.separated and self.method == "ml":
            text += " The data are separated: maximum-likelihood estimates do not exist; use method='auto'."
        elif self.separated:
            text += " The data are separated."
        if self.wald_terms:
            text += f" Wald's interval and p, since the profile has no bound: {', '.join(self.wald_terms)}."
        if not self.separated and not self.converged:
            text += " The fit did not converge: use method='auto'."
        return text

    @property
    def labels(self) -> BoolArray:
        """Outcomes of the rows fitted, shape (n,)."""
        return self._positive

    @public
    def linear_predictor(self, table: pd.DataFrame) -> pd.Series:
        """Return the linear predictor of new rows, with their index; unseen levels are refused by name."""
        if not self.converged:
            raise ValueError("found a fit that did not converge, expected estimates. Use method='auto'.")
        beta = np.array([self.coefficients[term] for term in self.coding.terms])
        return pd.Series(self.intercept + self.coding.matrix(table) @ beta, index=table.index)

    def predict(self, table: pd.DataFrame) -> pd.Series:
        """Return the probability of the outcome in new rows, with their index, so that labels are aligned to them."""
        linear = self.linear_predictor(table)
        return pd.Series(scipy.special.expit(linear.to_numpy()), index=linear.index)

    def variable_tests(self, test: Literal["lr", "wald"] = "lr") -> pd.DataFrame:
        """Test each variable as a whole: ``variable, statistic, df, p``.

        ``lr``: (penalised) likelihood-ratio test of all its terms. ``wald``: overall Wald test, as SPSS
        prints; for maximum likelihood only.
        """
        return pd.DataFrame(self.tests(test), columns=["variable", "statistic", "df", "p"])

    def tests(self, test: Literal["lr", "wald"]) -> list[tuple[str, float, int, float]]:
        """Rows of :meth:`variable_tests`."""
        one_of(test, ("lr", "wald"), "test")
        if test == "wald" and self.method == "firth":
            raise ValueError("test: found 'wald' after Firth's method, expected 'lr'.")
        rows = []
        for variable in self.coding.variables:
            at = self.coding.positions(variable)
            df = at.stop - at.start
            if not self.converged:
                statistic = float("nan")
            elif test == "wald":
                beta = np.array([self.coefficients[t] for t in self.coding.terms_of(variable)])
                block = self._fit.covariance[at.start + 1 : at.stop + 1, at.start + 1 : at.stop + 1]
                statistic = float(beta @ np.linalg.solve(block, beta))
            else:
                places = np.arange(at.start, at.stop)
                statistic = max(0.0, 2 * (self.log_likelihood - self._constrained(places)))
            rows.append((variable, statistic, df, float(scipy.special.chdtrc(df, statistic))))
        return rows

    def test_without(self, variables: Sequence[str]) -> tuple[float, int, float]:
        """(Penalised) likelihood-ratio test of several variables together: statistic, degrees of freedom, p.

        After maximum likelihood it is the test against the nested model without them; after Firth's method their
        coefficients are held at 0 under the penalty of the whole model (Heinze & Schemper 2002).
        """
        if isinstance(variables, str) or not all(isinstance(name, str) for name in _listed(variables)):
            raise ValueError(f"variables: found {variables!r}, expected a list of the model's variables.")
        for name in variables:
            if name not in self.coding.variables:
                known = ", ".join(self.coding.variables)
                raise ValueError(f"variables: found {name!r}, expected variables of the model: {known}.")
        terms = np.arange(len(self.coding.terms))
        places = [i for name in dict.fromkeys(variables) for i in terms[self.coding.positions(name)]]
        if not self.converged:
            return float("nan"), len(places), float("nan")
        statistic = max(0.0, 2 * (self.log_likelihood - self._constrained(np.array(places, dtype=int))))
        return statistic, len(places), float(scipy.special.chdtrc(len(places), statistic))

    def _constrained(self, at: np.ndarray) -> float:
        """Maximised (penalised) log-likelihood without the terms at these places."""
        if self.method == "firth":
            x = _with_intercept(_standardised(self._design))
            free = np.ones(x.shape[1], dtype=bool)
            free[at + 1] = False
            start = np.zeros(x.shape[1])
            best = penalised.maximum(likelihood.Firth(x, self._positive), free, start)[1]
            return best + float(np.log(self._design.std(axis=0)).sum())
        return likelihood.fit_ml(np.delete(self._design, at, axis=1), self._positive).log_likelihood


@public
def logistic_regression(
    table: pd.DataFrame, labels: ArrayLike, method: Method = "auto", levels: Levels | None = None, level: float = 0.95
) -> LogisticRegression:
    """Fit a logistic regression of ``labels`` on every column of ``table``.

    Parameters
    ----------
    table
        One row per patient, complete. Text and categorical columns are expanded to ``column[level]``.
    labels
        0 or 1, shape (rows,), both present.
    method
        ``ml``: maximum likelihood. ``firth``: Firth's penalised likelihood. ``auto``: maximum likelihood
        unless the data are separated, else Firth's.
    levels
        Levels of a categorical column, the reference first (default: the first category, or in sorted order).
    level
        Level of the intervals.

    Raises
    ------
    ValueError
        If a value is missing, a column is constant or a combination of others, the lengths differ, or there
        are more terms than rows: the column is named.
    """
    one_of(method, ("ml", "firth", "auto"), "method")
    positive = as_labels(labels)
    if len(table) != positive.size:
        raise ValueError(f"table: found {len(table)} rows, expected {positive.size}, one per label.")
    coding = treatment_coding(table, levels)
    design = joined(coding.blocks(table, learnt=True).values(), len(table))
    return fitted(design, positive, coding, method, level)


def fitted(design: FloatArray, positive: BoolArray, coding: Coding, method: str, level: float) -> LogisticRegression:
    """Fit a logistic regression on a design, shape (rows, terms), that a coding made; see :func:`logistic_regression`."""
    refuse_aliased(design, coding.terms, len(design) - 1)
    separated = separation.separated(design, positive)
    fit, peak = None, None
    if method != "firth":
        fit = (separation.logistic_limit(design, positive) if separated else None) or likelihood.fit_ml(
            design, positive
        )
    if fit is None or (method == "auto" and not fit.converged):
        try:
            fit, peak, intercept = _firth(design, positive)
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            raise ValueError(
                f"table: found no maximum of Firth's likelihood with {design.shape[1]} terms and {len(design)} "
                "rows, expected far fewer terms than rows. Select variables first."
            ) from error
    else:
        intercept = float(fit.beta[0])
    return LogisticRegression(
        method="ml" if peak is None else "firth",
        converged=fit.converged,
        separated=separated,
        log_likelihood=fit.log_likelihood,
        coefficients=dict(zip(coding.terms, fit.beta[1:].tolist(), strict=True)),
        intercept=intercept,
        n=positive.size,
        events=int(positive.sum()),
        level=level,
        coding=coding,
        _design=design,
        _positive=positive,
        _fit=fit,
        _peak=peak,
    )


def _listed(values: Any) -> list[Any]:
    return list(values) if hasattr(values, "__iter__") else [values]


def _wald(fit: likelihood.Fit, level: float) -> pd.DataFrame:
    """Table of maximum likelihood; nothing but the estimate where it is infinite."""
    error = np.sqrt(np.diag(fit.covariance))
    wald = np.where(np.isfinite(fit.beta), np.square(fit.beta / error), np.nan)
    half = scipy.special.ndtri(1 - (1 - level) / 2) * error
    bounds = np.stack([fit.beta - half, fit.beta + half], axis=1)
    return _assemble(fit.beta, error, wald, bounds, scipy.special.chdtrc(1, wald))


def _firth(design: FloatArray, positive: BoolArray) -> tuple[likelihood.Fit, _FirthPeak, float]:
    """Firth's fit on standardised terms, of the terms as given and on them, and the intercept for prediction."""
    x = _with_intercept(_standardised(design))
    beta, value = likelihood.firth_fit(x, positive)
    weight = likelihood.weights(x @ beta)
    peak = _FirthPeak(beta, np.asarray(np.linalg.inv(x.T @ (x * weight[:, None])), dtype=float), value)
    back = _back(design)
    given = back @ beta
    fit = likelihood.Fit(
        beta=given,
        covariance=back @ peak.covariance @ back.T,
        log_likelihood=float(value + np.log(design.std(axis=0)).sum()),
        converged=True,
    )
    return fit, peak, likelihood.intercept_for(design @ given[1:], positive)


def _back(design: FloatArray) -> FloatArray:
    """The matrix from coefficients of standardised terms, the intercept first, to those of the terms as given."""
    back = np.diag(np.concatenate([[1.0], 1 / design.std(axis=0)]))
    back[0, 1:] = -design.mean(axis=0) / design.std(axis=0)
    return back


def _profiles(
    design: FloatArray, positive: BoolArray, peak: _FirthPeak, beta: FloatArray, level: float
) -> tuple[pd.DataFrame, list[int]]:
    """Table of Firth's fit with likelihood-ratio tests and profile intervals.

    Close to saturation the profile of a term may not fall to its bound, or not be followed: Wald's interval and test
    take its place, and the last item of the result names the rows.
    """
    x = _with_intercept(_standardised(design))
    size = x.shape[1]
    error, bounds, statistics = np.empty(size), np.empty((size, 2)), np.empty(size)
    wald: list[int] = []
    # the coefficients as given are combinations of the standardised ones; each is tested along its own axis
    for i, row in enumerate(_back(design)):
        length = float(np.linalg.norm(row))
        axes = np.linalg.qr(np.column_stack([row, np.eye(size)]))[0]
        axes[:, 0] *= np.sign(axes[:, 0] @ row)
        turned, top = x @ axes, axes.T @ peak.beta
        along = float(np.sqrt(axes[:, 0] @ peak.covariance @ axes[:, 0]))
        error[i] = length * along
        found = None
        if size <= _MAX_PROFILED:
            objective = likelihood.Firth(turned, positive)
            found = penalised.profiled(objective, top, peak.value, along, 0, level)
        if found is None:
            half = float(scipy.special.ndtri(1 - (1 - level) / 2)) * error[i]
            bounds[i] = beta[i] - half, beta[i] + half
            statistics[i] = np.square(beta[i] / error[i])
            wald.append(i)
        else:
            bounds[i], statistics[i] = (length * found[0], length * found[1]), found[2]
    return _assemble(beta, error, np.square(beta / error), bounds, scipy.special.chdtrc(1, statistics)), wald


def _standardised(design: FloatArray) -> FloatArray:
    return (design - design.mean(axis=0)) / design.std(axis=0)


def _with_intercept(design: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(design)), design])


def _assemble(beta: FloatArray, se: FloatArray, wald: FloatArray, bounds: FloatArray, p: FloatArray) -> pd.DataFrame:

    with np.errstate(over="ignore"):  # an odds ratio beyond 1e308 is rightly infinite
        odds = np.exp(np.column_stack([beta, bounds]))
    return pd.DataFrame(
        {
            "beta": beta,
            "se": se,
            "wald": wald,
            "odds_ratio": odds[:, 0],
            "ci_low": odds[:, 1],
            "ci_high": odds[:, 2],
            "p": p,
        }
    )
