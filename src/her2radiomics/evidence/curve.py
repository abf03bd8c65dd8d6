"""The figure of a specification curve: numbers in rising order above, and the choices behind each of them below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.libraries import mpl
from her2radiomics.evidence.drawing import CHANCE, WIDTH
from her2radiomics.manuscript import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Height of the curve and of a row of choices, in mm.
TALL, ROW = 42.0, 3.6


@dataclass(frozen=True)
class Curve:
    """Numbers of specifications, in rising order.

    Attributes
    ----------
    values
        Shape (specifications,).
    own
        Place of the study's own; ``None``: it has no number.
    matrix
        Choice and its value to the specifications that have it, each of shape (specifications,).
    label
        Label of the upper axis.
    lower
        Lower bounds of intervals, shape (specifications,); not numbers where there are none.
    """

    values: np.ndarray
    own: int | None
    matrix: Mapping[tuple[str, str], np.ndarray]
    label: str
    lower: np.ndarray


def curve(item: Curve) -> Figure:
    """Draw a specification curve; the study's own specification is a diamond and a line through its choices."""
    if not item.values.size:
        return style.message(WIDTH, "No number could be computed.")
    rows = list(item.matrix)
    groups = list(dict.fromkeys(choice for choice, _ in rows))
    place = {row: number + 0.6 * groups.index(row[0]) for number, row in enumerate(rows)}
    last = max(place.values(), default=0.0) + 1
    wide = max((style.text_width(value, style.small()) for _, value in rows), default=10.0) + 5.0
    named = max((style.text_width(choice, style.small()) for choice in groups), default=10.0) * 1.1 + 4.0
    left = min(named + wide, WIDTH * 0.55)
    top, below = style.head() + style.mm(1.0), style.mm(ROW) * last
    figure = style.new_figure(WIDTH, top + style.mm(TALL) + style.mm(3.0) + below + style.mm(9.0))
    across = WIDTH - left - 3.0
    one = style.place(figure, left, top, across, style.mm(TALL))
    two = style.place(figure, left, top + style.mm(TALL) + style.mm(3.0), across, below)
    _above(one, item)
    _below(two, item, place, across, wide)
    for axes in (one, two):
        axes.set_xlim(-1, item.values.size)
    return figure


def _above(axes: Axes, item: Curve) -> None:
    order = np.arange(item.values.size)
    size = 3.2 if item.values.size < 120 else 2.2
    axes.vlines(order, item.lower, item.values, color=style.MUTED, linewidth=0.5, alpha=0.6, zorder=1)
    axes.plot(order, item.values, "o", markersize=size, color=style.colours()[0], markeredgewidth=0, zorder=2)
    axes.axhline(CHANCE, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    line = mpl.lines.Line2D
    handles = [
        mpl.lines.Line2D(
            [], [], marker="o", linestyle="none", color=style.colours()[0], markersize=3.2, label="Specification"
        ),
        line([], [], color=style.MUTED, linewidth=0.8, label="Down to the lower bound of its interval"),
    ]
    if item.own is not None:
        diamond: dict[str, Any] = {
            "marker": "D",
            "color": style.positive(),
            "markersize": 5.5,
            "markeredgecolor": "white",
        }
        axes.plot([item.own], [item.values[item.own]], linestyle="none", zorder=4, **diamond)
        handles.append(line([], [], linestyle="none", label="The study's own", **diamond))
    axes.set_xticks([])
    style.vertical_label(axes, item.label, style.mm(TALL))
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    floor = np.nanmin([*item.lower, *item.values, CHANCE])
    axes.set_ylim(max(float(floor) - 0.05, -0.02), min(float(item.values.max()) + 0.14, 1.12))
    axes.legend(
        handles=handles,
        loc="upper left",
        ncols=3,
        frameon=False,
        fontsize=style.small(),
        borderaxespad=0.0,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def _below(axes: Axes, item: Curve, place: Mapping[tuple[str, str], float], across: float, wide: float) -> None:
    size = max(0.8, min(3.0, 260 / item.values.size))
    small: dict[str, Any] = {"fontsize": style.small(), "va": "center", "transform": axes.get_yaxis_transform()}
    seen: set[str] = set()
    for (choice, value), y in place.items():
        chosen = np.flatnonzero(item.matrix[choice, value])
        axes.plot(
            chosen, np.full(chosen.size, y), "|", markersize=style.mm(5.0), color=style.INK, markeredgewidth=size / 2
        )
        if item.own is not None and item.matrix[choice, value][item.own]:
            axes.plot([item.own], [y], "D", color=style.positive(), markersize=4, markeredgecolor="white", zorder=3)
        axes.text(-2.0 / across, y, value, ha="right", **small)
        if choice not in seen:
            axes.text(-(wide + 1.0) / across, y, choice, ha="right", fontweight="bold", **small)
            seen.add(choice)
    axes.set_ylim(max(place.values(), default=0.0) + 0.7, -0.7)
    axes.set_yticks([])
    axes.set_xticks([])
    axes.set_xlabel(f"{item.values.size} specifications in the order of their AUC")
    for side in axes.spines.values():
        side.set_visible(False)
