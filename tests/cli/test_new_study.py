"""A study from a cohort file: what fits the cohort, valid at once, nothing overwritten, nothing guessed in silence."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from commands import call, refused
from small_study import patients, small_project, write_csv
from test_commands import her2radiomics

from her2radiomics.cli import studying
from her2radiomics.core.settings import read_yaml
from her2radiomics.study.plan import Plan

WORDS = ("new", "study", "ours", "--cohort", "mine", "--label", "pcr=1", "--candidates", "age,ki67")


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = small_project(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


def protocol(project) -> dict:
    return read_yaml(project.folder / "workflow/studies/ours.yaml")


def cohort_with(project, change) -> None:
    """Write the cohort's clinical table anew, each row changed by its number."""
    clinical, features = patients()
    for number, row in enumerate(clinical):
        change(number, row)
    write_csv(clinical, project.folder / "data/clinical.csv")
    write_csv(features, project.folder / "data/features.csv")


def test_a_study_is_written_that_plans_at_once_and_fits_the_schema(project, root):
    done = call(*WORDS)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "her2radiomics run --study ours" in done.output
    config = read_yaml(project.folder / "configs/ours.yaml")
    plan = Plan(config, project.folder / "workflow")
    (run,) = plan.runs.values()
    assert run.id == "ours--default--mine" and run.partitions == ["training", "testing", "external"]
    for name, content in (("protocol", protocol(project)), ("config", config)):
        schema = json.loads((root / f"workflow/schemas/{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(content, schema)
    text = (project.folder / "workflow/studies/ours.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/protocol.schema.json\n")
    assert text.count("\n# ") > 10  # every section has its comment


def test_the_chain_is_that_of_the_named_study(project, root):
    call(*WORDS, "--like", "nat_response")
    content, like = protocol(project), read_yaml(root / "workflow/studies/nat_response.yaml")
    steps = [step for step in like["models"]["radiomics"]["steps"] if step["step"] != "icc_filter"]
    assert content["models"]["radiomics"]["steps"] == steps  # one reader: no agreement to assess
    assert content["models"]["clinical"]["keep"] == like["models"]["clinical"]["keep"]
    assert content["evaluation"] == like["evaluation"]
    assert content["models"]["combined"]["of"] == ["radiomics", "clinical"]


def test_figures_and_tables_are_those_that_fit(project):
    call(*WORDS)
    kinds = {item["kind"] for item in protocol(project)["figures"].values()}
    assert {"flow", "roc", "calibration", "decision_curve", "nomogram", "lasso", "clustermap", "stability"} <= kinds
    assert not {"sequences", "workflow", "kaplan_meier"} & kinds  # no images, no follow-up
    assert {item["kind"] for item in protocol(project)["tables"].values()} >= {"baseline", "regression", "delong"}


def test_follow_up_is_recognised_and_never_predicts(project):
    def add(number, row):
        row["os_months"], row["os_event"] = 10 + number, number % 3 % 2
        row["seen"], row["died"] = 5 + number, number % 2

    cohort_with(project, add)
    done = call(*WORDS[:-1], "all", "--survival", "seen=died")
    assert "Follow-up: os_months with os_event, seen with died." in done.output
    content = protocol(project)
    assert content["models"]["clinical"]["candidates"] == ["age", "ki67"]
    assert content["columns"]["os_months"]["available_at"] == "follow_up"
    drawn = [item["time"] for item in content["figures"].values() if item["kind"] == "kaplan_meier"]
    assert drawn == ["os_months", "seen"]
    assert {"survival", "cox"} <= {item["kind"] for item in content["tables"].values()}
    assert "cannot be one" in refused(*WORDS[:2], "other", *WORDS[3:-1], "os_months")


def test_levels_of_an_outcome_are_two_groups(project):
    cohort_with(project, lambda number, row: row.update(her2=("zero", "low", "positive")[number % 3]))
    assert (
        call("new", "study", "ours", "--cohort", "mine", "--label", "her2=positive", "--candidates", "none").exit_code
        == 0
    )
    label = protocol(project)["label"]
    assert label["positive_levels"] == ["positive"] and label["negative_levels"] == ["low", "zero"]
    assert list(protocol(project)["models"]) == ["radiomics"]


def test_columns_that_no_study_can_use_are_named_with_the_reason(project):
    def add(number, row):
        row["note"], row["same"] = f"text {number}", "x"

    cohort_with(project, add)
    done = call(*WORDS)
    assert "column note: 60 different texts" in done.output
    assert "column same: the same value for everybody (x)" in done.output
    assert not {"note", "same"} & set(protocol(project)["columns"])


def test_missing_values_of_candidates_are_imputed_and_said(project):
    cohort_with(project, lambda number, row: row.update(age="" if number == 3 else row["age"]))
    call(*WORDS)
    assert protocol(project)["models"]["clinical"]["missing"] == "impute"


def test_one_centre_has_no_external_set(project):
    cohort_with(project, lambda number, row: row.update(centre="north"))
    call(*WORDS)
    assert protocol(project)["partitions"] == {"kind": "random", "training": 0.7, "stratified": True}
    assert "external" not in {item.get("partition") for item in protocol(project)["figures"].values()}


def test_nothing_is_overwritten_without_force(project):
    call(*WORDS)
    path = project.folder / "workflow/studies/ours.yaml"
    path.write_text("mine: 1\n", encoding="utf-8")
    assert "add --force" in refused(*WORDS)
    assert path.read_text(encoding="utf-8") == "mine: 1\n"
    assert call(*WORDS, "--force").exit_code == 0
    assert protocol(project)["label"]["column"] == "pcr"


def test_a_dry_run_shows_and_writes_nothing(project):
    done = call(*WORDS, "--dry-run")
    assert "--- workflow/studies/ours.yaml" in done.output and "primary_model: combined" in done.output
    assert not (project.folder / "configs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ours", "--cohort", "nowhere", "--label", "pcr=1"), "nowhere.yaml: no such file"),
        (("ours", "--cohort", "mine", "--label", "pcr"), "expected COLUMN=VALUE"),
        (("ours", "--cohort", "mine", "--label", "pcrr=1"), "did you mean 'pcr'?"),
        (("ours", "--cohort", "mine", "--label", "pcr=2"), "the values of 'pcr' are 0, 1"),
        (("ours", "--cohort", "mine", "--label", "age=50"), "expected a column of two to 8 levels"),
        ((*WORDS[2:], "--like", "nat_respons"), "did you mean 'nat_response'?"),
        ((*WORDS[2:], "--external", "west"), "--external west: no such centre"),
        ((*WORDS[2:], "--survival", "os"), "expected TIME=EVENT"),
        ((*WORDS[2:], "--survival", "age=ki67"), "expected 0 and 1 in 'ki67'"),
        (("../x", *WORDS[3:]), "found no name of a study"),
        (("ours", "--cohort", "simulated", "--label", "pcr=1"), "found simulated patients"),
    ],
)
def test_what_is_wrong_is_said(project, words, said):
    assert said in refused("new", "study", *words)
    assert not (project.folder / "configs").exists()


@pytest.mark.parametrize("flag", ["--cohort", "--label", "--candidates"])
def test_an_open_flag_is_refused_by_name_where_nobody_can_be_asked(project, flag):
    place = WORDS.index(flag)
    done = her2radiomics(*WORDS[:place], *WORDS[place + 2 :], cwd=project.folder)
    assert done.returncode == 1 and done.stderr.startswith(f"error: {flag}: found no value"), done.stderr


def test_an_open_flag_is_asked_on_a_terminal(project, monkeypatch):
    asked = []
    monkeypatch.setattr(studying, "on_terminal", lambda: True)
    monkeypatch.setattr(studying.typer, "prompt", lambda question, default=None: asked.append(question) or "age")
    assert call(*WORDS[:-2]).exit_code == 0
    assert asked == ["Which of these are known before treatment, and may predict: age, ki67 (names, all or none)?"]
    assert protocol(project)["models"]["clinical"]["candidates"] == ["age"]


def test_a_study_of_images_has_their_sequences_and_pictures(project):
    clinical, _ = patients()
    write_csv(clinical, project.folder / "data/participants.csv")
    rows = [
        {"patient_id": row["patient_id"], "sequence": name, "reader": reader, "image": f"{row['patient_id']}.nii.gz"}
        | {"mask": f"{row['patient_id']}_{reader}.nii.gz"}
        for row in clinical
        for name in ("DCE2", "DWI")
        for reader in ("1", "2")
    ]
    write_csv(rows, project.folder / "data/images.csv")
    cohort = {"title": "Images", "kind": "tables", "participants": [{"file": "participants.csv"}]}
    cohort |= {"manifest": {"file": "images.csv"}, "root": str(project.folder / "data")}
    (project.folder / "workflow/cohorts/pictures.yaml").write_text(yaml.safe_dump(cohort), encoding="utf-8")
    done = call("new", "study", "ours", "--cohort", "pictures", "--label", "pcr=1", "--candidates", "all")
    assert done.exit_code == 0, (done.output, done.exception)
    content = protocol(project)
    assert list(content["sequences"]) == ["DCE2", "DWI"]
    assert content["sequences"]["DWI"]["parameters"] == "features_1218_1mm"
    assert content["models"]["radiomics"]["steps"][0]["step"] == "icc_filter"  # two readers
    assert {"sequences", "workflow"} <= {item["kind"] for item in content["figures"].values()}
