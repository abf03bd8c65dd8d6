"""The first screen: its numbers are the run's own, on the same patients, and its warnings follow from the fitted models."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from report_run import build, build_context, describe, summarise

from her2radiomics.evaluation.predictions import on_common_patients
from her2radiomics.manuscript.tables import TableInputs, TableSettings
from her2radiomics.modelling.models.combined import CombinedSpec
from her2radiomics.report import gather, page
from her2radiomics.report.cautions import Fit, _counts, _errors, cautions, read_fits
from her2radiomics.report.trust import CROSS_VALIDATED
from her2radiomics.report.words import FEWEST, TOO_FEW, is_small
from her2radiomics.statistics import auc
from her2radiomics.study.descriptions import read_run_info

FIT = Fit("nomogram", {"radiomics": 1.0, "age": 0.1}, {}, (), 20, 2, 25, 60, 9)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(tmp_path_factory.mktemp("trust"))


@pytest.fixture
def run(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    return folder


def edit(path, change):
    table = pd.read_csv(path)
    change(table).to_csv(path, index=False)


def without(folder, model, patients):
    """The run as if ``model`` could not predict these patients, everything evaluated without them."""
    edit(folder / "models" / model / "predictions.csv", lambda table: table[~table["patient_id"].isin(patients)])

    def fewer(table):
        here = (table["model"] == model) & (table["partition"] == "testing")
        table.loc[here, "n"] -= len(patients)
        for rate, of in (("sensitivity", "events"), ("specificity", None)):
            total = table.loc[here, of] if of else table.loc[here, "n"] - table.loc[here, "events"]
            table.loc[here, rate] = (table.loc[here, rate] * total).round() / total
        return table

    edit(folder / "tables" / "performance.csv", fewer)


def test_the_panel_is_first_and_gives_the_runs_own_numbers(made):
    context = build_context(made[0], describe())
    text = page(context)
    assert text.index('id="trust"') < min(text.index(f'id="{name}"') for name in ("cohort", "tables", "methods"))
    rows = pd.read_csv(made[0] / "tables" / "performance.csv").set_index(["model", "partition"]).loc["nomogram"]
    spots = {spot.label: spot for spot in context.trust.spots}
    assert spots["Test set (centre 2)"].value == pytest.approx(rows.loc["testing", "auc"])
    assert spots["Test set (centre 2)"].bounds == pytest.approx(
        (rows.loc["testing", "auc_low"], rows.loc["testing", "auc_high"])
    )
    assert "apparent" in spots["Training set (centre 1)"].note
    assert [len(row) for row in context.trust.models.rows] == [1 + len(spots)] * 3
    for verdict in ("separated pCR", "reliably"):
        assert verdict not in text


@pytest.mark.parametrize("missing", [["C2-001"], ["C2-001", "C2-006", "C2-011"]])
@pytest.mark.parametrize("model", ["nomogram", "clinical"])
def test_models_are_compared_on_the_patients_that_all_predict(run, model, missing):
    without(run, model, missing)
    context = build_context(run, describe())
    frames = {
        name: pd.read_csv(run / "models" / name / "predictions.csv") for name in ("clinical", "radiomics", "nomogram")
    }
    kept = [frame[(frame["partition"] == "testing") & ~frame["patient_id"].isin(missing)] for frame in frames.values()]
    said = next(text for text in context.findings if "whom all models predict" in text)
    assert f"In the {30 - len(missing)} patients" in said
    for frame in kept:
        assert f"{auc(frame['label'], frame['probability']):.2f} for" in said
    common = on_common_patients(frames, "testing")
    assert list(common) == ["label", *frames] and not set(common.index) & set(missing)


@pytest.mark.parametrize("missing", [[], ["C2-001"], ["C2-001", "C2-006"]])
def test_there_is_one_count_of_patients_everywhere(run, missing):
    if missing:
        without(run, "nomogram", missing)
    flow = pd.read_csv(run / "cohort" / "flow.csv")
    included = int(flow.loc[flow["step"] == "partition", "remaining"].sum())
    summary, context = summarise(run, describe(), "x/report.html"), build_context(run, describe())
    assert summary.n == included == sum(part.n for part in context.partitions)
    line = next(line for line in context.trust.lines if line.topic == "Not predicted")
    if not missing:
        assert f"All {included} patients" in line.text and summary.aucs[-1][1].endswith("n = 30")
    else:
        assert line.word == f"{len(missing)} of {included}"
        assert summary.aucs[-1][1].endswith(f"n = {30 - len(missing)} of 30")
    steps = [step for step in context.flow if step.kind == "unpredicted"]
    assert [step.excluded for step in steps] == ([len(missing)] if missing else [])


@pytest.mark.parametrize(("n", "events"), [(30, FEWEST - 1), (30, FEWEST), (30, 30 - FEWEST), (30, 31 - FEWEST)])
def test_too_few_patients_of_either_class_are_not_judged(run, n, events):
    def change(table):
        here = table["partition"] == "testing"
        table.loc[here, ["events", "sensitivity", "specificity", "accuracy"]] = (events, 1.0, 1.0, 1.0)
        return table

    edit(run / "tables" / "performance.csv", change)
    context = build_context(run, describe())
    few = min(events, n - events) < FEWEST
    assert is_small(pd.Series({"n": n, "events": events})) == few
    words = {line.topic: line.word for line in context.trust.lines}
    assert (words["Discrimination"] == TOO_FEW) == few
    assert (TOO_FEW in context.headline.lower()) == few


# what is said beside a model


def late(run, column, stage):
    """A run whose nomogram uses a column that is known at a stage."""
    info = describe()
    info["protocol"]["columns"][column]["available_at"] = stage
    info["protocol"]["models"]["clinical"]["allow_unavailable"] = True
    path = run / "models" / "nomogram" / "model.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["columns"] = {column: info["protocol"]["columns"][column]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return info


@pytest.mark.parametrize("stage", ["during_treatment", "after_surgery"])
def test_predictors_known_too_late_are_in_the_first_box_when_they_are_in_the_model(run, stage):
    context = build_context(run, late(run, "ki67", stage))
    assert "Ki-67 index" in context.findings[0] and "although it is to predict before treatment" in context.findings[0]
    nomogram = next(model for model in context.models if model.id == "nomogram")
    assert any(mark.startswith("Uses Ki-67 index (known") for mark in nomogram.marks)
    clinical = next(model for model in context.models if model.id == "clinical")
    assert not any(mark.startswith("Uses") for mark in clinical.marks)  # tried, and not in that fitted model
    assert any("were screened; none was kept" in note for note in clinical.notes)


@pytest.fixture(scope="module")
def info():
    return read_run_info(describe())


def said(fit, info, *others, training=None):
    fits = {other.name: other for other in (*others, fit)}
    return " ".join(cautions(fit, fits, info, pd.DataFrame() if training is None else training))


@pytest.mark.parametrize(("kept", "smaller"), [(3, 29), (3, 30), (1, 9), (1, 10)])
def test_few_events_per_predictor_are_said(info, kept, smaller):
    text = said(replace(FIT, kept=kept, smaller=smaller), info)
    assert ("Few patients for its predictors" in text) == (smaller < 10 * kept)


@pytest.mark.parametrize(("errors", "words"), [(0, "completely"), (1, "but for one"), (2, "")])
def test_separation_is_said(info, errors, words):
    text = said(replace(FIT, errors=errors), info)
    assert (words in text and "separates" in text) if words else "separates" not in text


@pytest.mark.parametrize("own", [-0.4, 0.4])
@pytest.mark.parametrize("base", [-1.0, 1.0])
def test_signs_that_turn_between_a_model_and_the_one_it_extends_are_said(info, own, base):
    small = replace(FIT, name="clinical", beta={"age": base})
    large = replace(FIT, beta={"radiomics": 1.0, "age": own})
    assert ("Opposite sign" in said(large, info, small)) == (own * base < 0)
    assert "Opposite sign" not in said(small, info, large)  # it extends nothing


@pytest.mark.parametrize("beta", [-1.0, 1.0])
def test_a_score_that_counts_backwards_is_said(info, beta):
    text = said(replace(FIT, beta={"radiomics": beta}), info)
    assert ("A higher score lowers" in text) == (beta < 0)


@pytest.mark.parametrize(("scale", "absurd"), [(0.1, True), (10.0, False)])
def test_odds_ratios_of_units_that_patients_do_not_span_come_per_standard_deviation(info, scale, absurd):
    values = np.array([0.0, 1.0, 2.0, 3.0]) * scale
    fit = replace(FIT, beta={"age": 1.5}, odds={"age": float(np.exp(1.5))})
    text = said(fit, info, training=pd.DataFrame({"age": values}))
    assert ("per standard deviation" in text) == absurd
    if absurd:
        assert f"it is {np.exp(1.5 * values.std(ddof=1)):.2f}" in text


def test_errors_are_those_of_the_best_threshold():
    rng = np.random.default_rng(3)
    for _ in range(50):
        labels = np.array([0, 1, *rng.integers(0, 2, 10)])
        chance = rng.integers(0, 6, 12) / 6
        slow = min(int(((chance > cut) != (labels == 1)).sum()) for cut in [-1, *chance])
        assert _errors(labels, chance) == slow


def test_candidates_and_kept_predictors_of_a_combined_model_are_those_of_its_parts():
    rows = [("a: x", 100, 40), ("a: y", 40, 4), ("b: z", 12, 3), ("combined", 2, 2)]
    table = pd.DataFrame(rows, columns=["name", "features_in", "features_out"])
    assert _counts(table, 2) == (112, 7)
    assert _counts(table[:0], 2) == (2, 2)
    assert _counts(table[3:], 2) == (2, 2)


# words

#: What a page never says, and why: verdicts on one bound, personification, and terms that have another name here.
FORBIDDEN = (
    r"\bseparated (\w+ )?from\b|reliably separate",
    r"\bstands? (in|beside)\b|at hand\b|\bborne\b|\bmended?\b",
    r"\b(training|test|testing|external) partition\b",
    r"\d % CI|\d % confidence",
    r"\bThe paper printed\b|Published beside ours",
    r"\binf\b|∞|\bnan\b",
    r"1\.000 \(1\.000|>0\.999",
)


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_the_page_keeps_the_lexicon(made, pattern):
    text = re.sub(r"<(style|script)>.*?</\1>", "", page(build_context(made[0], describe(), **made[1])), flags=re.S)
    text = re.sub(r"(src|alt|href)=\"[^\"]*\"", "", text)
    found = re.search(rf".{{0,60}}(?:{pattern}).{{0,60}}", re.sub(r"<[^>]+>", " ", text))
    assert found is None, found[0]


def test_what_a_reader_sees_unfolded_is_half_of_what_it_was(made):
    text = page(build_context(made[0], describe(), **made[1]))
    text = re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.S)
    shown = re.sub(r"<details.*?</details>", "", text, flags=re.S)
    words = [len(re.sub(r"<[^>]+>", " ", part).split()) for part in (text, shown)]
    assert words[1] < 0.5 * words[0]


def test_usable_refits_are_printed_in_the_methods(run):
    rows = [("nomogram", 55.0), ("radiomics", 98.0)]
    extra = pd.DataFrame([(m, "training", "refits_final", v, None, None, "x") for m, v in rows])
    path = run / "tables" / "performance_extra.csv"
    table = pd.read_csv(path)
    extra.columns = ["model", "partition", "measure", "value", "low", "high", "method"]
    pd.concat([table, extra]).to_csv(path, index=False)
    said = " ".join(text for part in build_context(run, describe()).methods for text in part.paragraphs)
    assert "bootstrap refits of the final regression (55 to 98, depending on the model, usable)" in said


@pytest.mark.parametrize(
    ("folds", "kept", "why"),
    [
        (0, 3, "not requested in the protocol"),
        (5, 0, "no predictor was kept"),
        (5, 3, "too few patients in one class in the folds"),
    ],
)
def test_it_is_said_why_there_is_no_cross_validated_auc(made, monkeypatch, folds, kept, why):
    monkeypatch.setattr(CombinedSpec, "reported_folds", property(lambda _: folds))

    def changed(layout, info):
        return {name: replace(fit, kept=kept) for name, fit in read_fits(layout, info).items()}

    monkeypatch.setattr(gather, "read_fits", changed)
    spots = build_context(made[0], describe()).trust.spots
    assert next(spot.note for spot in spots if spot.label == CROSS_VALIDATED) == why


def test_a_model_without_predictors_is_named_beside_its_rates(run):
    """Its sensitivity of 100% and specificity of 0% follow from one probability for all patients."""
    row = {
        "model": "nomogram",
        "partition": "testing",
        "measure": "note_constant",
        "method": "constant probability 0.4",
    }
    edit(
        run / "tables" / "performance_extra.csv",
        lambda table: pd.concat([table, pd.DataFrame([row])], ignore_index=True),
    )
    found = build_context(run, describe()).findings
    assert "No predictor was kept: the model gives every patient the same probability." in found
    inputs = TableInputs(
        columns={},
        partitions={"training": "Training set", "testing": "Test set"},
        models={"clinical": "Clinical", "radiomics": "Radiomics", "nomogram": "Nomogram"},
        simulated=True,
        performance=run / "tables" / "performance.csv",
        performance_extra=run / "tables" / "performance_extra.csv",
    )
    settings = TypeAdapter(TableSettings).validate_python({"kind": "performance", "id": "table_3_p", "title": "P"})
    notes = [note for note in settings.make(inputs).footnotes if "one probability" in note]
    assert len(notes) == 1 and notes[0].startswith("Nomogram: one probability for all patients (no predictor was kept)")
