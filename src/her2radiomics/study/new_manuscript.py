"""Figures and tables of a new study: every kind that fits what its cohort holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Items = dict[str, dict[str, Any]]
NAMES = {"training": "training set", "testing": "test set", "external": "external test set"}


@dataclass(frozen=True)
class Fits:
    """What there is to show.

    Attributes
    ----------
    models, primary
        Names of the models, in the order of the tables, and of the one that the study is about.
    radiomics, clinical, combined
        Names of the models of these kinds; empty where there is none.
    lasso
        Whether the selection has a LASSO.
    images
        Whether features come from images.
    partitions, columns, candidates
        Partitions that hold patients; columns with their settings; those in the clinical model.
    follow_up
        Times to events.
    """

    models: Sequence[str]
    primary: str
    radiomics: str
    clinical: str
    combined: str
    lasso: bool
    images: bool
    partitions: Sequence[str]
    columns: Mapping[str, Mapping[str, Any]]
    candidates: Sequence[str]
    follow_up: Mapping[str, str]

    @property
    def baseline(self) -> list[str]:
        """Columns of the tables of characteristics."""
        return [name for name in self.columns if name not in {*self.follow_up, *self.follow_up.values()}]

    @property
    def numbers(self) -> list[str]:
        """Continuous ones among them."""
        return [name for name in self.baseline if self.columns[name].get("kind") == "continuous"]


def figures(fits: Fits) -> Items:
    """Figures by id, numbered in the order of a paper: patients, images, model, performance, survival; supplement."""
    main: list[tuple[str, dict[str, Any]]] = [("flow", {"kind": "flow", "title": "Selection of patients"})]
    if fits.images:
        main.append(("sequences", {"kind": "sequences", "title": "Sequences and regions of interest"}))
        if fits.radiomics:
            main.append(("workflow", {"kind": "workflow", "model": fits.radiomics, "title": "Workflow of the study"}))
    if fits.combined or fits.clinical:
        main.append(("nomogram", _nomogram(fits)))
    panels = [item for name in fits.partitions for item in _performance(fits, name)]
    main.append(
        (
            "performance",
            {
                "kind": "composed",
                "panels": panels,
                "columns": 3,
                "title": "ROC curves, calibration and decision curves",
            },
        )
    )
    main += [
        (f"survival_{n}", _survival(fits, time, event)) for n, (time, event) in enumerate(fits.follow_up.items(), 1)
    ]
    more: list[tuple[str, dict[str, Any]]] = []
    if fits.radiomics:
        more += [(name, settings | {"model": fits.radiomics}) for name, settings in _radiomics(fits)]
    more += [
        ("confusion", {"kind": "confusion", "model": fits.primary, "title": "Confusion matrices"}),
        (
            "stability",
            {"kind": "stability", "model": fits.radiomics or fits.primary, "title": "Stability of the selection"},
        ),
    ]
    if len(fits.numbers) > 1:
        scores = {"models": [fits.radiomics]} if fits.radiomics else {}
        title = "Correlation of the clinical numbers" + (" and the Rad-score" if scores else "")
        more.append(("correlation", {"kind": "correlation", "columns": fits.numbers, **scores, "title": title}))
    if fits.numbers:
        more.append(
            (
                "groups",
                {"kind": "groups", "columns": fits.numbers, "width_mm": 174, "title": "Clinical numbers by outcome"},
            )
        )
    found = {f"figure_{number}_{name}": settings for number, (name, settings) in enumerate(main, 1)}
    place = next(name for name, settings in found.items() if settings["kind"] == "composed")
    number = place.split("_")[1]
    parts, ids = {}, []
    for letter, panel in zip("abcdefghi", panels, strict=False):
        name = f"figure_{number}{letter}_{panel['kind']}_{panel['partition']}"
        parts[name] = panel | {"panel_letter": letter.upper()}
        ids.append(name)
    found[place] = found[place] | {"panels": ids}
    return found | parts | {f"figure_s{number}_{name}": settings for number, (name, settings) in enumerate(more, 1)}


def _nomogram(fits: Fits) -> dict[str, Any]:
    scores = (
        {"scores": {fits.radiomics: fits.radiomics}, "labels": {fits.radiomics: "Rad-score"}} if fits.combined else {}
    )
    return {"kind": "nomogram", "model": fits.combined or fits.clinical, **scores, "title": "Nomogram"}


def _performance(fits: Fits, partition: str) -> list[dict[str, Any]]:
    where = {"partition": partition}
    name = NAMES[partition]
    return [
        {"kind": "roc", "models": [*fits.models], **where, "band": fits.primary, "title": f"ROC curves, {name}"},
        {"kind": "calibration", "model": fits.primary, **where, "title": f"Calibration, {name}"},
        {"kind": "decision_curve", "models": [*fits.models], **where, "title": f"Decision curves, {name}"},
    ]


def _survival(fits: Fits, time: str, event: str) -> dict[str, Any]:
    label = fits.columns[event]["label"]
    return {"kind": "kaplan_meier", "time": time, "event": event, "title": f"Freedom from {label} by outcome"}


def _radiomics(fits: Fits) -> list[tuple[str, dict[str, Any]]]:
    last = "testing" if "testing" in fits.partitions else "training"
    path = [("lasso", {"kind": "lasso", "title": "LASSO of the features"})] if fits.lasso else []
    return [
        *path,
        ("features", {"kind": "feature_weights", "title": "Selected features by weight"}),
        ("clustermap", {"kind": "clustermap", "partition": "training", "title": "Selected features, training set"}),
        ("rad_score", {"kind": "rad_score", "partition": last, "title": f"Rad-score by patient, {NAMES[last]}"}),
        ("score_groups", {"kind": "score_groups", "title": "Rad-score by outcome and partition"}),
    ]


def tables(fits: Fits) -> Items:
    """Tables by id."""
    found: list[tuple[str, dict[str, Any]]] = []
    if fits.baseline:
        columns = {"columns": fits.baseline}
        found += [
            ("baseline", {"kind": "baseline", **columns, "outcome": True, "title": "Patients by partition"}),
            ("outcome", {"kind": "baseline", **columns, "by": "label", "title": "Patients by outcome"}),
        ]
    if fits.clinical:
        title = "Univariable and multivariable logistic regression, training set"
        found.append(("regression", {"kind": "regression", "model": fits.clinical, "title": title}))
    found.append(("performance", {"kind": "performance", "title": "Performance of the models"}))
    if len(fits.models) > 1:
        found.append(("delong", {"kind": "delong", "title": "DeLong's tests between the models"}))
    if fits.follow_up:
        ends = [
            {"label": fits.columns[event]["label"], "time": time, "event": event}
            for time, event in fits.follow_up.items()
        ]
        found += [
            ("survival", {"kind": "survival", "endpoints": ends, "title": "Survival by outcome"}),
            ("cox", {"kind": "cox", "endpoints": ends, "columns": ["label"], "title": "Cox regression of survival"}),
        ]
    if len(fits.candidates) > 1:
        found.append(
            (
                "collinearity",
                {"kind": "collinearity", "columns": [*fits.candidates], "title": "Collinearity of predictors"},
            )
        )
    return {f"table_{number}_{name}": settings for number, (name, settings) in enumerate(found, 1)}
