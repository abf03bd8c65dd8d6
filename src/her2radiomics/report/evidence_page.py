"""The page of a run's evidence, and its section in the report: what holds, what does not, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.templates import environment
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.drawing import WIDTH
from her2radiomics.evidence.findings import LEFT_OUT
from her2radiomics.evidence.study import Facts
from her2radiomics.report.context import EvidenceGroup, EvidenceSummary, Grid, Link
from her2radiomics.report.embed import figure_uri
from her2radiomics.report.prose import counted
from her2radiomics.report.references import references
from her2radiomics.report.sections import file_links
from her2radiomics.report.words import model_phrase

#: Verdicts in the order of the page, with their headings.
VERDICTS = {"does not hold": "What does not hold", "cannot be told": "What cannot be told", "holds": "What holds"}
_FILES = ("evidence_repetitions", "evidence_analysis", "evidence_analysis_findings", "evidence_figure")
#: Columns of the numbers on the page.
_SHOWN = ("arm", "model", "partition", "measure", "value", "n", "method")
#: More rows of numbers than these are in the file alone.
MOST_NUMBERS = 80


@dataclass(frozen=True)
class Section:
    """One analysis on the page.

    Attributes
    ----------
    name, label, question, method
        The analysis, the question that it answers, and how.
    findings
        ``verdict, claim, sentence, rule`` of each finding.
    figure
        Its figure as a data URI; empty where it was left out.
    numbers
        Its summary as printed.
    files
        Links to its files.
    why
        Why it was left out; empty where it was made.
    """

    name: str
    label: str
    question: str
    method: str
    findings: tuple[Mapping[str, str], ...]
    figure: str
    numbers: Grid
    files: tuple[Link, ...]
    why: str


@dataclass(frozen=True)
class EvidenceContext:
    """What the page shows."""

    run: str
    title: str
    simulated: bool
    model: str
    sizes: tuple[str, ...]
    sections: tuple[Section, ...]
    groups: Mapping[str, Sequence[Mapping[str, str]]]
    references: tuple[str, ...]
    files: tuple[Link, ...]

    @property
    def left_out(self) -> tuple[Section, ...]:
        """Analyses that were left out."""
        return tuple(section for section in self.sections if section.why)


def by_verdict(findings: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Findings under the headings of the page; analyses that were left out are not among them."""
    told = findings[findings["claim"] != LEFT_OUT].to_dict("records")
    groups = {heading: [row for row in told if row["verdict"] == verdict] for verdict, heading in VERDICTS.items()}
    return {heading: rows for heading, rows in groups.items() if rows}


def evidence_summary(folder: Path) -> EvidenceSummary | None:
    """The evidence in the report; ``None`` where none was made.

    Raises
    ------
    TableError
        ``evidence/findings.csv`` lacks a column.
    """
    layout = Layout(folder)
    if not layout.path("evidence_findings").is_file():
        return None
    groups = tuple(
        EvidenceGroup(heading, tuple((row["claim"], row["sentence"]) for row in rows))
        for heading, rows in by_verdict(layout.read("evidence_findings")).items()
    )
    return EvidenceSummary(groups, file_links(folder, ("evidence_page", "evidence_findings", "evidence_summary")))


def evidence_page(
    folder: Path,
    run: str,
    facts: Facts,
    analyses: Mapping[str, Analysis],
    findings: pd.DataFrame,
    summary: pd.DataFrame,
    obstacles: Mapping[str, str],
) -> str:
    """Return the page as one HTML document that loads nothing.

    Parameters
    ----------
    folder, run
        The run's folder and name.
    facts
        The study.
    analyses
        All analyses in their order.
    findings, summary
        ``evidence_findings`` and ``evidence_summary``.
    obstacles
        Analysis that was left out to the reason.
    """
    made = {name: item for name, item in analyses.items() if name not in obstacles}
    context = EvidenceContext(
        run=run,
        title=facts.about.title,
        simulated=facts.about.simulated,
        model=model_phrase(facts.label(facts.about.primary)),
        sizes=tuple(_size(facts, name) for name in (TRAINING, *facts.tested)),
        sections=tuple(
            _section(folder, name, item, facts, findings, summary, obstacles.get(name, ""), len(made))
            for name, item in analyses.items()
        ),
        groups=by_verdict(findings),
        references=references(key for item in made.values() for key in item.references()),
        files=tuple(
            Link(Path(path).name, path)
            for path in (contract(n).below() for n in ("evidence_findings", "evidence_summary"))
        ),
    )
    template = environment("report").get_template("evidence.html")
    return template.render(c=context, width_mm=WIDTH, script_source=Markup("'none'"))


def _section(
    folder: Path,
    name: str,
    analysis: Analysis,
    facts: Facts,
    findings: pd.DataFrame,
    summary: pd.DataFrame,
    why: str,
    figures: int,
) -> Section:
    """One analysis; ``figures`` share the page."""
    told = findings[findings["analysis"] == name].to_dict("records")
    figure = folder / contract("evidence_figure").below(analysis=name)
    return Section(
        name,
        analysis.about.label,
        analysis.about.question,
        analysis.method(facts) if not why else "",
        tuple(told),
        "" if why else figure_uri(figure.with_suffix(""), figures),
        _numbers(summary[summary["analysis"] == name], facts),
        file_links(folder, _FILES, analysis=name),
        why,
    )


def _size(facts: Facts, partition: str) -> str:
    """Patients of a set, and those with the outcome."""
    n, events = facts.size(partition)
    return f"{facts.partition_label(partition)}: {counted(n, 'patient')}, {events} of them {facts.about.outcomes[1]}"


def _numbers(rows: pd.DataFrame, facts: Facts) -> Grid:
    """Numbers of an analysis as printed, without the columns that are empty in all rows."""
    rows = rows.head(MOST_NUMBERS)
    declared = contract("evidence_summary")
    printed = {
        "arm": rows["arm"],
        "model": rows["model"].map(facts.label),
        "partition": rows["partition"].map(facts.partition_label),
        "measure": rows["measure"]
        .str.replace("632_plus", ".632+")
        .str.replace("_", " ")
        .str.replace(r"\bauc\b", "AUC", regex=True),
        "value": [_number(row) for row in rows.itertuples()],
        "n": [f"{n:.0f}" if n == n else "" for n in rows["n"]],
        "method": rows["method"],
    }
    shown = [name for name in _SHOWN if any(map(str, printed[name]))]
    cells = zip(*(map(str, printed[name]) for name in shown), strict=True)
    return Grid(tuple(declared.column(name).label for name in shown), tuple(cells))


def _number(row: object) -> str:
    """A number with its interval, to three decimals."""
    value, low, high = (getattr(row, name) for name in ("value", "low", "high"))
    if value != value:
        return ""
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    bounds = f" ({low:.3f} to {high:.3f})" if low == low and high == high else ""
    return text + bounds
