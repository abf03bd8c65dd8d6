"""Calibration of one model in one partition, with the distribution of its predictions below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, DrawnPartition
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import legend_grid, legend_height, model_name
from her2radiomics.manuscript.figures.registry import Drawing, SquareOptions, figure
from her2radiomics.statistics import hosmer_lemeshow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = {  # printed name, and the places of colour and dash in the palette and among the dashes
    "apparent": ("Apparent", 0, 1),
    "bias_corrected": ("Bias-corrected", 1, 0),
    "pipeline_corrected": ("Corrected, whole pipeline", 2, 2),
    "observed": ("Observed", 1, 0),
}
BANDED = "Observed (95% bootstrap band)"
BINS = 25
NO_CURVE = "No curve:\ntoo few patients, or\nfewer than three\ndifferent predictions"


class CalibrationOptions(SquareOptions):
    """Ideal, apparent and bias-corrected curve in training; elsewhere the observed one with its bootstrap band."""

    kind: Literal["calibration"]
    model: DrawnModel
    partition: DrawnPartition
    summary: bool = Field(True, description="Print calibration intercept, slope and Brier score.")
    hosmer_lemeshow_groups: int | None = Field(
        None, ge=3, description="Print the p value of the Hosmer–Lemeshow test with this many groups of risk."
    )


@figure(
    CalibrationOptions,
    needs=("calibration", "predictions", "performance"),
    caption="Predicted against observed probability, with the distribution of predictions below.",
    example="figure_5c_calibration: {kind: calibration, title: Calibration, model: nomogram, partition: testing}",
)
def draw(inputs: FigureInputs, options: CalibrationOptions) -> Drawing:
    """Draw the curves of ``calibration.csv`` over the ideal line, and predictions by outcome below them."""
    curves = inputs.table("calibration", options.model)
    curves = curves[curves["partition"] == options.partition]
    unknown = sorted(set(curves["curve"]) - set(CURVES))
    if unknown:
        raise TableError(
            file=inputs.path("calibration", options.model),
            column="curve",
            found=f"'{unknown[0]}'",
            expected=f"one of {', '.join(CURVES)}",
            remedy="Compute the model's calibration again.",
        )
    predictions = inputs.predictions_of(options.model, options.partition)
    performance = inputs.performance_of(options.model, options.partition)

    left, side = options.place_square()
    narrow = side < style.mm(55.0)  # what would be printed on the curves stands below them
    strip = style.mm(10.0 if narrow else 15.0)
    drawn = [name for name in CURVES if (curves["curve"] == name).any()]
    named = ["Ideal", *(BANDED if name == "observed" else CURVES[name][0] for name in drawn)]
    columns, rows = legend_grid(named, options.width_mm)
    legend_room = legend_height(rows) if narrow else 0.0
    said = _summary(inputs, options, performance, predictions)
    words = [Paragraph(", ".join(style.keep(part) for part in said))] if narrow else []
    below_strip = style.head() + side + 2.0 + strip + style.mm(10.0)
    tall = below_strip + legend_room + text_height(words, options.width_mm - 3.0) + 1.0
    fig = style.new_figure(options.width_mm, tall)
    axes = style.place(fig, left, style.head(), side, side)
    ideal: dict[str, Any] = {
        "color": style.MUTED,
        "linewidth": 0.8,
        "linestyle": (0, (4, 2)),
        "label": "Ideal",
    }
    axes.plot([0, 1], [0, 1], **ideal, zorder=1)
    for name in drawn:
        label, hue, dash = CURVES[name]
        colour = style.colours()[hue]
        rows = curves[curves["curve"] == name].sort_values("predicted")
        if name == "observed" and rows[["low", "high"]].notna().all(axis=None):
            band = (rows["predicted"], rows["low"], rows["high"])
            axes.fill_between(*band, color=colour, alpha=0.18, linewidth=0, zorder=2)
            label = BANDED
        line = {"color": colour, "linestyle": style.DASHES[dash], "label": label}
        axes.plot(rows["predicted"], rows["observed"], **line, zorder=3)
    axes.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=style.FIFTHS, yticks=style.FIFTHS, xticklabels=[]
    )
    style.vertical_label(axes, f"Observed proportion of {inputs.study.positive}", side)
    small: dict[str, Any] = {"fontsize": style.small()}
    if curves.empty:
        beneath = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        axes.text(0.5, 0.5, NO_CURVE, ha="center", va="center", color=style.MUTED, bbox=beneath, **small)
    if narrow:
        handles, labels = axes.get_legend_handles_labels()
        strip_below = page(fig, below_strip, max(legend_room, 1.0))
        strip_below.legend(handles, labels, ncols=columns, loc="upper left")
        top = below_strip + legend_room
        write(page(fig, top, 1.0), 1.5, top, options.width_mm - 3.0, words)
    else:
        axes.legend(loc="upper left")
        axes.text(0.98, 0.03, "\n".join(said), ha="right", va="bottom", linespacing=1.35, **small)

    below = style.place(fig, left, style.head() + side + 2.0, side, strip)
    counts = _histogram(below, predictions, inputs)
    below.set_xlabel(f"Predicted probability of {inputs.study.positive}")
    events = int(predictions["label"].sum())
    heading = inputs.partition_heading(options.partition, len(predictions), events)
    table = curves[["curve", "predicted", "observed", "low", "high"]]
    data = pd.concat([table, counts], ignore_index=True) if len(table) else counts
    data.insert(0, "partition", options.partition)
    data.insert(0, "model", options.model)
    return Drawing(fig, data, heading)


def _summary(
    inputs: FigureInputs, options: CalibrationOptions, performance: pd.Series, predictions: pd.DataFrame
) -> list[str]:
    """The model, and its calibration in numbers where asked for."""
    said = [model_name(inputs, options.model)]
    if options.summary:
        said += [
            f"Intercept {_signed(performance.calibration_intercept)}",
            f"Slope {_signed(performance.calibration_slope)}",
            f"Brier score {performance.brier:.3f}",
        ]
    if options.hosmer_lemeshow_groups:
        test = hosmer_lemeshow(
            predictions["label"],
            predictions["probability"],
            options.hosmer_lemeshow_groups,
            fitted=options.partition == "training",
        )
        p = fmt.p_value(test.p)
        said.append(f"Hosmer–Lemeshow p {p[0]} {p[1:]}" if p[0] in "<>" else f"Hosmer–Lemeshow p = {p}")
    return said


def _histogram(axes: Axes, predictions: pd.DataFrame, inputs: FigureInputs) -> pd.DataFrame:
    """Patients per bin of predicted probability: positive outcome upwards, negative downwards."""
    edges = np.linspace(0, 1, BINS + 1)
    tables, tallest = [], 1
    for outcome, sign, colour in ((1, 1, style.positive()), (0, -1, style.negative())):
        count, _ = np.histogram(predictions.loc[predictions["label"] == outcome, "probability"], bins=edges)
        axes.bar(edges[:-1], sign * count, width=0.8 / BINS, align="edge", color=colour, linewidth=0)
        tallest = max(tallest, int(count.max()))
        middle = (edges[:-1] + edges[1:]) / 2
        bars = {"curve": f"histogram_label_{outcome}", "predicted": middle, "patients": count}
        tables.append(pd.DataFrame(bars))
    axes.axhline(0, color=style.INK, linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(-1.95 * tallest, 1.95 * tallest), xticks=style.FIFTHS)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(3, integer=True, symmetric=True))
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    axes.set_ylabel("Patients", fontsize=style.small())
    for text, y, va, colour in (
        (inputs.study.positive, 0.99, "top", style.positive()),
        (inputs.study.negative, 0.02, "bottom", style.negative()),
    ):
        axes.text(0.01, y, text, transform=axes.transAxes, fontsize=style.small(), color=colour, va=va)
    return pd.concat(tables, ignore_index=True)


def _signed(value: float) -> str:
    """Two decimals, no negative zero; infinite where the outcome is separated."""
    if not math.isfinite(value):
        return "not estimable"
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
