"""The baseline table: each variable described by group and compared with the test that suits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.statistics._check import FloatArray, distinct, one_of, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.group_tests import Tested, compare_counts, compare_means, compare_ranks, shapiro_p

Kind = Literal["continuous", "normal", "skewed", "ordinal", "categorical", "chi2"]
_KINDS = ("continuous", "normal", "skewed", "ordinal", "categorical", "chi2")


@dataclass(frozen=True, eq=False, repr=False)
class GroupComparison(Result):
    """Comparison of groups.

    ``table`` has ``variable, level``, one column per group (``p (group)`` for a group named as another column),
    ``missing``, and on the first row of each variable ``statistic, test, p, shapiro_p``. ``sizes`` holds the number of
    rows of each group, and ``summaries`` how each variable is described (``n (%)``, ``mean ± SD`` or ``median (Q1,
    Q3)``); one without any value has one row, *0 of n*.
    """

    table: pd.DataFrame
    sizes: dict[str, int]
    summaries: dict[str, str]


@public
def compare_groups(
    table: pd.DataFrame,
    group: pd.Series | str,
    kinds: Mapping[str, Kind] | None = None,
    *,
    levels: Mapping[str, list] | None = None,
    variances: Literal["welch", "student", "levene"] = "welch",
    yates: bool = False,
    normality_p: float = 0.05,
    decimals: int = 2,
    seed: int = 1,
) -> GroupComparison:
    """Describe and compare every variable by group.

    Parameters
    ----------
    table
        One row per patient. Missing values are left out variable by variable, and counted.
    group
        Group of each row, or the name of its column in ``table``; at least two groups, none missing.
    kinds
        ``continuous``: mean ± SD and a t test where Shapiro–Wilk gives p > ``normality_p`` in every group,
        else median (quartiles) and Mann–Whitney. ``normal`` and ``skewed`` settle that beforehand.
        ``ordinal``: n (%) by level and Mann–Whitney on the levels' order, which must be known: numbers, categories,
        or ``levels``. ``categorical``: n (%) and χ², or
        Fisher's exact test where an expected count is below 5. ``chi2``: n (%) and χ² whatever the expected counts.
        Unnamed numeric columns with more than two values are ``continuous``, all others ``categorical``.
    levels
        Order of a variable's levels (default: the categories' order, or sorted).
    variances
        t test of Welch, of Student, or chosen by Levene's test.
    yates
        Continuity correction of the χ² test of a 2 × 2 table.
    normality_p
        Shapiro–Wilk p above which a group counts as normal.
    decimals
        Decimals of means, SDs, medians and quartiles; percentages have two.
    seed
        Of exact tests by Monte Carlo, where tables are too many to enumerate.

    Raises
    ------
    ValueError
        If a group is missing, there is only one, a kind or column is unknown, two names print alike, or the order of an
        ordinal column is not known.
    """
    table = table.set_axis(distinct(table.columns, "table, columns"), axis=1)
    if isinstance(group, str):
        if group not in table.columns:
            raise ValueError(f"group: found '{group}', expected a column of the table.")
        group, table = table[group], table.drop(columns=group)
    if table.shape[1] == 0 or len(table) == 0:
        raise ValueError(
            f"table: found {table.shape[0]} rows × {table.shape[1]} columns, expected at least one of each."
        )
    codes, names, headings = _groups(group, len(table))
    one_of(variances, ("welch", "student", "levene"), "variances")
    kind_of = {str(name): kind for name, kind in (kinds or {}).items()}
    order_of = {str(name): list(order) for name, order in (levels or {}).items()}
    for argument, given in (("kinds", set(kind_of)), ("levels", set(order_of))):
        for name in sorted(given):
            if name not in table.columns:
                raise ValueError(f"{argument}: found '{name}', expected a column of the table.")
    rows: list[dict] = []
    summaries: dict[str, str] = {}
    for name in table.columns:
        column = table[name]
        kind = one_of(kind_of.get(name) or _guess(column), _KINDS, f"kinds, kind of '{name}'")
        known = column.notna().to_numpy()
        head: dict[str, float] = {"missing": int((~known).sum())}
        if not known.any():
            tested = Tested(float("nan"), float("nan"), "none: no values")
            summaries[name], labels = (
                ("n (%)" if kind in ("ordinal", "categorical", "chi2") else "median (Q1, Q3)"),
                [""],
            )
            cells = [[f"0 of {int((codes == i).sum())}" for i in range(len(names))]]
        elif kind in ("ordinal", "categorical", "chi2"):
            order = _order(column, order_of.get(name), ordinal=kind == "ordinal")
            counts = _counts(column[known], codes[known], order, len(names))
            tested = _test_levels(kind, counts, yates, seed)
            summaries[name] = "n (%)"
            cells = _percentages(counts)
            labels = order
        else:
            samples = _samples(column, codes, known, len(names), name)
            p_normal = float("nan") if kind == "skewed" else shapiro_p(samples)
            normal = kind == "normal" or (kind == "continuous" and p_normal > normality_p)
            tested = _test_samples(samples, normal, variances)
            summaries[name] = "mean ± SD" if normal else "median (Q1, Q3)"
            cells = [[_described(s, normal, decimals) for s in samples]]
            labels = [""]
            head["shapiro_p"] = p_normal
        for i, (level, cell) in enumerate(zip(labels, cells, strict=True)):
            row = {"variable": name, "level": str(level), **dict(zip(headings, cell, strict=True))}
            if i == 0:
                row |= head | {"statistic": tested.statistic, "test": tested.test, "p": tested.p}
            rows.append(row)
    columns = ["variable", "level", *headings, "missing", "statistic", "test", "p", "shapiro_p"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["test"] = frame["test"].fillna("")
    frame["missing"] = frame["missing"].astype("Int64")
    sizes = {name: int((codes == i).sum()) for i, name in enumerate(names)}
    return GroupComparison(frame, sizes, summaries)


def _groups(group: pd.Series, size: int) -> tuple[np.ndarray, list[str], list[str]]:
    """Code of each row's group, the groups' names (the categories' order, or sorted), and the names of their columns."""
    try:
        group = pd.Series(group)
        missing = int(group.isna().sum())
        order = _order(group.rename("group"), None, argument="group")
    except TypeError:
        raise ValueError(f"group: found {type(group).__name__}, expected one level per row.") from None
    if len(group) != size or missing:
        raise ValueError(f"group: found {len(group)} values, {missing} missing; expected {size}, none missing.")
    if len(order) < 2:
        raise ValueError(f"group: found {len(order)} group, expected at least two.")
    names = distinct(order, "group")
    reserved = {"variable", "level", "missing", "statistic", "test", "p", "shapiro_p"}
    headings = distinct([f"{name} (group)" if name in reserved else name for name in names], "group")
    return group.map({value: i for i, value in enumerate(order)}).to_numpy(dtype=int), names, headings


def _guess(column: pd.Series) -> str:

    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return "continuous" if numeric and column.nunique() > 2 else "categorical"


def _order(column: pd.Series, given: list | None, *, ordinal: bool = False, argument: str = "table") -> list:
    """Levels in order: as given, as the categories are, or sorted (numbers by size)."""
    where = argument if argument == "group" else f"{argument}, column '{column.name}'"
    present = list(column.dropna().unique())
    if given is not None:
        unknown = [value for value in present if value not in given]
        if unknown:
            raise ValueError(f"{where}: found level {unknown[0]!r}, expected one of {given}.")
        order = list(given)
    elif isinstance(column.dtype, pd.CategoricalDtype):
        order = [value for value in column.dtype.categories if value in present]
    elif ordinal and not all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in present):
        raise ValueError(f"{where}: found an ordinal column of text; give its order in levels, the lowest first.")
    else:
        try:
            order = sorted(present)
        except TypeError:
            order = sorted(present, key=str)
    distinct(order, f"{where}, levels")
    return order


def _counts(values: pd.Series, codes: np.ndarray, order: list, groups: int) -> np.ndarray:
    """Counts, levels × groups."""
    member = values.map({value: i for i, value in enumerate(order)}).to_numpy(dtype=int)
    counts = np.zeros((len(order), groups), dtype=int)
    np.add.at(counts, (member, codes), 1)
    return counts


def _percentages(counts: np.ndarray) -> list[list[str]]:
    total = counts.sum(axis=0)
    return [[f"{n} ({100 * n / t:.2f})" if t else "0 (–)" for n, t in zip(row, total, strict=True)] for row in counts]


def _test_levels(kind: str, counts: np.ndarray, yates: bool, seed: int) -> Tested:
    if (counts.sum(axis=0) == 0).any():
        return Tested(float("nan"), float("nan"), "none: a group has no values")
    if kind == "ordinal":
        ranks = np.arange(len(counts), dtype=float)
        return compare_ranks([np.repeat(ranks, column) for column in counts.T])
    return compare_counts(counts[counts.sum(axis=1) > 0], yates, seed, exact=kind != "chi2")


def _samples(column: pd.Series, codes: np.ndarray, known: np.ndarray, groups: int, name: str) -> list[FloatArray]:
    try:
        values = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise ValueError(f"table, column '{name}': found text, expected numbers for a continuous variable.") from None
    if not np.isfinite(values[known]).all():
        raise ValueError(f"table, column '{name}': found an infinite value, expected finite numbers.")
    return [values[known & (codes == i)] for i in range(groups)]


def _test_samples(samples: list[FloatArray], normal: bool, variances: str) -> Tested:
    if any(s.size < 2 for s in samples):
        return Tested(float("nan"), float("nan"), "none: a group has fewer than 2 values")
    if normal and all(np.ptp(s) > 0 for s in samples):
        return compare_means(samples, variances)
    return compare_ranks(samples)


def _described(sample: FloatArray, normal: bool, decimals: int) -> str:
    if sample.size == 0:
        return "–"
    if normal:
        spread = f"{sample.std(ddof=1):.{decimals}f}" if sample.size > 1 else "–"
        return f"{sample.mean():.{decimals}f} ± {spread}"
    q1, median, q3 = np.quantile(sample, [0.25, 0.5, 0.75])
    return f"{median:.{decimals}f} ({q1:.{decimals}f}, {q3:.{decimals}f})"
