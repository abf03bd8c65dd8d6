"""Decision curves: the net benefit of acting on each model, on everyone and on no one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModels, DrawnPartition
from her2radiomics.manuscript.figures.inputs import FEWEST, FigureInputs
from her2radiomics.manuscript.figures.labels import (
    below,
    label_below,
    legend_grid,
    legend_height,
    legend_text,
    model_name,
)
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure
from her2radiomics.statistics import decision_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALL, NONE = "treat_all", "treat_none"
SMOOTHED_BELOW = 50  # patients of the rarer outcome: below, each patient is a step that the eye takes for an effect
WINDOW = 0.05  # of threshold probability, over which steps are averaged
DEFAULTS = {ALL: (style.MUTED, (0, (6, 2, 1, 2)), 1.0), NONE: (style.INK, "-", 0.8)}


class DecisionCurveOptions(FramedOptions):
    """Net benefit of several models, of treating all and of treating none, over the protocol's range of thresholds."""

    kind: Literal["decision_curve"]
    models: DrawnModels
    partition: DrawnPartition
    lowest: float | None = Field(
        None,
        description="Lowest threshold probability drawn; without it that of the protocol's "
        "`evaluation.net_benefit_thresholds`.",
        ge=0,
        lt=1,
    )
    highest: float | None = Field(
        None, description="Highest threshold probability drawn; without it likewise.", gt=0, le=1
    )
    action: str = Field("Treat", description="What is done with patients above the threshold, in one or two words.")

    legend: bool = Field(True, description="Whether the curves are named below; a composed figure names them once.")

    def legend_of(self, inputs: FigureInputs) -> tuple[str, ...] | None:
        """Models and action, where there are enough patients for curves."""
        label = next(iter(inputs.shared_predictions(self.models, self.partition).values()))["label"]
        few = min(label.sum(), len(label) - label.sum()) < FEWEST
        return None if few else (*self.models, self.action, *inputs.study.models)

    @model_validator(mode="after")
    def _ordered(self) -> DecisionCurveOptions:
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(f"lowest ({self.lowest}) must be below highest ({self.highest})")
        return self

    def range_of(self, inputs: FigureInputs) -> tuple[float, float]:
        """Thresholds between which the curves are drawn: the figure's, or the protocol's; 0 to 1 where neither says."""
        stated = inputs.study.thresholds or [0.0, 1.0]
        low = min(stated) if self.lowest is None else self.lowest
        high = max(stated) if self.highest is None else self.highest
        return (low, high) if low < high else (0.0, 1.0)


@figure(
    DecisionCurveOptions,
    needs=("predictions",),
    caption="Net benefit over the thresholds at which a patient would be treated, compared with treating all patients and "
    "none, in the patients whom all models predict.",
    example="""
        figure_5d_decision:
          kind: decision_curve
          title: Decision curves
          models: [clinical, radiomics, nomogram]
          partition: testing
    """,
)
def draw(inputs: FigureInputs, options: DecisionCurveOptions) -> Drawing:
    """Draw net benefit against threshold probability, in steps of 1%; smoothed where few patients make steps."""
    low, high = options.range_of(inputs)
    grid = np.arange(0, 100) / 100
    thresholds = grid[(grid >= low) & (grid <= high)]
    width, margin = options.width_mm, style.mm(14.0)
    inner = width - margin - 4.0
    tall = options.height_mm or min(inner * 0.85, 85.0)
    people = inputs.shared_predictions(options.models, options.partition)
    label = next(iter(people.values()))["label"]
    rarer = int(min(label.sum(), len(label) - label.sum()))
    curves = {name: _benefit(rows, thresholds) for name, rows in people.items()}
    curves |= {ALL: _benefit(label.to_frame().assign(probability=1.0), thresholds), NONE: 0.0 * thresholds}
    smoothed = {name: benefit for name, benefit in curves.items() if name in (ALL, NONE)}
    smoothed |= {
        name: _smooth(benefit) if rarer < SMOOTHED_BELOW else benefit
        for name, benefit in curves.items()
        if name not in smoothed
    }

    names = {name: legend_text(model_name(inputs, name), width) for name in options.models}
    names |= {ALL: f"{options.action} all", NONE: f"{options.action} none"}
    columns, lines = legend_grid(list(names.values()), width)
    named = legend_height(lines) if options.legend else 0.0
    title, more = label_below(f"Threshold probability of {inputs.study.positive} (%)", margin, inner, options.width_mm)
    fig = style.new_figure(width, style.head() + tall + style.mm(11.0) + more + named)
    axes = style.place(fig, margin, style.head(), inner, tall)
    axes.set(xlim=(low, high), xlabel=title)
    axes.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1, symbol=None))
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_ylabel("Net benefit (smoothed)" if FEWEST <= rarer < SMOOTHED_BELOW else "Net benefit")
    if rarer < FEWEST:
        axes.set(ylim=(-0.1, 1), yticks=[])
        style.say_in(axes, f"No curves: {rarer} patients of the rarer outcome; at least {FEWEST} are needed")
    else:
        _curves(axes, {name: (thresholds, smoothed[name]) for name in names}, names, inputs)
        if options.legend:
            axes.legend(ncols=columns, **below(margin, inner, tall, width, more))
    heading = inputs.partition_heading(options.partition, len(label), int(label.sum()))
    tables = [
        pd.DataFrame({"strategy": name, "threshold": thresholds, "net_benefit": benefit, "drawn": smoothed[name]})
        for name, benefit in curves.items()
    ]
    data = pd.concat(tables, ignore_index=True)
    if rarer < FEWEST:
        data["drawn"] = np.nan
    data.insert(0, "n", len(label))
    data.insert(0, "partition", options.partition)
    return Drawing(fig, data, heading)


def _benefit(rows: pd.DataFrame, thresholds: np.ndarray) -> np.ndarray:
    return decision_curve(rows["label"], rows["probability"], thresholds).table["net_benefit"].to_numpy()


def _smooth(benefit: np.ndarray) -> np.ndarray:
    """Mean over thresholds up to half a :data:`WINDOW` either way, as many on both sides."""
    half = round(WINDOW * 100 / 2)
    places = np.arange(benefit.size)
    reach = np.minimum(np.minimum(places, places[::-1]), half)
    return np.array([benefit[i - r : i + r + 1].mean() for i, r in zip(places, reach, strict=True)])


def _curves(
    axes: Axes, curves: dict[str, tuple[np.ndarray, np.ndarray]], names: dict[str, str], inputs: FigureInputs
) -> None:
    models = [name for name in curves if name not in DEFAULTS]
    order = style.order_for(models, list(inputs.study.models))
    widths = style.nested([curves[name][1] for name in models])
    for name, (thresholds, benefit) in curves.items():
        if name in DEFAULTS:
            colour, dash, wide = DEFAULTS[name]
        else:
            (colour, dash), wide = style.line_of(name, order), widths[models.index(name)]
        line: dict[str, Any] = {"color": colour, "linestyle": dash, "linewidth": wide, "label": names[name]}
        axes.plot(thresholds, benefit, **line, zorder=2 if name in DEFAULTS else 3)
    top = max(float(benefit.max()) for _, benefit in curves.values())
    lowest = min(float(curves[name][1].min()) for name in models)
    axes.set_ylim(min(max(lowest, -0.4 * top), -0.1 * top) * 1.05, 1.08 * top)
