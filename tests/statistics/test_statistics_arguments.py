"""Every public function answers a wrong argument with one ``ValueError`` that names it, or with a result."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from statistics_reference import cohort

from her2radiomics import statistics as st

DATA = cohort("small").head(24)
Y, X, P = DATA["label"].to_numpy(), DATA["score_a"].to_numpy(), 1 / (1 + np.exp(-DATA["score_b"].to_numpy()))
T, E, G = DATA["time"].to_numpy(), DATA["event"].to_numpy(), DATA["grade"].to_numpy()
TABLE = DATA[["score_a", "grade"]]
FEW = {"iterations": 3, "seed": 1}
MODEL, SMALL = st.logistic_regression(TABLE, Y), st.logistic_regression(TABLE[["score_a"]], Y)
ONE = DATA[["score_a", "age"]]
KM = st.kaplan_meier(T, E, G)

#: A right call of every public function and of the methods of results that take arguments.
CALLS: dict[str, tuple[Callable[..., Any], Mapping[str, Any]]] = {
    "potential_follow_up": (st.potential_follow_up, {"time": T, "event": E, "group": G, "level": 0.9}),
    "kappa": (
        st.kappa,
        {"first": G, "second": G[::-1], "levels": ["I", "II", "III"], "weights": "linear", "level": 0.9},
    ),
    "rank_correlation": (st.rank_correlation, {"x": X, "y": P, "level": 0.9}),
    "variance_inflation": (st.variance_inflation, {"table": TABLE, "levels": {"grade": ["I", "II", "III"]}}),
    "auc": (st.auc, {"labels": Y, "scores": X}),
    "auc_632_plus": (st.auc_632_plus, {"apparent": 0.9, "out_of_bag": 0.7}),
    "cross_validated_auc": (
        st.cross_validated_auc,
        {"labels": Y, "scores": X, "folds": np.arange(24) % 3, "level": 0.9},
    ),
    "c_statistic_error": (st.c_statistic_error, {"n": 50, "prevalence": 0.4, "c_statistic": 0.8}),
    "development_size": (
        st.development_size,
        {"parameters": 5, "prevalence": 0.4, "r2": 0.2, "target_shrinkage": 0.9, "margin": 0.05},
    ),
    "expected_shrinkage": (st.expected_shrinkage, {"n": 200, "parameters": 5, "r2": 0.2}),
    "r2_max": (st.r2_max, {"prevalence": 0.4}),
    "r2_of_c": (st.r2_of_c, {"c_statistic": 0.8, "prevalence": 0.4}),
    "selection_stability": (st.selection_stability, {"kept": [[1, 0, 0], [1, 1, 0]], "level": 0.9}),
    "validation_size": (
        st.validation_size,
        {"prevalence": 0.4, "c_statistic": 0.8, "mean": 0.0, "sd": 1.0, "width_observed_expected": 0.5}
        | {"width_slope": 0.4, "width_c": 0.2},
    ),
    "auc_interval": (st.auc_interval, {"labels": Y, "scores": X, "method": "bootstrap", "level": 0.9, **FEW}),
    "brier": (st.brier, {"labels": Y, "probabilities": P}),
    "brier_skill": (st.brier_skill, {"labels": Y, "probabilities": P}),
    "calibration": (st.calibration, {"labels": Y, "probabilities": P, "level": 0.9}),
    "calibration_curve": (
        st.calibration_curve,
        {
            "labels": Y,
            "probabilities": P,
            "refit": lambda rows: P,
            "bootstrap": 2,
            "seed": 1,
            "at": [0.3, 0.6],
            "level": 0.9,
        },
    ),
    "calibration_errors": (
        st.calibration_errors,
        {"labels": Y, "probabilities": P, "bootstrap": 2, "seed": 1, "level": 0.9},
    ),
    "compare_groups": (
        st.compare_groups,
        {
            "table": TABLE,
            "group": Y,
            "kinds": {"score_a": "skewed"},
            "levels": {"grade": ["I", "II", "III"]},
            "variances": "student",
            "yates": True,
            "normality_p": 0.1,
            "decimals": 1,
            "seed": 2,
        },
    ),
    "cox": (
        st.cox,
        {
            "table": TABLE,
            "time": T,
            "event": E,
            "levels": {"grade": ["I", "II", "III"]},
            "level": 0.9,
            "method": "ml",
            "ties": "breslow",
        },
    ),
    "decision_curve": (st.decision_curve, {"labels": Y, "probabilities": P, "thresholds": [0.2, 0.5]}),
    "delong_test": (st.delong_test, {"labels": Y, "scores_a": X, "scores_b": P, "level": 0.9}),
    "delong_test_unpaired": (
        st.delong_test_unpaired,
        {"labels_a": Y, "scores_a": X, "labels_b": Y[:20], "scores_b": P[:20], "level": 0.9},
    ),
    "holm": (st.holm, {"p_values": [0.1, np.nan, 0.02]}),
    "hosmer_lemeshow": (st.hosmer_lemeshow, {"labels": Y, "probabilities": P, "groups": 5, "fitted": False}),
    "icc": (st.icc, {"ratings": np.column_stack([X, P]), "form": "ICC3,1", "level": 0.9}),
    "icc_table": (st.icc_table, {"reader_1": ONE, "reader_2": ONE + 1, "form": "ICC1,1", "level": 0.9}),
    "integrated_discrimination": (
        st.integrated_discrimination,
        {"labels": Y, "probabilities_a": P, "probabilities_b": P**2, "level": 0.9},
    ),
    "kaplan_meier": (st.kaplan_meier, {"time": T, "event": E, "group": G, "level": 0.9, "event_level": 1}),
    "KaplanMeier.at": (KM.at, {"times": [1, 2]}),
    "KaplanMeier.at_risk": (KM.at_risk, {"times": [1, 2]}),
    "likelihood_ratio_test": (st.likelihood_ratio_test, {"smaller": SMALL, "larger": MODEL}),
    "logistic_refit": (
        st.logistic_refit,
        {"table": TABLE, "labels": Y, "levels": {"grade": ["I", "II", "III"]}, "method": "ml"},
    ),
    "logistic_regression": (
        st.logistic_regression,
        {"table": TABLE, "labels": Y, "method": "ml", "levels": {"grade": ["II", "I", "III"]}, "level": 0.9},
    ),
    "LogisticRegression.predict": (MODEL.predict, {"table": TABLE}),
    "LogisticRegression.test_without": (MODEL.test_without, {"variables": ["grade"]}),
    "LogisticRegression.variable_tests": (MODEL.variable_tests, {"test": "wald"}),
    "logrank": (st.logrank, {"time": T, "event": E, "group": G, "event_level": 1}),
    "net_benefit_difference": (
        st.net_benefit_difference,
        {"labels": Y, "probabilities_a": P, "probabilities_b": P**2, "thresholds": [0.3], "level": 0.9, **FEW},
    ),
    "net_reclassification": (
        st.net_reclassification,
        {"labels": Y, "probabilities_a": P, "probabilities_b": P**2, "cuts": [0.5], "level": 0.9},
    ),
    "nomogram": (st.nomogram, {"model": MODEL, "data": TABLE, "probabilities": [0.2], "max_points": 50.0, "ticks": 5}),
    "Nomogram.points": (st.nomogram(MODEL, TABLE).points, {"values": {"score_a": 1.0, "grade": "I"}}),
    "Nomogram.probability": (st.nomogram(MODEL, TABLE).probability, {"total": 50.0}),
    "Nomogram.total_for": (st.nomogram(MODEL, TABLE).total_for, {"probability": 0.5}),
    "observed_expected": (st.observed_expected, {"labels": Y, "probabilities": P, "level": 0.9}),
    "operating_point": (st.operating_point, {"labels": Y, "scores": X, "threshold": 0.1, "level": 0.9}),
    "OperatingPoint.value": (st.operating_point(Y, X, 0.1).value, {"rate": "ppv"}),
    "optimism_corrected": (
        st.optimism_corrected,
        {"labels": Y, "probabilities": P, "design": TABLE, "levels": {"grade": ["I", "II", "III"]}, **FEW},
    ),
    "optimism_corrected_auc": (st.optimism_corrected_auc, {"labels": Y, "scores": X, "refit": lambda rows: X, **FEW}),
    "precision_recall": (st.precision_recall, {"labels": Y, "scores": X, "level": 0.9}),
    "pretty": (st.pretty, {"low": 0.0, "high": 3.0, "n": 4}),
    "proportion_interval": (st.proportion_interval, {"successes": 3, "n": 10, "level": 0.9}),
    "remembered": (st.remembered, {"refit": lambda rows: P}),
    "separation_bound": (st.separation_bound, {"positives": 3, "negatives": 4, "level": 0.9}),
    "treatment_coding": (st.treatment_coding, {"table": TABLE, "levels": {"grade": ["I", "II", "III"]}}),
    "univariate_then_multivariate": (
        st.univariate_then_multivariate,
        {
            "table": TABLE,
            "labels": Y,
            "p_enter": 0.5,
            "keep": "backward",
            "p_keep": 0.5,
            "method": "auto",
            "test": "lr",
            "levels": {"grade": ["I", "II", "III"]},
            "level": 0.9,
        },
    ),
    "youden_threshold": (st.youden_threshold, {"labels": Y, "scores": X}),
}
WRONG: list[Any] = [
    None,
    "text",
    "",
    b"x",
    np.nan,
    np.inf,
    -np.inf,
    -1,
    0,
    1,
    2.5,
    1e300,
    True,
    [],
    {},
    (),
    [[]],
    [1],
    [0, 1],
    [[1, 2], [3]],
    ["a"] * 24,
    [np.nan] * 24,
    [None] * 24,
    [2] * 24,
    [0] * 24,
    [1e200] * 24,
    [-1.0] * 24,
    np.ones((24, 2)),
    object(),
    len,
    {"grade": "I"},
    {"grade": []},
    {"grade": ["I"]},
    {"z": ["I"]},
    {1: 2},
    lambda rows: "x",
    lambda rows: [2.0] * 24,
    pd.DataFrame(),
    pd.DataFrame({"x": [1.0]}),
    pd.DataFrame({"x": ["a"] * 24}),
    pd.DataFrame({"x": [[1]] * 24}),
    pd.DataFrame(np.zeros((24, 2)), columns=["x", "x"]),
    pd.DataFrame({"x": np.arange(24.0), "y": np.nan}),
    pd.DataFrame({"score_a": [1e400] * 24, "grade": "I"}),
    pd.Series(np.arange(24.0), index=range(5, 29)),
    pd.NaT,
    1 + 2j,
    [1j] * 24,
]


def test_every_public_function_is_tried() -> None:
    functions = {name for name in st.__all__ if inspect.isfunction(getattr(st, name))}
    assert functions == {name for name in CALLS if "." not in name}
    for name, (function, right) in CALLS.items():
        function(**right)
        parameters = inspect.signature(function).parameters
        assert set(right) <= set(parameters)
        either = {"refit", "design", "resamples", "iterations", "bootstrap", "levels", "clusters"} | (
            {"c_statistic"} if "r2" in right else set()
        )
        assert set(parameters) - set(right) <= either, name


PAIRS = [(name, argument) for name, (_, right) in CALLS.items() for argument in right]
PAIRS += [("calibration_curve", "resamples"), ("optimism_corrected", "resamples")]


@settings(max_examples=1500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(some.sampled_from(PAIRS), some.integers(0, len(WRONG) - 1))
@example(("calibration_curve", "resamples"), 0)
def test_a_wrong_argument_gives_one_value_error_that_names_an_argument(pair: tuple[str, str], place: int) -> None:
    name, argument = pair
    function, right = CALLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            function(**{**right, argument: WRONG[place]})
        except ValueError as error:
            first = re.match(r"\w+", str(error))
            known = set(inspect.signature(function).parameters)
            assert first and first.group() in known, f"{name}({argument}={WRONG[place]!r}): {error}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: st.operating_point(Y, X, np.nan), "threshold: found nan"),
        (lambda: st.net_reclassification(Y, P, P, cuts=[]), "cuts: found none"),
        (lambda: st.cox(pd.DataFrame(index=range(24)), T, E), "table: found no column"),
        (
            lambda: st.calibration_curve(Y, P, refit=lambda r: P, resamples=np.full((2, 24), 24)),
            "resamples: found rows 24",
        ),
        (
            lambda: st.calibration_curve(Y, P, refit=lambda r: P, resamples=np.full((2, 24), -1)),
            "resamples: found rows -1",
        ),
        (lambda: st.calibration_curve(Y, P, bootstrap=-5, seed=1), "bootstrap: found -5"),
        (lambda: MODEL.test_without(["z"]), "variables: found 'z'"),
        (lambda: st.holm([[0.1, 0.2], [0.3, 0.4]]), "p_values: found shape"),
        (
            lambda: st.icc_table(pd.DataFrame({"f": ["a", "b"]}), pd.DataFrame({"f": ["a", "b"]})),
            "reader_1, feature 'f': found 'a'",
        ),
        (lambda: st.compare_groups(pd.concat([ONE, ONE], axis=1), Y), "table, columns: found two that print as"),
        (lambda: st.logistic_regression(TABLE.head(3), Y), "table: found 3 rows, expected 24"),
    ],
)
def test_small_things(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
