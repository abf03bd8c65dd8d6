"""Boxes of wrapped text and arrows, on a page measured in millimetres from its upper left corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from her2radiomics.core.libraries import mpl
from her2radiomics.manuscript import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAD = 1.8  # mm between a box's edge and its text


@dataclass(frozen=True)
class Paragraph:
    """Text of one size and weight; a bullet hangs to its left."""

    text: str
    bold: bool = False
    size: float | None = None  # pt; without it that of small type
    bullet: bool = False

    def lines(self, width: float) -> list[str]:
        """The text broken to ``width`` mm."""
        return style.wrap(self.text, width - self.indent, self.points, bold=self.bold)

    @property
    def points(self) -> float:
        """Size of the type in pt."""
        return self.size if self.size is not None else style.small()

    @property
    def indent(self) -> float:
        """Room in mm for the bullet."""
        return style.mm(2.4) if self.bullet else 0.0


@dataclass(frozen=True)
class Box:
    """A drawn box: its upper left corner and size in mm."""

    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> tuple[float, float]:
        """Middle of the lower edge."""
        return self.x + self.width / 2, self.y + self.height

    @property
    def top(self) -> tuple[float, float]:
        """Middle of the upper edge."""
        return self.x + self.width / 2, self.y


def page(figure: Figure, top: float = 0.0, height: float | None = None) -> Axes:
    """Invisible axes over the figure, or a strip of it: x to the right and y downwards, in mm from the figure's corner."""
    width, whole = style.size(figure)
    tall = whole - top if height is None else height
    axes = style.place(figure, 0.0, top, width, tall)
    axes.set(xlim=(0, width), ylim=(top + tall, top))
    axes.set_axis_off()
    return axes


def text_height(paragraphs: list[Paragraph], width: float) -> float:
    """Height in mm of the paragraphs, broken to ``width`` mm."""
    return sum(len(p.lines(width)) * style.line_height(p.points) for p in paragraphs)


def height_of(paragraphs: list[Paragraph], width: float) -> float:
    """Height in mm of a box of ``width`` mm around the paragraphs."""
    return 2 * PAD + text_height(paragraphs, width - 2 * PAD)


def draw_box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    paragraphs: list[Paragraph],
    *,
    height: float | None = None,
    face: str = "white",
    edge: str = style.INK,
    centre: bool = False,
) -> Box:
    """Draw a box with its text; its height follows from the text unless given."""
    tall = height_of(paragraphs, width) if height is None else height
    shape = "round,pad=0,rounding_size=0.8"
    axes.add_patch(
        mpl.patches.FancyBboxPatch((x, y), width, tall, boxstyle=shape, facecolor=face, edgecolor=edge, linewidth=0.7)
    )
    write(axes, x + PAD, y + PAD, width - 2 * PAD, paragraphs, centre=centre)
    return Box(x, y, width, tall)


def write(axes: Axes, x: float, y: float, width: float, paragraphs: list[Paragraph], *, centre: bool = False) -> None:
    """Write wrapped paragraphs from ``y`` downwards."""
    for paragraph in paragraphs:
        step = style.line_height(paragraph.points)
        if paragraph.bullet:
            axes.text(x, y + step / 2, "•", fontsize=paragraph.points, va="center_baseline")
        for line in paragraph.lines(width):
            axes.text(
                x + width / 2 if centre else x + paragraph.indent,
                y + step / 2,
                line,
                fontsize=paragraph.points,
                fontweight="bold" if paragraph.bold else "normal",
                ha="center" if centre else "left",
                va="center_baseline",
            )
            y += step


def arrow(axes: Axes, *points: tuple[float, float]) -> None:
    """Draw a line through the points, in mm, with a head at the last."""
    axes.plot(*zip(*points[:-1], strict=True), color=style.INK, linewidth=0.8, solid_capstyle="butt")
    head = {"arrowstyle": "-|>,head_width=0.14,head_length=0.28", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", points[-1], xytext=points[-2], arrowprops=head | {"color": style.INK, "linewidth": 0.8})
