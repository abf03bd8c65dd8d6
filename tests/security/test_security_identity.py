"""A hospital's cohort with identity in every field, run from images to crate: nothing of it is in what may leave.

Names, dates and hospital numbers stand in identifiers, columns, folders, file names, image headers and a damaged file;
the cohort file says ``identifiers: numbered``. Every file of the run is taken apart (archives, streams of PDF, pictures
in pages, Parquet) and searched. ``make test-security`` runs it.
"""

from __future__ import annotations

import base64
import io
import os
import platform
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk
from workflow_run import Project, small_cohort

from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.simulation import roster, simulate_patient
from her2radiomics.study.protocol import Protocol

pytestmark = [
    pytest.mark.security,
    pytest.mark.skipif("HER2RADIOMICS_SECURITY" not in os.environ, reason="minutes: make test-security runs it"),
]

SURNAME, FORENAME, BORN, NUMBER, STREET = "Mustermann", "Erika", "1962-03-04", "0012345678", "Hauptstrasse"
COHORT = {
    "title": "A hospital",
    "kind": "tables",
    "identifiers": "numbered",
    "readers": {"reference": "consensus"},
    "participants": [{"file": "clinical.tsv", "id": "Name"}],
    "columns": {"centre": {"source": "site"}},
    "replaces": ["columns", "figures", "tables", "published", "published_tables", "contradictions", "variants"],
    "protocol": {
        "columns": {"age": {"label": "Age", "unit": "years", "kind": "continuous"}},
        "sequences": {"T2FS": None, "DCE2": None},
        "models": {"clinical": None, "nomogram": None, "radiomics": {"sequences": ["DWI"]}},
        "model_labels": {"clinical": None, "nomogram": None},
        "primary_model": "radiomics",
        "figures": {
            "figure_1_flow": {"kind": "flow", "title": "Flow"},
            "figure_2_sequences": {"kind": "sequences", "title": "Examples"},
            "figure_3_score": {"kind": "rad_score", "model": "radiomics", "partition": "testing", "title": "Scores"},
        },
        "tables": {"table_1_baseline": {"kind": "baseline", "title": "Patients", "columns": ["age"]}},
    },
}


def hospital(folder: Path, root: Path) -> None:
    """Simulated patients under a hospital's names."""
    content = overlay(read_yaml(root / "workflow/studies/nat_response.yaml"), small_cohort((7, 6), (4, 4)))
    settings = validate(Protocol, content, "study").simulation
    assert settings is not None
    made = roster(settings, size="demo", seed=7)
    people = made.participants.astype(str)
    people = people[people["exclude_reason"] == ""].reset_index(drop=True)
    names = {
        patient: f"{SURNAME}^{FORENAME} {BORN} {NUMBER}{place:02d}"
        for place, patient in enumerate(people["patient_id"])
    }
    rows = []
    raw = folder.parent / "raw"
    for place, patient in enumerate(people["patient_id"]):
        simulate_patient(settings, size="demo", seed=7, patient_id=patient, folder=raw)
        mine = f"{SURNAME}_{FORENAME}_{place}"
        (folder / mine).mkdir(parents=True)
        for _, row in made.manifest[
            (made.manifest["patient_id"] == patient) & (made.manifest["sequence"] == "DWI")
        ].iterrows():
            paths = {}
            for kind in ("image", "mask"):
                target = f"{mine}/{NUMBER}_{row['sequence']}_{kind}_{SURNAME.lower()}{row['reader']}.nii"
                if kind == "image":
                    target = f"{mine}/{NUMBER}_{row['sequence']}_{BORN}.nii"
                sitk.WriteImage(sitk.ReadImage(str(raw / row[kind])), str(folder / target))
                sign(folder / target)
                paths[kind] = target
            rows.append({"patient_id": names[patient], "sequence": "DWI", "reader": row["reader"], **paths})
    for damaged in (rows[0]["image"],):  # its error names the file
        path = folder / damaged
        path.write_bytes(path.read_bytes()[:-5000])
    table = pd.DataFrame(
        {
            "Name": [names[patient] for patient in people["patient_id"]],
            "site": people["centre"],
            "pcr": (people["miller_payne"].eq("G5") & people["residual_nodes"].eq("no")).astype(int).astype(str),
            "age": people["age"],
            "birth_date": BORN,
            "mri_date": BORN,
            "address": f"{STREET} 1",
            "note": f'=HYPERLINK("{SURNAME}")',
            "exclude_reason": "",
        }
    )
    gone = table.iloc[[0]].assign(Name=f"{SURNAME}^Otto", exclude_reason="Consent withdrawn")
    pd.concat([table, gone]).to_csv(folder / "clinical.tsv", sep="\t", index=False)
    pd.DataFrame(rows).to_csv(folder / "images.tsv", sep="\t", index=False)


def sign(path: Path) -> None:
    """A name in the header's free text (``descrip``, ``db_name``), as converters write it."""
    content = bytearray(path.read_bytes())
    struct.pack_into("80s", content, 148, f"{SURNAME} {FORENAME} {BORN}".encode())
    struct.pack_into("18s", content, 14, NUMBER.encode())
    path.write_bytes(bytes(content))


def decompressed(name: str, content: bytes) -> Iterator[bytes]:
    """A file's bytes, and everything in it that is packed or encoded."""
    yield name.encode()
    yield content
    if name.endswith((".docx", ".zip", ".xlsx")):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for item in archive.infolist():
                yield from decompressed(item.filename, archive.read(item))
                yield item.comment
    if name.endswith(".pdf"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.S):
            try:
                yield zlib.decompressobj().decompress(stream)
            except zlib.error:
                continue
        yield content.replace(b"\x00", b"")  # titles in UTF-16
    if name.endswith(".parquet"):
        yield pd.read_parquet(io.BytesIO(content)).to_csv().encode()
    if name.endswith((".html", ".svg")):
        for data in re.findall(rb"base64,([A-Za-z0-9+/=\s]+)", content):
            yield base64.b64decode(re.sub(rb"\s", b"", data))
    if name.endswith(".png"):
        yield from re.findall(rb"(?:zTXt|iTXt|tEXt)(.{0,4000})", content, re.S)


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory, root) -> Project:
    folder = tmp_path_factory.mktemp("identity")
    data = folder / f"{SURNAME}_data"
    data.mkdir()
    hospital(data, root)
    run = {"study": "nat_response", "cohort": "hospital"}
    project = Project(
        folder / "study", {"seed": 7, "runs": [run], "data": {"hospital": str(data)}, "patients_per_job": 6}
    )
    project.change("cohorts/hospital.yaml", COHORT)
    project.snakemake(cores=2)
    return project


def search(folder: Path, words: list[str], skip: tuple[str, ...] = ()) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name in skip:
            continue
        for piece in decompressed(name, path.read_bytes()):
            hits = [word for word in words if word.lower().encode() in piece.lower()]
            if hits:
                found.setdefault(name, []).extend(hits)
    return found


def test_nothing_of_identity_leaves(carried_out):
    """Only the key and the list of paths know the patients, and both lie where the images' features do, not in the run."""
    words = [SURNAME, FORENAME, BORN, BORN.replace("-", ""), NUMBER, STREET, "^Otto", "=HYPERLINK"]
    results = carried_out.folder / "results"
    run = results / "nat_response--default--hospital"
    assert len(list(run.rglob("*"))) > 60
    assert search(run, words) == {}
    inside = {"cohorts/hospital/key.tsv", "cohorts/hospital/images.tsv"}
    assert set(search(results, words)) == inside


def test_no_place_of_this_machine_leaves(carried_out):
    words = [str(carried_out.folder.parent), os.path.expanduser("~") + "/", platform.node()]  # noqa: PTH111
    words = [word for word in words if len(word) > 6]
    run = carried_out.folder / "results/nat_response--default--hospital"
    assert search(run, words) == {}


def test_the_damaged_image_is_told_of_by_number(carried_out):
    qc = pd.read_csv(carried_out.folder / "results/nat_response--default--hospital/cohort/qc.csv", dtype=str)
    failed = qc[qc["status"] == "failed"]
    assert len(failed) >= 1 and failed["patient_id"].str.fullmatch(r"P\d{3}").all()
    assert failed["reason"].str.contains("DWI image: found").all()
    key = pd.read_csv(carried_out.folder / "results/cohorts/hospital/key.tsv", sep="\t", dtype=str)
    assert len(key) == 22 and key["identifier"].str.startswith(SURNAME).all()


def test_nothing_is_written_outside(carried_out):
    """The data's folder is as it was, and the project holds results, logs and Snakemake's own folder besides."""
    made = {path.name for path in carried_out.folder.iterdir()}
    given = {"Snakefile", "scripts", "src", "envs", "profiles", "workflow", "config.yaml"}
    assert made - given <= {"results", "logs", ".snakemake"}
    data = carried_out.folder.parent / f"{SURNAME}_data"
    assert {path.suffix for path in data.rglob("*") if path.is_file()} == {".nii", ".tsv"}
