"""The baseline table's tests, and survival, against base R and the package survival."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statistics_reference import COHORTS, R, cohort

from her2radiomics.statistics import compare_groups, cox, kaplan_meier, logrank
from her2radiomics.statistics.group_tests import freeman_halton


def rows(data: pd.DataFrame, **options: object) -> pd.DataFrame:
    """First row of each variable of the comparison by label."""
    table = compare_groups(data, "label", **options).table  # type: ignore[arg-type]
    return table.groupby("variable", sort=False).first()


@pytest.mark.parametrize("name", COHORTS)
def test_continuous_variables(name: str) -> None:
    data, expected = cohort(name)[["label", "age", "skewed"]], R["groups"][name]
    auto = rows(data)
    assert auto.loc["age", "shapiro_p"] == pytest.approx(min(expected["shapiro"]), abs=1e-6)
    assert auto.loc["skewed", "shapiro_p"] == pytest.approx(min(expected["shapiro_skewed"]), abs=1e-6)
    assert min(expected["shapiro_skewed"]) < 0.05
    if name == "rare_events":  # Shapiro–Wilk is below 0.05 here, so the choice is Mann–Whitney until forced
        assert min(expected["shapiro"]) < 0.05 and auto.loc["age", "test"].startswith("Mann–Whitney")
        auto.loc["age"] = rows(data, kinds={"age": "normal"}).loc["age"]
    assert auto.loc["age", "test"] == "Welch's t test, unequal variances"
    assert auto.loc["age", ["statistic", "p"]].tolist() == pytest.approx(expected["welch"], abs=1e-10)
    student = rows(data, variances="student", kinds={"age": "normal"})
    assert student.loc["age", ["statistic", "p"]].tolist() == pytest.approx(expected["student"], abs=1e-10)
    levene = rows(data, variances="levene", kinds={"age": "normal"}).loc["age", "test"]
    assert levene.endswith(f"(Levene p = {expected['levene_p']:.3f})")
    assert levene.startswith("Student" if expected["levene_p"] >= 0.05 else "Welch")
    assert "Mann–Whitney U test, normal approximation with continuity correction" == auto.loc["skewed", "test"]
    assert auto.loc["skewed", ["statistic", "p"]].tolist() == pytest.approx(expected["wilcoxon"], abs=1e-10)
    assert rows(data, kinds={"skewed": "normal"}).loc["skewed", "test"].startswith("Welch")


@pytest.mark.parametrize("name", COHORTS)
def test_categorical_variables(name: str) -> None:
    data = cohort(name)[["label", "er", "grade", "lesion", "rare", "score_c"]]
    expected = R["groups"][name]
    table = rows(data, kinds={"score_c": "ordinal"})
    assert table.loc["er", ["statistic", "p"]].tolist() == pytest.approx(expected["chi2"], abs=1e-10)
    assert table.loc["er", "test"] == "χ² test (Pearson, no continuity correction)"
    yates = rows(data, yates=True).loc["er"]
    assert yates[["statistic", "p"]].tolist() == pytest.approx(expected["yates"], abs=1e-10)
    assert yates["test"] == "χ² test (Yates's continuity correction)"
    assert table.loc["grade", ["statistic", "p"]].tolist() == pytest.approx(expected["chi2_grade"], abs=1e-10)
    assert table.loc["rare", "test"] == "Fisher–Freeman–Halton exact test, 3 × 2"
    assert table.loc["rare", "p"] == pytest.approx(expected["freeman_halton"], abs=1e-7)
    assert table.loc["score_c", "p"] == pytest.approx(expected["ordinal"], abs=1e-10)
    counts = pd.crosstab(data["lesion"], data["label"]).to_numpy()
    assert freeman_halton(counts) == pytest.approx(expected["fisher"], abs=1e-7)


def test_fisher_of_two_by_two_where_expected_counts_are_small() -> None:
    data, expected = cohort("rare_events")[["label", "lesion"]], R["groups"]["rare_events"]
    row = rows(data).loc["lesion"]
    assert (row["test"], row["p"]) == ("Fisher's exact test", pytest.approx(expected["fisher"], abs=1e-7))


@pytest.mark.parametrize("name", COHORTS)
def test_three_groups(name: str) -> None:
    data, expected = cohort(name), R["groups"][name]
    table = compare_groups(data[["age", "skewed"]], data["grade"], {"age": "normal", "skewed": "skewed"}).table
    assert table.loc[0, ["statistic", "p"]].tolist() == pytest.approx(expected["anova"], abs=1e-10)
    assert table.loc[1, ["statistic", "p"]].tolist() == pytest.approx(expected["kruskal"], abs=1e-10)
    assert table["test"].tolist() == ["one-way analysis of variance", "Kruskal–Wallis test"]


def test_descriptions_and_missing_values() -> None:
    data = pd.DataFrame(
        {
            "arm": list("aaaabbbb"),
            "x": [1.0, 2, 3, 10, np.nan, 5, 6, 7],
            "sex": ["f", "f", None, "m", "m", "m", "m", "f"],
            "age": [40.0, 50, 60, 50, 41, 51, 61, 51],
        }
    )
    result = compare_groups(data, "arm", {"x": "skewed"}, levels={"sex": ["m", "f"]})
    table = result.table
    assert result.sizes == {"a": 4, "b": 4}
    assert table["variable"].tolist() == ["x", "sex", "sex", "age"]
    assert table["level"].tolist() == ["", "m", "f", ""]
    assert table["a"].tolist() == ["2.50 (1.75, 4.75)", "1 (33.33)", "2 (66.67)", "50.00 ± 8.16"]
    assert table["b"].tolist() == ["6.00 (5.50, 6.50)", "3 (75.00)", "1 (25.00)", "51.00 ± 8.16"]
    assert table["missing"].tolist()[:2] == [1, 1] and pd.isna(table.loc[2, "missing"])
    assert result.summaries == {"x": "median (Q1, Q3)", "sex": "n (%)", "age": "mean ± SD"}


def test_what_cannot_be_tested_says_so() -> None:
    data = pd.DataFrame({"g": [0, 0, 1, 1], "same": ["k"] * 4, "lone": [1.0, 2.0, 3.0, np.nan], "flat": [2.0] * 4})
    table = compare_groups(data, "g", {"lone": "continuous", "flat": "continuous"}).table.set_index("variable")
    assert table["p"].isna().all()
    assert table["test"].tolist() == [
        "none: one level",
        "none: a group has fewer than 2 values",
        "none: all values are equal",
    ]
    with pytest.raises(ValueError, match="found 1 group"):
        compare_groups(data.iloc[:2], "g")
    with pytest.raises(ValueError, match="1 missing"):
        compare_groups(data, data["lone"])
    with pytest.raises(ValueError, match="kind of 'flat': found 'interval'"):
        compare_groups(data, "g", {"flat": "interval"})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", COHORTS)
def test_kaplan_meier_and_logrank_equal_survival(name: str) -> None:
    data, expected = cohort(name), R["survival"][name]
    result = kaplan_meier(data["time"], data["event"], data["label"])
    at = []
    for group in ("0", "1"):
        curve = result.table[result.table["group"] == group].set_index("time")
        at += [curve.loc[:time].iloc[-1] for time in (12, 36, 60)]
    found = pd.DataFrame(at)
    np.testing.assert_allclose(found["survival"].astype(float), expected["survival"], atol=1e-12)
    np.testing.assert_allclose(found["low"].astype(float), expected["low"], atol=1e-12)
    np.testing.assert_allclose(found["high"].astype(float), expected["high"], atol=1e-12)
    assert result.at_risk([12, 36, 60]).to_numpy().ravel().tolist() == expected["at_risk"]
    np.testing.assert_allclose(result.medians["median"], expected["median"])
    two = logrank(data["time"], data["event"], data["label"])
    assert (two.statistic, two.df) == (pytest.approx(expected["logrank"], rel=1e-10), 1)
    three = logrank(data["time"], data["event"], data["grade"])
    assert (three.statistic, three.df) == (pytest.approx(expected["logrank_grade"], rel=1e-10), 2)


@pytest.mark.parametrize("name", COHORTS)
def test_cox_equals_coxph(name: str) -> None:
    """Efron ties; grade II is the reference, as in make_references.R."""
    data, expected = cohort(name), R["survival"][name]
    result = cox(data[["score_a", "age", "grade"]], data["time"], data["event"], levels={"grade": ["II", "I", "III"]})
    assert result.table["term"].tolist() == ["score_a", "age", "grade[I]", "grade[III]"]
    np.testing.assert_allclose(result.table["beta"], expected["beta"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(result.table["se"], expected["se"], rtol=1e-8)
    np.testing.assert_allclose(result.table[["ci_low", "ci_high"]], expected["interval"], rtol=1e-7)
    assert result.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-8)
    ratio, df, p = expected["ratio"]
    assert (result.likelihood_ratio, result.df, result.p) == (pytest.approx(ratio, rel=1e-7), df, pytest.approx(p))
    assert result.concordance == pytest.approx(expected["concordance"], abs=1e-10)


def test_bad_survival_input_is_named() -> None:
    with pytest.raises(ValueError, match="no negative time"):
        kaplan_meier([1, -2], [1, 0])
    with pytest.raises(ValueError, match="event: found '2"):
        kaplan_meier([1, 2], [1, 2])
    with pytest.raises(ValueError, match="found 1 group"):
        logrank([1, 2], [1, 0], ["a", "a"])
    with pytest.raises(ValueError, match="no event"):
        logrank([1, 2], [0, 0], ["a", "b"])


def test_a_baseline_table_prints_in_latex_without_special_characters() -> None:
    text = compare_groups(cohort("small")[["label", "age", "er"]], "label").to_latex()
    assert r"$\pm$" in text and r"$\chi$$^2$ test" in text and r"shapiro\_p" in text
    assert not set("χ²±−") & set(text)
