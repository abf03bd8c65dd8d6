"""Tables that differ from right ones by one thing: the same result, a refusal with its place and remedy, or a note."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import what_happens_tables as what
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_kinds import FORMS, KINDS, LEAVE, REFUSED, SAID, SAME, Files, TableKind, write_settings

from her2radiomics.cohort.tables import type_columns
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.modelling.saved.application import meeting, read_features, read_people
from her2radiomics.study.plan import Plan

IDS = [f"{kind.form}: {kind.what}" for kind in KINDS]
FEATURES = ["f0", "f1", "f2", "f3"]


def result(files: Files) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """What a study sees of the tables, and what is said of them."""
    files.write()
    workflow = write_settings(files)
    config = {"runs": [{"study": "mini", "cohort": "mine"}], "data": {"mine": str(files.data)}}
    (run,) = Plan(config, workflow).runs.values()
    data = run.dataset.data
    people = run.participants.set_index("patient_id").sort_index()
    seen = people[["centre", "exclude_reason"]]
    included = run.participants[run.participants["exclude_reason"] == ""]
    typed = type_columns(included, run.protocol.columns, "participants.tsv").sort_index()
    made = {"people": seen, "typed": typed, "labels": run.labels.sort_index().to_frame()}
    made["partition"] = run.partition.sort_index().to_frame()
    brought = data.manifest if data.features is None else data.features
    made["measured"] = brought.sort_values(list(brought.columns[:2])).reset_index(drop=True)
    return made, [*data.notes, *run.notes]


def predicted(files: Files) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """What a model sees of the tables, and what is said of them."""
    notes: list[str] = []
    people, features = (sorted(files.data.glob(f"{name}.*"))[0] for name in ("new", "new_features"))
    measured = read_features(features, FEATURES, notes)
    who, left_out = meeting(measured, read_people(people, measured, ["age", "size"], notes), omit=False)
    kept = measured[measured["patient_id"].isin(who["patient_id"])].reset_index(drop=True)
    return {"people": who[["patient_id", "age", "size"]].astype({"size": float}), "features": kept}, notes + left_out


def expected(files: Files, folder: Path) -> dict[str, pd.DataFrame]:
    """The right tables of the same patients, plainly written."""
    plain = Files(folder, study=files.study)
    plain.clinical, plain.features = files.clinical, files.features
    if "sequences" in files.study:
        plain.cohort = files.cohort
        plain.data = files.data
    return result(plain)[0]


def check(kind: TableKind, folder: Path) -> None:
    """What the list says is what happens."""
    files = Files(folder / "kind")
    kind.make(files)
    run = predicted if kind.form == "prediction" else result
    if kind.outcome == REFUSED:
        with pytest.raises(StudyError) as caught:
            run(files)
        said = str(caught.value)
        assert kind.words in said
        if isinstance(caught.value, TableError):
            assert caught.value.remedy and caught.value.expected
            assert str(files.data) in said or "feature table" in said  # the command names the file in its place
        return
    made, notes = run(files)
    if kind.outcome == SAID:
        assert any(kind.words in note for note in notes), notes
    if kind.outcome == LEAVE:
        leave = made["people"][made["people"]["exclude_reason"] == kind.words]
        assert list(leave.index) == ["P002", "P003"] or list(leave.index) == ["P001", "P002"]
        assert any(f"2 of 24 registered patients leave: {kind.words}" in note for note in notes)
        assert not set(leave.index) & set(made["typed"].index)
        return
    if kind.form == "prediction":
        assert made["people"]["patient_id"].tolist() == [row["patient_id"] for row in files.clinical]
        assert made["people"]["size"].tolist() == [row["size"] for row in files.clinical]
        right = pd.DataFrame(files.features)[: len(files.clinical)]
        pd.testing.assert_frame_equal(made["features"], right, check_dtype=False)
        return
    right = expected(files, folder / "right")
    for name, table in right.items():
        if name == "measured" and "sequences" in files.study:
            assert len(made[name]) == len(files.clinical)
        else:
            pd.testing.assert_frame_equal(made[name], table, obj=name, check_exact=True)


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_every_kind(kind, tmp_path):
    check(kind, tmp_path)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_cell_by_any_change(tmp_path_factory, data):
    """A change of one cell that a hospital's file may have is read as it is meant, or refused with its place."""
    folder = tmp_path_factory.mktemp("any")
    files = Files(folder / "kind")
    row = data.draw(st.integers(0, 23))
    column = data.draw(st.sampled_from(["patient_id", "centre", "pcr", "age", "size", "ki67", "er"]))
    changes = {
        "space": lambda text: f" {text}  ",
        "case": str.swapcase,
        "zero": lambda text: f"0{text}",
        "point": lambda text: f"{text}.0",
        "comma": lambda text: f'"{text},5"',
        "mark": lambda text: f"{text}*",
        "na": lambda text: "NA",
        "formula": lambda text: f"={text}",
        "letter": lambda text: f"{text}x",
    }
    name = data.draw(st.sampled_from(sorted(changes)))
    right = expected(files, folder / "right")
    table = [dict(line) for line in files.clinical]
    before = str(table[row][column])
    table[row][column] = changes[name](before)
    files.csv("clinical.csv", table)
    try:
        made, _ = result(files)
    except TableError as error:
        assert str(files.data) in str(error) and error.remedy
        assert error.row is not None or error.patient is not None or error.column is not None
        return
    assert made["people"].loc[table[row]["patient_id"].strip(), "centre"] == table[row]["centre"].strip(' "')
    for part in right:
        same = made[part].equals(right[part])
        # a missing value is what the cell says; another name is another centre; who leaves has no values
        other = column == "centre" and part in ("people", "partition")
        other |= name == "comma" and column in ("age", "ki67") and part == "typed"  # a decimal comma is one
        assert same or other or (name == "na" and column != "patient_id") or row == 5, (name, column, part)


def test_many_mistakes_are_listed_at_once_up_to_a_hundred(tmp_path):
    files = Files(tmp_path)
    files.clinical = [{**row, "patient_id": f"Q{i:03d}", "age": "old"} for i, row in enumerate(files.clinical * 6)]
    files.features = [{**row, "patient_id": f"Q{i:03d}"} for i, row in enumerate(files.features * 6)]
    with pytest.raises(TableError) as caught:
        result(files)
    lines = str(caught.value).splitlines()
    wrong = sum(row["exclude_reason"] == "" for row in files.clinical)
    assert lines[0] == f"{wrong} mistakes in the tables:"
    assert len(lines) == 102 and lines[-1] == f"  - and {wrong - 100} more; correct these first"
    assert "row 2, patient Q000, column 'age': found 'old'" in lines[1]


def test_mistakes_of_several_columns_are_in_one_message(tmp_path):
    files = Files(tmp_path)
    files.clinical[2] |= {"age": "old", "er": "?", "pcr": "2"}
    with pytest.raises(TableError) as caught:
        result(files)
    assert all(f"row 4, patient P003, column '{name}'" in str(caught.value) for name in ("age", "er", "pcr"))


def test_the_users_own_names_stand_in_an_error(tmp_path):
    files = Files(tmp_path)
    files.clinical = [{**{k: v for k, v in row.items() if k != "age"}, "Alter": row["age"]} for row in files.clinical]
    files.clinical[2]["Alter"] = "old"
    files.cohort["columns"] = {"age": {"source": "Alter"}}
    with pytest.raises(TableError, match=r"row 4, patient P003, column 'Alter'.*It is 'age' in the cohort file"):
        result(files)


def test_there_are_sixty_kinds_of_every_form():
    counts = Counter(kind.form for kind in KINDS)
    assert len(KINDS) >= 60 and set(counts) == set(FORMS) and min(counts.values()) >= 6
    assert len(set(IDS)) == len(IDS)
    assert all(kind.words for kind in KINDS if kind.outcome != SAME)


def test_the_page_prints_the_list():
    text = what.PAGE.read_text(encoding="utf-8")
    assert what.page(text) == text, "run 'python tests/cohort/what_happens_tables.py'"
