"""The text of a manuscript: bound numbers, its shapes, the order of floats, spelling, and templates without numbers."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from report_run import TABLES, build, describe, protocol, used_software
from table_run import make_run
from workflow_run import ROOT

from her2radiomics.article import numbers
from her2radiomics.article.document import (
    Bound,
    Cite,
    CrossReference,
    FigureBlock,
    ForAuthor,
    Heading,
    Manuscript,
    Paragraph,
    TableBlock,
    Words,
    runs_of,
)
from her2radiomics.article.spelling import spelled
from her2radiomics.article.text import write
from her2radiomics.core import software
from her2radiomics.core.bound import MOST_KEY, NUMBER
from her2radiomics.core.errors import StudyError
from her2radiomics.core.tables import read
from her2radiomics.extraction import read_parameters
from her2radiomics.manuscript.tables import TableSettings
from her2radiomics.manuscript.tables import render as render_table
from her2radiomics.report.facts import printed_settings
from her2radiomics.report.methods import for_page, methods
from her2radiomics.study.descriptions import read_run_info

TEMPLATES = [
    *(ROOT / "src/her2radiomics/report/templates/methods").glob("*.txt"),
    *(ROOT / "src/her2radiomics/article/templates").glob("*.txt"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, arguments = build(tmp_path_factory.mktemp("article"))
    return folder, {name: arguments[name] for name in ("parameters", "records")}


def shape(made, run: dict | None = None, **changes) -> tuple[Manuscript, Path]:
    """Manuscript of the made run with other facts and changes of its protocol; its folder, with the settings."""
    folder, arguments = made
    keys = run or {}
    if changes.get("primary_model") == "clinical":
        arguments = arguments | {"records": []}
    if keys.get("extracted") is False:
        arguments = arguments | {"parameters": []}
    info = read_run_info(describe(protocol=protocol() | changes, **keys))
    contents = {Path(path).stem: read_parameters(path) for path in arguments["parameters"]}
    settings = printed_settings(info, contents, software.read_records(arguments["records"]))
    (folder / "manuscript").mkdir(exist_ok=True)
    (folder / "manuscript/settings.json").write_text(json.dumps(settings), encoding="utf-8")
    return write(folder, info, **arguments), folder


def text_of(block) -> str:
    parts = {Words: "text", Bound: "text", ForAuthor: "text", Cite: None, CrossReference: "target"}
    return "".join("" if parts[type(run)] is None else getattr(run, parts[type(run)]) for run in runs_of(block))


def paragraphs(manuscript: Manuscript) -> dict[str, str]:
    return {block.id: text_of(block) for block in manuscript.blocks if isinstance(block, Paragraph)}


CLINICAL = {
    "models": {"clinical": {"kind": "clinical", "candidates": ["age", "ki67"], "keep": "all"}},
    "model_labels": {"clinical": "Clinical"},
    "primary_model": "clinical",
    "figures": [],
    "tables": [TABLES[0]],
    "sequences": {},
    "run": {"extracted": False},
}
SHAPES = {
    "whole": {},
    "brought": {"run": {"extracted": False}},
    "no radiomics": CLINICAL,
    "training alone": {"run": {"partitions": ["training"]}},
    "random": {"partitions": {"kind": "random", "training": 0.7}},
    "real": {"run": {"simulated": False}},
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_number_is_bound_and_is_what_its_cell_prints(made, name):
    manuscript, folder = shape(made, **SHAPES[name])
    assert numbers.unbound(manuscript) == []
    assert numbers.stale(manuscript, folder) == []
    printed: dict[str, set[str]] = {}
    for place in numbers.places(manuscript):
        printed.setdefault(place.number.key, set()).add(place.number.text)
        assert len(place.number.key) <= MOST_KEY and re.fullmatch(r"[A-Za-z0-9._-]+", place.number.key)
    assert len(printed) > 30 and all(len(texts) == 1 for texts in printed.values())


def test_a_number_that_changed_is_named(made, tmp_path):
    manuscript, folder = shape(made)
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    path = copy / "tables/performance.csv"
    table = read("performance", path)
    table.loc[(table["model"] == "nomogram") & (table["partition"] == "testing"), "auc"] = 0.111
    table.to_csv(path, index=False)
    stale = {number.key: now for number, now in numbers.stale(manuscript, copy)}
    assert stale["performance.nomogram.testing.auc.fixed-2"] == "0.11"
    with pytest.raises(StudyError, match="expected '0.11', as tables/performance.csv has it in 'auc'"):
        numbers.checked(manuscript, copy)
    assert numbers.checked(manuscript, folder) == []


def test_the_table_of_numbers_names_the_cell(made):
    manuscript, _ = shape(made)
    rows = list(csv.DictReader(io.StringIO(numbers.to_csv(manuscript))))
    assert len(rows) == len(list(numbers.places(manuscript)))
    row = next(row for row in rows if row["key"] == "performance.nomogram.testing.auc.fixed-2")
    assert (row["file"], row["column"], row["rounding"]) == ("tables/performance.csv", "auc", "fixed 2")
    assert row["row"] == "model=nomogram; partition=testing" and row["section"] == "Abstract"
    per = next(row for row in rows if row["rounding"].startswith("quotient"))
    assert per["section"] == "Discussion, Limitations" and " | " in per["column"]


def test_places_are_sections_and_headings(made):
    manuscript, _ = shape(made)
    found = numbers.printed_places(manuscript)
    assert found["methods.extraction.features"] == "Methods, Feature extraction"
    assert found["abstract.results"] == "Abstract, Results" and found["title"] == "Title"
    assert "methods.extraction" not in found  # a heading is no paragraph
    assert numbers.places_csv(manuscript).splitlines()[0] == "paragraph,place,simulated"


# shapes


def test_a_study_without_held_out_patients(made):
    text = paragraphs(shape(made, {"partitions": ["training"]})[0])
    assert text["limitations.external"].startswith("No patients were held out")
    assert "tested in" not in text["abstract.methods"] and "other sets" not in " ".join(text.values())
    assert "apparent AUC" in text["results.performance.training"]


def test_a_study_without_image_features(made):
    manuscript, _ = shape(made, **CLINICAL)
    text = paragraphs(manuscript)
    whole = " ".join(text.values())
    for word in (" radiomics", "PyRadiomics", "region of interest", "DeLong's tests", "were compared by DeLong"):
        assert word not in whole, word
    assert not any(isinstance(block, Heading) and block.id == "methods.extraction" for block in manuscript.blocks)
    assert "the clinical model was developed" in text["abstract.methods"]


def test_a_study_with_brought_features(made):
    text = paragraphs(shape(made, {"extracted": False})[0])
    assert "none was extracted from images" in text["methods.extraction.brought"]
    assert "Image features were supplied as a table." in text["abstract.methods"]
    assert "methods.regions.outlines" not in text


def test_a_study_with_survival(made, tmp_path):
    item = {
        "id": "table_5_survival",
        "kind": "survival",
        "title": "Survival",
        "endpoints": [{"label": "Overall survival", "time": "os_months", "event": "os_event", "event_level": "1"}],
    }
    run = make_run(tmp_path / "run")
    shutil.copytree(made[0], tmp_path / "whole")
    settings = TypeAdapter(TableSettings).validate_python(item)
    render_table(settings, run.inputs, tmp_path / "whole/tables/table_5_survival")
    manuscript, folder = shape((tmp_path / "whole", made[1]), tables=[*TABLES, item])
    text = paragraphs(manuscript)
    assert "Kaplan–Meier" in text["methods.statistics.survival"]
    assert re.search(r"log-rank test gave p [=<] [0-9.]+ for overall survival", text["results.survival.tables"])
    assert numbers.stale(manuscript, folder) == [] == numbers.unbound(manuscript)


def test_limitations_follow_from_the_run(made):
    text = paragraphs(shape(made)[0])
    assert "One centre trained and one tested" in text["limitations.external"]
    assert "limitations.split" not in text
    assert "per predictor make coefficients unstable" in text["limitations.events"]
    assert "The patients are simulated" in text["limitations.simulated"]
    real = paragraphs(shape(made, {"simulated": False, "title": "Hospital"})[0])
    assert "imulated" not in " ".join(real.values())
    random = paragraphs(shape(made, partitions={"kind": "random", "training": 0.7})[0])
    assert random["limitations.split"].startswith("Patients were split once at random")
    assert "to the training set (70%) or the test set" in random["methods.patients.partitions"]


# tables and figures


def test_floats_follow_the_paragraph_that_names_them(made):
    manuscript, _ = shape(made)
    seen: set[str] = set()
    placed = []
    for block in manuscript.body:
        seen |= {run.target for run in runs_of(block) if isinstance(run, CrossReference)}
        if isinstance(block, TableBlock | FigureBlock):
            assert block.id in seen, block.id
            placed.append(block.id)
    rest = [block.id for block in manuscript.supplement if isinstance(block, TableBlock | FigureBlock)]
    assert sorted([*placed, *rest]) == sorted(
        [*(item["id"] for item in TABLES), "figure_1_flow", "figure_5b_roc", "figure_5c_roc"]
    )
    assert len({block.id for block in manuscript.blocks}) == len(manuscript.blocks)


def test_citations_are_in_the_references(made):
    manuscript, _ = shape(made)
    cited = {key for _, run in manuscript.runs() if isinstance(run, Cite) for key in run.keys}
    assert cited == manuscript.references.keys() and {"collins_2024", "kocak_2023", "delong_1988"} <= cited


def test_the_author_is_asked_for_what_only_the_author_knows(made):
    manuscript, _ = shape(made)
    asked = [block.id for block, run in manuscript.runs() if isinstance(run, ForAuthor)]
    assert asked == [
        "abstract.background",
        "abstract.conclusion",
        "introduction.background",
        "discussion.interpretation",
        "statements.author",  # ethics, which the protocol does not state
        "statements.author",
    ]


def test_page_and_manuscript_print_the_same_methods(made):
    from her2radiomics.article.text import facts_of

    folder, arguments = made
    facts = facts_of(folder, read_run_info(describe()), arguments["parameters"], arguments["records"])
    page = " ".join(text for part in for_page(methods(facts, counted=False), facts) for text in part.paragraphs)
    for block in shape(made)[0].body:
        if (
            isinstance(block, Paragraph)
            and block.id.startswith("methods.")
            and not block.id.startswith("methods.reporting")
        ):
            words = "".join(run.text for run in block.runs if isinstance(run, Words | Bound))
            if not any(isinstance(run, CrossReference) for run in block.runs):
                assert words in page, block.id


# words and templates


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_number_stands_in_a_template(path):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    code = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.S)
    literals = [literal for part in code for literal in re.findall(r'"([^"]*)"', part)]
    words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", text, flags=re.S)
    assert [NUMBER.findall(part) for part in (words, *literals) if NUMBER.findall(part)] == []


def test_spelling_is_of_words_alone():
    british = "Tumour volume in the neighbouring centre was analysed, TUMOUR.txt and features.tumour too"
    american = "Tumor volume in the neighboring center was analyzed, TUMOUR.txt and features.tumour too"
    assert spelled(british, "american") == american and spelled(american, "british") == british
    assert spelled("grey-level matrices, tumours", "american") == "gray-level matrices, tumors"


def test_an_american_manuscript(made):
    folder, arguments = made
    manuscript = write(folder, read_run_info(describe()), **arguments, spelling="american")
    words = " ".join(run.text for _, run in manuscript.runs() if isinstance(run, Words))
    assert manuscript.language == "en-US" and "tumor" in words and "gray-level" in words
    assert not re.search(r"\b(tumours?|grey|normalised|centres?)\b", words)


def test_software_is_named(made, tmp_path):
    records = [used_software(tmp_path, "scikit-learn")]
    text = paragraphs(write(made[0], read_run_info(describe()), parameters=made[1]["parameters"], records=records))
    assert "scikit-learn" in text["methods.software.versions"]
