"""Subgroups: numbers of the statistics, what is too small, and a planted difference that is found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.subgroups import TOO_FEW, Subgroups
from her2radiomics.evidence.study import probabilities
from her2radiomics.statistics import auc, delong_test_unpaired, holm


def studied(planted: bool):
    """Women before the menopause have the signal, the others none; or everybody has it."""
    study = made_study(seed=5, n=240, signal=2.0, primary="radiomics")
    if not planted:
        return study
    random, features = np.random.default_rng(1), study.features.copy()
    noise = (study.people["status"] == "postmenopausal").to_numpy()
    names = [name for name in features.columns if name.endswith(("f00", "f01"))]
    features.loc[noise, names] = random.normal(size=(noise.sum(), 2))
    return dataclasses.replace(study, features=features)


@pytest.fixture(scope="module")
def analysis():
    return Subgroups(columns=["status", "age", "nowhere"], fewest=8, age_cut=50, folds=3)


@pytest.fixture(scope="module", params=[True, False], ids=["planted", "null"])
def made(request, analysis):
    study = studied(request.param)
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return request.param, study, rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_a_planted_difference_is_found_and_none_where_there_is_none(made, analysis):
    planted, study, _, summary = made
    (finding,) = analysis.findings(summary, study)
    assert (finding.verdict == "does not hold") == planted
    if planted:
        assert "Menopausal status, Postmenopausal and Premenopausal" in finding.sentence


def test_numbers_are_those_of_the_statistics(made):
    _, study, rows, summary = made
    fit = study.fit(study.rows("training"))["radiomics"]
    probability, status = probabilities(fit, study.table), study.patients["status"].to_numpy()
    test = study.rows("testing")
    sides = [test[status[test] == level] for level in ("postmenopausal", "premenopausal")]
    told = summary[summary["partition"] == "testing"].set_index(["arm", "measure"])
    for level, own in zip(("postmenopausal", "premenopausal"), sides, strict=True):
        item = told.loc[(f"status: {level}", "auc")]
        assert item["value"] == pytest.approx(auc(study.outcome[own], probability[own])) and item["n"] == len(own)
    expected = delong_test_unpaired(*(array[own] for own in sides for array in (study.outcome, probability)))
    raw = rows[(rows["partition"] == "testing") & (rows["measure"] == "p") & rows["arm"].str.startswith("status")]
    assert raw["value"].iloc[0] == pytest.approx(expected.p)
    every = rows[rows["measure"] == "p"]
    assert summary.loc[summary["measure"] == "p", "value"].tolist() == pytest.approx(holm(every["value"].to_numpy()))


def test_age_is_cut_where_it_is_said_or_at_the_training_median(analysis):
    study = made_study(n=60)
    older = (study.people["age"] >= 50).to_numpy()
    assert (analysis.groups(study)["age"] == "≥ 50 years").to_numpy().tolist() == older.tolist()
    halves = Subgroups().groups(study)["age"].to_numpy()[study.people["partition"] == "training"]
    assert pd.Series(halves).value_counts().tolist() == [20, 20]


def test_nothing_is_said_of_small_subgroups():
    study = made_study(n=60)
    analysis = Subgroups(folds=3, fewest=30)
    rows = analysis.run(study, 0, 1)
    assert set(rows["measure"]) == {"auc"} and set(rows["note"]) == {TOO_FEW} and rows["value"].isna().all()
    summary = assemble("evidence_analysis", list(analysis.summarise(rows, study)))
    (finding,) = analysis.findings(summary, study)
    assert finding.verdict == "cannot be told" and "subgroups were too small" in finding.sentence


def test_a_study_without_groups_says_so():
    study = made_study(n=40)
    study = dataclasses.replace(study, people=study.people.drop(columns="age").assign(centre="centre_1"))
    assert "no column of age" in Subgroups().obstacle(study)
