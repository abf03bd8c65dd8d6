"""A model's score by outcome and partition: violins with every patient as a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import mpl, pd, sns
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, Partitions
from her2radiomics.manuscript.figures.beeswarm import offsets
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FEWEST, FigureInputs
from her2radiomics.manuscript.figures.labels import model_name
from her2radiomics.manuscript.figures.rad_score import threshold_on_score
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure
from her2radiomics.manuscript.palettes import tint
from her2radiomics.statistics import compare_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

APART, HALF = (
    0.24,
    0.2,
)  # of the distance of two partitions: from its middle to an outcome's, and half a violin's width
NOTE = (
    "Points: patients; lines: medians; dashes: threshold chosen in training; p: Mann–Whitney U test. Violins are densities "
    f"of at least {FEWEST} patients."
)


class ScoreGroupsOptions(FramedOptions):
    """A model's score by outcome in each partition: violins, every patient, the threshold, and a test."""

    kind: Literal["score_groups"]
    model: DrawnModel
    partitions: Partitions = ()
    axis: str = Field("Rad-score", description="Label of the axis of scores.")


@figure(
    ScoreGroupsOptions,
    needs=("predictions", "performance"),
    caption="Each point is a patient; violins are the density of the score, lines its median, dashes the threshold "
    "chosen in training.",
    example="""
        figure_4e_rad_score_groups: {kind: score_groups, title: Rad-score by outcome and partition, model: radiomics}
    """,
)
def draw(inputs: FigureInputs, options: ScoreGroupsOptions) -> Drawing:
    """Draw two violins a partition, the negative outcome at the left."""
    predicted = set(inputs.table("predictions", options.model)["partition"])
    names = [
        name for name in inputs.study.partitions if name in predicted and name in (options.partitions or predicted)
    ]
    width, margin = options.width_mm, style.mm(14.0)
    inner = width - margin - 3.0
    tall = options.height_mm or min(inner * 0.8, 75.0)
    people = {name: inputs.predictions_of(options.model, name) for name in names}
    ticks = [_tick(inputs, name, rows, inner / len(names)) for name, rows in people.items()]
    foot = style.line_height(style.small()) * (max(tick.count("\n") for tick in ticks) + 1) + style.mm(2.5)
    notes = [Paragraph(NOTE)]
    key, top = style.mm(5.0), style.head() + style.mm(5.0)
    below = top + tall + foot
    fig = style.new_figure(width, below + key + text_height(notes, width - 3.0) + 1.5)
    axes = style.place(fig, margin, top, inner, tall)
    cut = threshold_on_score(people[names[0]], float(inputs.performance_of(options.model, names[0]).threshold))
    axes.axhline(cut, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    tables = [_partition(axes, place, rows) for place, rows in enumerate(people.values())]
    axes.set(xlim=(-0.5, len(names) - 0.5), ylabel=options.axis)
    axes.set_xticks(range(len(names)), labels=ticks)
    axes.tick_params(axis="x", length=0, pad=3)
    axes.margins(y=0.08)
    for place, rows in enumerate(people.values()):
        where: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": style.small()}
        axes.text(place, 1.01, _tested(rows)[0], transform=axes.get_xaxis_transform(), **where)
    sides = ((style.negative(), inputs.study.negative), (style.positive(), inputs.study.positive))
    handles = [mpl.patches.Patch(facecolor=tint(colour, 0.6), label=label) for colour, label in sides]
    page(fig, below, key).legend(handles=handles, ncols=2, loc="upper left", handlelength=1.4)
    write(page(fig, below + key, 1.0), 1.5, below + key, width - 3.0, notes)
    data = pd.concat(tables, ignore_index=True)
    data.insert(0, "model", options.model)
    data["threshold_on_score"] = cut
    return Drawing(fig, data, model_name(inputs, options.model))


def _tick(inputs: FigureInputs, name: str, rows: pd.DataFrame, room: float) -> str:
    """A partition's name with the patients of each outcome, the negative first."""
    events = int(rows["label"].sum())
    printed = inputs.study.partitions[name]
    lines = style.wrap(printed, room - 1.0, style.small())
    return "\n".join([*lines, f"{len(rows) - events} vs {events}"])


def _tested(rows: pd.DataFrame) -> tuple[str, float]:
    """Mann–Whitney U test of the score between the outcomes, in words and as p."""
    if rows["label"].nunique() < 2:
        return "one outcome", float("nan")
    outcome = pd.Series(pd.Categorical(rows["label"], categories=[0, 1], ordered=True), index=rows.index)
    test = compare_groups(pd.DataFrame({"score": rows["score"]}), outcome, {"score": "skewed"}).table.iloc[0]
    return fmt.p_equals(float(test["p"])), float(test["p"])


def _partition(axes: Axes, place: int, rows: pd.DataFrame) -> pd.DataFrame:
    """The two outcomes of one partition; returns what was drawn."""
    for label, sign, colour in ((0, -1, style.negative()), (1, 1, style.positive())):
        score = np.sort(rows.loc[rows["label"] == label, "score"].to_numpy(float))
        if not score.size:
            continue
        middle = place + sign * APART
        if score.size >= FEWEST and np.ptp(score) > 0:
            shown = {"width": 2 * HALF, "inner": None, "cut": 0, "linewidth": 0.6, "density_norm": "width"}
            sns.violinplot(
                x=[middle] * score.size,
                y=score,
                native_scale=True,
                color=tint(colour, 0.35),
                linecolor=colour,
                saturation=1,
                ax=axes,
                **shown,
            )
        dots: dict[str, Any] = {"s": 6, "color": colour, "edgecolor": "white", "linewidth": 0.25, "zorder": 3}
        axes.scatter(middle + offsets(score) * HALF * 0.8, score, clip_on=False, **dots)
        axes.plot([middle - HALF, middle + HALF], [np.median(score)] * 2, color=style.INK, zorder=4)
    found = rows[["patient_id", "partition", "label", "score"]].copy()
    found["p"] = _tested(rows)[1]
    return found
