"""Stability of features: the index and the shares of refits, ICC of readers and of changed images, shifts of centres."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.instability import Instability
from her2radiomics.evidence.analyses.stability import Stability
from her2radiomics.evidence.extractions import Reextraction
from her2radiomics.evidence.resamples import resampled
from her2radiomics.statistics import icc_table, proportion_interval, selection_stability

FIRST = "T1__tumour_volume__f00"


@pytest.fixture(scope="module")
def made():
    """A study with a second reader, an extraction with noise, and a second centre one standard deviation away."""
    study = made_study(seed=2, n=90, signal=2.0, second_reader=True, primary="radiomics")
    features = study.features.copy()
    names = [name for name in features.columns if name.startswith("T1")]
    inside = features["patient_id"].isin(study.people.loc[study.people["centre"] == "centre_2", "patient_id"])
    features.loc[inside, names] += 1.5
    other = features[features["reader"] == "1"].copy()
    other[names] += 2 * np.random.default_rng(0).normal(size=(len(other), len(names)))
    study.about.others["noise"] = Reextraction(description="Noise", purpose="perturbation")
    study = dataclasses.replace(study, features=features, other_features={"noise": other})
    analysis, refits = Stability(), Instability(resamples=20)
    rows = pd.concat([a.run(study, 0, a.repetitions(study)) for a in (analysis, refits)], ignore_index=True)
    rows = analysis.wanted(rows)
    return study, rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_the_index_is_that_of_the_same_refits(made):
    """Every resample fitted anew, and the statistics' index on what each kept."""
    study, _, summary = made
    names = [name for name in study.features.columns if name.startswith("T1")]
    kept = np.zeros((20, len(names)), dtype=int)
    for index in range(1, 21):
        fit = study.fit(resampled(study, study.random("instability", index)), models=["radiomics"])["radiomics"]
        kept[index - 1] = [name in {feature.name for feature in fit.rule_.features()} for name in names]
    told, expected = summary[summary["measure"] == "stability"].iloc[0], selection_stability(kept)
    assert (told["value"], told["low"], told["high"]) == pytest.approx((expected.value, expected.low, expected.high))
    share = summary[(summary["measure"] == "kept") & (summary["arm"] == FIRST)].iloc[0]
    count = int(kept[:, 0].sum())
    assert share["value"] == count / 20 and (share["low"], share["high"]) == proportion_interval(count, 20)


def test_agreement_of_readers_and_of_changed_images(made):
    study, _, summary = made
    assert summary.loc[summary["arm"] == FIRST, "measure"].str.startswith("icc").any()
    wide = study.features.pivot(index="patient_id", columns="reader", values=FIRST)
    other = study.other_features["noise"].set_index("patient_id")[FIRST]
    for measure, second in (("icc: readers", wide["2"]), ("icc: noise", other)):
        pair = [pd.DataFrame({"x": column}) for column in (wide["1"], second)]
        expected = icc_table(*pair).iloc[0]
        told = summary[(summary["measure"] == measure) & (summary["arm"] == FIRST)].iloc[0]
        assert (told["value"], told["low"], told["high"]) == pytest.approx(tuple(expected[["icc", "low", "high"]]))
        assert told["n"] == 90


def test_a_shift_between_centres_by_hand(made):
    study, _, summary = made
    told = summary[(summary["measure"] == "shift: centre_2") & (summary["arm"] == FIRST)].iloc[0]
    values, there = study.table[FIRST], (study.patients["centre"] == "centre_2").to_numpy()
    a, b = values[there], values[~there]
    pooled = np.sqrt((29 * a.var() + 59 * b.var()) / 88)
    d = (a.mean() - b.mean()) / pooled
    half = 1.959964 * np.sqrt(90 / (30 * 60) + d**2 / 180)
    assert (told["value"], told["high"] - told["value"]) == pytest.approx((d, half), rel=1e-6)


def test_findings_by_their_rules(made):
    study, _, summary = made
    found = {item.claim: item.verdict for item in Stability().findings(summary, study)}
    assert found["centre_2: the kept features are alike there and in the largest centre"] == "does not hold"
    assert (
        found["The kept features are reproducible where the images are measured otherwise (Noise)"] == "does not hold"
    )
    assert found["The kept features are reproducible between the readers"] != "does not hold"
    assert Stability().others(study) == ["noise"]


def test_without_signal_the_selection_is_not_stable():
    study = made_study(seed=2, n=60, signal=0.0, primary="radiomics")
    refits, analysis = Instability(resamples=20), Stability()
    rows = pd.concat([a.run(study, 0, a.repetitions(study)) for a in (analysis, refits)], ignore_index=True)
    summary = assemble("evidence_analysis", list(analysis.summarise(analysis.wanted(rows), study)))
    verdicts = [item.verdict for item in analysis.findings(summary, study) if "resamples" in item.claim]
    assert verdicts == ["does not hold"]
