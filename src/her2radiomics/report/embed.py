"""Pictures inside the page, as data URIs: vector figures where they are small enough, thumbnails of overlays."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.errors import StudyError

#: Above this an SVG gives way to the PNG beside it, if that is smaller.
LARGEST_SVG = 700_000
#: All thumbnails together; what does not fit is linked.
THUMBNAILS = 3_500_000
_WIDTHS = ((120, 240), (300, 180), (10**9, 130))


def data_uri(content: bytes, media: str) -> str:
    """``content`` as a data URI."""
    return f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"


def figure_uri(stem: Path) -> str:
    """Return the figure ``<stem>.svg`` (or ``.png``) as a data URI.

    As the source of an image an SVG keeps its ids and styles to itself, loads nothing and runs no script.

    Raises
    ------
    StudyError
        Neither file exists.
    """
    vector, pixels = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    if not vector.is_file() and not pixels.is_file():
        raise StudyError(f"{vector}: no such file; expected the figure. Draw it before the report.")
    if vector.is_file():
        size = vector.stat().st_size
        if size <= LARGEST_SVG or not pixels.is_file() or pixels.stat().st_size >= size:
            return data_uri(vector.read_bytes(), "image/svg+xml")
    return data_uri(pixels.read_bytes(), "image/png")


def thumbnails(paths: Sequence[Path]) -> list[str]:
    """Return small WebP pictures as data URIs, in order; empty texts once :data:`THUMBNAILS` bytes are used up.

    Raises
    ------
    StudyError
        A file is missing or is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    width = next(width for most, width in _WIDTHS if len(paths) <= most)
    uris, used = [], 0
    for path in paths:
        if used > THUMBNAILS:
            uris.append("")
            continue
        try:
            with Image.open(path) as picture:
                small = picture.convert("RGB")
                # twice the printed width, for screens with fine pixels
                small.thumbnail((2 * width, 2 * width))
        except FileNotFoundError:
            raise StudyError(
                f"{path}: no such file; expected an overlay picture. Extract it first."
            ) from None
        except UnidentifiedImageError:
            raise StudyError(f"{path}: found no picture; expected PNG. Extract it again.") from None
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=50, method=4)
        uris.append(data_uri(buffer.getvalue(), "image/webp"))
        used += len(uris[-1])
    return uris
