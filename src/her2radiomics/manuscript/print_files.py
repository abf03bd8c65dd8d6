"""A figure's pixels: PNG, and TIFF of 600 dpi as presses ask for it; EPS."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import PIL, mpl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 600
DESCRIPTION = 270  # TIFF's tag
CREATED = re.compile(rb"^%%CreationDate:.*\n", re.MULTILINE)


def pixels(figure: Figure, dpi: int) -> PIL.Image.Image:
    """A figure as red, green and blue: none is transparent."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="rgba", dpi=dpi)
    wide, tall = (int(side) for side in figure.get_size_inches() * dpi)
    return PIL.Image.frombytes("RGB", (wide, tall), drawn.getvalue(), "raw", "RGBX")


def save_png(figure: Figure, path: Path, dpi: int, words: Mapping[str, str]) -> None:
    """Write a PNG with texts, in half the time of matplotlib's own, which keeps how opaque each pixel is."""
    texts = PIL.PngImagePlugin.PngInfo()  # type: ignore[attr-defined]
    for key, word in words.items():
        texts.add_text(key, word)
    with whole_file(path) as temporary:
        pixels(figure, dpi).save(temporary, format="PNG", dpi=(dpi, dpi), pnginfo=texts, compress_level=3)


def save_tiff(figure: Figure, path: Path, about: Mapping[str, str]) -> None:
    """Write a TIFF of 600 dpi, RGB, LZW, with ``about`` as JSON in its description."""
    tags = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    tags[DESCRIPTION] = json.dumps(dict(sorted(about.items())))
    with whole_file(path) as temporary:
        options: dict[str, Any] = {"compression": "tiff_lzw", "dpi": (DPI, DPI), "tiffinfo": tags}
        pixels(figure, DPI).save(temporary, format="TIFF", **options)


def save_eps(figure: Figure, path: Path, about: Mapping[str, str]) -> None:
    """Write an EPS with TrueType fonts and no date; EPS has no transparency, so that shades are mixed with white."""
    _make_opaque(figure)
    text = io.BytesIO()
    with mpl.rc_context({"ps.fonttype": 42}):
        figure.savefig(text, format="eps", dpi=DPI, metadata={"Creator": "her2radiomics", "Title": about["title"]})
    with whole_file(path) as temporary:
        Path(temporary).write_bytes(CREATED.sub(b"", text.getvalue()))


def _make_opaque(figure: Figure) -> None:
    """Mix what is transparent with the white behind it."""
    for artist in figure.findobj(lambda item: item.get_alpha() not in (None, 1)):
        alpha = float(artist.get_alpha() or 0.0)
        artist.set_alpha(None)
        for part in ("facecolor", "edgecolor"):
            get, put = getattr(artist, f"get_{part}", None), getattr(artist, f"set_{part}", None)
            if get is None or put is None:
                continue
            colours = mpl.colors.to_rgba_array(get())
            shown = colours[:, 3:] > 0
            colours[:, :3] = colours[:, :3] * alpha + (1 - alpha)
            colours[:, 3:] = shown
            put(colours if len(colours) != 1 else tuple(colours[0]))
