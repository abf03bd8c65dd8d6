"""Optimism: every estimate against its definition, learning curves, and what is found with and without a planted signal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.instability import Instability
from her2radiomics.evidence.analyses.optimism import Optimism
from her2radiomics.evidence.resamples import resampled
from her2radiomics.evidence.study import probabilities
from her2radiomics.statistics import auc, auc_632_plus, auc_interval, c_statistic_error, optimism_corrected


@pytest.fixture(scope="module")
def analysis():
    return Optimism(folds=3, repeats=2, draws=4, shares=[0.5, 0.9])


@pytest.fixture(scope="module")
def refits():
    return Instability(resamples=20)


@pytest.fixture(scope="module", params=[1.2, 0.0], ids=["signal", "null"])
def made(request, analysis, refits):
    study = made_study(signal=request.param, seed=3)
    rows = pd.concat([a.run(study, 0, a.repetitions(study)) for a in (analysis, refits)], ignore_index=True)
    rows = analysis.wanted(rows)
    return request.param, study, rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def of(summary, model, partition, measure):
    found = summary[(summary["model"] == model) & (summary["partition"] == partition) & (summary["measure"] == measure)]
    return found.iloc[0]


def test_every_model_has_every_estimate(made):
    _, study, _, summary = made
    for model in study.about.models:
        for partition, measures in (
            ("training", ["auc_apparent", "auc_bootstrap", "auc_632_plus", "optimism"]),
            ("cross_validated", ["auc"]),
            ("testing", ["auc"]),
        ):
            for measure in measures:
                item = of(summary, model, partition, measure)
                assert item["low"] <= item["value"] <= item["high"] or np.isnan(item["low"])


def test_apparent_and_test_are_the_study_s_own_fit(made):
    _, study, _, summary = made
    fit = study.fit(study.rows("training"))["combined"]
    probability = probabilities(fit, study.table)
    for partition, measure in (("training", "auc_apparent"), ("testing", "auc")):
        rows = study.rows(partition)
        item = of(summary, "combined", partition, measure)
        assert item["value"] == pytest.approx(auc(study.outcome[rows], probability[rows]))
        bounds = auc_interval(study.outcome[rows], probability[rows], "delong_logit")
        assert (item["low"], item["high"]) == pytest.approx(bounds)


def test_the_bootstrap_is_that_of_statistics(made, refits):
    """``optimism_corrected`` (compared with ``rms::validate``), given the same resamples, corrects by as much."""
    _, study, _, summary = made
    training = study.rows("training")
    fit = study.fit(training, models=["radiomics"])["radiomics"]
    drawn = [resampled(study, study.random("instability", index)) for index in range(1, 21)]

    def refit(places):
        again = study.fit(training[places], models=["radiomics"])["radiomics"]
        return probabilities(again, study.table.iloc[training])

    told = optimism_corrected(
        study.outcome[training],
        probabilities(fit, study.table.iloc[training]),
        refit,
        resamples=np.array([np.searchsorted(training, places) for places in drawn]),
    ).table.set_index("measure")
    mine = {name: of(summary, "radiomics", "training", name)["value"] for name in ("optimism", "auc_bootstrap")}
    assert mine["optimism"] == pytest.approx(told.loc["auc", "optimism"], abs=1e-12)
    assert mine["auc_bootstrap"] == pytest.approx(told.loc["auc", "corrected"], abs=1e-12)


def test_632_plus_and_its_interval(made):
    _, study, rows, summary = made
    apparent = of(summary, "combined", "training", "auc_apparent")["value"]
    outside = rows[(rows["measure"] == "auc_out_of_bag") & (rows["model"] == "combined")]["value"].mean()
    plus = of(summary, "combined", "training", "auc_632_plus")
    assert plus["value"] == pytest.approx(auc_632_plus(apparent, outside))
    n, events = study.size("training")
    half = 1.959964 * c_statistic_error(n, events / n, max(plus["value"], 0.5 + 1e-9))
    assert plus["value"] - plus["low"] == pytest.approx(half, rel=1e-5)


def test_planted_signal_is_found_and_none_on_the_null_twin(made, analysis):
    signal, study, _, summary = made
    verdicts = {finding.claim: finding.verdict for finding in analysis.findings(summary, study)}
    better = verdicts["Combined: better than chance after correction for optimism"]
    assert better == "holds" if signal else better != "holds"


def test_a_learning_curve_has_the_same_patients_at_every_size(made):
    _, study, rows, summary = made
    learning = rows[rows["measure"] == "auc_learning"]
    assert set(learning["arm"]) == {"30 patients", "54 patients"} and set(learning["n"]) == {len(study.rows("testing"))}
    item = summary[summary["measure"] == "gain"].iloc[0]
    table = learning[learning["model"] == "combined"].pivot(index="repetition", columns="arm", values="value")
    assert item["value"] == pytest.approx((table["54 patients"] - table["30 patients"]).mean())


def test_without_a_test_set_the_curve_is_that_of_patients_left_out(analysis):
    study = made_study(n=40)
    study.people["partition"] = "training"
    rows = analysis.run(study, 3, 4)
    assert set(rows["partition"]) == {""} and set(rows["n"]) == {4}


def test_a_repetition_depends_on_its_number_alone(analysis):
    together = analysis.run(made_study(n=60), 0, 5)
    apart = pd.concat([analysis.run(made_study(n=60), n, n + 1) for n in (4, 0, 2, 1, 3)])
    apart = apart.sort_values("repetition", kind="stable").reset_index(drop=True)
    pd.testing.assert_frame_equal(together, apart, check_exact=True, check_dtype=False)
