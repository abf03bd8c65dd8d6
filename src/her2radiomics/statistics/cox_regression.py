"""Cox regression: maximum partial likelihood, or Firth's where the likelihood is monotone.

References
----------
Cox, JRSS B 34 (1972) 187–220; as ``survival::coxph``. Heinze & Schemper, Biometrics 57 (2001) 114–119; as ``coxphf``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import lifelines, pd, scipy
from her2radiomics.statistics import penalised, separation
from her2radiomics.statistics._check import BoolArray, FloatArray, one_of, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels, refuse_aliased, treatment_coding
from her2radiomics.statistics.partial_likelihood import Partial
from her2radiomics.statistics.survival import follow_up


@dataclass(frozen=True, eq=False, repr=False)
class Cox(Result):
    """Cox proportional-hazards regression.

    Attributes
    ----------
    table
        ``term, beta, se, wald, hazard_ratio, ci_low, ci_high, p``; ``wald`` is (β / SE)². After maximum likelihood the
        interval of the hazard ratio and p are Wald's; after Firth's method they are those of the profile penalised
        likelihood (but see ``wald_terms``).
    method
        ``ml`` or ``firth``: what was fitted.
    converged, monotone
        Whether the partial likelihood rises for ever (``monotone``): a combination of terms orders the events. After
        ``method="ml"`` on such data ``converged`` is false; infinite estimates are given as ±inf with nothing else, and
        the other terms have the limit of maximum likelihood.
    ties
        ``efron`` or ``breslow``.
    likelihood_ratio, df, p
        (Penalised) likelihood-ratio test of the whole model; NaN where there is no maximum.
    concordance
        Harrell's C; NaN where there is no maximum.
    wald_terms
        Terms with Wald's interval and p after Firth's method, whose profile has no bound.
    """

    table: pd.DataFrame
    method: str
    converged: bool
    monotone: bool
    ties: str
    n: int
    events: int
    log_likelihood: float
    likelihood_ratio: float
    df: int
    p: float
    concordance: float
    wald_terms: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """Sample size, method, the test of the whole model, and a likelihood without a maximum, in words."""
        how = "maximum partial likelihood" if self.method == "ml" else "Firth's penalised partial likelihood"
        text = f"n = {self.n}, {self.events} events; {how}, {self.ties.capitalize()}'s ties"
        if self.converged:
            text += f"; likelihood-ratio χ² {self.likelihood_ratio:.4g} on {self.df} df, p = {self.p:.4g}"
            text += f"; C = {self.concordance:.3f}"
        text += "."
        if self.monotone:
            text += " The likelihood is monotone: maximum-likelihood estimates do not exist"
            text += "." if self.converged else "; use method='auto'."
        if self.wald_terms:
            text += f" Wald's interval and p, since the profile has no bound: {', '.join(self.wald_terms)}."
        return text


@public
def cox(
    table: pd.DataFrame,
    time: ArrayLike,
    event: ArrayLike,
    levels: Levels | None = None,
    level: float = 0.95,
    *,
    method: Literal["ml", "firth", "auto"] = "auto",
    ties: Literal["efron", "breslow"] = "efron",
) -> Cox:
    """Cox regression of survival on every column of ``table`` (``survival::coxph``, ``coxphf::coxphf``).

    Parameters
    ----------
    table
        One row per patient, complete; text and categorical columns are expanded to ``column[level]``.
    time, event
        As for :func:`kaplan_meier`.
    levels
        Levels of categorical columns, the reference first.
    level
        Level of the intervals.
    method
        ``ml``: maximum partial likelihood. ``firth``: Firth's penalised likelihood. ``auto``: maximum likelihood
        unless the likelihood is monotone, else Firth's.
    ties
        ``efron`` (R's default) or ``breslow`` (that of ``coxphf`` and SPSS).

    Raises
    ------
    ValueError
        If a value is missing, a column is constant or a combination of others, a term does not vary among those at
        risk, there is no event, or no maximum is found.
    """
    one_of(method, ("ml", "firth", "auto"), "method")
    one_of(ties, ("efron", "breslow"), "ties")
    times, seen = follow_up(time, event)
    if len(table) != times.size:
        raise ValueError(f"table: found {len(table)} rows, expected {times.size}, one per follow-up time.")
    if not seen.any():
        raise ValueError("event: found no event, expected at least one.")
    coding = treatment_coding(table, levels)
    design = coding.matrix(table)
    refuse_aliased(design, coding.terms, len(design) - 1)
    scale = design.std(axis=0)
    x = (design - design.mean(axis=0)) / scale
    plain, size = Partial(x, times, seen, ties), len(coding.terms)
    curvature = np.diag(plain.information(np.zeros(size)))
    if (flat := curvature < 1e-12).any() or np.linalg.cond(plain.information(np.zeros(size))) > 1e13:
        name = coding.terms[int(np.argmax(flat) if flat.any() else np.argmin(curvature))]
        raise ValueError(
            f"table, term '{name}': does not vary, or is another's combination, among those at risk at events."
        )
    direction = separation.cox_direction(plain)
    monotone, wald = bool(direction.any()), list[int]()
    limit = separation.cox_limit(plain, direction) if monotone and method == "ml" else None
    fitted = Partial(x, times, seen, ties, firth=method == "firth" or (method == "auto" and monotone))
    if limit is not None:
        beta, covariance, top, null = limit.beta, limit.covariance, limit.log_likelihood, float("nan")
    else:
        everything, start = np.ones(size, dtype=bool), np.zeros(size)
        try:
            beta, top = penalised.maximum(fitted, everything, start)
            covariance = np.asarray(np.linalg.inv(fitted.information(beta)), dtype=float)
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            raise ValueError(
                f"table: found no maximum of the partial likelihood with {size} terms and {int(seen.sum())} events. "
                "Leave out terms, or use method='firth'."
            ) from error
        null = fitted.value(start)
    se, half = np.sqrt(np.diag(covariance)), float(scipy.special.ndtri(1 - (1 - level) / 2))
    bounds, statistics = np.stack([beta - half * se, beta + half * se], axis=1), np.square(beta / se)
    if fitted.firth:
        for i in range(size):
            found = penalised.profiled(fitted, beta, top, float(se[i]), i, level)
            if found is None:
                wald.append(i)
            else:
                bounds[i], statistics[i] = found[:2], found[2]
    ratio = 2 * (top - null)
    return Cox(
        table=_table(coding.terms, beta / scale, se / scale, bounds / scale[:, None], statistics),
        method="firth" if fitted.firth else "ml",
        converged=limit is None,
        monotone=monotone,
        ties=ties,
        n=len(design),
        events=int(seen.sum()),
        log_likelihood=float(top + np.log(scale).sum() if fitted.firth else top),
        likelihood_ratio=float(ratio),
        df=size,
        p=float(scipy.special.chdtrc(size, max(ratio, 0.0))) if limit is None else float("nan"),
        concordance=_concordance(times, x, beta, seen),
        wald_terms=tuple(coding.terms[i] for i in wald),
    )


def _table(
    terms: list[str], beta: FloatArray, error: FloatArray, bounds: FloatArray, statistics: FloatArray
) -> pd.DataFrame:
    with np.errstate(over="ignore"):  # a hazard ratio beyond 1e308 is rightly infinite
        ratios = np.exp(np.column_stack([beta, bounds]))
    known = np.isfinite(error)
    return pd.DataFrame(
        {
            "term": terms,
            "beta": beta,
            "se": error,
            "wald": np.where(known, np.square(beta / error), np.nan),
            "hazard_ratio": ratios[:, 0],
            "ci_low": np.where(known, ratios[:, 1], np.nan),
            "ci_high": np.where(known, ratios[:, 2], np.nan),
            "p": np.where(known, scipy.special.chdtrc(1, statistics), np.nan),
        }
    )


def _concordance(times: FloatArray, x: FloatArray, beta: FloatArray, seen: BoolArray) -> float:
    if not np.isfinite(beta).all():
        return float("nan")
    try:
        return float(lifelines.utils.concordance_index(times, -(x @ beta), seen))
    except ZeroDivisionError:  # no two patients can be ordered
        return float("nan")
