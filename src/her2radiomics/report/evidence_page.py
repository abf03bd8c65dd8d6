"""The page of a run's evidence: what holds, what does not, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from her2radiomics.core.libraries import pd
from her2radiomics.core.templates import environment
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.study import Facts
from her2radiomics.report.embed import figure_uri
from her2radiomics.report.references import references

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
    groups = {
        heading: [row for row in told if row["verdict"] == verdict and row["analysis"] not in obstacles]
        for verdict, heading in VERDICTS.items()
    }
    cited = references(key for name, item in analyses.items() if name not in obstacles for key in item.references())
    return (
        environment("report")
        .get_template("evidence.html")
        .render(
            facts=facts, run=run, sections=sections, groups=groups, references=cited, script_source=Markup("'none'")
        )
    )
