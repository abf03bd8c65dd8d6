"""Typefaces of figures: the packaged ones, and which font has the characters of a text.

Liberation Sans has the widths of Arial, which journals ask for, and comes with the package (``fonts/``, SIL Open Font
License); DejaVu Sans comes with matplotlib. Both look the same on every machine. What neither can draw, such as Chinese,
is drawn by a font of the machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import mpl, pdf_fonts

FontName = Literal["liberation_sans", "dejavu_sans", "arial", "helvetica"]
FAMILIES: dict[str, str] = {
    "liberation_sans": "Liberation Sans",
    "dejavu_sans": "DejaVu Sans",
    "arial": "Arial",
    "helvetica": "Helvetica",
}
#: Tables of a font that lay out text: ligatures, alternates, kerning, marks.
LAYOUT = ("GDEF", "GPOS", "GSUB", "MATH", "kern")
PACKAGED = Path(__file__).with_name("fonts")
#: Fonts with Chinese, Japanese and Korean characters that systems bring; the first that has a text's characters is taken.
WIDE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Arial Unicode MS",
)


class FontError(StudyError):
    """A figure's font is not installed, or no font has the characters of a text."""


@cache
def _add_packaged() -> None:
    """Make the packaged fonts known; they come before the system's copies, which may be of another version."""
    manager = mpl.font_manager.fontManager
    for path in sorted(PACKAGED.glob("*.ttf")):
        manager.addfont(path)
        manager.ttflist.insert(0, manager.ttflist.pop())


@cache
def characters_of(family: str) -> frozenset[int]:
    """Code points that a font family has; empty where it is not installed."""
    _add_packaged()
    try:
        path = mpl.font_manager.findfont(family, fallback_to_default=False)
    except ValueError:
        return frozenset()
    return frozenset(mpl.ft2font.FT2Font(path).get_charmap())


@cache
def families_for(text: str, family: str) -> tuple[str, ...]:
    """Families, in order, of which one has each character of a text: ``family``, DejaVu Sans, one of :data:`WIDE`.

    Raises
    ------
    FontError
        ``family`` is not installed, or no font has a character.
    """
    usual = tuple(dict.fromkeys((family, "DejaVu Sans")))
    if not characters_of(family):
        raise FontError(
            f"found no font '{family}' on this machine; expected it, as the protocol's font_family asks for it. "
            "Install it, or take liberation_sans, which has the same widths and comes with the package."
        )
    lacking = {c for c in text if unicodedata.category(c)[0] != "C"}
    lacking = {c for c in lacking if not any(ord(c) in characters_of(name) for name in usual)}
    if not lacking:
        return usual
    for name in WIDE:
        if all(ord(c) in characters_of(name) for c in lacking):
            return (*usual, name)
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in sorted(lacking)[:5])
    raise FontError(
        f"'{text}': found characters that no font of this machine has: {named}; expected {' or '.join(usual)}, or one of "
        f"{', '.join(WIDE[:3])}, … with them. Install such a font (Debian: fonts-noto-cjk), or write the printed name in "
        "the protocol with other characters."
    )


@contextmanager
def without_layout() -> Iterator[None]:
    """Embed fonts without the tables by which text is laid out: a PDF says where each glyph is, and reads none of them.

    To make them smaller takes longer than to draw the figure. matplotlib has no setting for it, and takes the fonts that
    fontTools loads as they are.
    """
    usual = pdf_fonts.subset.load_font

    def load_font(*given: Any, **options: Any) -> Any:
        font = usual(*given, **options)
        for table in LAYOUT:
            if table in font:
                del font[table]
        return font

    pdf_fonts.subset.load_font = load_font
    try:
        yield
    finally:
        pdf_fonts.subset.load_font = usual
