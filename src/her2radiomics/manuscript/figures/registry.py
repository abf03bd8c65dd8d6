"""The registry of figure kinds: what a kind may be told, what it needs, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.manuscript import style
from her2radiomics.manuscript.palettes import PaletteName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from her2radiomics.manuscript.figures.inputs import FigureInputs


class FigureOptions(Settings):
    """What every figure of a protocol says."""

    id: str = Field(
        description="File name and number: figure_<n><letter>_<what>; supplementary: figure_s<n><letter>_<what>.",
        pattern=r"^figure_s?[0-9]+[a-z]?_[a-z0-9_]+$",
    )
    title: str = Field(
        description="The figure's title, as in the list of figures and in the files' metadata."
    )
    caption: str = Field("", description="Text under the figure in the report.")
    width_mm: float = Field(
        84.0, description="Printed width in mm: 84 is one column, 174 two.", ge=60, le=240
    )
    panel_letter: str = Field("", description="Bold letter at the upper left.", max_length=2)
    palette: PaletteName | None = Field(
        None, description="Colours; without it those of the protocol's palette."
    )
    font_size: float = Field(
        style.FONT_SIZE, description="Size of axis labels in pt; small type is 7/8 of it.", ge=8, le=10
    )

    def models_used(self, need: str) -> tuple[str, ...]:
        """Models whose ``need`` (``predictions``, ``coefficients``, …) the figure reads."""
        named: list[str] = list(getattr(self, "models", ()))
        if getattr(self, "model", ""):
            named.append(self.model)  # type: ignore[attr-defined]
        return tuple(dict.fromkeys(named))

    def needs(self, usual: tuple[str, ...]) -> tuple[str, ...]:
        """Inputs that the figure reads, of those that its kind usually needs."""
        return usual

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns that the figure reads."""
        return ()

    def partitions_used(self) -> tuple[str, ...]:
        """Partitions that the figure names."""
        one = getattr(self, "partition", None)
        return (one,) if one else tuple(getattr(self, "partitions", ()))


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


@dataclass(frozen=True)
class Drawing:
    """A drawn figure and the table of the numbers in it."""

    figure: Figure
    data: pd.DataFrame
    look: style.Look = field(default_factory=style.Look)


Draw = Callable[["FigureInputs", Any], Drawing]
Drawer = TypeVar("Drawer", bound=Draw)


@dataclass(frozen=True)
class Kind:
    """One registered kind of figure."""

    name: str
    options: type[FigureOptions]
    inputs: tuple[str, ...]
    draw: Draw


KINDS: dict[str, Kind] = {}


def figure(name: str, options: type[FigureOptions], needs: tuple[str, ...]) -> Callable[[Drawer], Drawer]:
    """Register a drawing function as the figure kind ``name``.

    Parameters
    ----------
    name
        The kind, as a protocol writes it; equal to the only value of ``options.kind``.
    options
        What a protocol may say about a figure of this kind.
    needs
        Names of the members of :class:`~her2radiomics.manuscript.figures.inputs.FigureInputs` that it reads.
    """

    def register(draw: Drawer) -> Drawer:
        if name in KINDS:
            raise ValueError(f"the figure kind '{name}' is registered twice")
        KINDS[name] = Kind(name, options, needs, draw)
        return draw

    return register
