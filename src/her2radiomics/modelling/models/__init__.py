"""The kinds of models a protocol may ask for: one file each, found by looking into this folder.

A file holds a subclass of :class:`~her2radiomics.modelling.model.ModelSpec` with the kind's settings, its fit and its words,
decorated by ``@model_kind``.
"""

from typing import TYPE_CHECKING

from her2radiomics.modelling.model import MODELS, ModelSpec

MODELS.discover(__name__, __path__)
if TYPE_CHECKING:
    AnyModel = ModelSpec
else:
    AnyModel = MODELS.union()

__all__ = ["MODELS", "AnyModel"]
