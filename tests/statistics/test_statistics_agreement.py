"""Intraclass correlation against psych::ICC (lmer = FALSE)."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from statistics_reference import COHORTS, R, cohort

from her2radiomics.statistics import icc, icc_table

FORMS = {"ICC1,1": "ICC1", "ICC2,1": "ICC2", "ICC3,1": "ICC3"}


@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("readers", ["two", "three"])
def test_icc_equals_psych(name: str, form: str, readers: str) -> None:
    columns = ["score_a", "reader_2", "reader_3"][: 2 if readers == "two" else 3]
    result = icc(cohort(name)[columns].to_numpy(), form)
    expected = R["icc"][name][readers][FORMS[form]]
    assert (result.value, result.low, result.high) == pytest.approx(expected, abs=1e-9)
    assert result.n == len(cohort(name))


def test_icc_of_shrout_and_fleiss() -> None:
    """Table 2 of Shrout & Fleiss (1979): 0.17, 0.29, 0.71."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    values = [round(icc(ratings, form).value, 2) for form in FORMS]
    assert values == [0.17, 0.29, 0.71]


@pytest.mark.parametrize("form", FORMS)
def test_table_equals_one_by_one_and_is_fast(form: str) -> None:
    """3375 features of 60 patients, the largest table of the studies, in under 0.2 s."""
    u = np.abs(np.sin(12.9898 * np.arange(1, 60 * 3375 + 1)) * 43758.5453) % 1
    first = pd.DataFrame(u.reshape(60, 3375)).add_prefix("f")
    second = 0.7 * first + 0.3 * first.shift(7, axis=1).fillna(0.5)
    first["f5"] = second["f5"] = 3.0  # one constant for both readers
    second["f6"] = first["f6"]  # perfect agreement
    spent = []
    for _ in range(3):  # the fastest of three: the machine may be busy
        start = time.perf_counter()
        table = icc_table(first, second, form)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.2
    assert table["feature"].tolist() == first.columns.tolist()
    assert (table.loc[5, "note"], table["icc"].isna().sum()) == ("constant", 1)
    assert table.loc[6, ["icc", "low", "high"]].tolist() == [1.0, 1.0, 1.0]
    for column in ("f0", "f100", "f3374"):
        one = icc(np.column_stack([first[column], second[column]]), form)
        row = table.set_index("feature").loc[column]
        assert (row["icc"], row["low"], row["high"]) == pytest.approx((one.value, one.low, one.high), abs=1e-12)


def test_large_offset_does_not_spoil_the_icc() -> None:
    """Agreement of energies around 1e12 with spread 1 equals that of the same values around 0."""
    ratings = np.round(cohort("small")[["score_a", "reader_2"]].to_numpy() * 1024) / 1024
    assert icc(ratings + 2.0**40).value == pytest.approx(icc(ratings).value, abs=1e-12)


def test_bad_ratings_are_named() -> None:
    table = cohort("small")[["score_a", "score_b"]]
    other = table.copy()
    other.loc[4, "score_b"] = np.nan
    with pytest.raises(ValueError, match="feature 'score_b', subject 4, reader 2"):
        icc_table(table, other)
    with pytest.raises(ValueError, match="features differ"):
        icc_table(table, table[["score_b", "score_a"]])
    with pytest.raises(ValueError, match="subjects differ"):
        icc_table(table, table.iloc[1:])
    with pytest.raises(ValueError, match="one value throughout"):
        icc(np.ones((5, 2)))
    with pytest.raises(ValueError, match="at least 2 subjects"):
        icc([[1, 2]])
