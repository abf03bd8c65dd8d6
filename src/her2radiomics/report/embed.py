"""Pictures inside the page, as data URIs: vector figures where they are small enough, overlays and their outlines apart."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import PIL
from her2radiomics.extraction.overlay import COLOURS, LAYERS

#: All figures together, before they are written as text; each may take its share.
FIGURES = 3_500_000
#: No single figure takes more than this as it is.
LARGEST_FIGURE = 700_000
#: All thumbnails together; what does not fit is linked.
THUMBNAILS = 3_500_000
#: Pixels of a figure that is too large as it is.
FIGURE_WIDTH = 1600
_WIDTHS = ((120, 640), (300, 480), (10**9, 260))  # most pictures, their width in pixels


@dataclass(frozen=True)
class Layered:
    """An overlay on the page.

    Attributes
    ----------
    picture
        The picture as data URI, without outlines where they are known apart; empty where the page is full.
    contours
        The outlines on a clear ground, as data URI; empty where they are in the picture.
    size
        Width and height that the slices' places count in.
    slices
        Number of the slice from 1, left, top, width and height of each slice in the picture.
    of
        How many slices the image has; 0 where the picture does not say.
    """

    picture: str = ""
    contours: str = ""
    size: tuple[int, int] = (0, 0)
    slices: tuple[tuple[int, ...], ...] = ()
    of: int = 0


def data_uri(content: bytes, media: str) -> str:
    """``content`` as a data URI."""
    return f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"


def figure_uri(stem: Path, figures: int = 1) -> str:
    """Return the figure ``<stem>.svg`` as a data URI, or one of ``<stem>.png`` where the SVG is too large.

    As the source of an image an SVG keeps its ids and styles to itself, loads nothing and runs no script.

    Parameters
    ----------
    stem
        Path of the figure without its ending.
    figures
        How many figures share the page.

    Raises
    ------
    StudyError
        Neither file exists.
    """
    vector, pixels = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    if not vector.is_file() and not pixels.is_file():
        raise StudyError(f"{vector}: no such file; expected the figure. Draw it before the report.")
    most = min(LARGEST_FIGURE, FIGURES // figures)
    if vector.is_file() and (vector.stat().st_size <= most or not pixels.is_file()):
        return data_uri(vector.read_bytes(), "image/svg+xml")
    if pixels.stat().st_size <= most:
        return data_uri(pixels.read_bytes(), "image/png")
    return data_uri(_as_webp(_opened(pixels), FIGURE_WIDTH, 85), "image/webp")


def overlays(paths: Sequence[Path]) -> list[Layered]:
    """Overlays for the page, in order; those after the first :data:`THUMBNAILS` bytes are left to links.

    Raises
    ------
    StudyError
        A file is missing or is no picture.
    """
    width = next(width for most, width in _WIDTHS if len(paths) <= most)
    made, used = [], 0
    for path in paths:
        made.append(_layered(path, width) if used <= THUMBNAILS else Layered())
        used += len(made[-1].picture) + len(made[-1].contours)
    return made


def _layered(path: Path, width: int) -> Layered:
    picture = _opened(path)
    if LAYERS not in picture.info:
        return Layered(data_uri(_as_webp(picture, width, 50), "image/webp"), size=picture.size)
    layers = json.loads(picture.info[LAYERS])
    indices, greys = np.asarray(picture), int(layers["greys"])
    # the header's legend and a pixel below an outline are the grey that their index keeps
    plain = PIL.Image.fromarray((indices % greys * (255 / (greys - 1))).round().astype(np.uint8))
    outlines = PIL.Image.fromarray((indices // greys).astype(np.uint8), mode="P")
    outlines.putpalette([0, 0, 0, *(part for colour in COLOURS for part in colour)])
    buffer = io.BytesIO()
    outlines.save(buffer, "PNG", transparency=0, bits=2, compress_level=7)
    return Layered(
        data_uri(_as_webp(plain, width, 50), "image/webp"),
        data_uri(buffer.getvalue(), "image/png"),
        picture.size,
        tuple(map(tuple, layers["slices"])),
        int(layers["of"]),
    )


def _opened(path: Path) -> PIL.Image.Image:
    try:
        with PIL.Image.open(path) as picture:
            picture.load()
            return picture
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; expected a picture. Make it before the report.") from None
    except PIL.UnidentifiedImageError:
        raise StudyError(f"{path}: found no picture; expected PNG. Make it again.") from None


def _as_webp(picture: PIL.Image.Image, width: int, quality: int) -> bytes:
    """Return a picture at most ``width`` pixels wide and high as WebP."""
    small = picture.copy() if picture.mode == "L" else picture.convert("RGB")
    small.thumbnail((width, width))
    buffer = io.BytesIO()
    # a slower method makes files a twelfth smaller, which do not look better
    small.convert("RGB").save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()
