"""The luck of the split: sizes, choices of centres, and the study's place among random splits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.splits import CENTRES, PUBLISHED, RANDOM, Splits


@pytest.fixture(scope="module")
def made():
    study, analysis = made_study(centres=3, primary="radiomics"), Splits(splits=20)
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return study, analysis, rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_every_choice_of_centres_is_made(made):
    study, analysis, rows, _ = made
    # two of three centres test: three choices
    arms = set(rows["arm"])
    assert {arm for arm in arms if arm.startswith(CENTRES)} == {
        f"{CENTRES}centre_1, centre_2",
        f"{CENTRES}centre_1, centre_3",
        f"{CENTRES}centre_2, centre_3",
    }
    assert analysis.repetitions(study) == 1 + 3 + 20 and {PUBLISHED, RANDOM} < arms
    own = rows[rows["arm"] == PUBLISHED].set_index("partition")["value"]
    same = rows[rows["arm"] == f"{CENTRES}centre_2, centre_3"].set_index("partition")["value"]
    assert own.equals(same)  # the study holds these two out


def test_random_splits_have_the_studys_sizes_and_share_of_events(made):
    study, _, rows, _ = made
    drawn = rows[(rows["arm"] == RANDOM) & (rows["partition"] == "testing")]
    # 30 of 90 patients test; 44 of 90 have the outcome: 14.67 of 30
    assert study.outcome.sum() == 44 and set(drawn["n"]) == {30} and set(drawn["events"]) == {15}


def test_the_studys_place_is_the_share_of_lower_aucs(made):
    _, _, rows, summary = made
    tested = rows[rows["partition"] == "testing"]
    drawn = tested.loc[tested["arm"] == RANDOM, "value"].to_numpy()
    own = tested.loc[tested["arm"] == PUBLISHED, "value"].iloc[0]
    place = summary.loc[summary["measure"] == "percentile", "value"].iloc[0]
    assert place == pytest.approx(np.mean(drawn < own) + np.mean(drawn == own) / 2)


def test_a_study_without_a_test_set_is_left_out():
    study = made_study(centres=2)
    people = study.people.assign(partition="training", centre="centre_1")
    alone = type(study)(about=study.about, people=people, features=study.features)
    assert "no split to redraw" in Splits().obstacle(alone) and Splits().batches(alone) == {}


def test_findings_follow_from_their_rules(made):
    study, analysis, _, _ = made
    rows = [
        {"arm": RANDOM, "model": "radiomics", "measure": "auc", "value": 0.7, "low": 0.6, "high": 0.8},
        {"arm": RANDOM, "model": "radiomics", "measure": "percentile", "value": 0.95},
    ]
    wide, lucky = analysis.findings(pd.DataFrame(rows), study)
    assert wide.verdict == "does not hold" and "0.600 to 0.800" in wide.sentence  # 0.2 wide, more than 0.15
    assert lucky.verdict == "does not hold" and "95%" in lucky.sentence
