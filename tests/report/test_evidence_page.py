"""The page of the evidence says what the tables of the analyses say, and its section in the report the same."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from evidence.made_study import made_study

from her2radiomics.core.layout import Layout
from her2radiomics.core.tables import assemble, write
from her2radiomics.evidence.analyses.permutation import Permutation
from her2radiomics.evidence.analyses.splits import Splits
from her2radiomics.evidence.drawing import write_figure
from her2radiomics.evidence.findings import as_table, together
from her2radiomics.report.evidence_page import evidence_page, evidence_summary

ANALYSES = {"permutation": Permutation(permutations=20, folds=3), "splits": Splits(splits=20)}
WHY = "no patient is held out."


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run's folder with one analysis, the page, and its findings."""
    folder, study = tmp_path_factory.mktemp("run"), made_study(n=60, features=6, primary="radiomics")
    layout, analysis = Layout(folder), ANALYSES["permutation"]
    rows = analysis.run(study, 0, analysis.repetitions(study))
    summary = assemble("evidence_analysis", list(analysis.summarise(rows, study)))
    write("evidence_repetitions", rows, layout.path("evidence_repetitions", analysis="permutation"))
    write_figure(analysis, rows, summary, study, layout.path("evidence_figure", analysis="permutation").with_suffix(""))
    told = as_table(analysis.findings(summary, study))
    findings = together("evidence_findings", {"permutation": told}, {"splits": WHY})
    numbers = together("evidence_summary", {"permutation": summary})
    for name, table in (("evidence_findings", findings), ("evidence_summary", numbers)):
        write(name, table, layout.path(name))
    page = evidence_page(folder, "made", study, ANALYSES, findings, numbers, {"splits": WHY})
    return folder, page, findings, numbers


def test_every_sentence_and_number_of_the_tables_is_on_the_page(made):
    _, page, findings, numbers = made
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&#39;", "'")
    for row in findings[findings["analysis"] == "permutation"].itertuples():
        assert row.claim in text and row.sentence in text and f"Rule: {row.rule}" in text
    for value in numbers["value"]:
        assert f"{value:.3f}" in text


def test_the_page_begins_with_the_patients_of_each_set(made):
    """Sixty patients, every second pair positive; two thirds train."""
    assert "Training set: 40 patients, 20 of them positive; Test set: 20 patients, 10 of them positive." in made[1]


def test_an_analysis_without_a_statement_says_so(made, tmp_path):
    folder, _, findings, numbers = made
    page = evidence_page(folder, "made", made_study(n=60), ANALYSES, findings[:0], numbers, {"splits": WHY})
    assert "No statement is made: the model could not be fitted" in page and "No analysis allows a statement" in page


def test_what_was_left_out_is_said_with_its_reason_and_is_no_finding(made):
    folder, page, findings, _ = made
    assert f"<b>{Splits.about.label}:</b> {WHY}" in page
    left = findings[findings["analysis"] == "splits"]
    assert list(left["verdict"]) == ["cannot be told"] and list(left["sentence"]) == [WHY]
    section = evidence_summary(folder)
    said = [sentence for group in section.groups for _, sentence in group.findings]
    assert WHY not in said and len(said) == len(findings) - 1


def test_simulated_patients_are_marked_on_page_and_figure(made):
    folder, page, _, _ = made
    assert "<strong>Simulated data.</strong>" in page
    svg = (folder / "evidence" / "permutation_figure.svg").read_text(encoding="utf-8")
    assert '"simulated": "true"' in svg.replace("&quot;", '"')


def test_a_run_without_evidence_has_no_section(tmp_path):
    assert evidence_summary(tmp_path) is None


def test_a_finding_without_its_rule_is_refused():
    with pytest.raises(Exception, match="rule"):
        write("evidence_findings", pd.DataFrame([{"analysis": "a", "verdict": "holds"}]), "findings.csv")
