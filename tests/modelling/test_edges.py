"""Selection at the edge of the data: classes without spread, magnitudes whose squares overflow, copies of features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway

from her2radiomics.modelling.chain import FittedNumbers
from her2radiomics.modelling.ranking import univariate_test

LABELS = np.tile([0, 1, 1], 12)


def test_analysis_of_variance_equals_scipy_far_from_zero() -> None:
    """scikit-learn 1.9 gives F = 1.14 for 0.0045 where the spread is a millionth of the mean; scipy is right."""
    random = np.random.default_rng(0)
    values = random.normal(size=(36, 60)) * 10.0 ** random.integers(-5, 6, 60) + random.normal(size=60) * 100
    statistic, p = univariate_test(values, LABELS, "f_classif")
    expected = f_oneway(values[LABELS == 1], values[LABELS == 0])
    np.testing.assert_allclose(statistic, expected.statistic, rtol=1e-9)
    np.testing.assert_allclose(p, expected.pvalue, rtol=1e-9)


def test_a_perfect_feature_has_p_0_whatever_its_rounding_and_magnitude() -> None:
    noise = np.random.default_rng(1).normal(size=36)
    columns = [LABELS, 0.1 * LABELS + 0.3, LABELS + 1e-16 * noise, 1e200 * LABELS, 1e-200 * LABELS, np.full(36, 7.0)]
    statistic, p = univariate_test(np.column_stack(columns), LABELS, "f_classif")
    assert p.tolist() == [0, 0, 0, 0, 0, 1] and np.isinf(statistic[:5]).all() and statistic[5] == 0


@pytest.mark.parametrize("scale", [1e160, 1e-170])
@pytest.mark.parametrize("test", ["f_classif", "mann_whitney"])
def test_magnitude_changes_no_test(scale: float, test: str) -> None:
    values = np.random.default_rng(2).normal(size=(36, 4)) + 0.5 * LABELS[:, None]
    np.testing.assert_allclose(
        univariate_test(scale * values, LABELS, test)[1], univariate_test(values, LABELS, test)[1]
    )


def test_extreme_features_and_copies_are_named() -> None:
    random = np.random.default_rng(3)
    table = pd.DataFrame({name: random.normal(size=20) for name in "abcde"}).assign(
        huge=random.normal(size=20) * 1e160, tiny=random.normal(size=20) * 1e-170, twin=lambda d: d["b"]
    )
    table.loc[3, "e"] = np.inf
    step = FittedNumbers.fit(table)
    assert list(step.names_out) == ["a", "b", "c", "d", "twin"]
    assert step.notes() == [
        "1 features were not a number in training and were dropped",
        "2 features are too large or vary too little for squares, and were dropped: huge, tiny",
        "1 features are exact copies of others in training: twin = b",
    ]
