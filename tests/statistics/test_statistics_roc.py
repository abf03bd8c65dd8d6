"""AUC, intervals, DeLong, Youden, proportions and Holm against pROC and base R."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statistics_reference import COHORTS, R, cohort

from her2radiomics.statistics import (
    auc,
    auc_interval,
    delong_test,
    delong_test_unpaired,
    holm,
    operating_point,
    proportion_interval,
    youden_threshold,
)

SCORES = ("score_a", "score_b", "score_c")
PAIRS = {"ab": ("score_a", "score_b"), "ac": ("score_a", "score_c"), "bc": ("score_b", "score_c")}


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("score", SCORES)
def test_auc_and_delong_interval_equal_proc(name: str, score: str) -> None:
    data, expected = cohort(name), R["roc"][name]["scores"][score]
    labels, scores = data["label"], data[score]
    assert auc(labels, scores) == pytest.approx(expected["auc"], abs=1e-12)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert auc_interval(labels, scores) == pytest.approx(expected["delong"], abs=1e-12)
    assert auc_interval(labels, scores, level=0.9) == pytest.approx(expected["delong_90"], abs=1e-12)


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_paired_delong_equals_proc(name: str, pair: str) -> None:
    data, expected = cohort(name), R["roc"][name][pair]
    result = delong_test(data["label"], data[PAIRS[pair][0]], data[PAIRS[pair][1]])
    assert result.z == pytest.approx(expected["z"], abs=1e-10)
    assert result.p == pytest.approx(expected["p"], abs=1e-10)
    assert (result.low, result.high) == pytest.approx(expected["interval"], abs=1e-10)
    assert result.difference == result.auc_a - result.auc_b


def test_unpaired_delong_equals_proc() -> None:
    small, rare = cohort("small"), cohort("rare_events")
    result = delong_test_unpaired(small["label"], small["score_a"], rare["label"], rare["score_a"])
    expected = R["unpaired"]
    assert result.z == pytest.approx(expected["statistic"], abs=1e-10)
    assert result.df == pytest.approx(expected["df"], rel=1e-10)
    assert result.p == pytest.approx(expected["p"], abs=1e-10)


def test_delong_of_identical_rankings_has_p_one() -> None:
    data = cohort("small")
    result = delong_test(data["label"], data["score_b"], np.exp(data["score_b"]))
    assert (result.z, result.p, result.low, result.high) == (0.0, 1.0, 0.0, 0.0)


def test_delong_of_perfect_against_inverted_scores() -> None:
    labels = np.repeat([0, 1], 5)
    result = delong_test(labels, labels, -labels)
    assert (result.auc_a, result.auc_b, result.p) == (1.0, 0.0, 0.0)
    assert auc_interval(labels, labels) == (1.0, 1.0)
    assert auc_interval(labels, labels, "binomial_exact")[0] == pytest.approx(0.025**0.1)  # (α/2)^(1/n)


@pytest.mark.parametrize(("value", "n", "low", "high"), [(0.894, 68, 0.796, 0.956), (0.878, 65, 0.773, 0.946)])
def test_binomial_exact_gives_the_published_intervals(value: float, n: int, low: float, high: float) -> None:
    """The paper's nomogram: AUC 0.894 (0.796–0.956) of 68 patients, 0.878 (0.773–0.946) of 65."""
    assert tuple(round(bound, 3) for bound in proportion_interval(value * n, n)) == (low, high)


def test_binomial_exact_interval_takes_the_auc_as_a_proportion_of_all_rows() -> None:
    data = cohort("small")
    area = auc(data["label"], data["score_a"])
    assert auc_interval(data["label"], data["score_a"], "binomial_exact") == proportion_interval(area * 65, 65)


def test_bootstrap_interval_is_near_delong_repeatable_and_wants_a_seed() -> None:
    data = cohort("rare_events")
    labels, scores = data["label"], data["score_a"]
    first = auc_interval(labels, scores, "bootstrap", seed=3, iterations=4000)
    assert first == auc_interval(labels, scores, "bootstrap", seed=3, iterations=4000)
    assert first != auc_interval(labels, scores, "bootstrap", seed=4, iterations=4000)
    assert first == pytest.approx(auc_interval(labels, scores), abs=0.02)  # two estimators of one interval
    with pytest.raises(ValueError, match="seed: found none"):
        auc_interval(labels, scores, "bootstrap")


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("score", SCORES)
def test_youden_equals_proc(name: str, score: str) -> None:
    """pROC returns every tied optimum; ours is one of them, and never the trivial ±infinite threshold."""
    data, expected = cohort(name), R["roc"][name]["scores"][score]["best"]
    result = youden_threshold(data["label"], data[score])
    found = [result.threshold, result.sensitivity, result.specificity]
    columns = (
        np.atleast_1d(np.array(expected[key], dtype=float)) for key in ("threshold", "sensitivity", "specificity")
    )
    assert any(np.allclose(found, row, atol=1e-12) for row in zip(*columns, strict=True))
    point = operating_point(data["label"], data[score], result.threshold)
    assert point.value("sensitivity") == result.sensitivity
    assert point.value("specificity") == result.specificity


def test_youden_prefers_balance_then_the_lower_cut() -> None:
    # cuts at 1.5 and 3.5 both have index 1/2; neither is more balanced, so the lower is taken
    result = youden_threshold([0, 1, 0, 1], [1, 2, 3, 4])
    assert (result.threshold, result.sensitivity, result.specificity) == (1.5, 1.0, 0.5)


def test_youden_of_constant_and_of_inverted_scores_stays_finite() -> None:
    assert youden_threshold([0, 1, 1], [2.0, 2.0, 2.0]).specificity == 0.0
    result = youden_threshold([1, 1, 0, 0], [1, 2, 3, 4])
    assert np.isfinite(result.threshold) and result.sensitivity + result.specificity < 1


def test_proportions_and_holm_equal_r() -> None:
    for case in R["binomial"]:
        assert proportion_interval(case["x"], case["n"]) == pytest.approx(case["interval"], abs=1e-12)
    adjusted = [np.nan if x is None else x for x in R["holm"]["adjusted"]]
    p = [np.nan if x is None else x for x in R["holm"]["p"]]
    np.testing.assert_allclose(holm(p), adjusted, atol=1e-15)


def test_operating_point_by_hand() -> None:
    """36 of 43 and 21 of 25: the paper's training sensitivity 83.72 % and specificity 84.00 %."""
    labels = np.repeat([1, 0], [43, 25])
    scores = np.concatenate([np.repeat([1, 0], [36, 7]), np.repeat([1, 0], [4, 21])])
    table = operating_point(labels, scores, 0.5).to_frame().set_index("measure")
    assert round(100 * table.loc["sensitivity", "value"], 2) == 83.72
    assert round(100 * table.loc["specificity", "value"], 2) == 84.00
    assert table.loc["ppv", "value"] == 36 / 40
    assert table.loc["npv", "value"] == 21 / 28
    assert table.loc["accuracy", "value"] == 57 / 68


def test_threshold_that_calls_everybody_positive_is_marked() -> None:
    point = operating_point([0, 1, 1], [0.2, 0.3, 0.4], 0.1)
    assert point.degenerate and "classified positive" in point.remark
    assert np.isnan(point.value("npv")) and "NPV not computable, no patient in its denominator" in point.remark


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "found '2.0' in 1 of 3 rows, expected 0 and 1|found '2'"),
        ([0, 1, None], [1, 2, 3], "expected 0 and 1"),
        ([1, 1, 1], [1, 2, 3], "only 1 in 3 rows"),
        ([0, 1, 1], [1, np.nan, 3], "1 missing or infinite of 3 values .first at row 1"),
        ([0, 1, 1], [1, 2], "expected 3 values"),
        (["no", "yes"], [1, 2], "'no', 'yes'"),
    ],
)
def test_bad_input_is_named(labels: list, scores: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        auc(labels, scores)


def test_importing_the_statistics_costs_numpy_alone() -> None:
    code = (
        "import sys; from her2radiomics.statistics import auc; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "pandas", "statsmodels", "sklearn", "lifelines", "firthmodels", "matplotlib"}
