"""Audit, checklists, variants, statistics and references on the page."""

from __future__ import annotations

import shutil

import pytest
from methods_text import references_of, sections_of
from report_run import build, build_context, describe, protocol, used_software
from workflow_run import ROOT

from her2radiomics.audit.files import write
from her2radiomics.audit.paper import audit, read_audit
from her2radiomics.report import RunInfo, page
from her2radiomics.report.references import library, printed
from her2radiomics.study.descriptions import read_run_info

CHECKLISTS = """checklist,number,section,item,status,statement,files,place,paragraphs,points,simulated
tripod_ai,1,Title,Title,for the author,,,,,,True
tripod_ai,2,Methods,Data,filled,Said.,cohort/flow.csv,,,,True
rqs,1,Image,Protocol,not done,,,,,0,True
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(tmp_path_factory.mktemp("evidence"))


def info_of(**changes) -> RunInfo:
    return read_run_info(describe(protocol=protocol() | changes))


def test_audit_and_checklists_stand_on_the_page(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    paper = read_audit(ROOT / "workflow" / "audits" / "nat_response.yaml")
    rows = audit(paper)
    write(paper, rows, folder / "tables" / "audit")
    (folder / "checklists.csv").write_text(CHECKLISTS, encoding="utf-8")
    context = build_context(folder, describe())
    assert context.audit is not None and context.checklists is not None
    assert sum(len(group.findings) for group in context.audit.groups) == len(rows)
    assert context.audit.groups[0].verdict == "inconsistent"
    assert context.checklists.summary.rows == (
        ("TRIPOD+AI", "2", "1", "0", "1", "0", "0"),
        ("RQS", "1", "0", "0", "0", "1", "0"),
    )
    text = page(context)
    assert 'id="audit"' in text and 'href="tables/audit.docx"' in text and 'href="checklists.html"' in text


def test_pages_without_evidence_have_no_section_of_it(made):
    text = page(build_context(made[0], describe()))
    assert 'id="audit"' not in text and 'id="checklists"' not in text


def test_variants_say_how_to_run_them(made):
    content = protocol() | {"variants": {"other": {"description": "The other side.", "changes": {}}}}
    text = page(build_context(made[0], describe(protocol=content)))
    assert "- {study: nat_response, variant: other}" in text
    assert "results/nat_response--other--simulated" in text
    ran = build_context(made[0], describe(protocol=content, request={"variant": "other", "cohort": "hospital"}))
    assert [(request.variant, request.id) for request, _ in ran.variants] == [
        ("default", "nat_response--default--hospital")
    ]
    assert "This run is the alternative" in page(ran)


def test_survival_and_groups_are_told():
    curves = {"time": "age", "event": "tic", "endpoint": "Overall survival"}
    figures = [{"id": "figure_2_os", "kind": "kaplan_meier", "title": "Survival", **curves}]
    described = {"columns": ["age", "ki67"], "variances": "student"}
    tables = [{"id": "table_1_a", "kind": "baseline", "title": "Patients", **described}]
    groups, survival = sections_of(info_of(figures=figures, tables=tables), "statistics")["statistics"]
    assert "Student's t test" in groups and "Shapiro–Wilk" in groups and "χ² test without continuity" in groups
    assert survival.startswith("Overall survival was estimated by the Kaplan–Meier method")
    assert "statistics" not in sections_of(info_of(figures=[], tables=[]), "statistics")


def test_agreement_collinearity_correlation_and_cox_are_told(made):
    ends = [{"label": "Overall survival", "time": "t", "event": "e"}]
    tables = [
        {"id": "table_1_a", "kind": "baseline", "columns": ["age"], "tests": {"*": "pearson"}},
        {"id": "table_2_s", "kind": "survival", "endpoints": ends, "follow_up": True},
        {"id": "table_3_c", "kind": "cox", "endpoints": ends, "columns": ["age"]},
        {"id": "table_4_k", "kind": "agreement", "readings": {"a": "b"}, "weights": "linear"},
        {"id": "table_5_v", "kind": "collinearity", "columns": ["a", "b"]},
        {"id": "table_6_r", "kind": "correlation", "columns": ["a"]},
    ]
    names = ("age", "a", "b", "t", "e")
    columns = {name: {"label": name, "kind": "continuous"} for name in names}
    info = info_of(
        figures=[],
        tables=[{"title": "Made"} | item for item in tables],
        columns=columns,
        models={"radiomics": protocol()["models"]["radiomics"]},
        model_labels={},
        primary_model="radiomics",
    )
    groups, survival, relations = sections_of(info, "statistics")["statistics"]
    assert "χ² test without continuity correction." in groups and "Fisher" not in groups
    assert "Cox's proportional-hazards model." in survival and "reverse Kaplan–Meier method" in survival
    assert "Cohen's κ, with linear weights" in relations and "variance inflation factors" in relations
    assert relations.endswith("Spearman's rank correlations.")
    for key in ("cox_1972", "schemper_1996", "cohen_1968"):
        assert printed(library()[key]) in references_of(info, folder=made[0])


def test_references_are_those_of_what_was_used(made, tmp_path):
    folder, arguments = made
    records = [used_software(tmp_path, "python", "pyradiomics-bhklab", "pandas")]
    context = build_context(folder, describe(), **arguments | {"records": records})
    found = context.methods[-1].paragraphs
    keys = {entry["id"] for entry in library().values() if printed(entry) in found}
    used = {"van_griethuysen_2017", "mckinney_2010", "mcgraw_1996", "tibshirani_1996", "clopper_1934", "vickers_2006"}
    assert used <= keys
    assert not {"davidson_pilon_2019", "johnson_2007", "kaplan_1958", "breiman_2001"} & keys


def test_references_are_printed_as_medical_journals_do():
    assert printed(library()["friedman_2010"]) == (
        "Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models via coordinate descent. "
        "J Stat Softw. 2010;33(1):1–22."
    )
    assert printed(library()["guyon_2002"]).startswith("Guyon I, et al. Gene selection")
    assert printed(library()["efron_1993"]).endswith("bootstrap. New York: Chapman and Hall; 1993.")
    assert printed(library()["mckinney_2010"]).endswith("Proc 9th Python in Science Conf. 2010:56–61.")


def test_many_models_of_a_kind_are_told_together():
    one = {"kind": "radiomics", "steps": [], "estimator": {"kind": "logistic"}}
    models = {name: one | {"sequences": [name]} for name in ("T2FS", "DWI", "DCE2")}
    models |= {"nomogram": {"kind": "combined", "of": ["T2FS", "DWI"], "folds": 10}}
    changes = {"models": models, "model_labels": {"DCE2": "Late"}, "figures": [], "tables": []}
    (text,) = sections_of(info_of(**changes), "models")["models"]
    assert "Each of 3 radiomics models was a logistic regression" in text
    assert "Late (DCE phase 2)" in text
    assert "combined" in text
