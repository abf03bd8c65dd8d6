"""Models from end to end: leakage, determinism, saving, survival of empty selections."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from her2radiomics.columns import Column
from her2radiomics.modelling import (
    build_model,
    from_dict,
    load_model,
    save_model,
    to_dict,
)
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import auc, logistic_regression, nomogram

N = 100  # training rows
CHAIN = [
    {"step": "min_max"},
    {"step": "icc_filter", "form": "ICC2,1", "threshold": 0.75},
    {"step": "univariate", "test": "f_classif", "p": 0.05},
    {"step": "lasso", "family": "gaussian", "folds": 10, "rule": "min"},
    {"step": "forced_retention", "by": "sequence"},
]
SPECS = parse_models(
    {
        "clinical": {"kind": "clinical", "candidates": ["age", "ki67", "stage", "tic"], "keep": "enter"},
        "radiomics": {"kind": "radiomics", "sequences": ["T2FS", "DWI", "DCE2"], "steps": CHAIN},
        "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"]},
    }
)
COLUMNS = {
    "age": Column(label="Age", kind="continuous", unit="years"),
    "ki67": Column(label="Ki-67", kind="categorical", cut=20, levels={"low": "< 20 %", "high": "≥ 20 %"}),
    "stage": Column(label="Stage", kind="ordinal", levels={"I": "I", "II": "II", "III": "III"}),
    "tic": Column(label="TIC", kind="categorical", levels={"a": "A", "b": "B", "c": "C"}),
}


def cohort(n: int = 200, per_sequence: int = 60, seed: int = 0, signal: float = 1.0):
    """Features with a planted signal in T2FS and DWI, a second reader of 30 patients, clinical columns, labels."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(n, 12))
    names = [f"{s}__tumour_slice__f{i:02d}" for s in ("T2FS", "DWI", "DCE2") for i in range(per_sequence)]
    weights = random.normal(size=(12, len(names))) * (random.random((12, len(names))) < 0.3)
    values = hidden @ weights + random.normal(size=(n, len(names)))
    values[:, [0, 1, per_sequence]] += 2 * hidden[:, [0, 0, 1]]
    ids = [f"P{i:03d}" for i in range(n)]
    features = pd.DataFrame(values * 50 + 200, index=ids, columns=names)
    noise = random.normal(size=(30, len(names))) * random.uniform(0, 2, len(names)) * 50
    second = features.iloc[:30] + noise
    clinical = pd.DataFrame(
        {
            "age": random.normal(50, 10, n),
            "ki67": random.choice(["low", "high"], n),
            "stage": random.choice(["I", "II", "III"], n),
            "tic": random.choice(["a", "b", "c"], n),
        },
        index=ids,
    )
    logit = signal * (
        1.5 * hidden[:, 0] + 1.5 * hidden[:, 1] + 2 * (clinical["ki67"] == "high").to_numpy() - 1
    )
    labels = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return features, second, clinical, labels


@pytest.fixture(scope="module")
def data():
    features, second, clinical, labels = cohort()
    return pd.concat([features, clinical], axis=1), second, labels


@pytest.fixture(scope="module")
def fitted(data):
    X, second, y = data
    return {
        name: build_model(name, SPECS, COLUMNS, second_reader=second, seed=7).fit(X[:N], y[:N])
        for name in SPECS
    }


def content(model, **changes):
    return to_dict(model, **{"centres": ["1"], "extraction": {"T2FS": "abc"}, "simulated": True, **changes})


@pytest.mark.parametrize(("name", "floor"), [("clinical", 0.55), ("radiomics", 0.7), ("nomogram", 0.75)])
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
    table = model.pipeline_.transform(X[model.pipeline_.steps[0][1].feature_names_in_])
    beta = pd.Series(model.logistic_.coefficients)
    np.testing.assert_allclose(
        model.decision_function(X), table[beta.index] @ beta + model.logistic_.intercept, rtol=0, atol=1e-10
    )


def test_the_rad_score_is_the_logistic_regression_of_the_kept_features(fitted, data):
    """Same estimates as ``statistics.logistic_regression`` on the selected, scaled features."""
    model = fitted["radiomics"]
    regression = logistic_regression(model.table_, model.labels_, model.logistic_.method)
    for term, beta in regression.coefficients.items():
        assert model.logistic_.coefficients[term] == pytest.approx(beta, rel=1e-5, abs=1e-6)
    assert model.logistic_.intercept == pytest.approx(regression.intercept, rel=1e-5, abs=1e-5)


def test_the_combined_model_refits_on_the_score_and_the_kept_predictors(fitted, data):
    X, _, y = data
    model = fitted["nomogram"]
    assert "ki67" in model.logistic_.columns
    table = pd.DataFrame(
        {"radiomics": fitted["radiomics"].decision_function(X[:N]), "ki67": X["ki67"][:N].to_numpy()}
    )
    for name in model.logistic_.columns[2:]:
        table[name] = model.table_[name].to_numpy()
    expected = logistic_regression(table, y[:N], "auto", {"ki67": ["low", "high"]})
    assert model.logistic_.coefficients["radiomics"] == pytest.approx(
        expected.coefficients["radiomics"], rel=1e-5
    )
    assert model.logistic_.coefficients["ki67[high]"] == pytest.approx(
        expected.coefficients["ki67[high]"], rel=1e-5
    )


def test_the_nomogram_gives_the_models_probability(fitted, data):
    X = data[0]
    model = from_dict(content(fitted["nomogram"]))
    drawn = nomogram(model.nomogram_model())
    for i in (0, 60, 100):
        row = X.iloc[[i]]
        values = {p.name: row[p.name].iloc[0] for p in model.rule.clinical()}
        values["radiomics"] = fitted["nomogram"].parts_[0].decision_function(row)[0]
        total = drawn.total_points(values)
        assert drawn.probability(total) == pytest.approx(
            fitted["nomogram"].predict_proba(row)[0, 1], abs=1e-12
        )


def test_the_formula_names_every_term(fitted):
    model = from_dict(content(fitted["radiomics"]))
    text = model.formula(digits=3)
    assert text.startswith(f"radiomics = {model.rule.intercept:.3f} ")
    for p in model.rule.predictors:
        assert f"{'+' if p.coefficient >= 0 else '−'} {abs(p.coefficient):.3f} × {p.name}" in text
