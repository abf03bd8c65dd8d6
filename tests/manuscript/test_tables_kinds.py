"""Tables of agreement, collinearity, correlation and Cox regression, and what baseline and regression tables add."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from contract_tables import save
from pydantic import TypeAdapter
from scipy import stats
from survival_patients import COLUMNS as SURVIVAL
from survival_patients import ENDPOINT, inputs_of, patients

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.manuscript.tables import TableInputs, TableSettings
from her2radiomics.statistics import cox, kappa, variance_inflation

GRADES = {"I": "I", "II": "II", "III": "III"}
CURVES = {"in": "Inflow", "flat": "Plateau", "out": "Outflow"}
COLUMNS = SURVIVAL | {
    name: Column.model_validate(content)
    for name, content in {
        "grade": {"label": "Grade", "kind": "ordinal", "levels": GRADES},
        "grade_2": {"label": "Grade (2)", "kind": "ordinal", "levels": GRADES},
        "tic": {"label": "TIC", "kind": "categorical", "levels": CURVES},
        "tic_2": {"label": "TIC (2)", "kind": "categorical", "levels": CURVES},
        "cea_2": {"label": "CEA (2)", "unit": "ng/mL", "kind": "continuous"},
    }.items()
}


def make(options, inputs):
    return options.make(inputs)


def settings(**content):
    return TypeAdapter(TableSettings).validate_python({"id": "table_1_x", "title": "T", **content})


def people() -> pd.DataFrame:
    i = np.arange(60)
    table = patients()
    return table.assign(
        grade=np.array(["I", "II", "III"])[i % 3],
        grade_2=np.array(["I", "II", "III"])[np.where(i % 10 == 0, (i + 1) % 3, i % 3)],
        tic=np.array(["flat", "out"])[i % 2],  # nobody has inflow
        tic_2=np.array(["flat", "out"])[np.where(i % 7 == 0, (i + 1) % 2, i % 2)],
        cea_2=table["cea"] + 0.1 * np.sin(i),
    )


@pytest.fixture
def inputs(tmp_path):
    made = inputs_of(tmp_path, people())
    return TableInputs(**{**vars(made), "columns": COLUMNS, "models": {"m": "M"}})


def test_agreement_is_kappa_weighted_kappa_and_icc(inputs):
    readings = {"tic": "tic_2", "grade": "grade_2", "cea": "cea_2"}
    table = make(settings(kind="agreement", readings=readings), inputs)
    rows = table.data.set_index("characteristic")
    data = people()
    plain = kappa(data["tic"], data["tic_2"], ["in", "flat", "out"])
    assert rows.loc["TIC", "kappa"] == f"{plain.value:.2f} ({plain.low:.2f}–{plain.high:.2f})"
    assert rows.loc["TIC", "observed"] == f"{100 * (data['tic'] == data['tic_2']).mean():.1f}"
    weighted = kappa(data["grade"], data["grade_2"], ["I", "II", "III"], weights="quadratic")
    assert rows.loc["Grade", "weighted"].startswith(f"{weighted.value:.2f} (")
    assert rows.loc["CEA (ng/mL)", "icc"] and not rows.loc["CEA (ng/mL)", "kappa"]
    assert any("quadratic weights" in note for note in table.footnotes)


def test_agreement_leaves_out_who_was_read_once_and_refuses_two_characteristics(tmp_path):
    once = people().assign(tic_2=lambda t: t["tic_2"].where(t.index < 10, ""))
    made = TableInputs(**{**vars(inputs_of(tmp_path, once)), "columns": COLUMNS})
    assert make(settings(kind="agreement", readings={"tic": "tic_2"}), made).data["n"].tolist() == ["10"]
    with pytest.raises(SettingsError, match="'tic' and 'grade' of different kinds or levels"):
        make(settings(kind="agreement", readings={"tic": "grade"}), made)


def test_collinearity_is_that_of_complete_patients(inputs):
    table = make(settings(kind="collinearity", columns=["cea", "cea_2", "arm", "grade", "tic"]), inputs)
    rows = table.data.set_index("characteristic")
    data = people()
    coded = data[["cea", "cea_2", "arm", "tic"]].assign(grade=data["grade"].map({"I": 0.0, "II": 1.0, "III": 2.0}))
    coded = coded[["cea", "cea_2", "arm", "grade", "tic"]]
    expected = variance_inflation(coded, {"arm": ["a", "b", "c"], "tic": ["flat", "out"]}).set_index("variable")
    assert rows.loc["CEA (ng/mL)", "gvif"] == f"{expected.loc['cea', 'gvif']:.2f}"
    assert (rows.loc["Arm", "df"], rows.loc["Arm", "adjusted"]) == ("2", f"{expected.loc['arm', 'adjusted']:.2f}")
    assert any("60 patients without missing values" in note for note in table.footnotes)


def test_correlation_is_spearmans(inputs):
    table = make(settings(kind="correlation", columns=["cea", "cd8", "grade"], against=["label", "os_event"]), inputs)
    data = people()
    rho, p = stats.spearmanr(data["cea"], data["label"])
    row = table.data.iloc[0]
    assert row["label_rho"].startswith(f"{rho:.2f} (") and row["label_p"] == f"{p:.3f}"
    assert [group for group, _ in table.spans] == ["HER2-positive vs HER2-negative", "Death (Dead)"]
    with pytest.raises(SettingsError, match="3 levels without order"):
        make(settings(kind="correlation", columns=["cea"], against=["arm"]), inputs)


def test_cox_alone_and_together(inputs):
    table = make(settings(kind="cox", endpoints=[ENDPOINT], columns=["label", "cea", "arm"]), inputs)
    data = people()
    data["label"] = data["label"].astype(str)
    levels = {"label": ["0", "1"], "arm": ["a", "b", "c"]}
    both = cox(data[["label", "cea", "arm"]], data["os_months"], data["os_event"], levels)
    whole = both.table.set_index("term")
    rows = {(r["characteristic"], r["level"]): r for r in table.data.to_dict("records")}
    found = rows["CEA", ""]
    assert found["multivariable_hr"].startswith(f"{whole.loc['cea', 'hazard_ratio']:.2f} (")
    alone = cox(data[["cea"]], data["os_months"], data["os_event"]).table.iloc[0]
    assert found["univariable_hr"].startswith(f"{alone['hazard_ratio']:.2f} (")
    assert rows["HER2", "HER2-negative"]["univariable_hr"] == "1 (reference)"
    assert rows["Arm", "Arm B"]["multivariable_hr"].startswith(f"{whole.loc['arm[b]', 'hazard_ratio']:.2f} (")
    assert any(f"{both.n} patients, {both.events} events" in note for note in table.footnotes)
    scaled = make(settings(kind="cox", endpoints=[ENDPOINT], columns=["cea"], per_sd=True), inputs)
    sd = np.exp(alone["beta"] * data["cea"].std())
    assert scaled.data.iloc[1]["univariable_hr"].startswith(f"{sd:.2f} (")


def test_follow_up_by_the_reverse_method_is_in_the_survival_table(inputs):
    table = make(settings(kind="survival", endpoints=[ENDPOINT], follow_up=True), inputs)
    from her2radiomics.statistics import potential_follow_up

    data = people()
    medians = potential_follow_up(data["os_months"], data["os_event"], data["label"]).medians.set_index("group")
    assert table.data.iloc[1]["follow_up"].startswith(f"{medians.loc['0', 'median']:.1f} (")
    assert table.headings[1].label == "Median follow-up, months (95% CI)"


# what other kinds add


def test_the_statistic_is_printed_before_its_p(tmp_path):
    """Table 2 of the HER2 nomogram: type 54, 26 and 95, 145: χ² 18.793."""
    table = pd.DataFrame(
        {
            "patient_id": [f"P{i}" for i in range(320)],
            "centre": "c",
            "partition": "training",
            "label": [1] * 80 + [0] * 240,
            "tic": ["flat"] * 54 + ["out"] * 26 + ["flat"] * 95 + ["out"] * 145,
        }
    )
    made = TableInputs(**{**vars(inputs_of(tmp_path, table)), "columns": COLUMNS})
    options = settings(kind="baseline", columns=["tic"], by="label", statistic=True)
    printed = make(options, made)
    assert printed.data.iloc[0]["statistic"] == "18.793"
    assert [heading.label for heading in printed.headings[-2:]] == ["χ²", "p"]


def test_pearson_tests_by_chi_square_whatever_the_expected_counts(inputs):
    few = {"kind": "baseline", "columns": ["tic", "grade"], "by": "label"}
    tests = make(settings(**few, tests={"*": "pearson", "grade": "ranks"}), inputs).data["test"]
    assert "χ² test" in tests.iloc[0] and "Mann–Whitney" in tests[tests != ""].iloc[1]


def test_the_outcome_stands_where_the_table_names_it(inputs):
    options = settings(kind="baseline", columns=["cea", "outcome", "arm"], test=False)
    made = make(options, inputs)
    assert [label.text for label in made.labels if not label.indent][1] == "HER2, n (%)"
    assert not make(settings(kind="baseline", columns=["outcome", "cea"], by="label"), inputs).data["level"].any()


def regression(folder, inputs, terms: list[str]):
    numbers = ("beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p")
    rows = pd.DataFrame({"term": terms, **dict.fromkeys(numbers, 0.5)})
    save("univariate", rows, folder / "univariate.csv")
    given = TableInputs(**{**vars(inputs), "univariate": {"m": folder / "univariate.csv"}})
    made = make(settings(kind="regression", model="m", blocks=["univariate"]), given)
    return {r["level"]: r["univariate_odds_ratio"] for r in made.data.to_dict("records")}


def test_the_reference_is_the_level_that_the_fit_had(inputs, tmp_path):
    """Inflow is declared first, but no training patient has it: the fit's reference is plateau."""
    cells = regression(tmp_path, inputs, ["tic[out]"])
    assert cells["Inflow"] == "no training patients"
    assert cells["Plateau"] == "1 (reference)"
    assert cells["Outflow"].startswith("0.50")


def test_a_level_that_everybody_may_have_is_the_reference(inputs, tmp_path):
    cells = regression(tmp_path, inputs, ["arm[b]", "arm[c]"])
    assert cells["Arm A"] == "1 (reference)" and cells["Arm C"].startswith("0.50")
    assert "no training patients" not in cells.values()
