"""LASSO path and cross-validation against glmnet, scikit-learn and the optimality conditions."""

from __future__ import annotations

import numpy as np
import pytest
from lasso_problems import example, table, wide_problem
from sklearn.linear_model import LogisticRegression, lasso_path

from her2radiomics.modelling.base import Training
from her2radiomics.modelling.penalised.binomial_path import _newton, _objective, binomial_path
from her2radiomics.modelling.penalised.cross_validation import cross_validated_lasso, patient_folds
from her2radiomics.modelling.penalised.gaussian_path import _from, _least_angle, gaussian_path, lambda_grid, standardise
from her2radiomics.modelling.steps.lasso import LassoStep

PATHS = {"gaussian": gaussian_path, "binomial": binomial_path}


# R 4.2.2, glmnet 4.1-6, with X, y and f (= fold + 1) as in example():
#   l <- glmnet(X, y, family = F)$lambda[1] * 10^seq(0, -2, length.out = 21)
#   m <- glmnet(X, y, family = F, lambda = l, thresh = 1e-25, maxit = 1e8)      # coef(m)[, c(11, 21)]
#   v <- cv.glmnet(X, y, family = F, lambda = l, foldid = f, thresh = 1e-25, maxit = 1e8)  # cvm, cvsd [c(1,6,11,16,21)]
LAMBDA_MAX = 0.165375969471
GLMNET = {
    "gaussian": {
        10: [-4.33986507548, 2.02645959689, 0.00997182370462, 0, -0.000242500246431, -0.0319218237449,
             0.113121536671, -0.000798840512439, 0.000515447638836, 0.547137527351, 0, 0.000405643984508, 0],
        20: [-5.11380586897, 2.35683110393, 0.0359205216436, 0, -0.000518346906471, -0.314691329303,
             0.123419845639, -0.00328220398718, 0.00079163382337, 0.745666120914, 0.0257132820172,
             0.00290825517552, -0.000196961579346],
        "cvm": [0.257222725213, 0.248664092367, 0.287889417033, 0.309592128895, 0.318994924677],
        "cvsd": [0.00387612689104, 0.0165477301534, 0.0268525653982, 0.0310809773259, 0.032494840066],
        "min": 4, "1se": 3,
    },
    "binomial": {
        10: [-22.1468532925, 9.16725183098, 0.0265385461341, 0, -0.00110365331, 0, 0.536098335382,
             -0.00367008379501, 0.00236531082796, 2.41673971715, 0, 0.00353478621615, 0],
        20: [-24.9269510781, 11.201184581, 0.157354958363, 0.00307399524463, -0.00262732210964, -1.59894012648,
             0.613692796584, -0.0147990630315, 0.00398938453295, 3.38546604561, 0.0923052632212,
             0.0155735065041, -0.000804408176074],
        "cvm": [1.41528944102, 1.38570656757, 1.6122413674, 1.8063806398, 1.90421483313],
        "cvsd": [0.0155625575064, 0.07112568318, 0.142231058356, 0.19952315251, 0.226453116426],
        "min": 4, "1se": 3,
    },
}  # fmt: skip
TOLERANCE = {"gaussian": 1e-10, "binomial": 1e-8}


def test_the_largest_penalty_is_glmnets():
    x, y, _ = example()
    grid = lambda_grid(x, y, 100)
    assert grid[0] == pytest.approx(LAMBDA_MAX, rel=1e-11)
    assert grid.size == 100
    assert grid[-1] == pytest.approx(grid[0] * 1e-4)  # rows > columns
    wide = np.random.default_rng(0).normal(size=(20, 30))
    assert lambda_grid(wide, np.arange(20) % 2, 50)[-1] / lambda_grid(wide, np.arange(20) % 2, 50)[0] == pytest.approx(
        1e-2
    )


@pytest.mark.parametrize("family", PATHS)
@pytest.mark.parametrize("place", [10, 20])
def test_coefficients_are_glmnets(family, place):
    x, y, _ = example()
    path = PATHS[family](x, y, LAMBDA_MAX * 10.0 ** np.linspace(0, -2, 21))
    expected = np.array(GLMNET[family][place])
    found = np.concatenate([[path.intercepts[place]], path.coefficients[:, place]])
    assert ((found != 0) == (expected != 0)).all()
    np.testing.assert_allclose(found, expected, rtol=10 * TOLERANCE[family], atol=0)


@pytest.mark.parametrize("family", PATHS)
def test_cross_validation_is_glmnets(family):
    x, y, fold = example()
    cv = cross_validated_lasso(x, y, fold, family=family, lambdas=LAMBDA_MAX * 10.0 ** np.linspace(0, -2, 21))
    expected = GLMNET[family]
    at = [0, 5, 10, 15, 20]
    np.testing.assert_allclose(cv.mean[at], expected["cvm"], rtol=TOLERANCE[family])
    np.testing.assert_allclose(cv.se[at], expected["cvsd"], rtol=max(1e-10, 20 * TOLERANCE[family]))
    assert (cv.index_min + 1, cv.index_1se + 1) == (expected["min"], expected["1se"])
    curve = cv.curve()
    assert (np.flatnonzero(curve["min"]) + 1).tolist() == [expected["min"]]
    assert (np.flatnonzero(curve["one_se"]) + 1).tolist() == [expected["1se"]]
    assert curve["mean_error"].tolist() == cv.mean.tolist()


def test_cross_validation_by_hand():
    """One column: each fold's slope is soft-thresholded by hand on that fold's own standardised column."""
    random = np.random.default_rng(2)
    x, fold = random.normal(size=(13, 1)), np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    y = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1.0])
    lambdas = np.array([0.3, 0.1, 0.02])
    errors = []
    for k in range(3):
        a, b = x[fold != k, 0], y[fold != k]
        z = (a - a.mean()) / a.std()
        slope = z @ (b - b.mean()) / len(b)
        shrunk = np.sign(slope) * np.maximum(abs(slope) - lambdas, 0) / a.std()
        prediction = b.mean() + (x[fold == k] - a.mean()) * shrunk
        errors.append(np.square(y[fold == k][:, None] - prediction).mean(axis=0))
    cv = cross_validated_lasso(x, y, fold, lambdas=lambdas)
    np.testing.assert_allclose(cv.mean, np.average(errors, axis=0, weights=[6, 4, 3]), rtol=1e-12)


def test_more_features_than_rows_as_scikit_learn():
    """The exact path against scikit-learn's coordinate descent at a tight tolerance; same features everywhere."""
    x, y = wide_problem(copies=False)
    lambdas = lambda_grid(x, y, 100)[:60:3]
    ours = gaussian_path(x, y, lambdas)
    columns, _, deviation = standardise(x)
    _, theirs, _ = lasso_path(columns, y - y.mean(), alphas=lambdas, tol=1e-12, max_iter=1_000_000)
    np.testing.assert_allclose(ours.coefficients * deviation[:, None], theirs, atol=1e-6)
    clear = np.abs(theirs) > 1e-5
    assert ((ours.coefficients != 0) >= clear).all()
    assert ((ours.coefficients != 0) & ~clear).sum() <= 5  # features that just join


def test_copies_of_a_feature_are_survived():
    """With exact and near copies the solution is not unique, but its optimality conditions and error are."""
    x, y = wide_problem(copies=True)
    lambdas = lambda_grid(x, y, 100)
    ours = gaussian_path(x, y, lambdas)
    columns, _, deviation = standardise(x)
    beta = ours.coefficients * deviation[:, None]
    gradient = columns.T @ (y[:, None] - y.mean() - columns @ beta) / len(y)
    assert (np.abs(gradient) <= lambdas + 1e-6 * lambdas[0]).all()
    objective = np.square(y[:, None] - y.mean() - columns @ beta).mean(axis=0) / 2 + lambdas * np.abs(beta).sum(axis=0)
    some = lambdas[:40:10]
    _, theirs, _ = lasso_path(columns, y - y.mean(), alphas=some, tol=1e-8, max_iter=100_000)
    reference = np.square(y[:, None] - y.mean() - columns @ theirs).mean(axis=0) / 2
    reference += some * np.abs(theirs).sum(axis=0)
    assert (objective[:40:10] <= reference * (1 + 1e-6)).all()


def test_a_path_is_finished_exactly_from_any_of_its_solutions():
    """Where least-angle regression stumbles: by the active set, here from nothing and from the middle of the path."""
    x, y = wide_problem(copies=False)
    columns, _, _ = standardise(x)
    lambdas, centred = lambda_grid(x, y, 100)[:60], y - y.mean()
    whole = _least_angle(columns, centred, lambdas)
    for start in (0, 30):
        before = whole[:, start - 1] if start else np.zeros(x.shape[1])
        np.testing.assert_allclose(_from(before, columns, centred, lambdas[start:]), whole[:, start:], atol=1e-9)
    copies, _ = wide_problem(copies=True)
    columns, _, _ = standardise(copies)
    survived = _from(np.zeros(copies.shape[1]), columns, centred, lambdas)
    gradient = columns.T @ (centred[:, None] - columns @ survived) / len(y)
    assert (np.abs(gradient) <= lambdas + 1e-4 * lambdas[0]).all()


def test_the_binomial_minimum_is_scikit_learns():
    """C = 1 / (n·λ), solver saga, l1_ratio = 1: the same minimum."""
    x, y, _ = example()
    columns, _, deviation = standardise(x)
    penalty = LAMBDA_MAX / 5
    path = binomial_path(x, y, np.array([LAMBDA_MAX, LAMBDA_MAX / 2, penalty]))
    saga = LogisticRegression(
        C=1 / (len(y) * penalty), l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000, random_state=0
    ).fit(columns, y)
    np.testing.assert_allclose(path.coefficients[:, 2] * deviation, saga.coef_[0], atol=1e-6)


def test_both_ways_to_the_binomial_minimum_agree():
    """The active set, and glmnet's weighted least-squares steps that take over where it gets stuck."""
    x, y = wide_problem(copies=False)
    columns, _, deviation = standardise(x)
    lambdas = lambda_grid(x, y, 100)[:45]
    path = binomial_path(x, y, lambdas)
    beta, intercept = _newton(columns, y, lambdas[-1], path.coefficients[:, -2] * deviation, path.intercepts[-2])
    np.testing.assert_allclose(path.coefficients[:, -1] * deviation, beta, atol=1e-4)
    assert _objective(columns, y, lambdas[-1], beta, intercept) == pytest.approx(
        _objective(columns, y, lambdas[-1], path.coefficients[:, -1] * deviation, path.intercepts[-1]
                   + x.mean(axis=0) @ path.coefficients[:, -1]), rel=1e-8,
    )  # fmt: skip
    copies, _ = wide_problem(copies=True)
    survived = binomial_path(copies, y, lambdas[:20])
    standard, _, deviation = standardise(copies)
    fitted = 1 / (1 + np.exp(-survived.predict(copies)))
    gradient = standard.T @ (fitted - y[:, None]) / len(y)
    assert (np.abs(gradient) <= lambdas[:20] + 1e-4 * lambdas[0]).all()


def test_folds_are_stratified_and_belong_to_patients():
    patients = np.array([f"P{i:02d}" for i in range(40)])
    labels = np.array([1] * 12 + [0] * 28)
    fold = patient_folds(patients, labels, 10, seed=3)
    assert np.bincount(fold).tolist() == [4] * 10
    assert all(labels[fold == k].sum() in (1, 2) for k in range(10))
    order = np.random.default_rng(0).permutation(40)
    assert (patient_folds(patients[order], labels[order], 10, seed=3) == fold[order]).all()
    drawn = np.array([0, 0, 0, 5, 5, *range(10, 40)])
    again = patient_folds(patients[drawn], labels[drawn], 10, seed=3)
    assert len(set(again[:3])) == 1
    assert len(set(again[3:5])) == 1
    assert patient_folds(patients, labels, 10, seed=4).tolist() != fold.tolist()
    assert set(patient_folds(patients[:16], labels[:16], 10, seed=3)) == {0, 1, 2, 3}  # four patients of one class
    assert patient_folds(patients[:14], labels[:14], 10, seed=3).size == 0


def fitted(X, y, seed: int = 0, **settings):
    """The step, fitted."""
    return LassoStep(step="lasso", **settings).fit(X, y, Training(seed=seed))


def test_the_step_keeps_the_nonzero_features_and_both_tables():
    x, y = wide_problem(copies=False)
    for rule in ("min", "1se"):
        step = fitted(table(x), y, 1, rule=rule)
        place = getattr(step.cv, f"index_{rule}")
        assert step.penalty == step.cv.path.lambdas[place]
        chosen = np.flatnonzero(step.cv.path.coefficients[:, place])
        assert step.names_out == tuple(f"f{i}" for i in chosen)
        assert tuple(step.transform(table(x)).columns) == step.names_out
    path = step.path_table()
    assert path["lambda"].nunique() == 100
    chosen = path[np.isclose(path["lambda"], step.penalty, rtol=1e-12) & (path["coefficient"] != 0)]
    assert tuple(chosen["term"]) == step.names_out


def test_a_lasso_without_anything_to_find_keeps_nothing():
    flat = table(np.tile([1.0, 2.0, 0.1], (30, 1)))
    labels = np.arange(30) % 2
    step = fitted(flat, labels)
    assert step.names_out == ()
    assert "no feature varies" in step.note
    assert step.transform(flat).shape == (30, 0)
    assert fitted(flat.iloc[:, :0], labels).names_out == ()
    few = fitted(table(np.random.default_rng(0).normal(size=(30, 4))), np.array([1, 1] + [0] * 28))
    assert "too few patients" in few.note
    noise = table(np.random.default_rng(8).normal(size=(30, 4)))
    nothing = fitted(noise, labels, rule="1se")
    assert (len(nothing.names_in), len(nothing.names_out)) == (4, 0)
    assert nothing.note.startswith("kept nothing: gaussian")
