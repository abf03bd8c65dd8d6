"""Score of every patient of a partition, in order, coloured by outcome."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, DrawnPartition
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure


class RadScoreOptions(FramedOptions):
    """The score of every patient, with the threshold chosen in training."""

    kind: Literal["rad_score"]
    model: DrawnModel
    partition: DrawnPartition
    axis: str = Field("Rad-score", description="Label of the axis of scores.")


def threshold_on_score(rows: pd.DataFrame, threshold: float) -> float:
    """The threshold on the probability, carried over to the score.

    The logit where the score is the model's linear predictor; otherwise midway between the two patients whose
    probabilities lie on either side of the threshold (probability rises with the score in every model).
    """
    score, probability = rows["score"].to_numpy(float), rows["probability"].to_numpy(float)
    inside = (probability > 0) & (probability < 1)
    logit = np.log(probability[inside] / (1 - probability[inside]))
    if 0 < threshold < 1 and inside.any() and np.allclose(logit, score[inside], atol=1e-6):
        return float(np.log(threshold / (1 - threshold)))
    above, below = score[probability >= threshold], score[probability < threshold]
    if not above.size or not below.size:
        return float(score.max() if not above.size else score.min())
    return float((above.min() + below.max()) / 2)


@figure(
    RadScoreOptions,
    needs=("predictions", "performance"),
    caption="Each bar is a patient; bars start at the threshold chosen in training.",
    example="""
        figure_4d_rad_score: {kind: rad_score, title: Rad-score by patient, model: radiomics, partition: training}
    """,
)
def draw(inputs: FigureInputs, options: RadScoreOptions) -> Drawing:
    """Draw one bar a patient from the locked threshold to the patient's score."""
    rows = inputs.predictions_of(options.model, options.partition)
    rows = rows.sort_values(["score", "patient_id"], kind="stable").reset_index(drop=True)
    cut = threshold_on_score(rows, float(inputs.performance_of(options.model, options.partition).threshold))
    width, tall = options.width_mm, options.height_mm or min(options.width_mm * 0.5, 65.0)
    margin, top = style.mm(14.0), style.head() + style.mm(5.0)
    fig = style.new_figure(width, top + tall + style.mm(9.0))
    axes = style.place(fig, margin, top, width - margin - 3.0, tall)
    colours = [style.positive() if label else style.negative() for label in rows["label"]]
    axes.bar(rows.index, rows["score"] - cut, bottom=cut, width=0.8, color=colours, linewidth=0)
    axes.axhline(cut, color=style.INK, linewidth=0.8)
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    text = f"Threshold {cut:.2f}".replace("-", "−")
    axes.annotate(text, (1.0, cut), (-2, -3), ha="right", va="top", fontsize=style.small(), **where)
    axes.set(xlim=(-1, len(rows)), xticks=[], xlabel="Patients, by score", ylabel=options.axis)
    axes.spines["bottom"].set_visible(False)
    sides = ((style.positive(), inputs.study.positive), (style.negative(), inputs.study.negative))
    fig.legend(
        handles=[mpl.patches.Patch(facecolor=colour, label=label) for colour, label in sides],
        loc="upper left",
        bbox_to_anchor=((margin - 2.0) / width, 1 - (style.head() - 1.0) / style.size(fig)[1]),
        ncols=2,
        handlelength=1.4,
    )
    heading = inputs.partition_heading(options.partition, len(rows), int(rows["label"].sum()))
    data = rows[["patient_id", "partition", "label", "score", "probability"]].copy()
    data.insert(0, "model", options.model)
    data["threshold_on_score"] = cut
    return Drawing(fig, data, heading)
