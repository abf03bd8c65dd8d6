"""Calibration, optimism, decision curves and nomograms against rms, base R and dcurves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from statistics_reference import COHORTS, R, cohort

from her2radiomics.statistics import (
    CategoricalPredictor,
    ContinuousPredictor,
    LinearModel,
    auc,
    brier,
    calibration,
    calibration_curve,
    decision_curve,
    hosmer_lemeshow,
    integrated_discrimination,
    logistic_refit,
    logistic_regression,
    net_reclassification,
    nomogram,
    optimism_corrected_auc,
    pretty,
)

COLUMNS = ["score_a", "age", "grade"]


def external(data: pd.DataFrame) -> np.ndarray:
    """Probabilities of a model that was not fitted on ``data``; as in make_references.R."""
    return expit(0.3 + 0.7 * data["score_b"].to_numpy())


def fitted(data: pd.DataFrame) -> np.ndarray:
    return logistic_regression(data[COLUMNS], data["label"]).predict(data)


@pytest.mark.parametrize("name", COHORTS)
def test_intercept_slope_and_brier_equal_val_prob(name: str) -> None:
    data, expected = cohort(name), R["rms"][name]
    result = calibration(data["label"], external(data))
    assert result.intercept == pytest.approx(expected["intercept"], abs=1e-7)
    assert result.slope == pytest.approx(expected["slope"], abs=1e-7)
    assert brier(data["label"], external(data)) == pytest.approx(expected["brier"], abs=1e-12)
    same = calibration(data["label"], fitted(data))  # by construction on the rows of the fit
    assert (same.intercept, same.slope) == pytest.approx((0, 1), abs=1e-8)


@pytest.mark.parametrize("name", COHORTS)
def test_hosmer_lemeshow_equals_hoslem(name: str) -> None:
    data, expected = cohort(name), R["rms"][name]
    own = hosmer_lemeshow(data["label"], fitted(data))
    assert own.statistic == pytest.approx(expected["hoslem_fitted"]["statistic"], rel=1e-7)
    assert (own.df, own.groups) == (expected["hoslem_fitted"]["groups"] - 2, expected["hoslem_fitted"]["groups"])
    assert own.p == pytest.approx(expected["hoslem_fitted"]["p"], rel=1e-6)
    other = hosmer_lemeshow(data["label"], external(data), groups=8, fitted=False)
    assert other.statistic == pytest.approx(expected["hoslem_external"]["statistic"], rel=1e-9)
    assert other.df == other.groups == expected["hoslem_external"]["groups"]


def test_calibration_without_a_solution_says_why() -> None:
    constant = calibration([0, 1, 1, 1], [0.4] * 4)  # val.prob: slope 0, intercept logit of the prevalence
    assert (constant.slope, constant.note) == (0.0, "constant probability")
    assert constant.intercept == pytest.approx(logit(0.75))
    separated = calibration([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8])
    assert separated.slope == np.inf and np.isnan(separated.intercept) and "separate the classes" in separated.note
    certain = calibration([0, 0, 1, 1, 0, 1], [0.0, 0.3, 1.0, 0.5, 0.6, 0.4])
    assert (certain.n, certain.excluded) == (4, 2) and "were excluded" in certain.note


@pytest.mark.parametrize("name", COHORTS)
def test_calibration_curve_equals_rms_calibrate(name: str) -> None:
    """The same 20 resamples as R drew; the refits and the smoother are then the only source of difference."""
    data, expected = cohort(name), R["rms"][name]
    result = calibration_curve(
        data["label"], fitted(data), design=data[COLUMNS], resamples=np.array(expected["resamples"])
    )
    curves = dict(list(result.table.groupby("curve")))
    np.testing.assert_allclose(curves["apparent"]["predicted"], expected["calibrate"]["predicted"], atol=1e-7)
    np.testing.assert_allclose(curves["apparent"]["observed"], expected["calibrate"]["apparent"], atol=1e-6)
    np.testing.assert_allclose(curves["bias_corrected"]["observed"], expected["calibrate"]["corrected"], atol=1e-6)
    assert (result.iterations, result.failed) == (20, 0)


def test_a_refit_of_the_whole_pipeline_gives_the_same_as_its_design() -> None:
    data = cohort("rare_events")
    labels, probability = data["label"], fitted(data)
    refit = logistic_refit(data[COLUMNS], labels)
    by_refit = calibration_curve(labels, probability, refit=refit, bootstrap=15, seed=4)
    by_design = calibration_curve(labels, probability, design=data[COLUMNS], bootstrap=15, seed=4)
    pd.testing.assert_frame_equal(by_refit.table, by_design.table)


def test_resamples_that_cannot_be_refitted_are_counted_and_leave_no_curve() -> None:
    data = cohort("small")
    result = calibration_curve(data["label"], fitted(data), refit=lambda rows: None, bootstrap=5, seed=1)
    assert (result.iterations, result.failed) == (5, 5)
    assert set(result.table["curve"]) == {"apparent"} and np.isnan(result.mean_absolute_error)


def test_curve_of_unseen_rows_has_a_band_that_holds_it() -> None:
    data = cohort("rare_events")
    table = calibration_curve(data["label"], external(data), bootstrap=200, seed=1).table
    again = calibration_curve(data["label"], external(data), bootstrap=200, seed=1).table
    pd.testing.assert_frame_equal(table, again)
    assert set(table["curve"]) == {"observed"} and len(table) == 50
    assert (table["low"] <= table["observed"]).mean() > 0.95
    assert (table["high"] >= table["observed"]).mean() > 0.95
    assert table[["low", "high"]].stack().between(0, 1).all()
    with pytest.raises(ValueError, match="at least 11"):
        calibration_curve([0, 1, 1], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("name", COHORTS)
def test_optimism_equals_rms_validate(name: str) -> None:
    """validate's Dxy = 2 AUC − 1; its optimism over the same resamples."""
    data, expected = cohort(name), R["rms"][name]
    refit = logistic_refit(data[COLUMNS], data["label"])
    dxy, optimism, count = expected["dxy"]
    assert 2 * auc(data["label"], fitted(data)) - 1 == pytest.approx(dxy, abs=1e-12)
    positive, gaps = data["label"].to_numpy(), []
    for rows in np.array(expected["resamples"]):
        again = refit(rows)
        gaps.append(auc(positive[rows], again[rows]) - auc(positive, again))
    assert (2 * np.mean(gaps), len(gaps)) == (pytest.approx(optimism, abs=1e-9), count)


def test_optimism_of_a_pipeline_that_selects_on_noise_is_large() -> None:
    """A refit that chooses the best of 40 noise features each time: apparent AUC far above, corrected near 0.5."""
    labels = cohort("small")["label"].to_numpy()
    u = np.abs(np.sin(12.9898 * np.arange(1, 65 * 40 + 1)) * 43758.5453) % 1
    noise = u.reshape(65, 40)

    def chosen(rows: np.ndarray) -> np.ndarray:
        areas = np.array([auc(labels[rows], column[rows]) for column in noise.T])
        best = int(np.argmax(np.abs(areas - 0.5)))
        return noise[:, best] * np.sign(areas[best] - 0.5)

    result = optimism_corrected_auc(labels, chosen(np.arange(65)), chosen, iterations=100, seed=2)
    assert result.apparent > 0.65
    assert result.corrected < result.apparent - 0.1
    failing = optimism_corrected_auc(
        labels, noise[:, 0], lambda rows: None if rows[0] < 30 else chosen(rows), iterations=40, seed=2
    )
    assert 0 < failing.failed < 40
    with pytest.raises(ValueError, match="both or neither"):
        optimism_corrected_auc(labels, noise[:, 0], seed=1)


@pytest.mark.parametrize("name", COHORTS)
def test_net_benefit_equals_dcurves(name: str) -> None:
    from dcurves import dca

    data = cohort(name).assign(model=lambda d: np.round(external(d), 2))  # values on the thresholds themselves
    thresholds = np.arange(5, 80, 5) / 100
    ours = decision_curve(data["label"], data["model"], thresholds).table
    theirs = dca(data[["label", "model"]], "label", ["model"], thresholds=list(thresholds))
    for column, model in {"net_benefit": "model", "net_benefit_all": "all", "net_benefit_none": "none"}.items():
        expected = theirs.loc[theirs["model"] == model].sort_values("threshold")["net_benefit"]
        np.testing.assert_allclose(ours[column], expected, atol=1e-12)


def test_useful_thresholds_are_where_the_model_beats_both() -> None:
    labels = np.repeat([0, 1], [6, 4])
    curve = decision_curve(labels, np.repeat([0.2, 0.6], [6, 4]), [0.1, 0.2, 0.3, 0.6, 0.7])
    assert curve.useful == [(0.3, 0.6)]
    with pytest.raises(ValueError, match="from 0 to below 1"):
        decision_curve(labels, np.full(10, 0.3), [1.0])


@pytest.mark.parametrize("case", R["pretty"], ids=lambda c: str(c["range"]))
def test_pretty_equals_r(case: dict) -> None:
    np.testing.assert_allclose(pretty(*case["range"], 10), np.atleast_1d(case["ten"]), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(pretty(*case["range"], 5), np.atleast_1d(case["five"]), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", COHORTS)
def test_nomogram_equals_rms(name: str) -> None:
    data, expected = cohort(name), R["rms"][name]["nomogram"]
    model = logistic_regression(data[COLUMNS], data["label"])
    result = nomogram(model, data, probabilities=[0.1, 0.3, 0.5, 0.7])
    axes = {axis: part for axis, part in result.table.groupby("axis")}
    for axis in ("score_a", "age"):
        np.testing.assert_allclose(axes[axis]["value"].astype(float), np.array(expected[axis]["value"], dtype=float))
        np.testing.assert_allclose(axes[axis]["points"], expected[axis]["points"], atol=1e-5)
    assert axes["grade"]["value"].tolist() == expected["grade"]["value"]
    np.testing.assert_allclose(axes["grade"]["points"], expected["grade"]["points"], atol=1e-5)
    np.testing.assert_allclose(axes["total"]["points"], expected["total"])
    linear = (np.array(expected["lp"]) - result.origin) * result.points_per_unit
    np.testing.assert_allclose(linear, expected["lp_points"], atol=1e-5)
    # rms finds the place of a probability by interpolation on 1000 points, ours is exact
    ours = axes["probability"].set_index("value")["points"]
    shown = expected["probability"]
    np.testing.assert_allclose(ours.loc[shown], expected["probability_points"], atol=2e-3)


def test_nomogram_points_give_back_the_model() -> None:
    data = cohort("small")
    model = logistic_regression(data[COLUMNS], data["label"])
    result = nomogram(model, data)
    for _, row in data.head(10).iterrows():
        probability = result.probability(result.total_points(row))
        assert probability == pytest.approx(model.predict(row.to_frame().T).iloc[0], abs=1e-12)
    assert result.probability(result.total_for(0.37)) == pytest.approx(0.37)
    largest = result.table.query("kind == 'predictor'").groupby("axis")["points"].agg(["min", "max"])
    assert largest["min"].tolist() == [0, 0, 0] and largest["max"].max() == pytest.approx(100)


def test_nomogram_by_hand() -> None:
    """Widest effect: 4 × 0.5 = 2 on the logit scale is 100 points; a level of 1 is then 50."""
    parts = (ContinuousPredictor("size", 0.5, 0, 4), CategoricalPredictor("node", {"no": 0.0, "yes": 1.0}))
    result = nomogram(LinearModel(-1.5, parts))
    assert result.points({"size": 3, "node": "yes"}) == {"size": 75.0, "node": 50.0}
    assert result.probability(125) == pytest.approx(expit(-1.5 + 1.5 + 1))
    with pytest.raises(ValueError, match="'node': found level 'maybe'"):
        result.points({"size": 3, "node": "maybe"})
    with pytest.raises(ValueError, match="'size': found no value"):
        result.points({"node": "no"})
    with pytest.raises(ValueError, match="no finite effect"):
        nomogram(LinearModel(0.0, (ContinuousPredictor("size", 0.0, 0, 4),)))


def test_reclassification_by_hand() -> None:
    """2 of 3 events rise and 1 falls, 1 of 4 non-events rises and 2 fall: 1/3 + 1/4."""
    labels = [1, 1, 1, 0, 0, 0, 0]
    a = [0.4, 0.4, 0.6, 0.3, 0.3, 0.5, 0.2]
    b = [0.6, 0.5, 0.5, 0.4, 0.2, 0.4, 0.2]
    free = net_reclassification(labels, a, b)
    assert (free.events, free.non_events) == (pytest.approx(1 / 3), pytest.approx(1 / 4))
    assert free.value == pytest.approx(7 / 12)
    error = np.sqrt((1 - 1 / 9) / 3 + (3 / 4 - 1 / 16) / 4)
    assert free.z == pytest.approx(7 / 12 / error)
    classed = net_reclassification(labels, a, b, cuts=[0.45])
    assert (classed.events, classed.non_events) == (pytest.approx(2 / 3), pytest.approx(1 / 4))
    idi = integrated_discrimination(labels, a, b)
    assert idi.value == pytest.approx((0.2 + 0.1 - 0.1) / 3 - (0.1 - 0.1 - 0.1 + 0) / 4)
    assert net_reclassification(labels, a, a).p == integrated_discrimination(labels, a, a).p == 1
