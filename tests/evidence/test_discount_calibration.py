"""The calibration of test AUCs: by hand on made-up rows, without the predicted data set, and on the shipped table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from her2radiomics.evidence.discount import calibration as c
from her2radiomics.evidence.discount import coverage, expected_auc, read_benchmark, shipped_support
from her2radiomics.evidence.discount.calibration import extrapolation
from her2radiomics.evidence.discount.support import Support

STUDY = {"n": 150, "events": 60, "features": 800, "test_n": 45, "chain": "nat_response"}


def rows(test, new, dataset=None, noise=0.0) -> c.Rows:
    """Rows of studies that differ in their separations alone."""
    count = len(test)
    same = np.full(count, noise)
    names = np.array(dataset or [f"d{number}" for number in range(count)])
    return c.Rows(names, np.ones((count, 2)), np.array(test, float), np.array(new, float), same, same * 0)


def made_up(seed: int = 0, datasets: int = 12, repetitions: int = 6) -> pd.DataFrame:
    """A table of the benchmark's columns: tables differ in how well anything predicts, test sets have errors."""
    random = np.random.default_rng(seed)
    found = []
    for name in range(datasets):
        true = random.normal(1.0, 0.5)
        for repetition in range(repetitions):
            test, new = (float(c.area_of(true + random.normal(0, sd))) for sd in (0.35, 0.2))
            found.append(
                {"dataset": f"d{name:02d}", "repetition": repetition, "n": 100 + 5 * name, "events": 40 + name}
                | {"features": 100 * (name + 1), "test_n": 40, "test_events": 16, "new_n": 90, "new_events": 36}
                | {"chain": "a", "order": "leak_safe", "kept": 3, "test": test, "new": new}
            )
    return pd.DataFrame(found)


def test_the_separation_of_two_groups_and_its_sampling_variance():
    # two normal groups one SD apart: AUC = Phi(1 / sqrt 2) = 0.760250
    assert c.area_of(1.0) == pytest.approx(0.760250, abs=1e-6)
    assert c.separation(0.760250, 1000, 1000) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(c.separation(np.array([0.0, 1.0]), 5, 10)).all()
    # Hedges & Olkin 1985, chapter 5, equation 14: 1/20 + 1/30 + 1 / (2 * 50)
    assert c.sampling_variance(1.0, 20, 30) == pytest.approx(1 / 20 + 1 / 30 + 1 / 100)


def test_the_sampling_variance_is_that_of_simulated_test_sets():
    random = np.random.default_rng(5)
    found = []
    for _ in range(4000):
        positive, negative = random.normal(1, 1, 20), random.normal(0, 1, 30)
        found.append(c.separation((positive[:, None] > negative).mean(), 20, 30))
    assert np.var(found) == pytest.approx(float(c.sampling_variance(1.0, 20, 30)), rel=0.15)
    assert np.mean(found) == pytest.approx(1.0, abs=0.03)


def test_a_relation_by_hand():
    # means 1 and 0.5; variances 1 and 0.25 about them, covariance 0.4; test sets have a sampling variance of 0.2
    relation = c.Relation.fit(rows([0, 2, 0, 2], [0.1, 0.9, -0.1 + 0.2, 0.9], noise=0.2))
    assert relation.means[0] == pytest.approx([1.0, 0.5])
    assert relation.means[1:] == pytest.approx(np.zeros((2, 2)))
    assert (relation.test, relation.new, relation.both) == pytest.approx((0.8, 0.16, np.sqrt(0.8 * 0.16)))
    relation = replace(relation, both=0.3)
    mean, variance = relation.predict(np.ones((1, 2)), np.array([3.0]), np.array([0.4]))
    # 0.5 + 0.3 / (0.8 + 0.4) * (3 - 1) = 1.0; 0.16 - 0.3² / 1.2 = 0.085
    assert mean[0] == pytest.approx(1.0) and variance[0] == pytest.approx(0.085)


def test_every_data_set_has_the_same_weight():
    few = c.Relation.fit(rows([0.0, 2.0], [0.0, 1.0], ["a", "b"]))
    many = c.Relation.fit(rows([0.0] * 9 + [2.0], [0.0] * 9 + [1.0], ["a"] * 9 + ["b"]))
    assert many.means == pytest.approx(few.means) and many.both == pytest.approx(few.both)


def test_a_smaller_test_set_is_drawn_closer_to_what_is_usual():
    relation = c.Relation.fit(c.Rows.of(made_up()))
    z = np.tile(relation.centre, (3, 1))
    mean, variance = relation.predict(z, np.full(3, 2.5), np.array([0.01, 0.2, 1.0]))
    assert mean[0] > mean[1] > mean[2] > relation.means[0, 1]
    assert variance[0] < variance[1] < variance[2]


def test_the_width_by_hand():
    scores = pd.DataFrame({"dataset": ["a", "b", "b", "c", "d"], "score": [1.0, 2.0, 5.0, 3.0, 4.0]})
    # weights 1/5 for each data set, halves within b, 1/5 at infinity: 0.2, 0.3, 0.5, 0.7, 0.8
    assert [c.width(scores, level) for level in (0.2, 0.3, 0.5, 0.7, 0.8)] == [1.0, 2.0, 3.0, 4.0, 5.0]
    with pytest.raises(ValueError, match=r"expected at most 0\.800, since there are 4 data sets"):
        c.width(scores, 0.81)


def test_a_data_set_is_never_seen_by_its_own_prediction():
    table = made_up()
    changed = table.assign(new=np.where(table["dataset"] == "d03", 0.01, table["new"]))
    before, after = coverage(table).set_index("dataset"), coverage(changed).set_index("dataset")
    assert after.loc["d03", "expected"] == before.loc["d03", "expected"]
    assert after.loc["d03", "covered"] == 0 and before.loc["d03", "covered"] > 0
    assert (after["expected"].drop("d03") != before["expected"].drop("d03")).all()
    scores = [c.left_out_scores(c.Rows.of(part)) for part in (table, changed)]
    own = table["dataset"].to_numpy() == "d03"
    assert scores[0]["expected"][own].equals(scores[1]["expected"][own])


@pytest.mark.parametrize("level", [0.5, 0.8])
def test_new_data_sets_are_covered_as_often_as_promised(level):
    covered = [coverage(made_up(seed, datasets=15, repetitions=3), level)["covered"].mean() for seed in range(12)]
    assert np.mean(covered) == pytest.approx(level, abs=0.08)


def test_the_order_of_the_rows_changes_nothing():
    table = made_up()
    mixed = table.sample(frac=1, random_state=1)
    one, other = (c.Calibration.fit(part).scores["a", "leak_safe"]["score"].sort_values() for part in (table, mixed))
    assert np.allclose(one, other, rtol=0, atol=1e-12)


def test_the_range_of_test_aucs_is_one_that_five_data_sets_reach():
    table = made_up()
    highest = table.groupby("dataset")["test"].max().sort_values(ascending=False)
    support = Support.of(pd.concat([table, table.iloc[:1].assign(kept=0, n=10_000)]))
    assert support.auc["a", "leak_safe"].high == highest.iloc[4]
    assert (
        155 * 1.05 in support.n and 155 * 1.06 not in support.n and 0.4 in support.share and 0.41 not in support.share
    )
    assert (support.n.low, support.n.high) == (100, 155), "a model that kept nothing is not reported"


def test_an_expected_auc_in_words():
    found = expected_auc(0.83, **STUDY)
    assert found.unsupported == () and 0.5 < found.low < found.expected < found.high < 1
    assert (
        f"about {found.expected:.2f} in new patients, {0.83 - round(found.expected, 2):.2f} less than reported"
        in str(found)
    )
    assert "more than reported" in replace(found, reported=0.6).sentence
    assert "reported;" not in replace(found, reported=found.expected).sentence
    assert f"between {found.low:.2f} and {found.high:.2f}" in str(found) and "90%" in found.sentence
    high = replace(found, high=0.82)
    assert "above this interval: it is likely too high" in high.sentence
    assert (
        "includes 0.5" in replace(found, low=0.45).sentence and "includes 0.5" not in replace(found, low=0.55).sentence
    )


def test_more_is_expected_of_a_higher_auc_and_less_of_a_leaky_chain():
    found = [expected_auc(area, **STUDY).expected for area in (0.6, 0.7, 0.8, 0.9)]
    assert found == sorted(found)
    leaky = expected_auc(0.85, **{**STUDY, "chain": "her2_nomogram"}, order="as_published").expected
    assert leaky < expected_auc(0.85, **{**STUDY, "chain": "her2_nomogram"}).expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 3000, "events": 900}, "it has 3,000 patients; the benchmark supports"),
        ({"features": 20_000}, "it has 20,000 features; the benchmark supports 105 to 4,060"),
        ({"test_n": 100}, "it has 100 patients in the test set"),
        ({"events": 5}, "the smaller class is 3% of its patients"),
        ({"chain": "random_forest"}, "its chain of steps is none of the 4 of the benchmark"),
        ({"reported": 0.01}, "a test AUC of 0.01 is outside"),
    ],
)
def test_without_support_there_are_words_and_no_number(change, words):
    found = expected_auc(**({"reported": 0.8, **STUDY} | change))
    assert words in found.sentence and found.sentence.startswith("The benchmark does not support a statement")
    assert np.isnan([found.expected, found.low, found.high]).all()
    assert len(found.unsupported) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reported": 1.2}, "an AUC between 0 and 1"),
        ({"events": 150}, "patients with and without the outcome"),
        ({"test_n": 150}, "a part of the study"),
        ({"test_events": 45}, "test_events: found 45 of 45"),
        ({"order": "before"}, "one of leak_safe, as_published"),
        ({"level": 0.99}, "expected at most 0.96"),
    ],
)
def test_impossible_numbers_are_errors(change, words):
    with pytest.raises(ValueError, match=words):
        expected_auc(**({"reported": 0.8, **STUDY} | change))


@pytest.fixture(scope="module")
def left_out() -> pd.DataFrame:
    return coverage(read_benchmark())


def test_the_shipped_calibration_covers_data_sets_that_it_has_not_seen(left_out):
    by_group = left_out.groupby(["chain", "order"])
    assert set(by_group["covered"].mean().round(2)) <= {0.92, 0.93, 0.94}  # as the page says (Discount.method)
    assert by_group["error"].mean().abs().max() < 0.02
    # it is closer to the truth than the reported AUC is
    assert (by_group["missed"].mean() < by_group["missed_as_reported"].mean()).all()


def test_more_features_than_fitted_on_are_covered_and_said():
    beyond = extrapolation(read_benchmark(), 986)
    assert beyond["dataset"].nunique() == 7  # of 1,015 to 2,030 features: up to twice as many
    assert beyond["covered"].mean() > 0.86 and abs(beyond["error"].mean()) < 0.03
    more = expected_auc(0.8, **{**STUDY, "features": 3375})
    assert more.sentence.endswith(
        "were predicted as well."
    ) and "3,375 features, more than the benchmark's 2,030" in str(more)
    assert more.expected == expected_auc(0.8, **STUDY).expected and expected_auc(0.8, **STUDY).beyond == ""


def test_the_shipped_table_is_small_and_holds_counts_and_areas_alone(root):
    assert sum(file.stat().st_size for file in (root / "src/her2radiomics/evidence/discount").glob("*.gz")) < 1e6
    table = read_benchmark()
    assert list(table.columns) == [
        *("dataset repetition n events features test_n test_events new_n new_events".split()),
        *("chain order kept apparent cross_validated test new".split()),
    ]
    assert table["dataset"].nunique() == 28
    areas = table[["apparent", "test", "new"]]
    assert areas.notna().all(axis=None) and ((areas >= 0) & (areas <= 1)).all(axis=None)
    assert (table.groupby(["dataset", "repetition"]).size() == 8).all()
    assert shipped_support().test_n.high == 65
