"""Pictures in the boxes of the workflow: the run's own images, error of its LASSO, and ROC curves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from her2radiomics.core.libraries import mpl
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.boxes import PAD, Box, Paragraph, text_height, write
from her2radiomics.manuscript.figures.roc import roc_points
from her2radiomics.manuscript.figures.sequences import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from her2radiomics.manuscript.figures.inputs import FigureInputs

ACROSS, LARGEST, GAP = (3, 21.0, 1.0)  # images in a line, their greatest side and the distance between them, in mm
SIDE = 27.0  # mm: greatest side of a frame with axes


class Picture(NamedTuple):
    """What is under the text of a box: its height in mm at a width, how it is drawn, and the least width of the box."""

    height: Callable[[float], float]
    draw: Callable[[Figure, Axes, Box, float], None]
    least: float = 0.0


def thumbnails(inputs: FigureInputs, *, outlined: bool, largest: float = LARGEST) -> Picture | None:
    """The first example patient's sequences with their names, at most ``largest`` mm wide; ``outlined`` or not."""
    first = inputs.images[0].row if inputs.images else None
    images = [image for image in inputs.images if image.row == first]
    if not images:
        return None
    order = {name: place for place, name in enumerate(inputs.study.sequences)}
    images.sort(key=lambda image: order.get(image.sequence, len(order)))

    def side(width: float) -> float:
        across = min(len(images), ACROSS)
        return min((width - 2 * PAD - GAP * (across - 1)) / across, largest)

    named = inputs.study.sequences
    # the number of a phase stays with its word
    names = [re.sub(r" (?=\d+$)", "\u00a0", named.get(image.sequence, image.sequence)) for image in images]
    line = style.line_height(style.small())

    def under(width: float) -> list[list[str]]:
        return [style.wrap(name, side(width), style.small()) for name in names]

    def step(width: float) -> float:
        return side(width) + max(map(len, under(width))) * line + GAP

    def height(width: float) -> float:
        return -(-len(images) // ACROSS) * step(width) + PAD

    def draw(fig: Figure, page: Axes, box: Box, y: float) -> None:
        views = [View(image) for image in images]
        field = max(40.0, 2.0 * max(view.extent for view in views))
        each = side(box.width)
        for place, (view, words) in enumerate(zip(views, under(box.width), strict=True)):
            x = box.x + PAD + place % ACROSS * (each + GAP)
            top = y + place // ACROSS * step(box.width)
            axes = style.place(fig, x, top, each, each)
            axes.set_facecolor("black")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            view.show(axes, field, each, outlined=outlined)
            look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": style.small()}
            for row, word in enumerate(words):
                page.text(x + each / 2, top + each + (row + 0.5) * line, word, **look)

    longest = max(style.text_width(word, style.small()) for name in names for word in name.split(" "))
    across = min(len(images), ACROSS)
    return Picture(height, draw, across * longest + GAP * (across - 1) + 2 * PAD)


def lasso_error(inputs: FigureInputs, model: str) -> Picture | None:
    """Cross-validated error along the penalty with the smallest marked; nothing without a LASSO."""
    cv = inputs.table("lasso_cv", model).sort_values("lambda")
    if cv.empty:
        return None

    def draw(fig: Figure, page: Axes, box: Box, y: float) -> None:
        axes = _frame(fig, box, y, square=False)
        axes.plot(np.log(cv["lambda"]), cv["mean_error"], color=style.positive())
        axes.axvline(float(np.log(cv.loc[cv["min"], "lambda"]).iloc[0]), color=style.INK, linewidth=0.8, linestyle="--")
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
        axes.set_yticks([])
        axes.set_xlabel("ln λ", fontsize=style.small())
        axes.set_ylabel("LASSO error", fontsize=style.small())

    return Picture(lambda width: _side(width) + style.mm(9.0), draw)


def roc_curves(inputs: FigureInputs, model: str) -> Picture | None:
    """The model's curve in each partition with both outcomes, and the AUCs below."""
    people = inputs.table("predictions", model)
    names = [
        name for name in inputs.study.partitions if people.loc[people["partition"] == name, "label"].nunique() == 2
    ]
    if not names:
        return None
    areas = [fmt.auc(inputs.performance_of(model, name), 2) for name in names]
    words = [
        Paragraph(f"{inputs.study.partitions[name]}: {style.keep(f'AUC {area}')}")
        for name, area in zip(names, areas, strict=True)
    ]

    def draw(fig: Figure, page: Axes, box: Box, y: float) -> None:
        axes = _frame(fig, box, y, square=True)
        axes.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8)
        for name in names:
            rows = people[people["partition"] == name]
            false, true, _ = roc_points(rows["label"].to_numpy(), rows["probability"].to_numpy(float))
            colour, dash = style.line_of(name, names)
            axes.plot(false, true, color=colour, linestyle=dash, clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 1], yticks=[0, 1])
        axes.set_xlabel("1 − specificity", fontsize=style.small())
        axes.set_ylabel("Sensitivity", fontsize=style.small())
        _key(page, box, y + _side(box.width) + style.mm(8.5), words, names)

    return Picture(lambda width: _side(width) + style.mm(8.5) + _key_height(words, width) + PAD, draw)


def _side(width: float) -> float:
    return min(width - 2 * PAD - style.mm(7.0), SIDE)


def _frame(fig: Figure, box: Box, y: float, *, square: bool) -> Axes:
    """Axes in the box, its frame ``y`` mm from the figure's upper edge."""
    side, margin = _side(box.width), style.mm(7.0)
    wide = side if square else box.width - 2 * PAD - margin
    return style.place(fig, box.x + PAD + margin, y + 1.0, wide, side - 1.0)


def _key_height(words: Sequence[Paragraph], width: float) -> float:
    return text_height(list(words), width - 2 * PAD - style.mm(7.0))


def _key(page: Axes, box: Box, y: float, words: Sequence[Paragraph], names: Sequence[str]) -> None:
    """A sample of each line before its name and AUC."""
    for paragraph, name in zip(words, names, strict=True):
        colour, dash = style.line_of(name, names)
        middle = y + style.line_height(style.small()) / 2
        left, mark = box.x + PAD, style.mm(5.5)
        page.plot([left, left + mark], [middle, middle], color=colour, linestyle=dash, linewidth=1.2)
        write(page, left + style.mm(7.0), y, box.width - 2 * PAD - style.mm(7.0), [paragraph])
        y += _key_height([paragraph], box.width)
