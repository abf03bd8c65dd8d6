"""How the outcome differs between centres that ComBat equalises, and when the two are nearly one."""

from __future__ import annotations

import pandas as pd
import pytest

from her2radiomics.manuscript.events import in_words
from her2radiomics.modelling.centres import outcome_by_centre
from her2radiomics.modelling.steps.combat import CombatStep


def said(positive: dict[str, tuple[int, int]], **settings) -> list[str]:
    rows = [(centre, int(i < positives)) for centre, (positives, total) in positive.items() for i in range(total)]
    table = pd.DataFrame(rows, columns=["centre", "label"])
    step = CombatStep(step="combat", **settings)
    return outcome_by_centre(step, table["centre"], table["label"], "model 'radiomics'")


def test_the_share_of_each_centre_is_said():
    (only,) = said({"a": (10, 40), "b": (12, 30)})
    assert only.endswith("which combat equalises: a 10 of 40 (25%); b 12 of 30 (40%)")


@pytest.mark.parametrize(
    ("counts", "warned"),
    [
        ({"a": (0, 40), "b": (30, 30)}, True),
        ({"a": (2, 40), "b": (28, 30)}, True),  # 4 of 30 errors less than without the centre: lambda 0.87
        ({"a": (8, 40), "b": (24, 30)}, False),  # lambda 0.53
        ({"a": (1, 40), "b": (2, 30)}, False),  # a rare outcome is no sign of the centre
        ({"a": (0, 40), "b": (0, 30)}, False),
    ],
)
def test_a_warning_where_centre_and_outcome_are_nearly_one(counts, warned):
    found = said(counts)
    assert (len(found) == 2) is warned
    if warned:
        assert "nearly one" in found[1] and "takes away most" in found[1]
        assert "keeps of the label" in said(counts, preserve_label=True)[1]


def test_a_status_of_three_levels_names_what_is_censored():
    levels = {"7": "Alive", "8": "Dead", "9": "Lost to follow-up"}
    assert in_words("8", levels) == "Dead; Alive and Lost to follow-up are censored"
    assert in_words("1", {"0": "Alive", "1": "Dead"}) == "Dead"
