"""From the steps of a protocol to one scikit-learn pipeline, and from a fitted pipeline to its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.base import FeatureStep
from her2radiomics.modelling.steps import settings as s
from her2radiomics.modelling.steps.filters import (
    IccFilter,
    RecursiveElimination,
    RedundancyFilter,
    UnivariateFilter,
    VarianceFilter,
)
from her2radiomics.modelling.steps.harmonisation import ComBat, People
from her2radiomics.modelling.steps.lasso import ForcedRetention, LassoFilter
from her2radiomics.modelling.steps.mrmr import MinimumRedundancy
from her2radiomics.modelling.steps.scaling import MinMax, NumericFeatures, ZScore
from her2radiomics.modelling.steps.stability import StabilitySelection

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from her2radiomics.modelling.readers import SecondReader
    from her2radiomics.modelling.saved.adjustment import CentreAdjustment
    from her2radiomics.modelling.settings import FeatureBlock


def build_chain(
    spec: FeatureBlock,
    *,
    first_reader: pd.DataFrame | None = None,
    second_reader: SecondReader | None = None,
    people: People | None = None,
    seed: int = 0,
) -> sklearn.pipeline.Pipeline:
    """Build the unfitted pipeline of a radiomics model's steps; the rule for missing values comes first.

    Parameters
    ----------
    spec
        The model's settings.
    first_reader
        Reader 1's unscaled features of the rows that the pipeline will be fitted on (for the ICC filter).
    second_reader
        The second reader's unscaled features.
    people
        Centre and covariates of the patients (for ComBat).
    seed
        Seed of the LASSO's folds and of the halves of stability selection.
    """
    steps = list(spec.steps)

    def made(step: s.Step) -> FeatureStep:
        match step:
            case s.IccFilterStep():
                return IccFilter(
                    step.form, step.threshold, step.minimum_patients, second_reader, first_reader
                )
            case s.VarianceStep():
                # by identity: equal steps may stand at two places
                before = steps[: next(place for place, other in enumerate(steps) if other is step)]
                return VarianceFilter(step.threshold, tuple(b.step for b in before if b.step in s.SCALERS))
            case s.CombatStep():
                return ComBat(step, people)
        return _transformer(step, seed)

    def named(steps: Sequence[s.Step]) -> list[tuple[str, Any]]:
        count: dict[str, int] = {}
        pairs = []
        for step in steps:
            count[step.step] = count.get(step.step, 0) + 1
            name = step.step if count[step.step] == 1 else f"{step.step}_{count[step.step]}"
            pairs.append((name, made(step)))
        return pairs

    names = [step.step for step in steps]
    if "forced_retention" not in names:
        return sklearn.pipeline.Pipeline([("numbers", NumericFeatures()), *named(steps)])
    place = names.index("forced_retention")
    # what retention may restore from: the features after the reproducibility filter, and after ComBat, which learns
    # from all features together and cannot be learned again on the restored ones
    start = max((names.index(x) + 1 for x in ("icc_filter", "combat") if x in names[:place]), default=0)
    inner = steps[start:place]
    retained = steps[place]
    assert isinstance(retained, s.ForcedRetentionStep)
    retention = ForcedRetention(
        sklearn.pipeline.Pipeline(named(inner)),
        sklearn.pipeline.Pipeline(
            named([x for x in inner if x.step in s.SCALERS]) or [("none", "passthrough")]
        ),
        ranking=retained.ranking,
        sequences=spec.sequences,
    )
    return sklearn.pipeline.Pipeline(
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


def _transformer(step: s.Step, seed: int) -> FeatureStep:
    match step:
        case s.MinMaxStep():
            return MinMax()
        case s.ZScoreStep():
            return ZScore()
        case s.UnivariateStep():
            return UnivariateFilter(step.test, step.p, step.k)
        case s.RedundancyStep():
            return RedundancyFilter(step.method, step.threshold)
        case s.LassoStep():
            return LassoFilter(step.family, step.folds, step.rule, step.n_lambdas, seed)
        case s.ElasticNetStep():
            return LassoFilter(step.family, step.folds, step.rule, step.n_lambdas, seed, step.alpha)
        case s.MrmrStep():
            return MinimumRedundancy(step.k, step.relevance, step.redundancy, step.scheme)
        case s.StabilityStep():
            return StabilitySelection(
                step.q, step.penalty, step.threshold, step.samples, step.family, step.alpha, seed
            )
        case s.RecursiveEliminationStep():
            return RecursiveElimination(step.k)
    raise AssertionError(step)  # pragma: no cover - the others are built by build_chain


def flat_steps(chain: Pipeline) -> list[FeatureStep]:
    """Fitted steps in the order in which they ran, those inside a forced retention before it."""
    flat: list[FeatureStep] = []
    for _, step in chain.steps:
        if isinstance(step, ForcedRetention):
            flat += [inner for _, inner in step.steps_.steps]
        flat.append(step)
    return flat


def scalings(chain: Pipeline, feature: str) -> tuple[tuple[float, float] | CentreAdjustment, ...]:
    """What the fitted chain does to a feature, one after the other: ``(shift, scale)``, or ComBat's adjustment."""
    found = []
    for _, step in chain.steps:
        inner = step.scaling_steps() if isinstance(step, ForcedRetention) else [step]
        found += [pair for pair in (scaler.scaling(feature) for scaler in inner) if pair is not None]
    return tuple(found)


def selection_rows(chain: Pipeline) -> list[dict[str, Any]]:
    """Rows of ``selection.csv`` of a fitted chain, without the step numbers."""
    return [row for name, step in chain.steps for row in step.selection_rows(name)]
