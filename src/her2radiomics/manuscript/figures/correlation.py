"""Rank correlation of columns and scores with each other, as a heat map."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import mpl, pd, scipy, sns
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import Partitions
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import predictor_label
from her2radiomics.manuscript.figures.members import column_name, members, scope
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure

FEWEST = 3  # patients from whom a correlation is computed
BAR, ROOM = 3.0, 14.0  # mm: the colour bar, and what it takes with its numbers


class CorrelationOptions(FigureOptions):
    """Spearman's correlation of clinical columns, markers and models' scores with each other, as a heat map."""

    kind: Literal["correlation"]
    columns: tuple[str, ...] = Field((), description="Participants columns, in order; levels count by their order.")
    models: tuple[str, ...] = Field((), description="Models whose scores are correlated with them, in order.")
    partitions: Partitions = ()

    @model_validator(mode="after")
    def _at_least_two(self) -> CorrelationOptions:
        if len(self.columns) + len(self.models) < 2:
            raise ValueError("columns, models: found fewer than two in all; a correlation is of two")
        return self

    def needs(self) -> tuple[str, ...]:
        """Predictions only where scores are correlated."""
        return super().needs() if self.models else ("participants",)


@figure(
    CorrelationOptions,
    needs=("participants", "predictions"),
    caption="Spearman's ρ of each pair, on the patients in whom both are known.",
    example="""
        figure_s5_correlation:
          kind: correlation
          title: Markers, immune cells and Rad-score
          columns: [cea, ca153, cd8, cd4, tam, grade]
          models: [radiomics]
    """,
)
def draw(inputs: FigureInputs, options: CorrelationOptions) -> Drawing:
    """Draw the lower half of the matrix, its rows and columns numbered, the rows named."""
    values = _values(inputs, options)
    pairs = pd.DataFrame([_pair(values[a], values[b]) for a, b in combinations(values.columns, 2)])
    known = f"{pairs['n'].min()} to {pairs['n'].max()}" if pairs["n"].nunique() > 1 else f"{pairs['n'].min()}"
    notes = [Paragraph(f"Spearman's ρ of each pair, on the patients in whom both are known (n = {known}).")]

    width, names, last = options.width_mm, list(values.columns), len(values.columns) - 1
    wrapped = [style.wrap(name, 0.3 * width, style.small()) for name in names]
    named = ["\n".join(lines) + f"  {place}" for place, lines in enumerate(wrapped, start=1)]
    longest = max(style.text_width(line, style.small()) for name in named for line in name.split("\n"))
    left, lowest = longest + 4.0, max(map(len, wrapped)) * style.line_height(style.small()) + 1.0
    side = min((width - left - 3.0) / last, 16.0)
    numbers = style.text_width("−0.00", style.small()) < side - 0.5  # where they do not fit, a bar explains the colours
    if not numbers:
        side = min((width - left - style.mm(ROOM)) / last, 16.0)
    tall = max(side, lowest) * len(names)
    below = style.head() + tall + style.mm(6.0)
    fig = style.new_figure(width, below + text_height(notes, width - 3.0) + 1.5)
    axes = style.place(fig, left, style.head(), side * last, tall)
    bar = None if numbers else style.place(fig, left + side * last + 2.0, style.head(), BAR, tall)

    matrix = pd.DataFrame(np.nan, index=named, columns=range(1, last + 1))
    for (a, b), rho in zip(combinations(range(len(names)), 2), pairs["rho"], strict=True):
        matrix.iloc[b, a] = rho
    sns.heatmap(
        matrix,
        vmin=-1,
        vmax=1,
        cmap=mpl.colors.LinearSegmentedColormap.from_list("ρ", [style.negative(), "white", style.positive()]),
        annot=matrix.map(lambda rho: f"{rho:.2f}".replace("-", "−")) if numbers else False,
        fmt="",
        annot_kws={"fontsize": style.small()},
        linewidths=1.0,
        cbar=not numbers,
        cbar_ax=bar,
        cbar_kws={"ticks": [-1, -0.5, 0, 0.5, 1]},
        ax=axes,
    )
    axes.tick_params(length=0)
    axes.set_yticklabels(named, rotation=0)
    write(page(fig, below, 1.0), 1.5, below, width - 3.0, notes)
    return Drawing(fig, pairs, scope(inputs, options.partitions, len(values)))


def _values(inputs: FigureInputs, options: CorrelationOptions) -> pd.DataFrame:
    """A column per variable by its printed name, a row per patient."""
    cohort = members(inputs, "", options.partitions)
    values = {}
    for column in options.columns:
        levels = list(inputs.study.levels.get(column, {}))
        text = cohort.text(column)
        if levels:
            cohort.refuse(text, ~text.isin(["", *levels]), f"one of {', '.join(levels)}")
        name = column_name(inputs, column)[0]
        order = {level: place for place, level in enumerate(levels)}
        values[name] = text.map(order).astype(float) if levels else cohort.numbers(column)
    for model in options.models:
        scores = inputs.table("predictions", model).drop_duplicates("patient_id").set_index("patient_id")
        values[predictor_label(model, inputs.study)] = scores["score"].reindex(cohort.rows.index)
    return pd.DataFrame(values)


def _pair(a: pd.Series, b: pd.Series) -> dict[str, object]:
    known = a.notna() & b.notna()
    x, y, n = a[known], b[known], int(known.sum())
    rho = p = float("nan")
    if n >= FEWEST and x.nunique() > 1 and y.nunique() > 1:
        rho, p = scipy.stats.spearmanr(x, y)
    return {"first": a.name, "second": b.name, "n": n, "rho": float(rho), "p": float(p)}
