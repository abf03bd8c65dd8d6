"""The figure of two ways to do the same: the AUC of both, and the difference with its interval beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.libraries import mpl
from her2radiomics.evidence.drawing import CHANCE, WIDTH
from her2radiomics.manuscript import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Width of the two frames and of what is printed at the right, in mm.
AREAS, TEXT, GAP = 42.0, 34.0, 7.0


@dataclass(frozen=True)
class Dumbbell:
    """Two AUCs and their difference.

    Attributes
    ----------
    label
        Its name at the left.
    group
        The block that it is in.
    before, after
        The two AUCs.
    value, low, high
        The difference and its interval.
    points
        Differences of repetitions, shape (n,), drawn behind.
    """

    label: str
    group: str
    before: float
    after: float
    value: float
    low: float
    high: float
    points: np.ndarray = field(default_factory=lambda: np.empty(0))


def dumbbells(items: Sequence[Dumbbell], names: tuple[str, str], axis: str = "Difference in test AUC") -> Figure:
    """Draw the AUCs at the left, the first of ``names`` as an open mark, and the differences about a zero line."""
    if not items:
        return style.message(WIDTH, "No number could be computed.")
    tall = style.mm(6.5)
    places: list[tuple[float, Dumbbell]] = []
    headings: list[tuple[float, str]] = []
    y = 0.0
    for item in items:
        if not headings or item.group != headings[-1][1]:
            y += 0.4 if headings else 0.0
            headings.append((y, item.group))
            y += 1
        places.append((y, item))
        y += 1
    left = min(max(style.text_width(item.label, style.small()) for item in items) + 6.0, WIDTH * 0.3)
    top, height = style.head() + style.mm(4.0), y * tall
    figure = style.new_figure(WIDTH, top + height + style.mm(14.0))
    start = left + AREAS + GAP
    one = style.place(figure, left, top, AREAS, height)
    two = style.place(figure, start, top, WIDTH - start - TEXT, height)
    for axes, label in ((one, "Test AUC"), (two, axis)):
        axes.set(ylim=(y - 0.5, -0.5), xlabel=label)
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
        for _, heading in headings[1:]:
            where = next(place for place, name in headings if name == heading) - 0.7
            axes.axhline(where, color=style.MUTED, linewidth=0.5)
    dash: dict[str, Any] = {"color": style.MUTED, "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 0}
    one.axvline(CHANCE, **dash)
    two.axvline(0, **dash)
    for where, heading in headings:
        one.text(
            -(left - 2.0) / AREAS,
            where,
            heading,
            fontweight="bold",
            fontsize=style.small(),
            va="center",
            transform=one.get_yaxis_transform(),
        )
    for where, item in places:
        _line(one, two, where, item, left)
    _key(one, names)
    _symmetric(two, items)
    return figure


def _line(one: Axes, two: Axes, y: float, item: Dumbbell, left: float) -> None:
    small: dict[str, Any] = {"fontsize": style.small(), "va": "center"}
    label = "\n".join(style.wrap(item.label, left - 5.0, style.small()))
    one.text(-2.0 / AREAS, y, label, ha="right", linespacing=0.95, transform=one.get_yaxis_transform(), **small)
    colour = style.positive()
    one.plot([item.before, item.after], [y, y], color=style.MUTED, linewidth=1.2, zorder=1)
    one.plot([item.before], [y], "o", markersize=5, markerfacecolor="white", markeredgecolor=style.INK, zorder=3)
    one.plot([item.after], [y], "o", markersize=4, color=colour, zorder=4)
    points = np.sort(item.points[np.isfinite(item.points)])
    if points.size:
        # a fixed pattern, so that the same values are drawn alike
        jitter = 0.3 * np.sin(np.arange(points.size) * 2.399963)
        two.plot(points, y + jitter, ".", markersize=1.8, color=style.MUTED, alpha=0.5, markeredgewidth=0, zorder=1)
    two.plot([item.low, item.high], [y, y], color=style.INK, linewidth=1.3, solid_capstyle="butt", zorder=2)
    two.plot([item.value], [y], "s", markersize=4.5, color=colour, zorder=3)
    text = f"{item.value:+.3f} ({item.low:+.3f} to {item.high:+.3f})".replace("-", "\N{MINUS SIGN}")
    two.annotate(text, (1, y), (style.mm(4.0), 0), two.get_yaxis_transform(), "offset points", **small)


def _key(axes: Axes, names: tuple[str, str]) -> None:
    """Say which mark is which, above the frame."""
    open_mark: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": style.INK, "markersize": 5}
    marks = [
        mpl.lines.Line2D([], [], marker="o", linestyle="none", **open_mark),
        mpl.lines.Line2D([], [], marker="o", linestyle="none", color=style.positive(), markersize=4),
    ]
    axes.legend(
        marks,
        list(names),
        loc="lower left",
        bbox_to_anchor=(-0.05, 1.0),
        ncols=2,
        frameon=False,
        fontsize=style.small(),
        handletextpad=0.2,
        columnspacing=1.0,
        borderpad=0.1,
        borderaxespad=0.0,
    )


def _symmetric(axes: Axes, items: Sequence[Dumbbell]) -> None:
    """Zero in the middle: a gain and a loss look alike."""
    ends = np.concatenate([[item.low, item.high, *item.points] for item in items])
    ends = np.abs(ends[np.isfinite(ends)])
    reach = max(float(ends.max(initial=0.0)) * 1.05, 0.02)
    axes.set_xlim(-reach, reach)
