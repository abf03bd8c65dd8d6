"""Kinds of figure: what all say of themselves, what they return, and the decorator that registers them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.core.registry import Kinds
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.kinds import Kind, Options, register
from her2radiomics.manuscript.palettes import PaletteName
from her2radiomics.manuscript.typefaces import FontName

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """A drawn figure, the table of the numbers in it, and the heading to be printed above it."""

    figure: Figure
    data: pd.DataFrame
    heading: str = ""
    look: style.Look = field(default_factory=style.Look)


@dataclass(frozen=True, kw_only=True)
class FigureKind(Kind):
    """What is known about a kind of figure; ``caption`` is printed in the report where the protocol has none."""

    caption: str
    inputs = tuple(item.name for item in fields(FigureInputs) if item.name != "study")


class FigureOptions(Options):
    """What every figure of a protocol says."""

    about: ClassVar[FigureKind]

    id: str = Field(
        description="File name and number: figure_<n><letter>_<what>; supplementary: figure_s<n><letter>_<what>.",
        pattern=r"^figure_s?[0-9]+[a-z]?_[a-z0-9_]+$",
    )
    title: str = Field(description="The figure's title, as in the list of figures and in the files' metadata.")
    caption: str = Field("", description="Text under the figure in the report.")
    width_mm: float = Field(84.0, description="Printed width in mm: 84 is one column, 174 two.", ge=60, le=240)
    panel_letter: str = Field("", description="Bold letter at the upper left.", max_length=2)
    palette: PaletteName | None = Field(None, description="Colours; without it those of the protocol's palette.")
    font_family: FontName | None = Field(None, description="Typeface; without it that of the protocol's font_family.")
    svg_text: style.SvgText | None = Field(None, description="Text of the SVG; without it as the protocol's svg_text.")
    font_size: float = Field(
        style.FONT_SIZE, description="Size of axis labels in pt; small type is 7/8 of it.", ge=8, le=10
    )

    def legend_of(self, inputs: FigureInputs) -> tuple[str, ...] | None:
        """What the legend names, where a composed figure prints one legend for all panels of the same; else nothing."""
        return None

    def make(self, inputs: FigureInputs) -> Drawing:
        """Draw the figure, with panel letter, heading and the mark of simulated data."""
        drawing: Drawing = super().make(inputs)
        style.header(
            drawing.figure, letter=self.panel_letter, heading=drawing.heading, simulated=inputs.study.simulated
        )
        return drawing

    def message(self, text: str, data: pd.DataFrame) -> Drawing:
        """A figure that says in words why there is nothing to draw."""
        return Drawing(style.message(self.width_mm, text), data)


class WideOptions(FigureOptions):
    """What a figure says that is usually two columns wide."""

    width_mm: float = Field(174.0, description="Printed width in mm: 84 is one column, 174 two.", ge=60, le=240)


class FramedOptions(FigureOptions):
    """What a figure with one frame of axes says besides: composed figures bring such frames into line."""

    height_mm: float | None = Field(
        None, description="Height of the axes' frame in mm; without it as suits the width.", ge=20, le=200
    )


class SquareOptions(FramedOptions):
    """A frame as wide as it is tall."""

    def place_square(self) -> tuple[float, float]:
        """Left edge and side of the frame in mm: in the middle of what the axis labels leave."""
        margin = style.mm(14.0)
        room = self.width_mm - margin - 3.0
        side = min(room, self.height_mm or 110.0)
        return margin + (room - side) / 2, side


KINDS = Kinds("figure", FigureOptions, "kind", FigureKind)
#: Decorates the drawing function ``(inputs, options)`` of a kind: see :func:`~her2radiomics.manuscript.kinds.register`.
figure = partial(register, KINDS)
