"""What all analyses of evidence share: settings, when they can be done, their repetitions, and what these show.

An analysis is one settings class. Its repetitions depend on nothing but the study, the seed and their number, so that they
can be computed in any order, in any number of jobs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from her2radiomics.core.libraries import pd
from her2radiomics.core.registry import Kinds
from her2radiomics.core.settings import Settings
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.threads import one_thread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from her2radiomics.evidence.study import EvidenceStudy, Facts

#: What a rule finds: the data support a claim, they speak against it, or they cannot tell.
Verdict = Literal["holds", "does not hold", "cannot be told"]
NAN = float("nan")


def row(
    measure: str,
    value: float = NAN,
    *,
    arm: str = "",
    model: str = "",
    partition: str = "",
    n: int | None = None,
    events: int | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Return one number of a repetition, without the repetition's number (contract ``evidence_repetitions``)."""
    return {
        "arm": arm,
        "model": model,
        "partition": partition,
        "measure": measure,
        "value": value,
        "n": n,
        "events": events,
        "note": note,
    }


def summary_row(
    measure: str,
    value: float = NAN,
    low: float = NAN,
    high: float = NAN,
    *,
    method: str,
    arm: str = "",
    model: str = "",
    partition: str = "",
    n: int | None = None,
    events: int | None = None,
) -> dict[str, Any]:
    """Return one row of an analysis' summary (contract ``evidence_analysis``)."""
    return {
        "arm": arm,
        "model": model,
        "partition": partition,
        "measure": measure,
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "events": events,
        "method": method,
    }


@dataclass(frozen=True)
class Finding:
    """What an analysis shows, in words that follow from a stated rule.

    Attributes
    ----------
    verdict
        Whether the claim holds.
    claim
        The claim, in a few words.
    sentence
        What was found, with its numbers.
    rule
        The rule by which the verdict follows from the numbers.
    """

    verdict: Verdict
    claim: str
    sentence: str
    rule: str


@dataclass(frozen=True)
class AnalysisKind:
    """What is printed and known about an analysis.

    Attributes
    ----------
    name
        As protocols write it, and its folder in the results.
    label
        Heading on the page.
    question
        The question that it answers, as the page prints it.
    order
        Its place on the page.
    references
        Keys of the references of its method.
    """

    name: str
    label: str
    question: str
    order: int
    references: tuple[str, ...] = ()


class Analysis(Settings):
    """Base of the analyses; a subclass has the field ``analysis``, its settings, and what is abstract here."""

    about: ClassVar[AnalysisKind]
    #: Repetitions of one job: about a minute of them.
    per_job: ClassVar[int] = 50
    #: Analyses whose repetitions it reads as well as its own: refits that several analyses need are made once.
    reads: ClassVar[tuple[str, ...]] = ()
    if TYPE_CHECKING:
        analysis: str

    def obstacle(self, facts: Facts) -> str:
        """Why the analysis is left out of a study, as a sentence; empty: it is done."""
        return ""

    def others(self, facts: Facts) -> list[str]:
        """Names of the other extractions (``facts.about.others``) whose features the repetitions read."""
        return []

    @abstractmethod
    def repetitions(self, facts: Facts) -> int:
        """How many repetitions the analysis has."""

    @abstractmethod
    def repeat(self, study: EvidenceStudy, index: int) -> Iterable[dict[str, Any]]:
        """Compute one repetition: rows made by :func:`row`; random by the study's seed and ``index`` alone."""

    def wanted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return those of the repetitions, its own and those that it reads, that it sums up and that its table keeps."""
        return rows

    @abstractmethod
    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterable[dict[str, Any]]:
        """Summarise all that is :meth:`wanted` (``evidence_repetitions``): rows made by :func:`summary_row`."""

    @abstractmethod
    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Say what a summary (``evidence_analysis``) shows."""

    @abstractmethod
    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Draw the analysis, from the parts of :mod:`her2radiomics.evidence.drawing` where they serve."""

    def method(self, facts: Facts) -> str:
        """How the analysis is done, in a sentence or two for the page; empty: question and figure say it."""
        return ""

    def references(self) -> tuple[str, ...]:
        """Keys of the references that the page prints."""
        return self.about.references

    def batches(self, facts: Facts) -> dict[str, tuple[int, int]]:
        """Name of a batch to its first repetition and the one behind its last; none where the analysis is left out."""
        if self.obstacle(facts):
            return {}
        total = self.repetitions(facts)
        starts = range(0, total, self.per_job)
        return {f"{number:04d}": (start, min(start + self.per_job, total)) for number, start in enumerate(starts, 1)}

    def run(self, study: EvidenceStudy, first: int, last: int) -> pd.DataFrame:
        """Compute the repetitions from ``first`` to the one before ``last`` (``evidence_repetitions``)."""
        with one_thread():
            return assemble("evidence_repetitions", list(self._rows(study, first, last)))

    def _rows(self, study: EvidenceStudy, first: int, last: int) -> Iterator[dict[str, Any]]:
        for index in range(first, last):
            for item in self.repeat(study, index):
                yield {"repetition": index, **item}


#: Every analysis by its name; filled when the package ``analyses`` is imported.
ANALYSES: Kinds[Analysis] = Kinds("analysis", Analysis, "analysis", AnalysisKind)  # type: ignore[type-abstract]
analysis = ANALYSES.register


def in_order(analyses: Mapping[str, Analysis]) -> dict[str, Analysis]:
    """Analyses in their order on the page."""
    return dict(sorted(analyses.items(), key=lambda item: (item[1].about.order, item[0])))


__all__ = ["ANALYSES", "Analysis", "AnalysisKind", "Finding", "Verdict", "analysis", "in_order", "row", "summary_row"]
