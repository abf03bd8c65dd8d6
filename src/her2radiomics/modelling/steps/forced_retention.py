"""Forced retention of what a LASSO or elastic net emptied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, fit_steps, selection_step
from her2radiomics.modelling.ranking import TESTS, by_relation
from her2radiomics.modelling.saved.rules import Adjustment
from her2radiomics.modelling.steps.lasso import FittedPath
from her2radiomics.modelling.tables import sequence_of


@dataclass(frozen=True)
class FittedRetention(FittedStep):
    """What forced retention learned.

    Attributes
    ----------
    ran
        The steps that ended in the LASSO, as fitted, by name.
    scalers
        The scaling steps among them, learned again on the kept features alone: a feature dropped before it was scaled is
        scaled as the others are (each column is scaled by itself).
    restored
        Features that were given back.
    """

    ran: tuple[tuple[str, FittedStep], ...]
    scalers: tuple[FittedStep, ...]
    restored: tuple[str, ...]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the kept and restored features, scaled."""
        X = X[list(self.names_out)]
        for step in self.scalers:
            X = step.transform(X)
        return X

    def scalings(self, feature: str) -> tuple[tuple[float, float] | Adjustment, ...]:
        """Return the scalings of the kept features."""
        return tuple(pair for step in self.scalers for pair in step.scalings(feature))

    def flat(self) -> tuple[FittedStep, ...]:
        """Return the step, after those that it ran itself."""
        return (*(step for _, step in self.ran), self)

    def selection_rows(self, step: str) -> list[dict[str, Any]]:
        """Rows of the inner steps, then this step's own."""
        rows = [row for name, inner in self.ran for row in inner.selection_rows(name)]
        (own,) = super().selection_rows(step)
        return [*rows, own | {"features_in": rows[-1]["features_out"]}]


@selection_step(label="Forced retention", role="restoration", once=True)
class ForcedRetentionStep(SelectionStep):
    """Give every sequence that the LASSO or elastic net emptied its best feature back.

    The best has the smallest univariable p (then the largest statistic, then the first column) among the sequence's features
    that reached the path; if none did, among those after the ICC filter or ComBat, whichever is later (or at the start of
    the chain where there is neither). It is scaled as the others are; the note in ``selection.csv`` names it.
    """

    step: Literal["forced_retention"] = Field(
        description="Forced retention; needs a lasso or elastic_net step before it."
    )
    by: Literal["sequence"] = Field("sequence", description="What must not be emptied.")
    ranking: Literal["f_classif", "mann_whitney"] = Field(
        "f_classif", description="Univariate test that ranks a sequence's features."
    )

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return f"if no feature of a sequence remained, its top-ranked feature was reinstated, by {TESTS[self.ranking]}"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedRetention:
        """Run the inner steps of ``training``, then restore."""
        ran, left = fit_steps(training.inner, X, y, training)
        kept = set(left.columns)
        reached = set(next(step.names_in for _, step in ran if isinstance(step, FittedPath)))
        owner = {name: sequence_of(name) for name in X.columns}
        present = list(dict.fromkeys(s for s in owner.values() if s))
        restored, notes = [], []
        for sequence in training.sequences or present:
            own = [name for name, s in owner.items() if s == sequence]
            if not own:
                notes.append(f"{sequence}: no feature left to restore")
            elif not kept.intersection(own):
                pool = [name for name in own if name in reached]
                candidates = X[pool or own]
                best = str(candidates.columns[by_relation(candidates.to_numpy(dtype=float), y, self.ranking)[0]])
                restored.append(best)
                notes.append(f"{sequence}: {best}" + ("" if pool else " (none reached the LASSO)"))
        kept.update(restored)
        keep = np.array([name in kept for name in X.columns], dtype=bool)
        scaling = [step for step in training.inner if step.about.role == "scaling"]
        scalers, _ = fit_steps(scaling, X.loc[:, keep], y, training)
        return FittedRetention.of(
            X,
            keep,
            "restored " + "; ".join(notes) if notes else "no sequence was emptied",
            ran=ran,
            scalers=tuple(step for _, step in scalers),
            restored=tuple(restored),
        )
