"""A rule as plain data, and back: what ``model.json`` holds under ``rule``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.adjustment import CentreAdjustment
from her2radiomics.modelling.saved.forest import ForestRule, Tree

_TYPES: dict[str, type] = {
    "feature": r.FeaturePredictor,
    "numeric": r.NumericPredictor,
    "levels": r.LevelPredictor,
    "score": r.ScorePredictor,
}


def rule_to_dict(rule: r.Rule) -> dict[str, Any]:
    """Plain numbers, text and lists; a score's own rule inside it."""
    names = {kind: name for name, kind in _TYPES.items()}
    predictors = []
    for predictor in rule.predictors:
        entry = {"type": names[type(predictor)], **vars(predictor)}
        if not entry.get("values", True):
            del entry["values"]
        if isinstance(predictor, r.ScorePredictor):
            entry["rule"] = rule_to_dict(predictor.rule)
        if isinstance(predictor, r.LevelPredictor):
            entry["weights"] = dict(predictor.weights)
        if isinstance(predictor, r.FeaturePredictor):
            entry["scalings"] = [
                list(item) if isinstance(item, tuple) else item.to_dict(rule_to_dict) for item in predictor.scalings
            ]
        predictors.append(entry)
    if isinstance(rule, ForestRule):
        trees = [tree.to_dict() for tree in rule.trees]
        return {"name": rule.name, "type": "forest", "predictors": predictors, "trees": trees}
    assert isinstance(rule, r.LinearRule)
    return {"name": rule.name, "type": "linear", "intercept": rule.intercept, "predictors": predictors}


def rule_from_dict(content: Mapping[str, Any]) -> r.Rule:
    """From the data of :func:`rule_to_dict`.

    Raises
    ------
    KeyError, TypeError, ValueError
        Something is absent or is not what it must be.
    """
    predictors = []
    for entry in content["predictors"]:
        values = {key: value for key, value in entry.items() if key != "type"}
        values |= {"values": tuple(entry["values"])} if "values" in entry else {}
        if entry["type"] == "score":
            values["rule"] = rule_from_dict(entry["rule"])
        if entry["type"] == "levels":
            values["weights"] = tuple(entry["weights"].items())
        if entry["type"] == "feature":
            values["scalings"] = tuple(
                CentreAdjustment.from_dict(item, rule_from_dict) if isinstance(item, dict) else tuple(item)
                for item in entry["scalings"]
            )
        predictors.append(_TYPES[entry["type"]](**values))
    if content.get("type", "linear") == "forest":
        trees = tuple(Tree.from_dict(tree) for tree in content["trees"])
        if not trees or any(tree.feature.max() >= len(predictors) for tree in trees):
            raise ValueError("the forest has no tree, or a tree that asks for an unknown feature")
        return ForestRule(content["name"], tuple(predictors), trees)
    return r.LinearRule(content["name"], content["intercept"], tuple(predictors))
