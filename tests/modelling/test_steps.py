"""Selection steps: each against a hand calculation, scipy or scikit-learn, and on columns that break naive code."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.feature_selection import RFE, VarianceThreshold
from sklearn.linear_model import LogisticRegression

from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.modelling import RedundancyFilter, univariate_test
from her2radiomics.modelling.base import STEPS, SelectionStep, Training, selection_step
from her2radiomics.modelling.chain import FittedNumbers, fit_chain
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.settings import parse_models
from her2radiomics.report.references import library


def fitted(kind: str, X, y=None, training: Training | None = None, **settings):
    """A step of a kind, fitted."""
    return STEPS[kind](step=kind, **settings).fit(X, y, training or Training())


def read_twice(second: pd.DataFrame | None, first: pd.DataFrame | None = None) -> Training:
    return Training(second_reader=None if second is None else SecondReader(second), first_reader=first)


def frame(values, prefix: str = "f") -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(
        values,
        index=[f"P{i:02d}" for i in range(len(values))],
        columns=[f"{prefix}{i}" for i in range(values.shape[1])],
    )


def test_min_max_by_hand_without_clipping():
    training = frame([[2, 10, 5], [4, 30, 5], [6, 20, 5]])
    step = fitted("min_max", training)
    np.testing.assert_array_equal(step.transform(training), [[0, 0, 0], [0.5, 1, 0], [1, 0.5, 0]])
    np.testing.assert_array_equal(step.transform(frame([[0, 50, 7]])), [[-0.5, 2, 2]])
    assert step.scalings("f1") == ((10.0, 20.0),)
    assert step.note == "1 constant in training"


def test_z_score_by_hand():
    training = frame([[1, 0.1], [3, 0.1], [5, 0.1]])
    step = fitted("z_score", training)
    np.testing.assert_allclose(step.transform(training)["f0"], [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-15)
    np.testing.assert_allclose(step.transform(training)["f1"], 0, atol=1e-15)  # 0.1 has no exact mean
    assert step.scalings("f1")[0][1] == 1.0


def test_what_is_not_a_number_in_training_is_dropped_and_later_filled():
    training = frame([[1, np.nan, 3], [2, 5, np.inf], [9, 6, 4]])
    step = FittedNumbers.fit(training)
    assert step.names_out == ("f0",)
    assert step.notes() == ["2 features were not a number in training and were dropped"]
    assert step.note == "2 not a number for every training patient"
    later = step.transform(frame([[np.nan, 0, 0], [-np.inf, 0, 0], [7, 0, 0]]))
    assert later["f0"].tolist() == [2.0, 2.0, 7.0]
    nothing = FittedNumbers.fit(frame([[np.nan], [1.0]]))
    assert nothing.transform(frame([[1.0]])).shape == (1, 0)


def test_variance_is_scikit_learns():
    values = np.random.default_rng(0).normal(size=(30, 6)) * [0.1, 0.5, 1, 2, 0, 1e-9]
    step = fitted("variance", frame(values), threshold=0.2)
    support = VarianceThreshold(0.2).fit(values).get_support()
    assert step.names_out == tuple(f"f{i}" for i in np.flatnonzero(support))
    assert len(fitted("variance", frame(values)).names_out) == 5
    assert fitted("variance", frame(values), threshold=99).names_out == ()
    scaled = fitted("z_score", frame(values)).transform(frame(values))
    assert "removes nothing" in fitted("variance", scaled, threshold=0.1).note


@pytest.mark.parametrize("test", ["f_classif", "mann_whitney"])
def test_univariate_is_scipys(test):
    random = np.random.default_rng(1)
    values = np.round(random.normal(size=(40, 25)), 1)  # with ties
    labels = (random.random(40) < 0.4).astype(int)
    values[:, 7], values[:, 9] = 3.0, labels  # constant, and perfect
    statistic, p = univariate_test(values, labels, test)
    for column in set(range(25)) - {7, 9}:
        one, zero = values[labels == 1, column], values[labels == 0, column]
        expected = (
            stats.f_oneway(one, zero)
            if test == "f_classif"
            else stats.mannwhitneyu(one, zero, alternative="two-sided", method="asymptotic", use_continuity=True)
        )
        assert p[column] == pytest.approx(expected.pvalue, rel=1e-9)
    assert (statistic[7], p[7]) == (0.0, 1.0)
    assert p[9] == p.min() < 1e-6
    by_p = fitted("univariate", frame(values), labels, test=test, p=0.2)
    assert by_p.names_out == tuple(f"f{i}" for i in np.flatnonzero(p < 0.2))
    by_k = fitted("univariate", frame(values), labels, test=test, k=4)
    assert set(by_k.names_out) == {f"f{i}" for i in np.argsort(p, kind="stable")[:4]}


def test_redundancy_keeps_the_one_more_related_to_the_label():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    strong = np.array([0, 1, 0, 1, 3, 4, 3, 4.0])
    weak = strong + np.array([0, 0, 0, 2, -2, 0, 0, 0.0])  # correlated with strong, less with the label
    alone = np.array([1, -1, 1, -1, 1, -1, 1, -1.0])
    copy = strong.copy()
    values = frame(np.column_stack([weak, strong, alone, copy, np.ones(8)]))
    correlation = np.corrcoef(values.iloc[:, :3].to_numpy().T)
    assert abs(correlation[0, 1]) > 0.7 > abs(correlation[1, 2])
    step = RedundancyFilter("pearson", 0.7).fit(values, labels)
    assert step.names_out_ == ["f1", "f2"]  # of two copies the first column
    loose = RedundancyFilter("pearson", 1.0).fit(values, labels)
    assert loose.names_out_ == ["f0", "f1", "f2", "f3"]  # nothing exceeds 1; the constant goes
    monotone = frame(np.column_stack([strong, np.exp(strong)]))
    assert clone(RedundancyFilter("spearman", 0.99)).fit(monotone, labels).features_out_ == 1
    assert RedundancyFilter("pearson", 0.99).fit(monotone, labels).features_out_ == 2


def test_no_two_kept_features_are_redundant():
    random = np.random.default_rng(3)
    values = frame(random.normal(size=(50, 6)) @ random.normal(size=(6, 80)) + 0.5 * random.normal(size=(50, 80)))
    labels = (random.random(50) < 0.5).astype(int)
    kept = RedundancyFilter("pearson", 0.8).fit(values, labels)
    table = np.abs(np.corrcoef(kept.transform(values).to_numpy().T)) - np.eye(kept.features_out_)
    assert 1 < kept.features_out_ < 80
    assert table.max() <= 0.8
    # whatever was dropped is correlated with something kept that is at least as related to the label
    relation = np.abs([np.corrcoef(values[c], labels)[0, 1] for c in values])
    for place, name in enumerate(values.columns):
        if name not in kept.names_out_:
            r = np.abs([np.corrcoef(values[name], values[c])[0, 1] for c in kept.names_out_])
            better = np.array([relation[values.columns.get_loc(c)] for c in kept.names_out_]) >= relation[place]
            assert (r[better] > 0.8).any()


def test_recursive_elimination_is_scikit_learns():
    random = np.random.default_rng(4)
    values = frame(random.normal(size=(60, 10)) * [1, 1e3, 1e-3, *[1] * 7])
    labels = (values["f1"] / 1e3 + values["f4"] + random.normal(size=60) > 0).astype(int)
    step = fitted("recursive_elimination", values, labels, k=3)
    z = (values - values.mean()) / values.std(ddof=0)
    expected = RFE(LogisticRegression(C=1.0, tol=1e-8), n_features_to_select=3).fit(z, labels).support_
    assert step.names_out == tuple(f"f{i}" for i in np.flatnonzero(expected))
    assert {"f1", "f4"} <= set(step.names_out)
    assert len(fitted("recursive_elimination", values.assign(c=1.0), labels, k=20).names_out) == 10


# Shrout & Fleiss (1979), Table 2: six subjects, four judges; the paper prints ICC(2,1) = .29
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def icc_2_1_by_hand(ratings: np.ndarray) -> float:
    n, k = ratings.shape
    grand, rows, columns = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    between = k * ((rows - grand) ** 2).sum() / (n - 1)
    readers = n * ((columns - grand) ** 2).sum() / (k - 1)
    residual = ((ratings - rows[:, None] - columns + grand) ** 2).sum() / ((n - 1) * (k - 1))
    return (between - residual) / (between + (k - 1) * residual + k * (readers - residual) / n)


def two_readers(n: int = 24, p: int = 8, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(seed)
    first = frame(random.normal(size=(n, p)) * 10 + 100)
    second = first + random.normal(size=(n, p)) * np.linspace(0.1, 15, p) + np.linspace(0, 5, p)
    return first, second


def test_icc_filter_by_hand():
    first, second = two_readers()
    assert icc_2_1_by_hand(JUDGES) == pytest.approx(0.29, abs=0.005)
    step = fitted("icc_filter", first, None, read_twice(second.iloc[:12]))
    table = step.reproducibility
    by_hand = [icc_2_1_by_hand(np.column_stack([first[c][:12], second[c][:12]])) for c in first]
    np.testing.assert_allclose(table["icc"], by_hand, rtol=1e-9)
    assert table["kept"].tolist() == ["yes" if value >= 0.75 else "no" for value in by_hand]
    assert 0 < len(step.names_out) < 8
    assert list(step.names_out) == table.loc[table["kept"] == "yes", "feature"].tolist()
    assert (table["n"] == 12).all()
    assert (table["low"] < table["icc"]).all() and (table["icc"] < table["high"]).all()


def test_icc_after_min_max_is_icc_before():
    """A common shift and scale leaves the coefficient as it is, so the filter computes it on unscaled values."""
    first, second = two_readers()
    shift, scale = first.min(), first.max() - first.min()
    scaled = [(t - shift) / scale for t in (first, second)]
    raw = fitted("icc_filter", first, None, read_twice(second))
    after = fitted("icc_filter", scaled[0], None, read_twice(scaled[1]))
    inside = fitted("icc_filter", scaled[0], None, read_twice(second, first))
    np.testing.assert_allclose(after.reproducibility["icc"], raw.reproducibility["icc"], rtol=1e-9)
    assert inside.reproducibility.equals(raw.reproducibility)


def test_icc_filter_uses_only_the_patients_of_the_fit():
    first, second = two_readers()
    spoiled = second.copy()
    spoiled.iloc[12:] = 1e9
    fits = [fitted("icc_filter", first.iloc[:12], None, read_twice(t)) for t in (second, spoiled)]
    assert fits[0].reproducibility.equals(fits[1].reproducibility)
    drawn = first.iloc[[0, 0, 0, *range(1, 12)]]  # a bootstrap's copies make no pairs of their own
    again = fitted("icc_filter", drawn, None, read_twice(second))
    assert again.reproducibility.equals(fits[0].reproducibility)


@pytest.mark.parametrize(("second", "why"), [(None, "no second reader"), (9, "9 training patients read twice")])
def test_too_few_pairs_pass_all_as_not_assessed(second, why):
    first, other = two_readers()
    both = read_twice(None if second is None else other.iloc[:second])
    step = fitted("icc_filter", first, None, both)
    assert list(step.names_out) == list(first.columns)
    assert step.note == f"not assessed: {why}"
    assert set(step.reproducibility["kept"]) == {"not assessed"}


def test_icc_of_constant_and_missing_features():
    first, second = two_readers(p=4)
    first["f0"] = second["f0"] = 1.0
    second.loc[second.index[:5], "f1"] = np.nan
    second.loc[second.index[:20], "f2"] = np.nan
    step = fitted("icc_filter", first, None, read_twice(second), threshold=0.01)
    table = step.reproducibility.set_index("feature")
    assert table["n"].tolist() == [24, 19, 4, 24]
    assert table["kept"].tolist()[0::2] == ["no", "no"]  # no variation; too few pairs
    assert table.loc["f1", "icc"] == pytest.approx(
        icc_2_1_by_hand(np.column_stack([first["f1"][5:], second["f1"][5:]]))
    )


def test_the_second_readers_table_is_shared_by_clones_and_checked():
    first, second = two_readers()
    holder = SecondReader(second)
    assert clone(holder, safe=False) is holder
    with pytest.raises(TableError, match="P00"):
        SecondReader(pd.concat([second, second.iloc[:1]]))
    with pytest.raises(TableError, match="f3.*1 of 8 features absent"):
        fitted("icc_filter", first, None, read_twice(second.drop(columns="f3")))


def sequences_problem(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """T2FS carries the signal, DWI repeats it weakly, DCE2 is noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(60) % 2
    values = random.normal(size=(60, 12))
    values[:, :2] += 3 * labels[:, None]
    values[:, 4:8] = values[:, [0]] + 2.5 * random.normal(size=(60, 4))
    names = [f"{s}__tumour__f{i}" for s in ("T2FS", "DWI", "DCE2") for i in range(4)]
    return frame(values).set_axis(names, axis=1), labels


def steps_of(*settings: dict) -> tuple[SelectionStep, ...]:
    return parse_models({"m": {"kind": "radiomics", "steps": list(settings)}})["m"].steps


def test_forced_retention_restores_the_best_feature_of_a_dropped_sequence():
    X, y = sequences_problem()
    kept = fitted("lasso", X, y, rule="1se").names_out
    assert {name.split("__")[0] for name in kept} == {"T2FS"}
    inner = Training(inner=steps_of({"step": "lasso", "rule": "1se"}))
    step = fitted("forced_retention", X, y, inner)
    p = pd.Series(univariate_test(X.to_numpy(), y, "f_classif")[1], index=X.columns)
    best = [p[[c for c in X if c.startswith(s)]].idxmin() for s in ("DWI", "DCE2")]
    assert list(step.restored) == best
    assert list(step.names_out) == [c for c in X if c in {*kept, *best}]
    assert f"DWI: {best[0]}" in step.note
    rows = step.selection_rows("forced_retention")
    assert [(r["features_in"], r["features_out"]) for r in rows] == [(12, len(kept)), (len(kept), len(kept) + 2)]


def test_forced_retention_when_none_of_a_sequence_reached_the_lasso():
    X, y = sequences_problem()
    p = pd.Series(univariate_test(X.to_numpy(), y, "f_classif")[1], index=X.columns)
    dce = p[[c for c in X if c.startswith("DCE2")]]
    assert dce.min() > 0.01 > p[[c for c in X if c.startswith("T2FS")]].min()
    inner = steps_of({"step": "univariate", "p": 0.01}, {"step": "z_score"}, {"step": "lasso", "rule": "1se"})
    step = fitted("forced_retention", X, y, Training(sequences=("T2FS", "DCE2", "ADC"), inner=inner))
    assert step.restored == (dce.idxmin(),)
    assert "none reached the LASSO" in step.note
    assert "ADC: no feature left to restore" in step.note
    # it was dropped before the z-score, and is scaled all the same
    np.testing.assert_allclose(step.transform(X)[dce.idxmin()], stats.zscore(X[dce.idxmin()]), rtol=1e-12)


def chain(*steps, X, y):
    return fit_chain(steps_of(*steps), X, y, Training(seed=3))


LASSO = {"step": "lasso"}


@pytest.mark.parametrize(
    "steps",
    [
        [{"step": "min_max"}, {"step": "icc_filter"}, {"step": "univariate", "p": 0.05}, LASSO],
        [{"step": "z_score"}, {"step": "variance", "threshold": 0.1}, LASSO, {"step": "forced_retention"}],
        [{"step": "icc_filter"}, {"step": "univariate", "p": 0.2}, {"step": "z_score"}, LASSO,
         {"step": "forced_retention", "ranking": "mann_whitney"}, {"step": "min_max"}],
        [{"step": "redundancy", "threshold": 0.8}, {"step": "z_score"}, {"step": "recursive_elimination", "k": 3}],
        [{"step": "univariate", "test": "mann_whitney", "k": 5}, {"step": "min_max"}, {"step": "z_score"}],
    ],
)  # fmt: skip
def test_steps_in_any_order_name_and_count_their_features(steps):
    X, y = sequences_problem()
    X["DCE2__tumour__flat"] = 0.1  # constant
    X["DCE2__tumour__hole"] = np.where(np.arange(60) == 3, np.nan, 1.0)
    learned, left = chain(*steps, X=X, y=y)
    out = learned.transform(X)
    assert out.equals(left)
    assert list(out.columns) == list(learned.steps[-1][1].names_out)
    assert list(out.index) == list(X.index)
    assert np.isfinite(out.to_numpy()).all()
    rows = learned.selection_rows()
    assert rows[0]["features_in"] == 14 and rows[0]["features_out"] == 13
    assert all(a["features_out"] == b["features_in"] for a, b in itertools.pairwise(rows))
    assert rows[-1]["features_out"] == out.shape[1] > 0
    for name in out:  # the scalings recorded for the rule are what the pipeline does
        values = X[name].to_numpy()
        for shift, scale in learned.scalings(name):
            values = (values - shift) / scale
        np.testing.assert_array_equal(values, out[name])


@pytest.mark.parametrize("kind", ["min_max", "z_score"])
def test_a_chain_that_keeps_nothing_goes_on(kind):
    random = np.random.default_rng(0)
    X, y = frame(random.normal(size=(40, 5))), np.arange(40) % 2
    learned, left = chain(
        {"step": kind}, {"step": "univariate", "p": 1e-9}, {"step": "redundancy"}, {"step": "variance"}, LASSO,
        {"step": "forced_retention"}, {"step": "recursive_elimination", "k": 2}, {"step": kind},
        X=X, y=y,
    )  # fmt: skip
    assert left.shape == learned.transform(X).shape == (40, 0)
    assert learned.selection_rows()[-1]["features_out"] == 0


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"step": "forced_retention"}, LASSO], "needs a 'lasso' or 'elastic_net' step before it"),
        ([LASSO, {"step": "icc_filter"}, {"step": "forced_retention"}], "must come before the 'lasso'"),
        ([LASSO, LASSO], "2 times"),
        ([{"step": "univariate"}], "either 'p'"),
        ([{"step": "univariate", "p": 0.05, "k": 3}], "either 'p'"),
        ([{"step": "lasso", "flods": 3}], "flods"),
        ([LASSO, {"step": "elastic_net"}], "one of them is enough"),
        ([{"step": "mrmr"}], "mrmr.k' is missing"),
        ([{"step": "elastic_nett"}], "did you mean 'elastic_net'"),
        ([{"step": "stability_selection"}], "either 'q'"),
        ([{"step": "stability_selection", "q": 5, "treshold": 0.6}], "did you mean 'threshold'"),
        ([{"step": "combat", "unseen": "adapt", "preserve_label": True}], "labels of the centre .* are unknown"),
        ([{"step": "combat", "covariates": ["centre"]}], "it cannot be kept"),
        ([LASSO, {"step": "combat"}, {"step": "forced_retention"}], "'combat' must come before the 'lasso'"),
    ],
)
def test_impossible_chains_are_refused(steps, message):
    with pytest.raises(SettingsError, match=message):
        steps_of(*steps)


def test_every_step_has_words_and_known_references():
    """Whatever the folder of steps holds; what cannot be left out by mistake is checked when a step is registered."""
    assert len(STEPS) >= 13
    examples = {"univariate": {"k": 2}, "mrmr": {"k": 2}, "stability_selection": {"q": 2}}
    examples |= {"recursive_elimination": {"k": 2}}
    for name, settings in STEPS.items():
        step = settings(step=name, **examples.get(name, {}))
        text = step.sentence([])
        assert text and text[0] == text[0].lower() and not text.endswith(".")
        assert settings.__module__.endswith(f".steps.{name}")
        assert set(step.about.references) <= library().keys()
    assert not STEPS["icc_filter"].about.reduces and STEPS["lasso"].about.reduces


def test_a_step_without_words_is_refused_when_it_is_registered():
    class NamelessStep(SelectionStep):
        """A step."""

    class SilentStep(SelectionStep):
        """A step."""

        step: Literal["silent"]

    class LassoAgain(STEPS["lasso"]):
        """A step."""

    with pytest.raises(TypeError, match="NamelessStep has no field step"):
        selection_step(label="Nameless", role="reduction")(NamelessStep)
    with pytest.raises(TypeError, match="'silent' is without fit, sentence"):
        selection_step(label="Silent", role="reduction")(SilentStep)
    with pytest.raises(TypeError, match="'lasso' is that of .*steps.lasso already"):
        selection_step(label="LASSO", role="reduction")(LassoAgain)
    assert "silent" not in STEPS
