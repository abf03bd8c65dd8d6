"""Prediction of new patients: intervals by hand and by statsmodels, contributions, similarity, files, failures."""

from __future__ import annotations

import csv
import json
import math
import re
import shlex
import shutil

import jsonschema
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from new_patients import MEAN, ball, image_model
from scipy.spatial.distance import mahalanobis
from test_calculator import ABOUT, COLUMNS, CONTENT, REFUSED, N, data, models, predicted  # noqa: F401
from typer.testing import CliRunner

from her2radiomics.cli.app import application
from her2radiomics.cohort.settings import Cohort
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import dump, load
from her2radiomics.modelling import build_model, from_dict, load_model, save_model, to_dict
from her2radiomics.modelling.settings import parse_models
from her2radiomics.prediction.measuring import Measuring, measuring_of
from her2radiomics.prediction.page import patient_page
from her2radiomics.prediction.results import Patient
from her2radiomics.study.plan import Plan

Z = 1.959963984540054


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def command(*arguments: object):
    return CliRunner().invoke(application(), [str(item) for item in arguments])


# intervals


def test_probability_and_interval_of_a_table_of_two_by_two():
    """3 of 10 and 7 of 10: log-odds and their variance 1/a + 1/b are known without any fit (Woolf 1955)."""
    table = pd.DataFrame({"tic": ["a"] * 10 + ["b"] * 10}, index=[f"P{i:02d}" for i in range(20)])
    labels = np.array([1] * 3 + [0] * 7 + [1] * 7 + [0] * 3)
    columns = {"tic": Column(label="TIC", kind="categorical", levels={"a": "A", "b": "B"})}
    specs = parse_models({"m": {"kind": "clinical", "candidates": ["tic"], "keep": "all"}})
    model = from_dict(
        to_dict(
            build_model("m", specs, columns, seed=1).fit(table, labels), centres=["1"], extraction=None, simulated=False
        )
    )
    assert model.reference is not None
    bounds = model.reference.interval(model.rule, table.iloc[[0, 19]])
    half = Z * math.sqrt(1 / 3 + 1 / 7)
    for (low, high), odds in zip(bounds, (3 / 7, 7 / 3), strict=True):
        expected = [expit(math.log(odds) - half), expit(math.log(odds) + half)]
        assert [low, high] == pytest.approx(expected, abs=1e-6)


def test_interval_of_a_logistic_regression_is_that_of_statsmodels(models, data):  # noqa: F811
    """Log-odds ± z × the standard error of the linear predictor, from statsmodels' covariance."""
    X, labels = data
    model = models["clinical"]
    table = X[[*COLUMNS]]
    design = pd.DataFrame({"one": 1.0, "age": table["age"]}, index=table.index)
    design["ki67"] = (table["ki67"] == "high").astype(float)
    design["stage"] = table["stage"].map({"I": 0.0, "II": 1.0, "III": 2.0})
    design["b"], design["c"] = (table["tic"] == "b").astype(float), (table["tic"] == "c").astype(float)
    fit = sm.Logit(labels[:N], design[:N]).fit(disp=False, tol=1e-12)
    new = design[N:].to_numpy()
    error = np.sqrt(np.einsum("ij,jk,ik->i", new, fit.cov_params().to_numpy(), new))
    score = new @ fit.params.to_numpy()
    for patient, middle, half in zip(predicted(model, X[N:]), score, Z * error, strict=True):
        told = patient.prediction.interval
        assert [told.low, told.high] == pytest.approx([expit(middle - half), expit(middle + half)], abs=1e-7)


def test_a_model_without_interval_says_why(models, data):  # noqa: F811
    X = data[0][N : N + 1]
    for name, reason in (("ridge", "penalised"), ("linear_svm", "penalised"), ("random_forest", "random forest")):
        (patient,) = predicted(models[name], X)
        assert patient.prediction.interval is None and reason in patient.prediction.no_interval


# what drove a score, and who is like whom


@pytest.mark.parametrize("name", [name for name in CONTENT if name != "random_forest"])
def test_contributions_add_up_to_the_score(models, data, name):  # noqa: F811
    """Those of the model to the score, those inside a score to the score's own; at the training mean all are 0."""
    model = models[name]
    for patient in predicted(model, data[0][N:]):
        told = patient.prediction
        own = [value for value in told.values if not value.within]
        assert told.baseline + sum(value.contribution for value in own) == pytest.approx(told.score, abs=1e-9)
        for value in own:
            inner = [v.contribution for v in told.values if v.within == value.predictor]
            if inner and None not in inner:
                assert sum(inner) == pytest.approx(value.contribution, abs=1e-9)
    mean = np.mean(
        [[d.contribution for d in row] for row in model.reference.drivers(model.rule, rows(model, data))], axis=0
    )
    assert np.abs(mean).max(initial=0) < 1e-9


def rows(model, data):  # noqa: F811
    return data[0][:N]


def test_distance_is_mahalanobis_and_its_share_that_of_training(models, data):  # noqa: F811
    X, model = data[0], models["complete"]
    design = np.column_stack([X["age"], X["ki67"] == "high"]).astype(float)
    inverse = np.linalg.inv(np.cov(design[:N], rowvar=False))
    mean = design[:N].mean(axis=0)
    training = sorted(mahalanobis(row, mean, inverse) for row in design[:N])
    for patient, row in zip(predicted(model, X[N:]), design[N:], strict=True):
        near = patient.prediction.likeness
        assert near.distance == pytest.approx(mahalanobis(row, mean, inverse), rel=1e-9)
        assert near.share == pytest.approx(np.mean(np.array(training) <= near.distance), abs=0.04)


def test_the_file_holds_no_row_of_a_patient(models, data):  # noqa: F811
    """Means, covariances and 101 percentiles; no identifier, and no more numbers for more patients."""
    text = json.dumps(models["nomogram"].content)
    assert not re.search(r"\bP\d{3}\b", text)
    assert len(models["nomogram"].content["reference"]["distances"]) == 101


# from images


@pytest.fixture
def hospital(tmp_path):
    """A model, four patients' images (one without an outline, one without a clinical row), and a clinical table."""
    inside = {}
    for name, brightness, mask in (("A-1", 95, True), ("A-2", 130, True), ("A-3", 100, False), ("A-4", 90, True)):
        inside[name] = ball(tmp_path / "new" / name, brightness, mask=mask)
    model = image_model(tmp_path / "model")
    clinical = tmp_path / "new.csv"
    clinical.write_text("patient_id,grade\nA-1,II\nA-2,I\nA-3,I\nA-9,I\n", encoding="utf-8")
    return tmp_path, model, clinical, inside


def test_images_to_pages(hospital):
    """The mean of the ball's voxels, scaled and weighted by hand; two fail by name, and the others go on."""
    folder, model, clinical, inside = hospital
    out = folder / "out"
    done = command("predict", model.parent, "--images", folder / "new", "--clinical", clinical, "--to", out)
    assert done.exit_code == 1, done.output
    assert "A-3" in done.output and "found no mask" in done.output
    assert "A-4: found no row in the clinical table" in done.output.replace("patient A-4", "A-4")
    assert "A-9: no image or features; left out" in done.output
    with (out / "predictions.csv").open(encoding="utf-8") as stream:
        table = {row["patient_id"]: row for row in csv.DictReader(stream)}
    assert {name: row["status"] for name, row in table.items()} == {
        "A-1": "predicted", "A-2": "predicted", "A-3": "failed", "A-4": "failed",
    }  # fmt: skip
    for name, grade in (("A-1", 1), ("A-2", 0)):
        scaled = (inside[name].mean() - 80) / 10
        score = -4 + 2 * scaled + 0.5 * grade
        half = Z * math.sqrt(0.04 + 0.01 * scaled**2 + 0.09 * grade)
        row = {key: float(table[name][key]) for key in ("score", "probability", "low", "high")}
        assert row == pytest.approx(
            {"score": score, "probability": expit(score), "low": expit(score - half), "high": expit(score + half)},
            abs=1e-9,
        )
        told = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        values = {value["predictor"]: value["contribution"] for value in told["prediction"]["values"]}
        assert values == pytest.approx({MEAN: 2 * scaled - 4, "grade": 0.5 * grade - 0.25}, abs=1e-9)
        distance = math.hypot(scaled - 2, (grade - 0.5) / 0.5)
        assert told["prediction"]["likeness"]["distance"] == pytest.approx(distance)
        assert told["prediction"]["class_name"] == ("HER2-positive" if score >= 0 else "HER2-negative")
        assert (out / told["overlays"]["T2"]).read_bytes().startswith(b"\x89PNG")
        page = (out / f"{name}.html").read_text(encoding="utf-8")
        assert told["prediction"]["class_name"] in page and "data:image/png" in page and 'data-mark="grade"' in page
        assert "For research use only" in page and "script-src 'none'" in page
    listed = (out / "_patients.html").read_text(encoding="utf-8")
    for name, row in table.items():
        assert f'<a href="{name}.html">{name}</a>' in listed and row["class"] in listed
        reason = re.sub(r"['\"].*", "", row["reason"])  # quotation marks are escaped on a page
        assert reason in listed
    assert "4 patients, 2 without a prediction" in listed and "For research use only" in listed
    bright = json.loads((out / "A-2.json").read_text(encoding="utf-8"))["prediction"]
    assert [(item["predictor"], item["low"], item["high"]) for item in bright["outside"]] == [(MEAN, 80.0, 120.0)]
    for file in out.rglob("*.*"):
        if file.suffix != ".png":
            assert str(folder) not in file.read_text(encoding="utf-8"), file
    again = folder / "again"
    command("predict", model, "--images", folder / "new", "--clinical", clinical, "--to", again)
    made = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert made == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((out / path).read_bytes() == (again / path).read_bytes() for path in made)


def test_json_follows_its_schema(hospital):
    folder, model, clinical, _ = hospital
    command("predict", model, "--images", folder / "new", "--clinical", clinical, "--to", folder / "out", "--no-page")
    schema = Patient.model_json_schema(mode="serialization")
    files = sorted((folder / "out").glob("*.json"))
    assert [file.stem for file in files] == ["A-1", "A-2", "A-3", "A-4"] and not list((folder / "out").glob("*.html"))
    for file in files:
        content = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.validate(content, schema)
        assert content["format"] == "her2radiomics prediction" and content["version"] == 1
        assert content["model"]["positive"] == "HER2-positive" and content["model"]["study"] == "Bright balls"
        del content["patient_id"]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content, schema)


def test_a_manifest_and_a_cohort_file_map_the_hospitals_own_names(hospital):
    folder, model, _, inside = hospital
    new = folder / "new"
    lines = ["patient_id\tsequence\tregion\treader\timage\tmask"]
    lines += [f"{name}\tT2\ttumour\t1\t{name}/T2.nii.gz\t{name}/T2_mask.nii.gz" for name in ("A-1", "A-2")]
    (new / "images.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    clinical = folder / "theirs.csv"
    clinical.write_text("Case;Grading\nA-1;G3\nA-2;G1\n", encoding="utf-8")
    cohort = folder / "hospital.yaml"
    cohort.write_text(
        "title: Ours\nkind: tables\nparticipants: [{file: theirs.csv, id: Case}]\n"
        "columns: {grade: {source: Grading, recode: {G1: I, G2: II, G3: II}}}\n",
        encoding="utf-8",
    )
    arguments = ("--images", new, "--clinical", clinical, "--cohort", cohort, "--to", folder / "out")
    done = command("predict", model, *arguments)
    assert done.exit_code == 0, done.output
    told = json.loads((folder / "out" / "A-1.json").read_text(encoding="utf-8"))["prediction"]
    assert told["score"] == pytest.approx(-4 + 2 * (inside["A-1"].mean() - 80) / 10 + 0.5, abs=1e-9)
    assert command("predict", model, *arguments).exception.args[0].startswith(str(folder / "out"))
    assert command("predict", model, *arguments, "--force").exit_code == 0


def test_a_dry_run_names_who_would_be_extracted_and_writes_nothing(hospital):
    folder, model, clinical, _ = hospital
    done = command(
        "predict", model, "--images", folder / "new", "--clinical", clinical, "--to", folder / "out", "--dry-run"
    )
    assert done.exit_code == 0 and "would extract A-1: T2" in done.output and not (folder / "out").exists()
    page = folder / "page.html"
    assert "would write" in command("calculator", model, "--to", page, "--dry-run").output and not page.exists()
    assert command("calculator", model, "--to", page).exit_code == 0 and "Brightness" in page.read_text(
        encoding="utf-8"
    )


def test_one_patients_value_costs_nobody_else(models, data):  # noqa: F811
    X = data[0][N : N + 3].astype({"tic": object})
    X.iloc[1, X.columns.get_loc("tic")] = "z"
    first, second, third = predicted(models["clinical"], X)
    assert [first.status, second.status, third.status] == ["predicted", "failed", "predicted"]
    assert second.patient_id in second.reason and "'z'" in second.reason and "tic" in second.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "found format version 3, expected 1 or 2"),
        ({"about": {"study": "x"}}, "the model is incomplete"),
        ({"reference": {"terms": []}}, "the model is incomplete"),
    ],
)
def test_a_wrong_file_is_refused_by_name(models, change, message):  # noqa: F811
    with pytest.raises(StudyError, match=message):
        from_dict(dict(models["nomogram"].content) | change)


def test_a_file_of_before_predicts_without_interval_and_says_so(models, data):  # noqa: F811
    content = {
        key: value
        for key, value in models["nomogram"].content.items()
        if key not in ("about", "reference", "measuring")
    }
    old = from_dict(content | {"version": 1})
    (told,) = predicted(old, data[0][N : N + 1])
    (now,) = predicted(models["nomogram"], data[0][N : N + 1])
    assert told.prediction.probability == now.prediction.probability
    assert told.prediction.interval is None and "version 1" in told.prediction.no_interval
    assert told.prediction.class_name in ("class 0", "class 1")
    with pytest.raises(StudyError, match="found no settings of the extraction"):
        measuring_of(old)


def test_a_models_file_holds_the_whole_of_its_extraction(root, tmp_path):
    """Every study's parameter files and settings give the same hash from the model's own file as from the protocol."""
    from her2radiomics.engine.jobs.modelling import extraction_hashes

    names = ("nat_response", "her2_equivocal", "her2_peritumoral", "her2_nomogram")
    plan = Plan({"runs": [{"study": name} for name in names]}, root / "workflow")
    for run in plan.runs.values():
        sequences = dump(run.protocol.sequences)
        files = [root / "workflow" / "extraction" / f"{item['parameters']}.yaml" for item in sequences.values()]
        measuring = Measuring.of(sequences, files, set(sequences), "1")
        again = Measuring.model_validate(json.loads(json.dumps(measuring.model_dump(mode="json"))))
        assert again.hashes() == extraction_hashes(sequences, [str(file) for file in files]) and again.hashes()


def test_an_extraction_that_was_changed_in_the_file_is_refused(tmp_path):
    path = image_model(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["measuring"]["parameter_files"]["first"] += "# another\n"
    save_model(content, path)
    with pytest.raises(StudyError, match="found extraction settings"):
        measuring_of(load_model(path))


def test_the_commands_and_the_cohort_file_of_the_docs_run(root, hospital, monkeypatch):
    """Every command line and YAML block of docs/predict.md, as they stand there, in a folder with the files named."""
    folder, _, _, _ = hospital
    monkeypatch.chdir(folder)
    for name in ("A-3", "A-4"):
        shutil.rmtree(folder / "new" / name)
    text = (root / "docs" / "predict.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    assert len(lines) == 2
    for line in lines:
        done = command(*shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    assert (folder / "predicted" / "A-1.html").is_file() and (folder / "calculator.html").is_file()
    (block,) = re.findall(r"```yaml[^\n]*\n(.*?)```", text, re.S)
    (folder / "ours.yaml").write_text(block, encoding="utf-8")
    assert load(Cohort, folder / "ours.yaml").columns["grade"].recode["G3"] == "II"


def test_a_patients_page_escapes_every_text(models, data, tmp_path):  # noqa: F811
    hostile = "<img src=x onerror=alert(1)>"
    content = dict(models["nomogram"].content) | {"about": dump(ABOUT) | {"label": hostile, "positive": hostile}}
    content["columns"] = {name: column | {"label": hostile} for name, column in content["columns"].items()}
    model = from_dict(content)
    (told,) = predicted(model, data[0][N : N + 1])
    quality = [{"sequence": hostile, "region": hostile, "status": "warned", "reason": hostile}]
    for patient in (told, told.model_copy(update={"prediction": None, "reason": hostile})):
        page = patient_page(patient.model_copy(update={"quality": quality, "notes": [hostile]}), model, tmp_path)
        assert "<img" not in page and page.count("&lt;img") >= 3
