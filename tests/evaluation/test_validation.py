"""Resampling of models on training rows, and comparisons of pairs: against rms, R's anova, and hand calculation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from model_cohort import COLUMNS
from model_cohort import cohort as made
from scipy.special import expit
from statistics_reference import COHORTS, R, cohort

from her2radiomics import modelling, statistics
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import SettingsError
from her2radiomics.evaluation.performance import EvaluationSettings, evaluate
from her2radiomics.evaluation.validation import cross_validate, resample
from her2radiomics.modelling import build_model, pipeline_refit
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.settings import parse_models

TERMS = ["score_a", "age", "grade"]
# R 4.2.2, rms 6.5.0: set.seed(11); validate(lrm(label ~ score_a + age + grade, x = TRUE, y = TRUE), B = 20), with the
# resamples of references.json. index.corrected of Dxy, Intercept, Slope and B
RMS = {
    "small": (0.6314778581323, 0.0988667519119, 0.8028034461843, 0.1738634579175),
    "rare_events": (0.255993686973, -0.347046256963, 0.747244922739, 0.147682933830),
}
# anova(glm(label ~ score_a, binomial), glm(label ~ score_a + age + grade, binomial), test = "LRT")
ANOVA = {"small": (5.28851274221, 0.15185), "rare_events": (0.255168839909, 0.96823)}
SETTINGS = EvaluationSettings(calibration_bootstrap=25, pipeline_bootstrap=6, bootstrap=100)
MODELS = {
    "radiomics": {
        "kind": "radiomics",
        "steps": [{"step": "z_score"}, {"step": "univariate", "k": 5}],
        "estimator": {"kind": "logistic", "folds": 5},
    },
    "clinical": {"kind": "clinical", "candidates": ["ki67", "age"], "keep": "all", "folds": 4},
    "both": {"kind": "combined", "of": ["radiomics", "clinical"], "folds": 5},
    "plain": {"kind": "combined", "of": ["radiomics", "clinical"]},
    "ridge": {
        "kind": "radiomics",
        "steps": [{"step": "z_score"}, {"step": "univariate", "k": 5}],
        "estimator": {"kind": "ridge", "n_lambdas": 20, "folds": 4},
    },
}


@pytest.fixture(scope="module")
def data():
    features, _, clinical, labels = made(n=90, per_sequence=10, seed=3)
    X = pd.concat([features, clinical], axis=1)
    return X, pd.Series(labels, index=X.index)


def fitted(name, data):
    X, y = data
    return build_model(name, parse_models(MODELS), COLUMNS, seed=2).fit(X, y)


def predictions(model, data):
    X, y = data
    return pd.DataFrame(
        {"patient_id": X.index, "partition": "training", "label": y, "probability": model.predict_proba(X)[:, 1]}
    )


@pytest.fixture(scope="module")
def resampled(data):
    found = {}
    for name in MODELS:
        model = fitted(name, data)
        found[name] = model, resample(model, *data, SETTINGS, seed=4)
    return found


@pytest.mark.parametrize("name", COHORTS)
def test_corrected_performance_is_rms_validate(name):
    data = cohort(name)
    model = statistics.logistic_regression(data[TERMS], data["label"], "ml")
    found = statistics.optimism_corrected(
        data["label"], model.predict(data[TERMS]), design=data[TERMS], resamples=np.array(R["rms"][name]["resamples"])
    )
    corrected = found.table.set_index("measure")["corrected"]
    dxy, intercept, slope, brier = RMS[name]
    assert 2 * corrected["auc"] - 1 == pytest.approx(dxy, abs=1e-9)
    assert corrected["calibration_intercept"] == pytest.approx(intercept, abs=1e-6)
    assert corrected["calibration_slope"] == pytest.approx(slope, abs=1e-6)
    assert corrected["brier"] == pytest.approx(brier, abs=1e-8)
    assert (found.iterations, found.failed) == (20, 0)


@pytest.mark.parametrize("name", COHORTS)
def test_a_block_of_terms_is_tested_as_rs_anova(name):
    data = cohort(name)
    larger = statistics.logistic_regression(data[TERMS], data["label"], "ml")
    statistic, df, p = larger.test_without(["age", "grade"])
    assert (statistic, df) == (pytest.approx(ANOVA[name][0], abs=1e-8), 3)
    assert p == pytest.approx(ANOVA[name][1], abs=1e-5)
    smaller = statistics.logistic_regression(data[["score_a"]], data["label"], "ml")
    assert statistics.likelihood_ratio_test(smaller, larger).statistic == pytest.approx(statistic, abs=1e-9)
    # of one variable it is the penalised test that variable_tests prints, by maximum likelihood and by Firth
    for method in ("ml", "firth"):
        model = statistics.logistic_regression(data[TERMS], data["label"], method)
        single = model.variable_tests().set_index("variable").loc["grade"]
        assert model.test_without(["grade"]) == pytest.approx((single["statistic"], 2, single["p"]), abs=1e-9)


def test_nothing_is_refitted_twice(data, monkeypatch):
    """Calibration curve and optimism share each resample's refit."""
    model = fitted("radiomics", data)
    calls = []

    def counted(model, X, y, **options):
        inner = pipeline(model, X, y, **options)

        def refit(rows):
            calls.append(rows.tobytes())
            return inner(rows)

        return refit

    pipeline = modelling.pipeline_refit
    monkeypatch.setattr("her2radiomics.evaluation.validation.pipeline_refit", counted)
    estimator = model.spec.estimator.model_copy(update={"folds": 0})
    model.specs = {"radiomics": model.spec.model_copy(update={"estimator": estimator})}
    resample(model, *data, SETTINGS, seed=4)
    assert len(calls) == SETTINGS.pipeline_bootstrap == len(set(calls))


def test_the_same_refits_correct_curve_and_auc(resampled, data):
    """By hand: the optimism of the whole pipeline over the resamples that the seed draws."""
    X, y = data
    model, tables = resampled["radiomics"]
    assert tuple(tables["validation"].columns) == contract("validation").names
    assert set(tables["calibration"]["curve"]) == {"apparent", "bias_corrected", "pipeline_corrected"}
    rows = tables["validation"].set_index("measure")
    refit, labels = pipeline_refit(model, X, y), y.to_numpy()
    gaps, slopes = [], []
    for drawn in np.random.default_rng(4).integers(0, 90, (6, 90)):
        again = refit(drawn)
        gaps.append(statistics.auc(labels[drawn], again[drawn]) - statistics.auc(labels, again))
        slopes.append(statistics.calibration(labels, again).slope)
    apparent = statistics.auc(labels, model.predict_proba(X)[:, 1])
    assert rows.loc["auc_corrected", "value"] == pytest.approx(apparent - np.mean(gaps), abs=1e-12)
    assert rows.loc["calibration_slope_corrected", "value"] == pytest.approx(np.mean(slopes), abs=1e-12)
    assert rows.loc["auc_corrected", "value"] < rows.loc["auc_corrected_final", "value"] < apparent
    assert "6 of 6 resamples" in rows.loc["auc_corrected", "method"]
    assert {
        f"{m}_corrected{e}"
        for m in ("auc", "brier", "calibration_intercept", "calibration_slope")
        for e in ("", "_final")
    } <= set(rows.index)


def test_a_combined_model_is_tested_against_its_parts(resampled):
    model, tables = resampled["both"]
    rows = tables["validation"].set_index("measure")
    larger = statistics.logistic_regression(model.fitted_.table, model.fitted_.labels, "ml", model.fitted_.levels)
    for part, own, df in (("radiomics", ["radiomics"], 2), ("clinical", ["ki67", "age"], 1)):
        levels = {k: v for k, v in model.fitted_.levels.items() if k in own}
        smaller = statistics.logistic_regression(model.fitted_.table[own], model.fitted_.labels, "ml", levels)
        expected = statistics.likelihood_ratio_test(smaller, larger)
        assert rows.loc[f"lr_test_vs_{part}", "value"] == pytest.approx(expected.statistic, abs=1e-8)
        assert rows.loc[f"lr_test_p_vs_{part}", "value"] == pytest.approx(expected.p, abs=1e-9)
        assert rows.loc[f"lr_test_df_vs_{part}", "value"] == df
        assert f"df {df}" in rows.loc[f"lr_test_vs_{part}", "method"]
        assert "apparent" in rows.loc[f"lr_test_vs_{part}", "method"]
    alone = resampled["radiomics"][1]["validation"].set_index("measure")
    assert not any(m.startswith("lr_test_vs") for m in alone.index)
    model = resampled["radiomics"][0]
    fit = model.fitted_
    whole = statistics.logistic_regression(fit.table, fit.labels, fit.method)
    share = fit.labels.mean()
    nothing = len(fit.labels) * (share * np.log(share) + (1 - share) * np.log(1 - share))  # of the prevalence
    assert whole.method == "ml"
    assert alone.loc["lr_test", "value"] == pytest.approx(2 * (whole.log_likelihood - nothing), abs=1e-8)
    assert alone.loc["refits_final", "value"] >= 1 and "resamples" in alone.loc["refits_final", "method"]


@pytest.mark.parametrize("name", ["radiomics", "clinical", "both", "ridge"])
def test_cross_validation_is_reported_fold_by_fold(resampled, data, name):
    X, y = data
    model, tables = resampled[name]
    table, folds = tables["cross_validation"], model.spec.reported_folds
    assert tuple(table.columns) == contract("cross_validation").names
    for target in ("final", "pipeline"):
        mine = table[table["target"] == target].set_index("fold")
        assert mine.index.tolist() == [*map(str, range(1, folds + 1)), "mean", "sd", "pooled"]
        each = mine["auc"].iloc[:folds]
        assert mine.loc["mean", "auc"] == pytest.approx(each.mean(), abs=1e-12)
        assert mine.loc["sd", "auc"] == pytest.approx(each.std(ddof=1), abs=1e-12)
        assert mine["n"].iloc[:folds].sum() == 90 == mine.loc["pooled", "n"]
        assert mine.loc["pooled", "low"] < mine.loc["pooled", "auc"] < mine.loc["pooled", "high"]
    # by hand, the whole pipeline
    fold = patient_folds(X.index.to_numpy(), y.to_numpy(), folds, 4)
    held_out = np.empty(90)
    for k in np.unique(fold):
        again = fitted_on(name, X[fold != k], y[fold != k])
        held_out[fold == k] = again.predict_proba(X[fold == k])[:, 1]
    pooled = table[(table["target"] == "pipeline") & (table["fold"] == "pooled")]["auc"].iloc[0]
    assert pooled == pytest.approx(statistics.auc(y, held_out), abs=1e-12)
    kept = tables["held_out"].query("target == 'pipeline'").set_index("patient_id")
    np.testing.assert_allclose(kept.loc[[str(p) for p in X.index], "probability"], held_out, atol=1e-12)
    assert kept["label"].tolist() == y.tolist() and kept["fold"].tolist() == (fold + 1).tolist()
    measures = tables["validation"].set_index("measure")["value"]
    assert measures["auc_cross_validated_pooled"] == pooled
    assert (
        measures["auc_cross_validated_mean_final"] == table.query("target == 'final' and fold == 'mean'")["auc"].iloc[0]
    )


def fitted_on(name, X, y):
    return build_model(name, parse_models(MODELS), COLUMNS, seed=2).fit(X, y)


def test_without_folds_nothing_is_cross_validated(resampled):
    _, tables = resampled["plain"]
    assert (
        tables["cross_validation"].empty
        and tuple(tables["cross_validation"].columns) == contract("cross_validation").names
    )
    assert not tables["validation"]["measure"].str.contains("cross_validated").any()


def test_selection_on_noise_is_seen_by_the_pipeline_alone():
    """200 noise features, the best 5 kept: the final regression's cross-validation is fooled, the pipeline's is not."""
    random = np.random.default_rng(1)
    X = pd.DataFrame(random.normal(size=(70, 200)), index=[f"P{i:02d}" for i in range(70)]).rename(columns="f{}".format)
    y = pd.Series(np.arange(70) % 2, index=X.index)
    model = fitted_on("radiomics", X, y)
    table = cross_validate(model, X, y.to_numpy(), 5, seed=1)[0].query("fold == 'pooled'").set_index("target")["auc"]
    assert table["final"] > 0.7
    assert table["pipeline"] < 0.65


def test_an_empty_model_has_tables_without_rows(data):
    X, y = data
    specs = parse_models({"m": {"kind": "radiomics", "steps": [{"step": "univariate", "p": 1e-12}]}})
    model = build_model("m", specs, COLUMNS, seed=0).fit(X, y)
    assert model.empty_
    tables = resample(model, X, y, SETTINGS, seed=1)
    assert all(tables[name].empty for name in ("validation", "cross_validation"))
    assert tuple(tables["validation"].columns) == contract("validation").names


def test_validation_stands_with_the_training_rows_of_extra(resampled, data):
    frames = {name: predictions(model, data) for name, (model, _) in resampled.items()}
    judged = evaluate(
        frames,
        dict.fromkeys(frames, 0.5),
        SETTINGS,
        seed=1,
        validation={name: tables["validation"] for name, (_, tables) in resampled.items()},
    )
    assert tuple(judged.extra.columns) == contract("performance_extra").names
    for name, (_, tables) in resampled.items():
        mine = judged.extra[judged.extra["model"] == name].set_index("measure")
        for row in tables["validation"].itertuples():
            assert mine.loc[row.measure, "value"] == row.value
            assert mine.loc[row.measure, "partition"] == "training"


def pair() -> dict[str, pd.DataFrame]:
    """Eight patients, two models, one partition: small enough for a hand calculation."""
    a = [0.2, 0.4, 0.6, 0.7, 0.1, 0.3, 0.5, 0.6]
    b = [0.3, 0.7, 0.5, 0.8, 0.1, 0.2, 0.3, 0.8]
    frame = pd.DataFrame({"patient_id": list("abcdefgh"), "partition": "testing", "label": [1, 1, 1, 1, 0, 0, 0, 0]})
    return {"a": frame.assign(probability=a), "b": frame.assign(probability=b)}


def test_comparisons_by_hand():
    settings = EvaluationSettings(comparisons=[("a", "b")], net_benefit_thresholds=[0.5], bootstrap=100)
    judged = evaluate(pair(), {"a": 0.55, "b": 0.45}, settings, seed=3)
    rows = judged.extra[judged.extra["model"] == "b"].set_index("measure")
    # events rise, rise, fall, rise: (3 − 1) / 4; non-events stay, fall, fall, rise: (2 − 1) / 4
    assert rows.loc["nri_continuous_vs_a", "value"] == pytest.approx(0.5 + 0.25)
    # classes: a calls c, d of the events and h; b calls b, c, d and h
    assert rows.loc["nri_threshold_vs_a", "value"] == pytest.approx(0.25 + 0)
    # mean rise of events (0.1 + 0.3 − 0.1 + 0.1) / 4, of non-events (0 − 0.1 − 0.2 + 0.2) / 4
    assert rows.loc["idi_vs_a", "value"] == pytest.approx(0.1 + 0.025)
    # at 0.5: a treats c, d (true) and g, h (false); b treats b, c, d and h: (3 − 1 − (2 − 2)) / 8
    curve = {m: statistics.decision_curve(f["label"], f["probability"], [0.5]).table for m, f in pair().items()}
    expected = curve["b"]["net_benefit"][0] - curve["a"]["net_benefit"][0]
    row = rows.loc["net_benefit_difference_0.5_vs_a"]
    assert row["value"] == pytest.approx(expected) == pytest.approx(0.25)
    assert row["low"] <= row["value"] <= row["high"]
    assert 0 < rows.loc["idi_p_vs_a", "value"] < 1
    assert "locked threshold, 0.55 and 0.45" in rows.loc["nri_threshold_vs_a", "method"]
    assert not judged.extra[judged.extra["model"] == "a"]["measure"].str.contains("_vs_").any()


def test_net_benefit_difference_is_that_of_the_curves_on_every_resample():
    data = cohort("rare_events")
    a, b = expit(data["score_a"] - data["score_a"].mean()), expit(data["score_b"] - data["score_b"].mean())
    table = statistics.net_benefit_difference(data["label"], a, b, [0.1, 0.4], iterations=50, seed=2)
    resamples = np.random.default_rng(2).integers(0, len(data), (50, len(data)))
    for row in table.itertuples():
        gaps = [
            statistics.decision_curve(data["label"].iloc[r], b.iloc[r], [row.threshold]).table["net_benefit"][0]
            - statistics.decision_curve(data["label"].iloc[r], a.iloc[r], [row.threshold]).table["net_benefit"][0]
            for r in resamples
        ]
        np.testing.assert_allclose([row.low, row.high], np.quantile(gaps, [0.025, 0.975]), atol=1e-12)


def test_comparisons_of_unknown_models_are_refused():
    for wrong, message in ((("a", "c"), "found 'c'; expected one of a, b"), (("a", "a"), "twice in a pair")):
        with pytest.raises(SettingsError, match=message):
            evaluate(pair(), {"a": 0.5, "b": 0.5}, EvaluationSettings(comparisons=[wrong]), seed=1)


def test_kept_counts_the_refits_that_chose_a_variable(resampled):
    """By hand: of three refits two have a, one b twice; the model has a and c."""
    from her2radiomics.evaluation.validation import kept_rows

    table = kept_rows([["a"], ["a", "b", "b"], []], ["a", "c"])
    assert table.values.tolist() == [["a", 3, 2, "yes"], ["b", 3, 1, "no"], ["c", 3, 0, "yes"]]
    model, tables = resampled["radiomics"]
    kept = tables["kept"]
    assert set(kept.loc[kept["in_model"] == "yes", "variable"]) == set(model.fitted_.table.columns)
    assert (kept["kept"] <= kept["refits"]).all() and kept["refits"].nunique() == 1
