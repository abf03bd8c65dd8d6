"""Cross-validated AUC and the .632+ estimate, against hand calculations and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from her2radiomics.statistics import auc, auc_632_plus, auc_interval, cross_validated_auc


def test_one_fold_is_the_auc_with_delongs_error_but_for_the_divisor():
    """DeLong divides squares of placements by m − 1, the influence curve by m: written out for m = 3, n = 4."""
    labels, scores = [1, 1, 1, 0, 0, 0, 0], [0.9, 0.4, 0.7, 0.5, 0.2, 0.4, 0.1]
    found = cross_validated_auc(labels, scores, [1] * 7)
    cases, controls = np.array([4, 2.5, 4]) / 4, np.array([2, 3, 2.5, 3]) / 3
    assert found.value == pytest.approx(10.5 / 12) == pytest.approx(auc(labels, scores))
    assert found.error**2 == pytest.approx(cases.var() / 3 + controls.var() / 4)
    low, _ = auc_interval(labels, scores)
    assert found.low > low


def test_folds_are_weighted_alike_and_one_of_one_class_is_left_out():
    labels, scores = [1, 0, 1, 0, 0, 1], [0.8, 0.2, 0.3, 0.6, 0.1, 0.5]
    found = cross_validated_auc(labels, scores, [1, 1, 2, 2, 2, 3])
    assert found.folds == 2 and found.value == pytest.approx((1 + 0.5) / 2)
    with pytest.raises(ValueError, match="one class in every fold"):
        cross_validated_auc([1, 0], [0.3, 0.4], [1, 2])


def test_the_interval_covers():
    """Scores of a fixed rule, N(1, 1) against N(0, 1): the AUC is Φ(1/√2) = 0.7602, whatever the folds."""
    random = np.random.default_rng(3)
    inside = []
    for _ in range(400):
        labels = np.repeat([0, 1], [60, 40])
        scores = random.normal(size=100) + labels
        found = cross_validated_auc(labels, scores, np.arange(100) % 5)
        inside.append(found.low <= 0.7602 <= found.high)
    assert 0.92 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize(
    ("apparent", "out_of_bag", "expected"),
    [
        (0.9, 0.9, 0.9),  # no overfitting
        (0.8, 0.85, 0.368 * 0.8 + 0.632 * 0.85),  # out of bag above apparent: the .632 estimate
        (1.0, 0.5, 0.5),  # R = 1, w = 1: nothing but chance
        (1.0, 0.4, 0.5),  # below chance counts as chance
        # R = 0.5, w = 0.632 / (1 − 0.184) = 0.774510; 0.225490 · 0.9 + 0.774510 · 0.7
        (0.9, 0.7, 0.745098),
    ],
)
def test_632_plus_by_hand(apparent: float, out_of_bag: float, expected: float):
    assert auc_632_plus(apparent, out_of_bag) == pytest.approx(expected, abs=1e-6)
