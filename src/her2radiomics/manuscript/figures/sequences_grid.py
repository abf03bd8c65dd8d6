"""Where the images of a grid of sequences stand on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from her2radiomics.manuscript import style

IN_BRACKETS = re.compile(r"\([^()]*\)")
TALLEST = 210.0  # mm: a page with its caption
GAP, SMALLEST = 1.2, 22.0  # mm between images; side of the smallest pair that still shows an outline well


@dataclass(frozen=True)
class ImageGrid:
    """Where the images stand, in mm: squares of ``side``, the plain ones above the outlined ones or ``beside`` them."""

    left: float
    side: float
    sequences: int
    rows: int
    plain: bool
    beside: bool

    @property
    def top(self) -> float:
        """Upper edge of the first line of images."""
        return style.head() + 4.0

    @property
    def bands(self) -> int:
        """Lines of images that a row of the figure has."""
        return 2 if self.plain and not self.beside else 1

    @property
    def lines(self) -> int:
        """Lines of images in all."""
        return self.rows * self.bands

    @property
    def pair(self) -> int:
        """Images of a sequence that are set side by side."""
        return 2 if self.plain and self.beside else 1

    def x(self, place: int) -> float:
        """Left edge of the image at a place of its line."""
        return self.left + place * (self.side + GAP)

    def y(self, line: int) -> float:
        """Upper edge of a line of images."""
        return self.top + line * (self.side + GAP)

    def cells(self, rows: Sequence[str]) -> Iterator[tuple[int, int, str, int, bool]]:
        """Line, place, row, number of the sequence, and whether outlined, of each image in reading order."""
        for line in range(self.lines):
            for place in range(self.sequences * self.pair):
                outlined = not self.plain or bool((place if self.beside else line) % 2)
                yield line, place, rows[line // self.bands], place // self.pair, outlined


def lay_out(rows: Sequence[str], sequences: int, *, width: float, plain: bool, key: float) -> ImageGrid:
    """Plain images above the outlined ones; beside them where the page is too low for images as wide as the figure.

    Parameters
    ----------
    rows
        Printed names of the rows, one an example patient.
    sequences
        Number of sequences.
    width, key
        Width of the figure, and height kept free below the images, in mm.
    plain
        Whether every image is shown without its outline too.
    """
    room = TALLEST - style.head() - 4.0 - key

    def placed(*, beside: bool) -> ImageGrid:
        across = sequences * (2 if beside else 1)
        lines = len(rows) * (2 if plain and not beside else 1)
        left, side = 1.5, 0.0
        for _ in range(3):  # the names of rows take a margin that depends on how high the rows are
            tall = room / lines - GAP
            side = min((width - left - 1.5 - GAP * (across - 1)) / across, tall)
            named = [row_name(row, side * lines / len(rows)) for row in rows if row]
            left = 1.5 + max((len(name) for name in named), default=0) * style.line_height(style.base())
        empty = width - left - 1.5 - (side + GAP) * across + GAP
        return ImageGrid(left + max(empty, 0.0) / 2, side, sequences, len(rows), plain, beside)

    above, beside = placed(beside=False), placed(beside=True)
    narrow = (above.side + GAP) * sequences < 0.75 * width
    return beside if plain and narrow and beside.side >= SMALLEST else above


def row_name(row: str, tall: float) -> list[str]:
    """Lines of a row's name along ``tall`` mm; what is in brackets is not broken where it fits a line."""
    points = style.base()
    whole = IN_BRACKETS.sub(lambda found: style.keep(found[0]), row)
    lines = style.wrap(whole, tall, points)
    return lines if all(style.text_width(line, points) <= tall for line in lines) else style.wrap(row, tall, points)
