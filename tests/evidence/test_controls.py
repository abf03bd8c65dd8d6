"""Negative controls: random features have the asked correlation, controls are found where they hold the signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses.controls import OWN, RANDOM, Controls
from her2radiomics.evidence.drawing import write_figure
from her2radiomics.evidence.extractions import Reextraction
from her2radiomics.evidence.others import on_other_features
from her2radiomics.evidence.sham import SHAPE, SIZE, WITHOUT, alone, controlled_models, on_random_features, size_column
from her2radiomics.evidence.study import About
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import auc

SIZED = "T1__tumour_volume__original_shape_VoxelVolume"
SHAPED = "T1__tumour_volume__original_shape_Sphericity"
MODELS = {
    "radiomics": {
        "kind": "radiomics",
        "steps": [{"step": "z_score"}, {"step": "univariate", "test": "f_classif", "k": 3}],
    }
}


def sized(size=0.0, signal=1.5, n=120, **settings):
    """A study whose features 5 and 6 are a volume and a sphericity; the volume shifts by ``size`` with the outcome."""
    study = made_study(n=n, signal=signal, models=MODELS, primary="radiomics", **settings)
    names = {"T1__tumour_volume__f05": SIZED, "T1__tumour_volume__f06": SHAPED}
    features = study.features.rename(columns=names)
    label = features["patient_id"].map(study.people.set_index("patient_id")["label"])
    features[SIZED] += size * label
    return replace(study, features=features)


def summarised(analysis, study):
    rows = analysis.run(study, 0, analysis.repetitions(study))
    return rows, assemble("evidence_analysis", list(analysis.summarise(rows, study)))


def test_random_features_have_the_correlation_mean_and_spread_of_training():
    study = made_study(n=90, features=4)
    names = [name for name in study.features.columns if name.startswith("T1")]
    mixed = study.features.copy()
    mixed[names[1]] = 0.8 * mixed[names[0]] + 0.6 * mixed[names[1]]
    mixed[names[2]] = 100 + 7 * mixed[names[2]]
    mixed.loc[0, names[3]] = np.nan  # not a number for a training patient: left as it is
    study = replace(study, features=mixed)
    training = study.table.iloc[study.rows("training")][names[:3]]
    random = np.random.default_rng(2)
    drawn = pd.concat([on_random_features(study, random).table[names] for _ in range(300)])
    # 300 × 90 rows: the standard error of a correlation is below 1 / sqrt(27000) = 0.006
    assert drawn[names[:3]].corr().to_numpy() == pytest.approx(training.corr().to_numpy(), abs=0.025)
    assert drawn[names[:3]].mean().to_numpy() == pytest.approx(training.mean().to_numpy(), abs=0.15)
    assert drawn[names[:3]].std().to_numpy() == pytest.approx(training.std().to_numpy(), rel=0.03)
    one = on_random_features(study, random).table
    pd.testing.assert_series_equal(one[names[3]], study.table[names[3]])


def test_readers_of_random_features_differ_as_they_do():
    study = made_study(n=60, features=5, second_reader=True)
    names = [name for name in study.features.columns if name.startswith("T1")]

    def differences(table):
        first, second = (table[table["reader"] == reader].set_index("patient_id")[names] for reader in ("1", "2"))
        return (second - first).to_numpy()

    made = on_random_features(study, np.random.default_rng(1)).features
    assert differences(made) == pytest.approx(differences(study.features), abs=1e-12)
    assert not np.allclose(made[names], study.features[names])


def test_size_is_a_feature_or_a_participants_column():
    study = sized()
    assert size_column(study, "radiomics", ("age",)) == SIZED
    other = made_study(models=MODELS, primary="radiomics")
    assert size_column(other, "radiomics", ("max_diameter", "age")) == "age"
    assert size_column(other, "radiomics", ()) == ""
    made = alone(other, "radiomics", ("age",))
    assert list(made) == [SIZE] and made[SIZE].candidates == ("age",)
    both = alone(sized(features=20), "radiomics", ())
    assert both[SIZE].only == (SIZED,) and both[SHAPE].only == (SHAPED, SIZED)
    assert both[SHAPE].steps == study.about.models["radiomics"].steps


@pytest.fixture(scope="module")
def analysis():
    return Controls(bootstrap=3, random=40, alpha=0.2)


def test_a_model_of_texture_is_better_than_its_controls(analysis, tmp_path):
    study = sized(signal=2.0)
    rows, summary = summarised(analysis, study)
    tested = summary[summary["partition"] == "testing"].set_index(["arm", "measure"])
    assert tested.loc[(OWN, "auc"), "value"] > 0.9
    for arm in (SIZE, SHAPE):
        found = tested.loc[(arm, "difference")]
        own, control = tested.loc[(OWN, "auc"), "value"], tested.loc[(arm, "auc"), "value"]
        assert found["value"] == pytest.approx(own - control) and found["low"] > 0
        assert tested.loc[(arm, "share_reached"), "value"] == pytest.approx((control - 0.5) / (own - 0.5))
    assert tested.loc[(RANDOM, "p"), "value"] == pytest.approx(1 / 41)  # none of 40 sets: (1 + 0) / (1 + 40)
    assert abs(tested.loc[(RANDOM, "auc"), "value"] - 0.5) < 0.08
    assert {finding.verdict for finding in analysis.findings(summary, study)} == {"holds"}
    write_figure(analysis, rows, summary, study, tmp_path / "figure")
    assert (tmp_path / "figure.svg").stat().st_size > 5000


def test_where_the_volume_holds_it_all_the_model_is_no_better(analysis):
    study = sized(size=3.0, signal=0.0)
    _, summary = summarised(analysis, study)
    verdicts = {
        finding.claim.split("better than ")[1]: finding.verdict for finding in analysis.findings(summary, study)
    }
    assert verdicts["size alone"] == "does not hold" and verdicts["shape alone"] == "does not hold"
    assert verdicts[RANDOM] == "holds"


def test_on_the_null_twin_nothing_is_better_than_random_features(analysis):
    study = sized(signal=0.0)
    _, summary = summarised(analysis, study)
    assert not any(finding.verdict == "holds" for finding in analysis.findings(summary, study))


def test_features_of_altered_images_are_a_control_with_the_patients_whom_they_have(analysis):
    study = sized(signal=2.0)
    shuffled = study.features.copy()
    names = [name for name in shuffled.columns if name.startswith("T1")]
    shuffled[names] = np.random.default_rng(8).normal(size=shuffled[names].shape)
    shuffled = shuffled[shuffled["patient_id"] != "P003"]
    study = replace(study, other_features={"shuffled_voxels": shuffled})
    object.__setattr__(
        study, "about", other_extractions(study.about, shuffled_voxels="control", wide_bins="specification")
    )
    assert analysis.others(study) == ["shuffled_voxels"]
    other = on_other_features(study, "shuffled_voxels")
    assert len(other.table) == 119 and "P003" not in other.table.index
    _, summary = summarised(Controls(bootstrap=0, random=20), study)
    found = summary[(summary["arm"] == "shuffled_voxels") & (summary["partition"] == "testing")].set_index("measure")
    assert found.loc["difference", "low"] > 0 and found.loc["auc", "n"] == 40


def other_extractions(about: About, **purposes):
    """Settings of a study with other extractions, by name and purpose."""
    made = {name: Reextraction(purpose=purpose) for name, purpose in purposes.items()}
    return about.model_copy(update={"others": made})


LASSO = {"by": "lasso", "family": "gaussian", "folds": 5, "rule": "min"}
ALL = {"kind": "multivariate", "features": {"steps": [{"step": "z_score"}]}, "candidates": ["age", "status"]}


def test_a_multivariate_model_keeps_its_other_predictors_in_its_controls():
    """Shape and the clinical predictors by hand; the texture of features 1 and 2 is in none of them."""
    study = sized(signal=2.0, features=12)
    models = parse_models({**MODELS, "all": {**ALL, "selection": LASSO}})
    about = study.about.model_copy(update={"models": models, "primary": "all"})
    study = replace(study, about=about)
    assert controlled_models(study) == ["all"]
    made = alone(study, "all", ())
    assert list(made) == [SIZE, SHAPE, WITHOUT]
    assert made[SHAPE].features.only == (SHAPED, SIZED) and made[SHAPE].candidates == ("age", "status")
    assert made[WITHOUT].features is None and made[WITHOUT].selection == models["all"].selection
    analysis = Controls(bootstrap=0, random=20)
    _, summary = summarised(analysis, study)
    tested = summary[summary["partition"] == "testing"].set_index(["arm", "measure"])
    alone_ = study.fit(study.rows("training"), models=["x"], specs={**models, "x": made[WITHOUT]})["x"]
    rows = study.rows("testing")
    by_hand = auc(study.outcome[rows], alone_.predict_proba(study.table.iloc[rows])[:, 1])
    assert tested.loc[(WITHOUT, "auc"), "value"] == pytest.approx(by_hand)
    for arm in (SIZE, SHAPE, WITHOUT):
        assert tested.loc[(arm, "difference"), "low"] > 0
    assert tested.loc[(RANDOM, "p"), "value"] == pytest.approx(1 / 21)
    assert "clinical predictors of all stay in these controls" in analysis.method(study)


def test_a_model_of_rad_scores_has_no_control_of_shape_and_the_page_says_so():
    scores = {"kind": "multivariate", "of": ["radiomics"], "candidates": ["age"], "selection": LASSO}
    study = made_study(n=120, signal=2.0, models={**MODELS, "scores": scores}, primary="scores")
    assert controlled_models(study) == ["radiomics", "scores"]
    assert list(alone(study, "scores", ())) == [WITHOUT]
    assert "scores selects among Rad-scores, so that it has no control of shape." in Controls().method(study)
    _, summary = summarised(Controls(bootstrap=0, random=20), study)
    found = summary[(summary["model"] == "scores") & (summary["partition"] == "testing")].set_index(["arm", "measure"])
    assert found.loc[(WITHOUT, "difference"), "low"] > 0 and found.loc[(RANDOM, "p"), "value"] < 0.2


def test_a_study_without_a_model_of_images_says_so():
    models = {"clinical": {"kind": "clinical", "candidates": ["age"], "keep": "all"}}
    study = made_study(models=models, primary="clinical")
    assert controlled_models(study) == []
    assert Controls().obstacle(study) == "the study has no model that selects image features or Rad-scores."
    study.people["partition"] = "training"
    assert "no patient is held out" in Controls().obstacle(study)
