"""The page of a run's evidence: what holds, what does not, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.templates import environment
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.findings import LEFT_OUT
from her2radiomics.evidence.study import Facts
from her2radiomics.report.context import EvidenceGroup, EvidenceSummary
from her2radiomics.report.embed import figure_uri
from her2radiomics.report.references import references
from her2radiomics.report.sections import file_links

#: Verdicts in the order of the page, with their headings.
VERDICTS = {"does not hold": "What does not hold", "cannot be told": "What cannot be told", "holds": "What holds"}


@dataclass(frozen=True)
class Section:
    """One analysis on the page.

    Attributes
    ----------
    name, label, question
        The analysis.
    findings
        ``verdict, claim, sentence, rule`` of each finding.
    figure
        Its figure as a data URI; empty where it was left out.
    why
        Why it was left out; empty where it was made.
    """

    name: str
    label: str
    question: str
    findings: tuple[Mapping[str, str], ...]
    figure: str
    why: str


def by_verdict(findings: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Findings under the headings of the page; analyses that were left out are not among them."""
    told = findings[findings["claim"] != LEFT_OUT].to_dict("records")
    groups = {heading: [row for row in told if row["verdict"] == verdict] for verdict, heading in VERDICTS.items()}
    return {heading: rows for heading, rows in groups.items() if rows}


def evidence_summary(folder: Path) -> EvidenceSummary | None:
    """The evidence on the report's page; ``None`` where none was made.

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
    facts: Facts,
    analyses: Mapping[str, Analysis],
    findings: pd.DataFrame,
    figures: Mapping[str, str],
    obstacles: Mapping[str, str],
    run: str,
) -> str:
    """Return the page as one HTML document that loads nothing.

    Parameters
    ----------
    facts
        The study.
    analyses
        All analyses in their order.
    findings
        ``evidence_findings``.
    figures
        Analysis to the SVG of its figure.
    obstacles
        Analysis that was left out to the reason.
    run
        The run's name.
    """
    told = findings.to_dict("records")
    sections = tuple(
        Section(
            name,
            analysis.about.label,
            analysis.about.question,
            tuple(row for row in told if row["analysis"] == name),
            figure_uri(Path(figures[name]).with_suffix("")) if name in figures else "",
            obstacles.get(name, ""),
        )
        for name, analysis in analyses.items()
    )
    cited = references(key for name, item in analyses.items() if name not in obstacles for key in item.references())
    return (
        environment("report")
        .get_template("evidence.html")
        .render(
            facts=facts,
            run=run,
            sections=sections,
            groups=by_verdict(findings),
            references=cited,
            script_source=Markup("'none'"),
        )
    )
