"""A made run with everything that its page shows."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd
from contract_tables import save
from PIL import Image
from pydantic import TypeAdapter
from table_run import COLUMNS, MODELS, PARTITIONS, make_run
from workflow_run import ROOT

from her2radiomics import report
from her2radiomics.core import software
from her2radiomics.core.tables import read
from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.ibsi import standings
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.grey_levels import GreyLevelText, draw_grey_levels
from her2radiomics.manuscript.figures.render import write as write_drawing
from her2radiomics.manuscript.tables import TableSettings
from her2radiomics.manuscript.tables import render as render_table
from her2radiomics.report import ReportContext, RunSummary
from her2radiomics.study.descriptions import read_run_info

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="120" viewBox="0 0 200 120">'
    '<defs><path id="a" d="M0 0L9 9"/></defs><rect width="200" height="120" fill="white"/>'
    '<text x="9" y="60">{}</text></svg>'
)
FIGURES = [
    {"id": "figure_1_flow", "kind": "flow", "title": "Recruitment flow"},
    {"id": "figure_5b_roc", "kind": "roc", "title": "ROC, training", "models": [*MODELS], "partition": "training"},
    {"id": "figure_5c_roc", "kind": "roc", "title": "ROC, test", "models": [*MODELS], "partition": "testing"},
]
TABLES = [
    {"id": "table_1_baseline", "kind": "baseline", "title": "Patients", "columns": ["age", "ki67"]},
    {"id": "table_2_regression", "kind": "regression", "title": "Regression", "model": "clinical"},
    {"id": "table_3_performance", "kind": "performance", "title": "Performance"},
    {"id": "table_4_delong", "kind": "delong", "title": "DeLong's tests"},
]
PUBLISHED = [
    ("n", "", "training", 68, None, None, "Results"),
    ("features_selected", "radiomics", "training", 7, None, None, "Results"),
    ("auc", "nomogram", "testing", "0.878", "0.773", "0.946", "Table 3"),
    ("sensitivity", "nomogram", "testing", "88.64 %", None, None, "Abstract"),
]
PARAMETERS = """
setting: {binWidth: 25, force2D: true}
imageType: {Original: {}, Wavelet: {}, LoG: {sigma: [3.0]}}
featureClass: {shape2D: [], firstorder: []}
"""


def protocol() -> dict:
    """A protocol as plain data, hostile in one text."""
    sequences = {
        name: {
            "label": label,
            "description": "",
            "regions": ["tumour_slice"],
            "parameters": "features_1125_2d",
            "features": 1125,
        }
        for name, label in (("T2FS", "fs-T2WI"), ("DWI", "DWI"), ("DCE2", "DCE phase 2"))
    }
    steps = [
        {"step": "min_max"},
        {"step": "icc_filter", "form": "ICC2,1", "threshold": 0.75, "minimum_patients": 10},
        {"step": "univariate", "test": "f_classif", "p": 0.05, "k": None},
        {"step": "lasso", "family": "gaussian", "folds": 10, "rule": "min"},
        {"step": "forced_retention", "by": "sequence", "ranking": "f_classif"},
    ]
    keys = ("quantity", "model", "partition", "value", "low", "high", "source")
    return {
        "title": "Response to therapy",
        "question": "Does a nomogram tell who responds?",
        "paper": {"citation": "Wang L, et al. Front Oncol. 2025;15:1544058.", "doi": "10.3389/fonc.2025.1544058"},
        "label": {"column": "pcr", "positive": "pCR", "negative": "non-pCR", "definition": "Miller-Payne grade 5"},
        "prediction_at": "before_treatment",
        "partitions": {"kind": "centre", "training": ["centre_1"], "testing": ["centre_2"], "external": []},
        "partition_labels": PARTITIONS,
        "centres": {"centre_1": "Centre 1 (3.0 T)", "centre_2": "Centre 2 (1.5 T)"},
        "sequences": sequences,
        "columns": {name: column.model_dump(mode="json") for name, column in COLUMNS.items()},
        "models": {
            "clinical": {"kind": "clinical", "candidates": ["age", "ki67"], "p_enter": 0.05, "keep": "enter"},
            "radiomics": {
                "kind": "radiomics",
                "sequences": ["T2FS", "DWI", "DCE2"],
                "steps": steps,
                "estimator": {"kind": "logistic", "method": "auto"},
            },
            "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"], "method": "auto"},
        },
        "model_labels": MODELS,
        "primary_model": "nomogram",
        "evaluation": {"ci_method": "binomial_exact", "level": 0.95},
        "figures": FIGURES,
        "tables": TABLES,
        "published": [dict(zip(keys, row, strict=True)) for row in PUBLISHED],
        "assumptions": ["Bin width 25 <script>alert(1)</script>"],
        "contradictions": [
            {"finding": "83.72 % is 36/43, of 42.", "followed": "42, as the text says.", "variant": "other"}
        ],
    }


def describe(*, simulated: bool = True, title: str = "Simulated cohort", **changes) -> dict:
    """What the page is made from, as plain data; names of study, variant and cohort under ``request``."""
    departures = ["Features were measured at four visits."]
    request = {"study": "nat_response"} | changes.pop("request", {})
    info = {
        "request": request,
        "protocol": protocol(),
        "cohort": {"title": title, "kind": "simulated" if simulated else "tables", "departures": departures},
        "partitions": [*PARTITIONS],
        "extracted": True,
        "reference_reader": "1",
        "seed": 7,
    }
    return info | changes


def build_context(folder: Path, content: dict, **arguments) -> ReportContext:
    """The context of the page, from plain data."""
    usual = {"parameters": [ROOT / "workflow/extraction/features_1125_2d.yaml"]}
    return report.build_context(folder, read_run_info(content), **usual | arguments)


def summarise(folder: Path, content: dict, href: str) -> RunSummary:
    """A run's line of the index, from plain data."""
    return report.summarise(folder, read_run_info(content), href)


def build(folder: Path, *, simulated: bool = True):
    """A made run with its printed tables, pictures and parameter file; the arguments of build_context."""
    run = make_run(folder / "results" / "nat_response", simulated=simulated)
    for content in TABLES:
        settings = TypeAdapter(TableSettings).validate_python(content)
        render_table(settings, run.inputs, run.folder / "tables" / settings.id)
    for item in FIGURES:
        for end in ("svg", "pdf", "csv"):
            (run.folder / "figures" / f"{item['id']}.{end}").write_text(SVG.format(item["title"]), encoding="utf-8")
        Image.new("RGB", (20, 12), "white").save(run.folder / "figures" / f"{item['id']}.png")
    overlays = []
    for patient in ("C1-001", "C1-002", "C1-901"):
        path = folder / "results" / "cohorts" / "made" / patient / "DWI.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (300, 200), "black").save(path)
        overlays.append(path)
    parameters = folder / "features_1125_2d.yaml"
    parameters.write_text(PARAMETERS, encoding="utf-8")
    made = [{"parameters": parameters.stem, **asdict(item)} for item in standings(read_parameters(parameters))]
    save("ibsi", pd.DataFrame(made), run.folder / "features" / "ibsi.csv")
    quality_control(run.folder / "cohort", simulated)
    reproducibility = pd.DataFrame({"feature": ["a", "b", "c"], "n": 24, "kept": ["yes", "yes", "no"]})
    save("reproducibility", reproducibility, run.folder / "models" / "radiomics" / "reproducibility.csv")
    return run.folder, {
        "overlays": overlays,
        "parameters": [parameters],
        "centres": {f"C{n}-{i:03d}": f"centre_{n}" for n in (1, 2) for i in range(1, 999)},
        "hashed": {"Parameters": parameters},
        "records": [used_software(folder, "pyradiomics-bhklab", "SimpleITK", "PyWavelets", "scikit-learn")],
    }


def used_software(folder: Path, *names: str) -> Path:
    """A job's record of the software that it used."""
    path = folder / "job.json"
    path.write_text(software.as_record(names), encoding="utf-8")
    return path


def quality_control(cohort: Path, simulated: bool) -> None:
    """Numbers whose order as text is another one; the figure of grey levels."""
    table = pd.read_csv(cohort / "qc.csv", dtype=str, keep_default_na=False)
    dice = {"C1-001": "0.9", "C1-002": "0.65"}
    table["dice"] = [dice.get(patient, "") for patient in table["patient_id"]]
    table.loc[table["patient_id"] == "C1-002", ["size", "spacing_mm"]] = ["1024×96×9", "0.75×0.75×10"]
    table.loc[table["patient_id"] == "C2-001", "minimum"] = "-1000.0"
    table.to_csv(cohort / "qc.csv", index=False)
    text = GreyLevelText(
        title="Response",
        simulated=simulated,
        sequences={name: name for name in ("T2FS", "DWI", "DCE2")},
        regions={"tumour_slice": "Tumour, largest slice"},
        groups={name: name for name in ("1", "2")},
        group_of={patient: patient[1] for patient in table["patient_id"]},
    )
    with style.in_style():
        drawing = draw_grey_levels(read("qc", cohort / "qc.csv"), text)
    write_drawing(drawing, cohort / "grey_levels", {}, simulated=simulated)
