"""Selected features by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import broken, feature_label, legend_grid, model_name, split_feature
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure
from her2radiomics.manuscript.names import INTERCEPT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 5.0  # mm a bar
BAR = 3.2  # mm, its height
NUMBER = 11.0  # mm for a weight printed at the end of its bar
HATCH = "//////"
TALLEST = 190.0  # mm, so that a caption has a place on the page
SCALED = {"z_score": " per SD", "min_max": " per training range"}


class FeatureWeightsOptions(FigureOptions):
    """A model's coefficients by size, coloured by sequence."""

    kind: Literal["feature_weights"]
    model: DrawnModel
    axis: str = Field(
        "",
        description="Label of the axis of weights; without it the coefficient, per what the features were scaled by.",
    )
    most: int = Field(
        30,
        description="Greatest number of bars, those of the largest weights, as far as a page holds them.",
        ge=1,
        le=40,
    )


@figure(
    FeatureWeightsOptions,
    needs=("coefficients", "selection"),
    caption="Coefficients of the final model on scaled features.",
    example="""
        figure_4c_features: {kind: feature_weights, title: Selected features by weight, model: radiomics, most: 20}
    """,
)
def draw(inputs: FigureInputs, options: FeatureWeightsOptions) -> Drawing:
    """Draw one bar a term of ``coefficients.csv``, the intercept aside, coloured by sequence.

    Features that the step ``forced_retention`` of ``selection.csv`` names in its note are hatched.
    """
    table = inputs.table("coefficients", options.model)
    table = table[~table["term"].str.lower().isin(INTERCEPT)].copy()
    table["forced"] = table["term"].isin(_restored(inputs, options.model))
    found = [split_feature(term) for term in table["term"]]
    table["sequence"] = [parts[0] if parts else "" for parts in found]
    several_regions = len({parts[1] for parts in found if parts}) > 1
    table["label"] = [feature_label(t, inputs.study, region=several_regions) for t in table["term"]]
    table = table.sort_values("beta", key=lambda beta: beta.abs(), ascending=False, kind="stable")
    table = table.reset_index(drop=True)
    every = len(table)
    table = table.head(options.most)
    columns = ["term", "label", "sequence", "beta", "forced"]
    name = model_name(inputs, options.model)
    if table.empty:
        return options.message(f"{name}: no feature was selected; the model is its intercept.", table[columns])

    beside = options.width_mm >= 120
    room = options.width_mm * 0.55 if beside else options.width_mm - 9.0
    labelled = [broken(label, room) for label in table["label"]]
    line, lines = style.line_height(style.small()), max(map(len, labelled))
    longest = max(style.text_width(part, style.small()) for parts in labelled for part in parts)
    left = longest + 4.0 if beside else 4.0
    row = max(style.mm(ROW), lines * line + 1.2) if beside else style.mm(ROW) + lines * line
    handles = _handles(table, inputs)
    labels = [str(handle.get_label()) for handle in handles]
    across, rows = legend_grid(labels, options.width_mm) if handles else (1, 0)
    legend_room = style.mm(1.5 + rows * 3.7) if rows else 0.0
    around = style.head() + legend_room + style.mm(10.0)
    fitting = max(1, int((TALLEST - around - 2.0) / row))
    table, labelled = table.head(fitting), labelled[:fitting]
    wide, tall = options.width_mm - left - 3.0, row * len(table) + 2.0
    fig = style.new_figure(options.width_mm, around + tall)
    axes = style.place(fig, left, style.head() + legend_room, wide, tall)
    _bars(axes, table, inputs, row, [] if beside else labelled)
    axes.set(xlim=_limits(table["beta"], wide), xlabel=options.axis or _axis(inputs, options.model))
    axes.set_ylim(len(table) - 0.5, -0.5 if beside else -1.0 + style.mm(1.3) / row)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(range(len(table)), labels=["\n".join(parts) for parts in labelled] if beside else [])
    axes.tick_params(axis="y", length=0)
    if handles:
        place = (1.0 / options.width_mm, 1 - (style.head() - 0.5) / style.size(fig)[1])
        fig.legend(handles=handles, loc="upper left", bbox_to_anchor=place, ncols=across, handlelength=1.4)
    what = "feature" if table["sequence"].all() else "term"
    shown = f"largest {len(table)} of {every}" if len(table) < every else f"{every}"
    return Drawing(fig, table[columns], f"{name}, {shown} {what}{'s' if every > 1 else ''}")


def _axis(inputs: FigureInputs, model: str) -> str:
    """What a coefficient is for: an SD or the training range of a scaled feature."""
    steps = set(inputs.table("selection", model)["name"].str.rpartition(".")[2])
    per = next((words for name, words in SCALED.items() if name in steps), "")
    return f"Coefficient β{per}"


def _restored(inputs: FigureInputs, model: str) -> set[str]:
    """Words of the note of forced retention: names of features hold no space."""
    steps = inputs.table("selection", model)
    notes = steps.loc[steps["name"] == "forced_retention", "note"]
    return {word for note in notes for word in note.replace(";", " ").split()}


def _bars(axes: Axes, table: pd.DataFrame, inputs: FigureInputs, row: float, names: list[list[str]]) -> None:
    """One bar a term with its weight at the end, and its name above it where there is no room at the left."""
    bar = style.mm(BAR)
    small: dict[str, Any] = {"textcoords": "offset points", "fontsize": style.small()}
    order = list(inputs.study.sequences)
    for place, term in enumerate(table.itertuples()):
        colour = style.line_of(term.sequence, order).colour if term.sequence else style.MUTED
        axes.barh(
            place,
            term.beta,
            height=bar / row,
            color="white" if term.forced else colour,
            edgecolor=colour,
            hatch=HATCH if term.forced else None,
            zorder=2,
        )
        over = bar / 2 / row + 0.4 / row
        ends = (place - over, place + over) if names else (place - 0.5, place + 0.5)
        axes.plot([0, 0], ends, color=style.INK, linewidth=0.6, solid_capstyle="butt", zorder=3)
        number, shift, ha = (f"{term.beta:.3f}".replace("-", "−"), *((2, "left") if term.beta >= 0 else (-2, "right")))
        axes.annotate(number, (term.beta, place), (shift, 0), ha=ha, va="center", **small)
        if names:
            name, top = "\n".join(names[place]), place - bar / 2 / row
            beside = ("axes fraction", "data")
            axes.annotate(name, (0, top), (0, 1), xycoords=beside, va="bottom", linespacing=1.15, **small)


def _limits(beta: pd.Series, wide: float) -> tuple[float, float]:
    """Limits that leave room for the weight printed at the end of every bar, in axes ``wide`` mm wide."""
    low, high = min(float(beta.min()), 0.0), max(float(beta.max()), 0.0)
    if low == high:
        return -1.0, 1.0
    number = style.mm(NUMBER)
    room = number * ((low < 0) + (high > 0))
    unit = (high - low) / (wide - room)
    return low - number * unit * (low < 0), high + number * unit * (high > 0)


def _handles(table: pd.DataFrame, inputs: FigureInputs) -> list[mpl.patches.Patch]:
    """Legend: the sequences that occur, and the hatching of forced retention."""
    order = list(inputs.study.sequences)
    used = [s for s in dict.fromkeys([*order, *table["sequence"]]) if s and s in set(table["sequence"])]
    handles = [
        mpl.patches.Patch(facecolor=style.line_of(s, order).colour, label=inputs.study.sequences.get(s, s))
        for s in used
    ]
    if table["forced"].any():
        empty = mpl.patches.Patch(facecolor="white", edgecolor=style.MUTED, hatch=HATCH)
        empty.set_label("Forced retention")
        handles.append(empty)
    return handles
