"""Contracts: one declaration of every table and file, one reader and one writer that hold to it."""

from __future__ import annotations

import fnmatch
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from contract_tables import complete, save
from hypothesis import given, settings
from hypothesis import strategies as st

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.cohort.settings import ParticipantRow
from her2radiomics.core import tables
from her2radiomics.core.contracts import CONTRACTS, MODEL_FILES, contract, measures, rates
from her2radiomics.core.contracts.declare import TableColumn
from her2radiomics.core.errors import TableError
from her2radiomics.core.layout import Layout, forms_of, path_of, paths_of
from her2radiomics.core.spreadsheets import is_formula

# columns of the results that others build on
RESULTS = {
    "performance": "model, partition, n, events, auc, auc_low, auc_high, ci_method, threshold, sensitivity, specificity, "
    "ppv, npv, accuracy, brier, calibration_intercept, calibration_slope, auc_delong_low, auc_delong_high",
    "performance_extra": "model, partition, measure, value, low, high, method",
    "delong": "partition, model_a, model_b, n, auc_a, auc_b, difference, z, p, p_holm",
    "published": "quantity, model, partition, published, published_low, published_high, reproduced, low, high, n, "
    "label, item, published_text, reproduced_text, agreement, rule, place, simulated",
    "manifest": "patient_id, sequence, reader, region, image, mask, mask_label, seconds, b_value",
    "predictions": "patient_id, partition, label, score, probability, harmonisation",
}


@pytest.mark.parametrize("name", RESULTS)
def test_columns_of_the_results_contract(name):
    assert ", ".join(contract(name).names) == RESULTS[name]


def test_paths():
    assert path_of("predictions") == "results/{run}/models/{model}/predictions.csv"
    assert path_of("predictions", run="r", model="m") == "results/r/models/m/predictions.csv"
    assert path_of("registered", dataset="d") == "results/cohorts/d/participants.tsv"
    assert paths_of("flow", "qc", run="r") == {"flow": "results/r/cohort/flow.csv", "qc": "results/r/cohort/qc.csv"}
    assert forms_of("table", run="r", table="table_1_x") == {
        end: f"results/r/tables/table_1_x.{end}" for end in ("csv", "html", "tex", "docx")
    }
    assert Layout(Path("results/r")).path("model", model="m") == Path(path_of("model", run="r", model="m"))
    with pytest.raises(LookupError, match="did you mean 'performance'"):
        path_of("performence")


def test_every_path_and_column_is_named_once_and_explained():
    paths = [f"{declared.home}/{declared.below(end)}" for declared in CONTRACTS.values() for end in declared.endings]
    assert len(paths) == len(set(paths))
    for declared in CONTRACTS.values():
        assert declared.meaning.endswith("."), declared.name
        assert len(set(declared.names)) == len(declared.names)
        for column in declared.columns:
            assert column.meaning.endswith(".") and column.label, (declared.name, column.name)


def test_rows_of_the_cohort_are_the_contracts():
    assert tuple(ManifestRow.model_fields) == contract("manifest").names
    assert tuple(ParticipantRow.model_fields) == contract("registered").names


def test_rules_and_code_write_no_path_or_header_of_their_own(root):
    """Paths are in the contracts alone, and tables of the run are read by the one reader."""
    for file in (root / "workflow/rules").glob("*.smk"):
        assert not re.findall(r"\bresults/", file.read_text(encoding="utf-8")), file
    # tables of users, and one that comes with the package
    own = {"core/tables.py", "cohort/tables.py", "modelling/saved/application.py", "evidence/discount/calibration.py"}
    sources = root / "src/her2radiomics"
    for file in [*sources.rglob("*.py"), *(root / "scripts").glob("*.py")]:
        if file.is_relative_to(sources) and file.relative_to(sources).as_posix() in own:
            continue
        assert "read_csv(" not in file.read_text(encoding="utf-8"), file


def test_checklists_show_files_that_contracts_declare(root):
    known = [
        re.sub(r"\{\w+\}", "*", declared.below(end)) for declared in CONTRACTS.values() for end in declared.endings
    ]
    shown = set()
    for file in (root / "workflow/checklists").glob("*.yaml"):
        for section in yaml.safe_load(file.read_text(encoding="utf-8"))["sections"]:
            for item in section["items"]:
                shown |= {name for part in [item, *item.get("parts", [])] for name in part.get("show", [])}
    files = {name for name in shown if ":" not in name}
    assert len(files) > 10
    assert [name for name in sorted(files) if not any(fnmatch.fnmatch(name, path) for path in known)] == []


# reading and writing

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)
# control characters are refused where a cohort is read; a spreadsheet's formula gets an apostrophe when it is written
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).filter(lambda t: not is_formula(t))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(TEXTS, NUMBERS, st.integers(0, 2**53), st.booleans()), min_size=1, max_size=5))
def test_what_is_written_is_read_to_the_last_bit(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "lasso_cv.csv"
    table = pd.DataFrame(
        {
            "lambda": [row[1] for row in rows],
            "mean_error": 0.1 + 0.2,
            "se": math.nan,
            "n_features": [row[2] for row in rows],
            "min": [row[3] for row in rows],
            "one_se": False,
        }
    )
    tables.write("lasso_cv", table, path, simulated=True)
    read = tables.read("lasso_cv", path)
    pd.testing.assert_frame_equal(read, table, check_exact=True)
    before = path.read_bytes()
    tables.write("lasso_cv", read, path, simulated=True)
    assert path.read_bytes() == before
    notes = pd.DataFrame({"checklist": [row[0] for row in rows]})
    tables.write("checklists", complete("checklists", notes.assign(status="filled")), path)
    assert list(tables.read("checklists", path)["checklist"]) == [row[0] for row in rows]


def test_a_small_table_is_read_once_while_its_file_is_the_same(tmp_path, monkeypatch):
    path, parsed, cells = tmp_path / "checklists.csv", [], tables._cells
    one, two = (complete("checklists", pd.DataFrame({"checklist": [n], "status": "filled"})) for n in ("one", "two"))
    tables.write("checklists", one, path)
    monkeypatch.setattr(tables, "_cells", lambda source, name: parsed.append(source) or cells(source, name))
    first = tables.read("checklists", path)
    first["checklist"] = "changed by its reader"
    assert list(tables.read("checklists", path)["checklist"]) == ["one"]
    assert parsed == [path]
    tables.write("checklists", two, path)
    assert list(tables.read("checklists", path)["checklist"]) == ["two"]


def test_missing_cells(tmp_path):
    """An empty text is a text, an empty number is not a number, and no word means missing."""
    rows = [
        {"step": "registered", "reason": "NA", "partition": "", "excluded": 0, "remaining": 5, "events": None},
        {"step": "partition", "reason": "", "partition": "nan", "excluded": 0, "remaining": 5, "events": 2},
    ]
    tables.write("flow", tables.assemble("flow", rows), tmp_path / "flow.csv")
    flow = tables.read("flow", tmp_path / "flow.csv")
    assert list(flow["reason"]) == ["NA", ""] and list(flow["partition"]) == ["", "nan"]
    assert flow["remaining"].dtype == "int64" and flow["events"].dtype == "float64"
    assert math.isnan(flow["events"][0]) and flow["events"][1] == 2
    assert (tmp_path / "flow.csv").read_text().splitlines()[1:] == ["registered,NA,,0,5,", "partition,,nan,0,5,2"]


def test_further_columns_are_texts(tmp_path):
    people = complete("participants", pd.DataFrame({"patient_id": ["007"], "partition": "training", "age": ["49.0"]}))
    tables.write("participants", people, tmp_path / "p.csv", simulated=True)
    read = tables.read("participants", tmp_path / "p.csv")
    assert list(read.columns) == ["patient_id", "centre", "partition", "label", "age"]
    assert read.loc[0, "patient_id"] == "007" and read.loc[0, "age"] == "49.0" and read.loc[0, "label"] == 0
    assert (tmp_path / "p.csv").read_text().splitlines()[0].endswith(",age,simulated")


def test_parquet(tmp_path):
    features = pd.DataFrame({"patient_id": ["a"], "reader": ["1"], "x": [0.1 + 0.2], "y": [np.nan]})
    tables.write("features", iter([features, features]), tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(
        tables.read("features", tmp_path / "f.parquet"), pd.concat([features] * 2, ignore_index=True)
    )
    assert list(tables.read("features", tmp_path / "f.parquet", only=["y", "z", "reader"])) == ["reader", "y"]
    with pytest.raises(TableError, match=r"f\.parquet, column 'reader'.*also reader"):
        tables.write("features", features.drop(columns="reader"), tmp_path / "f.parquet")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(extra=1), "column 'extra': found a column that the contract 'delong' does not declare"),
        (lambda t: t.drop(columns=["z", "p"]), "column 'z': found the columns .*also z, p"),
        (lambda t: t[t.columns[::-1]], "expected the order partition, model_a"),
        (lambda t: t.assign(auc_a="high"), "column 'auc_a': found 'high'; expected a number"),
        (lambda t: t.assign(n=1.5), "column 'n': found '1.5'; expected a whole number"),
        (lambda t: t.assign(n=None), "column 'n': found ''; expected a whole number"),
        (lambda t: t.assign(partition="test"), "column 'partition': found 'test'; expected one of training, testing"),
    ],
)
def test_a_wrong_table_is_refused_when_it_is_written(tmp_path, change, message):
    table = complete("delong", pd.DataFrame({"partition": ["training"], "n": 9}))
    tables.write("delong", table, tmp_path / "delong.csv")
    with pytest.raises(TableError, match=message):
        tables.write("delong", change(table), tmp_path / "wrong.csv")
    assert not (tmp_path / "wrong.csv").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"predictions\.csv: found no file"),
        ("", r"predictions\.csv: found No columns"),
        ("patient_id,partition,label,score\n", "column 'probability': found the columns patient_id, .*Snakemake again"),
        (
            "patient_id,partition,label,score,probability\nP7,training,2,1,0.5\n",
            "patient P7, column 'label': found '2'",
        ),
        ("patient_id,partition,label,score,probability\nP7,training,,1,0.5\n", "patient P7, column 'label': found ''"),
        ("patient_id,partition,label,score,probability\nP7,training,1,1,half\n", "column 'probability': found 'half'"),
    ],
)
def test_a_wrong_file_is_refused_with_file_column_and_remedy(tmp_path, content, message):
    path = tmp_path / "predictions.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(TableError, match=message):
        tables.read("predictions", path)


def test_tables_of_a_model_without_rows_have_one_header(tmp_path):
    for name in MODEL_FILES:
        if contract(name).columns:
            tables.write(name, tables.assemble(name), tmp_path / f"{name}.csv")
            assert tables.read(name, tmp_path / f"{name}.csv").empty


# a column added in one place

MADE_UP = TableColumn(
    "balanced_accuracy", "Mean of sensitivity and specificity.", "Balanced accuracy", "0 to 1", "number", "BA"
)


@pytest.fixture
def wider(monkeypatch):
    """``performance.csv`` with one column more."""
    performance = contract("performance")
    monkeypatch.setitem(CONTRACTS, "performance", replace(performance, columns=(*performance.columns, MADE_UP)))


def performance_rows(**more: float) -> pd.DataFrame:
    row = {"model": "m", "partition": "testing", "n": 10, "events": 4, "ci_method": "delong", **more}
    return complete("performance", pd.DataFrame([row]))


def beside(folder: Path, performance: pd.DataFrame) -> pd.DataFrame:
    """A published balanced accuracy beside the run's."""
    from her2radiomics.manuscript.published import PublishedNumber, Results, published_table

    save("performance", performance, folder / "tables/performance.csv")
    save("performance_extra", None, folder / "tables/performance_extra.csv")
    number = PublishedNumber(
        quantity="balanced_accuracy", model="m", partition="testing", value="0.4", source="Table 2"
    )
    return published_table([number], Results(folder), simulated=False)


def test_without_its_declaration_the_column_is_refused_everywhere(tmp_path):
    from pydantic import TypeAdapter, ValidationError

    from her2radiomics.core.errors import SettingsError
    from her2radiomics.manuscript.tables import TableSettings

    options = {"kind": "performance", "id": "table_3_p", "title": "P", "measures": ["balanced_accuracy"]}
    with pytest.raises(ValidationError, match="found 'balanced_accuracy', which performance.csv does not hold"):
        TypeAdapter(TableSettings).validate_python(options)
    with pytest.raises(SettingsError, match="unknown published quantity 'balanced_accuracy'"):
        beside(tmp_path, performance_rows())
    with pytest.raises(TableError, match="column 'balanced_accuracy'.*or declare the column there"):
        tables.write("performance", performance_rows(balanced_accuracy=0.55), tmp_path / "performance.csv")


def test_a_declared_column_is_accepted_printed_labelled_and_documented(wider, tmp_path):
    from pydantic import TypeAdapter

    from her2radiomics.manuscript.published import PublishedNumber, quantities
    from her2radiomics.manuscript.tables import TableInputs, TableSettings
    from her2radiomics.study.reference import contracts_page

    assert (
        "balanced_accuracy" in measures() and "balanced_accuracy" in quantities() and "balanced_accuracy" not in rates()
    )
    path = tmp_path / "performance.csv"
    with pytest.raises(TableError, match="also balanced_accuracy"):  # where nobody computes it
        tables.write("performance", performance_rows().drop(columns="balanced_accuracy"), path)
    tables.write("performance", performance_rows(balanced_accuracy=0.55), path)
    judged = tables.read("performance", path)

    content = {"kind": "performance", "id": "table_3_p", "title": "P", "measures": ["balanced_accuracy", "brier"]}
    options = TypeAdapter(TableSettings).validate_python(content)
    assert "balanced_accuracy" in str(TypeAdapter(TableSettings).json_schema())
    inputs = TableInputs(
        columns={}, partitions={"testing": "Test"}, models={"m": "M"}, simulated=False, performance=path
    )
    table = options.make(inputs)
    assert [heading.label for heading in table.headings] == ["n (events)", "BA", "Brier score"]
    assert table.data["balanced_accuracy"].iloc[-1] == "0.550"
    assert "BA: balanced accuracy." in table.footnotes

    published = beside(tmp_path, judged)
    assert published["reproduced"].tolist() == [0.55]
    assert published["reproduced_text"].tolist() == ["0.550"]
    with pytest.raises(ValueError, match="found 40, expected 0 to 1"):
        PublishedNumber(quantity="balanced_accuracy", model="m", partition="testing", value="40", source="Table 2")
    assert quantities()["balanced_accuracy"].label == "Balanced accuracy"
    assert (
        "| `balanced_accuracy` | number | 0 to 1 | Balanced accuracy (BA) | Mean of sensitivity and specificity. |"
        in contracts_page()
    )
