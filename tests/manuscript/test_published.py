"""The paper's numbers beside ours: where ours are found, and agreement by the stated rule of each kind."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from contract_tables import complete, save
from scipy import stats
from table_run import COLUMNS, MODELS, make_run

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import validate
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.published import PublishedNumber, Results, published_table, quantities
from her2radiomics.manuscript.published.comparison import judge
from her2radiomics.manuscript.published.lookup import NOTHING, Ours
from her2radiomics.manuscript.published.settings import RULES
from her2radiomics.manuscript.tables import TableInputs, render
from her2radiomics.manuscript.tables.published import PublishedNumbersTable

NAN = math.nan
NAMES = Names(COLUMNS, MODELS, {"DWI": "DWI", "DCE2": "DCE phase 2"})


def number(quantity: str, **content) -> PublishedNumber:
    return validate(PublishedNumber, {"quantity": quantity, "source": "Table 3", **content}, "published")


# value printed, ours, verdict: each rule at both sides of its bound, by hand
JUDGED = [
    # interval: 0.878 in 0.80 to 0.90; 0.773 to 0.946 overlaps 0.70 to 0.80
    (number("auc", value="0.878"), Ours(0.85, 0.80, 0.90, text="x"), True),
    (number("auc", value="0.878"), Ours(0.75, 0.70, 0.80, text="x"), False),
    (number("auc", value="0.878", low="0.773", high="0.946"), Ours(0.75, 0.70, 0.80, text="x"), True),
    (number("auc", value="0.878", low="0.810", high="0.946"), Ours(0.75, 0.70, 0.80, text="x"), False),
    (number("sensitivity", value="83.72 %"), Ours(0.80, 0.70, 0.84, text="x"), True),
    # equal: to the printed decimals
    (number("n", value=68), Ours(68.0, text="x"), True),
    (number("n", value=68), Ours(67.0, text="x"), False),
    (number("statistic", value="18.793", table="table_2_x"), Ours(18.7934, text="x"), True),
    (number("statistic", value="18.793", table="table_2_x"), Ours(18.7936, text="x"), False),
    # p: the same side of 0.05, and a printed bound is kept
    (number("regression_p", value="0.041", model="m", block="multivariate", term="t"), Ours(0.049, text="x"), True),
    (number("regression_p", value="0.041", model="m", block="multivariate", term="t"), Ours(0.051, text="x"), False),
    (number("logrank_p", value="<0.001", table="table_s2_x"), Ours(0.0009, text="x"), True),
    (number("logrank_p", value="<0.001", table="table_s2_x"), Ours(0.002, text="x"), False),
    (number("delong_p", value="<0.05"), Ours(0.049, text="x"), True),
    (number("p", value=">0.05", table="table_1_x"), Ours(0.049, text="x"), False),
    (number("p", value="0.578", table="table_1_x"), Ours(0.06, text="x"), True),
    # direction: same sign; intervals overlap where both are known
    (number("beta", value="2.165", model="m", block="coefficients", term="t"), Ours(0.3, text="x"), True),
    (number("beta", value="2.165", model="m", block="coefficients", term="t"), Ours(-0.3, text="x"), False),
    (
        number("odds_ratio", value="9.660", low="3.317", high="28.139", model="m", block="coefficients", term="t"),
        Ours(1.85, 0.39, 8.75, text="x"),
        True,
    ),
    (
        number("odds_ratio", value="9.660", low="3.317", high="28.139", model="m", block="coefficients", term="t"),
        Ours(1.85, 1.39, 2.75, text="x"),
        False,
    ),
    (
        number("odds_ratio", value="0.115", model="m", block="coefficients", term="t"),
        Ours(1.85, 0.05, 8.75, text="x"),
        False,
    ),
    (number("odds_ratio", value=">1", model="m", block="univariate", term="t"), Ours(1.85, 0.39, 8.75, text="x"), True),
    (number("odds_ratio", value="<1", model="m", block="univariate", term="t"), Ours(1.85, text="x"), False),
    # share: 55/80 = 0.6875; exact interval of 12/18 is 0.410 to 0.867, of 6/18 0.133 to 0.590 (binom.test of R)
    (number("count", value=55, n=80, table="table_1_x"), Ours(12, n=18, text="x"), True),
    (number("count", value=55, n=80, table="table_1_x"), Ours(6, n=18, text="x"), False),
    # mean: 50.56 ± 9.12 of 80 (half width 2.00), ours of 20 with SD 8 (3.51): apart by more than 5.51 or not
    (number("mean", value="50.56", sd="9.12", n=80, table="table_1_x"), Ours(56.0, n=20, sd=8, text="x"), True),
    (number("mean", value="50.56", sd="9.12", n=80, table="table_1_x"), Ours(56.1, n=20, sd=8, text="x"), False),
    # spread: SD 8 of 20, interval 6.08 to 11.68 (χ²)
    (number("sd", value="11.60", table="table_1_x"), Ours(8.0, n=20, text="x"), True),
    (number("sd", value="11.75", table="table_1_x"), Ours(8.0, n=20, text="x"), False),
    (number("terms_kept", names=["a", "b"]), Ours(names=("b", "a"), text="x"), True),
    (number("terms_kept", names=["a", "b"]), Ours(names=("b",), text="x"), False),
    (number("features_kept", names=["a", "b"], ranked=True), Ours(names=("b", "a"), text="x"), False),
    (number("highest_auc", names=["r3", "r1", "r2"]), Ours(names=("r3", "r2", "r1"), text="x"), True),
    (number("highest_auc", names=["r3", "r1"]), Ours(names=("r1", "r3"), text="x"), False),
    (number("useful_thresholds", low="20 %", high="75 %"), Ours(low=0.15, high=0.80, text="x"), True),
    (number("useful_thresholds", low="20 %", high="75 %"), Ours(low=0.21, high=0.80, text="x"), False),
    (number("smallest_icc", value=">0.75"), Ours(0.8, text="x"), True),
    (number("smallest_icc", value=">0.75"), Ours(0.2, text="x"), False),
    (number("smallest_p", value=">0.05", table="table_1_x"), Ours(0.02, text="x"), False),
]


@pytest.mark.parametrize(("printed", "ours", "agrees"), JUDGED)
def test_each_rule_by_hand(printed, ours, agrees):
    verdict = judge(printed, ours, quantities()[printed.quantity].rule)
    assert verdict == ("agrees" if agrees else "differs")


def test_the_hand_calculated_bounds():
    assert stats.binomtest(12, 18).proportion_ci(method="exact").low == pytest.approx(0.410, abs=5e-4)
    assert 8 * math.sqrt(19 / stats.chi2.ppf(0.025, 19)) == pytest.approx(11.68, abs=5e-3)


def test_every_quantity_has_a_rule_and_every_rule_a_quantity():
    assert {kind.rule for kind in quantities().values()} == set(RULES)


def test_what_a_run_does_not_make_is_not_judged():
    assert judge(number("auc", value="0.9"), NOTHING, "interval") == "not made in this run"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def rendered(run):
    """A baseline table by label and by partition, and a table of survival, beside the run's results."""
    baseline = {"kind": "baseline", "title": "B", "columns": ["age", "ki67", "tic"], "summaries": {"age": "mean"}}
    from her2radiomics.manuscript.tables.baseline import BaselineTable

    for name, by in (("table_1_label", "label"), ("table_2_partition", "partition")):
        settings = validate(BaselineTable, {"id": name, "by": by, **baseline}, name)
        render(settings, run.inputs, run.folder / "tables" / name)
    return run


def ours(run, **content) -> pd.Series:
    return published_table([number(**content)], Results(run.folder, NAMES), simulated=True).iloc[0]


def test_numbers_of_performance_are_those_of_the_csv(run):
    table = pd.read_csv(run.folder / "tables/performance.csv").set_index(["model", "partition"])
    row = ours(run, quantity="auc", model="nomogram", partition="testing", value="0.878", low="0.773", high="0.946")
    assert row["reproduced"] == table.loc[("nomogram", "testing"), "auc"]
    assert row["n"] == table.loc[("nomogram", "testing"), "n"]
    assert row["published_text"] == "0.878 (0.773–0.946)"
    assert ours(run, quantity="n", partition="training", value=68)["reproduced"] == 34
    pair = ours(run, quantity="delong_p", model="nomogram", versus="clinical", partition="testing", value="0.04")
    assert (pair["model"], pair["reproduced"]) == ("nomogram vs clinical", 0.0312)
    order = ours(run, quantity="highest_auc", partition="testing", names=["nomogram", "clinical"])
    aucs = [table.loc[(name, "testing"), "auc"] for name in ("nomogram", "clinical")]
    assert (order["agreement"] == "agrees") == (aucs[0] > aucs[1])
    absent = ours(run, quantity="auc", model="nomogram", partition="external", value="0.8")
    assert absent["agreement"] == "not made in this run" and pd.isna(absent["reproduced"])


def test_features_are_counted_by_sequence_region_and_class(run):
    whole = ours(run, quantity="features_selected", model="radiomics", value=7)
    assert whole["reproduced"] == 3
    dwi = ours(run, quantity="features_selected", model="radiomics", sequence="DWI", value=6)
    assert (dwi["reproduced"], dwi["item"]) == (2, "DWI")
    texture = ours(run, quantity="features_selected", model="radiomics", feature_class="glcm", value=1)
    assert (texture["reproduced"], texture["agreement"]) == (1, "agrees")
    kept = ours(
        run, quantity="features_kept", model="radiomics", names=["DWI__tumour_slice__logarithm_glcm_Imc1", "other"]
    )
    assert (kept["reproduced_text"], kept["agreement"]) == ("1 of 2 the same, 3 kept", "differs")


def test_terms_and_regressions_are_those_of_the_models_tables(run):
    table = pd.read_csv(run.folder / "models/clinical/univariate.csv").set_index("term")
    row = ours(
        run,
        quantity="odds_ratio",
        model="clinical",
        block="univariate",
        term="ki67[high]",
        value="2.00",
        source="Table 2",
    )
    assert row["reproduced"] == table.loc["ki67[high]", "odds_ratio"]
    assert row["item"] == "Ki-67 index, ≥ 20 %, univariable"
    terms = ours(run, quantity="terms_kept", model="clinical", names=["ki67"])
    kept = [t for t in pd.read_csv(run.folder / "models/clinical/coefficients.csv")["term"] if t != "(Intercept)"]
    assert terms["reproduced"] == len({t.split("[")[0] for t in kept})


def test_cells_are_those_of_our_printed_tables(rendered):
    people = pd.concat(
        pd.read_csv(rendered.folder / f"cohort/participants_{name}.csv") for name in ("training", "testing")
    )
    positive = people[people["label"] == 1]
    count = ours(rendered, quantity="count", table="table_1_label", row="ki67", level="high", group="1", value=10, n=40)
    known = positive["ki67"].dropna()
    assert (count["reproduced"], count["n"]) == ((known == "high").sum(), len(known))
    training = people[people["partition"] == "training"]
    mean = ours(
        rendered, quantity="mean", table="table_2_partition", row="age", group="training", value="50", sd="9", n=68
    )
    assert mean["reproduced"] == pytest.approx(training["age"].mean(), abs=0.06)
    spread = ours(rendered, quantity="sd", table="table_2_partition", row="age", group="training", value="9")
    assert mean["reproduced_text"].endswith(f" ± {spread['reproduced_text']}")
    p = ours(rendered, quantity="p", table="table_1_label", row="age", value="0.508")
    test = stats.ttest_ind(positive["age"], people[people["label"] == 0]["age"], equal_var=False, nan_policy="omit")
    assert p["reproduced"] == pytest.approx(test.pvalue, abs=6e-4)
    smallest = ours(rendered, quantity="smallest_p", table="table_1_label", value=">0.05")
    texts = pd.read_csv(rendered.folder / "tables/table_1_label.csv")["p"].dropna().str.rstrip("ᵃᵇᶜᵈ")
    assert smallest["reproduced"] == min(float(t.lstrip("<>")) for t in texts)
    assert ours(rendered, quantity="p", table="table_9_none", row="age", value="0.5")["agreement"].startswith(
        "not made"
    )


def test_thresholds_with_benefit_are_those_of_the_decision_curve(run, tmp_path):
    """A model that separates wholly is useful at all thresholds from the lowest on."""
    labels = np.repeat([0, 1], 20)
    table = pd.DataFrame({"partition": "training", "label": labels, "probability": np.where(labels, 0.95, 0.05)})
    save("predictions", table, tmp_path / "models/m/predictions.csv")
    printed = number("useful_thresholds", model="m", partition="training", low="20 %", high="75 %")
    found = Results(tmp_path).find(printed)
    assert (found.low, found.high) == (0.06, 0.95)
    assert judge(printed, found, "range") == "agrees"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"value": 0.83}, "expected it in quotes as printed"),
        ({"value": "83.72"}, "Write 83.72% as '83.72%'"),
        ({"value": "0.9", "low": "0.5", "high": "0.8"}, "outside its interval"),
        ({}, "expected a value, names, or low and high"),
        ({"quantity": "count", "value": 3}, "expected 'table'"),
        ({"quantity": "beta", "value": "0.3", "model": "m"}, "expected model, block and term"),
    ],
)
def test_wrong_entries_are_refused(content, message):
    with pytest.raises(SettingsError, match=message):
        number(**{"quantity": "sensitivity", **content})


def test_an_unknown_quantity_names_the_nearest(run):
    with pytest.raises(SettingsError, match="did you mean 'auc'"):
        ours(run, quantity="acu", value="0.8")


def test_the_table_prints_agreement_and_its_rules(run):
    settings = validate(PublishedNumbersTable, {"kind": "published", "id": "table_s9_published", "title": "P"}, "t")
    inputs = TableInputs(
        columns=COLUMNS,
        partitions=run.inputs.partitions,
        models=run.inputs.models,
        simulated=True,
        published=run.folder / "tables/published.csv",
    )
    table = settings.make(inputs)
    assert [label.text for label in table.labels if label.section] == ["Results", "Table 3", "Abstract"]
    printed = table.data.set_index("quantity").loc["AUC"]
    assert printed["published"] == "0.878 (0.773–0.946)" and printed["agreement"] in ("agrees", "differs")
    assert any("The printed value lies in our 95% interval" in note for note in table.footnotes)


def test_models_whose_aucs_are_printed_alike_tie_and_match_either_order(tmp_path):
    rows = [("clinical", 0.71234), ("radiomics", 0.71228), ("nomogram", 0.65)]  # 0.712 twice
    performance = pd.DataFrame(
        [{"model": m, "partition": "testing", "n": 10, "events": 4, "auc": a, "ci_method": "delong"} for m, a in rows]
    )
    save("performance", complete("performance", performance), tmp_path / "tables/performance.csv")
    results = Results(tmp_path, NAMES)
    for names in (("clinical", "radiomics"), ("radiomics", "clinical")):
        printed = number("highest_auc", partition="testing", names=[*names, "nomogram"], ranked=True)
        row = published_table([printed], results, simulated=True).iloc[0]
        one, other = (MODELS[name] for name in names)
        assert row["agreement"] == "agrees"
        assert row["published_text"] == f"{one} > {other} > Nomogram"
        assert row["reproduced_text"] == f"{one} = {other} > Nomogram; = is a tie"
    first = number("highest_auc", partition="testing", names=["nomogram", "clinical", "radiomics"])
    assert judge(first, results.find(first), "order") == "differs"
    one_class = performance.assign(auc=math.nan)
    save("performance", complete("performance", one_class), tmp_path / "tables/performance.csv")
    assert Results(tmp_path, NAMES).find(first) is NOTHING


def test_names_in_remarks_are_the_printed_ones():
    assert NAMES.in_words("significant: ki67, tic") == "significant: Ki-67 index, TIC type"
    restored = "restored DCE2: DCE2__tumour_slice__logarithm_glcm_Correlation"
    whole = "DCE phase 2 · tumour, largest slice · logarithm, GLCM correlation"
    assert NAMES.in_words(restored) == f"restored DCE phase 2: {whole}"
    assert NAMES.in_words("variance of z_score > 0; clinical patients of any age") == (
        "variance of z_score > 0; clinical patients of any age"
    )
    twins = "2 features are copies: DWI__tumour_slice__lbp-2D_glcm_Id = DWI__tumour_slice__lbp-2D_glcm_Idn, …"
    assert NAMES.in_words(twins) == (
        "2 features are copies: DWI · tumour, largest slice · LBP 2-D, GLCM inverse difference = "
        "DWI · tumour, largest slice · LBP 2-D, GLCM inverse difference normalised, …"
    )
    assert NAMES.term("T2FS__my_mask__odd") == "T2FS · my mask · odd"
