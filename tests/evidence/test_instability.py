"""Instability of predictions: measures by hand, repetitions that depend on their number alone, and rules that are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.columns import columns_from
from her2radiomics.core.settings import dump
from her2radiomics.core.tables import assemble
from her2radiomics.engine.jobs.evidence import refits_of
from her2radiomics.evidence.analyses.instability import Instability
from her2radiomics.evidence.analysis import row
from her2radiomics.evidence.resamples import PROBABILITY, THRESHOLD, resampled
from her2radiomics.evidence.settings import EvidenceSettings
from her2radiomics.evidence.study import probabilities
from her2radiomics.modelling.saved.model_file import save_model
from her2radiomics.modelling.saved.refits import read_refits


@pytest.fixture(scope="module")
def analysis():
    return Instability(resamples=20)


@pytest.fixture(scope="module")
def made(analysis):
    study = made_study(n=60)
    return study, analysis.run(study, 0, analysis.repetitions(study))


def summed(analysis, rows, study):
    return assemble("evidence_analysis", list(analysis.summarise(analysis.wanted(rows), study)))


def test_error_and_changed_class_by_hand(analysis):
    """Threshold 0.5; refits say 0.6 and 0.3 of a patient at 0.4, 0.8 and 0.7 of one at 0.9: one class changes once."""
    study = made_study(n=60)
    names = study.table.index[study.rows("training")][:2]
    told = {0: (0.4, 0.9), 1: (0.6, 0.8), 2: (0.3, 0.7)}
    rows = [{"repetition": 0, **row(THRESHOLD, 0.5, model="combined")}]
    for repetition, values in told.items():
        for name, value in zip(names, values, strict=True):
            item = row(PROBABILITY, value, arm=name, model="combined", partition="training")
            rows.append({"repetition": repetition, **item})
    summary = summed(analysis, assemble("evidence_repetitions", rows), study)
    found = summary.set_index(["arm", "measure"])["value"]
    assert found[names[0], "mape"] == pytest.approx(0.15) and found[names[1], "mape"] == pytest.approx(0.15)
    assert found[names[0], "class_changed"] == 0.5 and found[names[1], "class_changed"] == 0
    assert found["", "mape"] == pytest.approx(0.15) and found["", "unstable_patients"] == 0.5
    limits = summary.set_index(["arm", "measure"]).loc[(names[0], PROBABILITY)]
    assert (limits["low"], limits["high"]) == pytest.approx((0.3 + 0.025 * 0.3, 0.6 - 0.025 * 0.3))
    first, second = analysis.findings(summary, study)
    assert first.verdict == second.verdict == "does not hold"


def test_planted_signal_is_stabler_than_none(analysis, made):
    study, rows = made
    null = made_study(n=60, signal=0.0)
    error = []
    for one, told in ((study, rows), (null, analysis.run(null, 0, analysis.repetitions(null)))):
        summary = summed(analysis, told, one)
        whole = summary[(summary["arm"] == "") & (summary["partition"] == "training")].set_index("measure")["value"]
        error.append(whole["mape"])
    assert error[0] < error[1]
    assert next(iter(analysis.findings(summary, null))).verdict == "does not hold"


def test_a_repetition_depends_on_its_number_alone(analysis, made):
    _, rows = made
    apart = pd.concat([analysis.run(made_study(n=60), n, n + 1) for n in (2, 0, 1)])
    together = rows[rows["repetition"] <= 2].reset_index(drop=True)
    apart = apart.sort_values("repetition", kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(together, apart, check_exact=True, check_dtype=False)


def test_persons_are_drawn_whole_and_only_training_rows():
    study = made_study(n=60)
    study.about.persons.update({name: f"Q{place // 2}" for place, name in enumerate(study.people["patient_id"])})
    drawn = resampled(study, study.random("instability", 1))
    assert set(drawn) <= set(study.rows("training"))
    count = np.bincount(drawn, minlength=60)
    assert (count[0:40:2] == count[1:40:2]).all() and len(drawn) == 40


def test_kept_rules_predict_as_the_refits_did(analysis, made, tmp_path):
    """The file's rules give every patient what the repetitions say, to six decimals."""
    study, rows = made
    about = dump(study.about)
    save_model(refits_of(about, "combined", rows, "x"), tmp_path / "instability.json")
    refits = read_refits(tmp_path / "instability.json")
    assert refits.columns == {name: columns_from(about["columns"])[name] for name in sorted(refits.columns)}
    told = rows[(rows["measure"] == PROBABILITY) & (rows["repetition"] > 0)]
    table = told.pivot(index="repetition", columns="arm", values="value")[list(study.table.index)].to_numpy()
    again = np.array([rule.probability(study.table) for rule in refits.rules])
    assert np.abs(again - table).max() <= 0.5e-6 + 1e-12
    bounds, used = refits.interval(study.table)
    assert bounds[:, 0] == pytest.approx(np.quantile(again, 0.025, axis=0)) and (used == len(table)).all()


def test_the_original_fit_is_the_study_s(analysis, made):
    study, rows = made
    fit = study.fit(study.rows("training"))["combined"]
    own = rows[(rows["repetition"] == 0) & (rows["measure"] == PROBABILITY)]
    assert own["value"].to_numpy() == pytest.approx(probabilities(fit, study.table), abs=0.5e-6)
    assert rows.loc[rows["measure"] == THRESHOLD, "value"].tolist() == [fit.threshold_.threshold]


def test_a_training_set_of_one_class_is_left_out(analysis):
    study = made_study(n=60)
    study.people.loc[study.people["partition"] == "training", "label"] = 0
    assert analysis.obstacle(study).endswith("5 or more patients of the rarer outcome; it has 0.")
    assert not analysis.batches(study)


def test_an_analysis_that_reads_another_needs_it():
    with pytest.raises(ValueError, match="'optimism' reads the refits of 'instability'"):
        EvidenceSettings(analyses={"instability": None, "stability": None})
