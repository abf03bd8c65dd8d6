"""Survival: Kaplan–Meier and log-rank, from lifelines, in the shape that the manuscript needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import lifelines, pd
from her2radiomics.statistics._check import BoolArray, FloatArray, _grouped, as_finite, as_labels, distinct, public
from her2radiomics.statistics._result import Result

_ROUNDING = 1.4901161193847656e-08  # √ε, the tolerance of R's all.equal and timefix


@dataclass(frozen=True, eq=False, repr=False)
class KaplanMeier(Result):
    """Kaplan–Meier estimate.

    Attributes
    ----------
    table
        ``group, time, at_risk, events, censored, survival, low, high``: one row a distinct time and group,
        from time 0. The interval is on the log(−log) scale (R's ``conf.type = "log-log"``); there is none (NaN)
        where survival is 1 or 0, but at the start, where R's ``summary`` has 1 to 1.
    medians
        ``group, n, events, median, low, high``; a median or bound that is not reached is infinite (R: NA). Where the
        curve is exactly 0.5 between two event times their midpoint is taken, as R does.
    event_level
        Value of ``event`` that was counted.
    """

    table: pd.DataFrame
    medians: pd.DataFrame
    event_level: str
    _times: dict[str, FloatArray] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return :attr:`medians`."""
        return self.medians

    @property
    def remark(self) -> str:
        """Which value of ``event`` was counted."""
        return f"Events counted: {self.event_level}."

    @public
    def at_risk(self, times: ArrayLike) -> pd.DataFrame:
        """Return the numbers at risk just before each of ``times``: one row per group, one column a time."""
        at = as_finite(times, name="times")
        counts = {name: [int((follow_up >= t).sum()) for t in at] for name, follow_up in self._times.items()}
        return pd.DataFrame.from_dict(counts, orient="index", columns=at.tolist()).rename_axis("group")

    @public
    def at(self, times: ArrayLike) -> pd.DataFrame:
        """Survival at each of ``times``: ``group, time, at_risk, survival, low, high``.

        Survival before time 0 is 1, as in R; NaN beyond the last follow-up of a group, where the estimate says
        nothing (``summary.survfit`` of R).
        """
        rows = []
        for name, curve in self.table.groupby("group", sort=False):
            known = curve["time"].to_numpy()
            for time in as_finite(times, name="times"):
                at_risk = int((self._times[str(name)] >= time).sum())
                values = [float("nan")] * 3
                if time <= known.max():
                    place = max(int(np.searchsorted(known, time, side="right")) - 1, 0)
                    values = [float(curve[column].iloc[place]) for column in ("survival", "low", "high")]
                rows.append((str(name), float(time), at_risk, *values))
        return pd.DataFrame(rows, columns=["group", "time", "at_risk", "survival", "low", "high"])


@public
def kaplan_meier(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None, level: float = 0.95, *, event_level: Any = None
) -> KaplanMeier:
    """Kaplan–Meier curves, by group where given.

    Parameters
    ----------
    time
        Follow-up, shape (n,), in any unit, not negative. Times that differ by rounding alone are one (R's
        ``timefix``).
    event
        1 where the event was seen, 0 where censored, shape (n,); other values need ``event_level``.
    group
        Group of each row, shape (n,); groups are ordered as the categories are, or sorted.
    level
        Level of the pointwise intervals.
    event_level
        Value of ``event`` that means that the event was seen; without it ``event`` may hold 0 and 1 alone.
    """
    times_of, seen = follow_up(time, event, event_level)
    codes, names = _members(group, times_of.size)
    curves, medians, times = [], [], {}
    for i, name in enumerate(names):
        mine = codes == i
        fitter = lifelines.KaplanMeierFitter(alpha=1 - level).fit(times_of[mine], seen[mine])
        band = fitter.confidence_interval_survival_function_
        table, survival = fitter.event_table, fitter.survival_function_.iloc[:, 0].to_numpy()
        between = (survival > 1e-12) & (survival < 1 - 1e-12)  # elsewhere log(−log) is infinite
        between |= (table[["observed", "censored"]].sum(axis=1) == 0).to_numpy()  # the start, before anybody leaves
        curves.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time": table.index.to_numpy(dtype=float),
                    "at_risk": table["at_risk"].to_numpy(dtype=int),
                    "events": table["observed"].to_numpy(dtype=int),
                    "censored": table["censored"].to_numpy(dtype=int),
                    "survival": survival,
                    "low": np.where(between, band.iloc[:, 0], np.nan),
                    "high": np.where(between, band.iloc[:, 1], np.nan),
                }
            )
        )
        median = (_median(curves[-1]["time"], curves[-1][curve]) for curve in ("survival", "low", "high"))
        medians.append((name, int(mine.sum()), int(seen[mine].sum()), *median))
        times[name] = times_of[mine]
    columns = ["group", "n", "events", "median", "low", "high"]
    return KaplanMeier(
        table=pd.concat(curves, ignore_index=True),
        medians=pd.DataFrame(medians, columns=columns),
        event_level="1" if event_level is None else str(event_level),
        _times=times,
    )


def potential_follow_up(
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


@public
def logrank(time: ArrayLike, event: ArrayLike, group: ArrayLike, *, event_level: Any = None) -> LogRank:
    """Log-rank test of two or more groups (``survival::survdiff``).

    Parameters
    ----------
    time, event, group, event_level
        As for :func:`kaplan_meier`.
    """
    times, seen = follow_up(time, event, event_level)
    codes, names = _members(group, times.size)
    if len(names) < 2:
        raise ValueError(f"group: found {len(names)} group, expected at least two.")
    if not seen.any():
        raise ValueError("event: found no event, expected at least one.")
    result = lifelines.statistics.multivariate_logrank_test(times, codes, seen)
    return LogRank(float(result.test_statistic), len(names) - 1, float(result.p_value))


def _median(time: pd.Series, curve: pd.Series) -> float:
    """First time at which the curve is at or below 0.5; the midpoint of the step where it is exactly 0.5."""
    at, height = time.to_numpy(), curve.to_numpy()
    reached = np.flatnonzero(height <= 0.5 + 1e-9)
    if reached.size == 0:
        return float("inf")
    below = np.flatnonzero(height < 0.5 - 1e-9)
    exact = abs(height[reached[0]] - 0.5) <= 1e-9 and below.size > 0
    return float((at[reached[0]] + at[below[0]]) / 2 if exact else at[reached[0]])


def follow_up(time: ArrayLike, event: ArrayLike, event_level: Any = None) -> tuple[FloatArray, BoolArray]:
    """Return follow-up times, equal up to rounding made equal, and whether the event was seen.

    As R's ``timefix``: neighbouring times that differ by less than 1.5e-8 of their mean, or absolutely, are one.

    Raises
    ------
    ValueError
        A negative time, unequal lengths, or events other than 0 and 1 without their level.
    """
    times = as_finite(time, name="time")
    seen = _seen(event, event_level)
    if times.size != seen.size:
        raise ValueError(f"event: found {seen.size} values, expected {times.size}, one a time.")
    if times.size and times.min() < 0:
        raise ValueError(f"time: found {times.min():g}, expected no negative time.")
    known, place = np.unique(times, return_inverse=True)
    new = np.diff(known, prepend=-np.inf) > _ROUNDING * max(1.0, float(known.mean()))
    return known[new][np.cumsum(new) - 1][place], seen


def _seen(event: ArrayLike, event_level: Any) -> BoolArray:
    if event_level is None:
        try:
            return as_labels(event, both=False, name="event")
        except ValueError as error:
            raise ValueError(f"{error} Or name the value of the event: event_level.") from None
    values = pd.Series(_grouped(event, "event"))
    if values.empty or values.isna().any():
        raise ValueError(f"event: found {int(values.isna().sum())} missing of {values.size} values, expected none.")
    seen = np.array([value == event_level for value in values], dtype=bool)
    if not seen.any():
        raise ValueError(
            f"event_level: found {event_level!r}, expected one of {', '.join(map(repr, values.unique()[:5]))}."
        )
    return seen


def _members(group: ArrayLike | None, size: int) -> tuple[np.ndarray, list[str]]:
    """Code of each row's group, and the groups' names in order."""
    if group is None:
        return np.zeros(size, dtype=int), ["all"]
    try:
        categories = pd.Categorical(group)
    except (TypeError, ValueError):
        raise ValueError(f"group: found {type(group).__name__}, expected one level per row.") from None
    if len(categories) != size or (categories.codes < 0).any():
        raise ValueError(f"group: found {len(categories)} values, some perhaps missing; expected {size}.")
    categories = categories.remove_unused_categories()
    return np.asarray(categories.codes), distinct(categories.categories, "group")
