"""Models from end to end: leakage, determinism, saving, survival of empty selections."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from model_cohort import CHAIN, COLUMNS, N, cohort
from sklearn.base import clone

from her2radiomics.core.errors import SettingsError, StudyError, TableError
from her2radiomics.modelling import (
    build_model,
    cross_validated_scores,
    from_dict,
    load_model,
    model_table,
    pipeline_refit,
    save_model,
    second_reader_table,
    to_dict,
)
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import (
    auc,
    calibration_curve,
    likelihood,
    logistic_regression,
    nomogram,
    optimism_corrected_auc,
    penalised,
)

SPECS = parse_models(
    {
        "clinical": {"kind": "clinical", "candidates": ["age", "ki67", "stage", "tic"], "keep": "enter"},
        "radiomics": {"kind": "radiomics", "sequences": ["T2FS", "DWI", "DCE2"], "steps": CHAIN},
        "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"]},
    }
)


@pytest.fixture(scope="module")
def data():
    features, second, clinical, labels = cohort()
    return pd.concat([features, clinical], axis=1), second, labels


@pytest.fixture(scope="module")
def fitted(data):
    X, second, y = data
    return {name: build_model(name, SPECS, COLUMNS, second_reader=second, seed=7).fit(X[:N], y[:N]) for name in SPECS}


def content(model, **changes):
    return to_dict(model, **{"centres": ["1"], "extraction": {"T2FS": "abc"}, "simulated": True, **changes})


@pytest.mark.parametrize(("name", "floor"), [("clinical", 0.55), ("radiomics", 0.7), ("nomogram", 0.7)])
def test_the_planted_signal_is_found_on_unseen_rows(fitted, data, name, floor):
    X, _, y = data
    assert auc(y[N:], fitted[name].decision_function(X[N:])) > floor


def test_rows_that_are_not_in_training_change_nothing(fitted, data):
    X, second, y = data
    for name in SPECS:
        other_second = second.copy()
        other_second.loc["Z999"] = 1e6  # read twice, but no training patient
        again = build_model(name, SPECS, COLUMNS, second_reader=other_second, seed=7).fit(X[:N], y[:N])
        assert json.dumps(content(again)) == json.dumps(content(fitted[name]))
    # a second reading of a patient who does not train has no influence
    later = data[1].rename(index={"P000": "P150"})
    without = data[1].drop(index="P000")
    one, two = (
        build_model("radiomics", SPECS, COLUMNS, second_reader=table, seed=7).fit(X[:N], y[:N])
        for table in (later, without)
    )
    assert content(one) == content(two)


def test_predictions_of_a_row_do_not_depend_on_the_other_rows(fitted, data):
    X = data[0]
    for model in fitted.values():
        together = model.decision_function(X)
        alone = [model.decision_function(X.iloc[[i]])[0] for i in (0, 50, 119)]
        assert together[[0, 50, 119]].tolist() == alone


@pytest.mark.parametrize("name", SPECS)
def test_order_of_rows_and_columns_does_not_matter(fitted, data, name):
    X, second, y = data
    random = np.random.default_rng(1)
    rows, columns = random.permutation(N), random.permutation(X.shape[1])
    shuffled = X.iloc[rows, columns]
    again = build_model(name, SPECS, COLUMNS, second_reader=second.sample(frac=1, random_state=1), seed=7)
    again.fit(shuffled, y[:N][rows])
    assert json.dumps(content(again)) == json.dumps(content(fitted[name]))


@pytest.mark.parametrize("name", SPECS)
def test_a_saved_model_predicts_the_same_bits(fitted, data, tmp_path, name):
    X, _, _ = data
    save_model(content(fitted[name]), tmp_path / "model.json")
    loaded = load_model(tmp_path / "model.json")
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id").assign(reader="1")
    participants = X[list(COLUMNS)].reset_index(names="patient_id")
    table = loaded.predict(features, participants)
    assert list(table.columns) == ["patient_id", "score", "probability"]
    assert table["score"].tolist() == fitted[name].decision_function(X).tolist()
    assert table["probability"].tolist() == fitted[name].predict_proba(X)[:, 1].tolist()
    assert loaded.classify(table["probability"]).tolist() == fitted[name].predict(X).tolist()
    save_model(loaded.content, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


def test_the_rule_is_what_the_pipeline_computes(fitted, data):
    """Two routes to the Rad-score: the rule term by term, and the scikit-learn pipeline's transformed table."""
    X = data[0]
    model = fitted["radiomics"]
    table = model.fitted_.chain.transform(X[list(model.fitted_.chain["numbers"].names_in)])
    beta = pd.Series(model.fitted_.final.coefficients)
    np.testing.assert_allclose(
        model.decision_function(X), table[beta.index] @ beta + model.fitted_.final.intercept, rtol=0, atol=1e-10
    )


def test_the_rad_score_is_the_logistic_regression_of_the_kept_features(fitted, data):
    """Same estimates as ``statistics.logistic_regression`` on the selected, scaled features."""
    model = fitted["radiomics"]
    regression = logistic_regression(model.fitted_.table, model.fitted_.labels, model.fitted_.final.method)
    for term, beta in regression.coefficients.items():
        assert model.fitted_.final.coefficients[term] == pytest.approx(beta, rel=1e-5, abs=1e-6)
    assert model.fitted_.final.intercept == pytest.approx(regression.intercept, rel=1e-5, abs=1e-5)


def test_the_combined_model_refits_on_the_score_and_the_kept_predictors(fitted, data):
    X, _, y = data
    model = fitted["nomogram"]
    assert "ki67" in model.fitted_.logistic.columns
    table = pd.DataFrame({"radiomics": fitted["radiomics"].decision_function(X[:N]), "ki67": X["ki67"][:N].to_numpy()})
    for name in model.fitted_.logistic.columns[2:]:
        table[name] = model.fitted_.table[name].to_numpy()
    expected = logistic_regression(table, y[:N], "auto", {"ki67": ["low", "high"]})
    assert model.fitted_.logistic.coefficients["radiomics"] == pytest.approx(
        expected.coefficients["radiomics"], rel=1e-5
    )
    assert model.fitted_.logistic.coefficients["ki67[high]"] == pytest.approx(
        expected.coefficients["ki67[high]"], rel=1e-5
    )


def test_the_nomogram_gives_the_models_probability(fitted, data):
    X = data[0]
    model = from_dict(content(fitted["nomogram"]))
    drawn = nomogram(model.nomogram_model())
    for i in (0, 60, 100):
        row = X.iloc[[i]]
        values = {p.name: row[p.name].iloc[0] for p in model.rule.clinical()}
        values["radiomics"] = fitted["nomogram"].fitted_.parts[0].rule.score(row)[0]
        total = drawn.total_points(values)
        assert drawn.probability(total) == pytest.approx(fitted["nomogram"].predict_proba(row)[0, 1], abs=1e-12)


def test_the_formula_names_every_term(fitted):
    model = from_dict(content(fitted["radiomics"]))
    text = model.formula(digits=3)
    head, intercept, *terms = text.split("\n")  # more than three terms: one a line
    assert (head, intercept.strip().replace("−", "-")) == ("radiomics =", f"{model.rule.intercept:.3f}")
    assert [term.strip() for term in terms] == [
        f"{'+' if p.coefficient >= 0 else '−'} {abs(p.coefficient):.3f} × {p.name}" for p in model.rule.predictors
    ]
    short = from_dict(content(fitted["clinical"])).formula(digits=3)
    assert short.startswith("clinical = ") and "[ki67 = high]" in short
    assert short.count("\n") == (0 if short.count("×") <= 3 else short.count("×") + 1)


def test_the_memory_layout_of_the_tables_does_not_matter(fitted, data):
    X, second, y = data
    apart = pd.concat([X[[c]].copy() for c in X], axis=1)  # a block a column, as some readers make
    far = pd.DataFrame(np.asfortranarray(second.to_numpy()), index=second.index, columns=second.columns)
    again = build_model("nomogram", SPECS, COLUMNS, second_reader=far, seed=7).fit(apart[:N], y[:N])
    assert json.dumps(content(again)) == json.dumps(content(fitted["nomogram"]))


def test_clones_are_unfitted_copies_that_fit_alike(fitted, data):
    X, _, y = data
    for model in fitted.values():
        again = clone(model)
        assert not hasattr(again, "rule_")
        assert json.dumps(content(again.fit(X[:N], y[:N]))) == json.dumps(content(model))


def test_the_report_holds_every_table(fitted):
    report = fitted["nomogram"].fit_report()
    selection = report.selection
    assert list(selection.columns) == ["step", "name", "features_in", "features_out", "note"]
    assert selection["step"].tolist() == list(range(1, len(selection) + 1))
    assert selection["name"].tolist()[:3] == ["radiomics: numbers", "radiomics: min_max", "radiomics: icc_filter"]
    assert selection["name"].iloc[-1] == "combined"
    assert set(report.tables) == {
        "radiomics.reproducibility", "radiomics.lasso_path", "radiomics.lasso_cv",
        "clinical.univariate", "clinical.multivariate", "clinical.missing", "missing",
    }  # fmt: skip
    assert report.coefficients["term"].tolist()[:2] == ["(Intercept)", "radiomics"]
    assert {"beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p"} <= set(report.coefficients)
    reproducibility = report.tables["radiomics.reproducibility"]
    assert len(reproducibility) == 180
    assert (reproducibility["n"] == 30).all()
    kept = selection.loc[selection["name"] == "radiomics: icc_filter", "features_out"].item()
    assert (reproducibility["kept"] == "yes").sum() == kept


def test_the_threshold_is_youdens_on_training(fitted, data):
    X, _, y = data
    model = fitted["nomogram"]
    p = model.predict_proba(X[:N])[:, 1]
    best = max(((p[y[:N] == 1] >= t).mean() + (p[y[:N] == 0] < t).mean(), t) for t in np.unique(p))
    called = model.predict(X[:N])
    assert called[y[:N] == 1].mean() + (1 - called[y[:N] == 0].mean()) == pytest.approx(best[0])


def model_of(kind: dict, name: str = "m", **options):
    return build_model(name, parse_models({name: kind}), COLUMNS, seed=1, **options)


def test_selection_before_cross_validation_is_optimistic_and_ours_is_not():
    """Labels are coin flips: selecting on all rows first finds "signal", the cloned pipeline finds none."""
    honest, leaky = [], []
    for seed in range(8):
        features, _, _, _ = cohort(n=60, per_sequence=200, seed=seed)
        labels = np.random.default_rng(100 + seed).permutation(np.arange(60) % 2)
        select = [{"step": "z_score"}, {"step": "univariate", "k": 10}]
        model = model_of({"kind": "radiomics", "steps": select})
        honest.append(auc(labels, cross_validated_scores(model, features, labels, folds=5, seed=seed)))
        chosen = model_of({"kind": "radiomics", "steps": select}).fit(features, labels).fitted_.final.columns
        plain = model_of({"kind": "radiomics", "steps": [{"step": "z_score"}]})
        leaky.append(auc(labels, cross_validated_scores(plain, features[list(chosen)], labels, folds=5, seed=seed)))
    assert np.mean(leaky) > 0.68
    assert np.mean(honest) == pytest.approx(0.5, abs=0.08)  # Monte-Carlo error of 8 × 60 patients: 0.026


def test_random_labels_give_an_auc_of_one_half_on_unseen_rows():
    areas = []
    features, second, _, _ = cohort(n=120, per_sequence=80, seed=3)
    for seed in range(15):
        labels = np.random.default_rng(seed).permutation(np.arange(120) % 2)
        model = model_of({"kind": "radiomics", "steps": CHAIN}, second_reader=second)
        areas.append(auc(labels[60:], model.fit(features[:60], labels[:60]).decision_function(features[60:])))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)  # three standard errors of 15 × 60 patients


def test_nothing_selected_is_the_intercept_and_says_so(tmp_path):
    features, _, clinical, _ = cohort(n=60, seed=4)
    labels = np.array([1] * 20 + [0] * 40)
    X = pd.concat([features, clinical], axis=1)
    specs = parse_models(
        {
            "r": {"kind": "radiomics", "steps": [{"step": "univariate", "p": 1e-12}, {"step": "lasso"}]},
            "c": {"kind": "clinical", "candidates": ["age"], "p_enter": 1e-12},
            "b": {"kind": "combined", "of": ["r", "c"]},
        }
    )
    for name in specs:
        model = build_model(name, specs, COLUMNS, seed=1).fit(X, labels)
        assert model.empty_
        np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / 3, rtol=1e-12)
        assert auc(labels, model.decision_function(X)) == 0.5
        report = model.fit_report()
        assert report.coefficients.to_dict("list") == {"term": ["(Intercept)"], "beta": [pytest.approx(np.log(0.5))]}
        assert "nothing was selected: the model is its intercept, AUC 0.5" in report.notes
        save_model(to_dict(model, centres=["1"], extraction=None, simulated=False), tmp_path / "m.json")
        loaded = load_model(tmp_path / "m.json")
        assert loaded.empty
        assert loaded.predict(None, clinical.reset_index(names="patient_id"))["probability"].nunique() == 1
        with pytest.raises(StudyError, match="0 predictors"):
            loaded.nomogram_model()


def test_a_part_that_kept_nothing_adds_nothing():
    features, _, clinical, labels = cohort(n=120, seed=0)
    specs = parse_models(
        {
            "r": {"kind": "radiomics", "steps": [{"step": "univariate", "p": 1e-12}]},
            "c": {"kind": "clinical", "candidates": ["ki67"]},
            "b": {"kind": "combined", "of": ["r", "c"]},
        }
    )
    X = pd.concat([features, clinical], axis=1)
    both, alone = (build_model(name, specs, COLUMNS, seed=1).fit(X, labels) for name in ("b", "c"))
    np.testing.assert_allclose(both.decision_function(X), alone.decision_function(X), rtol=1e-6)
    assert "r kept nothing and adds nothing" in both.fit_report().notes


def test_constant_missing_and_copied_features_are_survived():
    features, _, _, labels = cohort(n=80, seed=5)
    X = features.copy()
    X["DCE2__tumour_slice__flat"] = 0.1
    X["DCE2__tumour_slice__hole"] = np.where(np.arange(80) == 3, np.nan, 1.0)
    X["DCE2__tumour_slice__inf"] = np.where(np.arange(80) == 4, np.inf, np.arange(80.0))
    X["DWI__tumour_slice__copy"] = 3 * X["T2FS__tumour_slice__f00"] - 7
    for steps in ([], [{"step": "z_score"}, {"step": "univariate", "p": 0.001}], CHAIN):
        model = model_of({"kind": "radiomics", "steps": steps}).fit(X, labels)
        assert np.isfinite(model.decision_function(X)).all()
        kept = set(model.fitted_.final.columns)
        assert not kept & {f"DCE2__tumour_slice__{name}" for name in ("flat", "hole", "inf")}
        assert not {"DWI__tumour_slice__copy", "T2FS__tumour_slice__f00"} <= kept
        assert len(kept) <= 78  # rows − 2
        assert "2 features were not a number in training and were dropped" in model.fit_report().notes


def test_missing_feature_values_are_filled_with_the_training_median_and_flagged(fitted, data):
    X, _, _ = data
    model = from_dict(content(fitted["nomogram"]))
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id")
    participants = X[list(COLUMNS)].reset_index(names="patient_id")
    predictor = next(model.rule.features())
    assert predictor.fill == X[predictor.name][:N].median()
    holed, filled = features.copy(), features.copy()
    holed.loc[150, predictor.name], filled.loc[150, predictor.name] = np.nan, predictor.fill
    assert model.predict(holed, participants).equals(model.predict(filled, participants))
    flagged = model.imputed(holed, participants)
    assert flagged.to_dict("records") == [
        {"patient_id": "P150", "column": predictor.name, "filled_with": predictor.fill}
    ]


def test_missing_clinical_values_are_imputed_from_training_or_refused():
    _, _, clinical, labels = cohort(n=150, seed=2)
    clinical.iloc[3:12, 0] = np.nan
    clinical.iloc[5:9, 1] = None
    participants = clinical.reset_index(names="patient_id")
    spec = {"kind": "clinical", "candidates": ["age", "ki67"], "p_enter": 1.0}
    filled = clinical.fillna({"age": clinical["age"].median(), "ki67": clinical["ki67"].mode()[0]})
    imputing = model_of(spec).fit(clinical, labels)
    expected = logistic_regression(filled[["age", "ki67"]], labels, "auto", {"ki67": ["low", "high"]})
    assert imputing.rule_.intercept == pytest.approx(expected.intercept, rel=1e-9)
    assert imputing.fit_report().notes == [
        "age: 9 of 150 training values were missing and imputed",
        "ki67: 4 of 150 training values were missing and imputed",
    ]
    saved = from_dict(to_dict(imputing, centres=["1"], extraction=None, simulated=False))
    assert len(saved.imputed(None, participants)) == 13
    complete = model_of({**spec, "missing": "complete_case"}).fit(clinical, labels)
    rows = clinical[["age", "ki67"]].notna().all(axis=1).to_numpy()
    expected = logistic_regression(clinical[rows][["age", "ki67"]], labels[rows], "auto", {"ki67": ["low", "high"]})
    assert complete.rule_.intercept == pytest.approx(expected.intercept, rel=1e-9)
    assert complete.n_ == 141
    assert "9 of 150 training rows were incomplete and left out" in complete.fit_report().notes
    strict = from_dict(to_dict(complete, centres=["1"], extraction=None, simulated=False))
    with pytest.raises(TableError, match=r"patient P003, column 'age': found no value \(9 of 150 rows\)"):
        strict.predict(None, participants)
    assert len(strict.predict(None, participants, incomplete="omit")) == 141


def test_what_a_model_cannot_predict_is_refused_by_name(fitted, data):
    X, _, _ = data
    model = from_dict(content(fitted["nomogram"]))
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id")
    participants = X[list(COLUMNS)].reset_index(names="patient_id")
    name = next(model.rule.features()).name
    with pytest.raises(TableError, match=f"column '{name}': found no such column"):
        model.predict(features.drop(columns=name), participants)
    with pytest.raises(TableError, match="feature table: found none"):
        model.predict(None, participants)
    with pytest.raises(TableError, match="column 'ki67': found no such column"):
        model.predict(features, participants.drop(columns="ki67"))
    with pytest.raises(TableError, match="patient P004, column 'ki67': found 'medium'.*low, high"):
        model.predict(features, participants.assign(ki67=np.where(participants.index == 4, "medium", "low")))
    with pytest.raises(TableError, match="patient P199: found no row of reader 1"):
        model.predict(features.iloc[:-1], participants)
    with pytest.raises(TableError, match="patient P000: found more than one row"):
        model.predict(pd.concat([features, features.iloc[:1]]), participants)
    with pytest.raises(StudyError, match="sequence 'T2FS': found extraction settings xyz, expected abc"):
        model.predict(features, participants, extraction={"T2FS": "xyz", "ADC": "never used"})
    assert len(model.predict(features, participants, extraction={"T2FS": "abc"})) == 200
    untyped = participants.assign(
        ki67=np.where(participants["ki67"] == "low", "5", "35"), age=participants["age"].astype(str)
    )
    assert model.predict(features, untyped, typed=False).equals(model.predict(features, participants))


def test_a_category_that_training_never_saw_is_refused_though_declared():
    _, _, clinical, _ = cohort(n=120, seed=2)
    labels = ((clinical["tic"] == "b").to_numpy() ^ (np.arange(120) % 5 == 0)).astype(int)
    training = clinical[(clinical["tic"] != "c").to_numpy()]
    chosen = labels[(clinical["tic"] != "c").to_numpy()]
    model = model_of({"kind": "clinical", "candidates": ["tic"]}).fit(training, chosen)
    assert model.fitted_.choice.selected == ("tic",)
    with pytest.raises(TableError, match="column 'tic': found 'c'; expected one of the levels in training: a, b"):
        model.predict_proba(clinical)
    saved = from_dict(to_dict(model, centres=["1"], extraction=None, simulated=False))
    participants = clinical.reset_index(names="patient_id")
    unseen = participants.loc[participants["tic"] == "c", "patient_id"].tolist()
    assert unseen
    obstacles = saved.obstacles(None, participants)
    assert obstacles["patient_id"].tolist() == unseen
    assert set(obstacles["column"]) == {"tic"} and set(obstacles["found"]) == {"c"}
    predicted = saved.predict(None, participants, incomplete="omit")
    assert predicted["patient_id"].tolist() == [p for p in participants["patient_id"] if p not in unseen]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no valid JSON"),
        ("[]", "found list"),
        ('{"format": "other"}', "found format 'other'"),
        ('{"format": "her2radiomics model", "version": 99}', "format version 99"),
        ('{"format": "her2radiomics model", "version": 1}', "incomplete"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path, text, message):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(StudyError, match=message):
        load_model(tmp_path / "model.json")
    with pytest.raises(StudyError, match="no such file"):
        load_model(tmp_path / "other.json")


def test_ordinal_and_multilevel_columns_enter_as_declared():
    _, _, clinical, _ = cohort(n=300, seed=6)
    code = clinical["stage"].map({"I": 0, "II": 1, "III": 2}).to_numpy()
    effect = clinical["tic"].map({"a": 0, "b": 1.5, "c": -1.0}).to_numpy()
    labels = (np.random.default_rng(0).random(300) < 1 / (1 + np.exp(1 - code - effect))).astype(int)
    model = model_of({"kind": "clinical", "candidates": ["stage", "tic"]}).fit(clinical, labels)
    expected = logistic_regression(
        pd.DataFrame({"stage": code.astype(float), "tic": clinical["tic"].to_numpy()}),
        labels,
        "ml",
        {"tic": list("abc")},
    )
    assert model.fit_report().coefficients["term"].tolist() == ["(Intercept)", "stage", "tic[b]", "tic[c]"]
    np.testing.assert_allclose(model.fit_report().coefficients["beta"], expected.table["beta"], rtol=1e-9)
    stage, tic = model.rule_.predictors
    assert dict(stage.weights) == {
        level: pytest.approx(i * expected.coefficients["stage"]) for i, level in enumerate(("I", "II", "III"))
    }
    assert dict(tic.weights) == {
        "a": 0.0,
        "b": pytest.approx(expected.coefficients["tic[b]"]),
        "c": pytest.approx(expected.coefficients["tic[c]"]),
    }


def test_the_bootstrap_refits_the_whole_pipeline(fitted, data):
    X, _, y = data
    model = fitted["nomogram"]
    refit = pipeline_refit(model, X[:N], y[:N])
    rows = np.random.default_rng(5).integers(0, N, N)
    again = clone(model).fit(X.iloc[rows], y[rows])
    kept = [{p.name for p in one.fitted_.parts[0].rule.predictors} for one in (again, model)]
    assert kept[0] != kept[1]  # other features, other λ
    assert refit(rows).tolist() == again.predict_proba(X[:N])[:, 1].tolist()
    assert refit(np.flatnonzero(y[:N] == 1)[:30]) is None  # one class only
    apparent = model.predict_proba(X[:N])[:, 1]
    corrected = optimism_corrected_auc(y[:N], apparent, refit, iterations=8, seed=1)
    assert 0.5 < corrected.corrected < corrected.apparent
    curve = calibration_curve(y[:N], apparent, refit=refit, bootstrap=8, seed=1)
    assert set(curve.table["curve"]) == {"apparent", "bias_corrected"}
    assert curve.table.equals(calibration_curve(y[:N], apparent, refit=refit, bootstrap=8, seed=1).table)


def test_tables_of_a_cohort_become_model_tables():
    features, second, clinical, labels = cohort(n=40)
    both = pd.concat([features.assign(reader="1"), second.assign(reader="2")]).reset_index(names="patient_id")
    participants = clinical.assign(centre="1", label=labels).reset_index(names="patient_id")
    table = model_table(both, participants.iloc[::-1], COLUMNS)
    assert list(table.index) == [f"P{i:03d}" for i in range(39, -1, -1)]
    assert table.shape == (40, 185) and (table["centre"] == "1").all()  # the centre: for ComBat, no predictor
    assert second_reader_table(both).table.shape == (30, 180)
    assert second_reader_table(features.reset_index(names="patient_id")) is None
    assert model_table(None, participants, COLUMNS).shape == (40, 5)


def test_a_consensus_trains_and_two_readers_are_compared():
    features, second, clinical, labels = cohort(n=40)
    consensus = (features + second.reindex(features.index).fillna(features)) / 2
    table = pd.concat(
        [consensus.assign(reader="consensus"), features.iloc[:25].assign(reader="1"), second.assign(reader="2")]
    ).reset_index(names="patient_id")
    participants = clinical.assign(centre="1", label=labels).reset_index(names="patient_id")
    trained = model_table(table, participants, COLUMNS, "consensus")
    assert trained[features.columns].equals(consensus)
    with pytest.raises(TableError, match="no row of reader 1"):
        model_table(table, participants, COLUMNS)
    one, two = second_reader_table(table, ("1", "2"), "consensus").pairs(consensus.iloc[:22])
    read = features.index[:22].intersection(second.index)
    assert one.equals(features.loc[read]) and two.equals(second.loc[read])
    assert second_reader_table(table, ("consensus", "2"), "consensus").first is None


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"m": {"kind": "combined", "of": ["a", "b"]}}, "found 'a'"),
        ({"m": {"kind": "clinical", "candidates": ["age"], "candidate": 1}}, "candidate"),
        ({"c": {"kind": "clinical", "candidates": ["age"]}, "m": {"kind": "combined", "of": ["c", "c"]}}, "twice"),
        ({"m": {"kind": "forest"}}, "forest"),
    ],
)
def test_impossible_models_are_refused(models, message):
    with pytest.raises(SettingsError, match=message):
        parse_models(models)


def test_unusable_tables_are_refused_by_name(data):
    X, _, y = data
    radiomics = {"kind": "radiomics", "sequences": ["ADC"]}
    with pytest.raises(StudyError, match="no feature of the sequence 'ADC'.*DCE2, DWI, T2FS"):
        model_of(radiomics).fit(X, y)
    with pytest.raises(StudyError, match="no feature of the region 'ring_3mm_slice'"):
        model_of({"kind": "radiomics", "regions": ["ring_3mm_slice"]}).fit(X, y)
    with pytest.raises(TableError, match="column 'scanner'.*declared in the protocol"):
        model_of({"kind": "radiomics"}).fit(X.assign(scanner="Achieva"), y)
    with pytest.raises(StudyError, match="'grade' is not among the protocol's columns"):
        model_of({"kind": "clinical", "candidates": ["grade"]}).fit(X, y)
    with pytest.raises(TableError, match="patient P000, column 'ki67': found '35'"):
        model_of({"kind": "clinical", "candidates": ["ki67"]}).fit(X.assign(ki67="35"), y)
    with pytest.raises(ValueError, match="found only 1"):
        model_of({"kind": "radiomics"}).fit(X, np.ones(len(y)))
    with pytest.raises(SettingsError, match="no model 'x'"):
        build_model("x", SPECS, COLUMNS, seed=1)


def test_firth_on_nearly_saturated_models_reaches_its_maximum():
    """28 separating terms on 60 rows: the general optimiser finds the maximum of the scoring iteration."""
    random = np.random.default_rng(2)
    design = random.normal(size=(60, 28))
    positive = design[:, 0] + 0.3 * random.normal(size=60) > 0
    x = np.column_stack([np.ones(60), design])
    start, _ = likelihood.firth_slowly(x, positive)
    beta, value = penalised.maximum(likelihood.Firth(x, positive), np.ones(29, dtype=bool), start)
    assert likelihood.Firth(x, positive).value(start) == pytest.approx(value, abs=1e-9)
    np.testing.assert_allclose(start, beta, atol=1e-5)


@pytest.mark.parametrize("effect", [1e-3, 0.05, 0.3, 2.0, 30.0])
def test_a_weak_models_nomogram_has_probabilities_too(effect):
    """Where the usual ticks leave one or none, finer ones inside the model's range; in order, and on the axis."""
    from types import SimpleNamespace

    from her2radiomics.engine.jobs.modelling import nomogram_table
    from her2radiomics.statistics import ContinuousPredictor, LinearModel

    linear = LinearModel(-0.8, (ContinuousPredictor("score", effect, 0.0, 1.0),), (-0.8, -0.8 + effect))
    table = nomogram_table(SimpleNamespace(nomogram_model=lambda: linear))
    ticks = table[table["axis"] == "probability"]
    assert len(ticks) >= 2
    assert ticks["position"].between(-1e-9, table["position"].max() + 1e-9).all()
    values = ticks["label"].astype(float)
    assert values.is_monotonic_increasing and values.is_unique
    expected = 1 / (1 + np.exp(0.8 - effect * ticks["position"] / 100))
    np.testing.assert_allclose(values, expected, rtol=2e-5 if effect > 0.01 else 1e-3)
