"""Models over several blocks: multivariate selection, several Rad-scores together, published terms, missing values."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from model_cohort import CHAIN, COLUMNS, cohort

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, StudyError
from her2radiomics.modelling import build_model, from_dict, pipeline_refit, to_dict
from her2radiomics.modelling.penalised.cross_validation import cross_validated_lasso, patient_folds
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import auc, logistic_regression

N = 120
SHORT = [
    {"step": "z_score"},
    {"step": "univariate", "test": "f_classif", "k": 15},
    {"step": "redundancy", "threshold": 0.9},
]
CONTENT = {
    **{
        s: {"kind": "radiomics", "sequences": [s], "steps": [*SHORT, {"step": "lasso"}]}
        for s in ("T2FS", "DWI", "DCE2")
    },
    "clinical": {"kind": "clinical", "candidates": ["age", "ki67", "stage", "tic"], "p_enter": 0.2},
    "r1": {"kind": "combined", "of": ["T2FS", "DWI", "DCE2"]},
    "r3": {"kind": "combined", "of": ["T2FS", "DWI", "DCE2", "clinical"]},
    "alone": {"kind": "combined", "of": ["T2FS"]},
    "everything": {
        "kind": "multivariate",
        "features": {"sequences": ["T2FS", "DWI", "DCE2"], "steps": SHORT},
        "candidates": ["age", "ki67", "stage", "tic"],
        "selection": {"by": "lasso", "family": "binomial", "folds": 10, "rule": "1se"},
    },
    "scores": {
        "kind": "multivariate",
        "of": ["T2FS", "DWI", "DCE2"],
        "candidates": ["age", "ki67", "stage", "tic"],
        "selection": {"by": "backward", "p_enter": 0.2, "p_keep": 0.1},
    },
}


def saved(model):
    return to_dict(model, centres=["1"], extraction=None, simulated=True)


@pytest.fixture(scope="module")
def data():
    features, _, clinical, labels = cohort(n=200, per_sequence=40, seed=11)
    return pd.concat([features, clinical], axis=1), labels


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    specs = parse_models(CONTENT)
    names = ("r1", "r3", "alone", "everything", "scores")
    return {name: build_model(name, specs, COLUMNS, seed=2).fit(X[:N], y[:N]) for name in names}


def test_several_scores_and_a_clinical_model_make_one_regression(fitted, data):
    """R1 has a term a Rad-score; R3 adds the kept clinical terms; estimates are those of the statistics."""
    X, y = data
    order = np.argsort(X.index[:N].to_numpy().astype(str), kind="stable")
    r1, r3 = fitted["r1"], fitted["r3"]
    assert r1.fit_report().coefficients["term"].tolist() == ["(Intercept)", "T2FS", "DWI", "DCE2"]
    scores = {part.name: part.rule.score(X[:N].iloc[order]) for part in r1.fitted_.parts}
    table = pd.DataFrame(scores, index=X.index[:N][order])
    expected = logistic_regression(table, y[:N][order])
    np.testing.assert_allclose(
        [r1.fitted_.logistic.coefficients[name] for name in scores],
        [expected.coefficients[name] for name in scores],
        rtol=1e-6,
    )
    terms = r3.fit_report().coefficients["term"].tolist()
    kept = r3.fitted_.parts[-1].terms
    assert kept and terms[1:4] == ["T2FS", "DWI", "DCE2"]
    assert [t.split("[")[0] for t in terms[4:]] == [n for n in kept for t in terms if t.split("[")[0] == n]
    drawn = from_dict(saved(r3)).nomogram_model()
    assert [p.name for p in drawn.predictors] == ["T2FS", "DWI", "DCE2", *kept]


def test_a_combined_model_of_one_score_is_its_recalibration(fitted, data):
    """The Rad-score is a maximum-likelihood fit already: slope 1, intercept 0, and the same probabilities."""
    X, _ = data
    model = fitted["alone"]
    (part,) = model.fitted_.parts
    assert model.fitted_.logistic.coefficients["T2FS"] == pytest.approx(1, abs=1e-6)
    assert model.fitted_.logistic.intercept == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], part.rule.probability(X), atol=1e-7)


def test_the_multivariate_lasso_selects_over_all_blocks_at_once(fitted, data):
    """The same LASSO by hand: scaled features beside the indicators, then maximum likelihood of what it kept."""
    X, y = data
    model = fitted["everything"]
    order = np.argsort(X.index[:N].to_numpy().astype(str), kind="stable")
    rows, labels = X[:N].iloc[order], y[:N][order]
    blocks = model.fitted_.chain.transform(rows[list(model.fitted_.chain["numbers"].names_in)])
    design = blocks.assign(
        age=rows["age"],
        **{"ki67[high]": (rows["ki67"] == "high").astype(float)},
        stage=rows["stage"].map({"I": 0.0, "II": 1.0, "III": 2.0}),  # three levels, one coefficient
        **{f"tic[{t}]": (rows["tic"] == t).astype(float) for t in "bc"},
    )
    fold = patient_folds(rows.index.to_numpy(), labels, 10, 2)
    cv = cross_validated_lasso(design.to_numpy(), labels, fold, family="binomial")
    chosen = design.columns[cv.path.coefficients[:, cv.index_1se] != 0]
    kept = {name.split("[")[0] for name in chosen}
    assert set(model.fitted_.logistic.columns) == kept
    assert kept & set(blocks.columns) and "ki67" in kept
    expected = logistic_regression(model.fitted_.table, labels, levels=model.fitted_.levels)
    report = model.fit_report()
    assert list(report.coefficients.columns) == [
        "term", "beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p",
    ]  # fmt: skip
    np.testing.assert_allclose(report.coefficients["beta"], expected.table["beta"])
    assert report.selection["name"].tolist()[-2:] == ["lasso of all blocks", "logistic"]
    assert set(report.tables) >= {"lasso_path", "lasso_cv", "missing"}
    assert report.tables["lasso_cv"]["one_se"].to_numpy().nonzero()[0].tolist() == [cv.index_1se]
    assert auc(y[N:], model.decision_function(X[N:])) > 0.7


def test_scores_and_columns_by_backward_elimination(fitted, data):
    X, y = data
    model = fitted["scores"]
    report = model.fit_report()
    assert set(report.tables["univariate"]["variable"]) == {"T2FS", "DWI", "DCE2", "age", "ki67", "stage", "tic"}
    assert (report.tables["multivariate"]["p_variable"] < 0.1).all()
    assert set(model.fitted_.logistic.columns) == set(model.fitted_.choice.selected)
    assert "ki67" in model.fitted_.logistic.columns
    refit = pipeline_refit(model, X[:N], y[:N])
    rows = np.random.default_rng(0).integers(0, N, N)
    again = refit(rows)
    assert again is not None and np.ptp(again - model.predict_proba(X[:N])[:, 1]) > 0


@pytest.mark.parametrize("name", ["r1", "r3", "alone", "everything", "scores"])
def test_models_of_several_blocks_are_saved_to_the_last_bit(fitted, data, name):
    X, _ = data
    loaded = from_dict(json.loads(json.dumps(saved(fitted[name]), allow_nan=False)))
    people = X[list(COLUMNS)].reset_index(names="patient_id")
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id")
    assert loaded.predict(features, people)["score"].tolist() == fitted[name].decision_function(X).tolist()


def test_a_multivariate_model_is_made_of_declared_parts(data):
    X, y = data
    with pytest.raises(SettingsError, match="found no predictor"):
        parse_models({"m": {"kind": "multivariate"}})
    with pytest.raises(SettingsError, match="'clinical' is itself a clinical model"):
        parse_models({**CONTENT, "m": {"kind": "multivariate", "of": ["clinical"]}})
    with pytest.raises(SettingsError, match="'scores' is itself a multivariate model"):
        parse_models({**CONTENT, "m": {"kind": "combined", "of": ["scores", "clinical"]}})
    specs = parse_models({"m": {"kind": "multivariate", "candidates": ["weight"]}})
    with pytest.raises(StudyError, match="'weight' is not among the protocol's columns"):
        build_model("m", specs, COLUMNS, seed=0).fit(X, y)
    wide = parse_models(
        {"m": {"kind": "multivariate", "features": {"steps": []}, "selection": {"by": "backward", "p_enter": 1}}}
    )
    with pytest.raises(StudyError, match="select by lasso"):
        build_model("m", wide, COLUMNS, seed=0).fit(X[:60], y[:60])


# a nomogram with published terms: every candidate enters, an ordinal column of three levels has one coefficient
PUBLISHED = {
    "lesion_type": Column(label="Lesion type", kind="categorical", levels={"mass": "Mass", "nme": "Non-mass"}),
    "edge": Column(label="Edge", kind="ordinal", levels={"smooth": "Smooth", "lobulated": "Lobulated", "burr": "Burr"}),
    "skin": Column(label="Skin thickening", kind="categorical", levels={"no": "No", "yes": "Yes"}),
    "node": Column(label="Axillary node enlargement", kind="categorical", levels={"no": "No", "yes": "Yes"}),
}


def published_cohort(n=140, seed=5):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "lesion_type": random.choice(["mass", "nme"], n),
            "edge": random.choice(["smooth", "lobulated", "burr"], n),
            "skin": random.choice(["no", "yes"], n),
            "node": random.choice(["no", "yes"], n),
        },
        index=[f"P{i:03d}" for i in range(n)],
    )
    linear = -1 + 1.2 * (X["edge"] == "burr") + 0.6 * (X["edge"] == "lobulated") + 0.8 * (X["skin"] == "yes")
    return X, (random.random(n) < 1 / (1 + np.exp(-linear))).astype(int)


def test_published_terms_are_refitted_without_screening():
    X, y = published_cohort()
    spec = {"m": {"kind": "clinical", "candidates": list(PUBLISHED), "keep": "all", "p_enter": 0.001}}
    model = build_model("m", parse_models(spec), PUBLISHED, seed=0).fit(X, y)
    report = model.fit_report()
    assert report.coefficients["term"].tolist() == [
        "(Intercept)", "lesion_type[nme]", "edge", "skin[yes]", "node[yes]",
    ]  # fmt: skip
    assert report.selection["note"].tolist()[0] == "no screening"
    # the same by maximum likelihood on numbers typed by hand: edge as 0, 1, 2
    table = pd.DataFrame(
        {
            "lesion_type": (X["lesion_type"] == "nme").astype(float),
            "edge": X["edge"].map({"smooth": 0.0, "lobulated": 1.0, "burr": 2.0}),
            "skin": (X["skin"] == "yes").astype(float),
            "node": (X["node"] == "yes").astype(float),
        }
    )
    expected = logistic_regression(table, y, "ml")
    np.testing.assert_allclose(report.coefficients["beta"], expected.table["beta"], atol=1e-9)
    np.testing.assert_allclose(report.coefficients["p"], expected.table["p"], atol=1e-9)
    weights = dict(model.rule_.predictors[1].weights)
    assert weights["burr"] == pytest.approx(2 * weights["lobulated"]) and weights["smooth"] == 0


@pytest.mark.parametrize("missing", ["impute", "complete_case"])
def test_missing_values_are_counted_column_by_column(missing):
    X, y = published_cohort()
    X.iloc[:7, 1] = None
    X.iloc[5:10, 2] = None
    spec = {"m": {"kind": "clinical", "candidates": list(PUBLISHED), "keep": "all", "missing": missing}}
    model = build_model("m", parse_models(spec), PUBLISHED, seed=0).fit(X, y)
    table = model.fit_report().tables["missing"].set_index("column")
    assert table["missing"].to_dict() == {"lesion_type": 0, "edge": 7, "skin": 5, "node": 0}
    assert (table["rows"] == 140).all()
    notes = " | ".join(model.fit_report().notes)
    assert "edge: 7 of 140 training values were missing" in notes
    if missing == "impute":
        assert (table["handling"] == "imputed").all()
        assert table.loc["edge", "filled_with"] == X["edge"].value_counts().idxmax()
        assert model.n_ == 140
    else:
        assert (table["handling"] == "left out").all()
        assert table["filled_with"].isna().all()
        assert model.n_ == 130 and "10 of 140 training rows were incomplete" in notes


def test_the_multivariate_model_imputes_on_training_alone(data):
    X, y = data
    holed = X.copy()
    holed.iloc[:9, holed.columns.get_loc("age")] = np.nan
    specs = parse_models(CONTENT)
    model = build_model("everything", specs, COLUMNS, seed=2).fit(holed[:N], y[:N])
    assert model.fitted_.known.variables["age"].fill == holed["age"][9:N].median()
    assert model.fit_report().tables["missing"].set_index("column").loc["age", "missing"] == 9
    other = holed.copy()
    other.iloc[N:, other.columns.get_loc("age")] = 1e6
    again = build_model("everything", specs, COLUMNS, seed=2).fit(other[:N], y[:N])
    assert json.dumps(saved(again)) == json.dumps(saved(model))


def test_a_formula_of_twenty_features_is_read_line_by_line(data):
    X, y = data
    steps = [{"step": "z_score"}, {"step": "univariate", "k": 20}]
    specs = parse_models({"m": {"kind": "radiomics", "steps": steps, "estimator": {"kind": "ridge"}}})
    model = build_model("m", specs, COLUMNS, seed=0).fit(X, y)
    lines = from_dict(saved(model)).formula().split("\n")
    assert len(lines) == 22 and max(map(len, lines)) < 60
    assert lines[0] == "m ="
    total = float(lines[1].replace("−", "-"))
    row = model.fitted_.table.iloc[0]
    for line in lines[2:]:
        sign, weight, times, name = line.split()
        assert times == "×"
        total += (1 if sign == "+" else -1) * float(weight) * row[name]
    assert total == pytest.approx(model.decision_function(X)[X.index.get_loc(row.name)], abs=0.01)


def test_the_chain_of_a_block_is_that_of_a_radiomics_model():
    block = {"kind": "multivariate", "features": {"steps": [CHAIN[-1]]}}
    with pytest.raises(SettingsError, match="needs a"):
        parse_models({"m": block})
