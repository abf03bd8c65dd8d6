"""Palettes of figures: journals' own colours, and which of them everyone can tell apart.

``distinct`` is measured, not claimed: the leading colours of which every two lie at least :data:`APART` apart
(CIEDE2000) as seen with normal vision, without green cones and without red cones (Machado et al., IEEE Trans Vis
Comput Graph 2009;15:1291, severity 1). A test computes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

APART = 10.0  # CIEDE2000; about four times a just noticeable difference

PaletteName = Literal["okabe_ito", "jama", "nature", "nejm", "lancet", "grey"]


@dataclass(frozen=True)
class Palette:
    """Colours in order: the first is the negative outcome and the first series, the second the positive one."""

    name: str
    colours: tuple[str, ...]
    distinct: int
    source: str

    @property
    def negative(self) -> str:
        """Colour of the negative outcome."""
        return self.colours[0]

    @property
    def positive(self) -> str:
        """Colour of the positive outcome, and of what is to be looked at."""
        return self.colours[1]


_GGSCI = "as the R package ggsci gives it"
PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        Palette(
            "okabe_ito",
            ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
            7,
            "Okabe and Ito, Color universal design, 2008",
        ),
        Palette(
            "jama",
            ("#374E55", "#B24745", "#00A1D5", "#DF8F44", "#6A6599", "#79AF97", "#80796B"),
            7,
            f"Journal of the American Medical Association, {_GGSCI}",
        ),
        Palette(
            "nature",
            ("#3C5488", "#E64B35", "#00A087", "#4DBBD5", "#F39B7F", "#8491B4", "#7E6148"),
            4,
            f"Nature Publishing Group, {_GGSCI}",
        ),
        Palette(
            "nejm",
            ("#0072B5", "#BC3C29", "#E18727", "#20854E", "#7876B1", "#6F99AD", "#EE4C97"),
            4,
            f"New England Journal of Medicine, {_GGSCI}",
        ),
        Palette(
            "lancet",
            ("#00468B", "#ED0000", "#42B540", "#0099B4", "#925E9F", "#AD002A", "#1B1919"),
            2,
            f"Lancet, {_GGSCI}",
        ),
        Palette("grey", ("#000000", "#7F7F7F", "#4D4D4D", "#ABABAB"), 4, "black, and greys that print"),
    )
}


def tint(colour: str, share: float) -> str:
    """``colour`` mixed into white: 1 is the colour itself, 0 white."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)
