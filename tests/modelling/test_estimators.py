"""Estimators of a radiomics model: ridge, linear support vector machine and random forest, fitted, saved and loaded."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from lasso_problems import example
from model_cohort import COLUMNS, cohort
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from her2radiomics.core.errors import SettingsError, StudyError
from her2radiomics.modelling import build_model, from_dict, load_model, save_model, to_dict
from her2radiomics.modelling.estimators.elastic_net_logistic import ElasticNetLogisticSpec
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.penalised.ridge import cross_validated_ridge, ridge_grid, ridge_path
from her2radiomics.modelling.saved.forest import Tree
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import auc, likelihood

N = 100
STEPS = [{"step": "z_score"}, {"step": "univariate", "test": "f_classif", "k": 12}]
ESTIMATORS = {
    "ridge": {"kind": "ridge"},
    "elastic_net_logistic": {"kind": "elastic_net_logistic", "alpha": 0.4},
    "linear_svm": {"kind": "linear_svm", "c": 0.5},
    "random_forest": {"kind": "random_forest", "trees": 60},
}
# R 4.2.2, glmnet 4.1-6, with X, y and f (= fold + 1) as in example(); l <- 165.375969471 * 10^seq(0, -4, length.out = 21)
#   m <- glmnet(X, y, family = "binomial", alpha = 0, lambda = l, thresh = 1e-25, maxit = 1e8)  # coef(m)[, c(11, 18)]
#   v <- cv.glmnet(X, y, family = "binomial", alpha = 0, lambda = l, foldid = f, thresh = 1e-25, maxit = 1e8)
FIRST, LAST = 165.375969471, 0.0165375969471  # glmnet(X, y, family = "binomial", alpha = 0)$lambda[c(1, 100)]
GLMNET = {
    10: [-4.51385155016, 1.09648024690, 9.61200918245e-3, 2.21044174873e-3, -4.21099433342e-5, -6.29130996120e-2,
         8.35741372616e-2, 2.40576420594e-5, 2.98336771086e-4, 5.23805886430e-1, 9.71241769948e-3,
         7.55091836957e-4, 1.44019665566e-4],
    17: [-20.0105136846, 7.80358455515, 1.05341508804e-1, 3.68952803887e-3, -1.45604740245e-3, -9.54479700556e-1,
         4.57198115342e-1, -8.66835035010e-3, 2.58278744411e-3, 2.58836315561, 6.67425480886e-2,
         9.83655385156e-3, -3.60198614575e-4],
}  # fmt: skip
MIN, ONE_SE = 11, 1  # which(l == v$lambda.min), which(l == v$lambda.1se)


@pytest.fixture(scope="module")
def data():
    features, _, clinical, labels = cohort(n=200, per_sequence=30, seed=0)
    return pd.concat([features, clinical], axis=1), labels


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    specs = parse_models(
        {name: {"kind": "radiomics", "steps": STEPS, "estimator": estimator} for name, estimator in ESTIMATORS.items()}
    )
    return {name: build_model(name, specs, COLUMNS, seed=3).fit(X[:N], y[:N]) for name in specs}


def scaled(model, X):
    """The table that the estimator sees."""
    return model.fitted_.chain.transform(X[list(model.fitted_.chain["numbers"].names_in)])


def saved(model):
    return to_dict(model, centres=["1"], extraction={"T2FS": "abc"}, simulated=True)


@pytest.mark.parametrize("place", GLMNET)
def test_ridge_coefficients_are_glmnets(place):
    x, y, _ = example()
    path = ridge_path(x, y, FIRST * 10.0 ** np.linspace(0, -4, 21))
    found = [path.intercepts[place], *path.coefficients[:, place]]
    np.testing.assert_allclose(found, GLMNET[place], rtol=1e-8)


def test_the_ridge_penalty_is_cv_glmnets():
    x, y, fold = example()
    grid = FIRST * 10.0 ** np.linspace(0, -4, 21)
    for rule, place in (("min", MIN), ("1se", ONE_SE)):
        penalty, path = cross_validated_ridge(x, y, fold, rule=rule, lambdas=grid)
        assert penalty == grid[place - 1]
        expected = ridge_path(x, y, grid).coefficients[:, place - 1]
        np.testing.assert_array_equal(path.coefficients[:, 0], expected)
    np.testing.assert_allclose(ridge_grid(x, y, 100)[[0, -1]], [FIRST, LAST], rtol=1e-10)


def test_ridge_with_more_features_than_rows_is_scikit_learns():
    """scikit-learn's penalty on the sum: C = 1 / (n λ), on standardised columns."""
    random = np.random.default_rng(1)
    x = random.normal(size=(30, 80)) * random.uniform(0.1, 30, 80)
    y = (x[:, 0] / x[:, 0].std() + random.normal(size=30) > 0).astype(float)
    penalty = 0.2
    path = ridge_path(x, y, np.array([penalty]))
    z = StandardScaler().fit_transform(x)
    theirs = LogisticRegression(C=1 / (30 * penalty), solver="newton-cholesky", tol=1e-12, max_iter=1000)
    theirs.fit(z, y)
    np.testing.assert_allclose(path.coefficients[:, 0] * x.std(axis=0), theirs.coef_[0], atol=1e-8)


def test_the_ridge_model_shrinks_and_keeps_every_feature(fitted):
    model = fitted["ridge"]
    assert len(model.rule_.predictors) == 12
    free = likelihood.fit_ml(model.fitted_.table.to_numpy(), model.fitted_.labels == 1)
    ours = np.array([p.coefficient for p in model.rule_.predictors])
    assert np.linalg.norm(ours) < np.linalg.norm(free.beta[1:])
    report = model.fit_report()
    assert list(report.coefficients.columns) == ["term", "beta"]
    assert report.selection["name"].iloc[-1] == "ridge"
    assert "a penalised estimator has no standard errors" in report.notes


def test_the_support_vector_machine_and_its_sigmoid_are_scikit_learns(fitted, data):
    """Platt's sigmoid on held-out decision values of the training rows, the machine on all of them."""
    X, y = data
    model = fitted["linear_svm"]
    table = scaled(model, X)
    order = np.argsort(X.index[:N].to_numpy().astype(str), kind="stable")
    train, labels = table[:N].iloc[order], y[:N][order]
    fold = patient_folds(train.index.to_numpy(), labels, 10, 3)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    theirs = CalibratedClassifierCV(
        make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.5, tol=1e-6)),
        method="sigmoid",
        cv=splits,
        ensemble=False,
    ).fit(train.to_numpy(), labels)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], theirs.predict_proba(table.to_numpy())[:, 1], atol=1e-12)


def test_the_forest_is_scikit_learns_to_the_last_bit(fitted, data):
    X, y = data
    model = fitted["random_forest"]
    table = scaled(model, X)
    order = np.argsort(X.index[:N].to_numpy().astype(str), kind="stable")
    theirs = RandomForestClassifier(
        n_estimators=60, min_samples_leaf=3, max_features="sqrt", random_state=3, n_jobs=1, oob_score=True
    ).fit(table[:N].iloc[order].to_numpy(), y[:N][order])
    assert model.predict_proba(X)[:, 1].tolist() == theirs.predict_proba(table.to_numpy())[:, 1].tolist()
    assert model.fitted_.held_out.tolist() == theirs.oob_decision_function_[:, 1].tolist()


def test_the_forests_threshold_is_chosen_out_of_bag(fitted, data):
    X, y = data
    model = fitted["random_forest"]
    assert auc(y[:N], model.decision_function(X[:N])) > 0.97  # rows that the trees saw
    held_out, labels = model.fitted_.held_out, model.fitted_.labels
    assert auc(labels, held_out) < 0.95

    def youden(threshold):
        return (held_out >= threshold)[labels == 1].mean() + (held_out < threshold)[labels == 0].mean()

    best, at = [youden(t) for t in np.unique(held_out)], youden(model.threshold_.threshold)
    assert at == pytest.approx(max(best), abs=1e-12)
    assert saved(model)["threshold"]["rule"] == "Youden index on training, out-of-bag probabilities"


def test_a_forest_has_scores_but_neither_formula_nor_nomogram(fitted, data):
    X, _ = data
    model = from_dict(saved(fitted["random_forest"]))
    score, p = fitted["random_forest"].decision_function(X), fitted["random_forest"].predict_proba(X)[:, 1]
    assert np.isfinite(score).all()
    assert (np.argsort(score, kind="stable") == np.argsort(p, kind="stable")).all()
    for refused in (model.formula, model.nomogram_model):
        with pytest.raises(StudyError, match="found a random forest, expected a linear model"):
            refused()
    report = fitted["random_forest"].fit_report()
    assert report.coefficients.empty and list(report.coefficients.columns) == ["term", "beta"]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_find_the_signal_and_are_saved_to_the_last_bit(fitted, data, tmp_path, name):
    X, y = data
    assert auc(y[N:], fitted[name].decision_function(X[N:])) > 0.65
    save_model(saved(fitted[name]), tmp_path / "model.json")
    loaded = load_model(tmp_path / "model.json")
    people = X[list(COLUMNS)].reset_index(names="patient_id")
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id")
    table = loaded.predict(features, people)
    assert table["score"].tolist() == fitted[name].decision_function(X).tolist()
    assert table["probability"].tolist() == fitted[name].predict_proba(X)[:, 1].tolist()
    save_model(loaded.content, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_order_of_rows_and_columns_does_not_matter(fitted, data, name):
    X, y = data
    random = np.random.default_rng(8)
    rows, columns = random.permutation(N), random.permutation(X.shape[1])
    specs = parse_models({name: {"kind": "radiomics", "steps": STEPS, "estimator": ESTIMATORS[name]}})
    again = build_model(name, specs, COLUMNS, seed=3).fit(X.iloc[rows, columns], y[:N][rows])
    assert json.dumps(saved(again)) == json.dumps(saved(fitted[name]))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_final_refit_on_all_rows_is_the_model_itself(fitted, data, name):
    X, y = data
    order = np.argsort(X.index[:N].to_numpy().astype(str), kind="stable")
    again = fitted[name].final_refit(X[:N].iloc[order], y[:N][order])(np.arange(N))
    expected = fitted[name].predict_proba(X[:N].iloc[order])[:, 1]
    np.testing.assert_allclose(again, expected, atol=1e-10)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_combined_model_takes_the_score_of_any_estimator(data, name):
    X, y = data
    specs = parse_models(
        {
            "image": {"kind": "radiomics", "steps": STEPS, "estimator": ESTIMATORS[name]},
            "clinical": {"kind": "clinical", "candidates": ["ki67", "age"], "keep": "all"},
            "both": {"kind": "combined", "of": ["image", "clinical"]},
        }
    )
    model = build_model("both", specs, COLUMNS, seed=3).fit(X[:N], y[:N])
    assert model.fit_report().coefficients["term"].tolist() == ["(Intercept)", "image", "ki67[high]", "age"]
    loaded = from_dict(json.loads(json.dumps(saved(model))))
    people = X[list(COLUMNS)].reset_index(names="patient_id")
    features = X.drop(columns=list(COLUMNS)).reset_index(names="patient_id")
    assert loaded.predict(features, people)["score"].tolist() == model.decision_function(X).tolist()
    assert loaded.nomogram_model().predictors[0].name == "image"


def test_too_few_patients_of_a_class_leave_the_intercept():
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(30, 5)), columns=list("abcde"), index=[f"P{i:02d}" for i in range(30)])
    y = np.array([1, 1, *[0] * 28])
    for kind in ("ridge", "elastic_net_logistic", "linear_svm"):
        specs = parse_models({"m": {"kind": "radiomics", "steps": [], "estimator": {"kind": kind}}})
        model = build_model("m", specs, {}, seed=0).fit(X, y)
        assert model.empty_
        assert model.predict_proba(X)[:, 1] == pytest.approx(2 / 30)
        assert "too few patients in one class" in model.fit_report().selection["note"].iloc[-1]


def test_settings_of_another_estimator_are_refused():
    with pytest.raises(SettingsError, match="trees"):
        parse_models({"m": {"kind": "radiomics", "estimator": {"kind": "ridge", "trees": 5}}})
    with pytest.raises(SettingsError, match="estimator"):
        parse_models({"m": {"kind": "radiomics", "estimator": {"kind": "boosting"}}})


def test_a_damaged_tree_is_refused(fitted):
    content = json.loads(json.dumps(saved(fitted["random_forest"])))
    inner = next(t for t in content["rule"]["trees"] if t["left"][0] != -1)
    inner["left"][0] = 0  # a loop
    with pytest.raises(StudyError, match="children lie outside the tree"):
        from_dict(content)
    tree = Tree.from_dict(
        {
            "left": [1, -1, -1],
            "right": [2, -1, -1],
            "feature": [0, 0, 0],
            "threshold": [0.5, 0, 0],
            "value": [0.5, 0.25, 1.0],
        }
    )
    rows = np.array([[0.5], [0.50001], [-3.0]], dtype=np.float32)
    assert tree.predict(rows).tolist() == [0.25, 1.0, 0.25]  # by hand: at or below the threshold goes left


# R 4.2.2, glmnet 4.1-6: l <- 0.165375969471 / 0.3 * 10^seq(0, -4, length.out = 100)
#   v <- cv.glmnet(X, y, family = "binomial", alpha = 0.3, lambda = l, foldid = f, thresh = 1e-25, maxit = 1e8)
#   which(l == v$lambda.min) is 11, which(l == v$lambda.1se) is 6; coef(glmnet(…))[, 11]
NET = {"intercept": -6.708589274535, 0: 3.172360528303, 5: 0.201324098450, 8: 0.707026936394}


def test_the_elastic_net_is_cv_glmnets():
    x, y, fold = example()
    table = pd.DataFrame(x, columns=[f"f{i}" for i in range(12)])
    fit = ElasticNetLogisticSpec(kind="elastic_net_logistic", alpha=0.3).learn(table, y, fold)
    assert fit.columns == ("f0", "f5", "f8")
    assert fit.intercept == pytest.approx(NET["intercept"], rel=1e-8)
    for place in (0, 5, 8):
        assert fit.coefficients[f"f{place}"] == pytest.approx(NET[place], rel=1e-7)
    wider = ElasticNetLogisticSpec(kind="elastic_net_logistic", alpha=0.3, rule="1se")
    assert f"lambda.1se = {FIRST / 1000 / 0.3 * 10 ** (-4 * 5 / 99):.4g}" in wider.learn(table, y, fold).note
