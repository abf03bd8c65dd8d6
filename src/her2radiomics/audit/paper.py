"""A paper's audit: its file, and the findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from her2radiomics.audit.base import VERDICTS, Check, Verdict
from her2radiomics.audit.counts import CountsAddUp, EachAtLeast, FractionCheck, Product, Ratio, SameTotal
from her2radiomics.audit.features import ClassSize, FeatureCount, FeatureSplit
from her2radiomics.audit.group_tests import ChiSquare, TwoMeans
from her2radiomics.audit.groups import AucFromCounts, FollowUp, Stratified
from her2radiomics.audit.means import MeanInRange, PooledMeanSd, SamePooledMean, WholeNumberMean
from her2radiomics.audit.model_tables import PrintedPerformance, PrintedRegression
from her2radiomics.audit.regression import CrudeOddsRatio, OddsRatio
from her2radiomics.audit.roc import AboveTraining, AucGranularity, AucInterval, Rates
from her2radiomics.audit.statements import Monotone, MoreFrequent, SameNumbers, SameTotals, SameValue, TextAgainstTable
from her2radiomics.audit.tables import PrintedTable
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings, load

AnyCheck = Annotated[
    FractionCheck
    | CountsAddUp
    | Product
    | EachAtLeast
    | Ratio
    | SameTotal
    | ChiSquare
    | TwoMeans
    | PooledMeanSd
    | SamePooledMean
    | WholeNumberMean
    | MeanInRange
    | OddsRatio
    | CrudeOddsRatio
    | FeatureCount
    | FeatureSplit
    | ClassSize
    | AucInterval
    | AucGranularity
    | Rates
    | AboveTraining
    | Stratified
    | AucFromCounts
    | FollowUp
    | SameValue
    | Monotone
    | TextAgainstTable
    | MoreFrequent
    | SameNumbers
    | SameTotals,
    Field(discriminator="check"),
]
AnyTable = Annotated[PrintedTable | PrintedRegression | PrintedPerformance, Field(discriminator="kind")]


class Audit(Settings):
    """What is checked in one paper, and the numbers as it prints them."""

    title: str = Field(description="Title of the paper, or of your own tables.")
    citation: str = Field("", description="Reference as it is to be cited.")
    doi: str = Field("", description="Digital object identifier.")
    source: str = Field("", description="Which text was read: full text, abstract, which tables were available.")
    tables: list[AnyTable] = Field(
        default_factory=list,
        description="Tables, transcribed whole: of characteristics (the usual kind), of a regression, of performance.",
    )
    checks: list[AnyCheck] = Field(default_factory=list, description="Checks of single statements.")
    beyond_arithmetic: list[str] = Field(
        default_factory=list,
        description="Contradictions that no arithmetic shows, and why: for the reader, beside the findings.",
    )

    @field_validator("tables", mode="before")
    @classmethod
    def _usual_kind(cls, value: Any) -> Any:
        """A table that names no kind is one of characteristics."""
        if not isinstance(value, list):
            return value
        return [{"kind": "characteristics", **item} if isinstance(item, Mapping) else item for item in value]

    @model_validator(mode="after")
    def _names_are_known(self) -> Audit:
        tables = [table.id for table in self.tables]
        ids = [check.id for check in self.checks]
        for names, what in ((tables, "table"), (ids, "check")):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"the {what} '{twice[0]}' is given twice")
        described = [table.id for table in self.tables if isinstance(table, PrintedTable)]
        for check in self.checks:
            used = [*getattr(check, "tables", []), *filter(None, [getattr(check, "table", None)])]
            for name in used:
                if name not in described:
                    raise ValueError(
                        f"{check.id}: no table '{name}' of characteristics; transcribed are "
                        f"{', '.join(described) or 'none'}"
                    )
        return self


@dataclass(frozen=True)
class AuditRow:
    """One check with its finding."""

    id: str
    check: str
    place: str
    claim: str
    quote: str
    verdict: Verdict
    arithmetic: str
    note: str


def read_audit(path: str | Path) -> Audit:
    """Read and check an audit file.

    Raises
    ------
    SettingsError
        Whatever is wrong with it, by key.
    """
    return load(Audit, path)


def audit(paper: Audit) -> list[AuditRow]:
    """Do every check, in the order of the file, those of transcribed tables first.

    Raises
    ------
    SettingsError
        A check names a row, level or group that its table does not have.
    """
    tables = {table.id: table for table in paper.tables if isinstance(table, PrintedTable)}
    rows = []
    for check in [*(c for table in paper.tables for c in table.checks()), *paper.checks]:
        rows.append(_row(check, tables))
    return rows


def _row(check: Check, tables: Mapping[str, PrintedTable]) -> AuditRow:
    try:
        finding = check.examine(tables)
    except SettingsError as error:
        raise SettingsError(f"{check.id}: {error}") from None
    kind = str(check.check)  # type: ignore[attr-defined]
    return AuditRow(
        check.id, kind, check.place, check.claim, check.quote, finding.verdict, finding.arithmetic, check.note
    )


def tally(rows: list[AuditRow]) -> dict[Verdict, int]:
    """Number of findings with each verdict, the inconsistent ones first."""
    return {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}
