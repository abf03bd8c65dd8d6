"""Sample size of prediction models and stability of selection, against published values and hand calculations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from her2radiomics.statistics import (
    c_statistic_error,
    development_size,
    expected_shrinkage,
    r2_max,
    r2_of_c,
    selection_stability,
    validation_size,
)

ORACLE = json.loads((Path(__file__).parents[1] / "reference/statistics/sample_size.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", ORACLE["development"], ids=lambda item: str(list(item["call"].values())))
def test_development_against_published_examples(example):
    """Equal, but where the published R² is from a simulation."""
    size = development_size(**example["call"])
    for name, expected in example["found"].items():
        assert getattr(size, name) == pytest.approx(expected, rel=example.get("tolerance", 0)), name
    if "events_per_parameter" in example:
        assert size.events_per_parameter == pytest.approx(example["events_per_parameter"], abs=0.005)


@pytest.mark.parametrize("example", ORACLE["validation"], ids=lambda item: str(list(item["call"].values())))
def test_validation_against_published_examples(example):
    """Within 0.5%: the published slope is from a simulation, and O:E from a search in steps of 0.0001."""
    size = validation_size(**example["call"])
    for name, expected in example["found"].items():
        assert getattr(size, name) == pytest.approx(expected, rel=example["tolerance"]), name


def test_development_as_pmsampsize():
    """The worked example of Riley et al. 2020 (BMJ 368:m441) and of pmsampsize's help: 24 parameters, R² 0.288."""
    size = development_size(24, 0.174, r2=0.288)
    assert (size.shrinkage, size.optimism, size.risk, size.n) == (623, 662, 221, 662)
    assert size.events_per_parameter == pytest.approx(4.80, abs=0.005)
    assert size.r2_max == pytest.approx(0.603, abs=0.0005)


def test_shrinkage_at_the_needed_size_is_the_target():
    """623 patients are the fewest with an expected shrinkage of 0.9; the optimism-free R² is 0.288 / 0.9 there."""
    assert expected_shrinkage(623, 24, 0.288 / 0.9) >= 0.9 > expected_shrinkage(622, 24, 0.288 / 0.9)


def test_r2_from_the_c_statistic_against_simulation():
    """Riley et al. 2021 draw normal linear predictors and fit a logistic model; here a million are drawn likewise."""
    rng = np.random.default_rng(20261128)
    for c, prevalence in ((0.89, 0.174), (0.7, 0.43)):
        n, apart = 1_000_000, np.sqrt(2) * {0.89: 1.2265281, 0.7: 0.5244005}[c]  # normal quantiles of C
        event = rng.random(n) < prevalence
        score = np.log(prevalence / (1 - prevalence)) - apart**2 / 2 + apart * (rng.standard_normal(n) + apart * event)
        likelihood = -np.logaddexp(0, np.where(event, -score, score)).mean()
        share = event.mean()
        none = share * np.log(share) + (1 - share) * np.log(1 - share)
        assert r2_of_c(c, prevalence) == pytest.approx(1 - np.exp(-2 * (likelihood - none)), abs=0.002)
        assert r2_of_c(c, prevalence) < r2_max(prevalence)


def test_external_validation_as_riley_2021():
    """Their example: prevalence 0.018, C 0.8, linear predictor N(−5, 2.5): about 905, 4544 (simulated) and 4252."""
    size = validation_size(0.018, 0.8, mean=-5, sd=2.5, width_observed_expected=1)
    assert size.c_statistic == 4252
    assert size.slope == pytest.approx(4544, rel=0.005)
    assert size.observed_expected == pytest.approx(905, abs=2)
    assert size.n == size.slope


def test_error_of_the_c_statistic_by_hand():
    """Newcombe's formula at n = 50, prevalence 0.4, C 0.8: written out."""
    spread = 1 + 24 * 0.2 / 1.2 + 24 * 0.8 / 1.8
    assert c_statistic_error(50, 0.4, 0.8) == pytest.approx((0.8 * 0.2 * spread / (2500 * 0.24)) ** 0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: development_size(24, 0.174), "both or none"),
        (lambda: development_size(24, 0.174, r2=0.7), "less than 0.603"),
        (lambda: development_size(0, 0.2, r2=0.1), "parameters"),
        (lambda: development_size(5, 1.2, r2=0.1), "prevalence"),
        (lambda: validation_size(0.2, 0.5), "c_statistic"),
        (lambda: validation_size(0.2, 0.8, mean=1.0), "mean, sd"),
        (lambda: selection_stability([[1, 0]]), "at least 2 selections"),
        (lambda: selection_stability([[1, 2], [0, 1]]), "0 and 1"),
        (lambda: selection_stability([[0, 0], [0, 0]]), "no feature"),
    ],
)
def test_wrong_input_is_named(call, what: str):
    with pytest.raises(ValueError, match=what):
        call()


def test_stability_by_hand():
    """Three selections of two of four: kept shares 1, 2/3, 1/3, 0; 1 − (1/6) / (1/4)."""
    found = selection_stability([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]])
    assert found.value == pytest.approx(1 / 3, abs=1e-12)
    assert selection_stability([[1, 0, 1], [1, 0, 1]]).value == pytest.approx(1)


def test_stability_of_chance_is_zero_and_its_interval_covers():
    """Features kept independently: 0 in expectation (Nogueira et al., property 5); intervals cover the limit."""
    rng = np.random.default_rng(7)
    assert selection_stability(rng.random((2000, 50)) < 0.2).value == pytest.approx(0, abs=0.002)
    share = np.r_[np.full(10, 0.8), np.full(90, 0.05)]
    spread = (share * (1 - share)).mean()
    limit = 1 - spread / (share.mean() * (1 - share.mean()))
    found = [selection_stability(rng.random((100, 100)) < share) for _ in range(200)]
    assert np.mean([each.low <= limit <= each.high for each in found]) > 0.9
