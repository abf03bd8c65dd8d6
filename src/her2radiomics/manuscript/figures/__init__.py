"""Figures by kind: a protocol names the kind and its options, the registry draws it.

A new kind is a module here with an options class and a function under
:func:`~her2radiomics.manuscript.figures.registry.figure`, and its options class in
:data:`~her2radiomics.manuscript.figures.kinds.Single`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from her2radiomics.manuscript.figures.composed import ComposedOptions, with_panels
from her2radiomics.manuscript.figures.inputs import ExampleImage, FigureInputError, FigureInputs, StudyText
from her2radiomics.manuscript.figures.kinds import Single
from her2radiomics.manuscript.figures.registry import KINDS, Drawing, FigureOptions
from her2radiomics.manuscript.figures.render import draw, models_needed, needs, render

FigureSettings = Annotated[Single | ComposedOptions, Field(discriminator="kind")]

__all__ = [
    "KINDS",
    "ComposedOptions",
    "Drawing",
    "ExampleImage",
    "FigureInputError",
    "FigureInputs",
    "FigureOptions",
    "FigureSettings",
    "StudyText",
    "draw",
    "models_needed",
    "needs",
    "render",
    "with_panels",
]
