"""Precision: parameters counted by hand, numbers that are those of the statistics, and verdicts by their rules."""

from __future__ import annotations

import pytest
from evidence.made_study import made_study

from her2radiomics.core.columns import Column
from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.precision import Precision, candidate_parameters, kept_parameters
from her2radiomics.modelling.saved.rules import (
    FeaturePredictor,
    LevelPredictor,
    LinearRule,
    NumericPredictor,
    ScorePredictor,
)
from her2radiomics.statistics import auc_interval, development_size, r2_max, r2_of_c, validation_size


@pytest.fixture(scope="module", params=[1.5, 0.0], ids=["signal", "null"])
def made(request):
    study, analysis = made_study(signal=request.param, seed=4), Precision()
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return request.param, study, rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def value(summary, measure, partition="training", arm=""):
    found = summary[(summary["measure"] == measure) & (summary["partition"] == partition) & (summary["arm"] == arm)]
    return found["value"].iloc[0]


def test_parameters_by_hand():
    """20 features, age, a status of two levels; a rule of two features, a number, levels without and with order."""
    assert candidate_parameters(made_study(n=40)) == 22
    features = [FeaturePredictor(name, 1.0, 0.0, 0.0, 1.0) for name in ("a", "b")]
    age = NumericPredictor("age", 0.1, 0.0, 1.0)
    levels = [LevelPredictor(name, (("I", 0.0), ("II", 0.5), ("III", 1.0)), None) for name in ("grade", "stage")]
    inner = LinearRule("score", 0.0, (*features, age))
    rule = LinearRule("whole", 0.0, (ScorePredictor(inner, 1.0, 0.0, 1.0), features[0], *levels, age))
    three = {"I": "I", "II": "II", "III": "III"}
    columns = {
        "age": Column(label="Age", kind="continuous"),
        "grade": Column(label="Grade", kind="categorical", levels=three),
        "stage": Column(label="Stage", kind="ordinal", levels=three),
    }
    assert kept_parameters(rule, columns) == 2 + 1 + 2 + 1


def test_sizes_are_those_of_the_statistics(made):
    signal, study, _, summary = made
    n, events = study.size("training")
    prevalence = events / n
    usual = development_size(22, prevalence, r2=0.15 * r2_max(prevalence))
    for criterion in ("shrinkage", "optimism", "risk"):
        assert value(summary, "needed", arm=f"15 % of the largest R²: {criterion}") == getattr(usual, criterion)
    assert value(summary, "events_per_candidate") == pytest.approx(events / 22)
    tested = value(summary, "auc", "testing")
    if signal:
        claimed = development_size(22, prevalence, r2=r2_of_c(tested, prevalence))
        assert value(summary, "needed", arm="claimed AUC: all") == claimed.n
        m, positive = study.size("testing")
        assert value(summary, "needed", "testing", "all") == validation_size(positive / m, tested).n


def test_the_width_is_delongs(made):
    _, study, _, summary = made
    fit = study.fit(study.rows("training"))[study.about.primary]
    rows = study.rows("testing")
    low, high = auc_interval(study.outcome[rows], fit.predict_proba(study.table.iloc[rows])[:, 1], "delong_logit")
    assert value(summary, "width", "testing") == pytest.approx(high - low)


def test_thirty_patients_are_too_few_for_all(made):
    _, study, _, summary = made
    found = {item.claim: item.verdict for item in Precision().findings(summary, study)}
    assert found["Combined, Test set: the AUC is known precisely"] == "does not hold"
    assert found["Combined: enough patients to develop the model"] == "does not hold"
    assert set(found.values()) == {"does not hold"}
