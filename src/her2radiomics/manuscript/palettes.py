"""Palettes of figures: journals' own colours, and which of them everyone can tell apart.

``distinct`` is measured, not claimed: the leading colours of which every two lie at least :data:`APART` apart
(CIEDE2000) as seen with normal vision, without green cones and without red cones (Machado et al., IEEE Trans Vis
Comput Graph 2009;15:1291, severity 1). Every colour has a contrast of at least 3 to 1 on white (WCAG 2.2, 1.4.11): a
journal's lighter colours are darkened to that. A test computes both anew.
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
            ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#714C00", "#882255", "#000000"),
            7,
            "Okabe and Ito, Color universal design, 2008, its orange darkened, Tol's wine for its sky blue",
        ),
        Palette(
            "jama",
            ("#374E55", "#B24745", "#009FD2", "#CD833E", "#6A6599", "#6D9E88", "#80796B"),
            6,
            f"Journal of the American Medical Association, {_GGSCI}",
        ),
        Palette(
            "nature",
            ("#3C5488", "#E64B35", "#00A087", "#41A0B7", "#CB8169", "#8491B4", "#7E6148"),
            4,
            f"Nature Publishing Group, {_GGSCI}",
        ),
        Palette(
            "nejm",
            ("#0072B5", "#BC3C29", "#D57F24", "#20854E", "#7876B1", "#6F99AD", "#EE4C97"),
            4,
            f"New England Journal of Medicine, {_GGSCI}",
        ),
        Palette(
            "lancet",
            ("#00468B", "#ED0000", "#3DA93B", "#0099B4", "#925E9F", "#AD002A", "#1B1919"),
            2,
            f"Lancet, {_GGSCI}",
        ),
        Palette("grey", ("#000000", "#949494", "#3B3B3B", "#6C6C6C"), 4, "black, and greys that print"),
    )
}


def tint(colour: str, share: float) -> str:
    """``colour`` mixed into white: 1 is the colour itself, 0 white."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)
