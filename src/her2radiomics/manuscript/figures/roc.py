"""Receiver operating characteristic curves of one or several models in one partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import DrawnModels, DrawnPartition
from her2radiomics.manuscript.figures.inputs import FEWEST, FigureInputs
from her2radiomics.manuscript.figures.labels import below, legend_grid, legend_height, legend_text, model_name
from her2radiomics.manuscript.figures.registry import Drawing, SquareOptions, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOCKED = "Threshold chosen in training"
MARKERS = ("o", "s", "D", "^", "v", "p", "h", "P")  # where thresholds of models meet, shapes tell them apart


class RocOptions(SquareOptions):
    """Several models in one partition: AUC with its interval, locked thresholds, bands of any of the models."""

    kind: Literal["roc"]
    models: DrawnModels
    partition: DrawnPartition
    band: tuple[str, ...] = Field(
        (),
        description="Models whose pointwise 95% confidence band is drawn (bootstrap within each outcome); one or a list.",
    )
    cross_validated: tuple[str, ...] = Field(
        (),
        description="Models whose cross-validated curve (whole pipeline, pooled over the folds) is drawn beside that of "
        "training; one or a list.",
    )
    band_seed: int = Field(1, description="Seed of the band's bootstrap.", ge=0)
    band_resamples: int = Field(1000, description="Resamples of the band's bootstrap.", ge=100, le=100_000)
    thresholds: bool = Field(True, description="Mark sensitivity and specificity at each model's locked threshold.")

    @field_validator("band", "cross_validated", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """One model's name, or a list of them."""
        return (value,) if isinstance(value, str) else () if value is None else value

    @model_validator(mode="after")
    def _models_are_drawn(self) -> RocOptions:
        for key in ("band", "cross_validated"):
            for name in getattr(self, key):
                if name not in self.models:
                    raise ValueError(f"{key}: '{name}' is not among the models {', '.join(self.models)}")
        if self.cross_validated and self.partition != TRAINING:
            raise ValueError(
                f"cross_validated: patients of '{TRAINING}' are cross-validated, not of '{self.partition}'"
            )
        return self

    def needs(self) -> tuple[str, ...]:
        """Cross-validated predictions only where they are drawn."""
        return (*super().needs(), *(("held_out", "performance_extra") if self.cross_validated else ()))

    def models_needed(self, need: str) -> tuple[str, ...]:
        """The models; of cross-validated predictions those that are drawn so."""
        return self.cross_validated if need == "held_out" else super().models_needed(need)


def roc_points(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False and true positive rates at every distinct score, from (0, 0) to (1, 1).

    The points of ``sklearn.metrics.roc_curve(drop_intermediate=False)``, without the seconds that importing
    scikit-learn would cost every figure.

    Parameters
    ----------
    label
        0 or 1, shape (n,); both must occur.
    score
        Higher means more likely 1, shape (n,).

    Returns
    -------
    tuple of numpy.ndarray
        False positive rate, true positive rate and cut, each of shape (distinct scores + 1,); the first cut is
        infinite.
    """
    cuts = np.unique(score)[::-1]
    called = score[None, :] >= cuts[:, None]
    true = (called & (label == 1)).sum(axis=1) / (label == 1).sum()
    false = (called & (label == 0)).sum(axis=1) / (label == 0).sum()
    return np.r_[0.0, false], np.r_[0.0, true], np.r_[np.inf, cuts]


def sensitivity_band(
    label: np.ndarray, score: np.ndarray, *, seed: int, resamples: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pointwise 95% interval of the sensitivity at each specificity, as ``pROC::ci.se``.

    Percentiles of curves of patients drawn with replacement within each outcome (Fawcett, Pattern Recognit Lett
    2006;27:861, vertical averaging).

    Parameters
    ----------
    label
        0 or 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).
    seed, resamples
        Of the bootstrap.

    Returns
    -------
    tuple of numpy.ndarray
        False positive rates 0, 0.02, …, 1, and the lower and upper limit of the sensitivity there, shape (51,).
    """
    random = np.random.default_rng(seed)
    places = np.linspace(0, 1, 51)
    groups = [score[label == 1], score[label == 0]]
    curves = np.empty((resamples, places.size))
    for row in curves:
        cases, controls = (np.sort(random.choice(group, group.size)) for group in groups)
        cuts = np.unique(np.r_[cases, controls])[::-1]
        true, false = (1 - np.searchsorted(g, cuts, side="left") / g.size for g in (cases, controls))
        row[:] = np.interp(places, np.r_[0.0, false], np.r_[0.0, true])
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return places, low, high


@figure(
    RocOptions,
    needs=("predictions", "performance"),
    caption="Marks show each model's threshold chosen in training; coinciding curves are drawn in different widths.",
    example="""
        figure_5b_roc: {kind: roc, title: ROC curves, models: [clinical, radiomics, nomogram], partition: testing}
        figure_5c_roc: {kind: roc, title: ROC curve, models: [nomogram], partition: training, band: nomogram}
        figure_5d_roc: {kind: roc, title: ROC curves, models: [nomogram], partition: training, cross_validated: nomogram}
    """,
)
def draw(inputs: FigureInputs, options: RocOptions) -> Drawing:
    """Draw the curves, the chance diagonal, the locked thresholds, and AUC (95% CI) in the legend."""
    width = options.width_mm
    left, side = options.place_square()
    people = {model: inputs.predictions_of(model, options.partition) for model in options.models}
    labels = _labels(inputs, options, people)
    columns, rows = legend_grid(list(labels.values()), width)
    fig = style.new_figure(width, style.head() + side + style.mm(11.0) + legend_height(rows + 1))
    axes = style.place(fig, left, style.head(), side, side)
    axes.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8, zorder=1)

    tables, order = [], style.order_for(options.models, list(inputs.study.models))
    points = {model: _points(inputs, model, rows_of, options) for model, rows_of in people.items()}
    widths = style.nested([np.r_[false, true] for false, true, _ in points.values()])
    for (model, (false, true, cut)), wide in zip(points.items(), widths, strict=True):
        performance = inputs.performance_of(model, options.partition)
        look = style.line_of(model, order)
        drawn = {"color": look.colour, "linestyle": look.dash, "linewidth": wide, "zorder": 3, "clip_on": False}
        axes.plot(false, true, label=labels[model], **drawn)
        curve = pd.DataFrame({"false_positive_rate": false, "true_positive_rate": true, "threshold": cut})
        tables.append(_described(curve, model, options.partition, "curve"))
        if f"{model} held out" in labels:
            curve = _held_out(axes, inputs, model, labels[f"{model} held out"], look.colour)
            tables.append(_described(curve, model, options.partition, "cross_validated"))
        if f"{model} band" in labels:
            label, probability = (people[model][name].to_numpy() for name in ("label", "probability"))
            low_high = sensitivity_band(
                label, probability.astype(float), seed=options.band_seed, resamples=options.band_resamples
            )
            shaded: dict[str, Any] = {"color": look.colour, "alpha": 0.15, "linewidth": 0, "zorder": 2}
            axes.fill_between(*low_high, label=labels[f"{model} band"], **shaded)
            band = pd.DataFrame(dict(zip(("false_positive_rate", "low", "high"), low_high, strict=True)))
            tables.append(_described(band, model, options.partition, "band"))
        if options.thresholds and pd.notna(performance.sensitivity) and pd.notna(performance.specificity):
            marker = MARKERS[list(people).index(model) % len(MARKERS)]
            tables.append(_mark(axes, performance, model, options.partition, look.colour, marker))

    sizes = sorted({(len(rows), int(rows["label"].sum())) for rows in people.values()})
    heading = inputs.partition_heading(options.partition, *sizes[-1])
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=style.FIFTHS, yticks=style.FIFTHS)
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
    if options.thresholds:
        look_of: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": style.INK}
        axes.plot([], [], "o", label=LOCKED, **look_of)
    place = below(left, side, side, width)
    legend = axes.legend(title="Model, AUC (95% CI)", alignment="left", ncols=columns, **place)
    legend.get_title().set(fontsize=style.small(), fontweight="bold")
    return Drawing(fig, pd.concat(tables, ignore_index=True), heading)


def _points(
    inputs: FigureInputs, model: str, rows: pd.DataFrame, options: RocOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The curve of one model; refused where one outcome alone is there."""
    label = rows["label"].to_numpy()
    if label.min() == label.max():
        raise TableError(
            file=inputs.path("predictions", model),
            column="label",
            found=f"only label {label[0]} in partition '{options.partition}'",
            expected="patients of both outcomes",
            remedy="Leave this figure out of the protocol, or enlarge the partition.",
        )
    return roc_points(label, rows["probability"].to_numpy(dtype=float))


def _labels(inputs: FigureInputs, options: RocOptions, people: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Lines of the legend, in its order: each model with AUC and interval, n where models predict different patients.

    A band is left out where an outcome has fewer than :data:`FEWEST` patients.
    """
    lines, sizes = {}, {len(rows) for rows in people.values()}
    for model, rows in people.items():
        row = inputs.performance_of(model, options.partition)
        said = f"{model_name(inputs, model)}, {style.keep(fmt.auc(row, 3))}"
        said += f", {style.keep(f'n = {len(rows)}')}" if len(sizes) > 1 else ""
        lines[model] = legend_text(said, options.width_mm)
        if model in options.cross_validated:
            found = inputs.extra_of(model, TRAINING).reindex(["auc_cross_validated_pooled"]).iloc[0]
            area = fmt.interval(float(found["value"]), float(found["low"]), float(found["high"]), 3)
            if pd.notna(found["value"]):
                said = f"{model_name(inputs, model)}, cross-validated, {style.keep(area)}"
                lines[f"{model} held out"] = legend_text(said, options.width_mm)
        if model in options.band and rows["label"].value_counts().min() >= FEWEST:
            lines[f"{model} band"] = legend_text(f"95% band, {model_name(inputs, model)}", options.width_mm)
    return lines | ({"locked": LOCKED} if options.thresholds else {})


def _held_out(axes: Axes, inputs: FigureInputs, model: str, label: str, colour: str) -> pd.DataFrame:
    """The curve of the predictions by fits without the patient's fold, thin in the model's colour."""
    table = inputs.table("held_out", model)
    rows = table[(table["target"] == "pipeline") & table["probability"].notna()]
    false, true, cut = roc_points(rows["label"].to_numpy(), rows["probability"].to_numpy(dtype=float))
    line: dict[str, Any] = {"color": colour, "linestyle": (0, (1, 1)), "linewidth": 1.0, "zorder": 3}
    axes.plot(false, true, label=label, **line)
    return pd.DataFrame({"false_positive_rate": false, "true_positive_rate": true, "threshold": cut})


def _mark(axes: Axes, performance: pd.Series, model: str, partition: str, colour: str, marker: str) -> pd.DataFrame:
    x, y = 1 - performance.specificity, performance.sensitivity
    look: dict[str, Any] = {
        "markersize": 5,
        "markerfacecolor": "white",
        "markeredgecolor": colour,
        "markeredgewidth": 1.2,
    }
    axes.plot([x], [y], marker, **look, zorder=4, clip_on=False)
    point = {"false_positive_rate": x, "true_positive_rate": y, "threshold": performance.threshold}
    return _described(pd.DataFrame([point]), model, partition, "locked_threshold")


def _described(table: pd.DataFrame, model: str, partition: str, what: str) -> pd.DataFrame:
    table.insert(0, "what", what)
    table.insert(0, "partition", partition)
    table.insert(0, "model", model)
    return table
