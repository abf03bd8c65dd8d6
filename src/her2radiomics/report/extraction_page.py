"""The page of a run that ends with the extraction: who was extracted, quality control, and the regions on the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2radiomics.core.layout import Layout
from her2radiomics.manuscript.names import Names
from her2radiomics.report.context import Grid, Link, Overlay, Panel, Quality
from her2radiomics.report.quality import failed_cases, grey_level_panel, overlay_pictures, read_quality
from her2radiomics.report.sections import file_links


@dataclass(frozen=True)
class ExtractionContext:
    """What the page shows; quality control as in :class:`~her2radiomics.report.context.ReportContext`."""

    run: str
    title: str
    simulated: bool
    headline: str
    files: tuple[Link, ...]
    failed: Grid
    quality: Quality
    grey_levels: Panel | None
    grey_levels_note: str
    overlays: tuple[Overlay, ...]
    overlays_note: str


def extraction_context(
    folder: Path,
    run: str,
    title: str,
    headline: str,
    *,
    simulated: bool,
    overlays: Sequence[Path],
    centres: Mapping[str, str],
    names: Names,
) -> ExtractionContext:
    """Gather the page of a run until the extraction.

    Parameters
    ----------
    folder
        The run's folder.
    run, title, headline, simulated
        Its name, the study's title, how many were extracted, and whether the patients are made.
    overlays
        Quality-control pictures, each ``.../<patient>/<sequence>.png``.
    centres
        Patient to printed name of the centre.
    names
        Printed names of sequences.

    Raises
    ------
    StudyError, TableError
        A figure, a picture or a table is missing.
    """
    quality = read_quality(Layout(folder).path("qc"), centres, names)
    pictures, overlays_note = overlay_pictures(overlays, folder, quality, names)
    panel, note = grey_level_panel(folder, quality)
    return ExtractionContext(
        run,
        title,
        simulated,
        headline,
        file_links(folder, ("features", "qc", "ibsi")),
        failed_cases(quality),
        quality,
        panel,
        note,
        pictures,
        overlays_note,
    )
