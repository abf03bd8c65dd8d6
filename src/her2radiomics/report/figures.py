"""Figures on the page, in the paper's numbering, with captions and descriptions for those who cannot see them.

A composed figure is not shown a second time beside its own panels: they are shown one by one, large enough for a narrow
screen, under its letters, and the composed figure is linked above them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.figures import ComposedOptions, FigureOptions
from her2radiomics.manuscript.figures.roc import RocOptions
from her2radiomics.report.context import Link, Panel, ReportFigure
from her2radiomics.report.embed import figure_uri
from her2radiomics.report.info import RunInfo

ONE_COLUMN_MM = 120  # a wider figure is set over the page's whole width
FORMATS = ("svg", "pdf", "png", "csv")
_ID = re.compile(r"figure_(s?)([0-9]+)([a-z]?)_")


def figures(folder: Path, info: RunInfo, performance: pd.DataFrame) -> tuple[ReportFigure, ...]:
    """Figures of the protocol, panels of one number together; supplementary figures after the numbered ones.

    Raises
    ------
    StudyError
        A figure's file is missing.
    """
    items = sorted(info.protocol.figures, key=_place)
    composed = {_number(item.id)[0]: item for item in items if isinstance(item, ComposedOptions)}
    singles = [item for item in items if not isinstance(item, ComposedOptions)]
    panels: dict[str, list[Panel]] = {_number(item.id)[0]: [] for item in items}
    for item in singles:
        number, letter = _number(item.id)
        if number in composed and len(composed[number].panels) > 1:
            letter = composed[number].panel_letters.get(item.id, letter)
        panels[number].append(_panel(folder, info, item, letter, performance, len(singles)))
    return tuple(_figure(folder, info, number, those, composed.get(number)) for number, those in panels.items())


def _number(name: str) -> tuple[str, str]:
    """Number of a figure and letter of a panel, from its id: ``figure_s2b_x`` is ``S2`` and ``b``."""
    found = _ID.match(name)
    return (f"{found[1].upper()}{found[2]}", found[3]) if found else (name, "")


def _place(item: FigureOptions) -> tuple[int, int]:
    """Order on the page: numbered figures, supplementary ones, others; within a number the protocol's order."""
    found = _ID.match(item.id)
    return (1 if found[1] else 0, int(found[2])) if found else (2, 0)


def _figure(
    folder: Path, info: RunInfo, number: str, panels: list[Panel], whole: ComposedOptions | None
) -> ReportFigure:
    """A figure of its panels; ``whole`` is the composed one."""
    panels = _said_once(sorted(panels, key=lambda panel: panel.letter))
    if whole is None:
        return ReportFigure(number, tuple(panels))
    titles = {item.id: item.title for item in info.protocol.figures}
    elsewhere = [name for name in whole.panels if _number(name)[0] != number]
    caption = (whole.caption or whole.about.caption).strip()
    if elsewhere:
        where = f"Shown under their own numbers: {fmt.listing([_named(name, titles) for name in elsewhere])}."
        caption = f"{caption} {where}" if panels else where
    files = _files(folder, whole.id)
    if not files:
        path = Layout(folder).path("figure", figure=whole.id)
        raise StudyError(f"{path}: no such file; expected the figure. Draw it before the report.")
    return ReportFigure(number, tuple(panels), whole.title, caption, files)


def _said_once(panels: list[Panel]) -> list[Panel]:
    """The panels of a figure; a caption is given once, and with every picture for readers who cannot see it."""
    seen: set[str] = set()
    found = []
    for panel in panels:
        found.append(replace(panel, caption="") if panel.caption in seen else panel)
        seen.add(panel.caption)
    return found


def _named(name: str, titles: Mapping[str, str]) -> str:
    number, letter = _number(name)
    return f"{titles[name]} (Figure {number}{letter.upper()})"


def _files(folder: Path, name: str) -> tuple[Link, ...]:
    """Links to the formats of a figure that exist."""
    links = (Link(end.upper(), contract("figure").below(end, figure=name)) for end in FORMATS)
    return tuple(link for link in links if (folder / link.href).is_file())


def _panel(
    folder: Path, info: RunInfo, item: FigureOptions, letter: str, performance: pd.DataFrame, count: int
) -> Panel:
    caption = (item.caption or item.about.caption).strip()
    if info.simulated:
        caption = f"{caption} Simulated data.".strip()
    alt = f"{item.title.rstrip('.')}. {caption}{_numbers(info, item, performance)}"
    stem = Layout(folder).path("figure", figure=item.id).with_suffix("")
    picture, files = figure_uri(stem, count), _files(folder, item.id)
    wide = item.width_mm > ONE_COLUMN_MM
    return Panel(letter, item.title, caption, alt, picture, files, item.width_mm, wide)


def _numbers(info: RunInfo, item: FigureOptions, performance: pd.DataFrame) -> str:
    """What a sighted reader takes from the curves: the AUCs."""
    if not isinstance(item, RocOptions):
        return ""
    aucs = performance[performance["partition"] == item.partition].set_index("model")["auc"]
    values = [
        f"{info.protocol.model_label(name)} {fmt.fixed(float(aucs[name]), 2)}"
        for name in item.models
        if name in aucs.index
    ]
    return f" AUC: {fmt.listing(values)}." if values else ""
