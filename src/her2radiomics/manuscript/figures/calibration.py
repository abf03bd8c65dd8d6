"""Calibration of one model in one partition, with the distribution of its predictions below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, DrawnPartition
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FEWEST, FigureInputs
from her2radiomics.manuscript.figures.labels import label_below, legend_grid, legend_height, legend_text, model_name
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
REFITS = {"bias_corrected": "refits_final", "pipeline_corrected": "refits"}  # rows that count a curve's resamples
MEASURES = {"calibration_intercept": "Intercept", "calibration_slope": "Slope", "brier": "Brier score"}
BINS = 25
NO_CURVE = "No curve: fewer than three different predictions, or resamples that could not be refitted"
FEW = f"No curve: fewer than {FEWEST} patients with one outcome"


class CalibrationOptions(SquareOptions):
    """Ideal, apparent and bias-corrected curve in training; elsewhere the observed one with its bootstrap band."""

    kind: Literal["calibration"]
    model: DrawnModel
    partition: DrawnPartition
    summary: bool = Field(
        True,
        description="Print calibration intercept, slope and Brier score; in training those corrected for optimism.",
    )
    hosmer_lemeshow_groups: int | None = Field(
        None, ge=3, description="Print the p value of the Hosmer–Lemeshow test with this many groups of risk."
    )


@figure(
    CalibrationOptions,
    needs=("calibration", "predictions", "performance", "performance_extra"),
    caption="Predicted probability and observed proportion, with the distribution of predictions by outcome below. In "
    "training, curves and numbers are corrected for optimism by the bootstrap.",
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
    extra = inputs.extra_of(options.model, options.partition)
    few = predictions["label"].value_counts().reindex([0, 1], fill_value=0).min() < FEWEST
    curves = curves.iloc[:0] if few else curves

    left, side = options.place_square()
    strip = style.mm(12.0)
    drawn = {
        name: legend_text(_curve_label(name, extra), options.width_mm)
        for name in CURVES
        if (curves["curve"] == name).any()
    }
    columns, rows = legend_grid(["Ideal", *drawn.values()], options.width_mm)
    said = _summary(inputs, options, extra, predictions, few=few)
    words = [Paragraph("; ".join(style.keep(part) for part in said))]
    title, more = label_below(f"Predicted probability of {inputs.study.positive}", left, side, options.width_mm)
    below_strip = style.head() + side + 2.0 + strip + style.mm(10.0) + more
    legend_room = legend_height(rows)
    tall = below_strip + legend_room + text_height(words, options.width_mm - 3.0) + 1.0
    fig = style.new_figure(options.width_mm, tall)
    axes = style.place(fig, left, style.head(), side, side)
    ideal: dict[str, Any] = {"color": style.MUTED, "linewidth": 0.8, "linestyle": (0, (4, 2))}
    axes.plot([0, 1], [0, 1], **ideal, label="Ideal", zorder=1)
    for name, label in drawn.items():
        _, hue, dash = CURVES[name]
        colour = style.colours()[hue]
        rows = curves[curves["curve"] == name].sort_values("predicted")
        if name == "observed" and rows[["low", "high"]].notna().all(axis=None):
            band = (rows["predicted"], rows["low"], rows["high"])
            axes.fill_between(*band, color=colour, alpha=0.18, linewidth=0, zorder=2)
        line = {"color": colour, "linestyle": style.DASHES[dash], "label": label}
        axes.plot(rows["predicted"], rows["observed"], **line, zorder=3)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=style.FIFTHS, yticks=style.FIFTHS, xticklabels=[])
    style.vertical_label(axes, f"Observed proportion of {inputs.study.positive}", side)
    if curves.empty:
        style.say_in(axes, FEW if few else NO_CURVE)
    page(fig, below_strip, max(legend_room, 1.0)).legend(
        *axes.get_legend_handles_labels(), ncols=columns, loc="upper left"
    )
    top = below_strip + legend_room
    write(page(fig, top, 1.0), 1.5, top, options.width_mm - 3.0, words)

    below = style.place(fig, left, style.head() + side + 2.0, side, strip)
    counts = _histogram(below, predictions, inputs)
    below.set_xlabel(title)
    events = int(predictions["label"].sum())
    heading = inputs.partition_heading(options.partition, len(predictions), events)
    table = curves[["curve", "predicted", "observed", "low", "high"]]
    data = pd.concat([table, counts], ignore_index=True) if len(table) else counts
    data.insert(0, "partition", options.partition)
    data.insert(0, "model", options.model)
    return Drawing(fig, data, heading)


def _curve_label(name: str, extra: pd.DataFrame) -> str:
    """A curve's name with the number of resamples that could be used, of how many."""
    if name == "observed":
        return BANDED
    words = str(extra["method"].get(REFITS.get(name, ""), "")).partition(",")[0]
    return f"{CURVES[name][0]} ({words})" if words else CURVES[name][0]


def _summary(
    inputs: FigureInputs, options: CalibrationOptions, extra: pd.DataFrame, predictions: pd.DataFrame, *, few: bool
) -> list[str]:
    """The model, and its calibration in numbers where asked for: in training corrected for optimism, else with intervals."""
    said = [model_name(inputs, options.model)]
    if options.summary and few:
        said.append(f"too few patients to judge calibration (n = {len(predictions)})")
    elif options.summary:
        performance = inputs.performance_of(options.model, options.partition)
        for name, label in MEASURES.items():
            number = _number(name, extra, performance, trained=options.partition == TRAINING)
            said.append(f"{label} {number}")
        if options.partition == TRAINING:
            said[1:] = [f"corrected for optimism: {said[1]}", *said[2:]]
    if options.hosmer_lemeshow_groups and not few:
        test = hosmer_lemeshow(
            predictions["label"],
            predictions["probability"],
            options.hosmer_lemeshow_groups,
            fitted=options.partition == TRAINING,
        )
        kind = "apparent " if options.partition == TRAINING else ""  # no refit corrects it
        said.append(f"{kind}Hosmer–Lemeshow {fmt.p_equals(test.p)}")
    return said


def _number(name: str, extra: pd.DataFrame, performance: pd.Series, *, trained: bool) -> str:
    """A measure as it is printed: the whole pipeline's correction before that of the final regression alone."""
    if trained:
        found = (extra["value"].get(f"{name}{ending}", math.nan) for ending in ("_corrected", "_corrected_final"))
        return _signed(next((value for value in found if math.isfinite(value)), math.nan))
    text = _signed(float(performance[name]))
    if name not in extra.index or not np.isfinite(extra.loc[name, ["low", "high"]].to_numpy(float)).all():
        return text
    return f"{text} (95% CI {_signed(extra.loc[name, 'low'])} to {_signed(extra.loc[name, 'high'])})"


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
