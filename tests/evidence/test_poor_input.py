"""Studies that lack something: every analysis is made or left out with the reason, and the page is fit to be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from evidence.made_study import made_study
from small_study import patients, planned, small_project

from her2radiomics.core.errors import StudyError
from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analyses import ANALYSES
from her2radiomics.evidence.findings import as_table, together
from her2radiomics.evidence.settings import EvidenceSettings
from her2radiomics.manuscript import style
from her2radiomics.report.evidence_page import evidence_page

FEW = {
    "as_published": {"bootstrap": 2, "twins": 20},
    "permutation": {"permutations": 20, "folds": 3},
    "splits": {"splits": 20},
    "specifications": {"most": 20},
    "controls": {"bootstrap": 2, "random": 20},
    "optimism": {"repeats": 1, "draws": 2, "folds": 3},
    "instability": {"resamples": 20},
}
#: What no sentence may hold: numbers that are none, and one of something in the plural.
UNFIT = re.compile(
    r"\b(nan|NaN|None(?! of)|inf|1 (?:patients|features|events|splits|specifications|centres|subgroups|refits|were))\b"
)
ORDER = {
    "radiomics": {
        "on_all": [{"step": "z_score"}, {"step": "univariate", "test": "f_classif", "k": 3}],
        "source": "made up",
    }
}
MODELS = {"radiomics": {"kind": "radiomics", "steps": ORDER["radiomics"]["on_all"]}}
QUICKLY = {"models": MODELS, "primary": "radiomics", "published": ORDER}


def page_of(study, folder):
    """What the jobs of the target ``evidence`` make of a study: the page as text, findings, reasons."""
    analyses = EvidenceSettings(analyses=FEW).in_order()
    assert set(analyses) == set(ANALYSES)
    obstacles = {name: why for name, item in analyses.items() if (why := item.obstacle(study))}
    rows = {n: item.run(study, 0, item.repetitions(study)) for n, item in analyses.items() if n not in obstacles}
    summaries, findings = {}, {}
    for name in rows:
        item = analyses[name]
        if any(source not in rows for source in item.reads):
            raise AssertionError(f"{name} reads what is left out")
        sources = [rows[source] for source in (name, *item.reads)]
        mine = item.wanted(pd.concat(sources, ignore_index=True) if item.reads else sources[0])
        summaries[name] = assemble("evidence_analysis", list(item.summarise(mine, study)))
        findings[name] = as_table(item.findings(summaries[name], study))
        with style.in_style():
            item.draw(mine, summaries[name], study)
    told = together("evidence_findings", findings, obstacles)
    summary = together("evidence_summary", summaries)
    page = evidence_page(folder, "poor", study, analyses, told, summary, obstacles)
    text = re.sub(r"<style.*?</style>|<script.*?</script>|src=\"data:[^\"]*\"", "", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", text)), told, obstacles


def relabelled(study, label, where=slice(None)):
    people = study.people.copy()
    people.loc[where, "label"] = label
    return replace(study, people=people)


def one_centre():
    study = made_study(n=60, **QUICKLY, partitions={"kind": "random", "training": 0.7})
    return replace(study, people=study.people.assign(centre="centre_1"))


def few_patients():
    return made_study(n=15, **QUICKLY)


def few_events():
    """Six events: five to train, one to test."""
    study = made_study(n=60, **QUICKLY)
    label = np.zeros(60, dtype=int)
    label[[0, 5, 10, 15, 20, 45]] = 1
    return relabelled(study, label)


def no_test_set():
    study = made_study(n=60, **QUICKLY)
    return replace(study, people=study.people.assign(partition="training"))


def two_tested():
    """One patient of each outcome is tested."""
    study = made_study(n=60, **QUICKLY)
    people = study.people[(study.people["partition"] == "training") | study.people["patient_id"].isin(["P057", "P058"])]
    assert set(people.loc[people["partition"] == "testing", "label"]) == {0, 1}
    return replace(study, people=people)


def brought():
    """A feature table, and features that are the same for every patient."""
    study = made_study(n=60, **QUICKLY, second_reader=True)
    features = study.features.copy()
    features[[name for name in features if name.startswith("T1")]] = 1.0
    return replace(study, features=features, about=study.about.model_copy(update={"extracted": False}))


FEW_TRAIN = "resamples of the training set need 5 or more patients of the rarer outcome; it has 4."
#: Case to the study, the analyses that are left out, and what the page says of it.
CASES: dict[str, tuple[Callable, set[str], str]] = {
    case.__name__: (case, left_out, said)
    for case, left_out, said in (
        (one_centre, set(), "all patients are of one centre, so that no centre can be held out"),
        (few_patients, {"optimism", "instability", "stability"}, FEW_TRAIN),
        (few_events, set(), "There was no second reader to compare with."),
        (
            no_test_set,
            {"as_published", "discount", "splits", "specifications", "controls"},
            "no patient is held out for testing",
        ),
        (two_tested, set(), "no choice of held-out centres leaves five patients of each outcome on both sides"),
        (brought, set(), "Controls on altered images are left out: the features were brought, without images."),
    )
}


@pytest.mark.filterwarnings("ignore:The behavior of DataFrame concatenation")
@pytest.mark.parametrize("case", CASES)
def test_what_is_left_out_is_said_and_the_rest_is_made(case, tmp_path, monkeypatch):
    monkeypatch.setattr("her2radiomics.report.evidence_page.figure_uri", lambda *_: "")  # they are drawn, not written
    make, left_out, said = CASES[case]
    text, told, obstacles = page_of(make(), tmp_path)
    assert set(obstacles) == left_out and said in re.sub(r"\s+", " ", text)
    for why in obstacles.values():
        assert why.endswith(".") and why[:1].islower() and why in text
    found = UNFIT.search(text)
    assert not found, text[max(0, found.start() - 200) : found.end() + 100]
    for name in set(ANALYSES) - left_out:
        assert name in set(told["analysis"]) or "No statement is made" in text
    tested = told[~told["analysis"].isin(["optimism", "instability", "stability"])]
    if case in (
        "few_patients",
        "few_events",
        "two_tested",
    ):  # too few of an outcome for a claim on an AUC that is tested
        firm = tested[
            (tested["verdict"] == "holds") | tested["claim"].str.contains("better than|own split|depends little")
        ]
        assert set(firm["verdict"]) <= {"cannot be told"}, firm[["claim", "verdict"]].to_string()


@pytest.mark.parametrize(("column", "what"), [("pcr", "one class"), ("south", "one class")])
def test_an_outcome_that_does_not_vary_is_refused_before_anything_is_made(column, what, tmp_path):
    clinical, features = patients()
    clinical = [row | ({"pcr": 1} if column == "pcr" or row["centre"] == column else {}) for row in clinical]
    with pytest.raises(StudyError, match=what):
        planned(small_project(tmp_path / "p", tables=(clinical, features)))
