"""Confusion matrices at the threshold chosen in training, with predictive values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from her2radiomics.core.libraries import mpl, pd, sns
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel, Partitions
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import model_name
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure
from her2radiomics.manuscript.palettes import tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATES = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV"}
EACH = 55.0  # mm: the least width of a matrix with its labels
CELL = 20.0  # mm: the greatest side of a cell


class ConfusionOptions(FigureOptions):
    """Patients by outcome and prediction at the threshold chosen in training, with sensitivity, specificity, PPV and NPV."""

    kind: Literal["confusion"]
    model: DrawnModel
    partitions: Partitions = ()


@figure(
    ConfusionOptions,
    needs=("predictions", "performance", "performance_extra"),
    caption="Numbers of patients, and percentages of the patients with each outcome; predictive values hold for the "
    "prevalence of each set.",
    example="""
        figure_4f_confusion: {kind: confusion, title: Confusion matrices, model: radiomics, partitions: [testing]}
    """,
)
def draw(inputs: FigureInputs, options: ConfusionOptions) -> Drawing:
    """Draw one matrix a partition, as many side by side as the width allows."""
    predicted = set(inputs.table("predictions", options.model)["partition"])
    names = [n for n in inputs.study.partitions if n in predicted and n in (options.partitions or predicted)]
    width = options.width_mm
    across = max(min(len(names), int(width // EACH)), 1)
    each = width / across
    margin = style.mm(15.0)
    side = min((each - margin - 3.0) / 2, CELL)
    counts = {name: _counts(inputs, options.model, name) for name in names}
    rates = {name: _rates(inputs, options.model, name, counts[name], each - 4.0) for name in names}
    under = style.mm(11.0)
    foot = max(text_height(words, each - 4.0) for words in rates.values()) + 3.0
    head = max(len(_heading(inputs, name, counts[name], each)) for name in names) * style.line_height(style.small())
    step = head + 1.5 + 2 * side + under + foot
    rows = -(-len(names) // across)
    fig = style.new_figure(width, style.head() + rows * step)
    for place, name in enumerate(names):
        x, y = place % across * each, style.head() + place // across * step
        axes = style.place(fig, x + margin, y + head + 1.5, 2 * side, 2 * side)
        _matrix(axes, counts[name], inputs)
        sheet = page(fig, y, step)
        write(sheet, x + 2.0, y, each - 4.0, [Paragraph(" ".join(_heading(inputs, name, counts[name], each)))])
        write(sheet, x + 2.0, y + step - foot + 1.0, each - 4.0, rates[name])
    return Drawing(
        fig, pd.concat([_table(options.model, n, counts[n]) for n in names]), model_name(inputs, options.model)
    )


def _counts(inputs: FigureInputs, model: str, partition: str) -> pd.DataFrame:
    """Patients by outcome (rows: positive, negative) and prediction (columns likewise)."""
    rows = inputs.predictions_of(model, partition)
    called = rows["probability"] >= float(inputs.performance_of(model, partition).threshold)
    return pd.crosstab(rows["label"], called.astype(int)).reindex(index=[1, 0], columns=[1, 0], fill_value=0)


def _heading(inputs: FigureInputs, partition: str, counts: pd.DataFrame, each: float) -> list[str]:
    n = int(counts.to_numpy().sum())
    text = f"{inputs.study.partitions[partition]}, {style.keep(f'n = {n}')}"
    return style.wrap(text, each - 4.0, style.small())


def _matrix(axes: Axes, counts: pd.DataFrame, inputs: FigureInputs) -> None:
    share = counts.div(counts.sum(axis=1).replace(0, math.nan), axis=0)
    said = counts.astype(str)
    for row in (1, 0):
        for column in (1, 0):
            part = share.loc[row, column]
            said.loc[row, column] += "" if math.isnan(part) else f"\n{100 * part:.0f}%"
    shades = mpl.colors.LinearSegmentedColormap.from_list("share", ["white", tint(style.negative(), 0.55)])
    sns.heatmap(
        share.fillna(0.0),
        vmin=0,
        vmax=1,
        cmap=shades,
        annot=said,
        fmt="",
        annot_kws={"fontsize": style.base(), "color": style.INK},
        linewidths=1.0,
        cbar=False,
        ax=axes,
    )
    side = style.frame(axes.figure, axes)[1] / 2
    labels = [
        "\n".join(style.wrap(name, side, style.small())) for name in (inputs.study.positive, inputs.study.negative)
    ]
    axes.set(xlabel="Predicted", ylabel="Observed")
    axes.set_xticklabels(labels, rotation=0)
    axes.set_yticklabels(labels, rotation=90, va="center")
    axes.tick_params(length=0)


def _rates(inputs: FigureInputs, model: str, partition: str, counts: pd.DataFrame, room: float) -> list[Paragraph]:
    """Each rate with its fraction and interval, those of ``performance_extra.csv``."""
    extra = inputs.extra_of(model, partition)
    (tp, fn), (fp, tn) = counts.to_numpy()
    fractions = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp), "npv": (tn, tn + fn)}
    lines = []
    for name, (part, whole) in fractions.items():
        if not whole:
            lines.append(f"{RATES[name]}: not estimable")
            continue
        text = f"{RATES[name]} {100 * part / whole:.0f}% ({part}/{whole}"
        if name in extra.index and extra.loc[name, ["low", "high"]].notna().all():
            low, high = (100 * float(extra.loc[name, end]) for end in ("low", "high"))
            text += f"; 95% CI {low:.0f}–{high:.0f}"
        lines.append(text + ")")
    return [Paragraph(line) for line in lines]


def _table(model: str, partition: str, counts: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"model": model, "partition": partition, "label": row, "predicted": column, "n": int(counts.loc[row, column])}
        for row in (1, 0)
        for column in (1, 0)
    ]
    return pd.DataFrame(rows)
