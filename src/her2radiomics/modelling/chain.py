"""From the steps of a protocol to one scikit-learn pipeline, and from a fitted pipeline to its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from her2radiomics.modelling import settings as s
from her2radiomics.modelling.base import FeatureStep
from her2radiomics.modelling.filters import (
    IccFilter,
    RecursiveElimination,
    RedundancyFilter,
    UnivariateFilter,
    VarianceFilter,
)
from her2radiomics.modelling.lasso_step import ForcedRetention, LassoFilter
from her2radiomics.modelling.scaling import MinMax, NumericFeatures, ZScore

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from her2radiomics.modelling.readers import SecondReader

SCALERS = (MinMax, ZScore)


def build_chain(
    spec: s.RadiomicsSpec,
    *,
    first_reader: pd.DataFrame | None = None,
    second_reader: SecondReader | None = None,
    seed: int = 0,
) -> Pipeline:
    """Build the unfitted pipeline of a radiomics model's steps; the rule for missing values comes first.

    Parameters
    ----------
    spec
        The model's settings.
    first_reader
        Reader 1's unscaled features of the rows that the pipeline will be fitted on (for the ICC filter).
    second_reader
        The second reader's unscaled features.
    seed
        Seed of the LASSO's folds.
    """
    from sklearn.pipeline import Pipeline

    def named(steps: Sequence[s.Step]) -> list[tuple[str, Any]]:
        count: dict[str, int] = {}
        made = []
        for step in steps:
            count[step.step] = count.get(step.step, 0) + 1
            name = step.step if count[step.step] == 1 else f"{step.step}_{count[step.step]}"
            made.append((name, _transformer(step, first_reader, second_reader, seed)))
        return made

    steps = list(spec.steps)
    names = [step.step for step in steps]
    if "forced_retention" not in names:
        return Pipeline([("numbers", NumericFeatures()), *named(steps)])
    place = names.index("forced_retention")
    # what retention may restore from: the features after the reproducibility filter
    start = names.index("icc_filter") + 1 if "icc_filter" in names[:place] else 0
    inner = steps[start:place]
    retained = steps[place]
    assert isinstance(retained, s.ForcedRetentionStep)
    retention = ForcedRetention(
        Pipeline(named(inner)),
        Pipeline(named([x for x in inner if x.step in ("min_max", "z_score")]) or [("none", "passthrough")]),
        ranking=retained.ranking,
        sequences=spec.sequences,
    )
    return Pipeline(
        [
            ("numbers", NumericFeatures()),
            *named(steps[:start]),
            ("forced_retention", retention),
            *(
                (f"{name}_after" if name in names[:place] else name, t)
                for name, t in named(steps[place + 1 :])
            ),
        ]
    )


def _transformer(
    step: s.Step, first_reader: pd.DataFrame | None, second_reader: SecondReader | None, seed: int
) -> FeatureStep:
    match step:
        case s.MinMaxStep():
            return MinMax()
        case s.ZScoreStep():
            return ZScore()
        case s.IccFilterStep():
            return IccFilter(step.form, step.threshold, step.minimum_patients, second_reader, first_reader)
        case s.VarianceStep():
            return VarianceFilter(step.threshold)
        case s.UnivariateStep():
            return UnivariateFilter(step.test, step.p, step.k)
        case s.RedundancyStep():
            return RedundancyFilter(step.method, step.threshold)
        case s.LassoStep():
            return LassoFilter(step.family, step.folds, step.rule, step.n_lambdas, seed)
        case s.RecursiveEliminationStep():
            return RecursiveElimination(step.k)
    raise AssertionError(step)  # pragma: no cover - forced retention is built by build_chain


def flat_steps(chain: Pipeline) -> list[FeatureStep]:
    """Fitted steps in the order in which they ran, those inside a forced retention before it."""
    flat: list[FeatureStep] = []
    for _, step in chain.steps:
        if isinstance(step, ForcedRetention):
            flat += [inner for _, inner in step.steps_.steps]
        flat.append(step)
    return flat


def scalings(chain: Pipeline, feature: str) -> tuple[tuple[float, float], ...]:
    """``(shift, scale)`` that the fitted chain applies to a feature, one after the other."""
    found = []
    for _, step in chain.steps:
        inner = step.scaling_steps() if isinstance(step, ForcedRetention) else [step]
        found += [pair for pair in (scaler.scaling(feature) for scaler in inner) if pair is not None]
    return tuple(found)


def selection_rows(chain: Pipeline) -> list[dict[str, Any]]:
    """Rows of ``selection.csv`` of a fitted chain, without the step numbers."""
    return [row for name, step in chain.steps for row in step.selection_rows(name)]
