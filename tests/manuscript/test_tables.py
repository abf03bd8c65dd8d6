"""Tables: numbers against hand calculation, files that open, text that does no harm."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from contract_tables import save
from pydantic import ValidationError
from table_run import BASELINE, COLUMNS, MadeRun, baseline_inputs, hostile_table, make_run, settings

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.settings import Settings, validate
from her2radiomics.core.spreadsheets import safe_cell
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables import TableInputs, TableSettings, render
from her2radiomics.manuscript.tables.html import fragment_of, to_fragment, to_html
from her2radiomics.manuscript.tables.model import Heading
from her2radiomics.manuscript.tables.performance import fraction
from her2radiomics.manuscript.tables.regression import split_term
from her2radiomics.manuscript.tables.text import escape_latex, to_csv, to_latex
from her2radiomics.manuscript.tables.word import Share, to_docx, widths


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    return make_run(tmp_path_factory.mktemp("run"))


# numbers as journals print them


@pytest.mark.parametrize(
    ("p", "printed"),
    [(0.0004, "<0.001"), (0.001, "0.001"), (0.04349, "0.043"), (0.5, "0.500"), (0.9996, ">0.999"), (1, ">0.999")],
)
def test_p_values(p, printed):
    assert fmt.p_value(p) == printed


def test_p_value_refuses_what_is_no_probability():
    assert fmt.p_value(float("nan")) == "–"
    with pytest.raises(ValueError, match=r"1\.2"):
        fmt.p_value(1.2)


def test_numbers():
    # 36/43 and 21/25 are the fractions behind the 83.72 % and 84.00 % of Wang et al. 2025
    assert fmt.percent_fraction(36, 43) == "84% (36/43)"
    assert fmt.percent_fraction(21, 25) == "84% (21/25)"
    assert fmt.percent_fraction(0, 0) == "–"
    assert fmt.count_percent(42, 68) == "42 (61.8)"
    assert fmt.interval(0.878, 0.773, 0.946, 3) == "0.878 (0.773–0.946)"
    row = {"auc": 0.878, "auc_low": 0.773, "auc_high": 0.946, "ci_method": "delong"}
    assert fmt.auc(row, 3) == "0.878 (0.773–0.946)"
    row |= {"ci_method": "binomial_exact", "auc_delong_low": 0.79, "auc_delong_high": 0.966}
    assert fmt.auc(row, 3) == "0.878 (0.773–0.946; DeLong 0.790–0.966)"
    assert fmt.interval(-0.5, -1.2, 0.3, 2) == "-0.50 (-1.20 to 0.30)"
    assert fmt.fixed(-0.0001, 2) == "0.00"
    assert fmt.ratio_interval(0.001, 0.0, float("inf")) == "not estimable"
    assert fmt.listing(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(("values", "digits"), [([45, 52, 61], 1), ([2.1, 3.25], 2), ([0.91, 0.87], 3), ([], 1)])
def test_three_significant_figures(values, digits):
    assert fmt.digits_for(values) == digits


# baseline


def test_baseline_counts_and_quartiles_by_hand(tmp_path):
    inputs = baseline_inputs(
        tmp_path,
        age=[40, 50, 60, 90, 41, 42, 43, None],
        ki67=["low", "high", "high", "high", "low", "low", None, "high"],
    )
    options = settings(
        **(BASELINE | {"columns": ["age", "ki67"]}), summaries={"age": "median"}, outcome=True, overall=True
    )
    table = options.make(inputs)
    rows = {(r["characteristic"], r["level"]): r for r in table.data.to_dict("records")}
    age = rows["Age (years), median (Q1, Q3)", ""]
    # 40 50 60 90: quartiles by linear interpolation 47.5, 55, 67.5; 41 42 43: 41.5, 42, 42.5
    assert (age["training"], age["testing"]) == ("55.0 (47.5, 67.5)", "42.0 (41.5, 42.5)")
    assert rows["Age (years), median (Q1, Q3)", "Missing"]["testing"] == "1"
    head = "Ki-67 index, n (%)"
    assert [rows[head, level]["training"] for level in ("< 20 %", "≥ 20 %")] == ["1 (25.0)", "3 (75.0)"]
    # of the three patients whose value is known
    assert [rows[head, level]["testing"] for level in ("< 20 %", "≥ 20 %")] == ["2 (66.7)", "1 (33.3)"]
    assert rows[head, "≥ 20 %"]["all"] == "4 (57.1)"
    assert rows[head, "Missing"]["testing"] == "1"
    assert rows["Response, n (%)", "pCR"]["training"] == "2 (50.0)"
    assert [heading.label for heading in table.headings] == [
        "Training, n\u00a0=\u00a04",
        "Test, n\u00a0=\u00a04",
        "All patients, n\u00a0=\u00a08",
        "p",
    ]
    assert rows[head, ""]["p"].startswith("0.486")  # Fisher's exact test of [[1, 3], [2, 1]]: 17/35
    assert any("Fisher" in note for note in table.footnotes)


def test_baseline_mean_sd_and_t_test_by_hand(tmp_path):
    inputs = baseline_inputs(tmp_path, age=[40, 50, 60, 70, 45, 55, 65, 75])
    options = settings(**(BASELINE | {"columns": ["age"]}), variances="student", summaries={"age": "mean"})
    row = options.make(inputs).data.iloc[0]
    # both SDs are sqrt(500/3) = 12.91; t = 5 / (12.91 · sqrt(1/2)) = 0.548 on 6 df, p = 0.604
    assert (row["training"], row["testing"]) == ("55.0 ± 12.9", "60.0 ± 12.9")
    assert row["p"] == "0.604ᵃ"
    assert row["test"].startswith("Student")


def test_baseline_by_outcome_and_by_column(run):
    by_label = settings(**BASELINE, by="label").make(run.inputs)
    assert [heading.label.split(",")[0] for heading in by_label.headings] == ["pCR", "non-pCR", "p"]
    by_level = settings(**(BASELINE | {"columns": ["age"]}), by="tic").make(run.inputs)
    assert by_level.headings[0].label.startswith("Inflow, n\u00a0=\u00a0")


def test_baseline_errors_teach(run, tmp_path):
    with pytest.raises(SettingsError, match="did you mean 'age'"):
        settings(**(BASELINE | {"columns": ["agee"]})).make(run.inputs)
    with pytest.raises(SettingsError, match="test: false"):
        settings(**BASELINE, partitions=["training"]).make(run.inputs)
    alone = settings(**BASELINE, partitions=["training"], test=False).make(run.inputs)
    assert [heading.key for heading in alone.headings] == ["training"]
    broken = baseline_inputs(tmp_path, age=["40", "x", "1", "2", "3", "4", "5", "6"])
    with pytest.raises(TableError, match=r"patient training-1, column 'age': found 'x'"):
        settings(**(BASELINE | {"columns": ["age"]})).make(broken)


# regression


def test_regression_names_levels_and_reference(run):
    options = settings(id="table_2_regression", kind="regression", model="clinical", title="Regression")
    table = options.make(run.inputs)
    rows = {(r["characteristic"], r["level"]): r for r in table.data.to_dict("records")}
    assert rows["Ki-67 index", "< 20 %"]["univariate_odds_ratio"] == "1 (reference)"
    assert rows["Ki-67 index", "≥ 20 %"]["univariate_odds_ratio"] == "3.50 (1.31–9.33)"
    assert rows["Ki-67 index", "≥ 20 %"]["multivariate_p"] == "0.031"
    assert rows["Age (years)", ""]["multivariate_odds_ratio"] == "–"
    assert rows["TIC type", ""]["univariate_p"] == "0.042"  # the test of the whole variable
    assert [span for span, _ in table.spans] == ["Univariable", "Multivariable"]
    assert options.needs() == ("univariate", "multivariate", "participants")
    assert options.models_needed("univariate") == ("clinical",)


def test_regression_of_a_model_that_selected_nothing(run, tmp_path):
    empty = save("multivariate", None, tmp_path / "multivariate.csv")
    inputs = TableInputs(columns=COLUMNS, partitions={}, models={"m": "M"}, simulated=False, multivariate={"m": empty})
    options = settings(id="table_2_r", kind="regression", model="m", blocks=["multivariate"], title="R")
    assert options.make(inputs).labels[0].text == "No variable was selected"


def test_terms():
    assert split_term("ki67[high]", COLUMNS) == ("ki67", "high")
    assert split_term("ki67=≥ 20 %", COLUMNS) == ("ki67", "high")
    assert split_term("age", COLUMNS) == ("age", "")
    assert split_term("DWI__tumour_slice__original_glcm_Imc1", COLUMNS)[1] == ""
    assert split_term("ki67[hihg]", COLUMNS) is None


def test_regression_refuses_unknown_levels(run, tmp_path):
    path = save("univariate", pd.DataFrame({"term": ["ki67[hihg]"], "p": [0.5]}), tmp_path / "univariate.csv")
    inputs = TableInputs(columns=COLUMNS, partitions={}, models={"m": "M"}, simulated=False, univariate={"m": path})
    options = settings(id="table_2_r", kind="regression", model="m", blocks=["univariate"], title="R")
    with pytest.raises(TableError, match=r"ki67\[hihg\]"):
        options.make(inputs)


# performance and DeLong


def test_performance_prints_fractions(run):
    options = settings(id="table_3_performance", kind="performance", title="Performance")
    table = options.make(run.inputs)
    row = table.data[(table.data["model"] == "Nomogram") & (table.data["partition"] == "Test set (centre 2)")].iloc[0]
    source = pd.read_csv(run.inputs.performance).set_index(["model", "partition"]).loc[("nomogram", "testing")]
    count = round(source["sensitivity"] * source["events"])
    assert row["sensitivity"] == f"{100 * source['sensitivity']:.0f}% ({count}/{source['events']})"
    assert row["auc"].startswith(f"{source['auc']:.3f} (")
    assert any("exact binomial" in note for note in table.footnotes)
    assert any("apparent" in note for note in table.footnotes)


def test_level_of_the_interval_is_printed(run):
    inputs = replace(run.inputs, level=0.9)
    table = settings(id="table_3_p", kind="performance", title="P", measures=["auc"]).make(inputs)
    assert table.headings[1].label == "AUC (90% CI)"


def test_published_fractions_of_the_paper():
    """Wang et al. 2025, test centre: 88.64 % of 44 and 71.43 % of 21 are 39 and 15 patients."""
    row = pd.Series(
        {
            "model": "nomogram",
            "partition": "testing",
            "n": 65,
            "events": 44,
            "sensitivity": 0.8864,
            "specificity": 0.7143,
            "accuracy": 54 / 65,
        }
    )
    assert fraction(row, "sensitivity", "f") == (39, 44)
    assert fraction(row, "specificity", "f") == (15, 21)
    assert fraction(row, "ppv", "f") == (39, 45)
    assert fraction(row, "npv", "f") == (15, 20)
    # the paper's contradiction: 83.72 % is no fraction of the 42 whom it calls pCR in the training centre
    with pytest.raises(TableError, match="a fraction of 42 patients"):
        fraction(pd.Series({**row, "events": 42, "n": 68, "sensitivity": 0.8372}), "sensitivity", "f")


def test_delong_pairs_and_matrix(run):
    pairs = settings(id="table_4_delong", kind="delong", title="DeLong").make(run.inputs)
    first = pairs.data[pairs.data["comparison"] == "Clinical vs Radiomics"].iloc[0]
    assert (first["p"], first["p_holm"]) == ("0.031", "0.094")
    turned = settings(id="table_4_delong", kind="delong", title="D", models=["radiomics", "clinical"]).make(run.inputs)
    other = turned.data[turned.data["comparison"] == "Radiomics vs Clinical"].iloc[0]
    assert other["z"] == first["z"].removeprefix("-") or first["z"] == f"-{other['z']}"
    matrix = settings(id="table_4_delong", kind="delong", title="D", layout="matrix").make(run.inputs)
    cell = matrix.data[matrix.data["model"] == "Radiomics"].iloc[0]
    assert (cell["vs_clinical"], cell["vs_radiomics"], cell["vs_nomogram"]) == ("0.094", "–", "0.031")
    assert not any("Likelihood" in note for note in pairs.footnotes)


@pytest.mark.parametrize("pair", [("radiomics", "nomogram"), ("clinical", "radiomics")])
def test_holm_corrects_over_the_tables_own_comparisons(run, pair):
    whole = settings(id="table_4_delong", kind="delong", title="D").make(run.inputs).data
    printed = settings(id="table_4_delong", kind="delong", title="D", models=[*pair]).make(run.inputs)
    assert (printed.data["p_holm"] == printed.data["p"]).all()  # one comparison: nothing to correct
    assert any("over the 1 comparisons" in note for note in printed.footnotes)
    assert not (whole["p_holm"] == whole["p"]).all()


def test_two_perfect_models_are_not_compared_by_a_p_value(run, tmp_path):
    table = pd.read_csv(run.inputs.delong)
    table[["auc_a", "auc_b", "difference"]] = (1.0, 1.0, 0.0)
    table[["z", "p", "p_holm"]] = np.nan
    save("delong", table, tmp_path / "delong.csv")
    printed = settings(id="table_4_delong", kind="delong", title="D").make(
        replace(run.inputs, delong=tmp_path / "delong.csv")
    )
    assert set(printed.data["p"].dropna()) - {""} == {"–"}
    assert any("no test, since the AUCs have no variance" in note for note in printed.footnotes)


@pytest.mark.parametrize(
    "text",
    [
        fmt.interval(1.0, 1.0, 1.0, 3),
        fmt.interval(float("inf"), 0.0, float("inf"), 2),
        fmt.interval(0.5, float("-inf"), float("inf"), 2),
        fmt.fixed(float("-inf"), 2),
        fmt.ratio_interval(6.6e24, 1e-12, 4e61),
        fmt.ratio_interval(float("inf"), 1.2, float("inf")),
    ],
)
def test_what_cannot_be_estimated_is_said_and_not_printed_as_a_number(text):
    assert "not estimable" in text
    assert "∞" not in text and "inf" not in text and "1.000–1.000" not in text


LR_TEST = {"": 12.3456, "_df": 1.0, "_p": 0.00044}


def test_delong_gives_likelihood_ratio_tests_of_nested_models(run, tmp_path):
    rows = [("nomogram", "training", f"lr_test{what}_vs_clinical", value) for what, value in LR_TEST.items()]
    extra = pd.DataFrame(rows, columns=["model", "partition", "measure", "value"])
    save("performance_extra", extra.assign(low=np.nan, high=np.nan, method="made"), tmp_path / "extra.csv")
    inputs = replace(run.inputs, performance_extra=tmp_path / "extra.csv")
    printed = settings(id="table_4_delong", kind="delong", title="DeLong").make(inputs)
    said = "Likelihood-ratio tests of nested models in training: Nomogram vs Clinical χ² 12.35, df 1, p < 0.001."
    assert said in printed.footnotes
    silent = settings(id="table_4_delong", kind="delong", title="D", nested=False).make(inputs)
    assert said not in silent.footnotes


# what a protocol may say


def test_unknown_keys_are_named():
    class Section(Settings):
        tables: list[TableSettings]

    content = {"tables": [BASELINE | {"colums": []}]}
    with pytest.raises(SettingsError, match="did you mean 'columns'"):
        validate(Section, content, "protocol.yaml")
    with pytest.raises(ValidationError):
        settings(**(BASELINE | {"id": "baseline"}))


def test_missing_input_is_named(run):
    bare = TableInputs(columns=COLUMNS, partitions={"training": "T"}, models={"m": "M"}, simulated=False)
    with pytest.raises(SettingsError, match="needs participants of 'training'"):
        settings(**BASELINE).make(bare)
    with pytest.raises(SettingsError, match="needs performance"):
        settings(id="table_3_p", kind="performance", title="P").make(bare)


def test_missing_column_is_named(run, tmp_path):
    path = tmp_path / "performance.csv"
    pd.read_csv(run.inputs.performance).drop(columns="auc_low").to_csv(path, index=False)
    inputs = TableInputs(
        columns={}, partitions=run.inputs.partitions, models=run.inputs.models, simulated=False, performance=path
    )
    with pytest.raises(TableError, match="column 'auc_low'"):
        settings(id="table_3_p", kind="performance", title="P").make(inputs)


# files


def test_render_writes_four_files_with_the_same_bytes(run, tmp_path):
    options = settings(**BASELINE)
    first = render(options, run.inputs, tmp_path / "a" / options.id)
    second = render(options, run.inputs, tmp_path / "b" / options.id)
    assert [path.suffix for path in first] == [".csv", ".html", ".tex", ".docx"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert {path.name for path in (tmp_path / "a").iterdir()} == {path.name for path in first}


def test_simulated_runs_say_so_everywhere(run, tmp_path):
    from docx import Document

    options = settings(**BASELINE)
    paths = {path.suffix: path for path in render(options, run.inputs, tmp_path / options.id)}
    rows = list(csv.DictReader(io.StringIO(paths[".csv"].read_text(encoding="utf-8-sig"))))
    assert {row["simulated"] for row in rows} == {"true"}
    for suffix in (".html", ".tex"):
        text = paths[suffix].read_text(encoding="utf-8")
        assert "(simulated data)" in text and "Simulated data:" in text
    paragraphs = [paragraph.text for paragraph in Document(str(paths[".docx"])).paragraphs]
    assert paragraphs[0].endswith("(simulated data)")
    assert any(text.startswith("Simulated data:") for text in paragraphs)


def test_docx_holds_the_table():
    from docx import Document

    document = Document(io.BytesIO(to_docx(hostile_table(), "2")))
    grid = document.tables[0]
    assert len(grid.rows) == 4  # spanning heading, headings, two rows
    assert grid.cell(2, 1).text == "@SUM(A1)"
    assert grid.cell(3, 1).text == "−0.5 (−1.2 to 0.3)"
    assert document.core_properties.author == "her2radiomics"
    assert document.core_properties.modified.year == 2000


def test_csv_cells_are_no_formulas():
    rows = list(csv.reader(io.StringIO(to_csv(hostile_table()))))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "@", "+", "\t")]
    assert "'@SUM(A1)" in cells
    assert "-0.5 (-1.2 to 0.3)" in cells  # a number stays a number
    for harmful in ("=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(1)", "\t=1", "＝1"):
        assert safe_cell(harmful) == f"'{harmful}"
    for harmless in ("-0.52", "-1.2 (-2.0 to -0.4)", "+3.1", "-∞", "84% (36/43)", "< 20 %", "–"):
        assert safe_cell(harmless) == harmless


def test_html_is_escaped_and_loads_nothing():
    page = to_html(hostile_table(), "2")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(src|href)\s*=", fragment_of(page))
    assert fragment_of(page) == to_fragment(hostile_table(), "2")
    assert 'scope="colgroup"' in page and 'scope="row"' in page
    with pytest.raises(ValueError, match="marks"):
        fragment_of("<table></table>")


def test_latex_is_escaped():
    tex = to_latex(hostile_table(), "2", "table_2_x")
    body = tex.split(r"\midrule")[1]
    assert r"\& 5 \% \_a\_" in body
    assert r"$-$0.5 ($-$1.2 to 0.3)" in body
    assert not re.search(r"(?<!\\)[&%_#](?! )", body.replace(" & ", " "))
    assert tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")
    assert escape_latex("χ² ≥ 1 – β~^\\") == (
        r"$\chi$\textsuperscript{2} $\geq$ 1 -- $\beta$\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )


def test_hostile_levels_reach_no_file_unescaped(tmp_path):
    """Clinical text is written by people: a level's printed name may hold anything."""
    column = Column.model_validate(
        {"label": "<img src=x onerror=alert(1)>", "kind": "categorical", "levels": {"a": "=1+1", "b": "B & C"}}
    )
    made = baseline_inputs(tmp_path, shape=["a", "b", "a", "b", "b", "b", "a", "a"])
    inputs = TableInputs(
        columns={"shape": column},
        partitions=made.partitions,
        models={},
        simulated=False,
        participants=made.participants,
    )
    options = settings(**(BASELINE | {"columns": ["shape"]}))
    paths = {path.suffix: path for path in render(options, inputs, tmp_path / "out" / options.id)}
    assert "<img" not in paths[".html"].read_text(encoding="utf-8")
    cells = [c for row in csv.reader(io.StringIO(paths[".csv"].read_text(encoding="utf-8-sig"))) for c in row]
    assert "'=1+1" in cells and "=1+1" not in cells


LATEX = shutil.which("pdflatex")


@pytest.mark.skipif(LATEX is None, reason="needs pdflatex, and none is installed")
@pytest.mark.parametrize("columns", [1, 2, 5])
def test_latex_compiles_and_stays_on_the_page(tmp_path, columns):
    """A narrow table, one made smaller and one printed sideways: no error, and no box wider than the text."""
    wide = hostile_table()
    headings = tuple(Heading(f"c{i}", f"Column {i}", "Group & co" if i < 3 else "") for i in range(columns))
    cells = {heading.key: ["0.875 (0.500–1.000)ᵃ", "* -0.5 χ²"] for heading in headings}
    data = pd.DataFrame({"characteristic": wide.data["characteristic"], **cells})
    # a title or note that cannot be broken would stick out of any text
    table = replace(wide, title="Hostile cells", data=data, headings=headings, footnotes=("ᵃ Said twice.",))
    tex = to_latex(table, "S2", "table_s2_x")
    assert ("sidewaystable" in tex) == (columns > 2)
    packages = re.search(r"\\usepackage\{([a-z,]+)\}", tex)
    assert packages is not None
    (tmp_path / "page.tex").write_text(
        r"\documentclass[a4paper]{article}\usepackage[T1]{fontenc}\usepackage[margin=20mm]{geometry}"
        rf"\usepackage{{{packages[1]}}}\begin{{document}}{tex}\end{{document}}",
        encoding="utf-8",
    )
    command = [str(LATEX), "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace", timeout=60)
    assert done.returncode == 0, done.stdout[-1500:]
    assert "Overfull" not in done.stdout, done.stdout[-1500:]
    assert r"\newlabel{tab:table_s2_x}{{S2}" in (tmp_path / "page.aux").read_text(encoding="utf-8")


def test_word_columns_share_the_page_by_what_they_hold():
    """The longest word is the least; what is left goes to the columns that lack most (CSS 2.1, 17.5.2.2)."""
    columns = [Share(2.0, 3.0), Share(2.0, 12.0)]
    assert widths(columns, 20.0) == [3.0, 12.0]  # all that is asked for
    assert widths(columns, 9.5) == [2.5, 7.0]  # 5.5 cm to share, 1 lacks and 10 lack
    assert widths(columns, 2.0) == [1.0, 1.0]
