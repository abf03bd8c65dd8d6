"""The one style of every figure: sizes in millimetres, type, colours, line styles, marks, and files.

Figures are laid out in millimetres at their printed size, so that type is 7 to 9 pt on the page (larger where the
figure's ``font_size`` asks for it; distances that hold text grow with it, see :func:`mm`). Colours are those of the
figure's palette; line styles differ as well, so that a grey print still reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import mpl
from her2radiomics.manuscript.palettes import PALETTES, Palette
from her2radiomics.manuscript.print_files import save_png
from her2radiomics.manuscript.typefaces import FAMILIES, families_for, without_layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

MM = 1 / 25.4  # inches
PNG_DPI = 300
SIMULATED = "Simulated data"
FONT_SIZE = 8.0  # pt of axis labels, unless a figure says otherwise

_GAPS = ((5, 1.5), (1.5, 1.2), (6, 1.5, 1.2, 1.5), (3, 1, 1, 1, 1, 1))
DASHES: tuple[Any, ...] = ("-", *((0, gaps) for gaps in _GAPS))

FIFTHS = (0, 0.2, 0.4, 0.6, 0.8, 1.0)  # ticks of an axis of probabilities

SvgText = Literal["outlines", "text"]

INK, MUTED, RULE, WASH = "#1a1a1a", "#595959", "#bdbdbd", "#f2f2f2"
OUTLINE, RING = "#D55E00", "#56B4E9"  # of regions on grey images, whatever the palette

UNIT = re.compile(r"(?<=\d) (?=(?:T|s|min|mm|ml|mmol/kg|points|features|phases|%)(?:\W|$))")

RC: dict[str, Any] = {
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "legend.facecolor": "white",
    "legend.fancybox": False,
    "legend.borderpad": 0.2,
    "legend.handlelength": 2.4,
    "legend.borderaxespad": 0.4,
    "legend.labelspacing": 0.35,
    "legend.columnspacing": 1.2,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    **{f"{x}tick.major.{key}": value for x in "xy" for key, value in (("width", 0.6), ("size", 2.5), ("pad", 2.0))},
    **{f"{x}tick.minor.{key}": value for x in "xy" for key, value in (("width", 0.4), ("size", 1.5))},
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "patch.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.hinting": "none",  # as wide on a screen as on paper, and as it is measured
    "text.parse_math": False,  # a dollar in a centre's name is a dollar
    "svg.hashsalt": "her2radiomics",  # identifiers that do not change from run to run
    "pdf.fonttype": 42,  # TrueType embedded, so that text stays text
    "pdf.compression": 6,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Look:
    """What a figure's settings may change of the style."""

    palette: Palette = PALETTES["okabe_ito"]
    font_size: float = FONT_SIZE
    family: str = FAMILIES["liberation_sans"]
    svg_text: SvgText = "outlines"


@dataclass(frozen=True)
class Cell:
    """Where on a composed figure the next figure is drawn, in mm from the upper left corner.

    ``drop`` moves its axes down, so that they are in line with those beside them.
    """

    sheet: Figure
    left: float
    top: float
    drop: float = 0.0


_LOOK: ContextVar[Look] = ContextVar("look", default=Look())  # noqa: B039 (immutable)
_CELL: ContextVar[Cell | None] = ContextVar("cell", default=None)


def look() -> Look:
    """What the figure's settings changed."""
    return _LOOK.get()


def mm(distance: float) -> float:
    """A distance in mm that holds text: it grows with the figure's type."""
    return distance * _LOOK.get().font_size / FONT_SIZE


def small() -> float:
    """Size in pt of tick labels, legends and notes."""
    return mm(7.0)


def base() -> float:
    """Size in pt of axis labels and headings."""
    return mm(8.0)


def large() -> float:
    """Size in pt of the letters of parts."""
    return mm(9.0)


def head() -> float:
    """Height in mm kept free above the axes for panel letter, heading and the mark of simulated data."""
    return mm(8.0)


def colours() -> tuple[str, ...]:
    """Colours of the figure's palette."""
    return _LOOK.get().palette.colours


def positive() -> str:
    """Colour of the positive outcome, and of what is to be looked at."""
    return _LOOK.get().palette.positive


def negative() -> str:
    """Colour of the negative outcome."""
    return _LOOK.get().palette.negative


class Line(NamedTuple):
    """How one series is drawn."""

    colour: str
    dash: Any


def line_of(name: str, order: Sequence[str]) -> Line:
    """Colour and dash by the place in ``order``, so that a model looks the same in every figure."""
    place = list(order).index(name) if name in order else len(order)
    return Line(colours()[place % len(colours())], DASHES[place % len(DASHES)])


def nested(curves: Sequence[Any]) -> list[float]:
    """Line widths in pt: of curves that coincide for the most part, each is narrower than those below it."""
    widths: list[float] = []
    for place, curve in enumerate(curves):
        under = [
            before
            for before in range(place)
            if len(curves[before]) == len(curve) and np.mean(np.isclose(curves[before], curve)) > 0.5
        ]
        widths.append(max(widths[under[-1]] - 0.8, 0.6) if under else 0.0)
        if not under:
            later = curves[place + 1 :]
            alike = sum(len(c) == len(curve) and np.mean(np.isclose(c, curve)) > 0.5 for c in later)
            widths[place] = 1.3 + 0.8 * min(int(alike), 2)
    return widths


def order_for(drawn: Sequence[str], known: Sequence[str]) -> list[str]:
    """The order by which :func:`line_of` tells ``drawn`` series apart.

    That of all ``known`` series, so that each looks the same in every figure, unless two of those drawn would share a
    colour: then their own.
    """
    order = list(known) or list(drawn)
    shared = len({line_of(name, order).colour for name in drawn}) < min(len(drawn), len(colours()))
    return list(drawn) if shared else order


@contextmanager
def in_style(look: Look | None = None) -> Iterator[None]:
    """Draw with matplotlib's own defaults and :data:`RC`, whatever the user's ``matplotlibrc`` says."""
    token = _LOOK.set(look or _LOOK.get())
    try:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(RC)  # type: ignore[arg-type]
            mpl.rcParams["font.family"] = list(families_for("", _LOOK.get().family))
            # outlines look the same where the typeface is not installed; text can be edited
            mpl.rcParams["svg.fonttype"] = "path" if _LOOK.get().svg_text == "outlines" else "none"
            sizes = dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize"), base())
            sizes |= dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), small())
            mpl.rcParams.update(sizes)  # type: ignore[arg-type]
            yield
    finally:
        _LOOK.reset(token)


@contextmanager
def inside(cell: Cell) -> Iterator[None]:
    """Draw the next figure as a part of a composed one."""
    token = _CELL.set(cell)
    try:
        yield
    finally:
        _CELL.reset(token)


def new_figure(width: float, height: float) -> mpl.figure.Figure:
    """An empty figure of ``width`` × ``height`` mm, without pyplot's global state.

    Inside a composed figure it is a part of that one, ``drop`` mm higher than asked.
    """
    cell = _CELL.get()
    if cell is None:
        return mpl.figure.Figure(figsize=(width * MM, height * MM))
    wide, tall = size(cell.sheet)
    height += cell.drop
    # no ratio below zero by a rounding error
    widths = [max(part, 0.0) for part in (cell.left, width, wide - cell.left - width)]
    heights = [max(part, 0.0) for part in (cell.top, height, tall - cell.top - height)]
    whole = {"left": 0, "right": 1, "bottom": 0, "top": 1, "wspace": 0, "hspace": 0}
    grid = mpl.gridspec.GridSpec(3, 3, cell.sheet, width_ratios=widths, height_ratios=heights, **whole)
    return cell.sheet.add_subfigure(grid[1, 1])  # type: ignore[return-value]


def size(figure: FigureBase) -> tuple[float, float]:
    """Width and height in mm, of a part of a composed figure too."""
    dpi = figure.dpi  # type: ignore[attr-defined]
    if isinstance(figure, mpl.figure.SubFigure):
        return figure.bbox.width / dpi / MM, figure.bbox.height / dpi / MM
    width, height = figure.get_size_inches() / MM  # type: ignore[attr-defined]
    return float(width), float(height)


def frame(figure: FigureBase, axes: Axes) -> tuple[float, float]:
    """Distance in mm from the figure's upper edge to the axes' frame, and the frame's height."""
    height = size(figure)[1]
    box = axes.get_position(original=True)
    return (1 - box.y1) * height, box.height * height


def place(figure: Figure, left: float, top: float, width: float, height: float, **kwargs: Any) -> Axes:
    """Add axes whose frame lies ``left`` and ``top`` mm from the figure's upper left corner."""
    wide, tall = size(figure)
    cell = _CELL.get()
    bottom = tall - top - height - (cell.drop if cell else 0.0)
    return figure.add_axes((left / wide, bottom / tall, width / wide, height / tall), **kwargs)


def vertical_label(axes: Axes, text: str, tall: float) -> None:
    """Label the vertical axis of a frame ``tall`` mm high, in two or more lines where one is too long."""
    axes.set_ylabel("\n".join(wrap(text, tall + mm(4.0), base())), linespacing=1.1)


def header(figure: Figure, *, letter: str, heading: str, simulated: bool) -> None:
    """Print panel letter and heading at the upper left, and the mark of simulated data at the upper right.

    A composed figure carries that mark once, for all its parts.
    """
    simulated = simulated and _CELL.get() is None
    width, height = size(figure)
    y = 1 - mm(1.2) / height
    left = 1.0
    if letter:
        figure.text(left / width, y, letter, fontsize=large() + 1, fontweight="bold", va="top")
        left += text_width(letter, large() + 1, bold=True) + 2.0
    room = width - left - 2.0 - (text_width(SIMULATED, small(), bold=True) + 4.0 if simulated else 0.0)
    if heading:
        points = small() if _CELL.get() else base()  # one size for all panels of a composed figure
        lines = wrap(heading, room, points)
        # a second line stays clear of the axes' uppermost tick label
        high, spacing = (0.3, 1.15) if len(lines) == 1 else (-0.5, 1.05)
        top: dict[str, Any] = {"fontsize": points, "va": "top", "linespacing": spacing}
        figure.text(left / width, y - high / height, "\n".join(lines), **top)
    if simulated:
        mark = {"boxstyle": "round,pad=0.2,rounding_size=0.2", "facecolor": MUTED, "edgecolor": "none"}
        white: dict[str, Any] = {"fontsize": small(), "fontweight": "bold", "color": "white"}
        at = (1 - 2.0 / width, y - 0.3 / height)
        figure.text(*at, SIMULATED, ha="right", va="top", bbox=mark, **white)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in mm of one line of ``text`` at ``size`` pt.

    Raises
    ------
    FontError
        No font has a character of it.
    """
    return _width(text, size, bold, families_for(text, _LOOK.get().family))


@cache
def _width(text: str, size: float, bold: bool, families: tuple[str, ...]) -> float:
    font = mpl.font_manager.FontProperties(family=families, size=size, weight="bold" if bold else "normal")
    width, _, _ = mpl.textpath.text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72 / MM


def choose_fonts(figure: FigureBase) -> None:
    """Give every text of a figure fonts that have its characters.

    Raises
    ------
    FontError
        No font has a character.
    """
    for text in figure.findobj(mpl.text.Text):
        text.set_fontfamily(list(families_for(text.get_text(), _LOOK.get().family)))


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break ``text`` into lines of at most ``width`` mm at ``size`` pt.

    A word stays whole, and so does a number with its unit.
    """
    lines: list[str] = []
    for word in UNIT.sub("\u00a0", text).split(" "):  # not at no-break spaces
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def keep(text: str) -> str:
    """``text`` with no-break spaces: it is never broken over two lines."""
    return text.replace(" ", "\u00a0")


def line_height(size: float) -> float:
    """Distance in mm from one line of text to the next at ``size`` pt."""
    return size * 1.25 / 72 / MM


def say_in(axes: Axes, text: str) -> None:
    """Say in words, in the middle of a frame, why nothing is drawn in it."""
    lines = "\n".join(wrap(text, axes.bbox.width / axes.figure.dpi / MM - 6.0, small()))
    beneath = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    place: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes, "bbox": beneath}
    axes.text(0.5, 0.5, lines, fontsize=small(), color=MUTED, **place)


def message(width: float, text: str) -> Figure:
    """A figure that says in words why there is nothing to draw."""
    lines = wrap(text, width - 12, base())
    figure = new_figure(width, head() + 12 + len(lines) * line_height(base()))
    figure.text(0.5, 0.42, "\n".join(lines), ha="center", va="center", fontsize=base(), color=MUTED)
    return figure


def save(figure: Figure, stem: Path, metadata: Mapping[str, str]) -> None:
    """Write ``<stem>.svg``, ``.pdf`` and ``.png`` (300 dpi); the same figure always gives the same bytes.

    Parameters
    ----------
    figure
        What to save, at its printed size.
    stem
        Path without suffix; the folder must exist.
    metadata
        ``title`` becomes the files' title; all is kept as JSON in their description. No date is written.
    """
    title = metadata.get("title", stem.name)
    about = json.dumps(dict(sorted(metadata.items())), ensure_ascii=False)
    kinds: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Title": title, "Creator": "her2radiomics", "Description": about},
        "pdf": {"CreationDate": None, "Title": title, "Creator": "her2radiomics", "Subject": about},
    }
    for kind, words in kinds.items():
        with whole_file(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            with without_layout():
                figure.savefig(temporary, format=kind, dpi=PNG_DPI, metadata=words)
    about_png = {"Software": "her2radiomics", "Title": title, "Description": about}
    save_png(figure, stem.with_name(f"{stem.name}.png"), PNG_DPI, about_png)
