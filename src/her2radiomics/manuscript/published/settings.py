"""What a protocol may say of the numbers that a paper prints, and what kinds of them there are."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from her2radiomics.core.contracts import FROM_0_TO_1, SHARE, contract, measures
from her2radiomics.core.printed import Printed, parse
from her2radiomics.core.settings import Settings

Rule = Literal["interval", "equal", "p", "direction", "share", "mean", "spread", "names", "order", "range", "bound"]
#: When a printed number and ours are said to agree. Nothing else decides.
RULES: dict[Rule, str] = {
    "interval": "the printed value lies in our 95% interval, or the two intervals overlap",
    "equal": "ours is printed alike, to the printed decimals",
    "p": "both on the same side of 0.05; a printed bound is kept",
    "direction": "same direction, and the intervals overlap where both are known",
    "share": "the printed share lies in the exact 95% interval of ours",
    "mean": "the 95% intervals of the two means overlap",
    "spread": "the printed SD lies in the 95% interval of ours (χ²)",
    "names": "the same names, or the same first ones where an order is printed",
    "order": "the same order, or the same first where only the first is claimed",
    "range": "ours covers the printed range",
    "bound": "ours keeps the printed bound",
}


class Quantity(NamedTuple):
    """A kind of number: where its own is found, by which rule the two agree, and its printed name."""

    source: Literal["cohort", "performance", "features", "regression", "table", "predictions"]
    rule: Rule
    label: str


#: What may be published beside the measures of ``performance.csv`` and ``performance_extra.csv``.
FURTHER: dict[str, Quantity] = {
    "excluded": Quantity("cohort", "equal", "Patients excluded"),
    "n": Quantity("cohort", "equal", "Patients"),
    "events": Quantity("cohort", "equal", "Patients with the outcome"),
    "delong_p": Quantity("performance", "p", "p of DeLong's test"),
    "highest_auc": Quantity("performance", "order", "Highest AUC"),
    "features_extracted": Quantity("features", "equal", "Features extracted"),
    "features_selected": Quantity("features", "equal", "Features selected"),
    "features_kept": Quantity("features", "names", "Features kept"),
    "terms_kept": Quantity("features", "names", "Terms kept"),
    "smallest_icc": Quantity("features", "bound", "Smallest ICC between readers"),
    "beta": Quantity("regression", "direction", "β"),
    "se": Quantity("regression", "equal", "SE of β"),
    "wald": Quantity("regression", "equal", "Wald χ²"),
    "odds_ratio": Quantity("regression", "direction", "Odds ratio"),
    "regression_p": Quantity("regression", "p", "p of the regression"),
    "count": Quantity("table", "share", "Patients"),
    "mean": Quantity("table", "mean", "Mean"),
    "sd": Quantity("table", "spread", "SD"),
    "statistic": Quantity("table", "equal", "χ²"),
    "p": Quantity("table", "p", "p"),
    "smallest_p": Quantity("table", "bound", "Smallest p of the table"),
    "hazard_ratio": Quantity("table", "direction", "Hazard ratio"),
    "logrank_p": Quantity("table", "p", "p of the log-rank test"),
    "useful_thresholds": Quantity("predictions", "range", "Thresholds with benefit"),
}


def quantities() -> dict[str, Quantity]:
    """What a protocol may publish beside the measures of ``performance_extra.csv``, by name."""
    declared = contract("performance")
    of_performance = {name: declared.column(name).label for name in measures()}
    return {name: Quantity("performance", "interval", label) for name, label in of_performance.items()} | FURTHER


class PublishedNumber(Settings):
    """A number, a set of names or an order that the paper prints, that a run can compare with its own."""

    quantity: str = Field(description=f"One of: {', '.join(quantities())}, or a measure of performance_extra.csv.")
    model: str = Field("", description="The model it belongs to; empty for numbers of the cohort.")
    versus: str = Field("", description="The second model of a comparison (delong_p).")
    partition: str = Field(
        "",
        description="The partition it belongs to; empty for numbers of no partition. n and events may be of several: "
        "training + testing.",
    )
    block: Literal["", "univariate", "multivariate", "coefficients"] = Field(
        "", description="Which of the model's regressions (beta, se, wald, odds_ratio, regression_p)."
    )
    term: str = Field("", description="Term of that regression: a column, or column[level].")
    table: str = Field("", description="Our table that holds the same (count, mean, sd, statistic, p, …).")
    row: str = Field("", description="Its row: a participants column, or an endpoint as printed.")
    level: str = Field("", description="Level of the column, for counts.")
    group: str = Field(
        "", description="Its column: a partition, 1 or 0 of the label, or a level of what the table is by."
    )
    sequence: str = Field("", description="Sequence of the features that are counted.")
    region: str = Field("", description="Region of the features that are counted.")
    feature_class: str = Field(
        "",
        description="Class of the features that are counted: firstorder, glcm, or texture for all but shape and firstorder.",
    )
    value: Printed | None = Field(
        None, description="The number in quotes as printed: '0.830', '83.72%', '<0.001'; counts need no quotes."
    )
    low: Printed | None = Field(None, description="Lower bound of its interval or range, where printed.")
    high: Printed | None = Field(None, description="Upper bound.")
    sd: Printed | None = Field(None, description="Standard deviation printed with a mean.")
    n: int | None = Field(None, gt=0, description="Patients that a count or mean is of, where printed.")
    names: tuple[str, ...] = Field(
        (),
        description="Instead of a value: features or terms kept (for features_kept in the printed order of weight where "
        "ranked), or models, the one with the highest AUC first.",
    )
    ranked: bool = Field(False, description="The names are printed in an order.")
    source: str = Field(min_length=1, description="Where in the paper it is printed.")

    @model_validator(mode="after")
    def _something_printed(self) -> PublishedNumber:
        where = f"published {self.quantity} ({self.source})"
        if not (self.value or self.names or (self.low and self.high)):
            raise ValueError(f"{where}: expected a value, names, or low and high")
        if self.value and self.low and self.high:
            value, low, high = (parse(text).value for text in (self.value, self.low, self.high))
            if not low <= value <= high:
                raise ValueError(
                    f"{where}: found {self.value} outside its interval {self.low} to {self.high}. Correct the protocol."
                )
        declared = contract("performance")
        rate = self.quantity in measures() and declared.column(self.quantity).unit in (FROM_0_TO_1, SHARE)
        if rate and self.value and not 0 <= parse(self.value).value <= 1:
            raise ValueError(f"{where}: found {self.value}, expected 0 to 1. Write 83.72% as '83.72%'.")
        kind = quantities().get(self.quantity)
        if kind and kind.source == "table" and not self.table:
            raise ValueError(f"{where}: expected 'table', the id of our table that holds the same")
        if kind and kind.source == "regression":
            if not (self.model and self.block and self.term):
                raise ValueError(f"{where}: expected model, block and term")
        return self


class PublishedTable(Settings):
    """A table of the paper, transcribed in the study's audit file, and what its rows and columns are called here."""

    audit: str = Field(description="Id of the table in workflow/audits/<study>.yaml.")
    table: str = Field("", description="Our table of the same characteristics.")
    model: str = Field("", description="Our model, of a table of a regression.")
    block: str = Field("coefficients", description="univariate, multivariate or coefficients, of a regression.")
    rows: dict[str, str] = Field(
        default_factory=dict,
        description="Row as printed to ours: a participants column, a term, a model. Rows of the same name need none; "
        "a row that is not ours is mapped to nothing ('').",
    )
    groups: dict[str, str] = Field(
        default_factory=dict, description="Group or partition as printed to ours: 1, 0, training, testing, external."
    )
    levels: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Our column to its levels as printed and as here, where they differ."
    )
