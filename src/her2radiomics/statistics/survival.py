"""Survival: Kaplan–Meier, log-rank and Cox, from lifelines, in the shape that the manuscript needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import lifelines, pd
from her2radiomics.statistics._check import (
    BoolArray,
    FloatArray,
    as_finite,
    as_labels,
    as_level,
)
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels, treatment_coding


@dataclass(frozen=True, eq=False, repr=False)
class KaplanMeier(Result):
    """Kaplan–Meier estimate.

    Attributes
    ----------
    table
        ``group, time, at_risk, events, censored, survival, low, high``: one row a distinct time and group,
        from time 0. The interval is on the log(−log) scale (R's ``conf.type = "log-log"``).
    medians
        ``group, n, events, median, low, high``; a median or bound that is not reached is infinite. Where the
        curve is exactly 0.5 between two event times their midpoint is taken, as R does.
    """

    table: pd.DataFrame
    medians: pd.DataFrame
    _times: dict[str, FloatArray] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return :attr:`medians`."""
        return self.medians

    def at_risk(self, times: ArrayLike) -> pd.DataFrame:
        """Return the numbers at risk just before each of ``times``: one row a group, one column a time."""
        at = as_finite(times, name="times")
        counts = {name: [int((follow_up >= t).sum()) for t in at] for name, follow_up in self._times.items()}
        return pd.DataFrame.from_dict(counts, orient="index", columns=at.tolist()).rename_axis("group")

    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Survival at each of ``times``: ``group, time, at_risk, survival, low, high``.

        NaN beyond the last follow-up of a group, where the estimate says nothing (``summary.survfit`` of R).
        """
        rows = []
        for name, curve in self.table.groupby("group", sort=False):
            known = curve["time"].to_numpy()
            for time in as_finite(times, name="times"):
                at_risk = int((self._times[str(name)] >= time).sum())
                values = [float("nan")] * 3
                if time <= known.max():
                    place = int(np.searchsorted(known, time, side="right")) - 1
                    values = [float(curve[column].iloc[place]) for column in ("survival", "low", "high")]
                rows.append((str(name), float(time), at_risk, *values))
        return pd.DataFrame(rows, columns=["group", "time", "at_risk", "survival", "low", "high"])


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None, level: float = 0.95
) -> KaplanMeier:
    """Kaplan–Meier curves, by group where given.

    Parameters
    ----------
    time
        Follow-up, shape (n,), in any unit, not negative.
    event
        1 where the event was seen, 0 where censored, shape (n,).
    group
        Group of each row, shape (n,); groups are ordered as the categories are, or sorted.
    level
        Level of the pointwise intervals.
    """
    follow_up, seen = _follow_up(time, event)
    codes, names = _members(group, follow_up.size)
    curves, medians, times = [], [], {}
    for i, name in enumerate(names):
        mine = codes == i
        fitter = lifelines.KaplanMeierFitter(alpha=1 - as_level(level)).fit(follow_up[mine], seen[mine])
        band = fitter.confidence_interval_survival_function_
        table = fitter.event_table
        curves.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time": table.index.to_numpy(dtype=float),
                    "at_risk": table["at_risk"].to_numpy(dtype=int),
                    "events": table["observed"].to_numpy(dtype=int),
                    "censored": table["censored"].to_numpy(dtype=int),
                    "survival": fitter.survival_function_.iloc[:, 0].to_numpy(),
                    "low": band.iloc[:, 0].to_numpy(),
                    "high": band.iloc[:, 1].to_numpy(),
                }
            )
        )
        median = (_median(curves[-1]["time"], curves[-1][curve]) for curve in ("survival", "low", "high"))
        medians.append((name, int(mine.sum()), int(seen[mine].sum()), *median))
        times[name] = follow_up[mine]
    columns = ["group", "n", "events", "median", "low", "high"]
    return KaplanMeier(pd.concat(curves, ignore_index=True), pd.DataFrame(medians, columns=columns), times)


def follow_up(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None, level: float = 0.95
) -> KaplanMeier:
    """Potential follow-up by the reverse Kaplan–Meier method: events and censoring change their parts.

    Parameters
    ----------
    time, event, group, level
        As for :func:`kaplan_meier`; its medians are those of the follow-up that patients would have had without the event.

    References
    ----------
    Schemper & Smith, Controlled Clinical Trials 17 (1996) 343–346.
    """
    return kaplan_meier(time, ~as_labels(event, both=False, name="event"), group, level)


@dataclass(frozen=True)
class LogRank(Result):
    """Log-rank test."""

    statistic: float
    df: int
    p: float


def logrank(time: ArrayLike, event: ArrayLike, group: ArrayLike) -> LogRank:
    """Log-rank test of two or more groups (``survival::survdiff``).

    Parameters
    ----------
    time, event, group
        As for :func:`kaplan_meier`.
    """
    follow_up, seen = _follow_up(time, event)
    codes, names = _members(group, follow_up.size)
    if len(names) < 2:
        raise ValueError(f"group: found {len(names)} group, expected at least two.")
    if not seen.any():
        raise ValueError("event: found no event, expected at least one.")
    result = lifelines.statistics.multivariate_logrank_test(follow_up, codes, seen)
    return LogRank(float(result.test_statistic), len(names) - 1, float(result.p_value))


@dataclass(frozen=True, eq=False, repr=False)
class Cox(Result):
    """Cox proportional-hazards regression.

    ``table`` has ``term, beta, se, wald, hazard_ratio, ci_low, ci_high, p``; ``wald`` is (β / SE)² and the
    interval is Wald's, of the hazard ratio. Ties are handled by Efron's method, as R does by default.
    ``likelihood_ratio``, ``df`` and ``p`` test the whole model, and ``concordance`` is Harrell's C.
    """

    table: pd.DataFrame
    n: int
    events: int
    log_likelihood: float
    likelihood_ratio: float
    df: int
    p: float
    concordance: float

    def to_frame(self) -> pd.DataFrame:
        """Return :attr:`table`."""
        return self.table

    @property
    def remark(self) -> str:
        """Sample size and the test of the whole model, in words."""
        return (
            f"n = {self.n}, {self.events} events; likelihood-ratio χ² {self.likelihood_ratio:.4g} "
            f"on {self.df} df, p = {self.p:.4g}; C = {self.concordance:.3f}."
        )


def cox(
    table: pd.DataFrame,
    time: ArrayLike,
    event: ArrayLike,
    levels: Levels | None = None,
    level: float = 0.95,
) -> Cox:
    """Cox regression of survival on every column of ``table`` (``survival::coxph``).

    Parameters
    ----------
    table
        One row a patient, complete; text and categorical columns are expanded to ``column[level]``.
    time, event
        As for :func:`kaplan_meier`.
    levels
        Levels of categorical columns, the reference first.
    level
        Level of the intervals.

    Raises
    ------
    ValueError
        If a value is missing, a column is constant, or the partial likelihood has no maximum.
    """
    follow_up, seen = _follow_up(time, event)
    if len(table) != follow_up.size:
        raise ValueError(f"table: found {len(table)} rows, expected {follow_up.size}, one a follow-up time.")
    coding = treatment_coding(table, levels)
    frame = pd.DataFrame(coding.matrix(table), columns=coding.terms)
    frame = frame.assign(**{"__time__": follow_up, "__event__": seen.astype(int)})
    fitter = lifelines.CoxPHFitter(alpha=1 - as_level(level))
    try:
        # by default lifelines stops up to 1e-6 short of the maximum
        tight = {"precision": 1e-20, "r_precision": 1e-16}
        fitter.fit(frame, "__time__", "__event__", fit_options=tight)
    except lifelines.exceptions.ConvergenceError as error:
        raise ValueError(
            "table: found no maximum of the partial likelihood, expected one. A column separates those with "
            "the event from the rest, or repeats another: leave it out."
        ) from error
    summary = fitter.summary
    ratio = fitter.log_likelihood_ratio_test()
    result = pd.DataFrame(
        {
            "term": coding.terms,
            "beta": summary["coef"].to_numpy(),
            "se": summary["se(coef)"].to_numpy(),
            "wald": np.square(summary["z"].to_numpy()),
            "hazard_ratio": summary["exp(coef)"].to_numpy(),
            "ci_low": np.exp(fitter.confidence_intervals_.iloc[:, 0].to_numpy()),
            "ci_high": np.exp(fitter.confidence_intervals_.iloc[:, 1].to_numpy()),
            "p": summary["p"].to_numpy(),
        }
    )
    return Cox(
        table=result,
        n=len(frame),
        events=int(seen.sum()),
        log_likelihood=float(fitter.log_likelihood_),
        likelihood_ratio=float(ratio.test_statistic),
        df=len(coding.terms),
        p=float(ratio.p_value),
        concordance=float(fitter.concordance_index_),
    )


def _median(time: pd.Series, curve: pd.Series) -> float:
    """First time at which the curve is at or below 0.5; the midpoint of the step where it is exactly 0.5."""
    at, height = time.to_numpy(), curve.to_numpy()
    reached = np.flatnonzero(height <= 0.5 + 1e-9)
    if reached.size == 0:
        return float("inf")
    below = np.flatnonzero(height < 0.5 - 1e-9)
    exact = abs(height[reached[0]] - 0.5) <= 1e-9 and below.size > 0
    return float((at[reached[0]] + at[below[0]]) / 2 if exact else at[reached[0]])


def _follow_up(time: ArrayLike, event: ArrayLike) -> tuple[FloatArray, BoolArray]:
    follow_up = as_finite(time, name="time")
    seen = as_labels(event, both=False, name="event")
    if follow_up.size != seen.size:
        raise ValueError(f"time, event: found {follow_up.size} and {seen.size} values, expected as many.")
    if follow_up.min() < 0:
        raise ValueError(f"time: found {follow_up.min():g}, expected no negative time.")
    return follow_up, seen


def _members(group: ArrayLike | None, size: int) -> tuple[np.ndarray, list[str]]:
    """Code of each row's group, and the groups' names in order."""
    if group is None:
        return np.zeros(size, dtype=int), ["all"]
    categories = pd.Categorical(group)
    if len(categories) != size or (categories.codes < 0).any():
        raise ValueError(f"group: found {len(categories)} values, some perhaps missing; expected {size}.")
    categories = categories.remove_unused_categories()
    return np.asarray(categories.codes), [str(name) for name in categories.categories]
