"""Score of every patient of a partition, in order, coloured by outcome."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure


class RadScoreOptions(FramedOptions):
    """Waterfall of a model's score by patient."""

    kind: Literal["rad_score"] = Field(description="Score by patient (waterfall), with the locked threshold.")
    model: str = Field(description="Model whose score is drawn.")
    partition: str = Field(description="Partition whose patients are drawn.")
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


@figure("rad_score", RadScoreOptions, needs=("predictions", "performance"))
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
    axes.annotate(
        f"Locked threshold {cut:.2f}".replace("-", "−"),
        (1.0, cut),
        xycoords=("axes fraction", "data"),
        xytext=(-2, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=style.small(),
    )
    axes.set_xlim(-1, len(rows))
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    axes.set_xlabel("Patients, by score")
    axes.set_ylabel(options.axis)
    height = style.size(fig)[1]
    fig.legend(
        handles=[
            mpl.patches.Patch(facecolor=style.positive(), label=inputs.study.positive),
            mpl.patches.Patch(facecolor=style.negative(), label=inputs.study.negative),
        ],
        loc="upper left",
        bbox_to_anchor=((margin - 2.0) / width, 1 - (style.head() - 1.0) / height),
        ncols=2,
        handlelength=1.4,
        columnspacing=1.2,
    )
    heading = inputs.partition_heading(options.partition, len(rows), int(rows["label"].sum()))
    style.header(fig, letter=options.panel_letter, heading=heading, simulated=inputs.study.simulated)
    data = rows[["patient_id", "partition", "label", "score", "probability"]].copy()
    data.insert(0, "model", options.model)
    data["threshold_on_score"] = cut
    return Drawing(fig, data)
