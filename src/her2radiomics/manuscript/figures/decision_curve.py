"""Decision curves: the net benefit of acting on each model, on everyone and on no one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModels, DrawnPartition
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import below, legend_grid, legend_height, legend_text, model_name
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure
from her2radiomics.statistics import decision_curve


class DecisionCurveOptions(FramedOptions):
    """Net benefit of several models, of treating all and of treating none."""

    kind: Literal["decision_curve"]
    models: DrawnModels
    partition: DrawnPartition
    lowest: float = Field(0.0, description="Lowest threshold probability drawn.", ge=0, lt=1)
    highest: float = Field(1.0, description="Highest threshold probability drawn.", gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> DecisionCurveOptions:
        if self.lowest >= self.highest:
            raise ValueError(f"lowest ({self.lowest}) must be below highest ({self.highest})")
        return self


@figure(
    DecisionCurveOptions,
    needs=("predictions",),
    caption="Net benefit against threshold probability, with treating all and treating none.",
    example="""
        figure_5d_decision:
          kind: decision_curve
          title: Decision curves
          models: [clinical, radiomics, nomogram]
          partition: testing
    """,
)
def draw(inputs: FigureInputs, options: DecisionCurveOptions) -> Drawing:
    """Draw net benefit against threshold probability, in steps of 1 %."""
    grid = np.arange(0, 100) / 100
    thresholds = grid[(grid >= options.lowest) & (grid <= options.highest)]
    order = style.order_for(options.models, list(inputs.study.models))
    width = options.width_mm
    margin = style.mm(14.0)
    inner = width - margin - 3.0
    tall = options.height_mm or min(inner * 0.85, 85.0)
    names = [legend_text(model_name(inputs, model), width) for model in options.models]
    columns, lines = legend_grid([*names, "Treat all", "Treat none"], width)
    fig = style.new_figure(width, style.head() + tall + style.mm(11.0) + legend_height(lines))
    axes = style.place(fig, margin, style.head(), inner, tall)

    curves = {}
    for model in options.models:
        rows = inputs.predictions_of(model, options.partition)
        table = decision_curve(rows["label"], rows["probability"], thresholds).table
        curves[model] = table["net_benefit"].to_numpy()
    label, everyone = rows["label"], table["net_benefit_all"].to_numpy()
    axes.plot(thresholds, everyone, color=style.MUTED, linewidth=0.9, label="Treat all", zorder=2)
    axes.axhline(0, color=style.INK, linewidth=0.9, label="Treat none", zorder=2)
    for (model, benefit), name in zip(curves.items(), names, strict=True):
        look = style.line_of(model, order)
        axes.plot(thresholds, benefit, color=look.colour, linestyle=look.dash, label=name, zorder=3)

    top = max(float(label.mean()), *(float(benefit.max()) for benefit in curves.values()))
    axes.set(xlim=(options.lowest, options.highest), ylim=(-0.15 * top, 1.08 * top))
    axes.set(xlabel="Threshold probability", ylabel="Net benefit")
    handles = axes.get_legend_handles_labels()[0]
    axes.legend(handles=handles[2:] + handles[:2], ncols=columns, **below(margin, inner, tall, width))
    heading = inputs.partition_heading(options.partition, len(label), int(label.sum()))

    strategies = {**curves, "treat_all": everyone, "treat_none": np.zeros(len(thresholds))}
    tables = [
        pd.DataFrame({"strategy": name, "threshold": thresholds, "net_benefit": benefit})
        for name, benefit in strategies.items()
    ]
    data = pd.concat(tables, ignore_index=True)
    data.insert(0, "partition", options.partition)
    return Drawing(fig, data, heading)
