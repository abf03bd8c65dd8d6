"""Reporting checklists: items and points against the publications, statuses against facts, files that hold."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from checklist_results import write_results

from her2radiomics.checklists.files import contents, read_checklists
from her2radiomics.checklists.fill import fill, holds, sentence, shown_by
from her2radiomics.checklists.results import result_facts
from her2radiomics.checklists.settings import Checklist, ChecklistRun, Evidence, best_points
from her2radiomics.cohort.partitions import RandomPartition
from her2radiomics.core.errors import SettingsError, StudyError
from her2radiomics.core.settings import validate
from her2radiomics.study.checklist_facts import _partitions, static_facts
from her2radiomics.study.checklist_files import checklist_run
from her2radiomics.study.plan import Plan

STUDIES = ("nat_response", "her2_equivocal", "her2_peritumoral", "her2_nomogram")


@pytest.fixture(scope="module")
def lists(root: Path) -> dict[str, Checklist]:
    files = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    return {item.id: item for item in read_checklists(files)}


@pytest.fixture(scope="module")
def runs(root: Path) -> dict[str, ChecklistRun]:
    plan = Plan({"runs": [{"study": study} for study in STUDIES]}, root / "workflow")
    extraction = root / "workflow" / "extraction"
    return {study: checklist_run(plan.runs[study], plan.config, extraction) for study in STUDIES}


def facts_of(run: ChecklistRun, folder: Path) -> dict[str, Any]:
    return {**run.facts, **result_facts(folder, run)}


def with_facts(run: ChecklistRun, facts: dict[str, Any]) -> ChecklistRun:
    return run.model_copy(update={"facts": facts})


def statuses(checklist: Checklist, run: ChecklistRun, facts: dict[str, Any]) -> dict[str, str]:
    filled = fill(checklist, with_facts(run, facts))
    return {item.number: item.status for item in filled.items}


# the lists themselves


def test_items_and_points_are_the_publications(lists):
    # Kocak 2023: 58 items. Kocak 2024: 30 items. Collins 2024: 27 items, 52 with their parts. Lambin 2017: 16 items,
    # -8 to 36 points. IBSI reference manual: 76 items.
    assert {name: len(item.all_items) for name, item in lists.items()} == {
        "clear": 58, "metrics": 30, "tripod_ai": 52, "rqs": 16, "ibsi": 104,
    }  # fmt: skip
    assert lists["tripod_ai"].main_items == 27 and lists["ibsi"].main_items == 76
    rqs = lists["rqs"].all_items
    assert sum(map(best_points, rqs)) == 36
    assert sum(item.floor for item in rqs) == -8


def test_metrics_weights_by_category(lists):
    # category weights of METRICS (Kocak 2024, Table 1, summed)
    made = {s.title: round(sum(i.points for i in s.items), 4) for s in lists["metrics"].sections}
    assert list(made.values()) == [0.2022, 0.1460, 0.0674, 0.1348, 0.0900, 0.0899, 0.1348, 0.1124, 0.0225]
    assert sum(made.values()) == pytest.approx(1)


def test_a_list_with_an_item_too_few_is_refused(lists):
    content = lists["rqs"].model_dump(by_alias=True, exclude_none=True)
    content["sections"][0]["items"].pop()
    with pytest.raises(SettingsError, match="found 15 items, expected 16"):
        validate(Checklist, content, "file")


def test_evidence_needs_a_file():
    item = {"number": "1", "text": "t", "evidence": "tested"}
    content = {
        "id": "a",
        "name": "A",
        "title": "t",
        "citation": "c",
        "items": 1,
        "sections": [{"title": "s", "items": [item]}],
    }
    with pytest.raises(SettingsError, match="evidence needs a file that shows it"):
        validate(Checklist, content, "file")


@pytest.mark.parametrize("study", STUDIES)
def test_every_fact_that_the_lists_name_is_known(lists, runs, study, tmp_path):
    facts = facts_of(runs[study], write_results(tmp_path / "r", runs[study]))
    named = {name for item in lists.values() for entry in item.all_items for name in entry.facts}
    assert named - set(facts) == set()


def test_every_file_that_the_lists_name_is_declared_somewhere(lists, runs):
    wanted = {w for item in lists.values() for entry in item.all_items for p in [entry, *entry.parts] for w in p.show}
    dead = {w for w in wanted if not any(shown_by([w], run) for run in runs.values())}
    assert dead == set()


# filling


@pytest.mark.parametrize("study", STUDIES)
def test_filled_items_link_to_declared_files(lists, runs, study, tmp_path):
    run = runs[study]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    for checklist in lists.values():
        for item in fill(checklist, with_facts(run, facts)).items:
            assert (item.status in ("filled", "partly")) == bool(item.files)
            assert ("Not shown:" in item.statement) == (item.status == "partly")
            assert set(item.files) <= set(run.declared)
            assert item.status != "not done" or item.statement
            assert "{" not in item.statement


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("yes", True),
        ("no", False),
        ("none", False),
        ({"fact": "two", "at_least": 2}, True),
        ({"fact": "two", "at_least": 3}, False),
        ({"fact": "words", "at_least": 2}, True),
        ({"fact": "words", "has": ["b", "x"]}, True),
        ({"fact": "words", "has": ["x"]}, False),
        ({"fact": "kind", "is": ["centre", "temporal"]}, True),
        ({"fact": "kind", "is": "random"}, False),
        ({"all": ["yes", {"not": "no"}]}, True),
        ({"all": ["yes", "no"]}, False),
        ({"any": ["no", "yes"]}, True),
        ({"any": ["no", "none"]}, False),
    ],
)
def test_evidence(condition, expected):
    facts = {"yes": True, "no": False, "none": [], "two": 2, "words": ["a", "b"], "kind": "centre"}
    assert holds(Evidence.model_validate(condition), facts) is expected


def test_an_unknown_fact_is_named():
    with pytest.raises(SettingsError, match="no fact 'nonsense'"):
        holds(Evidence.model_validate("nonsense"), {"yes": True})
    with pytest.raises(SettingsError, match="no fact 'nonsense'"):
        sentence("Of {nonsense}.", {"yes": True})


def test_sentences():
    assert sentence("models: {names}.", {"names": ["a", "b"]}) == "Models: a, b."
    assert sentence("{text}.", {"text": "It ends."}) == "It ends."


def test_intent_is_not_ticked(lists, runs, tmp_path):
    """A reproducibility filter that found too few patients, or a file that no rule makes, leaves the item open."""
    run = runs["nat_response"]
    done = facts_of(run, write_results(tmp_path / "a", run))
    assert statuses(lists["clear"], run, done)["31"] == "filled"
    note = "not assessed: 4 training patients were read twice, expected 10"
    failed = facts_of(run, write_results(tmp_path / "b", run, note))
    assert failed["icc_assessed"] is False
    assert statuses(lists["clear"], run, failed)["31"] == "not done"
    assert statuses(lists["metrics"], run, failed)["14"] == "not done"
    bare = run.model_copy(update={"declared": [f for f in run.declared if not f.startswith("features/")]})
    assert statuses(lists["clear"], bare, done)["31"] == "not done"
    assert statuses(lists["metrics"], bare, done)["12"] == "for the author"


def test_internal_and_external_testing_are_told_apart(lists, runs, tmp_path):
    # one study holds a centre out, another splits at random and has later cases of the same centre or others
    run = runs["nat_response"]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    assert (facts["tested_within"], facts["tested_elsewhere"], facts["other_centres"]) == (False, True, 1)
    made = statuses(lists["metrics"], run, facts)
    assert (made["26"], made["27"]) == ("not done", "filled")
    made = statuses(lists["rqs"], run, facts)
    assert [made[f"12.{i}"] for i in range(1, 6)] == ["not done", "filled", *["not done"] * 3]


def test_scores_by_hand(lists, runs, tmp_path):
    """RQS and METRICS of one run, added up by hand from the publications' points."""
    run = runs["nat_response"]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    rqs = fill(lists["rqs"], with_facts(run, facts)).score
    # shown: 2 readers 1, reduction 3, with clinical 1, cut-off 1, discrimination 2, calibration 2, another institute 3,
    # decision curve 2 = 15; the author's: protocols 2, phantom 1, time 1, biology 1, prospective 7, gold standard 2,
    # cost 1, open science 4 = 19
    assert rqs is not None and (rqs.low, rqs.high) == (15, 34)
    metrics = fill(lists["metrics"], with_facts(run, facts)).score
    assert metrics is not None
    # items that apply: all but 17; shown: 4, 10, 12-15, 18, 20-22, 24, 27; partly 25, which counts as open
    shown = [0.0438, 0.0112, 0.0311, 0.0415, 0.02, 0.02, 0.0599, 0.0352, 0.0234, 0.0176, 0.0293, 0.0749]
    lacking = [0.0117, 0.0375]  # 23 (no model on a single sequence), 26 (no internal test)
    assert facts["minority_per_feature"] == 4.0  # 16 patients of the smaller group, 4 features: item 16 is the author's
    assert metrics.low == pytest.approx(100 * sum(shown) / 0.98)
    assert metrics.high == pytest.approx(100 * (0.98 - sum(lacking)) / 0.98)


def test_results_are_needed(runs, tmp_path):
    run = runs["nat_response"]
    with pytest.raises(StudyError, match=r"performance\.csv: found no file"):
        result_facts(tmp_path, run)
    folder = write_results(tmp_path / "r", run)
    with pytest.raises(StudyError, match="no row of 'other'"):
        result_facts(folder, run.model_copy(update={"primary": "other", "radiomics": []}))


def test_a_brought_feature_table_has_no_extraction(root, runs):
    """Items on images do not apply, or are left to the author, where no image was used."""
    from her2radiomics.study.checklist_facts import extraction_facts

    plan = Plan({"runs": [{"study": "nat_response"}]}, root / "workflow")
    run = plan.runs["nat_response"]
    brought = SimpleNamespace(
        extracted=False,
        protocol=run.protocol,
        dataset=SimpleNamespace(
            data=SimpleNamespace(features=pd.DataFrame(columns=["patient_id", "reader", "a", "b"]))
        ),
    )
    facts = extraction_facts(brought, root / "workflow" / "extraction")
    assert facts["features_total"] == 2 and facts["sequences"] == [] and facts["discretisation_words"] == ""
    assert static_facts(run, plan.config, root / "workflow" / "extraction")["features_total"] == 3375


# files


def test_files(root, runs, tmp_path):
    from docx import Document

    run = runs["nat_response"]
    folder = write_results(tmp_path / "r", run)
    files = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    made = contents(files, run, folder)
    assert made == contents(files, run, folder)
    rows = list(csv.DictReader(io.StringIO(made["csv"].decode("utf-8-sig"))))
    assert len({(row["checklist"], row["number"]) for row in rows}) == len(rows) > 250
    assert {row["simulated"] for row in rows} == {"True"}
    page = made["html"].decode()
    assert "Simulated patients" in page and "http://" not in page and "src=" not in page
    assert all(f'href="{file}"' in page for row in rows for file in row["files"].split(";") if file)
    document = Document(io.BytesIO(made["docx"]))
    lists = dict.fromkeys(row["checklist"] for row in rows)
    assert len(document.tables) == len(document.sections) == len(lists) == 5
    for table, name in zip(document.tables, lists, strict=True):  # headings of sections are rows too
        numbers = [row["number"] for row in rows if row["checklist"] == name]
        assert [number for number in (row.cells[0].text for row in table.rows[1:]) if number in numbers] == numbers


def test_the_page_shows_items_of_one_status(root, runs, tmp_path):
    """A radio button a status with the number of its items, and a rule that hides the others, without a script."""
    run = runs["nat_response"]
    files = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    made = contents(files, run, write_results(tmp_path / "r", run))
    page = made["html"].decode()
    rows = list(csv.DictReader(io.StringIO(made["csv"].decode("utf-8-sig"))))
    for status, number in Counter(row["status"] for row in rows).items():
        name = status.replace(" ", "-")
        assert f'id="show-{name}"> {status} ({number})</label>' in page
        assert f"main:has(#show-{name}:checked) :is(.item:not(.{name})" in page
        assert page.count(f'<div class="item {name}">') == number


def test_items_point_to_the_manuscript(root, lists, runs, tmp_path):
    run = runs["nat_response"]
    files = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    made = contents(files, run, write_results(tmp_path / "r", run))
    rows = {
        (row["checklist"], row["number"]): row for row in csv.DictReader(io.StringIO(made["csv"].decode("utf-8-sig")))
    }
    assert rows["tripod_ai", "1"]["place"] == "Title"
    assert rows["clear", "26"]["place"] == "Methods, Feature extraction"
    assert rows["clear", "26"]["paragraphs"] == "methods.extraction.features"
    # the paragraph is not in this manuscript, or no text writes of the item
    assert rows["clear", "19"]["place"] == rows["tripod_ai", "19"]["place"] == "not in the manuscript"
    assert "Manuscript: Methods, Feature extraction" in made["html"].decode()


def test_what_an_item_points_to_is_in_a_template(root, lists):
    folder = root / "src/her2radiomics"
    templates = [*(folder / "report/templates/methods").glob("*.txt"), *(folder / "article/templates").glob("*.txt")]
    known = {"title", "data", "code", "statements", "results.reproducibility", "methods.reporting"}
    for path in templates:
        prefix = {"methods": "methods."}.get(path.parent.name, "results." if path.stem == "results" else "")
        section = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                section = prefix + line[3:].partition(" | ")[0]
                known.add(section)
            elif line.startswith("-- ") and "{" not in line:
                known.add(f"{section}.{line[3:].strip()}")
    named = {
        name
        for checklist in lists.values()
        for part in checklist.sections
        for item in part.items
        for name in item.written
    }
    # moved to the results, with what the figure of the flow shows
    assert named - known <= {"results.participants.flow"}


def test_page_escapes(root, runs, tmp_path):
    run = runs["nat_response"].model_copy(update={"title": "<script>alert(1)</script>"})
    files = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    page = contents(files, run, write_results(tmp_path / "r", run))["html"].decode()
    assert "<script" not in page and "&lt;script&gt;" in page


def test_what_does_not_hold_is_not_said(lists, runs, tmp_path):
    """Where the evidence fails the sentence of the filled item is not shown, as a draft neither."""
    run = runs["nat_response"]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    made = {item.number: item for item in fill(lists["ibsi"], with_facts(run, facts)).items}
    assert (made["74"].status, made["74"].statement) == ("for the author", "")
    assert (made["76"].status, made["76"].statement) == ("for the author", "")
    assert made["48a"].statement.startswith("The largest slice")  # a draft, where nothing could fill it


def test_names_keep_their_first_letter():
    assert sentence("models/a/model.json holds it.", {}) == "models/a/model.json holds it."
    assert sentence("{s}.", {"s": "fs-T2WI: fat-suppressed"}) == "fs-T2WI: fat-suppressed."


def test_partitions_of_the_studies_in_facts(runs):
    """A held-out centre, a random split, and later cases are separated by who tests."""
    facts = {study: run.facts for study, run in runs.items()}
    assert facts["nat_response"]["partition_words"].startswith("geographic")
    for study in ("her2_equivocal", "her2_peritumoral", "her2_nomogram"):
        assert facts[study]["partition_words"].startswith("random") and facts[study]["tested_within"], study
    assert facts["her2_peritumoral"]["temporal"] and "examined from" in facts["her2_peritumoral"]["testing_words"]
    assert all(fact["simulated"] and not fact["public_images"] for fact in facts.values())


LATER = {"external_from": "2024-01-01"}


@pytest.mark.parametrize("settings", [{}, LATER, {"external_centres": ["c"]}, {"external_centres": ["c"], **LATER}])
@pytest.mark.parametrize("period_has_a_name_of_its_own", [False, True])
def test_later_patients_of_the_same_hospital_are_no_other_centre(settings, period_has_a_name_of_its_own):
    later = "later_period" if period_has_a_name_of_its_own else "a"
    rows = [("P1", "a", "training"), ("P2", "a", "training"), ("P3", "a", "testing")]
    rows += [("P4", later, "external")] * ("external_from" in settings)
    rows += [("P5", "c", "external")] * ("external_centres" in settings)
    table = pd.DataFrame(rows, columns=["patient_id", "centre", "partition"]).assign(exclude_reason="")
    partition = table.set_index("patient_id")["partition"]
    names = SimpleNamespace(
        partitions=RandomPartition(training=0.7, **settings),
        partition_label=str,
        centre_label=str,
        label=SimpleNamespace(positive="yes"),
    )
    run = SimpleNamespace(
        participants=table,
        partition=partition,
        labels=(partition == "training").astype(int),
        partitions=list(dict.fromkeys(partition)),
        protocol=names,
        dataset=SimpleNamespace(data=SimpleNamespace(alike="")),
        shared_persons=(),
    )
    facts = _partitions(run)
    geographic, temporal = "external_centres" in settings, "external_from" in settings
    assert (facts["tested_elsewhere"], facts["other_centres"]) == (geographic, int(geographic))
    assert facts["centres"] == 1 + geographic
    assert facts["temporal"] == temporal == ("temporal" in facts["testing_words"])
    assert ("other centre" in facts["testing_words"]) == geographic
    assert facts["tested"] and facts["tested_within"]
    assert ("temporal" in facts["partition_words"], "other centres" in facts["partition_words"]) == (
        temporal,
        geographic,
    )


def test_a_temporal_test_fills_no_item_on_other_centres(lists, runs, tmp_path):
    run = runs["her2_peritumoral"]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    assert statuses(lists["metrics"], run, facts)["4"] == "not done"
    assert statuses(lists["metrics"], run, facts)["27"] == "not done"
    made = statuses(lists["rqs"], run, facts)
    assert made["12.1"] == "filled" and {made[f"12.{i}"] for i in range(2, 6)} == {"not done"}
    said = " ".join(item.statement for name in lists for item in fill(lists[name], with_facts(run, facts)).items)
    assert "2 centres" not in said and "July 2020" not in said


def test_models_of_single_sequences_are_found_through_the_parts_of_a_model(runs):
    # R1 combines models of one sequence each; the models of nat_response take all sequences
    assert runs["her2_peritumoral"].facts["uniparametric"] and runs["her2_equivocal"].facts["uniparametric"]
    assert not runs["nat_response"].facts["uniparametric"]


def test_an_item_is_filled_only_when_nothing_is_lacking(lists, runs, tmp_path):
    run = runs["nat_response"]
    facts = facts_of(run, write_results(tmp_path / "r", run))
    whole = {"inclusion": ["a"], "exclusions": ["b"]}
    for change, status in (({}, "filled"), ({"inclusion": []}, "partly"), ({"exclusions": []}, "partly")):
        assert statuses(lists["tripod_ai"], run, facts | whole | change)["6b"] == status
    neither = {"inclusion": [], "exclusions": []}
    assert statuses(lists["tripod_ai"], run, facts | neither)["6b"] == "for the author"
    # what needs reasons or subgroups is never filled by a run
    assert statuses(lists["clear"], run, facts)["39"] == "partly"
    assert {statuses(lists["tripod_ai"], run, facts)[number] for number in ("12e", "23a")} == {"partly"}


def test_real_features(root, lists, real_data):
    """I-SPY 2 brings features and no images: what needs images is the author's, and fourteen sites are counted."""
    folder = real_data / "ispy2_mri_features"
    if not folder.is_dir():
        pytest.skip("HER2RADIOMICS_DATA holds no ispy2_mri_features")
    config = {"runs": [{"study": "nat_response", "cohort": "ispy2"}], "data": {"ispy2": str(folder)}}
    plan = Plan(config, root / "workflow")
    run = checklist_run(next(iter(plan.runs.values())), plan.config, root / "workflow" / "extraction")
    facts = run.facts
    assert not facts["simulated"] and not facts["extracted"] and facts["sequences"] == []
    assert facts["centres"] == 14 and facts["tested_elsewhere"]
    assert facts["cohort_licence"].startswith("CC BY")
    made = statuses(lists["ibsi"], run, facts | {"icc_assessed": False, "icc_words": ""})
    assert {made[number] for number in ("37", "41", "45", "50a", "56b", "61")} == {"for the author"}


def test_sentences_of_several_facts_end_each():
    facts = {"acquisition": "DWI, b 0 and 800 s/mm²", "injection": "Gd-DTPA was given at 0.1 mmol/kg", "readers": ""}
    assert sentence("{acquisition} {injection}", facts) == "DWI, b 0 and 800 s/mm². Gd-DTPA was given at 0.1 mmol/kg."
    assert sentence("{acquisition} {readers}", facts) == "DWI, b 0 and 800 s/mm²."
    assert sentence("Images: {acquisition}.", facts | {"acquisition": "DWI."}) == "Images: DWI."
