"""Groups of patients as tables print them, and the comparison of columns between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.inputs import TableInputs, known
from her2radiomics.manuscript.tables.settings import BaselineTable, GroupComparisonTable
from her2radiomics.statistics.group_tests import shapiro_p
from her2radiomics.statistics.groups import compare_groups

OUTCOME = "label"


@dataclass(frozen=True)
class Group:
    """A printed column of patients; ``members`` is a boolean array over all patients."""

    key: str
    label: str
    members: Any


@dataclass(frozen=True)
class Comparison:
    """How one column is described, and what its test says."""

    mean: bool
    p: float
    test: str
    statistic: float = float("nan")


def groups_of(
    patients: pd.DataFrame, inputs: TableInputs, by: str, partitions: list[str], table: str
) -> list[Group]:
    """Groups that hold a patient, in the order of print; keys that no other column of the CSV has."""
    if by == "partition":
        labels, values = {name: inputs.partitions[name] for name in partitions}, patients["partition"]
    elif by == OUTCOME:
        labels = {"1": inputs.outcome.positive, "0": inputs.outcome.negative}
        values = patients[OUTCOME].astype(str)
    else:
        column = inputs.columns[known(by, inputs.columns, "participants column")]
        if not column.levels:
            raise SettingsError(f"{table}: found by: {by}, a continuous column; expected one with levels.")
        labels, values = dict(column.levels), patients[by]
    prefix = "" if by == "partition" else f"{by}_"
    groups = [
        Group(f"{prefix}{key}", label, (values == key).to_numpy(dtype=bool)) for key, label in labels.items()
    ]
    return [group for group in groups if group.members.any()]


def any_of(groups: list[Group]) -> Any:
    """Members of any group, a boolean array over all patients."""
    return np.logical_or.reduce([group.members for group in groups])


def compare_columns(
    patients: pd.DataFrame,
    columns: dict[str, Column],
    groups: list[Group],
    options: BaselineTable | GroupComparisonTable,
) -> dict[str, Comparison]:
    """Summary and test of every column; without tests, Shapiro–Wilk alone decides on the summary."""
    forced = {name: "normal" if how == "mean" else "skewed" for name, how in options.summaries.items()}
    kinds: dict[str, Any] = {name: forced.get(name, column.kind) for name, column in columns.items()}
    kinds |= _wanted_tests(columns, options)
    if not getattr(options, "test", True):
        normal = dict.fromkeys(columns, False)
        for name, kind in kinds.items():
            if kind == "continuous":
                samples = [patients.loc[group.members, name].dropna().to_numpy() for group in groups]
                normal[name] = shapiro_p(samples) > 0.05
            elif kind == "normal":
                normal[name] = True
        return {name: Comparison(mean, float("nan"), "") for name, mean in normal.items()}
    members = any_of(groups)
    code = pd.Series(pd.Categorical([""] * len(patients), [f"group {i}" for i in range(len(groups))]))
    for position, group in enumerate(groups):
        code[group.members] = f"group {position}"
    result = compare_groups(
        patients.loc[members, list(columns)].reset_index(drop=True),
        code[members].reset_index(drop=True),
        kinds,
        levels={name: list(column.levels) for name, column in columns.items() if column.levels},
        variances=options.variances,
        yates=getattr(options, "yates", False),
    )
    first = result.table.drop_duplicates("variable").set_index("variable")
    return {
        name: Comparison(
            mean=result.summaries[name].startswith("mean"),
            p=float(first.loc[name, "p"]),
            # Levene's p differs from column to column; the choice of test is what the footnote names
            test=str(first.loc[name, "test"]).split(" (Levene")[0].replace("none:", "no test,"),
            statistic=float(first.loc[name, "statistic"]),
        )
        for name in columns
    }


def _wanted_tests(
    columns: dict[str, Column], options: BaselineTable | GroupComparisonTable
) -> dict[str, str]:
    """Kinds of the columns whose test the table's ``tests`` name."""
    wanted = dict(options.tests) if isinstance(options, BaselineTable) else {}
    if "*" in wanted:
        wanted = dict.fromkeys((n for n, c in columns.items() if c.levels), wanted.pop("*")) | wanted
    for name in wanted:
        known(name, columns, f"column of {options.id} (tests)")
        if not columns[name].levels:
            raise SettingsError(
                f"{options.id}.tests: found {name}: {wanted[name]}, but '{name}' is continuous; expected a column with "
                "levels. For a continuous column say mean or median in summaries."
            )
    kinds = {"chi2": "categorical", "pearson": "chi2", "ranks": "ordinal"}
    return {name: kinds[test] for name, test in wanted.items()}


def described(values: pd.Series, *, mean: bool, digits: int) -> str:
    """``mean ± SD`` or ``median (Q1, Q3)`` of the known values; quartiles interpolate linearly.

    That is type 7 of Hyndman and Fan, as in R and pandas.
    """
    known_values = values.dropna()
    if known_values.empty:
        return fmt.NOT_AVAILABLE
    if mean:
        return fmt.mean_sd(known_values.mean(), known_values.std(ddof=1), digits)
    q1, median, q3 = known_values.quantile([0.25, 0.5, 0.75])
    return fmt.median_quartiles(median, q1, q3, digits)


def tests_footnote(tests: list[str]) -> list[str]:
    """Which mark stands for which test; nothing where there is none."""
    named = "; ".join(f"{mark} {name}" for mark, name in zip(fmt.MARKS, tests, strict=False))
    return [f"{named}."] if named else []
