"""Groups of patients as tables print them, and the comparison of columns between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import By, Partitions, Summaries, Variances
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, known, read_participants
from her2radiomics.manuscript.tables.registry import TableOptions
from her2radiomics.statistics.group_tests import shapiro_p
from her2radiomics.statistics.groups import compare_groups

OUTCOME = "label"


class GroupedOptions(TableOptions):
    """What a table says that describes groups of patients."""

    by: By = OUTCOME
    partitions: Partitions = ()


class ComparedOptions(GroupedOptions):
    """What a table says that compares columns between groups."""

    summaries: Summaries
    variances: Variances = "welch"
    digits: dict[str, int] = Field(
        default_factory=dict, description="Decimals of a continuous column; by default three significant figures."
    )

    def digits_of(self, name: str, values: pd.Series) -> int:
        """Decimals of a continuous column."""
        return self.digits.get(name, fmt.digits_for(values.dropna().tolist()))


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

    @property
    def summary(self) -> str:
        """What :func:`described` gives."""
        return "mean ± SD" if self.mean else "median (Q1, Q3)"

    def marked_p(self, tests: list[str]) -> str:
        """The p value with the footnote mark of its test."""
        return fmt.p_value(self.p) + fmt.MARKS[tests.index(self.test)]


def grouped(inputs: TableInputs, options: GroupedOptions) -> tuple[pd.DataFrame, list[Group]]:
    """Patients of the table's partitions with its columns, and those groups that hold a patient, in the order of print.

    Keys of groups are those that no other column of the CSV has.

    Raises
    ------
    SettingsError
        An unknown partition or column, or groups by a continuous column.
    TableError
        A participants file that lacks a column or holds a value that it may not hold.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    patients = read_participants(inputs, partitions, options.columns_used())
    by = options.by
    if by == "partition":
        labels, values = {name: inputs.partitions[name] for name in partitions}, patients["partition"]
    elif by == OUTCOME:
        labels = {"1": inputs.outcome.positive, "0": inputs.outcome.negative}
        values = patients[OUTCOME].astype(str)
    else:
        column = inputs.columns[known(by, inputs.columns, "participants column")]
        if not column.levels:
            raise SettingsError(f"{options.id}: found by: {by}, a continuous column; expected one with levels.")
        labels, values = dict(column.levels), patients[by]
    prefix = "" if by == "partition" else f"{by}_"
    groups = [Group(f"{prefix}{key}", label, (values == key).to_numpy(dtype=bool)) for key, label in labels.items()]
    return patients, [group for group in groups if group.members.any()]


def any_of(groups: list[Group]) -> Any:
    """Members of any group, a boolean array over all patients."""
    return np.logical_or.reduce([group.members for group in groups])


def compare_columns(
    patients: pd.DataFrame,
    columns: Mapping[str, Column],
    groups: list[Group],
    options: ComparedOptions,
    *,
    kinds: Mapping[str, str] | None = None,
    test: bool = True,
    yates: bool = False,
) -> dict[str, Comparison]:
    """Summary and test of every column.

    Parameters
    ----------
    patients, columns, groups
        Who is compared, and in what.
    options
        Which summaries and which t test the table asks for.
    kinds
        Columns that are tested as another kind than their own.
    test
        Without it Shapiro–Wilk alone decides on the summary.
    yates
        Continuity correction of the χ² test of a 2 × 2 table.
    """
    forced = {name: "normal" if how == "mean" else "skewed" for name, how in options.summaries.items()}
    tested: dict[str, Any] = {name: forced.get(name, column.kind) for name, column in columns.items()}
    tested |= kinds or {}
    if not test:
        normal = {name: kind == "normal" for name, kind in tested.items()}
        for name, kind in tested.items():
            if kind == "continuous":
                samples = [patients.loc[group.members, name].dropna().to_numpy() for group in groups]
                normal[name] = shapiro_p(samples) > 0.05
        return {name: Comparison(mean, float("nan"), "") for name, mean in normal.items()}
    members = any_of(groups)
    code = pd.Series(pd.Categorical([""] * len(patients), [f"group {i}" for i in range(len(groups))]))
    for position, group in enumerate(groups):
        code[group.members] = f"group {position}"
    result = compare_groups(
        patients.loc[members, list(columns)].reset_index(drop=True),
        code[members].reset_index(drop=True),
        tested,
        levels={name: list(column.levels) for name, column in columns.items() if column.levels},
        variances=options.variances,
        yates=yates,
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


def abbreviations(means: Iterable[bool]) -> list[str]:
    """What SD, Q1 and Q3 are, as far as the summaries use them: means (true) and medians (false)."""
    used = set(means)
    sd, quartiles = "SD: standard deviation.", "Q1, Q3: lower and upper quartile."
    return [said for mean, said in ((True, sd), (False, quartiles)) if mean in used]


def tests_footnote(tests: list[str]) -> list[str]:
    """Which mark means which test; nothing where there is none."""
    named = "; ".join(f"{mark} {name}" for mark, name in zip(fmt.MARKS, tests, strict=False))
    return [f"{named}."] if named else []
