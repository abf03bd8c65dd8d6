"""The LASSO: coefficient paths and cross-validated error against the penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModel
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import model_name, split_feature
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = (("min", "λ min", (0, (4, 2))), ("one_se", "λ 1-SE", (0, (1.2, 1.5))))


class LassoOptions(FramedOptions):
    """Coefficient paths and cross-validated error with λ min and λ 1-SE, or one of the two."""

    kind: Literal["lasso"]
    model: DrawnModel
    part: Literal["both", "path", "cross_validation"] = Field(
        "both", description="Coefficient paths, cross-validated error, or one beside the other."
    )
    error: str = Field("Cross-validated mean squared error", description="Name of the cross-validated error.")


@figure(
    LassoOptions,
    needs=("lasso_path", "lasso_cv"),
    caption="Coefficients and cross-validated error along the penalty; lines mark λ min and λ 1-SE, coloured paths the "
    "features kept at λ min.",
    example="""
        figure_4a_lasso: {kind: lasso, title: LASSO, model: radiomics}
        figure_4b_lasso_cv: {kind: lasso, title: LASSO cross-validation, model: radiomics, part: cross_validation}
    """,
)
def draw(inputs: FigureInputs, options: LassoOptions) -> Drawing:
    """Draw the paths, and the error with one standard error either way; lambda.min and lambda.1se in both."""
    path = inputs.table("lasso_path", options.model)
    cv = inputs.table("lasso_cv", options.model).sort_values("lambda").reset_index(drop=True)
    name = model_name(inputs, options.model)
    if cv.empty:
        return options.message(f"{name}: no LASSO was fitted.", cv)
    parts = ("path", "cross_validation") if options.part == "both" else (options.part,)
    fig, frames = _frames(options, len(parts))
    for part, axes in zip(parts, frames, strict=True):
        if part == "path":
            _paths(axes, path, inputs, float(cv.loc[cv["min"], "lambda"].iloc[0]))
        else:
            _error(axes, cv, options, style.frame(fig, axes)[1])
        _penalty_axis(axes, cv)
        if part == parts[-1]:  # once is enough, and of the paths alone there is no other place
            _name_marks(axes, "upper center" if part == "cross_validation" else "lower right")
    if len(parts) > 1:
        for axes, letter in zip(frames, "AB", strict=True):
            wide = axes.get_position(original=True).width * options.width_mm
            x, y = -style.mm(12.0) / wide, 1 + 3.0 / style.frame(fig, axes)[1]
            axes.text(x, y, letter, transform=axes.transAxes, fontweight="bold", fontsize=style.large())
    path.insert(0, "panel", "path")
    cv.insert(0, "panel", "cross_validation")
    tables = {"path": path[["panel", "lambda", "term", "coefficient"]], "cross_validation": cv}
    return Drawing(fig, pd.concat([tables[part] for part in parts], ignore_index=True), f"LASSO: {name}")


def _frames(options: LassoOptions, count: int) -> tuple[Figure, list[Axes]]:
    """The figure and its axes: side by side where there is room, else one below the other."""
    margin, foot, top = style.mm(14.0), style.mm(11.0), style.head() + style.mm(6.0)
    across = count if options.width_mm >= 120 else 1
    wide = options.width_mm / across - margin - 3.0
    tall = options.height_mm or min(wide * 0.85, 70.0)
    down = -(-count // across)
    step = tall + foot + style.mm(7.0)
    fig = style.new_figure(options.width_mm, top + step * (down - 1) + tall + foot)
    places = [(place % across, place // across) for place in range(count)]
    return fig, [
        style.place(fig, margin + x * options.width_mm / across, top + y * step, wide, tall) for x, y in places
    ]


def _paths(axes: Axes, path: pd.DataFrame, inputs: FigureInputs, chosen: float) -> None:
    """Coefficients along the penalty: those at λ min in colour, the others grey."""
    order = list(inputs.study.sequences)
    seen: dict[str, style.Line] = {}
    for term, rows in path.groupby("term", sort=True):
        rows = rows.sort_values("lambda")
        if not rows["coefficient"].any():
            continue
        found = split_feature(str(term))
        sequence = found[0] if found else ""
        look = style.line_of(sequence, order) if found else style.Line(style.MUTED, "-")
        seen[sequence] = look
        inside = bool(rows.loc[np.isclose(rows["lambda"], chosen), "coefficient"].any())
        line: dict[str, Any] = {"color": look.colour if inside else style.RULE, "zorder": 3 if inside else 2}
        axes.plot(np.log(rows["lambda"]), rows["coefficient"], linewidth=1.0 if inside else 0.5, **line)
    axes.axhline(0, color=style.INK, linewidth=0.6)
    axes.set_ylabel("Coefficient")
    named = {s: look for s, look in seen.items() if s}
    if len(named) > 1:
        ordered = sorted(named, key=lambda s: order.index(s) if s in order else len(order))
        names = {s: inputs.study.sequences.get(s, s) for s in ordered}
        lines = [mpl.lines.Line2D([], [], color=named[s].colour, label=names[s]) for s in ordered]
        axes.legend(handles=lines, loc="best", handlelength=1.2)


def _error(axes: Axes, cv: pd.DataFrame, options: LassoOptions, tall: float) -> None:

    bars: dict[str, Any] = {"ecolor": style.RULE, "elinewidth": 0.7, "capsize": 1.2, "capthick": 0.6}
    dots: dict[str, Any] = {"fmt": "o", "markersize": 2.2, "color": style.positive()}
    axes.errorbar(np.log(cv["lambda"]), cv["mean_error"], yerr=cv["se"], **dots, **bars)
    style.vertical_label(axes, options.error, tall)


def _name_marks(axes: Axes, where: Literal["upper center", "lower right"]) -> None:
    """Say which line is which penalty; a legend of sequences stays."""
    earlier = axes.get_legend()
    handles = [line for line in axes.get_lines() if line.get_label() in {label for _, label, _ in MARKS}]
    axes.legend(handles=handles, loc=where)
    if earlier is not None:
        axes.add_artist(earlier)


def _penalty_axis(axes: Axes, cv: pd.DataFrame) -> None:
    """The log penalty below, the number of features above, and the two chosen penalties."""
    where = np.log(cv["lambda"].to_numpy(float))
    span = where.max() - where.min() or 1.0
    axes.set_xlim(where.min() - 0.03 * span, where.max() + 0.03 * span)
    axes.set_xlabel("ln λ")
    for mark, label, dash in MARKS:
        for x in where[cv[mark].to_numpy()]:
            axes.axvline(x, color=style.INK, linewidth=0.8, linestyle=dash, label=label)
    above = axes.twiny()
    above.set_xlim(axes.get_xlim())
    picks = np.unique(np.linspace(0, len(cv) - 1, 7).round().astype(int))
    above.set_xticks(where[picks], labels=[f"{int(n)}" for n in cv["n_features"].iloc[picks]])
    above.tick_params(length=0, pad=1)
    above.set_xlabel("Number of features", fontsize=style.small())
    above.spines["top"].set_visible(False)
