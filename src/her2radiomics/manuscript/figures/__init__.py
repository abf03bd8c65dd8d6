"""Figures by kind: a protocol names the kind and its options, the registry draws it.

A new kind is a module here with an options class and a function under
:func:`~her2radiomics.manuscript.figures.registry.figure`, and its options class in :data:`FigureSettings`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from her2radiomics.manuscript.figures.calibration import CalibrationOptions
from her2radiomics.manuscript.figures.decision_curve import DecisionCurveOptions
from her2radiomics.manuscript.figures.feature_weights import FeatureWeightsOptions
from her2radiomics.manuscript.figures.flow import FlowOptions
from her2radiomics.manuscript.figures.groups import GroupsOptions
from her2radiomics.manuscript.figures.inputs import ExampleImage, FigureInputError, FigureInputs, StudyText
from her2radiomics.manuscript.figures.kaplan_meier import KaplanMeierOptions
from her2radiomics.manuscript.figures.lasso import LassoOptions
from her2radiomics.manuscript.figures.nomogram import NomogramOptions
from her2radiomics.manuscript.figures.rad_score import RadScoreOptions
from her2radiomics.manuscript.figures.registry import KINDS, Drawing, FigureOptions
from her2radiomics.manuscript.figures.render import draw, models_needed, needs, render
from her2radiomics.manuscript.figures.roc import RocOptions
from her2radiomics.manuscript.figures.sequences import SequencesOptions
from her2radiomics.manuscript.figures.workflow import WorkflowOptions

FigureSettings = Annotated[
    FlowOptions
    | SequencesOptions
    | WorkflowOptions
    | FeatureWeightsOptions
    | RadScoreOptions
    | LassoOptions
    | RocOptions
    | CalibrationOptions
    | DecisionCurveOptions
    | NomogramOptions
    | KaplanMeierOptions
    | GroupsOptions,
    Field(discriminator="kind"),
]

__all__ = [
    "KINDS",
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
]
