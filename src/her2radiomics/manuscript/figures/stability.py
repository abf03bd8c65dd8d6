"""How often bootstrap refits of a model's whole pipeline keep each variable."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import broken, feature_label, model_name, split_feature
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure

FEW_REFITS = 50  # below, a frequency is too coarse to be judged


class StabilityOptions(FigureOptions):
    """How often bootstrap refits of the whole pipeline keep each variable: the model's own, and those most often chosen."""

    kind: Literal["stability"]
    model: DrawnModel
    most: int = Field(
        20, description="Greatest number of bars: all of the model's, then the most frequent.", ge=1, le=40
    )


@figure(
    StabilityOptions,
    needs=("kept",),
    caption="Percentage of bootstrap refits of the whole pipeline, selection included, that kept the variable. A variable "
    "of the model that few refits keep depends on the patients who happened to be in training.",
    example="figure_4g_stability: {kind: stability, title: Stability of the selection, model: radiomics}",
)
def draw(inputs: FigureInputs, options: StabilityOptions) -> Drawing:
    """Draw one bar a variable: filled those of the model, empty the others."""
    every = inputs.table("kept", options.model)
    name = model_name(inputs, options.model)
    if every.empty:
        return options.message(f"{name}: no bootstrap refit of the whole pipeline.", every)
    own = every["in_model"] == "yes"
    table = pd.concat([every[own], every[~own]]).head(options.most)
    table = table.sort_values("kept", ascending=False, kind="stable").reset_index(drop=True)
    refits = int(table["refits"].iloc[0])
    regions = {parts[1] for term in table["variable"] if (parts := split_feature(term))}
    labels = [feature_label(term, inputs.study, region=len(regions) > 1) for term in table["variable"]]
    width = options.width_mm
    lines = [broken(label, 0.55 * width) for label in labels]
    left = max(style.text_width(part, style.small()) for parts in lines for part in parts) + 4.0
    row = max(style.mm(4.6), max(map(len, lines)) * style.line_height(style.small()) + 1.0)
    tall, key = row * len(table) + 1.0, style.mm(4.5)
    notes = [Paragraph(_note(refits, len(every), len(table)))]
    below = style.head() + key + tall + style.mm(10.0)
    fig = style.new_figure(width, below + text_height(notes, width - 3.0) + 1.5)
    axes = style.place(fig, left, style.head() + key, width - left - style.mm(9.0), tall)
    colour = style.negative()
    share = 100 * table["kept"] / refits
    mine = table["in_model"] == "yes"
    fills = [colour if inside else "white" for inside in mine]
    axes.barh(table.index, share, height=style.mm(3.0) / row, color=fills, edgecolor=colour, linewidth=0.7)
    small: dict[str, Any] = {"textcoords": "offset points", "fontsize": style.small(), "va": "center"}
    for place, value in enumerate(share):
        axes.annotate(f"{value:.0f}%", (value, place), (2, 0), annotation_clip=False, **small)
    axes.set(xlim=(0, 100), xlabel=f"Refits that keep it (% of {refits})")
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_yticks(range(len(table)), labels=["\n".join(parts) for parts in lines])
    axes.tick_params(axis="y", length=0)
    sides = (("In the model", colour), ("Not in the model", "white"))
    handles = [mpl.patches.Patch(facecolor=fill, edgecolor=colour, label=label) for label, fill in sides]
    page(fig, style.head() - 0.5, key).legend(handles=handles, ncols=2, loc="upper left", handlelength=1.4)
    write(page(fig, below, 1.0), 1.5, below, width - 3.0, notes)
    data = table.assign(label=[labels[i] for i in table.index])
    return Drawing(fig, data, f"{name}, {refits} bootstrap refits")


def _note(refits: int, every: int, drawn: int) -> str:
    said = f"{drawn} of the {every} variables that the model or any refit kept." if drawn < every else ""
    few = f"{refits} refits are too few to judge stability; at least {FEW_REFITS} are advised."
    return f"{said} {few if refits < FEW_REFITS else ''}".strip() or "All variables that the model or any refit kept."
