"""Logistic regression, Firth, likelihood ratio and the univariate–multivariate route against R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import chdtrc
from statistics_reference import COHORTS, R, cohort

from her2radiomics.statistics import (
    likelihood_ratio_test,
    logistic_regression,
    separation,
    univariate_then_multivariate,
)

COLUMNS = ["score_a", "age", "grade", "er"]
LEVELS = {"grade": ["II", "I", "III"]}
TERMS = ["(Intercept)", "score_a", "age", "grade[I]", "grade[III]", "er"]


@pytest.mark.parametrize("name", COHORTS)
def test_maximum_likelihood_equals_glm(name: str) -> None:
    data, expected = cohort(name), R["glm"][name]
    model = logistic_regression(data[COLUMNS], data["label"], levels=LEVELS)
    table = model.table
    assert table["term"].tolist() == TERMS
    assert (model.method, model.converged, model.separated) == ("ml", True, False)
    np.testing.assert_allclose(table["beta"], expected["beta"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(table["se"], expected["se"], rtol=1e-8)
    np.testing.assert_allclose(table["p"], expected["p"], rtol=1e-7)
    np.testing.assert_allclose(table["wald"], np.square(table["beta"] / table["se"]))
    np.testing.assert_allclose(table[["ci_low", "ci_high"]], expected["interval"], rtol=1e-7)
    np.testing.assert_allclose(table["odds_ratio"], np.exp(expected["beta"]), rtol=1e-8)
    assert model.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-9)
    np.testing.assert_allclose(model.predict(data)[:5], expected["fitted"], atol=1e-9)


@pytest.mark.parametrize("name", COHORTS)
def test_tests_of_whole_variables_equal_drop1(name: str) -> None:
    data, expected = cohort(name), R["glm"][name]
    model = logistic_regression(data[COLUMNS], data["label"], levels=LEVELS)
    tests = model.variable_tests()
    np.testing.assert_allclose(tests["statistic"], expected["lr"], rtol=1e-7, atol=1e-9)
    assert tests["df"].tolist() == expected["df"]
    np.testing.assert_allclose(tests["p"], expected["lr_p"], rtol=1e-7)
    wald = model.variable_tests("wald").set_index("variable")["statistic"]
    assert wald["grade"] == pytest.approx(expected["wald_grade"], rel=1e-7)
    smaller = logistic_regression(data[["score_a"]], data["label"])
    nested = likelihood_ratio_test(smaller, model)
    assert (nested.statistic, nested.df) == (pytest.approx(expected["nested"], rel=1e-7), 4)
    with pytest.raises(ValueError, match="not nested"):
        likelihood_ratio_test(model, smaller)


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("kind", ["quasi", "complete"])
def test_separation_falls_back_to_firth(name: str, kind: str) -> None:
    """Against a direct maximisation of the penalised likelihood in R (optim), precise to about 1e-5."""
    data, expected = cohort(name), R["firth"][name][kind]
    table = data[["score_a", "lesion"]]
    if kind == "complete":
        table = pd.DataFrame({"sum": 6 * data["label"] + data["score_a"]})
    model = logistic_regression(table, data["label"])
    assert (model.method, model.separated, model.converged) == ("firth", True, True)
    np.testing.assert_allclose(model.table["beta"], expected["beta"], rtol=2e-5)
    np.testing.assert_allclose(model.table["se"], expected["se"], rtol=2e-5)
    np.testing.assert_allclose(np.log(model.table[["ci_low", "ci_high"]]), np.log(expected["interval"]), rtol=1e-4)
    np.testing.assert_allclose(model.table["p"], expected["p"], rtol=1e-4)
    assert model.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-8)
    assert model.intercept == pytest.approx(expected["flic"], rel=2e-5)
    assert model.predict(table).mean() == pytest.approx(data["label"].mean(), abs=1e-9)  # FLIC
    np.testing.assert_allclose(model.variable_tests()["p"], model.table["p"][1:], rtol=1e-6)


def test_firth_equals_firthmodels() -> None:
    """An independent implementation; its intervals stop at a tolerance of 1e-4."""
    from firthmodels import FirthLogisticRegression

    data = cohort("small")
    x = data[["score_a", "er", "lesion"]]
    other = FirthLogisticRegression(gtol=1e-6, xtol=1e-6, max_iter=200).fit(x, data["label"]).lrt()
    ours = logistic_regression(x, data["label"], "firth").table
    np.testing.assert_allclose(ours["beta"][1:], other.coef_, rtol=1e-6)
    np.testing.assert_allclose(ours["p"][1:], other.lrt_pvalues_[:-1], rtol=1e-5)
    np.testing.assert_allclose(np.log(ours["ci_high"][1:]), other.conf_int(method="pl")[:-1, 1], rtol=1e-4)


def test_maximum_likelihood_on_separated_data_says_so() -> None:
    data = cohort("small")
    model = logistic_regression(data[["score_a", "lesion"]], data["label"], "ml")
    assert (model.method, model.converged, model.separated) == ("ml", False, True)
    rows = model.table.set_index("term")
    assert rows.loc["lesion", "odds_ratio"] == np.inf
    assert rows.loc["lesion", ["se", "p", "ci_low", "ci_high"]].isna().all()
    assert "do not exist" in str(model)
    with pytest.raises(ValueError, match="method='auto'"):
        model.predict(data)


def test_separation_is_found_whatever_the_unit() -> None:
    """A volume in mm³ separates as it does in litres: the linear programme is scaled."""
    labels = np.repeat([0, 1], 20)
    volume = np.linspace(1, 2, 40)
    for unit in (1e-6, 1.0, 1e6):
        assert logistic_regression(pd.DataFrame({"volume": volume * unit}), labels).separated


@pytest.mark.parametrize("method", ["ml", "firth"])
def test_units_and_origins_change_no_test(method: str) -> None:
    """A volume in mm³ far from 0 gives the same p as standardised, and coefficients in its own unit."""
    data = cohort("rare_events")
    plain = data[["score_a", "age"]]
    moved = plain.assign(age=1e7 + 1e4 * data["age"], score_a=1e-5 * data["score_a"])
    first = logistic_regression(plain, data["label"], method).table
    other = logistic_regression(moved, data["label"], method).table
    np.testing.assert_allclose(other["p"][1:], first["p"][1:], rtol=1e-5)
    np.testing.assert_allclose(other["beta"][1:], first["beta"][1:] * [1e5, 1e-4], rtol=1e-5)
    np.testing.assert_allclose(np.log(other["ci_high"][2]), np.log(first["ci_high"][2]) * 1e-4, rtol=1e-4)


def test_firth_converges_on_strongly_separated_small_data() -> None:
    """26 rows, 4 predictors and a rare level, all but separated: every number is finite and in order."""
    data = cohort("small").head(26)
    table = data[["score_a", "score_b", "age"]].assign(signal=5 * data["label"] + data["skewed"] / 40)
    model = logistic_regression(table, data["label"])
    assert model.method == "firth"
    rows = model.table
    assert np.isfinite(rows[["beta", "se", "wald", "p"]]).all(axis=None)
    assert ((rows["ci_low"] < rows["odds_ratio"]) & (rows["odds_ratio"] < rows["ci_high"])).all()


@pytest.mark.parametrize("name", COHORTS)
def test_univariate_then_multivariate(name: str) -> None:
    data = cohort(name)
    table = data[[*COLUMNS, "score_b"]].assign(constant=1)
    result = univariate_then_multivariate(table, data["label"], p_enter=0.3, levels=LEVELS)
    single = logistic_regression(data[["age"]], data["label"]).table.iloc[1]
    row = result.univariate.set_index("term").loc["age"]
    assert row["p"] == row["p_variable"] == single["p"]
    passed = result.univariate.groupby("variable")["p_variable"].first() < 0.3
    assert set(result.entered) == set(passed.index[passed]) == set(result.selected)
    joint = logistic_regression(
        data[list(result.entered)], data["label"], levels={k: LEVELS[k] for k in LEVELS if k in result.entered}
    )
    np.testing.assert_allclose(result.multivariate["beta"], joint.table["beta"][1:])
    assert result.univariate.set_index("term").loc["constant", "note"] == "one value in all rows"


def test_backward_elimination_leaves_only_what_passes() -> None:
    data = cohort("rare_events")
    result = univariate_then_multivariate(
        data[[*COLUMNS, "score_b"]], data["label"], p_enter=1.1, keep="backward", p_keep=0.1
    )
    assert result.selected and (result.multivariate["p_variable"] < 0.1).all()
    assert result.model is not None and set(result.model.coding.variables) == set(result.selected)
    kept = univariate_then_multivariate(data[COLUMNS], data["label"], p_enter=1.1, keep="significant", p_keep=0.1)
    by_variable = kept.multivariate.groupby("variable")["p_variable"].first()
    assert set(kept.selected) == set(by_variable.index[by_variable < 0.1])
    assert set(by_variable.index) == set(COLUMNS)


@pytest.mark.parametrize("keep", ["enter", "significant", "backward"])
def test_nothing_selected_is_survived_and_said(keep: str) -> None:
    data = cohort("small")
    result = univariate_then_multivariate(data[COLUMNS], data["label"], p_enter=1e-12, keep=keep)
    assert (result.entered, result.selected, result.model) == ((), (), None)
    assert len(result.multivariate) == 0 and list(result.multivariate.columns)[:2] == ["variable", "term"]
    assert "nothing is selected" in str(result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": np.nan}, "column 'age': found 65 missing of 65"),
        ({"er": 1}, "column 'er': found one value .1. in all 65"),
        ({"twin": "age"}, "found a combination of the other terms"),
        ({"grade": "II"}, "column 'grade': found one value"),
    ],
)
def test_bad_tables_are_named(change: dict, message: str) -> None:
    data = cohort("small")
    table = data[COLUMNS].assign(**{k: data[v] * 2 + 1 if k == "twin" else v for k, v in change.items()})
    with pytest.raises(ValueError, match=message):
        logistic_regression(table, data["label"])


def test_unseen_and_unlisted_levels_are_named() -> None:
    data = cohort("small")
    with pytest.raises(ValueError, match="'grade': found level 'III'"):
        logistic_regression(data[["grade"]], data["label"], levels={"grade": ["I", "II"]})
    with pytest.raises(ValueError, match="no row with the reference level 'IV'"):
        logistic_regression(data[["grade"]], data["label"], levels={"grade": ["IV", "I", "II", "III"]})
    model = logistic_regression(data[["grade"]], data["label"])
    with pytest.raises(ValueError, match="'grade': found level 'IV'"):
        model.predict(pd.DataFrame({"grade": ["IV"]}))
    with pytest.raises(ValueError, match="no such column"):
        model.predict(data[["age"]])


def test_a_result_prints_as_text_html_and_latex() -> None:
    data = cohort("small")
    model = logistic_regression(data[COLUMNS], data["label"])
    assert "grade[II]" in str(model) and "n = 65, 39 events" in str(model)
    assert "<table" in model.to_html() and model._repr_html_() == model.to_html()
    assert r"odds\_ratio" in model.to_latex() and r"\toprule" in model.to_latex()
    assert model["beta"].equals(model.table["beta"])


def test_firth_near_saturation_has_wald_intervals_where_the_profile_has_none() -> None:
    """60 rows, 40 terms: Newton's steps creep, and the profile of some terms never falls to its bound."""
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 40)) @ (np.eye(40) + 0.5 * random.normal(size=(40, 40)) / np.sqrt(40))
    labels = (random.random(60) < 1 / (1 + np.exp(-3 * (x[:, 0] + x[:, 1])))).astype(int)
    table = pd.DataFrame(x, columns=[f"x{i}" for i in range(40)])
    fit = logistic_regression(table, labels, "firth")
    assert fit.converged and fit.wald_terms
    rows = fit.table.set_index("term")
    assert np.isfinite(rows.to_numpy(dtype=float)).all()
    for term in fit.wald_terms:
        row = rows.loc[term]
        half = 1.959963984540054 * row["se"]
        assert np.log([row["ci_low"], row["ci_high"]]) == pytest.approx([row["beta"] - half, row["beta"] + half])
        assert row["p"] == pytest.approx(float(chdtrc(1, (row["beta"] / row["se"]) ** 2)))
    assert f"Wald's interval and p, since the profile has no bound: {', '.join(fit.wald_terms)}." in fit.remark


def test_a_proof_of_overlap_never_contradicts_linear_programming():
    """Weights that balance the signed rows, and a direction that separates them, exclude each other (Gordan's theorem)."""
    random, proved, apart = np.random.default_rng(5), 0, 0
    for draw in range(200):
        n, p = int(random.integers(8, 60)), int(random.integers(1, 5))
        x = random.normal(size=(n, p)) if draw % 2 else random.integers(0, 3, size=(n, p)).astype(float)
        positive = random.random(n) < 1 / (1 + np.exp(-x[:, 0] * random.uniform(0, 8)))
        whole = np.linalg.matrix_rank(np.column_stack([np.ones(n), x])) == p + 1
        if positive.all() or not positive.any() or not whole:
            continue
        rows = separation._signed(separation._standard(x)[0], positive)
        overlap, direction = separation._overlap(rows), separation._direction(rows).any()
        assert not (overlap and direction)
        proved, apart = proved + overlap, apart + direction
    assert proved > 60 and apart > 60
