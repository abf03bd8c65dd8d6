"""A study of one's own, as docs/own_study.md writes it: its files run to the report, and nothing else is needed.

The page is the fixture: its blocks are written out under their titles, so that it cannot rot. The images
are simulated ones, copied under other names and tables as if they came from two hospitals.
"""

from __future__ import annotations

import re
import shutil
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
import yaml
from workflow_run import ROOT, Project

from her2radiomics.core.settings import overlay, read_yaml
from her2radiomics.simulation import SimulationSettings, roster, simulate_patient

PAGE = ROOT / "docs" / "own_study.md"
RUN = "results/node_status--default--two_hospitals"
SEQUENCES = {"DCE4": "DCE", "T2FS": "T2"}
HOSPITALS = {"first_period": "north", "later_period": "south"}
DAMAGED = "P003"  # of the north, read once
SEED = 5


def blocks() -> dict[str, str]:
    """Name in the first line to content, for every block of the page."""
    found = re.findall(r'^```(?:yaml|tsv) title="(\S+)"\n(.*?)^```$', PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return dict(found)


def header(name: str) -> list[str]:
    return list(pd.read_csv(StringIO(blocks()[name]), sep="\t").columns)


def write_hospitals(folder: Path) -> None:
    """Images, masks and tables of two hospitals, with the columns that the page shows; one image is cut short."""
    content = read_yaml(ROOT / "workflow" / "studies" / "her2_peritumoral.yaml")["simulation"]
    counts = {"first_period": (10, 9), "later_period": (4, 4)}
    small = overlay(
        content,
        {
            "sizes": {"demo": {"extent_mm": [80, 80, 48], "truth_grid_mm": 2.0}},
            "centres": {
                name: {"counts": {"demo": dict(zip(("positive", "negative"), n, strict=True))}}
                for name, n in counts.items()
            },
            "sequences": {"ADC": None},
            "readers": {"read_twice": {"demo": 7}},
            "excluded": [],
        },
    )
    settings = SimulationSettings.model_validate(small)
    made = roster(settings, size="demo", seed=SEED)
    everyone = made.participants.astype(str)
    number = {patient: f"P{i:03d}" for i, patient in enumerate(everyone["patient_id"], 1)}
    scratch = folder.parent / "scratch"
    for patient in number:
        simulate_patient(settings, size="demo", seed=SEED, patient_id=patient, folder=scratch)
    rows = []
    manifest = made.manifest.astype(str)
    for row in manifest[manifest["region"] == "tumour"].to_dict("records"):
        patient, sequence = number[row["patient_id"]], SEQUENCES[row["sequence"]]
        image = f"images/{patient}/{sequence}.nii.gz"
        mask = f"masks/{patient}/{sequence}_reader{row['reader']}.nii.gz"
        for source, copy in ((row["image"], image), (row["mask"], mask)):
            (folder / copy).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scratch / source, folder / copy)
        rows.append([patient, sequence, row["reader"], "tumour", image, mask])
    shutil.rmtree(scratch)
    pd.DataFrame(rows, columns=header("images.tsv")).to_csv(folder / "images.tsv", sep="\t", index=False)
    amplified = pd.to_numeric(everyone["fish_ratio"]).ge(2) | everyone["her2_ihc"].eq("3+")
    table = pd.DataFrame(
        {
            "patient_id": everyone["patient_id"].map(number),
            "centre": everyone["centre"].map(HOSPITALS),
            "Age at diagnosis": everyone["age"],
            "Ki67 percent": everyone["ki67"],
            "Margin": everyone["spiculation"].map({"no": "smooth", "yes": "spiculated"}),
            "pN": amplified.map({False: "0", True: "1a"}),
            "exclude_reason": "",
        }
    )
    assert list(table.columns) == header("participants.tsv")
    table.loc[table.index[-1], "exclude_reason"] = "no_surgery"
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    image = folder / f"images/{DAMAGED}/T2.nii.gz"
    image.write_bytes(image.read_bytes()[:-2000])


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """The workflow with the page's files and the hospitals' data, run to the report."""
    files = blocks()
    # larger batches change no result: fewer starts of Python
    config = yaml.safe_load(files["config.yaml"]) | {"patients_per_job": 14}
    made = Project(tmp_path_factory.mktemp("own") / "study", config)
    for name, text in files.items():
        if name.startswith("workflow/"):
            assert not (ROOT / name).exists(), f"{name} of the page would hide a file of the workflow"
            (made.folder / name).write_text(text, encoding="utf-8")
    write_hospitals(made.folder / "data" / "two_hospitals")
    made.snakemake()
    return made


def test_the_page_names_whole_files():
    assert list(blocks()) == [
        "participants.tsv",
        "images.tsv",
        "workflow/cohorts/two_hospitals.yaml",
        "workflow/extraction/features_42.yaml",
        "workflow/studies/node_status.yaml",
        "config.yaml",
    ]


@pytest.mark.workflow
def test_a_study_of_ones_own_runs_to_the_report(project):
    folder = project.folder / RUN
    protocol = yaml.safe_load(blocks()["workflow/studies/node_status.yaml"])
    for figure in protocol["figures"]:
        assert (folder / "figures" / f"{figure}.svg").stat().st_size > 0
    for table in protocol["tables"]:
        assert (folder / "tables" / f"{table}.docx").stat().st_size > 0
    performance = pd.read_csv(folder / "tables" / "performance.csv")
    assert set(performance["model"]) == {"radiomics", "clinical", "combined"}
    sizes = performance.drop_duplicates("partition").set_index("partition")["n"]
    # one patient of the south had no surgery, the image of one of the north is damaged
    assert sizes.to_dict() == {"training": 18, "testing": 7}
    assert performance["auc"].between(0, 1).all()


@pytest.mark.workflow
def test_a_corrupt_image_is_recorded_and_the_others_go_on(project):
    qc, flow, kept = (
        pd.read_csv(project.folder / RUN / f"cohort/{name}.csv", dtype=str, keep_default_na=False)
        for name in ("qc", "flow", "participants")
    )
    failed = qc[qc["status"] == "failed"]
    assert set(zip(failed["patient_id"], failed["sequence"], strict=True)) == {(DAMAGED, "T2")}
    assert failed["reason"].str.contains(f"images/{DAMAGED}/T2.nii.gz").all(), failed["reason"].to_list()
    assert flow.loc[flow["step"] == "failed", "excluded"].to_list() == ["1"]
    assert DAMAGED not in set(kept["patient_id"])


@pytest.mark.workflow
def test_its_features_are_those_of_tumour_and_ring_on_both_sequences(project):
    features = pd.read_parquet(project.folder / RUN / "features" / "training.parquet")
    names = features.columns.drop(["patient_id", "reader"])
    counts = names.str.rsplit("__", n=1).str[0].value_counts().to_dict()
    regions = ("tumour_volume", "ring_5mm_volume")
    assert counts == {f"{sequence}__{region}": 42 for sequence in ("T2", "DCE") for region in regions}


@pytest.mark.workflow
def test_its_page_speaks_of_this_study_alone(project):
    html = (project.folder / RUN / "report.html").read_text(encoding="utf-8")
    for phrase in (
        "Axillary node status from the tumour and the 5 mm around it",
        "the training set comprised patients of Hospital North (3.0 T)",
        "the ring from the tumour&#39;s edge to 5 mm outside it",
        "42 features were extracted from each region on T2WI and DCE (168 in all)",
        "minimum redundancy and maximum relevance",
        "ridge penalty",
        "Figure S1",
        "No surgery",
    ):
        assert phrase in html, phrase
    text = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    assert "imulated" not in text  # to the workflow these are patients like any
    assert "HER2" not in text.replace("her2radiomics", "")
    assert 'id="audit"' not in html and 'id="published"' not in html
    index = (project.folder / "results" / "index.html").read_text(encoding="utf-8")
    assert "node_status--default--two_hospitals/report.html" in index
