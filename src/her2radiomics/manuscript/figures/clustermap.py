"""Heat map of a model's features in its patients, both clustered, with the outcome above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from her2radiomics.core.libraries import mpl, pd, scipy, sns
from her2radiomics.core.tables import read
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, DrawnPartition
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import broken, feature_label, model_name, split_feature
from her2radiomics.manuscript.figures.registry import Drawing, WideOptions, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIMIT = 2.5  # standard deviations at which the colours end
TREE, STRIP = 8.0, 3.0  # mm: dendrograms, and the strip of outcomes
NOTE = (
    f"z scores of these patients (colours end at ±{LIMIT:g}). Hierarchical clustering with average linkage: 1 − Pearson's r "
    "between features, Euclidean distance between patients. The features were selected for the outcome in the training set; "
    "clustering by outcome in that set is therefore no evidence that they predict it."
)


class ClustermapOptions(WideOptions):
    """The features that a model kept, in the patients of a partition, both clustered, with the outcome above."""

    kind: Literal["clustermap"]
    model: DrawnModel
    partition: DrawnPartition


@figure(
    ClustermapOptions,
    needs=("coefficients", "predictions", "partition_features"),
    caption="Features of the model (rows) in each patient (columns), ordered by hierarchical clustering; the bar above "
    "gives the outcome.",
    example="figure_4h_clustermap: {kind: clustermap, title: Kept features, model: radiomics, partition: training}",
)
def draw(inputs: FigureInputs, options: ClustermapOptions) -> Drawing:
    """Draw seaborn's heat map and dendrograms into frames measured in millimetres."""
    values, outcome = _values(inputs, options)
    name = model_name(inputs, options.model)
    if len(values) < 2 or values.shape[1] < 3:
        said = f"{name}: {len(values)} features in {values.shape[1]} patients; at least 2 in 3 can be clustered."
        return options.message(said, values.reset_index(names="feature"))
    trees = [
        scipy.cluster.hierarchy.linkage(values.to_numpy(), "average", metric="correlation"),
        scipy.cluster.hierarchy.linkage(values.to_numpy().T, "average"),
    ]
    rows, columns = (scipy.cluster.hierarchy.leaves_list(tree) for tree in trees)
    several = len({parts[1] for term in values.index if (parts := split_feature(str(term)))}) > 1
    named = [feature_label(str(term), inputs.study, region=several) for term in values.index[rows]]
    ordered = values.iloc[rows, columns]
    fig, frames = _frames(options.width_mm, named)
    _tree(frames["left"], trees[0], values, axis=0)
    _tree(frames["top"], trees[1], values, axis=1)
    _outcomes(frames["strip"], outcome.loc[ordered.columns])
    shades = mpl.colors.LinearSegmentedColormap.from_list("z", [style.negative(), "white", style.positive()])
    shown: dict[str, Any] = {"vmin": -LIMIT, "vmax": LIMIT, "cmap": shades, "rasterized": True}
    sns.heatmap(ordered, ax=frames["map"], xticklabels=False, yticklabels=False, cbar=False, **shown)
    colour_bar = fig.colorbar(
        frames["map"].collections[0], cax=frames["bar"], orientation="horizontal", ticks=[-2, 0, 2]
    )
    colour_bar.outline.set_visible(False)
    frames["bar"].tick_params(length=0, pad=1)
    frames["bar"].set_xticklabels(["−2", "0", "2"])
    _finish(fig, frames, named, inputs, options)
    heading = inputs.partition_heading(options.partition, len(outcome), int(outcome.sum()))
    data = ordered.rename_axis("feature").reset_index()
    data.insert(1, "label", named)
    data = data.melt(["feature", "label"], var_name="patient_id", value_name="z")
    data["outcome"] = data["patient_id"].map(outcome)
    return Drawing(fig, data, f"{name}; {heading}")


def _values(inputs: FigureInputs, options: ClustermapOptions) -> tuple[pd.DataFrame, pd.Series]:
    """Features (rows) as z scores of the patients (columns), and the patients' outcomes."""
    terms = [t for t in inputs.table("coefficients", options.model)["term"] if split_feature(t)]
    path = inputs.path("partition_features", options.partition)
    table = read("partition_features", path, only=("patient_id", "reader", *terms))
    reader = inputs.study.reference_reader
    table = table[table["reader"] == reader] if reader else table
    table = table.drop_duplicates("patient_id").set_index("patient_id")[terms]
    people = inputs.predictions_of(options.model, options.partition).set_index("patient_id")["label"]
    table = table.reindex(people.index).dropna()
    spread = table.std(ddof=1)
    table = table.loc[:, spread > 0]
    return ((table - table.mean()) / spread[spread > 0]).T.clip(-10, 10), people.loc[table.index]


def _frames(width: float, named: list[str]) -> tuple[Figure, dict[str, Axes]]:
    """The figure and its frames: trees above and at the left, names at the right, colours below."""
    lines = [broken(name, 0.38 * width) for name in named]
    right = max(style.text_width(part, style.small()) for parts in lines for part in parts) + 3.0
    row = max(style.mm(4.2), max(map(len, lines)) * style.line_height(style.small()) + 0.6)
    left, tall = 2.0 + TREE, row * len(named)
    wide = width - left - right - 2.0
    top = style.head() + TREE + STRIP + 1.0
    below = top + tall + style.mm(7.0)
    foot = text_height([Paragraph(NOTE)], width - 3.0) + 1.5
    fig = style.new_figure(width, below + foot)
    places = {
        "map": (left, top, wide, tall),
        "top": (left, style.head(), wide, TREE),
        "strip": (left, style.head() + TREE + 0.5, wide, STRIP),
        "left": (2.0, top, TREE - 0.5, tall),
        "bar": (left, top + tall + 1.2, min(style.mm(25.0), wide * 0.4), 1.8),
    }
    frames = {name: style.place(fig, *place) for name, place in places.items()}
    write(page(fig, below, 1.0), 1.5, below, width - 3.0, [Paragraph(NOTE)])
    return fig, frames


def _tree(axes: Axes, tree: np.ndarray, values: pd.DataFrame, *, axis: int) -> None:
    drawn = {"linkage": tree, "axis": axis, "label": False, "rotate": axis == 0, "ax": axes}
    sns.matrix.dendrogram(values, tree_kws={"colors": style.MUTED, "linewidths": 0.5}, **drawn)
    axes.set_axis_off()


def _outcomes(axes: Axes, outcome: pd.Series) -> None:
    colours = mpl.colors.ListedColormap([style.negative(), style.positive()])
    axes.imshow(outcome.to_numpy()[None, :], aspect="auto", cmap=colours, vmin=0, vmax=1, interpolation="none")
    axes.set_axis_off()


def _finish(
    fig: Figure, frames: dict[str, Axes], named: list[str], inputs: FigureInputs, options: ClustermapOptions
) -> None:
    """Names of the features at the right, and the key of outcomes beside the bar of colours."""
    axes = frames["map"]
    axes.set(xlabel="", ylabel="")
    axes.yaxis.tick_right()
    lines = ["\n".join(broken(name, 0.38 * options.width_mm)) for name in named]
    axes.set_yticks(np.arange(len(named)) + 0.5, labels=lines, rotation=0, fontsize=style.small())
    axes.tick_params(length=0, pad=3)
    sides = ((style.positive(), inputs.study.positive), (style.negative(), inputs.study.negative))
    handles = [mpl.patches.Patch(facecolor=colour, label=label) for colour, label in sides]
    wide, tall = style.size(fig)
    box, height = axes.get_position(original=True), style.frame(fig, frames["bar"])[0]
    where = ((box.x1 * wide) / wide, 1 - (height - 1.2) / tall)
    fig.legend(handles=handles, loc="upper right", bbox_to_anchor=where, ncols=2, handlelength=1.4, borderaxespad=0)
