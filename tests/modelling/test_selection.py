"""mRMR, stability selection and the elastic net against glmnet, scikit-learn, mrmr_selection; chains in any order."""

from __future__ import annotations

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from lasso_problems import example, table, wide_problem
from sklearn.feature_selection import f_classif
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import mutual_info_score

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.modelling import build_model, from_dict, to_dict
from her2radiomics.modelling.base import STEPS, Training
from her2radiomics.modelling.penalised.binomial_path import _newton, binomial_path
from her2radiomics.modelling.penalised.cross_validation import cross_validated_lasso
from her2radiomics.modelling.penalised.gaussian_path import _coordinate_net, gaussian_path, lambda_grid, standardise
from her2radiomics.modelling.settings import parse_models
from her2radiomics.modelling.steps.mrmr import mutual_information
from her2radiomics.modelling.steps.stability_selection import patient_halves

PATHS = {"gaussian": gaussian_path, "binomial": binomial_path}


def fitted(kind: str, X, y, seed: int = 0, **settings):
    """A step of a kind, fitted."""
    return STEPS[kind](step=kind, **settings).fit(X, y, Training(seed=seed))


# R 4.2.2, glmnet 4.1-6, with X, y and f (= fold + 1) as in example() of test_modelling_lasso.py:
#   glmnet.control(fdev = 0, devmax = 1)
#   l <- glmnet(X, y, family = F, alpha = A)$lambda[1] * 10^seq(0, -2, length.out = 21)
#   m <- glmnet(X, y, family = F, alpha = A, lambda = l, thresh = 1e-25, maxit = 1e8)     # coef(m)[, c(11, 21)]
#   v <- cv.glmnet(X, y, family = F, alpha = A, lambda = l, foldid = f, thresh = 1e-25, maxit = 1e8)
#   # v$cvm, v$cvsd at c(1, 6, 11, 16, 21)
GLMNET = {
    ("gaussian", 0.5): {
        "largest": 0.330751938943,
        10: [-4.284352582380303, 1.950542417412159, 0.009126796021843, 0, -0.000219853956399, -0.024389264589009,
             0.110080750781668, -0.000683547770096, 0.000492618108417, 0.538458615523392, 0, 0.000342653736265, 0],
        20: [-5.098592802358791, 2.347191364624591, 0.035697770585725, 0, -0.000514462488474, -0.312705426109353,
             0.123122020578229, -0.003256312088603, 0.000787644182842, 0.743230204422497, 0.025499569635699,
             0.002889150955033, -0.000194744315915],
        "cvm": [0.257089201438, 0.245817833891, 0.283748024048, 0.307721415286, 0.318288522576],
        "cvsd": [0.00384111948006, 0.01427054368227, 0.02529050109133, 0.03044466080732, 0.03228074456967],
        "min": 4, "1se": 3,
    },
    ("gaussian", 0.1): {
        "largest": 1.65375969471,
        10: [-3.77257335337, 1.50589560039, 0.00492161020106, 0, -0.000105056250102, 0, 0.0910508590165,
             -0.0000903325333468, 0.000363976700165, 0.474779429642, 0, 0.0000570984067721, 0],
        20: [-4.982255360541443, 2.272988158676899, 0.034006801143151, 0, -0.000484981010441, -0.297506698026111,
             0.120772555300079, -0.003059894276482, 0.000757167726804, 0.724592491095274, 0.023906972503371,
             0.002744349819946, -0.000177855689084],
        "cvm": [0.257002999114, 0.243027815955, 0.265517416326, 0.295613840388, 0.313060505917],
        "cvsd": [0.00375957214159, 0.00791554444230, 0.01725995071884, 0.02622599776198, 0.03067259712180],
        "min": 6, "1se": 3,
    },
    ("binomial", 0.5): {
        "largest": 0.330751938943,
        10: [-21.0333742367, 8.29661007053, 0.0235518905351, 0, -0.000871474107745, 0, 0.491167149898,
             -0.00252149559692, 0.00210393288402, 2.30751444938, 0, 0.00252337672554, 0],
        20: [-24.7502215320895, 11.05512280663152, 0.15453625880316, 0.00300381512736, -0.00256636921774,
             -1.56119463098366, 0.60716905252054, -0.01450933112646, 0.00391981945738, 3.35131396365309,
             0.09054603523204, 0.01526886072963, -0.0007808230371],
        "cvm": [1.41453260725, 1.36363577964, 1.54913228238, 1.75512373603, 1.87940577862],
        "cvsd": [0.0153308526124, 0.0523308887986, 0.1145313828200, 0.1771049063846, 0.2155429459448],
        "min": 5, "1se": 3,
    },
    ("binomial", 0.1): {
        "largest": 1.65375969471,
        10: [-15.4262695986, 4.96320287337, 0.00887873695381, 0, -0.000162530726119, 0, 0.319104243013, 0,
             0.00115585734377, 1.72034636542, 0, 0, 0],
        20: [-23.4443503922, 10.0551735517, 0.135844533521, 0.00271086997205, -0.00216827620002, -1.32043501513,
             0.562096133660, -0.0125017275199, 0.00345998096810, 3.11378137312, 0.0789216435369, 0.0132443318825,
             -0.000620460073999],
        "cvm": [1.41443893396, 1.36766977639, 1.42150816824, 1.57491765127, 1.75011980287],
        "cvsd": [0.0150117915747, 0.0241525769805, 0.0529009904925, 0.1062075354058, 0.1633907744197],
        "min": 6, "1se": 4,
    },
}  # fmt: skip


@pytest.mark.parametrize(("family", "alpha"), GLMNET)
def test_elastic_net_is_glmnets(family, alpha):
    """Coefficients to 1e-9 (relative), cross-validated errors to 1e-9, the same two penalties."""
    x, y, fold = example()
    expected = GLMNET[family, alpha]
    largest = lambda_grid(x, y, 100, alpha)[0]
    assert largest == pytest.approx(expected["largest"], rel=1e-11)
    grid = largest * 10.0 ** np.linspace(0, -2, 21)
    path = PATHS[family](x, y, grid, alpha)
    for place in (10, 20):
        found = np.concatenate([[path.intercepts[place]], path.coefficients[:, place]])
        assert ((found != 0) == (np.array(expected[place]) != 0)).all()
        np.testing.assert_allclose(found, expected[place], rtol=2e-9, atol=0)
    cv = cross_validated_lasso(x, y, fold, family=family, lambdas=grid, alpha=alpha)
    at = [0, 5, 10, 15, 20]
    np.testing.assert_allclose(cv.mean[at], expected["cvm"], rtol=1e-9)
    np.testing.assert_allclose(cv.se[at], expected["cvsd"], rtol=1e-8)
    assert (cv.index_min + 1, cv.index_1se + 1) == (expected["min"], expected["1se"])


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("alpha", [0.9, 0.5, 0.1])
def test_the_elastic_net_of_more_features_than_rows_is_optimal(alpha, copies):
    """The optimality conditions hold to 1e-9 of the largest penalty; more features than rows may stay."""
    x, y = wide_problem(copies)
    grid = lambda_grid(x, y, 60, alpha)
    columns, _, deviation = standardise(x)
    for family, path in PATHS.items():
        found = path(x, y, grid, alpha)
        beta = found.coefficients * deviation[:, None]
        if family == "gaussian":
            residual, spread = y[:, None] - found.predict(x), y.std()
        else:
            residual, spread = y[:, None] - 1 / (1 + np.exp(-found.predict(x))), 1.0
        gradient = columns.T @ residual / len(y) - grid * (1 - alpha) / spread * beta
        stationary = np.abs(gradient - grid * alpha * np.sign(beta))
        slack = np.where(beta != 0, stationary, np.maximum(np.abs(gradient) - grid * alpha, 0))
        assert slack.max() <= 1e-9 * grid[0]
    if alpha == 0.1:
        assert (found.coefficients[:, -1] != 0).sum() > len(y)


def test_the_elastic_net_is_scikit_learns():
    """The gaussian family on an outcome of SD 1 (glmnet's convention), and the binomial one."""
    x, y, _ = example()
    columns, _, deviation = standardise(x)
    z, penalty, alpha = (y - y.mean()) / y.std(), 0.1, 0.4
    net = ElasticNet(alpha=penalty, l1_ratio=alpha, tol=1e-12, max_iter=100_000).fit(columns, z)
    ours = gaussian_path(x, z, np.array([0.5, penalty]), alpha)
    np.testing.assert_allclose(ours.coefficients[:, 1] * deviation, net.coef_, atol=1e-9)
    saga = LogisticRegression(
        C=1 / (len(y) * penalty), l1_ratio=alpha, solver="saga", tol=1e-10, max_iter=100_000, random_state=0
    ).fit(columns, y)
    ours = binomial_path(x, y, np.array([0.5, penalty]), alpha)
    np.testing.assert_allclose(ours.coefficients[:, 1] * deviation, saga.coef_[0], atol=1e-6)


def test_the_ways_that_take_over_find_the_same_elastic_net():
    x, y = wide_problem(copies=False)
    columns, _, deviation = standardise(x)
    grid, alpha = lambda_grid(x, y, 50, 0.5), 0.5
    path = gaussian_path(x, y, grid, alpha)
    lasso, ridge = grid[-1] * alpha, grid[-1] * (1 - alpha) / y.std()
    other = _coordinate_net(columns, y - y.mean(), lasso, ridge, path.coefficients[:, -2] * deviation)
    np.testing.assert_allclose(path.coefficients[:, -1] * deviation, other, atol=1e-5)
    path = binomial_path(x, y, grid, alpha)
    start = path.coefficients[:, -2] * deviation
    other, _ = _newton(columns, y, grid[-1], start, path.intercepts[-2], alpha)
    np.testing.assert_allclose(path.coefficients[:, -1] * deviation, other, atol=1e-4)


def test_the_elastic_net_step_with_alpha_1_is_the_lasso():
    x, y = wide_problem(copies=False)
    lasso, net = fitted("lasso", table(x), y, 3), fitted("elastic_net", table(x), y, 3, alpha=0.5)
    again = fitted("elastic_net", table(x), y, 3, alpha=1.0)
    assert lasso.names_out == again.names_out
    assert lasso.cv.curve().equals(again.cv.curve())
    assert "alpha 0.5, lambda.min" in net.note and "alpha" not in lasso.note
    assert len(net.names_out) > len(lasso.names_out)
    assert set(net.tables()) == {"lasso_path", "lasso_cv"}


# ------------------------------------------------------------------------------------------------------------- mRMR


def mrmr_example() -> tuple[pd.DataFrame, np.ndarray]:
    """40 rows × 15 columns in five groups of three near-copies."""
    i, j = np.arange(40)[:, None], np.arange(15)[None, :]
    base = np.sin(1.7 * (i + 1) * (j % 5 + 1) + (j % 5) ** 2)
    x = base + 0.15 * (j // 5 + 0.2) * np.cos(0.9 * (i + 1) * (j + 2))
    y = (x[:, 0] + x[:, 3] - 0.6 * x[:, 7] + 0.5 * np.sin(5 * np.arange(40)) > 0.1).astype(int)
    return pd.DataFrame(x, columns=[f"f{k:02d}" for k in range(15)]), y


def test_mrmr_is_mrmr_selections():
    """mrmr_selection 0.2.8: mrmr_classif(X, y, K=8, relevance="f", redundancy="c", denominator="mean")."""
    X, y = mrmr_example()
    step = fitted("mrmr", X, y, k=8)
    assert list(step.order) == ["f05", "f03", "f12", "f00", "f10", "f11", "f08", "f07"]
    assert list(step.names_out) == sorted(step.order)


def three_states(values: np.ndarray) -> np.ndarray:
    low, high = values.mean() - values.std() / 2, values.mean() + values.std() / 2
    return np.array([0 if v < low else 2 if v > high else 1 for v in values])


@pytest.mark.parametrize("scheme", ["difference", "quotient"])
@pytest.mark.parametrize("redundancy", ["correlation", "mutual_information"])
@pytest.mark.parametrize("relevance", ["f_classif", "mutual_information"])
def test_mrmr_is_the_plain_greedy_search(relevance, redundancy, scheme):
    """Each score computed by itself with scikit-learn's f_classif and mutual_info_score, and numpy's corrcoef."""
    X, y = mrmr_example()
    x = X.to_numpy()

    def relevant(i):
        if relevance == "f_classif":
            return f_classif(x[:, [i]], y)[0][0]
        return mutual_info_score(three_states(x[:, i]), y)

    def redundant(i, j):
        if redundancy == "correlation":
            return abs(np.corrcoef(x[:, i], x[:, j])[0, 1])
        return mutual_info_score(three_states(x[:, i]), three_states(x[:, j]))

    taken: list[int] = []
    while len(taken) < 8:
        scores = {}
        for i in set(range(15)) - set(taken):
            mean = np.mean([redundant(i, j) for j in taken]) if taken else None
            if mean is None:
                scores[i] = relevant(i)
            else:
                scores[i] = relevant(i) - mean if scheme == "difference" else relevant(i) / max(mean, 1e-3)
        taken.append(max(sorted(scores), key=lambda i: scores[i]))
    step = fitted("mrmr", X, y, k=8, relevance=relevance, redundancy=redundancy, scheme=scheme)
    assert list(step.order) == [f"f{i:02d}" for i in taken]


def test_mutual_information_is_scikit_learns():
    random = np.random.default_rng(0)
    states, other = random.integers(0, 3, (30, 12)), random.integers(0, 2, 30)
    states[:, 3] = 1
    expected = [mutual_info_score(states[:, i], other) for i in range(12)]
    np.testing.assert_allclose(mutual_information(states, other), np.maximum(expected, 0), atol=1e-14)


def test_mrmr_of_ties_constants_and_perfect_features():
    X, y = mrmr_example()
    twins = X.assign(f00b=X["f00"], flat=1.0, perfect=y)
    for scheme in ("difference", "quotient"):
        step = fitted("mrmr", twins, y, k=4, scheme=scheme)
        assert step.order[0] == "perfect"
        assert "flat" not in fitted("mrmr", twins, y, k=99, scheme=scheme).names_out
        reverse = fitted("mrmr", X[X.columns[::-1]], y, k=8, scheme=scheme)
        assert reverse.order == fitted("mrmr", X, y, k=8, scheme=scheme).order
    only = X[["f00"]].assign(f00b=X["f00"], f00c=X["f00"])
    assert fitted("mrmr", only, y, k=2).order == ("f00", "f00b")  # ties: the first columns
    assert fitted("mrmr", X.iloc[:, :0], y, k=2).names_out == ()
    assert fitted("mrmr", X[["f00"]] * 0 + 3, y, k=2).names_out == ()


# ---------------------------------------------------------------------------------------------- stability selection


def test_halves_are_complementary_stratified_and_belong_to_patients():
    patients = np.array([f"P{i:02d}" for i in range(31)])
    labels = np.array([1] * 11 + [0] * 20)
    halves = patient_halves(patients, labels, 10, seed=4)
    assert len(halves) == 20
    for one, two in zip(halves[::2], halves[1::2], strict=True):
        assert not set(one) & set(two)
        assert [labels[h].sum() for h in (one, two)] == [5, 5]  # the eleventh is in neither half
        assert [len(h) for h in (one, two)] == [15, 15]
    order = np.random.default_rng(0).permutation(31)
    again = patient_halves(patients[order], labels[order], 10, seed=4)
    assert all(set(patients[a]) == set(patients[order][b]) for a, b in zip(halves, again, strict=True))
    drawn = np.array([0, 0, 0, *range(5, 31)])
    for half in patient_halves(patients[drawn], labels[drawn], 10, seed=4):
        assert len({0, 1, 2} & set(half)) in (0, 3)  # copies of a patient stay together
    assert patient_halves(patients[:12], labels[:12], 10, seed=4) == []
    other = patient_halves(patients, labels, 10, seed=5)
    assert any(a.tolist() != b.tolist() for a, b in zip(halves, other, strict=True))


def stable_problem(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(90, 60))
    y = (x[:, 3] + x[:, 40] + 0.7 * random.normal(size=90) > 0).astype(float)
    return table(x * 7 + 2), y


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_stability_selection_by_hand(family):
    """Frequencies counted from paths on each half; bound by hand; the planted features are kept."""
    X, y = stable_problem()
    step = fitted("stability_selection", X, y, 2, q=4, samples=20, family=family)
    counts = np.zeros(60)
    for rows in patient_halves(X.index.to_numpy(), y, 10, seed=2):
        half, labels = X.to_numpy()[rows], y[rows]
        path = PATHS[family](half, labels, lambda_grid(half, labels, 100))
        enters = [np.flatnonzero(line)[0] if line.any() else 999 for line in path.coefficients != 0]
        size = [-abs(path.coefficients[i, e]) * half[:, i].std() if e < 999 else 0 for i, e in enumerate(enters)]
        counts[sorted(range(60), key=lambda i: (enters[i], size[i]))[:4]] += 1
    np.testing.assert_array_equal(step.frequency, counts / 20)
    assert list(step.names_out) == [f"f{i}" for i in np.flatnonzero(counts >= 15)]
    assert {"f3", "f40"} <= set(step.names_out)
    assert step.bound == pytest.approx(4**2 / ((2 * 0.75 - 1) * 60))
    assert "at most 0.53" in step.note
    kept = step.tables()["stability"]
    assert kept["frequency"].is_monotonic_decreasing and (kept["frequency"] > 0).all()
    assert set(kept.loc[kept["kept"] == "yes", "feature"]) == set(step.names_out)


def test_stability_selection_at_a_fixed_penalty():
    X, y = stable_problem()
    step = fitted("stability_selection", X, y, 2, penalty=0.5, samples=20)
    fixed = 0.5 * lambda_grid(X.to_numpy(), y, 2)[0]
    counts = np.zeros(60)
    for rows in patient_halves(X.index.to_numpy(), y, 10, seed=2):
        half = X.to_numpy()[rows]
        counts += gaussian_path(half, y[rows], np.array([1.0, fixed])).coefficients[:, 1] != 0
    np.testing.assert_array_equal(step.frequency, counts / 20)
    assert step.bound == pytest.approx((counts.sum() / 20) ** 2 / (0.5 * 60))


def test_stability_selection_does_not_depend_on_order():
    X, y = stable_problem()
    random = np.random.default_rng(1)
    first = fitted("stability_selection", X, y, 9, q=5, samples=20, alpha=0.8)
    rows, columns = random.permutation(90), random.permutation(60)
    again = fitted("stability_selection", X.iloc[rows, columns], y[rows], 9, q=5, samples=20, alpha=0.8)
    assert set(again.names_out) == set(first.names_out)
    np.testing.assert_array_equal(again.frequency, first.frequency[columns])
    assert again.tables()["stability"].equals(first.tables()["stability"])


def test_the_bound_on_false_selections_holds_for_noise():
    """Independent noise: on average over 30 tables no more features are kept than the bound allows."""
    random = np.random.default_rng(3)
    kept, bounds = [], []
    for _ in range(30):
        step = fitted(
            "stability_selection",
            table(random.normal(size=(60, 100))),
            np.arange(60) % 2,
            q=8,
            threshold=0.6,
            samples=20,
        )
        kept.append(len(step.names_out))
        bounds.append(step.bound)
    assert np.mean(bounds) == pytest.approx(8**2 / (0.2 * 100), rel=1e-9)
    assert np.mean(kept) <= np.mean(bounds)


def test_stability_selection_without_anything_to_find():
    flat = table(np.tile([1.0, 2.0], (30, 1)))
    half = np.arange(30) % 2
    assert "no feature varies" in fitted("stability_selection", flat, half, q=2).note
    noise = table(np.random.default_rng(0).normal(size=(30, 4)))
    few = fitted("stability_selection", noise, np.arange(30) == 3, q=2)
    assert few.names_out == () and "too few patients" in few.note
    assert fitted("stability_selection", flat.iloc[:, :0], half, q=2).tables()["stability"].empty


# ------------------------------------------------------------------------------------------------ chains in any order

POOL = [
    {"step": "min_max"},
    {"step": "z_score"},
    {"step": "icc_filter"},
    {"step": "variance", "threshold": 0.01},
    {"step": "variance", "threshold": 2.0},
    {"step": "univariate", "p": 0.3},
    {"step": "univariate", "k": 12, "test": "mann_whitney"},
    {"step": "redundancy", "threshold": 0.8, "method": "spearman"},
    {"step": "mrmr", "k": 9, "relevance": "mutual_information", "scheme": "difference"},
    {"step": "mrmr", "k": 6},
    {"step": "lasso", "rule": "min", "folds": 3, "n_lambdas": 20},
    {"step": "elastic_net", "alpha": 0.4, "folds": 3, "n_lambdas": 20},
    {"step": "stability_selection", "q": 5, "samples": 20, "threshold": 0.55},
    {"step": "forced_retention"},
    {"step": "recursive_elimination", "k": 8},
    {"step": "combat", "unseen": "pass_through", "covariates": ["age", "grade"]},
]
COLUMNS = {
    "age": Column(label="Age", kind="continuous"),
    "grade": Column(label="Grade", kind="categorical", levels={"1": "1", "2": "2"}),
}


def random_chains(count: int) -> list[list[dict]]:
    """Chains of two to seven steps in random order that the settings allow."""
    random, chains = np.random.default_rng(12), []
    while len(chains) < count:
        steps = [POOL[i] for i in random.permutation(len(POOL))[: random.integers(2, 8)]]
        try:
            parse_models({"m": {"kind": "radiomics", "steps": steps}})
        except SettingsError:
            continue
        chains.append(steps)
    return chains


def centres_problem() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(6)
    n = 90
    hidden = random.normal(size=(n, 4))
    names = [f"{s}__tumour__f{i}" for s in ("T2FS", "DWI") for i in range(15)]
    x = hidden @ random.normal(size=(4, 30)) + random.normal(size=(n, 30))
    centre = np.array(["north", "south", "west"])[np.arange(n) % 3]
    x = x * (1 + 0.5 * (centre == "south"))[:, None] + 2.0 * (centre == "west")[:, None]
    X = pd.DataFrame(x, index=[f"P{i:02d}" for i in range(n)], columns=names)
    X["DWI__tumour__flat"] = 0.1
    X["DWI__tumour__hole"] = np.where(np.arange(n) == 3, np.nan, 1.0)
    X["centre"] = centre
    X.loc[X.index[75:], "centre"] = "far"  # a centre that does not train
    X["age"] = np.where(np.arange(n) % 11 == 0, np.nan, random.normal(50, 9, n))
    X["grade"] = np.array(["1", "2"])[random.integers(0, 2, n)]
    return X, (hidden[:, 0] + random.normal(size=n) > 0).astype(int)


@pytest.mark.parametrize("steps", random_chains(40), ids=lambda s: "-".join(x["step"] for x in s))
def test_steps_run_in_any_order(steps):
    """Random chains fit, predict, count their features; predicting changes nothing that was learned."""
    X, y = centres_problem()
    train, unseen = X.iloc[:60], X.iloc[60:]
    second = train.iloc[:20].drop(columns=[*COLUMNS, "centre"]) * 1.05 + 0.1
    specs = parse_models({"m": {"kind": "radiomics", "steps": steps}})
    model = build_model("m", specs, COLUMNS, second_reader=second, seed=5).fit(train, y[:60])
    content = to_dict(model, centres=["north"], extraction=None, simulated=True)
    text, state = json.dumps(content), joblib.hash(model.fitted_.chain)

    rows = model.fit_report().selection
    assert len(rows) == len(steps) + 2
    assert (rows["features_out"].to_numpy()[:-1] == rows["features_in"].to_numpy()[1:]).all()
    table = model.fitted_.chain.transform(train.drop(columns=[*COLUMNS, "centre"]))
    for predictor in model.rule_.features():
        scaled = predictor.contribution(train) / predictor.coefficient
        np.testing.assert_allclose(scaled, table[predictor.name], rtol=1e-9, atol=1e-9)

    together = model.decision_function(unseen)
    assert np.isfinite(together).all()
    alone = [model.decision_function(unseen.iloc[[i]])[0] for i in range(len(unseen))]
    assert together.tolist() == alone  # no row sees another
    assert model.empty_ == (not model.rule_.predictors)
    saved = from_dict(json.loads(text))
    features = unseen.drop(columns=[*COLUMNS, "centre"]).rename_axis("patient_id").reset_index()
    people = unseen[["centre", *COLUMNS]].rename_axis("patient_id").reset_index()
    assert saved.predict(features, people)["score"].tolist() == together.tolist()
    assert joblib.hash(model.fitted_.chain) == state
    assert json.dumps(to_dict(model, centres=["north"], extraction=None, simulated=True)) == text
    # other values of the rows that do not train, the same model
    other = pd.concat([train, unseen.assign(**{c: 1e6 for c in features.columns[1:]})])
    again = build_model("m", specs, COLUMNS, second_reader=second, seed=5).fit(other.iloc[:60], y[:60])
    assert json.dumps(to_dict(again, centres=["north"], extraction=None, simulated=True)) == text


def test_variance_says_of_which_values_it_is():
    X, y = centres_problem()
    X = X.drop(columns=["centre", *COLUMNS])
    before, after = (
        build_model(
            "m", parse_models({"m": {"kind": "radiomics", "steps": steps}}), {}, seed=1
        ).fit(X, y).fit_report().selection.set_index("name").loc["variance", "note"]
        for steps in (
            [{"step": "variance", "threshold": 0.1}, {"step": "min_max"}],
            [{"step": "min_max"}, {"step": "variance", "threshold": 0.01}],
        )
    )  # fmt: skip
    assert before == "variance of the measured values > 0.1"
    assert after == "variance > 0.01 after min-max scaling"
