"""Permuted labels: what stays, what chance gives, and p with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.permutation import Permutation, permuted


@pytest.fixture(scope="module")
def analysis():
    return Permutation(permutations=40, folds=3)


@pytest.fixture(scope="module", params=[2.0, 0.0], ids=["signal", "null"])
def made(request, analysis):
    study = made_study(signal=request.param, primary="radiomics")
    rows = analysis.run(study, 0, analysis.repetitions(study))
    summary = assemble("evidence_analysis", list(analysis.summarise(rows, study)))
    return request.param, study, rows, summary


def test_events_stay_in_every_centre_and_partition():
    study = made_study(n=91, centres=3)
    drawn = permuted(study, study.random("permutation", 3))
    keys = [study.patients["centre"], study.patients["partition"]]
    before = pd.Series(study.outcome).groupby([key.to_numpy() for key in keys]).sum()
    after = pd.Series(drawn).groupby([key.to_numpy() for key in keys]).sum()
    assert after.equals(before) and not np.array_equal(drawn, study.outcome)


def test_rows_of_a_person_stay_together():
    study = made_study(n=40)
    pairs = {name: f"Q{place // 2}" for place, name in enumerate(study.people["patient_id"][:20])}
    study.about.persons.update(pairs)
    twins = np.arange(0, 20, 2)
    study.people.loc[twins + 1, "label"] = study.people.loc[twins, "label"].to_numpy()
    drawn = permuted(study, study.random("permutation", 1))
    assert (drawn[twins] == drawn[twins + 1]).all()


def test_planted_signal_is_found_and_none_on_the_null_twin(made, analysis):
    signal, study, _, summary = made
    p = summary[(summary["measure"] == "p") & (summary["partition"] == "testing")].iloc[0]
    (finding,) = analysis.findings(summary, study)
    if signal:
        assert p["value"] == pytest.approx(1 / 41)  # no permutation reaches it: (1 + 0) / (1 + 40)
        assert p["low"] == 0 and p["high"] == pytest.approx(1 - 0.025 ** (1 / 40), rel=1e-9)  # Clopper–Pearson, 0 of 40
        assert finding.verdict == "cannot be told"  # 40 permutations are too few for a bound below 0.05
    else:
        assert p["value"] > 0.05 and finding.verdict != "holds"


def test_training_auc_of_permuted_labels_shows_the_optimism(made):
    _, _, rows, summary = made
    null = summary[summary["measure"] == "auc_permuted"].set_index("partition")["value"]
    assert null["training"] > 0.6 and abs(null["testing"] - 0.5) < 0.1 and abs(null["cross_validated"] - 0.5) < 0.1
    assert rows["value"].between(0, 1).all()


def test_a_repetition_depends_on_its_number_alone(analysis):
    study = made_study(primary="radiomics")
    together = analysis.run(study, 0, 4)
    apart = pd.concat([analysis.run(made_study(primary="radiomics"), n, n + 1) for n in (3, 1, 0, 2)])
    pd.testing.assert_frame_equal(
        together, apart.sort_values("repetition", kind="stable").reset_index(drop=True), check_exact=True
    )
