"""A nomogram to be used with a ruler, with one patient as a worked example."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import model_name, predictor_label
from her2radiomics.manuscript.figures.nomogram_axes import (
    POINTS,
    PROBABILITY,
    TOTAL,
    NomogramAxis,
    ends_only,
    is_narrow,
    read_axes,
    stagger,
    subdivisions,
    thin,
    with_levels,
    zoomed,
)
from her2radiomics.manuscript.figures.nomogram_example import Example, points_text, separation, work_example
from her2radiomics.manuscript.figures.registry import Drawing, WideOptions, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICK, FINE = 1.3, 0.8  # mm


class NomogramOptions(WideOptions):
    """A nomogram to be used with a ruler, with a worked example."""

    kind: Literal["nomogram"]
    model: DrawnModel
    example: str = Field("typical", description="Patient of the worked example: an identifier, 'typical' or 'none'.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Printed names of predictors that differ from the protocol's, e.g. Rad-score."
    )
    scores: dict[str, str] = Field(
        default_factory=dict, description="Predictors that are the score of another model, with that model."
    )

    def models_needed(self, need: str) -> tuple[str, ...]:
        """The model itself, and for predictions those whose scores are its predictors as well."""
        return tuple(dict.fromkeys((self.model, *(self.scores.values() if need == "predictions" else ()))))

    def needs(self) -> tuple[str, ...]:
        """Without a worked example, the nomogram's axes alone."""
        return ("nomogram",) if self.example == "none" else super().needs()


@figure(
    NomogramOptions,
    needs=("nomogram", "predictions", "participants"),
    caption="Read off the points of each predictor, add them up, and read the probability below the total.",
    example="""
        figure_5a_nomogram:
          kind: nomogram
          title: Nomogram
          model: nomogram
          scores: {radiomics: radiomics}
          labels: {radiomics: Rad-score}
    """,
)
def draw(inputs: FigureInputs, options: NomogramOptions) -> Drawing:
    """Draw points, predictors, total points and probability one below the other."""
    columns = {**inputs.study.columns, **options.labels}
    inputs = replace(inputs, study=inputs.study.model_copy(update={"columns": columns}))
    table = inputs.table("nomogram", options.model)
    axes = read_axes(table, inputs.path("nomogram", options.model)) if len(table) else []
    levels = inputs.study.levels
    axes = [with_levels(axis, levels[axis.name]) if axis.name in levels else axis for axis in axes]
    data = table.copy()
    data.insert(0, "what", "tick")
    if len(axes) <= 3:
        said = f"{model_name(inputs, options.model)}: no predictor was selected; there is nothing to add up."
        return options.message(said, data)
    example = None
    if options.example != "none":
        example = work_example(axes, inputs, model=options.model, patient=options.example, scores=dict(options.scores))

    sheet = _Sheet(axes, inputs, options.width_mm)
    words = [*_words(example, inputs), *_narrow(axes[1:-2], inputs)]
    if options.example != "none" and (warning := separation(inputs, options.model)):
        words.append(Paragraph(warning, bold=True))
    tail = text_height(words, options.width_mm - 6.0) + 3.0
    fig = style.new_figure(options.width_mm, sheet.bottom + tail + 1.5)
    canvas = page(fig)
    sheet.draw(canvas, example)
    write(canvas, 3.0, sheet.bottom + 2.0, options.width_mm - 6.0, words)
    return Drawing(fig, _with_example(data, example))


def _line() -> float:
    """Distance in mm of two lines of labels."""
    return style.line_height(style.small())


class Label(NamedTuple):
    """A printed tick label: the tick's number, its line (even below the axis, odd above), its middle in mm."""

    tick: int
    line: int
    x: float

    @property
    def way(self) -> int:
        """Down (1) or up (−1) from the axis."""
        return -1 if self.line % 2 else 1


class _Sheet:
    """Where everything stands, in mm from the figure's upper left corner."""

    def __init__(self, axes: list[NomogramAxis], inputs: FigureInputs, width: float) -> None:
        self.total, self.probability = zoomed(axes[-2], axes[-1]), axes[-1]
        axes = [axes[0], *map(ends_only, axes[1:-2]), self.total, self.probability]
        self.axes = axes
        titles = {POINTS: "Points", TOTAL: "Total points"}
        titles[PROBABILITY] = f"Probability of {inputs.study.positive}"
        self.titles = [titles.get(a.name) or predictor_label(a.name, inputs.study) for a in axes]
        longest = max(style.text_width(title, style.small(), bold=True) for title in self.titles)
        self.names = min(longest, 0.26 * width)
        self.left = 3.0 + self.names + 6.0
        self.right = width - 6.0
        self.named = [style.wrap(title, self.names, style.small(), bold=True) for title in self.titles]
        self.low = min(self.total.low, self.probability.low)
        self.high = max(self.total.high, self.probability.high)
        self.labels = [self._labels(axis) for axis in axes]
        self.lines: list[float] = []
        y = style.head()
        for labels, names in zip(self.labels, self.named, strict=True):
            above = max((label.line // 2 + 1 for label in labels if label.way < 0), default=0) * _line()
            below = max((label.line // 2 + 1 for label in labels if label.way > 0), default=0) * _line()
            half = len(names) * _line() / 2
            y += max(above + TICK, half) + 0.8
            self.lines.append(y)
            y += max(below + TICK, half) + 0.8
        self.bottom = y

    def x(self, axis: NomogramAxis, position: float) -> float:
        """Points to mm: total points and probability have their own scale, everything else shares 0 to 100."""
        common = axis.name not in (TOTAL, PROBABILITY)
        low, high = (self.axes[0].low, self.axes[0].high) if common else (self.low, self.high)
        return self.left + (self.right - self.left) * (position - low) / (high - low)

    def _labels(self, axis: NomogramAxis) -> list[Label]:
        """The labels that are printed: on lines below the axis (0, 2, …) or above it (1, 3, …)."""
        places = [self.x(axis, tick.position) for tick in axis.ticks]
        widths = [style.text_width(tick.label, style.small()) for tick in axis.ticks]
        if axis.values is None:  # all levels are printed; those at the ends stay clear of the axis's name
            inside = [
                min(max(x, self.left - 4.0 + w / 2), self.right + 4.0 - w / 2)
                for x, w in zip(places, widths, strict=True)
            ]
            return [Label(i, line, inside[i]) for i, line in enumerate(stagger(inside, widths))]
        first = 1 if axis.name in (POINTS, TOTAL) else 0
        labels = [Label(i, first, places[i]) for i in thin(places, widths)]
        if axis.name == PROBABILITY:  # what has no space below is set above, as far as there is space
            rest = [i for i in range(len(places)) if i not in {label.tick for label in labels}]
            chosen = thin([places[i] for i in rest], [widths[i] for i in rest]) if rest else []
            labels += [Label(rest[i], 1, places[rest[i]]) for i in chosen]
        return labels

    def draw(self, canvas: Axes, example: Example | None) -> None:
        """Draw guides, axes, labels, and the example's dotted lines."""
        self._guides(canvas)
        small: dict[str, Any] = {"fontsize": style.small(), "va": "center_baseline"}
        beneath = {"facecolor": "white", "edgecolor": "none", "pad": 0.2}
        tick: dict[str, Any] = {**small, "ha": "center", "gid": "tick_label", "bbox": beneath, "zorder": 6}
        for axis, y, names, labels in zip(self.axes, self.lines, self.named, self.labels, strict=True):
            for place, name in enumerate(names):
                canvas.text(3.0, y + (place - (len(names) - 1) / 2) * _line(), name, fontweight="bold", **small)
            self._axis(canvas, axis, y, labels)
            for label in labels:
                text = axis.ticks[label.tick].label
                at = y + label.way * (TICK + (label.line // 2 + 0.5) * _line())
                canvas.text(label.x, at, text.replace("-", "−") if axis.values else text, **tick)
        if example is not None:
            self._example(canvas, example)

    def _axis(self, canvas: Axes, axis: NomogramAxis, y: float, labels: list[Label]) -> None:
        """The line, a tick a value, and fine ticks where the scale is even."""
        places = [self.x(axis, tick.position) for tick in axis.ticks]
        canvas.plot([places[0], places[-1]], [y, y], color=style.INK, linewidth=0.8, solid_capstyle="butt")
        usual = -1 if axis.name in (POINTS, TOTAL) else 1
        ways = {label.tick: label.way for label in labels}
        for place, x in enumerate(places):
            way = ways.get(place, usual)
            canvas.plot([x, x], [y, y + way * TICK], color=style.INK, linewidth=0.7)
        steps = [b - a for a, b in pairwise(places)]
        if axis.values is None or max(steps) - min(steps) > 1e-6 * max(steps):
            return
        parts = subdivisions(steps[0])
        for start in places[:-1]:
            for part in range(1, parts):
                x = start + steps[0] * part / parts
                canvas.plot([x, x], [y, y + usual * FINE], color=style.INK, linewidth=0.4)

    def _guides(self, canvas: Axes) -> None:
        """Faint vertical lines: from points through the predictors, and from total points to the probability."""
        for first, last in ((0, -3), (-2, -1)):
            for tick in self.axes[first].ticks:
                x = self.x(self.axes[first], tick.position)
                ends = [self.lines[first], self.lines[last]]
                canvas.plot([x, x], ends, color="#e3e3e3", linewidth=0.5, zorder=0)

    def _example(self, canvas: Axes, example: Example) -> None:
        by_name = {axis.name: (axis, y) for axis, y in zip(self.axes, self.lines, strict=True)}
        dots: dict[str, Any] = {"color": style.positive(), "linestyle": (0, (1, 1.4)), "linewidth": 1.0}
        for reading in example.readings:
            axis, y = by_name[reading.axis]
            x = self.x(axis, reading.points)
            canvas.plot([x, x], [self.lines[0], y], **dots, zorder=4)
            canvas.plot([x], [y], "o", color=style.positive(), markersize=3.5, zorder=5)
        if not self.low <= example.read_total <= self.high:
            return  # beyond the axes: its probability is said in words
        x = self.x(self.total, example.read_total)
        canvas.plot([x, x], self.lines[-2:], **dots, zorder=4)
        canvas.plot([x, x], self.lines[-2:], "o", color=style.positive(), markersize=3.5, zorder=5)


def _words(example: Example | None, inputs: FigureInputs) -> list[Paragraph]:
    how = (
        "How to read: from each predictor's value go straight up to Points; add the points; from their sum on "
        "Total points go straight down to the probability."
    )
    if example is None:
        return [Paragraph(how)]
    return [Paragraph(how), Paragraph(f"Worked example (dotted), {example.text(inputs)}")]


def _narrow(axes: list[NomogramAxis], inputs: FigureInputs) -> list[Paragraph]:
    """How little predictors change the total whose axes are hardly wider than a dot."""
    return [
        Paragraph(
            f"{predictor_label(axis.name, inputs.study)} changes the total by at most "
            f"{style.keep(points_text(axis.high - axis.low, 1))} over its range."
        )
        for axis in axes
        if is_narrow(axis)
    ]


def _with_example(data: pd.DataFrame, example: Example | None) -> pd.DataFrame:
    if example is None:
        return data
    rows = [("example", r.axis, r.printed, example.patient_id, r.points) for r in example.readings]
    total = example.read_total
    rows.append(("example", TOTAL, f"{total:.{example.digits}f}", example.patient_id, total))
    rows.append(("example", PROBABILITY, f"{example.read_probability:.2f}", example.patient_id, total))
    return pd.concat([data, pd.DataFrame(rows, columns=list(data.columns))], ignore_index=True)
