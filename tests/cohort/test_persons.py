"""Rows of one person stay together: in partitions, folds, halves and resamples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from model_cohort import COLUMNS

from her2radiomics.cohort.partitions import CentrePartition, GivenPartition, RandomPartition, assign
from her2radiomics.core.brought.likeness import parts_of_one
from her2radiomics.core.errors import TableError
from her2radiomics.evaluation.performance import evaluate
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.modelling import build_model
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.settings import parse_models
from her2radiomics.modelling.steps.stability_selection import patient_halves
from her2radiomics.statistics import auc, auc_interval, optimism_corrected
from her2radiomics.statistics.draws import draw_rows


def women(number: int = 40) -> tuple[pd.DataFrame, pd.Series]:
    """Two lesions a woman, right and left."""
    rows = [(f"W{i:02d}_{side}", f"W{i:02d}", i % 4 == 0) for i in range(number) for side in "LR"]
    table = pd.DataFrame(rows, columns=["patient_id", "person", "positive"]).assign(centre="a", exclude_reason="")
    return table.drop(columns="positive"), pd.Series([int(row[2]) for row in rows], index=table["patient_id"])


def torn(partition: pd.Series) -> int:
    return int((partition.groupby(partition.index.str[:3]).nunique() > 1).sum())


class TestPartitions:
    def test_a_random_split_draws_women(self):
        table, labels = women()
        found = assign(table, labels, RandomPartition(training=0.7), seed=1, file="p.tsv")
        assert torn(found) == 0
        assert (found == "training").sum() == 56  # 28 of 40 women, two rows each
        assert (
            torn(assign(table.drop(columns="person"), labels, RandomPartition(training=0.7), seed=1, file="p.tsv")) > 5
        )

    def test_without_a_person_of_two_rows_nothing_changes(self):
        table, labels = women()
        alone = table.assign(person="")
        settings = RandomPartition(training=0.7)
        same = assign(table.drop(columns="person"), labels, settings, seed=1, file="p.tsv")
        pd.testing.assert_series_equal(assign(alone, labels, settings, seed=1, file="p.tsv"), same)

    def test_centres_and_given_partitions_may_not_tear_a_woman(self):
        table, labels = women()
        table.loc[1, "centre"] = "b"
        for settings in (CentrePartition(training=["a"], testing=["b"]), GivenPartition()):
            with pytest.raises(TableError, match="the person 'W00' in several partitions"):
                given = table.assign(partition=["training", "testing"] * 40)
                assign(given, labels, settings, seed=1, file="p.tsv")


@pytest.mark.parametrize(
    ("identifiers", "groups"),
    [
        (["P007_L", "P007_R", "P008_L"], [["P007_L", "P007_R"]]),
        (["P7a", "P7b"], [["P7a", "P7b"]]),
        (["P7-1", "P7-2", "P8-1"], [["P7-1", "P7-2"]]),
        (["P7", "P7_2"], [["P7", "P7_2"]]),
        (["P7 lesion 1", "P7 lesion 2"], [["P7 lesion 1", "P7 lesion 2"]]),
        ([f"C1_{i:02d}" for i in range(20)], []),  # patients of a centre
        (["Breast_MRI_001", "Breast_MRI_002", "NACT_06", "NACT_07", "ISPY1_1001", "ISPY1_1002"], []),
    ],
)
def test_identifiers_that_look_like_one_person(identifiers, groups):
    assert parts_of_one(identifiers) == groups


class TestDraws:
    persons = {f"W{i:02d}_{side}": f"W{i:02d}_L" for i in range(40) for side in "LR"}

    def rows(self) -> tuple[pd.DataFrame, np.ndarray]:
        _, labels = women()
        random = np.random.default_rng(3)
        values = pd.DataFrame(random.normal(size=(80, 4)), index=labels.index, columns=list("abcd"))
        values["a"] += labels.to_numpy()
        return values, labels.to_numpy()

    def test_folds_and_halves(self):
        values, labels = self.rows()
        who = by_person(values, self.persons).index.to_numpy()
        fold = pd.Series(patient_folds(who, labels, 5, 1), index=values.index)
        assert torn(fold) == 0 and fold.nunique() == 5
        for half in patient_halves(who, labels, 3, 1):
            assert all(values.index.str[:3][half].value_counts() == 2)

    def test_resamples_hold_whole_persons(self):
        who = np.repeat(np.arange(30), 2)
        for rows in draw_rows(60, 20, 1, who):
            counts = np.bincount(rows, minlength=60).reshape(30, 2)
            assert (counts[:, 0] == counts[:, 1]).all() and counts.sum() == 60
        assert np.array_equal(draw_rows(60, 5, 1, np.arange(60)), draw_rows(60, 5, 1))

    def test_two_equal_rows_a_person_are_one(self):
        """Doubling every row leaves the interval of the AUC as wide as before, if persons are drawn."""
        random = np.random.default_rng(5)
        labels = np.repeat([0, 1], 30)
        scores = random.normal(size=60) + labels
        twice, double, who = np.repeat(labels, 2), np.repeat(scores, 2), np.repeat(np.arange(60), 2)

        def width(**clusters):
            low, high = auc_interval(twice, double, "bootstrap", seed=1, iterations=2000, **clusters)
            return high - low

        low, high = auc_interval(labels, scores, "bootstrap", seed=1, iterations=2000)
        assert width(clusters=who) == pytest.approx(high - low, rel=0.1)
        assert width() < 0.8 * (high - low)
        assert auc(twice, double) == pytest.approx(auc(labels, scores))

    def test_the_optimism_of_doubled_rows_is_that_of_single_ones(self):
        values, labels = self.rows()
        values, labels = values[::2], labels[::2]
        design, single = values[["a", "b"]], {}
        probability = np.full(40, labels.mean()) + 0.01 * values["a"].to_numpy()
        for name, repeat in (("single", 1), ("double", 2)):
            table = design.loc[np.repeat(design.index, repeat)].reset_index(drop=True)
            found = optimism_corrected(
                np.repeat(labels, repeat), np.repeat(probability, repeat), design=table, iterations=100, seed=2,
                clusters=np.repeat([f"{i:02d}" for i in range(40)], repeat),
            )  # fmt: skip
            single[name] = found.table.set_index("measure").loc["auc", "optimism"]
        assert single["double"] == pytest.approx(single["single"], abs=1e-3)  # Firth in a few resamples


@pytest.mark.parametrize("estimator", ["ridge", "linear_svm", "random_forest", "elastic_net_logistic"])
def test_models_learn_by_person(estimator):
    """Copies of a row under another identifier change nothing about the folds: each copy goes with its person."""
    values, labels = TestDraws().rows()
    spec = {"kind": "radiomics", "steps": [{"step": "z_score"}], "estimator": {"kind": estimator}}
    if estimator == "random_forest":
        spec["estimator"]["trees"] = 60
    specs = parse_models({"m": spec})
    by = build_model("m", specs, COLUMNS, seed=1, persons=TestDraws.persons).fit(values, labels)
    again = build_model("m", specs, COLUMNS, seed=1, persons=TestDraws.persons).fit(values, labels)
    assert np.array_equal(by.decision_function(values), again.decision_function(values))
    if estimator == "random_forest":  # a tree that saw one lesion says nothing about the other
        alone = build_model("m", specs, COLUMNS, seed=1).fit(values, labels)
        assert not np.array_equal(by.fitted_.held_out, alone.fitted_.held_out, equal_nan=True)


def test_the_evaluation_says_that_persons_were_drawn():
    table, labels = women()
    random = np.random.default_rng(1)
    frame = table[["patient_id"]].assign(
        partition="testing", label=labels.to_numpy(), probability=random.uniform(0.1, 0.9, 80)
    )
    settings = EvaluationSettings(bootstrap=100, calibration_bootstrap=10)
    extra = evaluate({"m": frame}, {"m": 0.5}, settings, seed=1, persons=TestDraws.persons).extra
    assert "80 rows of 40 persons" in extra.set_index("measure").loc["note_persons", "method"]
    alone = evaluate({"m": frame}, {"m": 0.5}, settings, seed=1).extra
    assert "note_persons" not in set(alone["measure"])
