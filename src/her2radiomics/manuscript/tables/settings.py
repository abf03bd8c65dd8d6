"""What a protocol's ``tables:`` section may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from her2radiomics.core.settings import Settings
from her2radiomics.manuscript.measures import Measure

AS_A_ROW = "outcome"  # among the columns of a baseline table: the outcome itself
NO_COLUMNS = (AS_A_ROW, "label", "partition")
Statistic = Literal["beta", "se", "wald", "odds_ratio", "p"]
Block = Literal["univariate", "multivariate", "coefficients"]


class TableBase(Settings):
    """What every table has."""

    id: str = Field(
        pattern=r"^table_s?[0-9]+[a-z]?_[a-z0-9]+(_[a-z0-9]+)*$",
        description="File name of the table, in the paper's numbering: table_<n>_<what>; supplementary: table_s<n>_<what>.",
    )
    title: str = Field(description="Title as printed, without the table's number.", min_length=1)
    footnotes: tuple[str, ...] = Field(
        (), description="Footnotes added to those that the table writes itself."
    )

    @property
    def number(self) -> str:
        """The table's number in the paper: ``1``, ``3b``; ``S2`` of a supplementary table."""
        number = self.id.split("_")[1]
        return f"S{number[1:]}" if number.startswith("s") else number

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns that the table reads."""
        named = [*getattr(self, "columns", ()), *getattr(self, "against", ()), getattr(self, "by", "label")]
        named += [name for pair in getattr(self, "readings", {}).items() for name in pair]
        named += [name for end in getattr(self, "endpoints", ()) for name in (end.time, end.event)]
        return tuple(dict.fromkeys(name for name in named if name not in NO_COLUMNS))


class BaselineTable(TableBase):
    """Characteristics of the patients by partition, by outcome, or by another column."""

    kind: Literal["baseline"]
    columns: tuple[str, ...] = Field(
        min_length=1, description="Participants columns, in order; 'outcome' stands for the outcome itself."
    )
    outcome: bool = Field(False, description="Give the outcome itself as the first row.")
    by: str = Field("partition", description="'partition', 'label', or a participants column with levels.")
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")
    overall: bool = Field(False, description="Add a column for all patients together.")
    test: bool = Field(True, description="Compare the groups; the tests used are named below the table.")
    statistic: bool = Field(False, description="Print the test's statistic (t, U, χ²) before its p.")
    summaries: dict[str, Literal["mean", "median"]] = Field(
        default_factory=dict,
        description="How a continuous column is described and tested; by default as Shapiro–Wilk decides.",
    )
    variances: Literal["welch", "student", "levene"] = Field(
        "welch", description="Which t test: Welch's, Student's, or the one that Levene's test suggests."
    )
    tests: dict[str, Literal["chi2", "ranks", "pearson"]] = Field(
        default_factory=dict,
        description="Test of a column with levels, where the usual one is not wanted ('*' for all of them). chi2: χ², or "
        "Fisher's exact test where an expected count is below 5 (usual where levels have no order); pearson: χ² whatever "
        "the expected counts; ranks: Mann–Whitney or Kruskal–Wallis on the levels' order (usual where they have one).",
    )
    yates: bool = Field(False, description="Continuity correction of the χ² test of a 2 × 2 table.")
    digits: dict[str, int] = Field(
        default_factory=dict,
        description="Decimals of a continuous column; by default three significant figures.",
    )


class RegressionTable(TableBase):
    """Univariate and multivariate logistic regression, side by side."""

    kind: Literal["regression"]
    model: str = Field(description="The model whose regressions are printed.")
    blocks: tuple[Block, ...] = Field(
        ("univariate", "multivariate"),
        min_length=1,
        description="Which regressions, in order; 'coefficients' are those of the final model.",
    )
    statistics: tuple[Statistic, ...] = Field(
        ("odds_ratio", "p"),
        min_length=1,
        description="What is printed of each term; odds_ratio brings its 95 % CI.",
    )
    intercept: bool = Field(False, description="Print the intercept.")


class PerformanceTable(TableBase):
    """Discrimination and calibration of models on partitions."""

    kind: Literal["performance"]
    models: tuple[str, ...] = Field((), description="Models, in order; empty: all of the study.")
    partitions: tuple[str, ...] = Field((), description="Partitions, in order; empty: all of the study.")
    measures: tuple[Measure, ...] = Field(
        ("auc", "sensitivity", "specificity", "accuracy"), min_length=1, description="Columns, in order."
    )
    group_by: Literal["partition", "model"] = Field("partition", description="What heads the groups of rows.")


class DelongTable(TableBase):
    """DeLong's tests between models on each partition."""

    kind: Literal["delong"]
    models: tuple[str, ...] = Field((), description="Models compared; empty: all of the study.")
    partitions: tuple[str, ...] = Field((), description="Partitions, in order; empty: all of the study.")
    layout: Literal["pairs", "matrix"] = Field(
        "pairs", description="pairs: a row a comparison; matrix: p values, a row and a column a model."
    )
    adjusted: bool = Field(True, description="Print the p values after Holm's correction, too.")


class Endpoint(Settings):
    """A follow-up time with its event."""

    label: str = Field(description="Name as printed: Overall survival.", min_length=1)
    time: str = Field(description="Participants column of the follow-up time, continuous.")
    event: str = Field(description="Participants column of the event.")
    event_level: str = Field("1", description="Value of the event column where the event was seen.")


class SurvivalTable(TableBase):
    """Survival by group: events, medians, survival at given times, log-rank test and Cox regression."""

    kind: Literal["survival"]
    endpoints: tuple[Endpoint, ...] = Field(min_length=1, description="Follow-up times, in order.")
    by: str = Field("label", description="'partition', 'label', or a participants column with levels.")
    reference: str | None = Field(
        None,
        description="Group that hazard ratios compare with: a partition, 1 or 0 of the label (0 by default), or a "
        "level of the column (the first by default).",
    )
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")
    times: tuple[float, ...] = Field(
        (), description="Follow-up times, in the unit of the time column, at which survival is given."
    )
    follow_up: bool = Field(
        False,
        description="Give the median potential follow-up of each group, by the reverse Kaplan–Meier method.",
    )


class GroupComparisonTable(TableBase):
    """Markers by group: numbers, summaries, the test of each, and stars."""

    kind: Literal["group_comparison"]
    columns: tuple[str, ...] = Field(min_length=1, description="Continuous participants columns, in order.")
    by: str = Field("label", description="'partition', 'label', or a participants column with levels.")
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")
    summaries: dict[str, Literal["mean", "median"]] = Field(
        default_factory=dict,
        description="How a column is described and tested; by default as Shapiro–Wilk decides.",
    )
    variances: Literal["welch", "student", "levene"] = Field(
        "welch", description="Which t test: Welch's, Student's, or the one that Levene's test suggests."
    )
    digits: dict[str, int] = Field(
        default_factory=dict, description="Decimals of a column; by default three significant figures."
    )
    stars: bool = Field(True, description="Mark p < 0.05, 0.01 and 0.001 with stars.")
    adjusted: bool = Field(False, description="Print p values after Holm's correction over the rows, too.")


class CoxTable(TableBase):
    """Cox regression of follow-up on several columns: each alone, and all together."""

    kind: Literal["cox"]
    endpoints: tuple[Endpoint, ...] = Field(min_length=1, description="Follow-up times, in order.")
    columns: tuple[str, ...] = Field(
        min_length=1, description="Participants columns, in order; 'label' is the outcome."
    )
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")
    multivariable: bool = Field(True, description="Fit all columns together as well.")
    per_sd: bool = Field(
        False, description="Hazard ratios of continuous columns per standard deviation, not per unit."
    )


class CorrelationTable(TableBase):
    """Rank correlation of columns with an outcome or other columns."""

    kind: Literal["correlation"]
    columns: tuple[str, ...] = Field(min_length=1, description="Continuous or ordinal columns, a row each.")
    against: tuple[str, ...] = Field(
        ("label",),
        min_length=1,
        description="'label', or columns that are ordinal, continuous or have two levels.",
    )
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")


class AgreementTable(TableBase):
    """Agreement of two readers on what they described: kappa of levels, intraclass correlation of numbers."""

    kind: Literal["agreement"]
    readings: dict[str, str] = Field(
        min_length=1,
        description="Column of the first reader to the column of the second, of the same kind and levels.",
    )
    weights: Literal["linear", "quadratic"] = Field(
        "quadratic", description="Weights of kappa for ordinal columns."
    )
    partitions: tuple[str, ...] = Field((), description="Partitions described; empty: all of the study.")


class CollinearityTable(TableBase):
    """Variance inflation of columns that enter a regression together."""

    kind: Literal["collinearity"]
    columns: tuple[str, ...] = Field(min_length=2, description="Participants columns, in order.")
    partitions: tuple[str, ...] = Field(("training",), description="Partitions whose patients are used.")


class PublishedNumbersTable(TableBase):
    """What the paper prints beside what the run gives, by the place in the paper."""

    kind: Literal["published"]


TableSettings = Annotated[
    BaselineTable
    | RegressionTable
    | PerformanceTable
    | DelongTable
    | SurvivalTable
    | GroupComparisonTable
    | CoxTable
    | CorrelationTable
    | AgreementTable
    | CollinearityTable
    | PublishedNumbersTable,
    Field(discriminator="kind"),
]
