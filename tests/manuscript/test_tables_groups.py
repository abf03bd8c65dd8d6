"""Tables of survival and of markers by group, against R's survival package and R's tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from survival_patients import COLUMNS, ENDPOINT, inputs_of, patients

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.settings import validate
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables import TableSettings, render
from her2radiomics.statistics import cox, kaplan_meier
from her2radiomics.study.protocol import Protocol


@pytest.fixture
def inputs(tmp_path):
    return inputs_of(tmp_path, patients())


def survival(**content):
    return TypeAdapter(TableSettings).validate_python(
        {"id": "table_5_survival", "kind": "survival", "title": "Survival", "endpoints": [ENDPOINT], **content}
    )


def comparison(**content):
    return TypeAdapter(TableSettings).validate_python(
        {"id": "table_6_markers", "kind": "group_comparison", "title": "Markers", "columns": ["cea", "cd8"], **content}
    )


# R 4.2.2, survival 3.5-3, on patients(): f <- survfit(Surv(time, event) ~ label, conf.type = "log-log");
#   summary(f)$table; summary(f, times = c(12, 36)); survdiff(Surv(time, event) ~ label)$pvalue;
#   summary(coxph(Surv(time, event) ~ label))
R_AT = {
    ("0", 12): (36, 0.9487179487, 0.8101576644, 0.9869222988),
    ("0", 36): (25, 0.8281529430, 0.6548320162, 0.9194523774),
    ("1", 12): (18, 0.9473684211, 0.6811867998, 0.9924146355),
    ("1", 36): (9, 0.7401315789, 0.4399071654, 0.8955874441),
}


def test_survival_at_given_times_is_rs():
    table = patients()
    curves = kaplan_meier(table["os_months"], table["os_event"], table["label"])
    found = curves.at([12, 36]).set_index(["group", "time"])
    for key, (at_risk, *values) in R_AT.items():
        assert found.loc[key, "at_risk"] == at_risk
        np.testing.assert_allclose(found.loc[key, ["survival", "low", "high"]].astype(float), values, atol=1e-9)
    assert found.index.get_level_values(0).tolist() == ["0", "0", "1", "1"]
    beyond = curves.at([200])
    assert beyond[["survival", "low", "high"]].isna().all(axis=None) and (beyond["at_risk"] == 0).all()
    assert curves.at([0])["survival"].tolist() == [1, 1]


def test_the_survival_table_prints_what_r_gives(inputs):
    table = survival(times=[12, 36]).make(inputs)
    assert [(label.text, label.section) for label in table.labels] == [
        ("Overall survival", True),
        ("HER2-negative", False),
        ("HER2-positive", False),
    ]
    assert [heading.label for heading in table.headings] == [
        "Patients", "Events", "Median, months (95% CI)", "At 12 months, % (95% CI)", "At 36 months, % (95% CI)",
        "Hazard ratio (95% CI)", "p (Cox)", "p (log-rank)",
    ]  # fmt: skip
    assert table.cells[1:] == [
        ["40", "16", "53.9 (44.7–55.0)", "94.9 (81.0–98.7)", "82.8 (65.5–91.9)", "1 (reference)", "", "0.167"],
        ["20", "8", "44.7 (25.2–not reached)", "94.7 (68.1–99.2)", "74.0 (44.0–89.6)", "1.90 (0.76–4.75)", "0.173", ""],
    ]
    notes = " ".join(table.footnotes)
    assert "log-rank test" in notes and "Efron" in notes and "log(−log)" in notes


def test_the_event_may_be_a_number_and_the_reference_another_group(inputs):
    numbered = survival(endpoints=[{**ENDPOINT, "event": "os_number"}])
    assert numbered.make(inputs).cells == survival().make(inputs).cells
    turned = survival(reference="1").make(inputs)
    assert [label.text for label in turned.labels][1:] == ["HER2-positive", "HER2-negative"]
    assert turned.cells[2][3] == "0.53 (0.21–1.32)"  # 1 / 1.895 (1 / 4.750 to 1 / 0.756)
    alive = survival(endpoints=[{**ENDPOINT, "event_level": "0"}]).make(inputs)
    assert [row[1] for row in alive.cells[1:]] == ["24", "12"]


def test_groups_of_a_column_and_several_endpoints(inputs):
    both = survival(by="arm", endpoints=[ENDPOINT, {**ENDPOINT, "label": "Again", "event": "os_number"}])
    table = both.make(inputs)
    assert [label.text for label in table.labels] == [
        "Overall survival",
        "Arm A",
        "Arm B",
        "Arm C",
        "Again",
        "Arm A",
        "Arm B",
        "Arm C",
    ]
    assert table.cells[1:4] == table.cells[5:8]
    assert table.cells[1][5 - 2] == "1 (reference)"


def test_missing_follow_up_is_left_out_and_counted(tmp_path):
    table = patients()
    table["os_months"] = table["os_months"].astype(object)
    table.loc[[0, 1, 2], "os_months"] = ""
    made = survival().make(inputs_of(tmp_path, table))
    assert [row[0] for row in made.cells[1:]] == ["38", "19"]
    assert "Overall survival: 3 patients without follow-up are left out." in made.footnotes


def test_a_group_without_an_event_has_firths_hazard_ratio(tmp_path):
    table = patients()
    table.loc[table["label"] == 1, "os_event"] = 0
    made = survival().make(inputs_of(tmp_path, table))
    assert made.cells[2][2] == "not reached"
    groups = pd.DataFrame({"label": table["label"].astype(int)})
    fit = cox(groups, table["os_months"].astype(float), table["os_event"].astype(int), method="firth", level=0.95).table
    row = fit.iloc[0]
    ratio = fmt.ratio_interval(row["hazard_ratio"], row["ci_low"], row["ci_high"])
    assert [row[3] for row in made.cells[1:]] == ["1 (reference)", ratio]
    assert made.cells[2][4] == fmt.p_value(row["p"])
    assert any("hazard ratios are Firth's" in note for note in made.footnotes)


def test_a_status_of_1_and_2_needs_its_level_and_prints_it(tmp_path):
    table = patients()
    table["os_status"] = (table["os_event"].astype(int) + 1).astype(str)
    read = inputs_of(tmp_path, table)
    column = Column(label="Status", kind="categorical", levels={"1": "Alive", "2": "Dead"})
    read = replace(read, columns={**read.columns, "os_status": column})
    with pytest.raises(SettingsError, match="no event_level, and 'os_status' has the levels 1 and 2"):
        survival(endpoints=[{**ENDPOINT, "event": "os_status"}]).make(read)
    made = survival(endpoints=[{**ENDPOINT, "event": "os_status", "event_level": "2"}]).make(read)
    assert [row[1] for row in made.cells[1:]] == [row[1] for row in survival().make(read).cells[1:]]
    assert "Overall survival: events are 'Dead'." in made.footnotes


def test_one_group_is_described_without_tests(tmp_path):
    made = survival(by="partition").make(inputs_of(tmp_path, patients()))
    assert [heading.key for heading in made.headings] == ["n", "events", "median"]
    assert made.cells[1][:2] == ["60", "24"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"endpoints": [{**ENDPOINT, "time": "arm"}]}, "found the time 'arm', a column with levels"),
        ({"endpoints": [{**ENDPOINT, "event_level": "dead"}]}, "unknown level of 'os_event' 'dead'"),
        ({"endpoints": [{**ENDPOINT, "event": "os_number", "event_level": "x"}]}, "expected a number"),
        ({"endpoints": [{**ENDPOINT, "time": "os_month"}]}, "did you mean 'os_months'"),
        ({"reference": "2"}, "unknown group"),
        ({"by": "cea"}, "a continuous column"),
    ],
)
def test_wrong_survival_settings_are_refused(inputs, content, message):
    with pytest.raises(SettingsError, match=message):
        survival(**content).make(inputs)


def test_a_negative_time_is_refused_by_name(tmp_path):
    table = patients()
    table.loc[7, "os_months"] = -2
    with pytest.raises(TableError, match=r"patient P07, column 'os_months': found -2"):
        survival().make(inputs_of(tmp_path, table))


# R 4.2.2 on patients(): shapiro.test by group (cea 5.8e-08, 0.55; cd8 2.2e-4, 0.0058), wilcox.test(x ~ label,
# exact = FALSE)$p.value (0.0918, 0.00241), t.test(cea ~ label)$p.value (1.56e-06), quantile by label
def test_markers_are_described_and_tested_as_r_does(inputs):
    table = comparison(stars=True).make(inputs)
    assert [label.text for label in table.labels] == ["CEA (ng/mL), median (Q1, Q3)", "CD8 (%), median (Q1, Q3)"]
    # positive first, as in the baseline table
    assert [heading.group for heading in table.headings[:6]] == ["HER2-positive"] * 3 + ["HER2-negative"] * 3
    assert table.cells == [
        ["20", "0", "3.04 (2.92, 3.15)", "40", "0", "1.84 (0.60, 3.15)", "0.092ᵃ", "ns"],
        ["20", "0", "4.95 (2.98, 9.10)", "40", "0", "2.81 (1.53, 5.06)", "0.002ᵃ", "**"],
    ]
    notes = " ".join(table.footnotes)
    assert "ᵃ Mann–Whitney U test, normal approximation with continuity correction." in notes
    assert "* p < 0.05, ** p < 0.01, *** p < 0.001" in notes
    assert "p values are not corrected for the 2 comparisons." in notes


def test_means_holm_and_missing_values(tmp_path):
    table = patients()
    table["cea"] = table["cea"].astype(object)
    made = comparison(summaries={"cea": "mean"}, adjusted=True).make(inputs_of(tmp_path, table))
    assert made.cells[0][2] == "3.04 ± 0.15" and made.cells[0][5] == "1.88 ± 1.29"
    assert made.cells[0][-2:] == ["<0.001ᵃ", "<0.001"]
    assert made.cells[1][-2:] == ["0.002ᵇ", "0.002"]  # Holm: the larger of two keeps its p
    assert "ᵃ Welch's t test, unequal variances" in " ".join(made.footnotes)
    table.loc[[0, 3], "cea"] = ""
    holed = comparison().make(inputs_of(tmp_path, table))
    assert holed.cells[0][:2] == ["18", "2"] and holed.cells[0][3:5] == ["40", "0"]


def test_three_groups_and_refusals(inputs, tmp_path):
    table = comparison(by="arm").make(inputs)
    assert {h.group for h in table.headings if h.group} == {"Arm A", "Arm B", "Arm C"}
    assert "Kruskal–Wallis test" in " ".join(table.footnotes)
    with pytest.raises(SettingsError, match="found 'arm', a column with levels"):
        comparison(columns=["arm"]).make(inputs)
    with pytest.raises(SettingsError, match="found Training; expected two groups"):
        comparison(by="partition").make(inputs)


@pytest.mark.parametrize("options", [survival(times=[12]), comparison()])
def test_the_tables_are_written_in_all_formats(inputs, tmp_path, options):
    assert options.needs() == ("participants",)
    written = render(options, inputs, tmp_path / options.id)
    assert [path.suffix for path in written] == [".csv", ".html", ".tex", ".docx"]
    first = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in render(options, inputs, tmp_path / options.id)] == first
    data = pd.read_csv(written[0], dtype=str)
    assert len(data) == 2  # section rows are no data
    assert b"HER2-positive" in first[1]


def protocol(**changes):
    """A protocol with one clinical model and one table."""
    content = {
        "title": "T",
        "question": "Q",
        "paper": {"citation": "C"},
        "label": {"column": "her2", "positive": "+", "negative": "-", "definition": "D"},
        "partitions": {"kind": "given"},
        "columns": {name: column.model_dump() for name, column in COLUMNS.items()},
        "models": {"clinical": {"kind": "clinical", "candidates": ["cea"]}},
        "primary_model": "clinical",
        **changes,
    }
    return validate(Protocol, content, "study.yaml")


def test_follow_up_is_described_and_never_a_predictor():
    table = survival().model_dump(exclude={"id"})
    assert protocol(tables={"table_5_survival": table}).tables[0].endpoints[0].time == "os_months"
    for allowed in (False, True):
        model = {"kind": "clinical", "candidates": ["cea", "os_months"], "allow_unavailable": allowed}
        with pytest.raises(SettingsError, match="only known during follow-up: os_months.*never a predictor"):
            protocol(models={"clinical": model})
    blocks = {"kind": "multivariate", "candidates": ["os_months"], "allow_unavailable": True}
    with pytest.raises(SettingsError, match="never a predictor"):
        protocol(models={"clinical": {"kind": "clinical", "candidates": ["cea"]}, "all": blocks})


def test_columns_of_endpoints_and_models_of_comparisons_must_be_declared():
    table = {**survival().model_dump(exclude={"id"}), "endpoints": [{**ENDPOINT, "event": "os_evnt"}]}
    with pytest.raises(
        SettingsError,
        match="table_5_survival, participants columns: 'os_evnt' is not declared; did you mean 'os_event'",
    ):
        protocol(tables={"table_5_survival": table})
    with pytest.raises(
        SettingsError, match=r"evaluation.comparisons: 'clinic' is not declared; did you mean 'clinical'"
    ):
        protocol(evaluation={"comparisons": [["clinical", "clinic"]]})


def test_stars_survive_latex(inputs, tmp_path):
    """After a line break LaTeX takes a star for the break's own option, over spaces too."""
    tex = render(comparison(stars=True), inputs, tmp_path / "table_6_markers")[2].read_text(encoding="utf-8")
    assert r"\\ \relax * p \textless{} 0.05" in tex
    assert r"\\ *" not in tex
