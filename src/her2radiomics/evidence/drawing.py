"""Figures of the analyses: numbers with intervals, and distributions with a mark, in the style of all figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics import __version__
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.evidence.analysis import NAN, Analysis
from her2radiomics.evidence.study import Facts
from her2radiomics.manuscript import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width of every figure, mm.
WIDTH = 174.0
CHANCE = 0.5


@dataclass(frozen=True)
class Point:
    """A number with its interval in a forest plot.

    Attributes
    ----------
    label
        Its name at the left.
    value, low, high
        The number and its interval; the interval may be missing.
    text
        What is printed at the right.
    group
        A heading above the first point of a group.
    colour
        Place in the palette.
    """

    label: str
    value: float
    low: float = NAN
    high: float = NAN
    text: str = ""
    group: str = ""
    colour: int = 0


@dataclass(frozen=True)
class Distribution:
    """Values of repetitions with marks.

    Attributes
    ----------
    label
        Its name at the left.
    values
        The repetitions, shape (n,).
    mark
        The study's own value; not a number: none.
    text
        What is printed at the right.
    group
        A heading above the first of a group.
    colour
        Place in the palette.
    """

    label: str
    values: Sequence[float] | np.ndarray
    mark: float = NAN
    text: str = ""
    group: str = ""
    colour: int = 0


def forest(
    points: Sequence[Point], axis: str, *, reference: float | None = CHANCE, limits: tuple[float, float] | None = None
) -> Figure:
    """Draw numbers with their intervals, one a line; ``reference`` is a dashed line, ``axis`` the label of the scale."""

    def mark(axes: Axes, y: float, item: Any) -> None:
        colour = style.colours()[item.colour % len(style.colours())]
        if np.isfinite(item.low) and np.isfinite(item.high):
            axes.plot([item.low, item.high], [y, y], color=colour, linewidth=1.2, solid_capstyle="butt")
        axes.plot([item.value], [y], marker="s", markersize=4, color=colour, linestyle="none")

    return _lines(points, axis, mark, reference, limits)


def distributions(
    items: Sequence[Distribution],
    axis: str,
    *,
    reference: float | None = CHANCE,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw distributions, one a line: every value as a point, the median and the central 90 %, and a diamond as mark."""

    def mark(axes: Axes, y: float, item: Any) -> None:
        values = np.asarray(item.values, dtype=float)
        values = np.sort(values[np.isfinite(values)])
        colour = style.colours()[item.colour % len(style.colours())]
        if values.size == 1:
            axes.plot(values, [y], "s", markersize=4, color=colour)
        elif values.size:
            # a fixed pattern, so that the same values are drawn alike
            jitter = 0.28 * np.sin(np.arange(values.size) * 2.399963)
            axes.plot(values, y + jitter, ".", markersize=2.2, color=colour, alpha=0.5, markeredgewidth=0)
            low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
            axes.plot([low, high], [y, y], color=style.INK, linewidth=0.9, solid_capstyle="butt")
            axes.plot([middle, middle], [y - 0.3, y + 0.3], color=style.INK, linewidth=1.2)
        if np.isfinite(item.mark):
            edge: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.4}
            axes.plot([item.mark], [y], marker="D", markersize=4.5, color=style.positive(), zorder=5, **edge)

    return _lines(items, axis, mark, reference, limits)


def _lines(
    items: Sequence[Any], axis: str, mark: Any, reference: float | None, limits: tuple[float, float] | None
) -> Figure:
    """Lay out a heading for each group and a line for each item, labels at the left, texts at the right."""
    if not items:
        return style.message(WIDTH, "No number could be computed.")
    tall = style.mm(5.0)
    left = min(max(style.text_width(item.label, style.small()) for item in items) + 6.0, WIDTH * 0.42)
    right = min(max(style.text_width(item.text, style.small()) for item in items) + 4.0, WIDTH * 0.35)
    places: list[tuple[float, Any, str]] = []
    headings: list[tuple[float, str]] = []
    y, group = 0.0, ""
    for item in items:
        if item.group and item.group != group:
            headings.append((y, item.group))
            group, y = item.group, y + 1
        lines = style.wrap(item.label, left - 5.0, style.small())
        tall_as = max(1.0, 0.64 * len(lines))
        places.append((y + (tall_as - 1) / 2, item, "\n".join(lines)))
        y += tall_as
    height = y * tall
    figure = style.new_figure(WIDTH, style.head() + height + style.mm(11.0))
    axes = style.place(figure, left, style.head(), WIDTH - left - right, height)
    axes.set(ylim=(y - 0.5, -0.5), xlabel=axis)
    if limits:
        axes.set_xlim(*limits)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if reference is not None:
        axes.axvline(reference, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    beside = axes.get_yaxis_transform()
    small: dict[str, Any] = {"fontsize": style.small(), "va": "center", "transform": beside}
    room = WIDTH - left - right
    for where, heading in headings:
        axes.text(-(left - 2.0) / room, where, heading, fontweight="bold", ha="left", **small)
    for where, item, label in places:
        axes.text(-2.0 / room, where, label, ha="right", linespacing=0.95, **small)
        axes.text(1 + 2.0 / room, where, item.text, ha="left", **small)
        if np.isfinite(getattr(item, "value", 0.0)):
            mark(axes, where, item)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(6))
    return figure


def panel_below(figure: Figure, tall: float, right: float) -> Axes:
    """Make a figure ``tall`` mm higher, and add axes below all others that leave ``right`` mm free at their right."""
    wide, before = style.size(figure)
    after = before + tall
    figure.set_size_inches(wide / 25.4, after / 25.4)
    for axes in figure.axes:
        x, y, width, height = axes.get_position().bounds
        axes.set_position((x, (y * before + tall) / after, width, height * before / after))
    return style.place(figure, 14.0, before + 4.0, wide - 14.0 - right, tall - style.mm(15.0))


def write_figure(analysis: Analysis, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts, stem: Path) -> None:
    """Draw an analysis and write ``<stem>.svg``, ``.pdf`` and ``.png``."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    simulated = facts.about.simulated
    with style.in_style():
        figure = analysis.draw(rows, summary, facts)
        style.header(figure, letter="", heading=analysis.about.label, simulated=simulated)
        style.choose_fonts(figure)
        about = {
            "title": f"{facts.about.title}: {analysis.about.label}",
            "figure": analysis.about.name,
            "simulated": str(simulated).lower(),
            "software": f"her2radiomics {__version__}",
        }
        style.save(figure, stem, about)
