"""The report: one page that loads nothing, says what the files say, and works in a browser."""

from __future__ import annotations

import base64
import re
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest
from contract_tables import save
from methods_text import said
from PIL import Image
from pydantic import TypeAdapter
from report_run import FIGURES, SVG, build, build_context, describe, protocol, summarise, used_software
from table_run import FEATURES, save_linear

from her2radiomics.core.errors import SettingsError, StudyError, TableError
from her2radiomics.extraction.names import region_phrase
from her2radiomics.modelling.steps import Step
from her2radiomics.report import embed, index, page
from her2radiomics.report.facts import model_sentence
from her2radiomics.report.words import lower_first, model_phrase, step_label
from her2radiomics.study.descriptions import read_run_info


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def context(made):
    folder, arguments = made
    return build_context(folder, describe(), **arguments)


@pytest.fixture(scope="module")
def html(context):
    return page(context)


class Parsed(HTMLParser):
    """Ids, targets, loaded addresses, pictures and headings of a page."""

    VOID = frozenset(("meta", "link", "img", "input", "br", "hr"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.pictures: list[dict] = []
        self.headings: list[int] = []
        self.unscoped = 0
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        elif "href" in given:
            self.loads.append(given["href"])
        for name in ("src", "srcset", "data", "action", "poster"):
            if name in given:
                self.loads.append(given[name])
        if tag == "img":
            self.pictures.append(given)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th" and "scope" not in given:
            self.unscoped += 1

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


# the page


def test_page_loads_nothing(html):
    parsed = Parsed(html)
    assert parsed.open == []  # every element is closed where it should be
    assert all(address.startswith("data:") for address in parsed.loads)
    assert [link for link in parsed.links if "://" in link] == ["https://doi.org/10.3389/fonc.2025.1544058"]
    assert "@import" not in html and not re.search(r"url\((?!['\"]?data:)", html)
    assert "default-src 'none'" in html
    assert len(html) < 10_000_000


def test_ids_are_unique_and_inner_links_lead_somewhere(html):
    parsed = Parsed(html)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link[1:] for link in parsed.links if link.startswith("#")} <= set(parsed.ids)


def test_linked_files_exist(html, made):
    folder, _ = made
    for link in Parsed(html).links:
        if not link.startswith(("#", "https:")) and link not in ("../index.html", "provenance/run.json"):
            assert (folder / link).is_file(), link


def test_page_is_accessible(html):
    parsed = Parsed(html)
    assert all(picture.get("alt") for picture in parsed.pictures)
    assert parsed.unscoped == 0
    assert parsed.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(parsed.headings, parsed.headings[1:], strict=False))
    assert 'lang="en-GB"' in html and 'name="viewport"' in html


def test_every_picture_is_whole(html):
    pictures = Parsed(html).pictures
    assert len(pictures) == len(FIGURES) + 3 + 1  # overlays, grey levels
    for picture in pictures:
        head, content = picture["src"].split(",", 1)
        raw = base64.b64decode(content, validate=True)
        assert raw.startswith((b"<svg", b"<?xml") if "svg" in head else b"RIFF")


def test_same_inputs_same_bytes(html, made):
    folder, arguments = made
    assert page(build_context(folder, describe(), **arguments)) == html


def test_headline_is_the_result_of_the_held_out_centre(context, made):
    row = pd.read_csv(made[0] / "tables" / "performance.csv").set_index(["model", "partition"])
    row = row.loc[("nomogram", "testing")]
    assert context.headline == (
        f"The nomogram: AUC {row['auc']:.2f} (95% CI {row['auc_low']:.2f}–{row['auc_high']:.2f}) in 30 patients "
        "(18 pCR) of the test set (centre 2). Simulated data."
    )
    found = round(row["sensitivity"] * row["events"])
    assert f"sensitivity was {100 * row['sensitivity']:.0f}% ({found}/{int(row['events'])})" in context.findings[0]
    assert "Published AUC: 0.878 (0.773–0.946) (pCR vs non-pCR)." in context.findings


def test_headline_of_a_model_no_better_than_chance(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    path = folder / "tables" / "performance.csv"
    table = pd.read_csv(path)
    table.loc[:, ["auc", "auc_low", "auc_high"]] = (0.5, 0.31, 0.69)
    table.to_csv(path, index=False)
    summary = summarise(folder, describe(simulated=False), "x")
    assert summary.headline == (
        "The nomogram: AUC 0.50 (95% CI 0.31–0.69) in 30 patients (18 pCR) of the test set (centre 2)."
    )


def test_headline_of_a_partition_with_one_outcome(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    path = folder / "tables" / "performance.csv"
    table = pd.read_csv(path)
    table.loc[table["partition"] == "testing", ["auc", "auc_low", "auc_high"]] = None
    table.to_csv(path, index=False)
    assert summarise(folder, describe(), "x").headline == (
        "The nomogram: no AUC in 30 patients (18 pCR) of the test set (centre 2), because all had the same outcome. "
        "Simulated data."
    )


def test_remarks_of_the_evaluation_stand_with_their_model(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    with (folder / "tables" / "performance_extra.csv").open("a", encoding="utf-8") as stream:
        stream.write("clinical,testing,note_threshold,,,,nobody is called positive\n")
        stream.write("clinical,training,note_apparent,,,,apparent\n")
    models = {model.id: model for model in build_context(folder, describe()).models}
    assert models["clinical"].notes == ("Test set (centre 2): nobody is called positive.",)
    assert models["nomogram"].notes == ()


def test_patients_whom_a_model_cannot_predict_are_counted_with_the_reason(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    (folder / "models" / "clinical" / "not_predicted.csv").write_text(
        "patient_id,partition,column,found,expected\n"
        "P7,testing,age,,a number\n"
        "P8,testing,margin,smooth,one of\nP9,testing,margin,smooth,one of\n",
        encoding="utf-8",
    )
    notes = {model.id: model.notes for model in build_context(folder, describe()).models}["clinical"]
    assert notes == (
        "Test set (centre 2): no prediction for 1 patient; Age was missing.",
        "Test set (centre 2): no prediction for 2 patients; margin 'smooth' did not occur in training.",
    )


def test_simulated_pages_say_so_and_real_ones_do_not(html, tmp_path):
    assert html.count("<strong>Simulated data.</strong>") == 2  # at the top and at the foot
    folder, arguments = build(tmp_path, simulated=False)
    real = page(build_context(folder, describe(simulated=False, title="Hospital"), **arguments))
    assert "imulated" not in re.sub(r"<style>.*?</style>", "", real, flags=re.S)


def test_methods_are_written_from_the_protocol(context):
    text = "\n".join(" ".join(part.paragraphs) for part in context.methods)
    for phrase in (
        "Of 70 simulated patients, 64 were included.",
        "The reason for excluding 4 was clinical stage IV.",
        "the training set comprised patients of Centre 1 (3.0 T) and the test set comprised patients of Centre 2 (1.5 T)",
        "The training set (centre 1) had 34 patients",
        "1125 features were extracted from each region on fs-T2WI, DWI and DCE phase 2 (3375 in all)",
        "wavelet (coif1, in the plane) and Laplacian of Gaussian (σ 3 mm)",
        "bin width of 25",
        "Of 3 features, 2 reached a coefficient of 0.75",
        "(p < 0.05) were kept (188 left)",
        "lambda.min) in 10-fold cross-validation, features standardised inside each fold (2 left)",
        "Candidates were age and Ki-67 index",
        "95% confidence interval, by the exact binomial method (Clopper–Pearson",
        "PyRadiomics (pyradiomics-bhklab) 3.1.4",
        "seed 7",
    ):
        assert phrase in text, phrase


def test_reproducibility_not_assessed_is_said(made):
    folder, arguments = made
    info = describe()
    info["protocol"]["models"]["radiomics"]["steps"][1]["minimum_patients"] = 12
    path = folder / "models" / "radiomics" / "reproducibility.csv"
    before = path.read_text(encoding="utf-8")
    save("reproducibility", pd.DataFrame({"feature": ["a"], "n": 4, "kept": "not assessed"}), path)
    context = build_context(folder, info, **arguments)
    path.write_text(before, encoding="utf-8")
    methods = {part.heading: " ".join(part.paragraphs) for part in context.methods}
    assert "not assessed, because fewer than 12 training patients were read twice" in methods["Reproducibility"]
    assert "intraclass correlation" not in methods["Feature selection"]  # nothing was filtered by it


def test_steps_are_told_with_their_settings():
    steps = [
        {"step": "variance", "threshold": 0.1},
        {"step": "min_max"},
        {"step": "variance"},
        {"step": "univariate", "k": 20},
        {"step": "redundancy", "method": "spearman"},
        {"step": "lasso", "rule": "1se", "family": "binomial"},
        {"step": "recursive_elimination", "k": 5},
        {"step": "mrmr", "k": 7},
        {"step": "elastic_net", "alpha": 0.3},
        {"step": "stability_selection", "q": 6},
        {"step": "combat", "unseen": "adapt", "covariates": ["age"]},
    ]
    made = TypeAdapter(list[Step]).validate_python(steps)
    text = "; ".join(step.sentence(made[:place]) for place, step in enumerate(made))
    for phrase in (
        "a variance of 0.1 or less (of the measured values)",
        "features with zero variance (after min-max scaling) were removed",
        "20 features most strongly associated",
        "Spearman",
        "lambda.1se",
        "until 5 were left",
        "7 features were taken by minimum redundancy",
        "an elastic net (alpha 0.3)",
        "first 6 to enter its path on at least 75% of 100 random halves",
        "adjusted for age",
        "(transductive)",
    ):
        assert phrase in text


def test_words():
    assert region_phrase("ring_3mm_slice") == (
        "the ring from the tumour's edge to 3 mm outside it, in the tumour's largest slice"
    )
    assert [model_phrase(label) for label in ("Nomogram", "Clinical", "R3", "DCE")] == [
        "the nomogram",
        "the clinical model",
        "the R3 model",
        "the DCE model",
    ]
    assert [lower_first(text) for text in ("Age", "ADC", "Ki-67 index", "TIC type", "Lymph-node size")] == [
        "age",
        "ADC",
        "Ki-67 index",
        "TIC type",
        "lymph-node size",
    ]
    assert lower_first("Miller-Payne grade") == "Miller-Payne grade"
    assert lower_first("Radiotherapy, chemotherapy or biopsy") == "radiotherapy, chemotherapy or biopsy"
    info = read_run_info(describe())
    assert step_label("radiomics: lasso", info) == "Radiomics: LASSO"
    assert step_label("min_max_2", info) == "Min-max scaling"


def test_models_show_formula_and_selection(context, html):
    radiomics = next(model for model in context.models if model.id == "radiomics")
    assert radiomics.score == "Rad-score"
    assert radiomics.formula[:3] == (
        "0.3100",
        "+ 1.4200 × DWI · tumour, largest slice · wavelet LH, first-order 90th percentile",
        "− 0.5700 × DWI · tumour, largest slice · logarithm, GLCM informational measure of correlation 1",
    )
    assert len(radiomics.formula) == 1 + len(FEATURES)
    assert radiomics.selection.rows[1][:3] == ("Agreement of readers (ICC)", "3375", "2711")
    nomogram = next(model for model in context.models if model.id == "nomogram")
    assert nomogram.formula[1:] == ("+ 1.1000 × Rad-score", "+ 0.8000 × Ki-67 index: ≥ 20 %")
    assert "Probability = 1 / (1 + exp(−score))" in html


def test_empty_models_are_marked(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    (folder / "models/clinical/coefficients.csv").write_text("term,beta\n(Intercept),0.2\n", encoding="utf-8")
    save_linear(folder / "models/clinical/model.json", "clinical", {})
    info = describe()
    info["protocol"]["models"]["clinical"]["allow_unavailable"] = True
    context = build_context(folder, info, **made[1] | {"overlays": []})
    clinical = next(model for model in context.models if model.id == "clinical")
    assert "intercept alone" in clinical.marks[0]
    # the setting alone says nothing: no predictor is known too late, and none was kept
    assert not any("known after" in text for text in (*clinical.marks, *context.findings))


def test_published_and_reproduced(context, html):
    places = dict(context.published.places)
    assert list(places) == ["Results", "Table 3", "Abstract"]
    rows = {(row.quantity, row.model): row for rows in places.values() for row in rows}
    assert rows["AUC", "Nomogram"].published == "0.878 (0.773–0.946)"
    assert rows["Sensitivity", "Nomogram"].published == "88.64%"
    assert rows["Patients", ""].reproduced == "34"
    assert rows["Features selected", "Radiomics"].reproduced == "3"
    assert {row.agreement for row in rows.values()} <= {"agrees", "differs"}
    assert "Of 4 printed numbers and statements" in html and "When two numbers agree" in html
    assert "agreement or disagreement says nothing about the paper" in html


def test_protocol_text_is_escaped(html):
    assert "<script>alert" not in html
    assert "Bin width 25 &lt;script&gt;" in html
    assert html.count("<script>") == 1


def test_panels_stand_together(context):
    assert [(figure.number, [panel.letter for panel in figure.panels]) for figure in context.figures] == [
        ("1", [""]),
        ("5", ["b", "c"]),
    ]
    assert "AUC: Clinical 0." in context.figures[1].panels[1].alt


def test_pages_of_brought_features_have_no_quality_control(made, tmp_path):
    folder, arguments = made
    records = [used_software(tmp_path, "scikit-learn", "python-docx")]
    arguments = arguments | {"overlays": [], "parameters": [], "records": records}
    context = build_context(folder, describe(extracted=False), **arguments)
    text = " ".join(paragraph for part in context.methods for paragraph in part.paragraphs)
    assert "none was extracted from images" in text
    for name in ("PyRadiomics", "SimpleITK", "scikit-image"):  # no library read an image
        assert name not in text, name
        assert name not in dict(context.versions), name
    assert "scikit-learn" in dict(context.versions)
    assert 'id="quality"' not in page(context)


# pictures


def test_large_figures_give_way_to_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(embed, "LARGEST_FIGURE", 400)
    stem = tmp_path / "figure_1_flow"
    stem.with_suffix(".svg").write_text(SVG.format("x" * 400), encoding="utf-8")
    Image.new("RGB", (4, 4)).save(stem.with_suffix(".png"))
    assert embed.figure_uri(stem).startswith("data:image/png")
    assert embed.figure_uri(stem, figures=10**6).startswith("data:image/webp")
    stem.with_suffix(".png").unlink()
    assert embed.figure_uri(stem).startswith("data:image/svg+xml")


def test_pictures_beyond_the_budget_are_linked(made, monkeypatch):
    monkeypatch.setattr(embed, "THUMBNAILS", 10)
    context = build_context(made[0], describe(), **made[1])
    assert [bool(picture.layers.picture) for picture in context.overlays] == [True, False, False]
    assert context.overlays_note.startswith("2 of 3 pictures are linked only")


# what is missing is named


@pytest.mark.parametrize(
    ("gone", "error", "message"),
    [
        ("figures/figure_1_flow.*", StudyError, "figure_1_flow.svg: no such file; expected the figure"),
        ("tables/table_1_baseline.html", StudyError, "table_1_baseline.html: no such file"),
        ("tables/performance.csv", TableError, "performance.csv: found no file"),
        ("cohort/flow.csv", TableError, "flow.csv: found no file"),
        ("cohort/qc.csv", TableError, "qc.csv: found no file"),
        ("cohort/grey_levels.pdf", StudyError, "grey_levels.pdf: no such file; expected the figure"),
        ("features/ibsi.csv", TableError, "ibsi.csv: found no file"),
        ("models/radiomics/model.json", StudyError, "model.json: no such file"),
    ],
)
def test_missing_files_are_named(made, tmp_path, gone, error, message):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    for path in folder.glob(gone):
        path.unlink()
    with pytest.raises(error, match=re.escape(message)):
        build_context(folder, describe(), parameters=made[1]["parameters"])


def test_missing_rows_and_broken_files_are_named(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    with pytest.raises(StudyError, match="expected a picture"):
        build_context(folder, describe(), overlays=[tmp_path / "P1" / "DWI.png"])
    with pytest.raises(StudyError, match="'external' too"):
        build_context(folder, describe(partitions=["training", "external"]))
    (folder / "models/radiomics/model.json").write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match="no valid JSON"):
        build_context(folder, describe())


def test_run_info_is_checked():
    with pytest.raises(SettingsError, match="did you mean 'title'"):
        read_run_info(describe(cohort={"titel": "x", "kind": "simulated"}))
    content = protocol()
    del content["models"]
    with pytest.raises(SettingsError, match="the key 'models' is missing"):
        read_run_info(describe(protocol=content))
    with pytest.raises(SettingsError, match="primary_model: 'x' is not declared"):
        read_run_info(describe(protocol=protocol() | {"primary_model": "x"}))


# the index


def test_index_over_runs(made):
    runs = [
        summarise(made[0], describe(), "nat_response/report.html"),
        summarise(made[0], describe(simulated=False, request={"study": "b"}), "b/report.html"),
    ]
    text = index(runs)
    parsed = Parsed(text)
    assert all(address.startswith("data:") for address in parsed.loads)
    assert list(dict.fromkeys(link for link in parsed.links if link.endswith(".html"))) == [
        "nat_response/report.html",
        "b/report.html",
    ]
    assert "nat_response/tables/performance.csv" in parsed.links
    assert text.count("simulated data</strong>") == 1
    assert [run.n for run in runs] == [64, 64]
    assert text.count(runs[0].info.protocol.question.strip()) == 2 and "<table" not in text
    assert "AUC, Test set (centre 2)" in text and "n = 30" in text
    assert "No run has a report yet." in index([])


def test_page_and_index_lead_to_the_manuscript(tmp_path):
    folder, arguments = build(tmp_path)
    beside = [folder / "manuscript" / f"manuscript.{ending}" for ending in ("docx", "tex")]
    assert "manuscript/" not in " ".join(Parsed(page(build_context(folder, describe(), **arguments))).links)
    for path in beside:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    links = Parsed(page(build_context(folder, describe(), **arguments))).links
    assert {"manuscript/manuscript.docx", "manuscript/manuscript.tex"} <= set(links)
    shown = Parsed(index([summarise(folder, describe(), "nat_response/report.html")]))
    assert "nat_response/manuscript/manuscript.docx" in shown.links


def test_a_sentence_for_every_kind_of_model():
    info = describe()
    ridge = {"kind": "radiomics", "steps": [], "estimator": {"kind": "ridge", "folds": 10}}
    info["protocol"]["models"] |= {
        "ridge": ridge,
        "svm": {**ridge, "estimator": {"kind": "linear_svm"}},
        "forest": {**ridge, "estimator": {"kind": "random_forest", "trees": 300}},
        "published": {"kind": "clinical", "candidates": ["age", "ki67"], "keep": "all", "missing": "impute"},
        "all_blocks": {
            "kind": "multivariate",
            "features": {"steps": [{"step": "z_score"}]},
            "of": ["radiomics"],
            "candidates": ["age"],
            "selection": {"by": "lasso", "family": "binomial", "folds": 10, "rule": "min"},
            "missing": "complete_case",
        },
        "backward": {"kind": "multivariate", "of": ["radiomics"], "selection": {"by": "backward"}},
    }
    run = read_run_info(info)
    text = {name: model_sentence(run, name) for name in info["protocol"]["models"]}
    assert "ridge penalty chosen by cross-validation inside the training set" in text["ridge"]
    assert "linear support vector machine, with probabilities by Platt scaling" in text["svm"]
    assert "a random forest of 300 trees" in text["forest"] and "smoothed share of votes" in text["forest"]
    assert "its terms were fixed beforehand, and none was screened" in text["published"]
    assert "filled with the training median" in text["published"]
    assert "the Rad-scores of the radiomics model, and age, selected together by a logistic LASSO" in text["all_blocks"]
    assert "at the smallest error in 10-fold cross-validation" in text["all_blocks"]
    assert "Patients with a missing candidate were left out." in text["all_blocks"]
    assert "backward elimination (p < 0.05)" in text["backward"]
    evaluation = said(run, "evaluation")
    assert "10-fold cross-validation, stratified by outcome." in evaluation
