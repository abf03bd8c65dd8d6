"""A run's checklists from its facts to its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from her2radiomics.checklists.fill import FilledChecklist, fill
from her2radiomics.checklists.render import to_csv, to_docx, to_html
from her2radiomics.checklists.results import result_facts
from her2radiomics.checklists.settings import Checklist, ChecklistRun
from her2radiomics.core.layout import Layout
from her2radiomics.core.settings import load
from her2radiomics.core.spreadsheets import for_people

ORDER = ("clear", "metrics", "tripod_ai", "rqs", "ibsi")


def read_checklists(files: Sequence[str | Path]) -> list[Checklist]:
    """Read checklist files, in the order of :data:`ORDER`, others after them.

    Raises
    ------
    SettingsError
        Whatever is wrong with a file.
    """
    rank = {name: position for position, name in enumerate(ORDER)}
    return sorted((load(Checklist, file) for file in files), key=lambda c: (rank.get(c.id, len(ORDER)), c.id))


def filled_checklists(files: Sequence[str | Path], run: ChecklistRun, folder: Path) -> list[FilledChecklist]:
    """Fill every checklist for a run that is done and lies in ``folder``."""
    table = Layout(folder).read("manuscript_places")
    places = dict(zip(table["paragraph"], table["place"], strict=True))
    whole = run.model_copy(update={"facts": {**run.facts, **result_facts(folder, run)}, "places": places})
    return [fill(checklist, whole) for checklist in read_checklists(files)]


def contents(files: Sequence[str | Path], run: ChecklistRun, folder: Path) -> dict[str, bytes]:
    """Ending to the content of the page, the CSV and the Word document; the same run gives the same bytes."""
    checklists = filled_checklists(files, run, folder)
    simulated = bool(run.facts["simulated"])
    return {
        "html": to_html(run.title, checklists, simulated).encode(),
        "csv": for_people(to_csv(checklists, simulated)),
        "docx": to_docx(checklists, simulated),
    }
