"""The calculator: its numbers are those of ``predict``, in a browser, for every kind of model that can have one."""

from __future__ import annotations

import os
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
from model_cohort import COLUMNS, cohort
from prediction_browser import CHROMIUM, moved

from her2radiomics.core.errors import StudyError
from her2radiomics.modelling import build_model, from_dict, to_dict
from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.about import About
from her2radiomics.modelling.settings import parse_models
from her2radiomics.prediction.calculator import calculator_of, calculator_page
from her2radiomics.prediction.predicting import model_card, predict_patients

STEPS = [{"step": "z_score"}, {"step": "univariate", "k": 4}]
COMBAT = [{"step": "combat", "batch": "centre"}, *STEPS]
CONTENT = {
    "radiomics": {"kind": "radiomics", "steps": STEPS},
    "min_max": {"kind": "radiomics", "steps": [{"step": "min_max"}, {"step": "univariate", "k": 3}]},
    "ridge": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "ridge", "n_lambdas": 15}},
    "elastic_net": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "elastic_net_logistic"}},
    "linear_svm": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "linear_svm"}},
    "many": {"kind": "radiomics", "steps": [{"step": "z_score"}, {"step": "univariate", "k": 17}]},
    "random_forest": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "random_forest", "trees": 15}},
    "harmonised": {"kind": "radiomics", "steps": COMBAT},
    "clinical": {"kind": "clinical", "candidates": ["age", "ki67", "stage", "tic"], "keep": "all"},
    "complete": {"kind": "clinical", "candidates": ["age", "ki67"], "keep": "all", "missing": "complete_case"},
    "nothing": {"kind": "clinical", "candidates": ["tic"], "p_enter": 1e-9},
    "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"]},
    "of_forest": {"kind": "combined", "of": ["random_forest", "clinical"]},
    "multivariate": {
        "kind": "multivariate",
        "features": {"steps": STEPS},
        "candidates": ["age", "ki67", "stage", "tic"],
        "selection": {"by": "lasso", "folds": 5},
    },
}
REFUSED = {"random_forest": "random forest", "harmonised": "ComBat"}
N = 80
ABOUT = About(
    study="A study", question="A question?", label="The model", positive="HER2-positive", negative="HER2-negative",
    outcome="By pathology", prediction_at="before treatment", inclusion=["Invasive cancer"], cohort="A cohort",
    centres={"1": "Centre A"}, models={"radiomics": "Radiomics", "random_forest": "Forest"},
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    features, _, clinical, labels = cohort(n=110, per_sequence=12, seed=6)
    centre = pd.Series(np.where(np.arange(110) % 2, "1", "2"), index=features.index, name="centre")
    return pd.concat([features, clinical.round({"age": 1}), centre], axis=1), labels


@pytest.fixture(scope="module")
def models(data):
    X, labels = data
    specs, found = parse_models(CONTENT), {}
    for name in CONTENT:
        fitted = build_model(name, specs, COLUMNS, seed=6).fit(X[:N], labels[:N])
        found[name] = from_dict(to_dict(fitted, centres=["1"], extraction=None, simulated=False, about=ABOUT))
    return found


def controls(model, patient, row, *, file: str = "") -> dict:
    """What a reader enters for a patient; a score by value, or from a dropped file."""
    entered = {"file": file} if file else {}
    for place, predictor in enumerate(model.rule.predictors):
        if isinstance(predictor, r.LevelPredictor):
            entered[f"p{place}"] = row[predictor.name]
        elif isinstance(predictor, r.ScorePredictor):
            if not file:
                entered[f"p{place}"] = repr(float(predictor.rule.score(patient)[0]))
        elif not (file and isinstance(predictor, r.FeaturePredictor)):
            entered[f"p{place}"] = repr(float(row[predictor.name]))
    return entered


def predicted(model, X):
    people = (
        X[[*COLUMNS, "centre"]].assign(ki67=np.where(X["ki67"] == "high", "35", "12")).reset_index(names="patient_id")
    )
    features = X.drop(columns=[*COLUMNS, "centre"]).reset_index(names="patient_id")
    return predict_patients(model, features, people.astype(str), model_card(model, "0" * 64))


def same(shown, told) -> None:
    """A page's numbers are those of ``predict``."""
    assert shown["missing"] == ""
    assert float(shown["probability"]) == pytest.approx(told.probability, abs=1e-9)
    assert float(shown["score"]) == pytest.approx(told.score, abs=1e-9)
    assert int(shown["class"]) == told.predicted_class
    if told.interval is None:
        assert not shown["interval"]
    else:
        bounds = [float(text) for text in shown["interval"].split()]
        assert bounds == pytest.approx([told.interval.low, told.interval.high], abs=1e-9)
    if told.total_points is None:
        assert not shown["total"]
    else:
        assert float(shown["total"]) == pytest.approx(told.total_points, abs=1e-9)
        points = [value.points for value in told.values if value.points is not None]
        assert [float(text) for text in shown["points"] if text] == pytest.approx(points, abs=1e-9)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_the_page_computes_what_predict_computes(models, data, tmp_path):
    """Six patients whom no model saw, one of them far outside, through the controls of every model's page."""
    X = data[0][N : N + 6].copy()
    X.loc[X.index[0], "age"] = 99.5
    wanted = {}
    for name, model in models.items():
        if name not in REFUSED:
            wanted[name] = [controls(model, X.loc[[who]], X.loc[who]) for who in X.index]
    pages = {name: calculator_of(models[name]) for name in wanted}
    shown = moved(pages, wanted, {}, tmp_path)
    for name, page in shown.items():
        told = predicted(models[name], X)
        assert page["loaded"] == [] and page["wide"] <= 0, name
        for one, patient in zip(page["results"], told, strict=True):
            assert patient.status == "predicted", patient.reason
            same(one, patient.prediction)
            beyond = [text for text in one["warnings"] if "outside the range" in text and "score" not in text]
            assert len(beyond) == len(
                [b for b in patient.prediction.outside if _has_control(models[name], b.predictor)]
            )
    assert any("Age 99.5 lies outside" in text for text in shown["nomogram"]["results"][0]["warnings"])


def _has_control(model, name) -> bool:
    return name in {predictor.name for predictor in model.rule.predictors}


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_features_from_a_dropped_file_give_the_score(models, data, tmp_path):
    """A table of features as this software writes it, and PyRadiomics' own names of one sequence at a time."""
    X = data[0][N : N + 3]
    files = {who: X.loc[[who]].drop(columns=[*COLUMNS, "centre"]).to_csv(index_label="patient_id") for who in X.index}
    wanted = {
        name: [controls(models[name], X.loc[[who]], X.loc[who], file=who) for who in X.index]
        for name in ("radiomics", "many", "nomogram", "multivariate")
    }
    # the same values under the names of PyRadiomics: a file of all patients for each sequence, named wrongly at first
    groups = sorted({"__".join(f.name.split("__")[:2]) for f in models["nomogram"].rule.features()})
    for group in groups:
        own = X[[name for name in X.columns if name.startswith(f"{group}__")]]
        files[group] = own.rename(columns=lambda name: name.split("__")[2]).to_csv(index_label="Image")
    assert len(groups) > 1
    for place, entered in enumerate(wanted["nomogram"]):
        bare = {}
        for number, group in enumerate(groups):
            bare |= {f"file{number}": group}
            for n, chosen in enumerate((groups[0], group)):
                bare |= {f"{'group' + ' ' * (2 * number + n)}": chosen}
            bare |= {"row" + " " * number: str(place)}
        wanted["nomogram"][place] = bare | {key: value for key, value in entered.items() if key != "file"}
    shown = moved({name: calculator_of(models[name]) for name in wanted}, wanted, files, tmp_path)
    for name, page in shown.items():
        for one, patient in zip(page["results"], predicted(models[name], X), strict=True):
            same(one, patient.prediction)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_what_is_not_entered_is_asked_for_and_what_is_not_known_is_filled(models, data, tmp_path):
    X = data[0][N : N + 1]
    row = X.iloc[0]
    told = controls(models["clinical"], X, row)
    place = next(n for n, p in enumerate(models["clinical"].rule.predictors) if p.name == "age")
    without = {key: value for key, value in told.items() if key != f"p{place}"}
    wanted = {"clinical": [without, without | {f"p{place}-unknown": True}]}
    first, second = moved({"clinical": calculator_of(models["clinical"])}, wanted, {}, tmp_path)["clinical"]["results"]
    assert first["missing"] == "Still to enter: Age" and not first["probability"]
    X = X.astype({"age": object})
    X["age"] = ""
    (patient,) = predicted(models["clinical"], X)
    same(second, patient.prediction)
    assert [value.filled for value in patient.prediction.values if value.predictor == "age"] == [True]
    assert "Age: not known, filled from training" in second["warnings"]


@pytest.mark.parametrize("name", REFUSED)
def test_kinds_without_a_calculator_are_refused_by_name(models, name):
    with pytest.raises(StudyError, match=f"model '{name}'.*{REFUSED[name]}"):
        calculator_of(models[name])
    page = calculator_page(models[name])
    assert "No calculator" in page and REFUSED[name] in page and "script-src 'none'" in page


def test_the_page_is_the_same_bytes_allows_no_other_script_and_escapes_texts(models):
    hostile = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    content = dict(models["nomogram"].content)
    content["about"] = ABOUT.model_copy(update={"label": hostile, "positive": hostile}).model_dump()
    content["columns"] = {name: column | {"label": hostile} for name, column in content["columns"].items()}
    page = calculator_page(from_dict(content))
    assert page == calculator_page(from_dict(content))
    assert page.count("<script") == 2 and "<img" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'") and re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)
    for never in ("http://", "https://", "url("):
        assert never not in page.replace("http-equiv", "")


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_the_page_prints_on_one_sheet(models, tmp_path):
    (tmp_path / "page.html").write_text(calculator_of(models["nomogram"]), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --no-pdf-header-footer".split()
    subprocess.run(
        [str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}",
         (tmp_path / "page.html").as_uri()],
        capture_output=True, timeout=120, check=True, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "page.pdf").read_bytes())) == 1
