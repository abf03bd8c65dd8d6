"""Sizes of figures as a journal prints them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from her2radiomics.article.journals import Journal
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import PIL

_INCH = 25.4
_DEFAULT_DPI = 300


@dataclass(frozen=True)
class Picture:
    """A figure's PNG file as it is printed.

    Attributes
    ----------
    width, height
        Size in mm.
    dpi
        Resolution at that size.
    title
        The title that the file carries.
    """

    path: Path
    width: float
    height: float
    dpi: float
    title: str


def picture(path: Path, journal: Journal, room: tuple[float, float]) -> Picture:
    """A figure at its own size, made smaller where the journal or the page has not the room (width and height in mm).

    Raises
    ------
    StudyError
        The run has no such figure.
    """
    if not path.is_file():
        raise StudyError(f"{path}: found no figure; expected one that the run made. Make it: snakemake {path}")
    with PIL.Image.open(path) as image:
        pixels, title = image.size, str(image.info.get("Title", ""))
        dpi = float(image.info.get("dpi", (_DEFAULT_DPI,))[0])
    width, height = (count / dpi * _INCH for count in pixels)
    widest = min(max(journal.figures.widths_mm), room[0])
    tallest = min(journal.figures.tallest_mm, room[1])
    scale = min(1.0, widest / width, tallest / height)
    return Picture(path, width * scale, height * scale, dpi / scale, title)


def resolution_warning(name: str, shown: Picture, journal: Journal) -> list[str]:
    """A sentence where a figure has fewer dots than the journal asks for."""
    if round(shown.dpi) >= journal.figures.dpi:
        return []
    return [f"{name} has {shown.dpi:.0f} dpi as printed; {journal.name} asks for {journal.figures.dpi}."]
