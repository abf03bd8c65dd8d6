"""The kinds of figure that stand alone, and may be panels of a composed one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from her2radiomics.manuscript.figures.calibration import CalibrationOptions
from her2radiomics.manuscript.figures.decision_curve import DecisionCurveOptions
from her2radiomics.manuscript.figures.feature_weights import FeatureWeightsOptions
from her2radiomics.manuscript.figures.flow import FlowOptions
from her2radiomics.manuscript.figures.groups import GroupsOptions
from her2radiomics.manuscript.figures.kaplan_meier import KaplanMeierOptions
from her2radiomics.manuscript.figures.lasso import LassoOptions
from her2radiomics.manuscript.figures.nomogram import NomogramOptions
from her2radiomics.manuscript.figures.rad_score import RadScoreOptions
from her2radiomics.manuscript.figures.roc import RocOptions
from her2radiomics.manuscript.figures.sequences import SequencesOptions
from her2radiomics.manuscript.figures.workflow import WorkflowOptions

Single = (
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
    | GroupsOptions
)
SingleFigure = Annotated[Single, Field(discriminator="kind")]
