"""Choices that a paper leaves open, and what a model is with another one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import validate
from her2radiomics.modelling.base import STEPS, SelectionStep
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.modelling.steps.lasso import PenaltyPath

#: Key of what scales the features.
SCALING = "scaling"
#: Parts of a model that have settings of their own, and what figures call them.
PARTS = {"estimator": "Estimator", "selection": "LASSO of all predictors"}
#: What other authors choose: a setting of a step, whether a step is done, which scaling, a setting of the estimator or of
#: the selection that a multivariate model makes among all of its predictors.
USUAL: dict[str, tuple[Any, ...]] = {
    "scaling": ("z_score", "min_max"),
    "icc_filter.threshold": (0.75, 0.8, 0.9),
    "icc_filter.form": ("ICC1,1", "ICC2,1", "ICC3,1"),
    "univariate.test": ("f_classif", "mann_whitney"),
    "univariate.p": (0.01, 0.05, 0.1),
    "redundancy.threshold": (0.7, 0.8, 0.9, 0.95),
    "redundancy.method": ("pearson", "spearman"),
    "lasso.rule": ("min", "1se"),
    "lasso.folds": (5, 10),
    "elastic_net.rule": ("min", "1se"),
    "elastic_net.folds": (5, 10),
    "forced_retention": (True, False),
    "estimator.method": ("auto", "firth"),
    "estimator.rule": ("min", "1se"),
    "estimator.inner_folds": (5, 10),
    "selection.rule": ("min", "1se"),
    "selection.folds": (5, 10),
}
#: Values as figures print them.
PRINTED = {"f_classif": "ANOVA F", "mann_whitney": "Mann–Whitney", "min": "lambda.min", "1se": "lambda.1se"}


def values_of(spec: ModelSettings, key: str) -> list[Any]:
    """What a model has for a choice, once for every step that it concerns; empty: the choice does not concern it."""
    kind, _, setting = key.partition(".")
    steps = spec.feature_steps()
    if kind in PARTS:
        own = getattr(getattr(spec, kind, None), setting, None)
        return [] if own is None else [own]
    if key == SCALING:
        return [step.about.name for step in steps if step.about.role == "scaling"]
    of_kind = [step for step in steps if step.about.name == kind]
    if setting:
        return [value for step in of_kind if (value := getattr(step, setting, None)) is not None]
    restores = kind in STEPS and STEPS[kind].about.role == "restoration"
    return [True] if of_kind else [False] if restores and any(isinstance(s, PenaltyPath) for s in steps) else []


def with_value(spec: ModelSettings, key: str, value: Any) -> ModelSettings:
    """A model with another choice; unchanged where the choice does not concern it.

    Raises
    ------
    SettingsError
        The value is not one that the setting may have.
    """
    if not values_of(spec, key):
        return spec
    where = f"evidence.analyses.specifications.choices: {key}"
    kind, _, setting = key.partition(".")
    if kind in PARTS:
        own = getattr(spec, kind)
        return spec.model_copy(update={kind: validate(type(own), {**own.model_dump(), setting: value}, where)})
    return with_block(spec, {"steps": tuple(_steps(spec.feature_steps(), key, value, where))})


def with_block(spec: ModelSettings, changes: Mapping[str, Any]) -> ModelSettings:
    """A model with other settings of its image features."""
    block = spec.block
    assert block is not None
    return spec.model_copy(update=changes if block is spec else {"features": block.model_copy(update=changes)})


def _steps(steps: Sequence[SelectionStep], key: str, value: Any, where: str) -> list[SelectionStep]:
    kind, _, setting = key.partition(".")
    if key == SCALING:
        if value not in STEPS or STEPS[value].about.role != "scaling":
            known = ", ".join(name for name, step in STEPS.items() if step.about.role == "scaling")
            raise SettingsError(f"{where}: found '{value}'; expected one of {known}.")
        other = validate(STEPS[value], {"step": value}, where)
        return [other if step.about.role == "scaling" else step for step in steps]
    if setting:
        return [
            validate(type(step), {**step.model_dump(), setting: value}, where)
            if step.about.name == kind and getattr(step, setting, None) is not None
            else step
            for step in steps
        ]
    if not isinstance(value, bool):
        raise SettingsError(f"{where}: found '{value}'; expected true or false, whether the step is done.")
    rest = [step for step in steps if step.about.name != kind]
    if not value:
        return rest
    if len(rest) < len(steps):
        return list(steps)
    last = max(place for place, step in enumerate(rest) if isinstance(step, PenaltyPath))
    return [*rest[: last + 1], validate(STEPS[kind], {"step": kind}, where), *rest[last + 1 :]]


def printed(key: str) -> str:
    """A choice as figures print it."""
    kind, _, setting = key.partition(".")
    name = STEPS[kind].about.short if kind in STEPS else PARTS.get(kind, kind.capitalize())
    return f"{name}: {setting.replace('_', ' ')}" if setting else name


def printed_value(value: Any) -> str:
    """A value of a choice as figures print it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return STEPS[text].about.label if text in STEPS else PRINTED.get(text, text)


def with_values(models: Mapping[str, ModelSettings], values: Mapping[str, Any]) -> dict[str, ModelSettings]:
    """All models with the choices of a specification."""
    found = dict(models)
    for key, value in values.items():
        found = {name: with_value(spec, key, value) for name, spec in found.items()}
    return found
