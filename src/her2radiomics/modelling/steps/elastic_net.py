"""The elastic net as a selection step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import SelectionStep, Training, selection_step
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.steps.lasso import FittedPath, PenaltyPath


@selection_step(label="Elastic net", role="reduction", references=("zou_2005", "friedman_2010"))
class ElasticNetStep(PenaltyPath, SelectionStep):
    """Keep the features with non-zero coefficients in a cross-validated elastic net.

    The LASSO's step with a share of ridge in the penalty; with ``alpha: 1`` the results are the LASSO's.
    """

    step: Literal["elastic_net"] = Field(description="Elastic net with the penalty chosen by cross-validation.")
    alpha: float = Field(
        0.5,
        ge=0.001,
        le=1,
        description="Share of the LASSO in the penalty, glmnet's alpha: 1 is the LASSO; the rest is ridge.",
    )

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return self.in_words(f"an elastic net (alpha {self.alpha:g})")

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedPath:
        """Choose the penalty."""
        return self.choose(by_person(X, training.persons), y, training.seed, self.alpha)
