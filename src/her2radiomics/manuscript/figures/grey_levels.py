"""Grey levels of every region against the numbers that texture needs: part of quality control, not of a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.core.settings import Settings
from her2radiomics.imaging.checks import MAX_GREY_LEVELS, USUAL_GREY_LEVELS
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.beeswarm import van_der_corput
from her2radiomics.manuscript.figures.registry import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("patient_id", "sequence", "reader", "region", "grey_levels", "status")
Place = Literal["below", "usual", "above", "refused"]

MARKS = ("o", "s", "^", "D", "v", "P", "X")
WIDTH = 174.0  # mm, two columns
LABELS, NOTES = 44.0, 24.0  # mm beside the axes
LANE, GAP = 4.6, 2.2  # mm a group, and between rows
FEWEST = 5  # marks of the reference reader that have a median drawn
BESIDE: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}


class GreyLevelText(Settings):
    """Printed names, and which group each patient is drawn in."""

    title: str = Field(description="The study's title.")
    simulated: bool = Field(description="Whether the patients are simulated.")
    sequences: dict[str, str] = Field(description="Sequence → printed name, in order.")
    regions: dict[str, str] = Field(description="Region → printed name, in order.")
    groups: dict[str, str] = Field(description="Group (partition or centre) → printed name, in order.")
    group_of: dict[str, str] = Field(description="Patient → group.")
    reference_reader: str = Field(FIRST_READER, description="The reader who trains; drawn filled.")


def place_of(levels: float) -> Place:
    """Where a number of grey levels lies: ``below`` or ``above`` :data:`USUAL_GREY_LEVELS`, ``usual``, or ``refused``."""
    if levels > MAX_GREY_LEVELS:
        return "refused"
    if levels > USUAL_GREY_LEVELS[1]:
        return "above"
    return "below" if levels < USUAL_GREY_LEVELS[0] else "usual"


def draw_grey_levels(qc: pd.DataFrame, text: GreyLevelText) -> Drawing:
    """Draw one mark a region: a row per sequence and region, a lane per group, the number of grey levels across.

    Parameters
    ----------
    qc
        ``qc.csv``, with :data:`COLUMNS`. Regions that were never measured have no ``grey_levels`` and are not
        drawn; those refused for their number are.
    text
        Printed names and groups.

    Returns
    -------
    Drawing
        The figure, and a row per mark: :data:`COLUMNS`, ``group`` and ``place`` (:func:`place_of`).
    """
    data = _drawn(qc, text)
    if data.empty:
        words = "No region was measured, so there are no grey levels to draw: see the failed cases."
        return Drawing(style.message(WIDTH, words), data)
    rows = [pair for pair in _pairs(text) if len(_of(data, *pair))]
    groups = [name for name in text.groups if (data["group"] == name).any()]
    lane = LANE * len(groups)
    tall = len(rows) * (lane + GAP)
    top = style.head() + 5.0
    figure = style.new_figure(WIDTH, top + tall + 10.0)
    axes = style.place(figure, LABELS, top, WIDTH - LABELS - NOTES, tall)
    _frame(axes, data, tall)
    for number, (sequence, region) in enumerate(rows):
        part = _of(data, sequence, region)
        start = number * (lane + GAP) + GAP / 2
        for index, group in enumerate(groups):
            _lane(axes, part[part["group"] == group], start + (index + 0.5) * LANE, text, group)
        _beside(axes, part, start + lane / 2, text, sequence, region)
        if number:
            axes.axhline(start - GAP / 2, color=style.RULE, linewidth=0.4)
    _legend(axes, data, groups, text)
    style.header(figure, letter="", heading="Grey levels of each region", simulated=text.simulated)
    return Drawing(figure, data)


def _drawn(qc: pd.DataFrame, text: GreyLevelText) -> pd.DataFrame:
    """The regions that were measured, in the order of the figure."""
    data = qc.loc[qc["grey_levels"].notna(), list(COLUMNS)].astype({"grey_levels": int})
    data["group"] = [text.group_of.get(patient, "") for patient in data["patient_id"]]
    data["place"] = [place_of(levels) for levels in data["grey_levels"]]
    order = {pair: place for place, pair in enumerate(_pairs(text))}
    groups = list(text.groups)
    data["_row"] = [order[pair] for pair in zip(data["sequence"], data["region"], strict=True)]
    data["_group"] = [groups.index(name) for name in data["group"]]
    data = data.sort_values(["_row", "_group", "patient_id", "reader"], kind="stable").reset_index(drop=True)
    return data.drop(columns=["_row", "_group"])


def _pairs(text: GreyLevelText) -> list[tuple[str, str]]:
    return [(sequence, region) for sequence in text.sequences for region in text.regions]


def _of(data: pd.DataFrame, sequence: str, region: str) -> pd.DataFrame:
    return data[(data["sequence"] == sequence) & (data["region"] == region)]


def _frame(axes: Axes, data: pd.DataFrame, tall: float) -> None:
    """Log axis, the band of usual numbers, and the line of refusal; rows are laid out in mm from the top."""
    low = min(10.0, float(data["grey_levels"].min()) / 1.3)
    high = max(MAX_GREY_LEVELS * 1.25, float(data["grey_levels"].max()) * 1.3)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(tall, 0)
    ticks = [tick for tick in (1, 2, 4, 8, 16, 32, 64, 128, 256, 500, 2000, 10_000, 100_000) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:,}".replace(",", "\u202f") for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("Number of grey levels (bins) in the region")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvspan(*USUAL_GREY_LEVELS, color="#e3eef6", linewidth=0, zorder=0)
    for edge in USUAL_GREY_LEVELS:
        axes.axvline(edge, color=style.RULE, linewidth=0.6, zorder=1)
    axes.axvline(MAX_GREY_LEVELS, color=style.INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    middle = (USUAL_GREY_LEVELS[0] * USUAL_GREY_LEVELS[1]) ** 0.5
    look = BESIDE | {"fontsize": style.small(), "color": style.MUTED, "va": "bottom"}
    axes.annotate(f"usual: {USUAL_GREY_LEVELS[0]}–{USUAL_GREY_LEVELS[1]}", (middle, 0), (0, 2), ha="center", **look)
    axes.annotate("refused beyond", (MAX_GREY_LEVELS, 0), (0, 2), ha="left", **look)


def _lane(axes: Axes, part: pd.DataFrame, y: float, text: GreyLevelText, group: str) -> None:
    """The marks of one group in one row: reference reader filled, others open; a line at its median."""
    place = list(text.groups).index(group)
    colour, mark = _colour(place), MARKS[place % len(MARKS)]
    first = part["reader"] == text.reference_reader
    heights = y + 0.62 * LANE * (van_der_corput(len(part) + 1)[1:] - 0.5)
    for chosen, face in ((first, colour), (~first, "none")):
        look: dict[str, Any] = {"s": 9, "marker": mark, "facecolor": face, "edgecolor": colour}
        levels = part.loc[chosen, "grey_levels"]
        axes.scatter(levels, heights[chosen.to_numpy()], linewidth=0.6, alpha=0.85, zorder=3, **look)
    if first.sum() >= FEWEST:
        median, half = float(part.loc[first, "grey_levels"].median()), 0.42 * LANE
        axes.plot([median, median], [y - half, y + half], color=style.INK, linewidth=1.1, zorder=4)


def _colour(place: int) -> str:
    return style.colours()[place % len(style.colours())]


def _beside(axes: Axes, part: pd.DataFrame, y: float, text: GreyLevelText, sequence: str, region: str) -> None:
    """The row's name on the left, how many of its regions lie outside on the right."""
    outside = int((part["place"] != "usual").sum())
    lines = [text.sequences[sequence], *style.wrap(text.regions[region], LABELS - 3.0, style.small())]
    step = style.line_height(style.small())
    look = BESIDE | {"fontsize": style.small(), "xycoords": axes.get_yaxis_transform(), "va": "center"}
    for number, line in enumerate(lines):
        at = (0, y + (number - (len(lines) - 1) / 2) * step)
        axes.annotate(line, at, (-6, 0), ha="right", fontweight="normal" if number else "bold", **look)
    weight, colour = ("bold", style.INK) if outside else ("normal", style.MUTED)
    words = f"{outside} of {len(part)}\noutside"
    axes.annotate(words, (1, y), (5, 0), ha="left", fontweight=weight, color=colour, **look)


def _legend(axes: Axes, data: pd.DataFrame, groups: list[str], text: GreyLevelText) -> None:
    def handle(mark: str, colour: str, label: str, size: float = 3.6, **look: Any) -> Any:
        dot: dict[str, Any] = {"linestyle": "", "marker": mark, "color": colour, "markersize": size}
        return mpl.lines.Line2D([], [], label=label, **dot, **look)

    handles, first = [], data["reader"] == text.reference_reader
    for name in groups:
        place = list(text.groups).index(name)
        patients = data.loc[data["group"] == name, "patient_id"].nunique()
        label = f"{text.groups[name]} (n = {patients})"
        handles.append(handle(MARKS[place % len(MARKS)], _colour(place), label))
    if not first.all():
        handles.append(handle("o", style.MUTED, "other readers", mfc="none"))
    if (data[first].groupby(["sequence", "region", "group"]).size() >= FEWEST).any():
        handles.append(handle("|", style.INK, "median", 6))
    width, height = style.size(axes.figure)
    place_at: dict[str, Any] = {"bbox_to_anchor": (1.0 / width, 1 - (style.head() - 2.5) / height)}
    looks: dict[str, Any] = {"ncols": len(handles), "handlelength": 1.0, "handletextpad": 0.3}
    axes.figure.legend(handles=handles, loc="upper left", **place_at, **looks)


def outside_counts(levels: Mapping[Place, int]) -> str:
    """A sentence on how many regions lie outside, from the number of regions at each :func:`place_of`."""
    total = sum(levels.values())
    if not total:
        return "No region was measured, so no grey levels were counted."
    low, high = USUAL_GREY_LEVELS
    outside = total - levels.get("usual", 0)
    words: dict[Place, str] = {
        "below": f"below {low}",
        "above": f"above {high}",
        "refused": f"beyond {MAX_GREY_LEVELS}, which is refused",
    }
    parts = [f"{levels[place]} {word}" for place, word in words.items() if levels.get(place)]
    verb = "lies" if outside == 1 else "lie"
    detail = f": {', '.join(parts)}" if parts else ""
    return f"{outside} of {total} regions {verb} outside {low} to {high} grey levels{detail}."
