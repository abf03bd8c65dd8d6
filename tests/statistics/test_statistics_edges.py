"""Statistics at the edge of the data: no maximum, no events, ties, constants, tables too large to enumerate.

``reference/statistics/make_edges.R`` holds the R calls (survival, coxphf, detectseparation, rms, psych); ``edges.json``
what they gave, and the data.
"""

from __future__ import annotations

import json
import warnings
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score
from statistics_reference import COHORTS, HERE, cohort

from her2radiomics import statistics as st
from her2radiomics.statistics.group_tests import freeman_halton, freeman_halton_sampled
from her2radiomics.statistics.partial_likelihood import Partial

R: dict[str, Any] = json.loads((HERE / "edges.json").read_text(encoding="utf-8"))


def numbers(values: Any) -> np.ndarray:
    """R's numbers with its NA and Inf."""
    words = {"NA": np.nan, "Inf": np.inf, "-Inf": -np.inf}
    return np.array([words.get(v, v) for v in np.atleast_1d(np.array(values, dtype=object))], dtype=float)


# --- Cox regression ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["breast", "none", "first", "infcox", "sorted"])
def test_firths_cox_equals_coxphf(case: str) -> None:
    """Breslow's ties, as coxphf. ``none``: a level without events; ``first``: all carriers of x die first; ``infcox``:
    survival's own test; ``sorted``: a total order; ``breast``: coxphf's example, no event of G = 0."""
    expected = R["cox"][case]
    data = pd.DataFrame(expected["data"]).rename(columns={"TIME": "time", "CENS": "event"})
    table = data.drop(columns=["time", "event"])
    result = st.cox(table, data["time"], data["event"], method="firth", ties="breslow")
    np.testing.assert_allclose(result.table["beta"], numbers(expected["beta"]), rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(result.table["se"], numbers(expected["se"]), rtol=2e-6)
    ours = np.log(result.table[["ci_low", "ci_high"]].to_numpy().T)
    np.testing.assert_allclose(
        ours, np.log([numbers(expected["low"]), numbers(expected["high"])]), rtol=1e-4, atol=1e-4
    )
    p = numbers(expected["p"])
    np.testing.assert_allclose(result.table["p"][~np.isnan(p)], p[~np.isnan(p)], rtol=2e-3)
    null, top = expected["loglik"]
    assert result.likelihood_ratio == pytest.approx(2 * (top - null), rel=1e-7)
    assert result.monotone and result.converged and not result.wald_terms


@pytest.mark.parametrize("name", COHORTS)
def test_firths_cox_on_the_cohorts_equals_coxphf(name: str) -> None:
    data, expected = cohort(name), R["cox"]["cohorts"][name]
    result = st.cox(data[["score_a", "age"]], data["time"], data["event"], method="firth", ties="breslow")
    np.testing.assert_allclose(result.table["beta"], expected["beta"], rtol=1e-6)
    np.testing.assert_allclose(result.table["se"], expected["se"], rtol=1e-6)
    np.testing.assert_allclose(np.log(result.table["ci_low"]), np.log(expected["low"]), rtol=1e-4)
    assert not result.monotone
    assert st.cox(data[["score_a", "age"]], data["time"], data["event"]).method == "ml"


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_both_kinds_of_ties_equal_coxph(name: str, ties: str) -> None:
    data, expected = cohort(name), R["cox"]["ties"][name][ties]
    assert data.loc[data["event"] == 1, "time"].duplicated().any()
    result = st.cox(data[["score_a", "age"]], data["time"], data["event"], ties=ties)
    np.testing.assert_allclose(result.table["beta"], expected["beta"], rtol=1e-8)
    np.testing.assert_allclose(result.table["se"], expected["se"], rtol=1e-8)
    assert result.log_likelihood == pytest.approx(expected["loglik"][1], abs=1e-9)


def test_penalised_score_is_the_derivative_of_the_penalised_likelihood() -> None:
    """Efron's ties have no other implementation to compare with: central differences of a likelihood by its definition."""
    random = np.random.default_rng(1)
    x, time, seen = (random.normal(size=(30, 2)), random.integers(1, 9, 30).astype(float), random.random(30) < 0.7)

    def by_definition(beta: np.ndarray) -> float:
        risk, value, information = np.exp(x @ beta), 0.0, np.zeros((2, 2))
        for t in np.unique(time[seen]):
            died, at_risk = seen & (time == t), time >= t
            d = int(died.sum())
            value += float((x[died] @ beta).sum())
            for k in range(d):
                weight = risk * (at_risk - died * k / d)
                mean = weight @ x / weight.sum()
                value -= np.log(weight.sum())
                information += (x - mean).T @ ((x - mean) * weight[:, None]) / weight.sum()
        return value + np.linalg.slogdet(information)[1] / 2

    partial = Partial(x, time, seen, "efron", firth=True)
    beta = np.array([0.3, -0.5])
    assert partial.value(beta) == pytest.approx(by_definition(beta), abs=1e-12)
    slope = [(by_definition(beta + h) - by_definition(beta - h)) / 2e-5 for h in np.eye(2) * 1e-5]
    np.testing.assert_allclose(partial.score(beta), slope, atol=1e-8)
    fitted = st.cox(pd.DataFrame(x, columns=["a", "b"]), time, seen.astype(int), method="firth").table["beta"]
    np.testing.assert_allclose(Partial(x, time, seen, firth=True).score(fitted.to_numpy()), 0, atol=1e-7)


def test_maximum_likelihood_without_a_maximum_is_infinite_term_by_term() -> None:
    """x: all carriers die first, so that its estimate is infinite; z has that of coxph, which warns."""
    data = pd.DataFrame(R["cox"]["first"]["data"])
    result = st.cox(data[["x", "z"]], data["time"], data["event"], method="ml")
    rows = result.table.set_index("term")
    assert (result.method, result.converged, result.monotone) == ("ml", False, True)
    assert rows.loc["x", "hazard_ratio"] == np.inf and rows.loc["x", ["se", "wald", "ci_low", "p"]].isna().all()
    assert rows.loc["z", ["beta", "se"]].tolist() == pytest.approx(
        [R["cox"]["limit_z"]["beta"], R["cox"]["limit_z"]["se"]], rel=1e-6
    )
    assert "use method='auto'" in str(result) and np.isnan(result.p)


def test_every_level_without_events_is_found() -> None:
    """Cohorts of 12 to 79 patients with a level without events: never a number of maximum likelihood, never a warning."""
    found = 0
    for seed in range(16):
        random = np.random.default_rng(seed)
        n = random.integers(12, 80)
        group = random.choice(["a", "b", "c"], n, p=[0.4, 0.4, 0.2])
        time, event = random.exponential(30, n).round(1) + 0.1, (random.random(n) < 0.5).astype(int)
        event[group == "c"] = 0
        if len(set(group)) < 3 or event.sum() < 3:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = st.cox(pd.DataFrame({"g": group}), time, event)
        assert (result.method, result.monotone) == ("firth", True)
        limit = st.cox(pd.DataFrame({"g": group}), time, event, method="ml").table.set_index("term")
        assert limit.loc["g[c]", "beta"] == -np.inf
        found += 1
    assert found > 12


def test_cox_refuses_what_has_no_estimate() -> None:
    time, event = np.arange(1.0, 13), np.tile([1, 0], 6)
    with pytest.raises(ValueError, match="table: found no column"):
        st.cox(pd.DataFrame(index=range(12)), time, event)
    with pytest.raises(ValueError, match="event: found no event"):
        st.cox(pd.DataFrame({"x": time}), time, event * 0)
    late = pd.DataFrame({"x": (time == 1).astype(float)})  # leaves, censored, before anybody dies
    with pytest.raises(ValueError, match="term 'x': does not vary"):
        st.cox(late, time, 1 - event)


# --- Kaplan–Meier ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["pkd", "lung3", "lung2"])
def test_kaplan_meier_has_no_interval_where_survival_is_0_or_1(case: str) -> None:
    """survival::kidney (PKD), survival::lung by ECOG; NA of R's median is *not reached*."""
    expected = R["survival"][case]
    data = pd.DataFrame(expected["data"])
    result = st.kaplan_meier(data["time"], data["status"])
    curve = result.table[result.table["time"] > 0]
    for ours, theirs in (("survival", "survival"), ("low", "low"), ("high", "high")):
        np.testing.assert_allclose(curve[ours], numbers(expected[theirs]), atol=1e-12)
    median = numbers(expected["median"])
    assert (
        result.medians[["median", "low", "high"]].to_numpy()[0].tolist() == np.nan_to_num(median, nan=np.inf).tolist()
    )
    assert result.at([-1.0, 0.0])["survival"].tolist() == [1.0, 1.0]


def test_times_equal_up_to_rounding_are_tied() -> None:
    """R's timefix: √2 · √2 is 2 (survival/tests/tiedtime.R)."""
    time, group = [1, 2, 2**0.5 * 2**0.5, 2, 2**0.5 * 2**0.5], [1, 1, 1, 2, 2]
    assert st.kaplan_meier(time, [1] * 5).table["time"].tolist() == [0.0, *R["survival"]["timefix"]["n_times"]]
    assert st.logrank(time, [1] * 5, group).statistic == pytest.approx(R["survival"]["timefix"]["chisq"], rel=1e-10)


def test_events_other_than_0_and_1_need_their_level() -> None:
    with pytest.raises(ValueError, match="expected 0 and 1.*event_level"):
        st.kaplan_meier([1, 2, 3], [1, 2, 2])
    named = st.kaplan_meier([1, 2, 3], [1, 2, 2], event_level=2)
    assert named.medians["events"].tolist() == [2] and "Events counted: 2" in str(named)
    with pytest.raises(ValueError, match="event_level: found 'x'"):
        st.logrank([1, 2], ["a", "b"], [1, 2], event_level="x")


# --- alignment and names -----------------------------------------------------------------------------------------------


def test_pandas_objects_are_aligned_by_their_index() -> None:
    data = cohort("small").set_index(pd.Index([f"p{i}" for i in range(65)]))
    mixed = data.sample(frac=1, random_state=0)
    assert st.auc(data["label"], mixed["score_a"]) == st.auc(data["label"], data["score_a"])
    model = st.logistic_regression(mixed[["score_a"]], data["label"])
    same = st.logistic_regression(data[["score_a"]], data["label"])
    np.testing.assert_allclose(model.table["beta"], same.table["beta"], rtol=1e-9)
    assert st.auc(data["label"], model.predict(mixed)) == st.auc(data["label"], same.predict(data))
    compared = st.compare_groups(mixed[["age"]], data["label"]).table
    pd.testing.assert_frame_equal(compared, st.compare_groups(data[["age"]], data["label"]).table)
    ratio = st.cox(mixed[["age"]], data["time"], data["event"]).table["beta"]
    np.testing.assert_allclose(ratio, st.cox(data[["age"]], data["time"], data["event"]).table["beta"], rtol=1e-9)
    with pytest.raises(ValueError, match="scores: found another index than that of labels"):
        st.auc(data["label"], data["score_a"].reset_index(drop=True))
    two = st.delong_test_unpaired(data["label"][:30], data["score_a"][:30], data["label"][30:], data["score_a"][30:])
    assert 0 <= two.p <= 1


def test_names_that_print_alike_are_refused() -> None:
    labels = np.tile([0, 1], 10)
    table = pd.DataFrame({"g": np.tile(["u", "v"], 10), "g[v]": np.arange(20.0)})
    with pytest.raises(ValueError, match="terms: found two that print as 'g.v.'"):
        st.logistic_regression(table, labels)
    with pytest.raises(ValueError, match="'g', levels: found two that print as '1'"):
        st.logistic_regression(pd.DataFrame({"g": np.array([1, "1", 2, 2] * 5, dtype=object)}), labels)
    with pytest.raises(ValueError, match="columns: found two that print as '1'"):
        st.compare_groups(pd.DataFrame({1: labels, "1": labels}), labels)
    assert st.logistic_regression(pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2))), labels).coding.terms == [
        "0",
        "1",
    ]


def test_baseline_table_shows_what_is_missing_and_refuses_an_unknown_order() -> None:
    labels = pd.Series([0, 1] * 6)
    table = st.compare_groups(pd.DataFrame({"a": np.arange(12.0), "b": np.nan}), labels).table.set_index("variable")
    assert table.loc["b", ["0", "1"]].tolist() == ["0 of 6", "0 of 6"] and table.loc["b", "test"] == "none: no values"
    assert table.loc["b", "missing"] == 12
    grades = pd.DataFrame({"o": ["low", "mid", "high"] * 4})
    with pytest.raises(ValueError, match="'o': found an ordinal column of text; give its order in levels"):
        st.compare_groups(grades, labels, {"o": "ordinal"})
    given = st.compare_groups(grades, labels, {"o": "ordinal"}, levels={"o": ["low", "mid", "high"]}).table
    assert given["level"].tolist() == ["low", "mid", "high"]
    group = pd.Series(["p", "missing"] * 6)
    assert {"p (group)", "missing (group)"} <= set(st.compare_groups(grades, group).table.columns)


# --- nomogram ----------------------------------------------------------------------------------------------------------


def test_nomogram_draws_few_values_at_themselves() -> None:
    """rms (datadist, n.unique = 10): 2, 3 and 10 distinct values are drawn as they are, 11 over round numbers."""
    expected = R["nomogram"]
    data = pd.DataFrame(expected["data"])
    model = st.logistic_regression(data.drop(columns="y"), data["y"])
    table = st.nomogram(model, data).table
    for axis, shown in expected["axes"].items():
        rows = table[table["axis"] == axis]
        np.testing.assert_allclose(rows["value"].astype(float), shown["value"])
        np.testing.assert_allclose(rows["points"], shown["points"], atol=1e-5)


# --- separation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["endometrial", "smallest", "offset", "mixed"])
def test_infinite_terms_are_those_of_detectseparation(case: str) -> None:
    """And the finite ones have the estimates of glm, which iterates towards them (endometrial: intercept 4.3045)."""
    expected = R["separation"][case]
    data = pd.DataFrame(expected["data"])
    outcome = "HG" if case == "endometrial" else "y"
    model = st.logistic_regression(data.drop(columns=outcome), data[outcome], method="ml")
    infinite, beta = numbers(expected["infinite"]), model.table["beta"].to_numpy()
    finite = infinite == 0
    np.testing.assert_array_equal(beta[~finite], infinite[~finite])
    np.testing.assert_allclose(beta[finite], numbers(expected["beta"])[finite], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.table["se"][finite], numbers(expected["se"])[finite], rtol=1e-6)
    assert model.table["se"][~finite].isna().all() and not model.converged


def test_no_separated_resample_is_thrown_away() -> None:
    """A rare level: most resamples are separated; each is refitted by Firth's method, as the fit would be."""
    random = np.random.default_rng(4)
    table = pd.DataFrame({"x": random.normal(size=40), "rare": np.repeat([0.0, 1.0], [33, 7])})
    labels = (random.random(40) < 0.4).astype(int)
    labels[33:] = [0, 1, 1, 1, 1, 1, 1]
    model = st.logistic_regression(table, labels)
    assert model.method == "ml"
    for result in (
        st.calibration_curve(labels, model.predict(table), design=table, bootstrap=60, seed=1),
        st.optimism_corrected(labels, model.predict(table), design=table, iterations=60, seed=1),
        st.optimism_corrected_auc(labels, model.predict(table), design=table, iterations=60, seed=1),
    ):
        assert result.failed == 0 and result.methods["firth"] > 10
        assert sum(result.methods.values()) == 60 and "by Firth's method" in str(result)
    plain = st.logistic_refit(table, labels, method="ml")
    left_out = st.optimism_corrected(labels, model.predict(table), plain, iterations=60, seed=1)
    assert left_out.failed == result.methods["firth"] and set(left_out.methods) == {"ml"}
    with pytest.raises(ValueError, match="refit: found .* expected 0 to 1"):
        st.calibration_curve(labels, model.predict(table), refit=lambda rows: table["x"], bootstrap=3, seed=1)


# --- exact tests and agreement -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", R["exact"])
def test_exact_test_of_large_tables_equals_fisher_test(case: str) -> None:
    """By enumeration, or by Monte Carlo within four of its standard errors (job: Agresti 2002, p = 0.7827)."""
    counts, p = np.array(R["exact"][case]["counts"]), R["exact"][case]["p"]
    exact = freeman_halton(counts)
    assert (exact is None) == (case == "job")
    if exact is not None:
        assert exact == pytest.approx(p, rel=1e-9)
    sampled, error = freeman_halton_sampled(counts, 1)
    assert abs(sampled - p) < 4 * error and (sampled, error) == freeman_halton_sampled(counts, 1)


def test_a_table_too_large_to_enumerate_names_its_standard_error() -> None:
    counts = np.array(R["exact"]["job"]["counts"])
    rows, columns = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    result = st.compare_groups(pd.DataFrame({"job": rows.astype(str)}), columns.astype(str)).table.iloc[0]
    assert (
        result["test"]
        == "Fisher–Freeman–Halton exact test, 4 × 4, Monte Carlo of 100,000 tables (standard error 0.0013)"
    )
    assert result["p"] == pytest.approx(R["exact"]["job"]["p"], abs=0.005)


@pytest.mark.parametrize("case", R["icc"])
def test_icc_of_readers_a_constant_apart_equals_psych(case: str) -> None:
    expected = R["icc"][case]
    for form, values in zip(("ICC1,1", "ICC2,1", "ICC3,1"), expected["icc"], strict=True):
        found = st.icc(expected["ratings"], form)
        assert (found.value, found.low, found.high) == pytest.approx(values, abs=1e-9)


def test_icc_has_a_value_or_a_note() -> None:
    first = pd.DataFrame(
        {
            "apart": [1.0, 2, 3],
            "constants": [1.0, 1, 1],
            "huge": [1e200, 3e200, 5e200],
            "tiny": [1e-200, 3e-200, 5e-200],
        }
    )
    second = pd.DataFrame(
        {
            "apart": [2.0, 3, 4],
            "constants": [2.0, 2, 2],
            "huge": [2e200, 1e200, 4e200],
            "tiny": [2e-200, 1e-200, 4e-200],
        }
    )
    table = st.icc_table(first, second).set_index("feature")
    plain = st.icc([[1, 2], [3, 1], [5, 4]])
    assert table.loc["constants", "note"] == "constant, readers differ" and np.isnan(table.loc["constants", "icc"])
    for name in ("huge", "tiny"):
        assert table.loc[name, ["icc", "low", "high"]].tolist() == pytest.approx([plain.value, plain.low, plain.high])
    assert table.drop(index="constants")[["icc", "low", "high"]].notna().all(axis=None)


# --- new measures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COHORTS)
def test_calibration_errors_equal_val_prob(name: str) -> None:
    data, expected = cohort(name), R["calibration"][name]
    probability = 1 / (1 + np.exp(-(0.3 + 0.7 * data["score_b"])))
    result = st.calibration_errors(data["label"], probability, bootstrap=200, seed=1)
    rows = result.table.set_index("measure")
    assert rows.loc["ici", "value"] == pytest.approx(expected["Eavg"], abs=1e-10)
    assert rows.loc["e90", "value"] == pytest.approx(expected["E90"], abs=1e-10)
    assert (rows["low"] < rows["high"]).all() and result.used == 200
    skill = st.brier_skill(data["label"], probability)
    prevalence = data["label"].mean()
    assert skill == pytest.approx(1 - expected["Brier"] / (prevalence * (1 - prevalence)), abs=1e-12)


def test_observed_over_expected_by_hand() -> None:
    """3 of 10 events where 2 are expected; Clopper–Pearson of 3 of 10 (binom.test: 0.0667395, 0.6524529) over 0.2."""
    result = st.observed_expected([1] * 3 + [0] * 7, [0.2] * 10)
    assert result.ratio == pytest.approx(1.5)
    assert (result.low, result.high) == pytest.approx((0.06673951 / 0.2, 0.6524529 / 0.2), rel=1e-6)
    none = st.observed_expected([0] * 10, [0.2] * 10)
    assert (none.ratio, none.low) == (0, 0) and none.high == pytest.approx((1 - 0.025**0.1) / 0.2)


@pytest.mark.parametrize("name", COHORTS)
def test_precision_recall_equals_scikit_learn(name: str) -> None:
    data = cohort(name)
    result = st.precision_recall(data["label"], data["score_c"])
    assert result.area == pytest.approx(average_precision_score(data["label"], data["score_c"]), abs=1e-12)
    m, logit = int(data["label"].sum()), np.log(result.area / (1 - result.area))
    half = norm.ppf(0.975) / np.sqrt(m * result.area * (1 - result.area))  # Boyd, Eng & Page (2013)
    assert (result.low, result.high) == pytest.approx((1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))))
    assert result.table["recall"].iloc[-1] == 1 and result.prevalence == data["label"].mean()


def test_delong_on_the_logit_scale_and_the_bound_of_separated_scores() -> None:
    data = cohort("small")
    area = st.auc(data["label"], data["score_a"])
    low, high = st.auc_interval(data["label"], data["score_a"])
    error = (high - low) / 2 / norm.ppf(0.975)  # DeLong's, equal to pROC's
    half = norm.ppf(0.975) * error / (area * (1 - area))
    expected = [1 / (1 + np.exp(-(np.log(area / (1 - area)) + side * half))) for side in (-1, 1)]
    assert st.auc_interval(data["label"], data["score_a"], "delong_logit") == pytest.approx(expected, abs=1e-12)
    labels = np.repeat([0, 1], [20, 5])
    assert st.auc_interval(labels, np.arange(25.0), "delong_logit") == (pytest.approx(0.05 ** (1 / 5)), 1.0)
    assert st.auc_interval(labels, -np.arange(25.0), "delong_logit") == (0.0, pytest.approx(1 - 0.05 ** (1 / 5)))


def test_the_bound_of_separated_scores_holds_its_level() -> None:
    """At a true AUC equal to the bound, 4 and 6 normal scores are in order in at most 5 % of samples."""
    bound = st.separation_bound(4, 6)
    random, shift = np.random.default_rng(0), np.sqrt(2) * norm.ppf(bound)
    apart = (random.normal(shift, 1, (40_000, 4)).min(axis=1) > random.normal(0, 1, (40_000, 6)).max(axis=1)).mean()
    assert bound == pytest.approx(0.05**0.25) and apart < 0.05


def test_enumeration_of_a_tiny_table_by_hand() -> None:
    """All assignments of 5 rows to groups, counted one by one."""
    rows, columns = [0, 0, 1, 1, 2], [0, 1, 1, 2, 2]

    def chance(of: Any) -> tuple[int, ...]:
        counts = np.zeros((3, 3), dtype=int)
        np.add.at(counts, (rows, list(of)), 1)
        return tuple(counts.ravel())

    tables = [chance(of) for of in permutations(columns)]
    share = {table: tables.count(table) / len(tables) for table in set(tables)}
    seen = share[chance(columns)]
    expected = sum(p for p in share.values() if p <= seen * (1 + 1e-9))
    assert freeman_halton(np.reshape(chance(columns), (3, 3))) == pytest.approx(expected, abs=1e-12)
