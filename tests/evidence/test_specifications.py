"""The specification curve: counts of the grid by hand, what a choice changes, and what is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from evidence.made_study import made_study
from evidence.test_controls import other_extractions

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.specifications import FEATURES, OWN, Specifications
from her2radiomics.evidence.choices import printed, values_of, with_value
from her2radiomics.evidence.drawing import write_figure
from her2radiomics.modelling.models.multivariate import BackwardSelection

# the made study has z_score, univariate (f_classif, p 0.2), lasso (5 folds, min) and a logistic regression (auto)
SMALL = {"scaling": ["z_score", "min_max"], "univariate.p": [0.1, 0.2, 0.3], "lasso.rule": ["min", "1se"]}


def summarised(analysis, study):
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_the_full_grid_is_the_product_of_the_choices():
    study, analysis = made_study(), Specifications(choices=SMALL)
    assert analysis.combinations(study) == 2 * 3 * 2
    grid = analysis.grid(study)
    assert len(grid) == 12 and grid[0] == {}
    assert grid[1:5] == [
        {"scaling": "min_max"},
        {"univariate.p": 0.1},
        {"univariate.p": 0.3},
        {"lasso.rule": "1se"},
    ]  # single changes first
    assert len({tuple(sorted(one.items())) for one in grid}) == 12


def test_the_usual_choices_of_the_made_study_by_hand():
    study = made_study()
    # scaling 2, univariate test 2, p 0.2 and three others 4, rule 2, folds 5 and 10: 2, retention off and on 2, method 2
    assert Specifications().combinations(study) == 2 * 2 * 4 * 2 * 2 * 2 * 2
    assert Specifications().repetitions(study) == 200


def test_a_thinned_grid_has_as_many_as_asked_and_is_the_same_by_the_seed():
    study, analysis = made_study(), Specifications(most=40)
    grid = analysis.grid(study)
    assert len(grid) == 40 == len({tuple(sorted(one.items())) for one in grid})
    assert sum(len(one) == 1 for one in grid) >= 9 and grid[0] == {}
    assert grid == Specifications(most=40).grid(made_study())
    assert grid != Specifications(most=40).grid(made_study(seed=2))


def test_a_choice_changes_its_setting_and_nothing_else():
    spec = made_study().about.models["radiomics"]
    assert values_of(spec, "lasso.folds") == [5] and values_of(spec, "icc_filter.form") == []
    changed = with_value(spec, "lasso.folds", 10)
    assert changed.steps[2].folds == 10 and changed.steps[:2] == spec.steps[:2]
    assert [step.about.name for step in with_value(spec, "scaling", "min_max").steps] == [
        "min_max",
        "univariate",
        "lasso",
    ]
    assert values_of(spec, "forced_retention") == [False]
    kept = with_value(spec, "forced_retention", True)
    assert [step.about.name for step in kept.steps][-1] == "forced_retention"
    assert with_value(kept, "forced_retention", False).steps == spec.steps
    assert with_value(spec, "estimator.method", "firth").estimator.method == "firth"
    assert with_value(spec, "icc_filter.form", "ICC1,1") is spec


def test_the_penalty_of_a_multivariate_model_and_of_an_estimator_are_choices():
    """Two rules and two folds of the selection among all predictors; of ridge its rule and its inner folds."""
    selection = {"by": "lasso", "family": "gaussian", "folds": 5, "rule": "min"}
    ridge = {"kind": "radiomics", "steps": [{"step": "z_score"}], "estimator": {"kind": "ridge"}}
    scores = {"kind": "multivariate", "of": ["radiomics"], "candidates": ["age"], "selection": selection}
    study = made_study(models={"radiomics": ridge, "scores": scores}, primary="scores", signal=1.0)
    options = Specifications().options(study)
    penalties = {"selection.rule": ("1se",), "selection.folds": (10,)}
    assert options == {
        "scaling": ("min_max",), "estimator.rule": ("1se",), "estimator.inner_folds": (5,), **penalties
    }  # fmt: skip
    spec = study.about.models["scores"]
    changed = with_value(spec, "selection.rule", "1se")
    assert changed.selection.rule == "1se" and changed.selection.folds == 5 and changed.of == spec.of
    assert with_value(study.about.models["radiomics"], "selection.rule", "1se") is study.about.models["radiomics"]
    analysis = Specifications(choices={"selection.rule": ["min", "1se"]})
    rows, _ = summarised(analysis, study)
    scored = rows[(rows["model"] == "scores") & (rows["partition"] == "training") & (rows["measure"] == "auc")]
    assert scored["arm"].tolist() == [OWN, "selection.rule = lambda.1se"]
    backward = with_value(
        spec.model_copy(update={"selection": BackwardSelection(by="backward")}), "selection.rule", "1se"
    )
    assert backward.selection.by == "backward"
    assert printed("selection.rule") == "LASSO of all predictors: rule"


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"scaling": ["z_score", "lasso"]}, "found 'lasso'; expected one of min_max, z_score"),
        ({"lasso.folds": [1]}, "lasso.folds"),
        ({"forced_retention": ["yes"]}, "expected true or false"),
    ],
)
def test_a_value_that_the_setting_cannot_have_is_refused_before_anything_runs(choices, what):
    with pytest.raises(SettingsError, match=what):
        Specifications(choices=choices).obstacle(made_study())


@pytest.mark.parametrize("signal", [2.0, 0.0])
def test_every_specification_is_one_repetition_and_none_is_picked(signal, tmp_path):
    study, analysis = made_study(signal=signal, primary="radiomics"), Specifications(choices=SMALL)
    rows, summary = summarised(analysis, study)
    tested = rows[(rows["partition"] == "testing") & (rows["measure"] == "auc") & (rows["model"] == "radiomics")]
    assert tested["arm"].nunique() == 12 and tested["arm"].iloc[0] == OWN
    assert tested["arm"].iloc[1] == "scaling = Min-max scaling"
    found = summary[summary["model"] == "radiomics"].drop_duplicates("measure").set_index("measure")
    values = tested["value"]
    assert found.loc["auc_range", ["value", "low", "high"]].tolist() == [values.median(), values.min(), values.max()]
    assert found.loc["above_chance", "value"] == (values > 0.5).mean()
    by_hand = ((values < values.iloc[0]).sum() + (values == values.iloc[0]).sum() / 2) / 12
    assert found.loc["percentile", "value"] == pytest.approx(by_hand)
    assert "all combinations" in found.loc["specifications", "method"]
    choice = summary[summary["arm"] == "lasso.rule = lambda.1se"].iloc[0]
    assert choice["value"] == tested.loc[tested["arm"].str.contains("lambda.1se"), "value"].median()
    first, *_ = analysis.findings(summary, study)
    assert (first.verdict == "holds") == (signal > 0)
    write_figure(analysis, rows, summary, study, tmp_path / "figure")
    assert (tmp_path / "figure.svg").stat().st_size > 5000


def test_features_extracted_by_another_choice_are_a_choice():
    study = made_study()
    object.__setattr__(study, "about", other_extractions(study.about, half_bins="specification", moved="control"))
    study = replace(study, other_features={"half_bins": study.features.iloc[:-1]})
    analysis = Specifications(choices={"lasso.rule": ["min", "1se"]}, most=20)
    assert analysis.others(study) == ["half_bins"]
    assert analysis.grid(study) == [
        {},
        {"lasso.rule": "1se"},
        {FEATURES: "half_bins"},
        {"lasso.rule": "1se", FEATURES: "half_bins"},
    ]
    rows = analysis.run(study, 0, 3)
    tested = rows[(rows["partition"] == "testing") & (rows["measure"] == "auc") & (rows["model"] == "radiomics")]
    assert tested["n"].tolist() == [30, 30, 29]


def test_what_is_missing_is_said():
    models = {"clinical": {"kind": "clinical", "candidates": ["age"], "keep": "all"}}
    assert "no step with a choice" in Specifications().obstacle(made_study(models=models, primary="clinical"))
    study = made_study()
    study.people["partition"] = "training"
    assert "no patient is held out" in Specifications().obstacle(study)
