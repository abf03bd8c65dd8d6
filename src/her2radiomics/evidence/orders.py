"""A study as published: what the paper fits on all patients is fitted on all, through the steps of the protocol.

A step fitted on all patients takes its place in the model's chain and learns nothing there, so that everything behind it,
the models that are made of it among them, is fitted on training rows by the same code as the leak-safe order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import PrivateAttr

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.evidence.published import PublishedOrder
from her2radiomics.evidence.study import EvidenceStudy, Facts
from her2radiomics.modelling.base import FittedStep, SelectionStep, StepKind, Training
from her2radiomics.modelling.model import Learning
from her2radiomics.modelling.models.clinical import ClinicalSpec
from her2radiomics.modelling.models.multivariate import LassoSelection, MultivariateSpec
from her2radiomics.modelling.scaling import FittedScaling
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.modelling.steps.lasso import FittedPath
from her2radiomics.modelling.threads import one_thread

if TYPE_CHECKING:
    from her2radiomics.modelling.study_model import StudyModel


class KnownStep(SelectionStep):
    """A step that was fitted before, on other rows: in a chain it learns nothing."""

    _settings: SelectionStep = PrivateAttr()
    _fitted: FittedStep = PrivateAttr()
    # what was learned is compared by identity: it holds arrays
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @classmethod
    def of(cls, settings: SelectionStep, fitted: FittedStep) -> KnownStep:
        """A fitted step in the place of its settings."""
        known = cls.model_construct()
        known._settings, known._fitted = settings, fitted
        return known

    @property
    def about(self) -> StepKind:  # type: ignore[override]
        """What is printed and known about the step."""
        return self._settings.about

    def sentence(self, before: Sequence[SelectionStep]) -> str:
        """The sentence of the step."""
        return self._settings.sentence(before)

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns that the step reads."""
        return self._settings.columns_used()

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """What was learned before; of a scaling, that of the columns of ``X``, which forced retention chooses.

        Raises
        ------
        StudyError
            A feature was dropped on all patients before the step could learn it, and is asked for.
        """
        fitted, names = self._fitted, tuple(map(str, X.columns))
        if not isinstance(fitted, FittedScaling) or set(fitted.names_in) <= set(names):
            return fitted
        lacking = [name for name in names if name not in fitted.names_in]
        if lacking:
            raise StudyError(
                f"{self.about.name}, as published: found no scale of '{lacking[0]}', which a step on all patients dropped."
            )
        places = [fitted.names_in.index(name) for name in names]
        return FittedScaling(names, names, fitted.note, shift=fitted.shift[places], scale=fitted.scale[places])


class KnownSelection(LassoSelection):
    """What a multivariate model selected before, on other rows, in the place of its selection."""

    _kept: frozenset[str] = PrivateAttr()

    @classmethod
    def of(cls, kept: Iterable[str]) -> KnownSelection:
        """A selection that keeps these predictors, an indicator of a categorical one with it."""
        known = cls.model_construct(by="lasso")
        known._kept = frozenset(kept)
        return known

    def choose(self, X: pd.DataFrame, y: np.ndarray, seed: int, alpha: float = 1.0) -> FittedPath:
        """Keep what was selected before."""
        owner = [str(term).split("[", 1)[0] for term in X.columns]
        keep = np.array(
            [str(term) in self._kept or name in self._kept for term, name in zip(X.columns, owner, strict=True)]
        )
        return FittedPath.of(X, keep, "selected on all patients")


def orders(facts: Facts) -> dict[str, PublishedOrder]:
    """Model to its order as published, of the models whose steps are those of the protocol, in whatever order.

    A cohort or a variant may leave models out: their orders are not used.
    """
    return {
        name: order
        for name, order in facts.about.published.items()
        if name in facts.about.models and not differing(facts, name)
    }


def left_out(facts: Facts) -> str:
    """A sentence on the orders of models that the protocol has and the run leaves out; empty: there is none."""
    names = [facts.label(name) for name in facts.about.published if name not in facts.about.models]
    if not names:
        return ""
    return f"The order of {listing(names)} is not compared: this run leaves {'it' if len(names) == 1 else 'them'} out."


def differing(facts: Facts, name: str) -> str:
    """Why a model's order as published cannot be compared with the model, as part of a sentence; empty: it can."""
    spec, order = facts.about.models[name], facts.about.published[name]
    own, published = list(spec.feature_steps()), list(order.steps)
    for step in own:
        if step not in published:
            return f"the step {step.about.noun} is not the same in the order as published"
        published.remove(step)
    if published:
        return f"the order as published has a step more, {published[0].about.noun}"
    if order.choice_on_all and not isinstance(spec, ClinicalSpec | MultivariateSpec):
        return f"a {spec.kind} model chooses nothing after its steps"
    return ""


def fit_as_published(
    study: EvidenceStudy, rows: np.ndarray, outcome: np.ndarray | None = None, *, models: Sequence[str]
) -> dict[str, StudyModel]:
    """Fit models as published: what the paper fits on all patients on ``rows``, the rest on the training rows among them.

    Parameters
    ----------
    study
        The study.
    rows
        Row numbers of all patients, training and test; a row may be drawn more than once.
    outcome
        Labels of all rows of the study's table; those of the study by default.
    models
        Models to fit.

    Returns
    -------
    dict
        Model to its fit; a model that could not be fitted is left out.
    """
    labels = study.outcome if outcome is None else outcome
    rows = np.sort(rows)
    partition = study.patients["partition"].to_numpy()[rows]
    specs, lost = dict(study.about.models), set[str]()
    needed = {part for name in models for part in (*specs[name].parts(), name)}
    for name, order in orders(study).items():
        if name not in needed or not order.learns_from_all:
            continue
        everyone = rows[np.isin(partition, order.partitions)] if order.partitions else rows
        try:
            with one_thread():
                specs[name] = _partly_known(study, name, order, everyone, labels)
        except (StudyError, ValueError):
            lost.add(name)  # a resample may lose a class, or what a step needs
    asked = [name for name in models if not lost.intersection((name, *specs[name].parts()))]
    return study.fit(rows[partition == TRAINING], labels, models=asked, specs=specs) if asked else {}


def _partly_known(
    study: EvidenceStudy, name: str, order: PublishedOrder, rows: np.ndarray, outcome: np.ndarray
) -> ModelSettings:
    """Settings of a model with what is fitted on rows of all patients in its place."""
    about = study.about
    specs: Mapping[str, ModelSettings] = about.models
    spec, table, labels = specs[name], study.table.iloc[rows], outcome[rows]
    learning = Learning(name, specs, about.columns, study.second, about.seed, None, about.persons)
    changes: dict[str, Any] = {}
    if isinstance(spec, ClinicalSpec):
        kept = spec.fit(table, labels, learning).choice.selected
        # nothing passed: no candidate passes in training either, so that the intercept is left
        return spec.model_copy(update={"candidates": tuple(kept), "keep": "all"} if kept else {"p_enter": 0.0})
    block = spec.block
    if block is not None and order.steps:
        chain, _ = block.model_copy(update={"steps": order.on_all}).select(table, labels, learning)
        known = [KnownStep.of(step, fit) for step, fit in zip(order.on_all, chain.flat()[1:], strict=True)]
        steps = {"steps": (*known, *order.on_training)}
        changes = steps if block is spec else {"features": block.model_copy(update=steps)}
    if order.choice_on_all and isinstance(spec, MultivariateSpec):
        whole = spec if spec.features is None else spec.model_copy(update=changes)
        changes["selection"] = KnownSelection.of(map(str, whole.fit(table, labels, learning).table.columns))
    return spec.model_copy(update=changes)
