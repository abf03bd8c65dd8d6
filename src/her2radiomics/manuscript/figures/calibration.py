"""Calibration of one model in one partition, with the distribution of its predictions below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.boxes import Paragraph, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import legend_grid, legend_height
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
    """Calibration: ideal, apparent and bias-corrected curves, or the observed one with its band."""

    kind: Literal["calibration"] = Field(
        description="Calibration curve with the distribution of predictions."
    )
    model: str = Field(description="Model to draw.")
    partition: str = Field(description="Partition whose patients are drawn.")
    summary: bool = Field(True, description="Print calibration intercept, slope and Brier score.")
    hosmer_lemeshow_groups: int | None = Field(
        None, ge=3, description="Print the p value of the Hosmer–Lemeshow test with this many groups of risk."
    )


@figure("calibration", CalibrationOptions, needs=("calibration", "predictions", "performance"))
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
    lines = sum(len(word.lines(options.width_mm - 3.0)) for word in words)
    below_strip = style.head() + side + 2.0 + strip + style.mm(10.0)
    fig = style.new_figure(
        options.width_mm, below_strip + legend_room + lines * style.line_height(style.small()) + 1.0
    )
    axes = style.place(fig, left, style.head(), side, side)
    axes.plot(
        [0, 1], [0, 1], color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), label="Ideal", zorder=1
    )
    for name, (label, hue, dash) in CURVES.items():
        look = style.Line(style.colours()[hue], style.DASHES[dash])
        rows = curves[curves["curve"] == name].sort_values("predicted")
        if rows.empty:
            continue
        if name == "observed" and rows[["low", "high"]].notna().all(axis=None):
            axes.fill_between(
                rows["predicted"],
                rows["low"],
                rows["high"],
                color=look.colour,
                alpha=0.18,
                linewidth=0,
                zorder=2,
            )
            label = BANDED
        axes.plot(
            rows["predicted"], rows["observed"], color=look.colour, linestyle=look.dash, label=label, zorder=3
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    style.vertical_label(axes, f"Observed proportion of {inputs.study.positive}", side)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], labels=[])
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    if curves.empty:
        beneath = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        axes.text(
            0.5,
            0.5,
            NO_CURVE,
            ha="center",
            va="center",
            fontsize=style.small(),
            color=style.MUTED,
            bbox=beneath,
        )
    if narrow:
        canvas = style.place(fig, 0.0, below_strip, options.width_mm, max(legend_room, 1.0))
        canvas.set_axis_off()
        handles, labels = axes.get_legend_handles_labels()
        canvas.legend(handles, labels, ncols=columns, loc="upper left")
        canvas = style.place(fig, 0.0, below_strip + legend_room, options.width_mm, 1.0)
        canvas.set(xlim=(0, options.width_mm), ylim=(1.0, 0.0))
        canvas.set_axis_off()
        write(canvas, 1.5, 0.0, options.width_mm - 3.0, words)
    else:
        axes.legend(loc="upper left")
        axes.text(
            0.98, 0.03, "\n".join(said), ha="right", va="bottom", fontsize=style.small(), linespacing=1.35
        )

    below = style.place(fig, left, style.head() + side + 2.0, side, strip)
    counts = _histogram(below, predictions, inputs)
    below.set_xlabel(f"Predicted probability of {inputs.study.positive}")
    events = int(predictions["label"].sum())
    heading = inputs.partition_heading(options.partition, len(predictions), events)
    style.header(fig, letter=options.panel_letter, heading=heading, simulated=inputs.study.simulated)
    table = curves[["curve", "predicted", "observed", "low", "high"]]
    data = pd.concat([table, counts], ignore_index=True) if len(table) else counts
    data.insert(0, "partition", options.partition)
    data.insert(0, "model", options.model)
    return Drawing(fig, data)


def _summary(
    inputs: FigureInputs, options: CalibrationOptions, performance: pd.Series, predictions: pd.DataFrame
) -> list[str]:
    """The model, and its calibration in numbers where asked for."""
    said = [inputs.study.models.get(options.model, options.model)]
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
        tables.append(
            pd.DataFrame(
                {
                    "curve": f"histogram_label_{outcome}",
                    "predicted": (edges[:-1] + edges[1:]) / 2,
                    "patients": count,
                }
            )
        )
    axes.axhline(0, color=style.INK, linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(-1.95 * tallest, 1.95 * tallest))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
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
