"""Kaplan–Meier figures against R's survival package (reference/figures/lung.R), and what they say of odd cohorts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contract_tables import save
from figure_inputs import make_inputs, said, settings

from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures import Drawing, FigureInputError, FigureInputs, StudyText, draw
from her2radiomics.manuscript.figures.kaplan_meier import time_ticks

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/figures/lung.json").read_text(encoding="utf-8"))
LEVELS = {"sex": {"1": "Male", "2": "Female"}, "ph.ecog": {"0": "ECOG 0", "1": "ECOG 1", "2": "ECOG 2"}}


@pytest.fixture(scope="module")
def lung(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    from lifelines.datasets import load_lung

    folder = tmp_path_factory.mktemp("lung")
    table = load_lung()[["time", "status", "sex", "ph.ecog"]]
    table["ph.ecog"] = table["ph.ecog"].map({0: "0", 1: "1", 2: "2"}).fillna("")  # ECOG 3 is one patient
    table.insert(0, "patient_id", [f"L{i}" for i in range(len(table))])
    save("participants", table.assign(partition="training", label=table["sex"] - 1), folder / "p.csv")
    study = StudyText(
        title="Lung",
        simulated=False,
        positive="Female",
        negative="Male",
        partitions={"training": "Training"},
        columns={"time": "Overall survival (days)"},
        units={"time": "days"},
        levels=LEVELS,
    )
    return FigureInputs(study=study, participants=folder / "p.csv")


def survival(inputs: FigureInputs, **options: Any) -> Drawing:
    return draw(settings("kaplan_meier", **options), inputs)


@pytest.mark.parametrize("by", ["sex", "ph.ecog", ""])
def test_curves_numbers_at_risk_medians_and_test_are_those_of_r(lung: FigureInputs, by: str):
    """R 4.2.2, survival 3.5.3: survfit(conf.type = "log-log"), its medians, and survdiff; to 1e-6."""
    expected = REFERENCE[by or "all"]
    data = survival(lung, time="time", event="status", by=by, step=200).data
    risk = data[data["what"] == "at_risk"].set_index(["group", "time"])["at_risk"]
    for group, rows in pd.DataFrame(
        {name: expected[name] for name in ("group", "time", "at_risk", "survival", "low", "high")}
    ).groupby("group"):
        curve = data[(data["what"] == "curve") & (data["group"] == str(group))]
        for row in rows.itertuples():
            assert risk.loc[(str(group), row.time)] == row.at_risk
            step = curve[curve["time"] <= row.time].iloc[-1]
            drawn = [step["survival"], step["low"], step["high"]]
            wanted = [row.survival, row.low, row.high]
            np.testing.assert_allclose(drawn, wanted, atol=1e-6)  # NaN where R has no interval
    medians = data[data["what"] == "median"]
    for ours, theirs in (("median", "median"), ("low", "median_low"), ("high", "median_high")):
        np.testing.assert_allclose(medians[ours], np.atleast_1d(expected[theirs]))
    test = data[data["what"] == "log_rank"]
    if by:
        assert test["statistic"].item() == pytest.approx(expected["statistic"], rel=1e-6)
        assert test["p"].item() == pytest.approx(expected["p"], rel=1e-6)
        assert test["df"].item() == expected["df"]
    else:
        assert test.empty


def test_p_events_and_medians_are_printed(lung: FigureInputs):
    """p = 0.0013 (survdiff), medians 270 and 426 days with 210–306 and 345–524 (survfit)."""
    words = said(survival(lung, time="time", event="status", by="sex", width_mm=174))
    assert "Log-rank p = 0.001" in words
    assert "Male: 112 events, median 270 days (95% CI 210–306)" in words
    assert "Female: 53 events, median 426 days (95% CI 345–524)" in words
    assert "Time (days)" in words and "Overall survival" in words


def test_numbers_at_risk_stand_under_their_ticks(lung: FigureInputs):
    figure = survival(lung, time="time", event="status", by="sex", step=200).figure
    axes, canvas = figure.axes
    box = axes.get_position(original=True)
    width, _ = style.size(figure)
    for tick, number in zip(axes.get_xticks(), (138, 78, 31, 13, 6, 2), strict=True):
        x = width * (box.x0 + box.width * tick / axes.get_xlim()[1])
        printed = [t for t in canvas.texts if t.get_text() == f"{number}" and abs(t.get_position()[0] - x) < 1e-6]
        assert len(printed) == 1
    middles = sorted({t.get_position()[1] for t in canvas.texts if t.get_text().isdigit()})
    assert len(middles) == 2  # a row per group


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


@pytest.fixture
def changed(inputs: FigureInputs, tmp_path: Path) -> Callable[..., FigureInputs]:
    """The inputs with the participants table changed by a function."""

    def change(how: Callable[[pd.DataFrame], Any]) -> FigureInputs:
        table = pd.read_csv(inputs.path("participants"), dtype=str, keep_default_na=False)
        result = how(table)
        (table if result is None else result).to_csv(tmp_path / "p.csv", index=False)
        return dataclasses.replace(inputs, participants=tmp_path / "p.csv")

    return change


def test_patients_without_follow_up_are_left_out_and_counted(inputs: FigureInputs):
    drawing = survival(inputs)
    assert "Left out: 2 patients without follow-up or group" in said(drawing)
    assert "n = 131" in said(drawing)
    assert drawing.data.loc[drawing.data["what"] == "median", "n"].sum() == 131


def test_no_event_one_group_and_nobody_are_said(changed: Callable[..., FigureInputs]):
    calm = said(survival(changed(lambda t: t.__setitem__("pfs", "0"))))
    assert "No event: log-rank test not possible" in calm and "median not reached" in calm
    one = said(survival(changed(lambda t: t[t["label"] == "1"])))
    assert "non-pCR: no patient with follow-up" in one and "no log-rank test" in one
    nobody = said(survival(changed(lambda t: t.__setitem__("pfs_months", ""))))
    assert "Progression-free survival: no patient with a known time, event and group" in nobody.replace("\n", " ")


def test_a_level_without_patients_is_said(inputs: FigureInputs):
    assert "Grade IV: no patient with follow-up" in said(survival(inputs, by="grade"))


def test_a_partition_may_be_chosen(inputs: FigureInputs):
    people = pd.read_csv(inputs.path("participants"), dtype=str)
    drawing = survival(inputs, time="os_months", event="os", partitions=["testing"])
    medians = drawing.data[drawing.data["what"] == "median"]
    assert medians["n"].sum() == (people["partition"] == "testing").sum()
    assert "Testing, n = 65" in said(drawing)
    with pytest.raises(FigureInputError, match="no patient of the partition 'external'"):
        survival(inputs, partitions=["external"])


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("pfs_months", "soon", "patient P004, column 'pfs_months': found 'soon'; expected a number of at least 0"),
        ("pfs_months", "-3", "found '-3'"),
        ("label", "2", "patient P004, column 'label': found '2'; expected one of 0, 1"),
    ],
)
def test_wrong_cells_name_the_patient(changed: Callable[..., FigureInputs], column: str, value: str, expected: str):
    with pytest.raises(TableError, match=expected):
        survival(changed(lambda t: t.loc.__setitem__((3, column), value)))


def test_undeclared_columns_are_refused(inputs: FigureInputs):
    with pytest.raises(TableError, match="column 'dfs_months'.*also dfs_months"):
        survival(inputs, time="dfs_months")
    with pytest.raises(FigureInputError, match="no levels of the column 'cea'"):
        survival(inputs, by="cea")


@pytest.mark.parametrize(
    ("last", "unit", "wide", "ticks"),
    [
        (83.9, "months", 60.0, [0, 12, 24, 36, 48, 60, 72]),
        (20.0, "months", 60.0, [0, 3, 6, 9, 12, 15, 18]),
        (1022.0, "days", 60.0, [0, 200, 400, 600, 800, 1000]),
        (5.2, "years", 60.0, [0, 1, 2, 3, 4, 5]),
        (0.5, "", 60.0, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    ],
)
def test_times_of_the_numbers_at_risk_are_round(last: float, unit: str, wide: float, ticks: list[float]):
    assert time_ticks(last, unit, wide, None) == pytest.approx(ticks)


def test_the_level_counted_is_printed_and_must_be_named_unless_0_and_1(lung: FigureInputs):
    study = lung.study.model_copy(update={"levels": {**lung.study.levels, "status": {"0": "Censored", "1": "Dead"}}})
    assert "Events counted: Dead" in said(survival(replace(lung, study=study), time="time", event="status", by="sex"))
    study = study.model_copy(update={"levels": {**lung.study.levels, "status": {"1": "Alive", "2": "Dead"}}})
    with pytest.raises(SettingsError, match="no event_level, and 'status' has the levels 1 and 2"):
        survival(replace(lung, study=study), time="time", event="status", by="sex")


def test_the_hazard_ratio_is_that_of_coxph(lung: FigureInputs):
    """R 4, survival::coxph(Surv(time, status) ~ sex, lung): 0.588 (0.424 to 0.816)."""
    words = " ".join(said(survival(lung, time="time", event="status", by="sex", width_mm=174)).split())
    assert "Hazard ratio, Female vs Male: 0.59 (95% CI 0.42–0.82)" in words
