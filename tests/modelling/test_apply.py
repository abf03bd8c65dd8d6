"""A saved model applied to new patients: the command line, nomogram points, refusals by name, and the same bits."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_cohort import COLUMNS, cohort
from scipy.special import expit

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.settings import load
from her2radiomics.engine.jobs.modelling import extraction_hashes, features_of
from her2radiomics.modelling import build_model, load_model, save_model, to_dict
from her2radiomics.modelling.__main__ import main
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import nomogram
from her2radiomics.study.protocol import Protocol

STEPS = [{"step": "z_score"}, {"step": "univariate", "k": 6}]
CONTENT = {
    "radiomics": {"kind": "radiomics", "steps": STEPS},
    "ridge": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "ridge", "n_lambdas": 15}},
    "elastic_net": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "elastic_net_logistic"}},
    "linear_svm": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "linear_svm"}},
    "random_forest": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "random_forest", "trees": 15}},
    "clinical": {"kind": "clinical", "candidates": ["age", "ki67", "stage", "tic"], "keep": "all"},
    "complete": {"kind": "clinical", "candidates": ["age", "ki67"], "keep": "all", "missing": "complete_case"},
    "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"]},
    "of_forest": {"kind": "combined", "of": ["random_forest", "clinical"]},
    "multivariate": {
        "kind": "multivariate",
        "features": {"steps": STEPS},
        "candidates": ["age", "ki67", "stage", "tic"],
        "selection": {"by": "lasso", "folds": 5},
    },
}
N = 80


def fit(name, seed):
    features, _, clinical, labels = cohort(n=110, per_sequence=8, seed=seed)
    X = pd.concat([features, clinical.round({"age": 1})], axis=1)
    return build_model(name, parse_models(CONTENT), COLUMNS, seed=seed).fit(X[:N], labels[:N]), X


def content(model, extraction=None):
    return to_dict(model, centres=["1"], extraction=extraction or {"T2FS": "abc", "DWI": "def"}, simulated=False)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {}
    for name in CONTENT:
        model, X = fit(name, 6)
        save_model(content(model), folder / f"{name}.json")
        models[name] = model
    return folder, models, X


@pytest.fixture
def files(saved, tmp_path):
    """Feature and participants tables of the 30 patients that no model saw, as a hospital would give them."""
    _, _, X = saved
    new = X[N:].reset_index(names="patient_id")
    features, people = tmp_path / "features.csv", tmp_path / "participants.csv"
    new.drop(columns=list(COLUMNS)).to_csv(features, index=False)
    people_table = new[["patient_id", *COLUMNS]].assign(ki67=np.where(new["ki67"] == "high", "35", "12"))
    people_table.to_csv(people, index=False)
    return features, people


def run(capsys, *arguments):
    code = main(["predict", *map(str, arguments)])
    found = capsys.readouterr()
    return code, list(csv.DictReader(io.StringIO(found.out))), found.err


@pytest.mark.parametrize("name", CONTENT)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_every_kind_of_model_is_saved_to_the_last_bit(name, seed, tmp_path):
    """Whatever the cohort: a model, its JSON, and the JSON's JSON give the same 64 bits for every new patient."""
    model, X = fit(name, seed)
    save_model(content(model), tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text
    loaded = load_model(tmp_path / "model.json")
    new = X[N:].reset_index(names="patient_id")
    table = loaded.predict(new.drop(columns=list(COLUMNS)), new[["patient_id", *COLUMNS]])
    for column, values in (
        ("score", model.decision_function(X[N:])),
        ("probability", model.predict_proba(X[N:])[:, 1]),
    ):
        assert table[column].to_numpy().tobytes() == values.tobytes()
    assert loaded.classify(table["probability"]).tolist() == model.predict(X[N:]).tolist()
    save_model(loaded.content, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", CONTENT)
def test_the_command_line_gives_score_probability_class_and_points(saved, files, capsys, name):
    folder, models, X = saved
    code, rows, _ = run(capsys, folder / f"{name}.json", *files)
    model = models[name]
    assert code == 0 and [row["patient_id"] for row in rows] == X.index[N:].tolist()
    assert [float(row["score"]) for row in rows] == model.decision_function(X[N:]).tolist()
    assert [float(row["probability"]) for row in rows] == model.predict_proba(X[N:])[:, 1].tolist()
    assert [int(row["class"]) for row in rows] == model.predict(X[N:]).tolist()
    loaded = load_model(folder / f"{name}.json")
    if not loaded.drawable:
        assert name == "random_forest" and not any("points" in column for column in rows[0])
        return
    # points lead to the probability by the nomogram's own axis, and are those that it gives a patient's values
    drawn = nomogram(loaded.nomogram_model())
    for row in rows[:5]:
        points = {k.removeprefix("points_"): float(v) for k, v in row.items() if k.startswith("points_")}
        total = points.pop("total")
        assert list(points) == [p.name for p in loaded.rule.predictors]
        assert total == pytest.approx(sum(points.values()), abs=1e-9)
        assert drawn.probability(total) == pytest.approx(float(row["probability"]), abs=1e-10)
    if name == "clinical":
        people = X[N:].iloc[0]
        expected = drawn.points({column: people[column] for column in ("age", "ki67", "stage", "tic")})
        assert {k: float(rows[0][f"points_{k}"]) for k in expected} == pytest.approx(expected, abs=1e-9)


def test_a_model_without_features_or_columns_needs_no_such_table(saved, files, capsys):
    folder, models, X = saved
    _, with_both, _ = run(capsys, folder / "clinical.json", *files)
    assert run(capsys, folder / "clinical.json", "-", files[1])[1] == with_both
    _, image, _ = run(capsys, folder / "radiomics.json", files[0], "-")
    assert [float(row["score"]) for row in image] == models["radiomics"].decision_function(X[N:]).tolist()
    code, _, error = run(capsys, folder / "nomogram.json", "-", "-")
    assert code == 1 and "found neither features nor participants" in error


def test_output_parquet_and_the_module_as_a_program(saved, files, tmp_path):
    folder, _, _ = saved
    exact = pd.read_csv(files[0], dtype={"patient_id": str}, float_precision="round_trip")
    exact.to_parquet(tmp_path / "features.parquet")
    out = tmp_path / "predicted.csv"
    command = [sys.executable, "-m", "her2radiomics.modelling", "predict", str(folder / "nomogram.json")]
    done = subprocess.run(
        [*command, str(tmp_path / "features.parquet"), str(files[1]), "--output", str(out)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 and done.stdout == ""
    plain = subprocess.run([*command, *map(str, files)], capture_output=True, encoding="utf-8", check=False)
    assert plain.stdout == out.read_text(encoding="utf-8")
    assert "extraction settings of DCE2, DWI, T2FS were not compared" in done.stderr or "not compared" in done.stderr


def changed(path, change):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(table).to_csv(path, index=False)


def used_feature(saved):
    return load_model(saved[0] / "radiomics.json").rule.predictors[0].name


def with_cell(column, value):
    def change(table):
        table.loc[3, column] = value
        return table

    return change


def test_wrong_input_is_refused_with_file_patient_and_column(saved, files, capsys):
    folder, feature = saved[0], used_feature(saved)
    features, people = files
    kept = features.read_text(), people.read_text()

    def refused(change, path, *words):
        changed(path, change)
        code, rows, error = run(capsys, folder / "nomogram.json", features, people)
        assert code == 1 and rows == []
        assert error.startswith("error: ") and error.count("\n") == 1
        for word in (str(path), *words):
            assert word in error, error
        features.write_text(kept[0])
        people.write_text(kept[1])

    refused(lambda t: t.drop(columns=feature), features, f"column '{feature}'", "no such column")
    refused(with_cell(feature, "abc"), features, "patient P083", f"column '{feature}'", "found 'abc'")
    refused(lambda t: t[t["patient_id"] != "P085"], features, "patient P085", "no row of reader 1")
    refused(lambda t: t.drop(columns="age"), people, "column 'age'", "no such column")
    refused(with_cell("tic", "d"), people, "patient P083", "column 'tic'", "found 'd'", "one of a, b, c")
    refused(with_cell("age", "old"), people, "patient P083", "column 'age'", "found 'old'")
    refused(lambda t: pd.concat([t, t.iloc[:1]]), people, "patient P080", "more than one row")
    refused(lambda t: t.rename(columns={"patient_id": "id"}), people, "column 'patient_id'")


def test_a_declared_category_that_training_never_saw_is_refused(tmp_path, capsys):
    _, _, clinical, labels = cohort(n=60, per_sequence=4, seed=2)
    clinical.loc[clinical["tic"] == "c", "tic"] = "a"
    model = build_model("clinical", parse_models(CONTENT), COLUMNS, seed=0).fit(clinical, labels)
    save_model(content(model), tmp_path / "model.json")
    people = tmp_path / "people.tsv"
    clinical[:2].assign(tic=["a", "c"]).reset_index(names="patient_id").to_csv(people, sep="\t", index=False)
    code, _, error = run(capsys, tmp_path / "model.json", "-", people)
    assert code == 1 and "patient P001, column 'tic': found 'c'" in error and "never saw" in error


def test_missing_values_are_filled_and_said_or_refused(saved, files, capsys):
    folder, feature = saved[0], used_feature(saved)
    features, people = files
    changed(features, with_cell(feature, ""))
    changed(people, with_cell("age", ""))
    code, rows, error = run(capsys, folder / "nomogram.json", features, people)
    assert code == 0 and len(rows) == 30
    assert f"patient P083, '{feature}': no value; filled with" in error
    assert "patient P083, 'age': no value; filled with" in error
    code, _, error = run(capsys, folder / "complete.json", features, people)
    assert code == 1 and "patient P083, column 'age'" in error
    code, rows, _ = run(capsys, folder / "complete.json", features, people, "--incomplete", "omit")
    assert code == 0 and len(rows) == 29 and "P083" not in [row["patient_id"] for row in rows]


def test_another_extraction_is_refused(saved, files, capsys, tmp_path):
    models = saved[1]
    sequence = used_feature(saved).split("__")[0]
    save_model(content(models["radiomics"], dict.fromkeys(("T2FS", "DWI", "DCE2"), "abc")), tmp_path / "model.json")
    model = tmp_path / "model.json"
    code, _, error = run(capsys, model, *files, "--extraction", f"{sequence}=abc")
    assert code == 0
    code, rows, error = run(capsys, model, *files, "--extraction", f"{sequence}=xyz")
    assert code == 1 and rows == []
    assert f"sequence '{sequence}': found extraction settings xyz, expected abc" in error
    code, _, error = run(capsys, model, *files, "--extraction", "abc")
    assert code == 1 and "expected SEQUENCE=HASH" in error


def test_the_protocol_gives_the_hashes_of_training(saved, files, capsys, tmp_path):
    """The hashes that a workflow's training job writes are those that the protocol gives at the command line."""
    workflow = Path(__file__).parents[2] / "workflow"
    study = workflow / "studies" / "nat_response.yaml"
    sequences = {n: item.model_dump(mode="json") for n, item in load(Protocol, study).sequences.items()}
    hashes = extraction_hashes(sequences, list(map(str, (workflow / "extraction").glob("*.yaml"))))
    assert set(hashes) == {"T2FS", "DWI", "DCE2"}
    save_model(content(saved[1]["radiomics"], hashes), tmp_path / "model.json")
    code, rows, error = run(capsys, tmp_path / "model.json", *files, "--protocol", study)
    assert code == 0 and len(rows) == 30 and "not compared" not in error
    save_model(content(saved[1]["radiomics"], {**hashes, **dict.fromkeys(hashes, "0")}), tmp_path / "model.json")
    code, _, error = run(capsys, tmp_path / "model.json", *files, "--protocol", study)
    assert code == 1 and "Extract again with the model's settings" in error


def test_a_file_that_is_no_model_is_refused(saved, files, capsys, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"format": "her2radiomics model", "version": 99}))
    code, _, error = run(capsys, tmp_path / "model.json", *files)
    assert code == 1 and "format version 99" in error
    code, _, error = run(capsys, tmp_path / "absent.json", *files)
    assert code == 1 and "no such file" in error
    with pytest.raises(StudyError, match="found a random forest"):
        load_model(saved[0] / "random_forest.json").points(None, pd.DataFrame({"patient_id": ["a"]}))


def test_the_forests_probability_is_not_the_logistic_of_its_score(saved):
    """The score of a forest is a smoothed log-odds: its probability is the mean over trees, exactly."""
    _, models, X = saved
    model = models["random_forest"]
    p = model.predict_proba(X[N:])[:, 1]
    np.testing.assert_allclose(expit(model.decision_function(X[N:])), (15 * p + 0.5) / 16, atol=1e-12)


@pytest.mark.parametrize("name", CONTENT)
def test_predicting_needs_only_the_features_that_the_model_uses(saved, tmp_path, name):
    folder, _, X = saved
    model = load_model(folder / f"{name}.json")
    table = X[N:].reset_index(names="patient_id").assign(reader="1")
    people = table[["patient_id", *COLUMNS]]
    path = tmp_path / "testing.parquet"
    other = table.assign(reader="2", **{feature: 0.0 for feature in X.columns.difference(list(COLUMNS))})
    pd.concat([other, table]).drop(columns=list(COLUMNS)).to_parquet(path)
    read = features_of([model], str(path))
    used = {feature.name for feature in model.rule.features()}
    assert set(read.columns) == {"patient_id"} | used
    options = {"extraction": {"T2FS": "abc", "DWI": "def"}, "incomplete": "omit"}
    pd.testing.assert_frame_equal(model.predict(read, people, **options), model.predict(table, people, **options))


def test_predicting_does_without_scikit_learn(saved):
    """It starts every prediction, and most of that start's seconds are its import."""
    code = (
        "import sys; from her2radiomics.modelling import load_model; "
        "load_model(sys.argv[1]); print('sklearn' in sys.modules)"
    )
    model = saved[0] / "nomogram.json"
    done = subprocess.run([sys.executable, "-c", code, model], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_feature_that_the_table_lacks_is_named(saved, tmp_path):
    folder, _, X = saved
    model, lost = load_model(folder / "radiomics.json"), used_feature(saved)
    table = X[N:].reset_index(names="patient_id")
    path = tmp_path / "testing.parquet"
    table.drop(columns=[*COLUMNS, lost]).assign(reader="1").to_parquet(path)
    with pytest.raises(TableError, match=lost):
        model.predict(features_of([model], str(path)), table[["patient_id", *COLUMNS]])


def test_every_value_outside_the_range_of_training_is_noted(saved, files, capsys):
    """By patient and column with the range; the ranges are those of the rows that trained."""
    folder, _, X = saved
    features, people = files
    table, patients = pd.read_csv(features, dtype={"patient_id": str}), pd.read_csv(people, dtype=str)
    model = load_model(folder / "nomogram.json")
    feature = sorted(item.name for item in model.rule.features())[0]
    table.loc[0, feature] = 1e6
    patients.loc[1, "age"] = "4400"
    table.to_csv(features, index=False)
    patients.to_csv(people, index=False)
    code, _, said = run(capsys, folder / "nomogram.json", features, people)
    assert code == 0
    for row, column, value in ((0, feature, "1e+06"), (1, "age", "4400")):
        low, high = X[:N][column].min(), X[:N][column].max()
        who = patients["patient_id"][row]
        assert (
            f"note: patient {who}, '{column}': {value} lies outside the range of training, {low:g} to {high:g}" in said
        )
    inside = table[feature].between(X[:N][feature].min(), X[:N][feature].max())
    for who, within in zip(table["patient_id"], inside, strict=True):
        assert (f"patient {who}, '{feature}'" in said) is not within
