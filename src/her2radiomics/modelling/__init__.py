"""Leak-safe models: selection steps, Rad-scores, clinical and combined models, ``model.json`` (see ``docs/modelling.md``).

Names are loaded on first use, so that a script pays only for what it calls.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "build": ("build_model", "second_reader_table"),
    "estimators": ("FitReport", "StudyModel"),
    "saved.fitted": ("FittedModel",),
    "readers": ("SecondReader",),
    "refits": ("cross_validated_scores", "pipeline_refit"),
    "saved.model_file": ("from_dict", "load_model", "save_model", "to_dict"),
    "tables": ("model_table",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "FitReport",
    "FittedModel",
    "SecondReader",
    "StudyModel",
    "build_model",
    "cross_validated_scores",
    "from_dict",
    "load_model",
    "model_table",
    "pipeline_refit",
    "save_model",
    "second_reader_table",
    "to_dict",
]

if TYPE_CHECKING:
    from her2radiomics.modelling.build import build_model, second_reader_table
    from her2radiomics.modelling.estimators import FitReport, StudyModel
    from her2radiomics.modelling.readers import SecondReader
    from her2radiomics.modelling.refits import cross_validated_scores, pipeline_refit
    from her2radiomics.modelling.saved.fitted import FittedModel
    from her2radiomics.modelling.saved.model_file import from_dict, load_model, save_model, to_dict
    from her2radiomics.modelling.tables import model_table


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
