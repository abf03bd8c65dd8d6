"""A combined model takes over the fits of its parts: from their files, on the same rows alone, to the last bit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from model_cohort import COLUMNS
from model_cohort import cohort as made

from her2radiomics.cohort.readers import Readers
from her2radiomics.core.errors import StudyError
from her2radiomics.engine.jobs.modelling import read_refits, unfitted, write_refits
from her2radiomics.evaluation.performance import EvaluationSettings
from her2radiomics.evaluation.validation import resample, with_observed
from her2radiomics.modelling import build_model, to_dict
from her2radiomics.modelling.models.clinical import ClinicalSpec
from her2radiomics.modelling.models.radiomics import RadiomicsSpec
from her2radiomics.modelling.parts import SharedFits, fitted_on
from her2radiomics.modelling.settings import parse_models

SETTINGS = EvaluationSettings(calibration_bootstrap=5, pipeline_bootstrap=2)
STEPS = [{"step": "z_score"}, {"step": "univariate", "k": 4}]
LASSO = {"by": "lasso", "folds": 3, "n_lambdas": 10}
CLINICAL = {"kind": "clinical", "candidates": ["ki67", "age", "stage"], "p_enter": 0.5}


def models(missing: str = "impute", estimator: str = "logistic") -> dict:
    return {
        "radiomics": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": estimator, "folds": 3}},
        "clinical": {**CLINICAL, "missing": missing, "folds": 3},
        "both": {"kind": "combined", "of": ["radiomics", "clinical"], "folds": 3},
        "all": {
            "kind": "multivariate",
            "of": ["radiomics"],
            "candidates": ["age", "ki67"],
            "selection": LASSO,
            "folds": 3,
        },
    }


@pytest.fixture(scope="module")
def data():
    features, _, clinical, labels = made(n=80, per_sequence=10, seed=3)
    X = pd.concat([features, clinical], axis=1)
    X.loc[X.index[:6], "age"] = np.nan
    return X, pd.Series(labels, index=X.index)


def trained(name, content, data, folder=None):
    """What a training job leaves of a model: with a folder as the workflow does, from the files of its parts."""
    X, y = data
    specs = parse_models(content)
    if folder is None:
        model = build_model(name, specs, COLUMNS, seed=2)
    else:
        files = [folder / f"{part}.json" for part in specs[name].parts()]
        model = unfitted(name, content, COLUMNS, X.reset_index(names="patient_id"), Readers(), 2, files)
    model.fit(X, y)
    fits = SharedFits()
    fits.keep(model.fitted_.part(), X.index, y, report=True)
    tables = resample(model, X, y, SETTINGS, seed=5, keep=fits)
    if folder is not None:
        write_refits(folder / f"{name}.json", tables["calibration"], fits)
    report = model.fit_report()
    tables |= {"selection": report.selection, "coefficients": report.coefficients}
    if "missing" in report.tables:
        tables["missing"] = report.tables["missing"]
    content = to_dict(model, centres=["1"], extraction=None, simulated=True) | {"notes": report.notes}
    return json.dumps(content), {key: table.to_csv(index=False) for key, table in tables.items()}


@pytest.mark.parametrize(
    ("missing", "estimator"), [("impute", "logistic"), ("complete_case", "logistic"), ("impute", "random_forest")]
)
def test_the_files_of_the_parts_change_no_bit(data, tmp_path, missing, estimator):
    content = models(missing, estimator)
    if estimator == "random_forest":
        content["radiomics"]["estimator"]["trees"] = 12
    for name in content:
        assert trained(name, content, data, tmp_path) == trained(name, content, data)


def test_a_part_is_fitted_once_on_every_set_of_rows(data, tmp_path, monkeypatch):
    content = models()
    for name in ("radiomics", "clinical"):
        trained(name, content, data, tmp_path)
    expected = trained("both", content, data)

    def refused(self, *arguments):
        raise AssertionError("a part was fitted again")

    for kind in (RadiomicsSpec, ClinicalSpec):
        monkeypatch.setattr(kind, "fit", refused)
    assert trained("both", content, data, tmp_path) == expected


def test_fits_are_those_of_the_same_rows_and_labels(data):
    X, y = data
    model = build_model("radiomics", parse_models(models()), COLUMNS, seed=2).fit(X, y)
    fits = SharedFits()
    fits.keep(model.fitted_.part(), X.index, y)
    order = np.random.default_rng(0).permutation(len(X))
    assert fits.find("radiomics", X.index[order], y.to_numpy()[order]) is not None
    assert fits.find("clinical", X.index, y) is None
    assert fits.find("radiomics", X.index, y.to_numpy()[order]) is None
    assert fits.find("radiomics", X.index[1:], y[1:]) is None
    twice = [*range(len(X)), 0]
    assert fits.find("radiomics", X.index[twice], y.to_numpy()[twice]) is None
    assert fitted_on(["a", "b"], [0, 1]) != fitted_on(["a", "b"], [1, 0])


def test_observed_curves_stand_between_the_training_curves(data):
    X, y = data
    model = build_model("radiomics", parse_models(models()), COLUMNS, seed=2).fit(X, y)
    training = resample(model, X, y, SETTINGS, seed=5)["calibration"]
    frame = {"patient_id": X.index, "label": y, "probability": model.predict_proba(X)[:, 1]}
    predictions = pd.concat(
        [
            pd.DataFrame({**frame, "partition": "training"}),
            pd.DataFrame({**frame, "partition": "testing"}).assign(patient_id=[f"T{i}" for i in range(len(X))]),
        ]
    )
    whole = with_observed(training, predictions, SETTINGS, seed=5)
    assert list(dict.fromkeys(zip(whole["partition"], whole["curve"], strict=True))) == [
        ("training", "apparent"),
        ("training", "bias_corrected"),
        ("testing", "observed"),
        ("training", "pipeline_corrected"),
    ]
    assert whole[whole["partition"] == "training"].reset_index(drop=True).equals(training)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"fits": {}}'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "refits.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"refits.json: found no refits of a model .* Train the model again"):
        read_refits(path)
