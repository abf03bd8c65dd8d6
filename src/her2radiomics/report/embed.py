"""Pictures inside the page, as data URIs: vector figures where they are small enough, thumbnails of overlays."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from her2radiomics.core.errors import StudyError

#: All figures together, before they are written as text; each may take its share.
FIGURES = 3_500_000
#: No single figure takes more than this as it is.
LARGEST_FIGURE = 700_000
#: All thumbnails together; what does not fit is linked.
THUMBNAILS = 3_500_000
#: Pixels of a figure that is too large as it is.
FIGURE_WIDTH = 1600
_WIDTHS = ((120, 240), (300, 180), (10**9, 130))


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
    return data_uri(_webp(pixels, FIGURE_WIDTH, 85), "image/webp")


def thumbnails(paths: Sequence[Path]) -> list[str]:
    """Return small WebP pictures as data URIs, in order; empty texts once :data:`THUMBNAILS` bytes are used up.

    Raises
    ------
    StudyError
        A file is missing or is no picture.
    """
    width = next(width for most, width in _WIDTHS if len(paths) <= most)
    uris, used = [], 0
    for path in paths:
        # twice the printed width, for screens with fine pixels
        uris.append(data_uri(_webp(path, 2 * width, 50), "image/webp") if used <= THUMBNAILS else "")
        used += len(uris[-1])
    return uris


def _webp(path: Path, width: int, quality: int) -> bytes:
    """Return a picture at most ``width`` pixels wide and high as WebP."""
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
            small.thumbnail((width, width))
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; expected a picture. Make it before the report.") from None
    except UnidentifiedImageError:
        raise StudyError(f"{path}: found no picture; expected PNG. Make it again.") from None
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
