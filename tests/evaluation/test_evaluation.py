"""Evaluation of models on partitions: values, notes on what cannot be judged, and refusals by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from statistics_reference import cohort

from her2radiomics import statistics
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import TableError
from her2radiomics.evaluation.performance import EvaluationSettings, calibration_rows, evaluate

THRESHOLDS = {"a": 0.5, "b": 0.4, "c": 0.6}


@pytest.fixture(scope="module")
def predictions() -> dict[str, pd.DataFrame]:
    """Three models on the two artificial cohorts, one for training, one for testing."""
    frames = {}
    for model, score in (("a", "score_a"), ("b", "score_b"), ("c", "score_c")):
        parts = []
        for partition, name in (("testing", "rare_events"), ("training", "small")):
            data = cohort(name)
            linear = data[score].to_numpy() - data[score].mean()
            parts.append(
                pd.DataFrame(
                    {
                        "patient_id": [f"{name}-{i}" for i in range(len(data))],
                        "partition": partition,
                        "label": data["label"],
                        "score": linear,
                        "probability": expit(linear),
                    }
                )
            )
        frames[model] = pd.concat(parts, ignore_index=True)
    return frames


def extra(judged: object, model: str, partition: str) -> pd.DataFrame:
    table = judged.extra  # type: ignore[attr-defined]
    return table[(table["model"] == model) & (table["partition"] == partition)].set_index("measure")


def test_performance_is_what_the_statistics_give(predictions: dict[str, pd.DataFrame]) -> None:
    judged = evaluate(predictions, THRESHOLDS, EvaluationSettings(ci_method="binomial_exact"), seed=1)
    assert tuple(judged.performance.columns) == contract("performance").names
    assert judged.performance[["model", "partition"]].agg("-".join, axis=1).tolist() == [
        f"{model}-{partition}" for model in "abc" for partition in ("training", "testing")
    ]
    for row in judged.performance.itertuples():
        frame = predictions[row.model].query("partition == @row.partition")
        labels, probability = frame["label"], frame["probability"]
        assert (row.n, row.events) == (len(frame), labels.sum())
        assert row.auc == statistics.auc(labels, probability)
        low, high = statistics.auc_interval(labels, probability, "binomial_exact")
        assert (row.auc_low, row.auc_high, row.ci_method) == (low, high, "binomial_exact")
        called = probability >= THRESHOLDS[row.model]
        assert row.sensitivity == (called & (labels == 1)).sum() / (labels == 1).sum()
        assert row.npv == (~called & (labels == 0)).sum() / (~called).sum()
        assert row.accuracy == (called == (labels == 1)).mean()
        fit = statistics.calibration(labels, probability)
        assert (row.calibration_intercept, row.calibration_slope) == (fit.intercept, fit.slope)
        assert row.brier == np.mean((probability - labels) ** 2)


def test_extra_holds_all_intervals_and_marks_training_rows(predictions: dict[str, pd.DataFrame]) -> None:
    judged = evaluate(predictions, THRESHOLDS, seed=1)
    assert tuple(judged.extra.columns) == contract("performance_extra").names
    rows = extra(judged, "a", "testing")
    frame = predictions["a"].query("partition == 'testing'")
    labels, probability = frame["label"], frame["probability"]
    for method in ("delong", "delong_logit", "binomial_exact", "bootstrap"):
        expected = statistics.auc_interval(labels, probability, method, seed=1)
        assert tuple(rows.loc[f"auc_{method}", ["low", "high"]]) == expected
    hits, events = int(((probability >= 0.5) & (labels == 1)).sum()), int(labels.sum())
    assert tuple(rows.loc["sensitivity", ["low", "high"]]) == statistics.proportion_interval(hits, events)
    assert rows.loc["sensitivity", "method"] == f"Clopper–Pearson, {hits} of {events}"
    fitted = extra(judged, "a", "training")
    assert "fitted on" in fitted.loc["note_apparent", "method"]
    assert "note_apparent" not in rows.index
    assert rows.loc["hosmer_lemeshow", "method"] == "10 groups of risk, 10 degrees of freedom"
    assert fitted.loc["hosmer_lemeshow", "method"] == "10 groups of risk, 8 degrees of freedom"
    bounds = judged.performance.query("model == 'a' and partition == 'testing'").iloc[0]
    assert (bounds["auc_delong_low"], bounds["auc_delong_high"]) == statistics.auc_interval(labels, probability)
    errors = statistics.calibration_errors(labels, probability, bootstrap=200, seed=1).table.set_index("measure")
    for name in ("ici", "e50", "e90"):
        assert rows.loc[name, ["value", "low", "high"]].tolist() == errors.loc[name].tolist()
    area = statistics.precision_recall(labels, probability)
    assert rows.loc["pr_auc", ["value", "low", "high"]].tolist() == [area.area, area.low, area.high]
    ratio = statistics.observed_expected(labels, probability)
    assert rows.loc["observed_expected", ["value", "low", "high"]].tolist() == [ratio.ratio, ratio.low, ratio.high]
    assert rows.loc["brier_skill", "value"] == statistics.brier_skill(labels, probability)
    benefit = statistics.decision_curve(labels, probability, [0.25])["net_benefit"][0]
    assert rows.loc["net_benefit_0.25", "value"] == benefit


def test_delong_compares_all_pairs_with_holm(predictions: dict[str, pd.DataFrame]) -> None:
    judged = evaluate(predictions, THRESHOLDS, seed=1)
    table = judged.delong
    assert tuple(table.columns) == contract("delong").names
    assert table["partition"].tolist() == ["training"] * 3 + ["testing"] * 3
    assert table[["model_a", "model_b"]].agg("".join, axis=1).tolist() == ["ab", "ac", "bc"] * 2
    data = cohort("small")
    expected = statistics.delong_test(data["label"], data["score_a"], data["score_b"])
    assert (table.loc[0, "z"], table.loc[0, "p"], table.loc[0, "n"]) == (expected.z, expected.p, 65)
    for _, part in table.groupby("partition"):
        np.testing.assert_allclose(part["p_holm"], statistics.holm(part["p"]))


def test_only_patients_that_both_models_predicted_are_compared(predictions: dict[str, pd.DataFrame]) -> None:
    fewer = {**predictions, "b": predictions["b"].iloc[5:].sample(frac=1, random_state=0)}
    table = evaluate(fewer, THRESHOLDS, seed=1).delong.set_index(["partition", "model_a", "model_b"])
    assert table.loc[("testing", "a", "b"), "n"] == 145
    assert table.loc[("testing", "a", "c"), "n"] == 150
    data = cohort("rare_events").iloc[5:]
    expected = statistics.delong_test(data["label"], data["score_a"], data["score_b"])
    assert table.loc[("testing", "a", "b"), "p"] == expected.p


def test_what_cannot_be_judged_is_empty_and_said() -> None:
    """One class; a constant score; one row of a class; perfect separation; a threshold that calls all positive."""
    parts = {
        "testing": ([1, 1, 1], [0.2, 0.6, 0.9]),
        "external": ([0, 1, 1, 0], [0.3] * 4),
        "extra_1": ([0, 1, 1], [0.7, 0.6, 0.8]),
        "extra_2": ([0, 0, 1, 1], [0.6, 0.7, 0.8, 0.9]),
    }
    frame = pd.concat(
        [
            pd.DataFrame({"partition": name, "label": labels, "probability": probability})
            for name, (labels, probability) in parts.items()
        ],
        ignore_index=True,
    )
    frame["patient_id"] = frame.index.astype(str)
    judged = evaluate({"m": frame, "same": frame}, {"m": 0.5, "same": 0.5}, seed=1)
    rows = judged.performance.query("model == 'm'").set_index("partition")
    assert rows.index.tolist() == list(parts)
    assert np.isnan(rows.loc["testing", ["auc", "auc_low", "specificity", "calibration_slope"]].astype(float)).all()
    assert rows.loc["testing", "sensitivity"] == 2 / 3
    assert "only label 1" in extra(judged, "m", "testing").loc["note_one_class", "method"]
    assert rows.loc["external", ["auc", "specificity", "calibration_slope"]].tolist() == [0.5, 1.0, 0.0]
    constant = extra(judged, "m", "external")
    assert "constant probability 0.3" in constant.loc["note_constant", "method"]
    assert "classified negative" in constant.loc["note_threshold", "method"]
    assert "one row of a class" in extra(judged, "m", "extra_1").loc["note_interval", "method"]
    assert np.isnan(rows.loc["extra_1", "auc_low"]) and rows.loc["extra_1", "auc"] == 0.5
    perfect = extra(judged, "m", "extra_2")
    assert "cannot be estimated" in perfect.loc["note_interval", "method"]
    assert "classified positive" in perfect.loc["note_threshold", "method"]
    assert "separate the classes" in perfect.loc["note_calibration", "method"]
    assert rows.loc["extra_2", "specificity"] == 0
    delong = judged.delong.set_index("partition")
    assert delong.loc[["testing", "extra_1"], ["z", "p", "p_holm"]].isna().all(axis=None)
    assert np.isnan(delong.loc["extra_2", "p"])  # the same model twice: no variance, no test


def test_same_seed_same_tables(predictions: dict[str, pd.DataFrame]) -> None:
    first, again = (evaluate(predictions, THRESHOLDS, seed=7) for _ in range(2))
    alone = evaluate({"c": predictions["c"]}, THRESHOLDS, seed=7)
    pd.testing.assert_frame_equal(first.extra, again.extra)
    mine = first.extra.query("model == 'c'").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.extra)
    assert len(alone.delong) == 0 and tuple(alone.delong.columns) == contract("delong").names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="probability"), "column 'probability': found no such column"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "patient rare_events-0: found two rows"),
        (lambda f: f.assign(label=2), "patient rare_events-0, column 'label': found 2; expected 0 or 1"),
        (lambda f: f.assign(probability=np.nan), "column 'probability': found nan"),
        (lambda f: f.assign(probability=f["score"] * 9), "expected a number from 0 to 1"),
        (lambda f: f.assign(label=1 - f["label"]), "as for model 'a'"),
    ],
)
def test_bad_predictions_are_named(predictions: dict[str, pd.DataFrame], change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TableError, match=f"model 'b'.*{message}"):
        evaluate({"a": predictions["a"], "b": change(predictions["b"])}, THRESHOLDS, seed=1)


def test_a_model_without_threshold_is_refused(predictions: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(TableError, match="thresholds of model 'a'.*found none"):
        evaluate({"a": predictions["a"]}, {}, seed=1)


def test_calibration_rows_refit_on_training_and_only_observe_elsewhere(predictions: dict[str, pd.DataFrame]) -> None:
    data = cohort("small")
    design = data[["score_a"]]
    frame = predictions["a"].copy()
    training = frame["partition"] == "training"
    model = statistics.logistic_regression(design, data["label"])
    frame.loc[training, "probability"] = model.predict(design).to_numpy()
    refit = statistics.logistic_refit(design, data["label"])
    settings = EvaluationSettings(calibration_bootstrap=30)
    patients = frame.loc[training, "patient_id"].tolist()
    shuffled = frame.sample(frac=1, random_state=1)
    table = calibration_rows(shuffled, settings, seed=5, refit=refit, patients=patients)
    assert tuple(table.columns) == contract("calibration").names
    curves = table.groupby(["partition", "curve"], sort=False).size()
    assert curves.to_dict() == {
        ("training", "apparent"): 50,
        ("training", "bias_corrected"): 50,
        ("testing", "observed"): 50,
    }
    direct = statistics.calibration_curve(
        data["label"], model.predict(design), design=design, bootstrap=30, seed=5
    ).table
    mine = table.query("partition == 'training'").reset_index(drop=True)[direct.columns]
    pd.testing.assert_frame_equal(mine, direct)
    assert table.query("curve == 'observed'")[["low", "high"]].notna().all(axis=None)
    apparent = calibration_rows(frame, settings, seed=5).query("partition == 'training'")
    assert set(apparent["curve"]) == {"apparent"} and apparent["low"].isna().all()
    with pytest.raises(TableError, match="training patients other than"):
        calibration_rows(frame, settings, seed=5, refit=refit, patients=patients[1:])


def test_partitions_too_small_for_a_curve_have_none(predictions: dict[str, pd.DataFrame]) -> None:
    few = predictions["a"].groupby("partition").head(8)
    assert calibration_rows(few, seed=1).empty
    assert tuple(calibration_rows(few, seed=1).columns) == contract("calibration").names
