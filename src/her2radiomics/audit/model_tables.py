"""Tables of regressions and of performance as a paper prints them, transcribed whole; every row becomes checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from her2radiomics.audit.base import NAME, Finding, join
from her2radiomics.audit.regression import RegressionRow, crude_odds_ratio, odds_ratio
from her2radiomics.audit.roc import RATES, Method, above_training, auc_granularity, auc_interval, rates
from her2radiomics.audit.tables import TableCheck, slug
from her2radiomics.core.printed import Printed, parse
from her2radiomics.core.settings import Settings

_RANGE = re.compile(r"\s*(?P<low>[-−]?\d*\.?\d+\s*%?)\s*(?:[-–—,;~]|to)\s*(?P<high>[-−]?\d*\.?\d+\s*%?)\s*")


def limits(text: str) -> tuple[str, str]:
    """The two ends of a printed interval: ``0.796–0.956``, ``3.317 to 28.139``.

    Raises
    ------
    ValueError
        It is no interval.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"found {text!r}, expected an interval as '0.796–0.956'")
    return match["low"].strip(), match["high"].strip()


def _checked(text: str) -> str:
    limits(text)
    return text


#: ``0.796–0.956``
Interval = Annotated[str, AfterValidator(_checked)]


class PrintedRegressionRow(Settings):
    """A term of a logistic regression; what is not printed is left out."""

    name: str = Field(description="Term, as printed.")
    beta: Printed | None = Field(None, description="Coefficient.")
    se: Printed | None = Field(None, description="Standard error.")
    wald: Printed | None = Field(None, description="Wald χ².")
    odds_ratio: Printed | None = Field(None, description="Odds ratio.")
    ci: Interval | None = Field(None, description="Its 95% interval, as '3.317–28.139'.")
    p: Printed | None = Field(None, description="p.")
    counts: list[tuple[int, int]] | None = Field(
        None,
        min_length=2,
        description="[with the outcome, without] a level, where printed elsewhere: the odds ratio is compared with the "
        "crude one. Two levels: exposed first. More: in their order, as 0, 1, 2, …",
    )
    note: str = Field("", description="What a reader should know besides the arithmetic.")

    @property
    def printed(self) -> dict[str, str]:
        """What is printed, by name, in the order of print."""
        names = ("beta", "se", "wald", "odds_ratio", "ci", "p")
        return {name: text for name in names if (text := getattr(self, name))}

    def row(self) -> RegressionRow:
        """The numbers."""
        low, high = limits(self.ci) if self.ci else (None, None)
        texts = {**self.printed, "ci_low": low, "ci_high": high}
        texts.pop("ci", None)
        return RegressionRow(**{name: parse(text) for name, text in texts.items() if text})


class PrintedRegression(Settings):
    """A table of a logistic regression."""

    kind: Literal["regression"]
    id: str = Field(pattern=NAME, description="Name by which a protocol refers to it.")
    place: str = Field(description="What the paper calls it, as 'Table 4'.")
    rows: list[PrintedRegressionRow] = Field(min_length=1, description="The rows, as printed.")

    @model_validator(mode="after")
    def _each_once(self) -> PrintedRegression:
        refuse_twice(self.place, [row.name for row in self.rows])
        return self

    def checks(self) -> Iterator[TableCheck]:
        """Each row against itself, and against the counts where they are given."""
        for row in self.rows:
            quote = " ".join([row.name, *row.printed.values()])
            yield self._check(
                row, "row", f"{row.name}: the row's numbers belong together", quote, odds_ratio(row.row())
            )
            if row.counts:
                cells = "; ".join(f"{a}, {b}" for a, b in row.counts)
                finding = crude_odds_ratio(row.counts, adjusted=row.row())
                yield self._check(
                    row, "crude", f"{row.name}: the model against the counts", f"{quote}; {cells}", finding
                )

    def _check(self, row: PrintedRegressionRow, kind: str, claim: str, quote: str, finding: Finding) -> TableCheck:
        names = {"row": "odds_ratio", "crude": "crude_odds_ratio"}
        return TableCheck(
            id=f"{self.id}.{slug(row.name)}.{kind}",
            check=names[kind],
            claim=claim,
            place=self.place,
            quote=quote,
            verdict=finding,
            note=row.note,
        )


class Patients(Settings):
    """The size of a partition."""

    n: int = Field(gt=0, description="Patients.")
    positives: int | None = Field(None, gt=0, description="Those with the outcome, where stated or implied.")

    @model_validator(mode="after")
    def _both_groups(self) -> Patients:
        if self.positives is not None and self.positives >= self.n:
            raise ValueError(f"positives: found {self.positives} of n = {self.n}; expected fewer")
        return self

    @property
    def groups(self) -> tuple[int, int] | None:
        """Patients with and without the outcome, where known."""
        return None if self.positives is None else (self.positives, self.n - self.positives)


class PrintedPerformanceRow(Settings):
    """A model on a partition; what is not printed is left out."""

    model: str = Field(description="Model, as printed.")
    partition: str = Field(description="One of the table's partitions.")
    auc: Printed | None = Field(None, description="Area under the ROC curve.")
    ci: Interval | None = Field(None, description="Its 95% interval, as '0.796–0.956'.")
    sensitivity: Printed | None = Field(None, description="Sensitivity.")
    specificity: Printed | None = Field(None, description="Specificity.")
    ppv: Printed | None = Field(None, description="Positive predictive value.")
    npv: Printed | None = Field(None, description="Negative predictive value.")
    accuracy: Printed | None = Field(None, description="Accuracy.")
    place: str = Field("", description="Where it is printed, if not where the table says.")
    note: str = Field("", description="What a reader should know besides the arithmetic.")

    @property
    def printed(self) -> dict[str, str]:
        """What is printed, by name."""
        return {name: text for name in ("auc", "ci", *RATES) if (text := getattr(self, name))}


class PrintedPerformance(Settings):
    """A table of models' performance."""

    kind: Literal["performance"]
    id: str = Field(pattern=NAME, description="Name by which a protocol refers to it.")
    place: str = Field(description="What the paper calls it, as 'Table 3'.")
    partitions: dict[str, Patients] = Field(min_length=1, description="Partition: its patients, training first.")
    interval: Method | None = Field(None, description="Method of the intervals that the paper names or implies.")
    rows: list[PrintedPerformanceRow] = Field(min_length=1, description="The rows, as printed.")
    note: str = Field("", description="What a reader should know of the group sizes, with each check.")

    @model_validator(mode="after")
    def _known(self) -> PrintedPerformance:
        refuse_twice(self.place, [f"{row.model}, {row.partition}" for row in self.rows])
        for row in self.rows:
            if row.partition not in self.partitions:
                raise ValueError(
                    f"{self.place}, {row.model}: no partition '{row.partition}'; there are {', '.join(self.partitions)}"
                )
            if row.ci and not row.auc:
                raise ValueError(f"{self.place}, {row.model}: an interval without its AUC")
        return self

    def checks(self) -> Iterator[TableCheck]:
        """Intervals, shares of pairs, rates against the groups, and a test that does better than training."""
        first = next(iter(self.partitions))
        training = {row.model: row for row in self.rows if row.partition == first and row.auc}
        for row in self.rows:
            size = self.partitions[row.partition]
            given = {name: parse(text) for name in RATES if (text := getattr(row, name))}
            if row.auc and row.ci:
                low, high = map(parse, limits(row.ci))
                finding = auc_interval(parse(row.auc), low, high, size.n, size.positives, self.interval)
                yield self._check(row, "interval", "the AUC's interval", finding)
            if row.auc and size.groups:
                pairs = auc_granularity(parse(row.auc), *size.groups)
                if pairs.verdict != "cannot be checked":
                    yield self._check(row, "pairs", "the AUC is a share of pairs", pairs)
            if given and size.groups:
                yield self._check(row, "rates", "the rates belong to the groups", rates(given, *size.groups))
            learned = training.get(row.model)
            if row.auc and learned and learned.auc and learned is not row:
                if parse(row.auc).value > parse(learned.auc).value:
                    finding = above_training(
                        parse(learned.auc), parse(row.auc), self.partitions[first].groups, size.groups
                    )
                    yield self._check(row, "above_training", "better than in training", finding)

    def _check(self, row: PrintedPerformanceRow, kind: str, claim: str, finding: Finding) -> TableCheck:
        names = {"interval": "auc_interval", "pairs": "auc_granularity", "above_training": "test_above_training"}
        said = join([f"{name.upper() if name in ('auc', 'ci') else name} {text}" for name, text in row.printed.items()])
        return TableCheck(
            id=f"{self.id}.{slug(row.model)}.{slug(row.partition)}.{kind}",
            check=names.get(kind, kind),
            claim=f"{row.model}, {row.partition}: {claim}",
            place=row.place or self.place,
            quote=said,
            verdict=finding,
            note=" ".join(filter(None, [row.note, self.note])),
        )


def refuse_twice(place: str, names: list[str]) -> None:
    """Refuse a row that is given twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{place}: the row '{name}' is given twice")
