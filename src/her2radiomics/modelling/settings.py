"""What a protocol may say about its models, and what one model's settings alone cannot say: that they fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings, validate
from her2radiomics.modelling.models import MODELS
from her2radiomics.modelling.models import AnyModel as ModelSettings


def check_models(models: Mapping[str, ModelSettings], source: str = "models") -> None:
    """Check what one spec alone cannot: that combined models are made of models that exist.

    Raises
    ------
    SettingsError
        A combined model names an unknown model, itself, another combined model, or two clinical models.
    """
    for name, spec in models.items():
        kinds, parts = " and ".join(spec.about.made_of), spec.parts()
        for part in parts:
            if part not in models:
                raise SettingsError(
                    f"{source}.{name}.of: found '{part}'; expected one of {', '.join(m for m in models if m != name)}."
                )
            if models[part].kind not in spec.about.made_of:
                advice = "name its radiomics and clinical parts" if "clinical" in kinds else "name Rad-scores"
                raise SettingsError(
                    f"{source}.{name}.of: '{part}' is itself a {models[part].kind} model; a {spec.kind} model is made "
                    f"of {kinds} models: {advice}."
                )
        if len(set(parts)) < len(parts):
            raise SettingsError(f"{source}.{name}.of: a model is named twice.")
        if sum(models[part].kind == "clinical" for part in parts) > 1:
            raise SettingsError(f"{source}.{name}.of: two clinical models; put their candidates into one.")


class _Models(Settings):
    """Models by name."""

    models: dict[str, ModelSettings] = Field(description="Models, by name.")


def parse_models(content: Mapping[str, Any], source: str = "models") -> dict[str, ModelSettings]:
    """Check a ``models:`` mapping given as plain data.

    Raises
    ------
    SettingsError
        One line for every problem.
    """
    models = dict(validate(_Models, {"models": dict(content)}, source).models)
    check_models(models, source)
    return models


__all__ = ["MODELS", "ModelSettings", "check_models", "parse_models"]
