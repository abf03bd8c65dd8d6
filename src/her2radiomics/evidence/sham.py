"""Features that cannot hold what a model claims: size alone, shape alone, and random numbers of the same correlation."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import validate
from her2radiomics.evidence.choices import with_block
from her2radiomics.evidence.study import EvidenceStudy, Facts
from her2radiomics.modelling.models.clinical import ClinicalSpec
from her2radiomics.modelling.models.multivariate import MultivariateSpec
from her2radiomics.modelling.models.radiomics import RadiomicsSpec
from her2radiomics.modelling.settings import ModelSettings

#: Names of PyRadiomics' features of size, the volume before the area, and the beginnings of those of shape.
SIZES = ("original_shape_VoxelVolume", "original_shape_MeshVolume", "original_shape2D_PixelSurface",
         "original_shape2D_MeshSurface")  # fmt: skip
SHAPES = ("original_shape_", "original_shape2D_")
SIZE, SHAPE, WITHOUT = "size alone", "shape alone", "the clinical predictors alone"


def controlled_models(facts: Facts) -> list[str]:
    """The models of image features, and those that select image features or Rad-scores among other predictors."""
    models = facts.about.models
    return [name for name in facts.judged if isinstance(models[name], RadiomicsSpec) or other_predictors(facts, name)]


def other_predictors(facts: Facts, model: str) -> bool:
    """Whether a model selects among image features or Rad-scores and something else."""
    spec = facts.about.models[model]
    return isinstance(spec, MultivariateSpec) and bool(spec.block or spec.of)


def columns_of(study: EvidenceStudy, model: str) -> list[str]:
    """Feature columns that a model selects among, its sequences in the protocol's order; none where these are Rad-scores."""
    block = study.about.models[model].block
    if block is None or study.about.models[model].parts():
        return []
    found = block.columns(study.table, study.about.columns, name=model)
    order = list(block.sequences)
    return sorted(found, key=lambda name: order.index(s) if (s := name.split("__")[0]) in order else len(order))


def size_column(study: EvidenceStudy, model: str, columns: tuple[str, ...]) -> str:
    """The size of the model's first sequence that has one, else the first known participants column; or nothing."""
    own = columns_of(study, model)
    for size in SIZES:
        for name in own:
            if name.split("__", 2)[-1] == size:
                return name
    known = [name for name in columns if name in study.about.columns and name in study.table.columns]
    return next((name for name in known if study.table[name].notna().any()), "")


@lru_cache(maxsize=16)
def alone(study: EvidenceStudy, model: str, columns: tuple[str, ...]) -> dict[str, ModelSettings]:
    """Control to a model of it: size in one logistic regression, shape through the steps of the model itself.

    A model with other predictors keeps them with shape, and is fitted without image features too.
    """
    spec = study.about.models[model]
    found: dict[str, ModelSettings] = {}
    size = size_column(study, model, columns)
    if size in study.about.columns:
        content: dict[str, Any] = {"kind": "clinical", "candidates": [size], "keep": "all", "allow_unavailable": True}
        found[SIZE] = validate(ClinicalSpec, content, "size alone")
    elif size:
        content = {"kind": "radiomics", "only": [size], "steps": [{"step": "z_score"}]}
        found[SIZE] = validate(RadiomicsSpec, content, "size alone")
    shape = tuple(name for name in columns_of(study, model) if name.split("__", 2)[-1].startswith(SHAPES))
    if 1 < len(shape) < len(columns_of(study, model)):
        found[SHAPE] = with_block(spec, {"only": shape})
    if isinstance(spec, MultivariateSpec) and spec.candidates:
        found[WITHOUT] = spec.model_copy(update={"features": None, "of": ()})
    return found


def on_random_features(study: EvidenceStudy, random: np.random.Generator) -> EvidenceStudy:
    """The study on random numbers that correlate with one another as its features do, and with nothing else.

    Each patient's values are a mixture, with independent standard normal weights, of the standardised rows of the training
    patients: normal numbers whose covariance is exactly the training patients' correlation matrix, then given each
    feature's training mean and standard deviation. Another reader's values differ from them as the reader's true values
    differ from the reference reader's, so that the agreement of readers stays. Features that are not a number for every
    training patient, which no model uses, stay as they are.
    """
    names = [name for name in study.features.columns if name not in ("patient_id", "reader") and name in study.table]
    true = study.table[names].astype(float)
    training = true.iloc[study.rows(TRAINING)]
    usable = np.isfinite(training.to_numpy()).all(axis=0)
    names = [name for name, use in zip(names, usable, strict=True) if use]
    values = training[names].to_numpy()
    centred = values - values.mean(axis=0)
    weights = random.normal(size=(len(true), len(values)))
    made = values.mean(axis=0) + weights @ centred / np.sqrt(len(values) - 1)
    drawn = pd.DataFrame(made, index=true.index, columns=names)
    patients = study.features["patient_id"].astype(str)
    features = study.features[patients.isin(true.index)]
    who = patients[patients.isin(true.index)]
    # in one block: column by column takes seconds
    values = features[names].to_numpy(dtype=float) - true.loc[who, names].to_numpy() + drawn.loc[who].to_numpy()
    block = pd.DataFrame(values, index=features.index, columns=names)
    return replace(study, features=pd.concat([features.drop(columns=names), block], axis=1))
