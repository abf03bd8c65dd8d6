"""Kappa against published tables, variance inflation against car::vif, rank correlation, reverse Kaplan–Meier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2radiomics.statistics import icc, kappa, potential_follow_up, rank_correlation, variance_inflation


def readings(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """A table of counts (first reader's rows) as two lists of levels."""
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def test_kappa_of_fleiss_levin_and_paik():
    """Statistical Methods for Rates and Proportions, 3rd ed., Table 18.1: κ 0.68, SE under no agreement 0.076, z 8.9."""
    found = kappa(*readings([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert found.observed == pytest.approx(0.89)
    assert found.se == pytest.approx(0.088, abs=5e-4)
    assert found.p < 1e-15


def test_kappa_of_fleiss_cohen_and_everitt():
    """Psychological Bulletin 72 (1969) 323, 200 subjects: κ 0.429, SE 0.0537 (Kenny, Kashy & Cook 2006, Table 2.1)."""
    found = kappa(*readings([[106, 10, 4], [22, 28, 10], [2, 12, 6]]))
    assert found.value == pytest.approx(0.429, abs=5e-4)
    assert found.se == pytest.approx(0.0537, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.429 - 1.96 * 0.0537, 0.429 + 1.96 * 0.0537), abs=1e-3)


def test_linear_weights_by_hand():
    """κw = 1 − Σ w·observed / Σ w·expected: table [[20, 5], [10, 15]] of 50, weights 0 and 1: 1 − 0.30/0.50 = 0.40."""
    found = kappa(*readings([[20, 5], [10, 15]]), weights="linear")
    assert found.value == pytest.approx(0.40)
    assert kappa(*readings([[20, 5], [10, 15]])).value == pytest.approx(0.40)


def test_quadratic_kappa_is_the_intraclass_correlation_of_large_samples():
    """Fleiss & Cohen, Educ Psychol Meas 33 (1973) 613: 2·cov / (var₁ + var₂ + (difference of means)²), about ICC(2,1)."""
    table = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
    first, second = (np.array(values, dtype=float) for values in readings(table))
    found = kappa(first.tolist(), second.tolist(), weights="quadratic")
    moment = (
        2 * np.cov(first, second, ddof=0)[0, 1] / (first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    )
    assert found.value == pytest.approx(moment, abs=1e-12)
    assert found.value == pytest.approx(icc(np.column_stack([first, second]), "ICC2,1").value, abs=0.002)


def test_the_order_of_levels_is_that_given():
    """By hand, distances over the largest: 1 − 0.125/0.4375, and with high between low and mid 1 − 0.25/0.5."""
    first, second = ["low", "high", "mid", "low"], ["mid", "high", "mid", "low"]
    assert kappa(first, second, ["low", "mid", "high"], weights="linear").value == pytest.approx(1 - 0.125 / 0.4375)
    assert kappa(first, second, ["low", "high", "mid"], weights="linear").value == pytest.approx(0.5)


def test_nothing_to_agree_on_is_no_number():
    found = kappa(["a"] * 5, ["a"] * 5)
    assert np.isnan(found.value) and found.observed == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["a"]), "at least 2 subjects"),
        ((["a", "b"], ["a"]), "shapes"),
        ((["a", None], ["a", "b"]), "1 missing"),
        ((["a", "b"], ["a", "c"], ["a", "b"]), "found 'c'"),
    ],
)
def test_wrong_readings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        kappa(*arguments)


DUNCAN = {  # carData's Duncan (1961): income, education by type of 45 occupations
    "prof": [(62, 86), (72, 76), (75, 92), (55, 90), (64, 86), (21, 84), (64, 93), (80, 100), (72, 86), (42, 74), (76, 98),
             (76, 97), (41, 84), (48, 91), (53, 45), (60, 56), (42, 44), (78, 82)],
    "wc": [(67, 87), (76, 34), (29, 72), (48, 55), (55, 71), (29, 50)],
    "bc": [(21, 23), (47, 39), (81, 28), (36, 32), (22, 22), (44, 25), (15, 29), (7, 7), (42, 26), (9, 19), (21, 15),
           (21, 20), (16, 26), (16, 28), (9, 17), (14, 22), (12, 30), (17, 25), (7, 20), (34, 47), (8, 32)],
}  # fmt: skip


def test_variance_inflation_is_that_of_car():
    """car::vif(lm(prestige ~ income + education + type, data = Duncan)), as its help page prints it."""
    rows = [(*values, kind) for kind, items in DUNCAN.items() for values in items]
    table = pd.DataFrame(rows, columns=["income", "education", "type"])
    found = variance_inflation(table).set_index("variable")
    gvif = {"income": 2.209178, "education": 5.297584, "type": 5.098592}
    adjusted = {"income": 1.486330, "education": 2.301648, "type": 1.502666}
    assert found["gvif"].to_dict() == pytest.approx(gvif, abs=5e-7)
    assert found["adjusted"].to_dict() == pytest.approx(adjusted, abs=5e-7)
    assert found["df"].to_dict() == {"income": 1, "education": 1, "type": 2}


def test_variance_inflation_is_one_over_one_minus_r_squared():
    rng = np.random.default_rng(3)
    a = rng.normal(size=60)
    table = pd.DataFrame({"a": a, "b": a + rng.normal(size=60), "c": rng.normal(size=60)})
    design = np.column_stack([np.ones(60), table[["b", "c"]]])
    residual = a - design @ np.linalg.lstsq(design, a, rcond=None)[0]
    assert variance_inflation(table)["gvif"].iloc[0] == pytest.approx(a.var() / residual.var())
    table["d"] = table["a"] + table["b"]
    assert np.isinf(variance_inflation(table)["gvif"]).all()
    with pytest.raises(ValueError, match="at least two"):
        variance_inflation(table[["a"]])


def test_rank_correlation_by_hand():
    """ρ = 1 − 6 Σd²/(n(n² − 1)): ranks 1 2 3 4 5 against 2 1 4 3 5: Σd² = 4, ρ = 0.8; z ± 1.96·√(1.32/2)."""
    found = rank_correlation([1, 2, 3, 4, 5], [20, 10, 40, 30, 50])
    assert found.value == pytest.approx(0.8)
    half = 1.959964 * np.sqrt(1.32 / 2)
    ends = np.tanh(np.arctanh(0.8) - half), np.tanh(np.arctanh(0.8) + half)
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-6)
    assert np.isnan(rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]).value)
    with pytest.raises(ValueError, match="at least 4"):
        rank_correlation([1, 2], [1, 2])


def test_reverse_kaplan_meier_by_hand():
    """Times 5+ 8 10+ 12+ 15 (+ censored): 'events' are the censored ones; S is 4/5, 8/15, 4/15 at 5, 10, 12."""
    found = potential_follow_up([5, 8, 10, 12, 15], [0, 1, 0, 0, 1])
    curve = found.table.set_index("time")["survival"]
    assert curve.loc[[5.0, 10.0, 12.0]].tolist() == pytest.approx([0.8, 0.8 * 2 / 3, 0.8 / 3])
    assert found.medians["median"].iloc[0] == 12.0
