"""What the templates of the methods say of a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from her2radiomics.core.bound import plain
from her2radiomics.extraction import Parameters
from her2radiomics.manuscript.cells import Cells
from her2radiomics.report import RunInfo
from her2radiomics.report.facts import Facts
from her2radiomics.report.methods import citations, of_template
from her2radiomics.report.references import references


def facts_of(info: RunInfo, folder: Path | None = None, parameters: Mapping[str, Parameters] | None = None) -> Facts:
    """What texts are written from; without a folder no table is read."""
    return Facts(info, Cells(folder or Path("nowhere")), parameters or {}, {})


def sections_of(
    info: RunInfo, template: str, folder: Path | None = None, parameters: Mapping[str, Parameters] | None = None
) -> dict[str, list[str]]:
    """Paragraphs of a template by section, without marks; without a folder from the protocol alone."""
    found = of_template(template, facts_of(info, folder, parameters), flow=folder is not None)
    return {part.id.removeprefix("methods."): [plain(text) for _, text in part.paragraphs] for part in found}


def said(info: RunInfo, *templates: str) -> str:
    """All that templates of the methods say of a protocol."""
    found = [sections_of(info, template) for template in templates]
    return " ".join(text for part in found for texts in part.values() for text in texts)


def references_of(
    info: RunInfo, templates: Sequence[str] = ("models", "evaluation", "statistics"), folder: Path | None = None
) -> tuple[str, ...]:
    """References that templates cite; without a folder from the protocol alone."""
    texts = [
        text
        for name in templates
        for part in of_template(name, facts_of(info, folder), flow=False)
        for _, text in part.paragraphs
    ]
    return references(key for text in texts for key in citations(text))
