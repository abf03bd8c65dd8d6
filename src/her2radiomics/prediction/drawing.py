"""A nomogram as vector graphics for a page: its axes, and where a patient's marks are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.axes import nomogram_table
from her2radiomics.prediction.words import level_labels, predictor_label, unit_of
from her2radiomics.statistics import nomogram

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Units of the drawing: its width, the names' column, and the margin on the right.
WIDTH, LEFT, RIGHT = 720.0, 180.0, 16.0
LINE, TOP, SMALL = 44.0, 18.0, 12.0
#: Width of a letter of a label, and the least distance of two.
LETTER, APART = 6.2, 5.0
POINTS, TOTAL, PROBABILITY = "points", "total_points", "probability"


@dataclass(frozen=True)
class Tick:
    """A tick at ``x``; ``label`` is empty where there is no space for it, ``line`` is even below the axis and odd above.

    ``middle`` is that of the label: at the tick, or beside it where the label would leave the drawing.
    """

    x: float
    label: str
    line: int = 0
    middle: float = 0.0

    @property
    def way(self) -> int:
        """Down (1) or up (−1) from the axis."""
        return -1 if self.line % 2 else 1

    @property
    def distance(self) -> float:
        """From the axis to the label's foot."""
        return self.line // 2 * SMALL + (8.0 if self.way < 0 else 17.0)


@dataclass(frozen=True)
class Axis:
    """One line of the drawing at ``y``, from ``first`` to ``last``."""

    name: str
    title: tuple[str, ...]
    y: float
    first: float
    last: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Sheet:
    """The drawing: its size, axes, and the scales by which points become places.

    Attributes
    ----------
    width, height
        Of the view.
    axes
        From top to bottom: points, the predictors, total points, probability.
    scale
        Places of 0 points and of one point on the predictors' axes, then on the last two.
    """

    width: float
    height: float
    axes: tuple[Axis, ...]
    scale: tuple[tuple[float, float], tuple[float, float]]

    def place(self, name: str, points: float) -> float:
        """Where points are on an axis; beyond its ends, at the end."""
        origin, unit = self.scale[int(name in (TOTAL, PROBABILITY))]
        axis = next(axis for axis in self.axes if axis.name == name)
        return min(max(origin + unit * points, axis.first), axis.last)


def sheet_of(model: FittedModel) -> Sheet | None:
    """The nomogram of a model; ``None`` where it has none."""
    if not model.drawable:
        return None
    table = nomogram_table(model)
    places = {str(name): rows for name, rows in table.groupby("axis", sort=False)}
    ends = places[TOTAL]["position"].astype(float)
    low, high = float(ends.min()), float(ends.max())
    wide = WIDTH - LEFT - RIGHT
    common, total = (LEFT, wide / 100.0), (LEFT - low * wide / (high - low), wide / (high - low))
    predictors = {p.name: p for p in model.rule.predictors}
    titles = {POINTS: "Points", TOTAL: "Total points", PROBABILITY: f"Probability of {model.classes[1]}"}
    axes, y = [], TOP
    for name, rows in places.items():
        predictor = predictors.get(name)
        title = titles.get(name, "")
        labels = [str(label) for label in rows["label"]]
        if predictor is not None:
            unit = unit_of(predictor, model)
            title = predictor_label(predictor, model) + (f" ({unit})" if unit else "")
            if isinstance(predictor, r.LevelPredictor):
                known = level_labels(predictor, model)
                labels = [known.get(label, label) for label in labels]
        origin, unit_width = total if name in (TOTAL, PROBABILITY) else common
        xs = [origin + unit_width * float(position) for position in rows["position"]]
        lines = _wrapped(title)
        ticks = _ticks(xs, labels, isinstance(predictor, r.LevelPredictor))
        deep = max(tick.line // 2 for tick in ticks)
        half = SMALL * max(0, len(lines) - 2) / 2
        y += (LINE / 2 if name == TOTAL else 0.0) + SMALL * deep + half
        axes.append(Axis(name, lines, y, min(xs), max(xs), ticks))
        y += LINE + SMALL * deep + half
    return Sheet(WIDTH, y - LINE + 30.0, tuple(axes), (common, total))


def marks_of(sheet: Sheet, points: Mapping[str, float], total: float) -> dict[str, float]:
    """Axis to the place of a patient's mark."""
    marked = {name: sheet.place(name, value) for name, value in points.items()}
    return {**marked, TOTAL: sheet.place(TOTAL, total), PROBABILITY: sheet.place(PROBABILITY, total)}


def drawable_points(model: FittedModel) -> tuple[dict[str, float], float]:
    """Contribution of each predictor at 0 points, and points of one unit of the log-odds."""
    laid_out = nomogram(model.nomogram_model())
    return laid_out.lowest, laid_out.points_per_unit


def _wrapped(title: str, letters: int = 26) -> tuple[str, ...]:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return tuple(lines)


def _ticks(xs: list[float], labels: list[str], levels: bool) -> tuple[Tick, ...]:
    """Ticks with the labels of numbers that do not overlap, and with those of all levels, on several lines."""
    shown = labels if levels else [label.replace("-", "−") for label in labels]
    ends: list[float] = []
    ticks = []
    for place in sorted(range(len(xs)), key=lambda place: xs[place]):
        half = LETTER * len(shown[place]) / 2
        middle = min(xs[place], WIDTH - half)
        line = next((n for n, end in enumerate(ends) if middle - half >= end + APART), len(ends))
        if line and not levels:
            ticks.append(Tick(xs[place], ""))
            continue
        ends[line : line + 1] = [middle + half]
        ticks.append(Tick(xs[place], shown[place], line, middle))
    return tuple(ticks)
