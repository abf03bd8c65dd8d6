"""The study's workflow: acquisition, regions, features, selection, models, evaluation."""

from __future__ import annotations

import math
from itertools import pairwise, product, repeat
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.boxes import PAD, Box, Paragraph, arrow, draw_box, height_of, page, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.registry import Drawing, WideOptions, figure
from her2radiomics.manuscript.figures.workflow_pictures import LARGEST, Picture, lasso_error, roc_curves, thumbnails
from her2radiomics.manuscript.palettes import tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SELECTION = "Feature selection (training)"
GAP = 5.0  # mm between boxes, where the arrows are
NARROW_GAP = 4.0  # in one column, where six boxes are one above the other
BETWEEN = 1.2  # mm from one bar of the selection to the next


class WorkflowOptions(WideOptions):
    """From the run's own images to its ROC curves, with the number of features after each step of selection."""

    kind: Literal["workflow"]
    model: str | None = Field(None, description="Model whose selection and ROC curves are shown; without it, none are.")

    def needs(self) -> tuple[str, ...]:
        """Of a model all; without one the images alone."""
        return super().needs() if self.model else ("images",)


@figure(
    WorkflowOptions,
    needs=("images", "selection", "lasso_cv", "predictions", "performance"),
    caption="From images to evaluation: an example patient, the number of features left by each step of selection (bars on "
    "a logarithmic scale), and the model's ROC curves.",
    example="figure_3_workflow: {kind: workflow, title: Workflow of the study, model: radiomics}",
)
def draw(inputs: FigureInputs, options: WorkflowOptions) -> Drawing:
    """Draw six boxes with the run's pictures joined by arrows: rows of three, or one column where the figure is narrow."""
    wide = options.width_mm >= 120
    stages = _stages(inputs, options.model, wide=wide)
    funnel = _funnel(inputs.table("selection", options.model), inputs) if options.model else []
    if not funnel:
        stages = [stage for stage in stages if stage.heading != SELECTION]
    across, gap = (3, GAP) if wide else (1, NARROW_GAP)
    rows = [stages[start : start + across] for start in range(0, len(stages), across)]
    widths = [_widths(row, options.width_mm - 4.0 - gap * (len(row) - 1), funnel) for row in rows]
    tall = [max(map(_height, row, each, repeat(funnel))) for row, each in zip(rows, widths, strict=True)]
    fig = style.new_figure(options.width_mm, style.head() + sum(tall) + gap * (len(rows) - 1) + 2.0)
    axes = page(fig)

    boxes: list[Box] = []
    y = style.head()
    for row, each, height in zip(rows, widths, tall, strict=True):
        x = 2.0
        for stage, width in zip(row, each, strict=True):
            boxes.append(_stage_box(axes, x, y, width, height, len(boxes) + 1, stage))
            if stage.picture:
                stage.picture.draw(fig, axes, boxes[-1], y + _band() + height_of(stage.text, width) - 0.8)
            if stage.heading == SELECTION:
                _draw_funnel(axes, boxes[-1], y + _band() + height_of(stage.text, width) - PAD, funnel)
            x += width + gap
        y += height + gap
    _join(axes, boxes, gap)

    said: list[tuple[str, str, int | None]] = [(s.heading, p.text, None) for s in stages for p in s.text]
    said += [(SELECTION, label, count) for label, count in funnel]
    data = pd.DataFrame(said, columns=["stage", "text", "features"]).astype({"features": "Int64"})
    return Drawing(fig, data)


def _band() -> float:
    """Height in mm of a box's heading."""
    return style.mm(5.0)


def _count() -> float:
    """Room in mm beside the bars for the number of features."""
    return style.mm(10.0)


class _Stage(NamedTuple):
    """Heading and text of one box."""

    heading: str
    text: list[Paragraph]
    picture: Picture | None = None


def _height(stage: _Stage, width: float, funnel: list[tuple[str, int]]) -> float:
    """Height in mm that a box needs at a width."""
    extra = _funnel_height(funnel, width) if stage.heading == SELECTION else 0.0
    extra += stage.picture.height(width) if stage.picture else 0.0
    return _band() + height_of(stage.text, width) + extra


def _widths(row: list[_Stage], room: float, funnel: list[tuple[str, int]]) -> list[float]:
    """Widths in mm of the boxes of a row that make the row lowest; of equal ones the most even."""
    if len(row) == 1:
        return [room]
    headings = [style.text_width(f"0  {stage.heading}", style.base(), bold=True) + 2 * PAD + 0.5 for stage in row]
    least = [max(w, stage.picture.least if stage.picture else 0.0) for w, stage in zip(headings, row, strict=True)]
    shares = [
        shares
        for shares in product(range(4, 13), repeat=len(row))
        if sum(shares) == 20 and all(room * s / 20 >= w for s, w in zip(shares, least, strict=True))
    ]

    def cost(shares: tuple[int, ...]) -> tuple[float, int]:
        heights = [_height(stage, room * s / 20, funnel) for stage, s in zip(row, shares, strict=True)]
        return round(max(heights), 6), max(shares) - min(shares)

    best = min(shares, key=cost, default=(1,) * len(row))
    return [room * s / sum(best) for s in best]


def _stages(inputs: FigureInputs, model: str | None, *, wide: bool) -> list[_Stage]:
    """The boxes' text and pictures; one column has space for the outlined regions alone."""
    study = inputs.study
    counts = study.features_by_sequence
    names = {sequence: style.keep(label) for sequence, label in study.sequences.items()}
    partitions = [f"Sets of patients: {', '.join(study.partitions.values())}"] if study.partitions else []
    if any(study.partition_notes.values()):
        partitions = [
            f"{name}: {note}" if (note := study.partition_notes.get(key, "")) else name
            for key, name in study.partitions.items()
        ]
    features = [f"{names.get(s, s)}: {n} features" for s, n in counts.items()]
    if len(counts) > 1:
        features.append(f"{sum(counts.values())} features in all")
    if study.image_types:
        types = (style.keep(name) if len(name) < 16 else name for name in study.image_types)
        features.append(f"Image types: {', '.join(types)}")
    if study.features_by_class:
        each = (style.keep(f"{name} {n}") for name, n in study.features_by_class.items())
        features.append(f"Classes: {', '.join(each)}")
    sequences = [f"Sequences: {', '.join(names.values())}"] if names else []
    said: tuple[tuple[str, list[str]], ...] = (
        ("Image acquisition", [*study.acquisition, *sequences, *partitions]),
        ("Region of interest", [*study.delineation, *study.regions.values()]),
        ("Feature extraction", features),
        (SELECTION, [f"Model: {study.models.get(model, model)}", "Bars: logarithmic scale"] if model else []),
        ("Models", list(study.models.values())),
        ("Evaluation", study.evaluation),
    )
    pictures = {"Region of interest": thumbnails(inputs, outlined=True, largest=LARGEST if wide else 14.0)}
    if wide:
        pictures["Image acquisition"] = thumbnails(inputs, outlined=False)
    if wide and model:
        pictures |= {"Models": lasso_error(inputs, model), "Evaluation": roc_curves(inputs, model)}
    # a cohort that brings its features has no region to outline: an empty box would say nothing
    return [
        _Stage(heading, [Paragraph(line, bullet=True) for line in lines], pictures.get(heading))
        for heading, lines in said
        if lines or heading == SELECTION
    ]


def _stage_box(axes: Axes, x: float, y: float, width: float, height: float, number: int, stage: _Stage) -> Box:
    """A box with its heading in a band of colour."""
    box = draw_box(axes, x, y, width, [], height=height, edge=style.negative())
    filled: dict[str, Any] = dict.fromkeys(("facecolor", "edgecolor"), style.negative())
    axes.add_patch(mpl.patches.Rectangle((x, y), width, _band(), linewidth=0.7, **filled))
    words: dict[str, Any] = {"color": "white", "fontsize": style.base(), "fontweight": "bold"}
    axes.text(x + PAD, y + _band() / 2, f"{number}  {stage.heading}", va="center_baseline", **words)
    write(axes, x + PAD, y + _band() + PAD, width - 2 * PAD, stage.text)
    return box


def _join(axes: Axes, boxes: list[Box], gap: float) -> None:
    """Arrows from each box to the next, along the row or back to the start of the next row."""
    for here, there in pairwise(boxes):
        if there.y == here.y:
            middle = here.y + here.height / 2
            arrow(axes, (here.x + here.width, middle), (there.x, middle))
        elif there.x == here.x:
            arrow(axes, here.bottom, there.top)
        else:
            turn = here.bottom[1] + gap / 2
            arrow(axes, here.bottom, (here.bottom[0], turn), (there.top[0], turn), there.top)


def _funnel(selection: pd.DataFrame, inputs: FigureInputs) -> list[tuple[str, int]]:
    """What is left at the start and after each step of the selection, with the step's printed name."""
    if selection.empty:
        return []
    steps = [("Extracted", int(selection["features_in"].iloc[0]))]
    for _, row in selection.iterrows():
        label = inputs.study.steps.get(row["name"], row["name"].replace("_", " "))
        steps.append((label, int(row["features_out"])))
    return steps


def _funnel_rows(funnel: list[tuple[str, int]], width: float) -> list[list[str]]:
    return [style.wrap(label, width - 2 * PAD - _count(), style.small()) for label, _ in funnel]


def _funnel_height(funnel: list[tuple[str, int]], width: float) -> float:
    lines = sum(len(row) for row in _funnel_rows(funnel, width))
    return lines * style.line_height(style.small()) + len(funnel) * BETWEEN


def _draw_funnel(axes: Axes, box: Box, top: float, funnel: list[tuple[str, int]]) -> None:
    """A bar a step under the step's name, from ``top`` on, its length by the logarithm of the number of features left."""
    room = box.width - 2 * PAD - _count()
    most = max(math.log1p(n) for _, n in funnel) or 1.0
    y = top
    for (_, n), lines in zip(funnel, _funnel_rows(funnel, box.width), strict=True):
        height = len(lines) * style.line_height(style.small()) + 0.4
        length = max(room * math.log1p(n) / most, 0.3)
        filled: dict[str, Any] = {"facecolor": tint(style.negative(), 0.25), "linewidth": 0}
        axes.add_patch(mpl.patches.Rectangle((box.x + PAD, y), length, height, **filled))
        write(axes, box.x + PAD + 0.6, y + 0.2, room, [Paragraph(" ".join(lines))])
        x, middle = box.x + box.width - PAD, y + height / 2
        axes.text(x, middle, f"{n}", fontsize=style.small(), ha="right", va="center_baseline")
        y += height - 0.4 + BETWEEN
