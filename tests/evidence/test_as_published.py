"""As published beside leak-safe: equal orders are equal, what is fitted on all patients is, and a leak is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import MODELS, made_study

from her2radiomics.core.settings import load
from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.as_published import DIFFERENCE, PUBLISHED, SAFE, TWINS, AsPublished
from her2radiomics.evidence.drawing import write_figure
from her2radiomics.evidence.orders import differing, fit_as_published, orders
from her2radiomics.evidence.paired import drawn_again, mean_row
from her2radiomics.evidence.published import PublishedOrder
from her2radiomics.evidence.study import About, EvidenceStudy, probabilities
from her2radiomics.study.protocol import Protocol

Z, BEST = {"step": "z_score"}, {"step": "univariate", "test": "f_classif", "k": 3}
LASSO = {"step": "lasso", "folds": 5}
STUDIES = ("nat_response", "her2_equivocal", "her2_peritumoral", "her2_nomogram")


def radiomics(*steps, **settings):
    return {"radiomics": {"kind": "radiomics", "steps": list(steps), **settings}}


def order(on_all=(), on_training=(), **settings):
    return {"on_all": list(on_all), "on_training": list(on_training), "source": "made", **settings}


def everyone(study):
    return np.arange(len(study.table))


def summarised(analysis, study):
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_the_same_order_gives_the_same_predictions_to_the_bit():
    study = made_study(published={"radiomics": order(on_training=MODELS["radiomics"]["steps"])})
    safe = study.fit(study.rows("training"), models=["combined"])["combined"]
    published = fit_as_published(study, everyone(study), models=["combined"])["combined"]
    assert np.array_equal(probabilities(safe, study.table), probabilities(published, study.table))


def test_scale_and_choice_are_those_of_all_patients_and_the_regression_that_of_training():
    study = made_study(models=radiomics(Z, BEST), primary="radiomics", published={"radiomics": order([Z, BEST])})
    fit = fit_as_published(study, everyone(study), models=["radiomics"])["radiomics"]
    values = study.features.set_index("patient_id").drop(columns="reader")
    label = study.outcome
    # the three largest |t| over all 90 patients, by hand: with two groups F is the square of Student's t
    one, two = values[label == 0], values[label == 1]
    pooled = ((one.var() * (len(one) - 1) + two.var() * (len(two) - 1)) / (len(values) - 2)) ** 0.5
    t = ((one.mean() - two.mean()) / (pooled * (1 / len(one) + 1 / len(two)) ** 0.5)).abs()
    assert {predictor.name for predictor in fit.rule_.features()} == set(t.nlargest(3).index)
    for predictor in fit.rule_.features():
        ((shift, scale),) = predictor.scalings
        assert shift == pytest.approx(values[predictor.name].mean(), abs=1e-12)
        assert scale == pytest.approx(values[predictor.name].std(ddof=0), rel=1e-12)
    assert fit.n_ == 60


def test_a_set_that_was_collected_later_is_not_among_all_patients():
    study = made_study(
        models=radiomics(Z), primary="radiomics", published={"radiomics": order([Z], partitions=["training"])}
    )
    published = fit_as_published(study, everyone(study), models=["radiomics"])["radiomics"]
    safe = study.fit(study.rows("training"))["radiomics"]
    assert np.array_equal(probabilities(safe, study.table), probabilities(published, study.table))


def test_forced_retention_restores_features_on_the_scale_of_all_patients():
    steps = [Z, {"step": "univariate", "p": 1e-9}, LASSO, {"step": "forced_retention"}]
    study = made_study(
        signal=0, models=radiomics(*steps), primary="radiomics", published={"radiomics": order(steps[:1], steps[1:])}
    )
    fit = fit_as_published(study, everyone(study), models=["radiomics"])["radiomics"]
    safe = study.fit(study.rows("training"))["radiomics"]
    (published,), (own,) = fit.rule_.features(), safe.rule_.features()
    assert published.name == own.name  # the best of training in both
    ((shift, _),) = published.scalings
    assert shift == pytest.approx(study.table[published.name].mean(), abs=1e-12)
    ((shift, _),) = own.scalings
    assert shift == pytest.approx(study.table.iloc[study.rows("training")][own.name].mean(), abs=1e-12)


def test_a_clinical_model_is_screened_on_all_patients_and_fitted_on_training():
    models = {"clinical": {"kind": "clinical", "candidates": ["age", "status"], "p_enter": 0.05, "keep": "enter"}}
    published = {"clinical": order(choice_on_all=True)}
    study = made_study(models=models, primary="clinical", published=published)
    ages = study.people["partition"] == "testing"
    study.people.loc[ages, "age"] += 40 * study.people.loc[ages, "label"]  # age predicts among test patients alone
    safe = study.fit(study.rows("training"))["clinical"]
    fit = fit_as_published(study, everyone(study), models=["clinical"])["clinical"]
    assert [p.name for p in safe.rule_.predictors] == []
    assert [p.name for p in fit.rule_.predictors] == ["age"] and fit.n_ == 60


def test_what_passes_for_nobody_leaves_the_intercept():
    models = {"clinical": {"kind": "clinical", "candidates": ["status"], "p_enter": 1e-6}}
    study = made_study(models=models, primary="clinical", published={"clinical": order(choice_on_all=True)})
    fit = fit_as_published(study, everyone(study), models=["clinical"])["clinical"]
    assert fit.empty_ and probabilities(fit, study.table) == pytest.approx(np.full(90, study.outcome[:60].mean()))


@pytest.mark.parametrize("selection", [{"by": "lasso", "folds": 5}, {"by": "backward"}])
def test_a_multivariate_model_keeps_what_was_selected_on_all_patients(selection):
    models = {
        "joint": {
            "kind": "multivariate",
            "features": {"steps": [Z]},
            "candidates": ["age", "status"],
            "selection": selection,
        }
    }
    study = made_study(features=6, models=models, primary="joint", published={"joint": order([Z], choice_on_all=True)})
    whole = study.fit(everyone(study))["joint"]
    fit = fit_as_published(study, everyone(study), models=["joint"])["joint"]
    assert set(fit.fitted_.table.columns) == set(whole.fitted_.table.columns) and fit.n_ == 60
    assert len(fit.fitted_.table.columns) >= 2


@pytest.mark.parametrize("signal", [0.0, 2.0])
def test_selection_on_all_patients_is_found_on_the_null_twins(signal, tmp_path):
    study = made_study(
        n=75, features=300, signal=signal, models=radiomics(Z, BEST), primary="radiomics",
        published={"radiomics": order([Z, BEST])},
    )  # fmt: skip
    analysis = AsPublished(bootstrap=4, twins=20)
    assert not analysis.obstacle(study)
    rows, summary = summarised(analysis, study)
    tested = summary[summary["partition"] == "testing"].set_index(["measure", "arm"])
    null = tested.loc[(TWINS, "")]
    assert null["low"] > 0.02  # 300 noise features, the best 3 of all patients: the test set is better than chance
    assert abs(tested.loc[("auc_null", SAFE), "value"] - 0.5) < 0.06
    assert tested.loc[("auc_null", PUBLISHED), "value"] > 0.6
    twins = rows[(rows["measure"] == DIFFERENCE) & (rows["arm"] == "null twin") & (rows["partition"] == "testing")]
    assert null["value"] == pytest.approx(twins["value"].mean())
    first = rows[(rows["repetition"] == 0) & (rows["partition"] == "testing")].set_index(["measure", "arm"])["value"]
    assert first[(DIFFERENCE, "")] == pytest.approx(first[("auc", PUBLISHED)] - first[("auc", SAFE)])
    here, twin = analysis.findings(summary, study)
    assert twin.verdict == "does not hold"
    # one cohort of 25 test patients is too few to see it; a strong signal needs no leak
    assert here.verdict == {0.0: "cannot be told", 2.0: "holds"}[signal]
    write_figure(analysis, rows, summary, study, tmp_path / "figure")
    assert (tmp_path / "figure.svg").stat().st_size > 5000


def test_scaling_on_all_patients_alone_makes_nothing_of_nothing():
    study = made_study(models=radiomics(Z, BEST), primary="radiomics", published={"radiomics": order([Z], [BEST])})
    analysis = AsPublished(bootstrap=0, twins=20)
    _, summary = summarised(analysis, study)
    *_, twin = analysis.findings(summary, study)
    assert twin.verdict == "holds"
    tested = summary[(summary["partition"] == "testing") & (summary["measure"] == TWINS)].iloc[0]
    assert tested["value"] == 0  # logistic regression without penalty does not depend on the scale


def test_a_resample_keeps_outcomes_and_persons_within_each_set():
    study = made_study(n=61)
    twice = study.people["patient_id"].iloc[:2].tolist()
    study.about.persons.update(dict.fromkeys(twice, "Q1"))
    drawn = drawn_again(study, np.random.default_rng(3))
    partition = study.patients["partition"].to_numpy()
    for name in ("training", "testing"):
        own = drawn[partition[drawn] == name]
        rest = ~np.isin(own, [0, 1])
        assert np.unique(own).size < study.rows(name).size
        assert abs(own.size - study.rows(name).size) <= 2 and rest.any()
    counts = np.bincount(drawn, minlength=61)
    assert counts[0] == counts[1]  # one person's two rows
    assert (np.diff(drawn) >= 0).all()


def test_mean_and_its_interval_by_hand():
    row = mean_row("difference", [0.1, 0.2, 0.3, np.nan], what="twins")
    # mean 0.2, sd 0.1, n 3; t(2, 0.975) = 4.302653
    assert row["value"] == pytest.approx(0.2)
    assert row["high"] - 0.2 == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (order([{"step": "forced_retention"}]), "needs a 'lasso'"),
        (order([Z], [BEST], choice_on_all=True), "put all of them into 'on_all'"),
        (order([BEST, Z], [LASSO, {"step": "forced_retention"}]), "put the scaling first"),
    ],
)
def test_orders_that_cannot_run_are_refused(content, what):
    with pytest.raises(ValueError, match=what):
        PublishedOrder(**content)


def test_what_is_missing_is_said():
    analysis = AsPublished()
    assert "does not say in which order" in analysis.obstacle(made_study())
    same = made_study(published={"radiomics": order(on_training=MODELS["radiomics"]["steps"])})
    assert analysis.obstacle(same) == "nothing is fitted on all patients in the order as published."
    other = made_study(published={"radiomics": order([Z])})
    assert "the step Univariate test is not the same" in analysis.obstacle(other)
    more = made_study(models=radiomics(Z), primary="radiomics", published={"radiomics": order([Z, BEST])})
    assert differing(more, "radiomics") == "the order as published has a step more, Univariate test"
    untested = made_study(published={"radiomics": order([Z])})
    untested.people["partition"] = "training"
    assert "no patient is held out" in analysis.obstacle(untested)


@pytest.mark.parametrize("study", STUDIES)
def test_every_protocol_has_its_order_as_published_with_the_steps_of_its_models(study, root):
    protocol = load(Protocol, root / "workflow" / "studies" / f"{study}.yaml")
    about = About(
        models=protocol.models,
        columns=protocol.columns,
        primary=protocol.primary_model,
        partitions=protocol.partitions,
        seed=1,
        published=protocol.evidence.as_published,
    )
    facts = EvidenceStudy(about=about, people=pd.DataFrame(), features=pd.DataFrame())
    radiomic = {name for name, spec in protocol.models.items() if spec.block}
    assert radiomic <= set(protocol.evidence.as_published)
    assert orders(facts).keys() == protocol.evidence.as_published.keys()
    assert any(orders(facts)[name].learns_from_all for name in facts.imaging if name in orders(facts))
    assert all(len(order.source) > 60 for order in orders(facts).values())


def test_a_model_that_other_settings_leave_alone_is_fitted_once():
    study = made_study(published={"radiomics": order(MODELS["radiomics"]["steps"])})
    safe = study.fit(study.rows("training"), models=["combined", "clinical"])
    published = fit_as_published(study, everyone(study), models=["combined", "clinical"])
    assert published["clinical"] is safe["clinical"]  # the same settings, rows and labels
    assert published["combined"] is not safe["combined"]
    again = made_study(published={"radiomics": order(MODELS["radiomics"]["steps"])})
    alone = fit_as_published(again, everyone(again), models=["combined"])["combined"]
    assert np.array_equal(probabilities(alone, study.table), probabilities(published["combined"], study.table))
    permuted = 1 - study.outcome
    assert study.fit(study.rows("training"), permuted, models=["clinical"])["clinical"] is not safe["clinical"]


def test_a_loss_is_no_gain_and_a_handful_of_patients_tells_nothing():
    analysis = AsPublished()
    columns = {"model": "radiomics", "partition": "testing", "method": ""}

    def verdict(value, low, high, events):
        rows = [
            {"arm": "", "measure": DIFFERENCE, "value": value, "low": low, "high": high, "n": 40, "events": events},
            {"arm": PUBLISHED, "measure": "auc", "value": 0.5 + value, "n": 40, "events": events},
            {"arm": SAFE, "measure": "auc", "value": 0.5, "n": 40, "events": events},
        ]
        summary = assemble("evidence_analysis", [{**columns, **row} for row in rows])
        (found,) = analysis.findings(summary, made_study(primary="radiomics"))
        return found.verdict

    assert verdict(-0.2, -0.3, -0.1, 20) == "holds"
    assert verdict(0.2, 0.1, 0.3, 20) == "does not hold"
    assert verdict(0.2, -0.1, 0.5, 20) == "cannot be told"
    assert verdict(0.2, 0.1, 0.3, 4) == verdict(0.2, 0.1, 0.3, 36) == "cannot be told"
