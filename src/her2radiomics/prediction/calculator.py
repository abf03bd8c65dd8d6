"""The calculator: a saved model as one page that works offline, with a control for each predictor.

The page's script adds in the order of :class:`~her2radiomics.modelling.saved.rules.LinearRule`, in the same 64-bit numbers.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import scipy
from her2radiomics.core.templates import environment
from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.extrapolation import ROUNDING, raw_range
from her2radiomics.modelling.saved.reference import LEVEL
from her2radiomics.prediction.drawing import Sheet, drawable_points, sheet_of
from her2radiomics.prediction.predicting import OLD
from her2radiomics.prediction.words import (
    GIVEN,
    level_labels,
    meant_for,
    not_meant_for,
    number,
    predictor_label,
    trained_on,
    unit_of,
)

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Features whose controls are shown at once; more are folded away.
FEW = 8


@dataclass(frozen=True)
class Control:
    """A predictor's control on the page.

    Attributes
    ----------
    id
        Of the element.
    label, unit
        As printed.
    kind
        ``number``, ``levels``, ``feature`` or ``score``.
    hint
        Range in training.
    levels
        Level and its printed name.
    fill
        What is used where the value is not known, as printed; empty where a value is needed.
    computed
        Whether the score can be computed in the page, from features.
    """

    id: str
    label: str
    unit: str
    kind: str
    hint: str
    levels: tuple[tuple[str, str], ...]
    fill: str
    computed: bool


def refusal(model: FittedModel) -> str:
    """Why a model has no calculator; empty where it has one."""
    if not isinstance(model.rule, r.LinearRule):
        return f"model '{model.name}' is a random forest, whose prediction is no sum of terms that a page could add up."
    for predictor in model.rule.predictors:
        if isinstance(predictor, r.FeaturePredictor) and raw_range(predictor) is None:
            return (
                f"model '{model.name}' adjusts its features for the patient's centre (ComBat), which takes the centre and "
                "covariates of all new patients together. Use her2radiomics predict."
            )
    return ""


def calculator_of(model: FittedModel) -> str:
    """The page of a model that has a calculator; the same bytes for the same model.

    Raises
    ------
    StudyError
        The model is of a kind that has none.
    """
    reason = refusal(model)
    if reason:
        raise StudyError(f"No calculator: {reason}")
    return calculator_page(model)


def calculator_page(model: FittedModel) -> str:
    """The page, or one that says why the model has no calculator."""
    reason = refusal(model)
    templates = environment("prediction", "report")
    script = templates.get_template("calculator.js").render()
    digest = base64.b64encode(sha256(script.encode()).digest()).decode("ascii")
    sheet = None if reason else sheet_of(model)
    shown: dict[str, Any] = {
        "model": model,
        "reason": reason,
        "controls": [] if reason else [_control(model, place, p) for place, p in enumerate(model.rule.predictors)],
        "few": FEW,
        "sheet": sheet,
        "data": None if reason else _data(model, sheet),
        "trained_on": trained_on(model),
        "meant_for": meant_for(model),
        "not_meant_for": not_meant_for(model),
        "level": LEVEL,
        "given": GIVEN,
        "no_interval": OLD if model.reference is None else model.reference.reason,
        "has_interval": model.reference is not None and model.reference.uncertainty is not None,
        "script": Markup(script),
        "script_source": Markup("'none'" if reason else f"'sha256-{digest}'"),
    }
    return templates.get_template("calculator.html").render(**shown)


def _control(model: FittedModel, place: int, predictor: r.Predictor) -> Control:
    name = f"p{place}"
    label, unit = predictor_label(predictor, model), unit_of(predictor, model)
    if isinstance(predictor, r.LevelPredictor):
        labels = level_labels(predictor, model)
        fill = "" if predictor.fill is None else labels.get(predictor.fill, predictor.fill)
        return Control(name, label, "", "levels", "", tuple(labels.items()), fill, False)
    low, high = _range(predictor)
    known: float | None = None if isinstance(predictor, r.ScorePredictor) else predictor.fill
    hint = f"{number(low)} to {number(high)}"
    fill = "" if known is None else number(known)
    kinds = {r.FeaturePredictor: "feature", r.NumericPredictor: "number", r.ScorePredictor: "score"}
    computed = isinstance(predictor, r.ScorePredictor) and _computable(predictor.rule)
    return Control(name, label, unit, kinds[type(predictor)], hint, (), fill, computed)


def _range(predictor: r.FeaturePredictor | r.NumericPredictor | r.ScorePredictor) -> tuple[float, float]:
    found = raw_range(predictor) if isinstance(predictor, r.FeaturePredictor) else (predictor.low, predictor.high)
    assert found is not None
    return found


def _computable(rule: r.Rule) -> bool:
    """Whether a score is a sum of features that are scaled without regard to the centre."""
    return isinstance(rule, r.LinearRule) and all(
        isinstance(p, r.FeaturePredictor) and raw_range(p) is not None for p in rule.predictors
    )


def _data(model: FittedModel, sheet: Sheet | None) -> dict[str, Any]:
    """What the script computes with."""
    assert isinstance(model.rule, r.LinearRule)
    lowest, per_unit = drawable_points(model) if sheet is not None else ({}, 0.0)
    places = {predictor.name: place for place, predictor in enumerate(model.rule.predictors)}
    reference = model.reference
    uncertain = reference is not None and reference.uncertainty is not None
    return {
        "intercept": model.rule.intercept,
        "predictors": [_predictor(model, p) for p in model.rule.predictors],
        "threshold": model.threshold,
        "classes": list(model.classes),
        "terms": [
            {"predictor": places[term.predictor], "codes": dict(term.codes) or None}
            for term in (reference.terms if reference is not None else ())
        ],
        "uncertainty": reference.uncertainty.tolist() if uncertain else None,  # type: ignore[union-attr]
        "z": float(scipy.special.ndtri(0.5 + LEVEL / 2)),
        "rounding": ROUNDING,
        "points": None
        if sheet is None
        else {
            "lowest": [lowest[p.name] for p in model.rule.predictors],
            "perUnit": float(per_unit),
            "scale": sheet.scale,
        },
    }


def _predictor(model: FittedModel, predictor: r.Predictor) -> dict[str, Any]:
    found: dict[str, Any] = {"name": predictor.name, "label": predictor_label(predictor, model)}
    if isinstance(predictor, r.LevelPredictor):
        return found | {"kind": "levels", "weights": dict(predictor.weights), "fill": predictor.fill}
    low, high = _range(predictor)
    found |= {"coefficient": predictor.coefficient, "low": low, "high": high}
    if isinstance(predictor, r.ScorePredictor):
        rule = predictor.rule
        inner = None
        if isinstance(rule, r.LinearRule) and _computable(rule):
            inner = {"intercept": rule.intercept, "predictors": [_predictor(model, p) for p in rule.predictors]}
        return found | {"kind": "score", "fill": None, "rule": inner}
    if isinstance(predictor, r.FeaturePredictor):
        return found | {"kind": "feature", "fill": predictor.fill, "scalings": [list(s) for s in predictor.scalings]}  # type: ignore[arg-type]
    return found | {"kind": "number", "fill": predictor.fill}
