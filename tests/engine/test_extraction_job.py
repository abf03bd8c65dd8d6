"""The extraction job: what is kept of a case, and what its files are called when the batch is written."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics import extraction
from her2radiomics.engine.jobs import case_store
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.extraction import Extraction, Files

SMALL = "setting: {binWidth: 25}\nimageType: {Original: {}}\nfeatureClass: {firstorder: [Mean], glcm: [Contrast]}\n"
NAMES = ("Smith", "Jane", "19620304")


def write(path: Path, voxels: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path), True)
    return str(path)


@pytest.fixture
def hospital(tmp_path) -> dict[str, dict]:
    """Two patients in folders of their names: the second one's second reader drew nothing."""
    (tmp_path / "small.yaml").write_text(SMALL)
    random = np.random.default_rng(4)
    cases = {}
    for number, patient in enumerate(("P001", "P002")):
        folder = tmp_path / "data" / f"Smith_Jane_{number}"
        mask = np.zeros((12, 24, 26), np.uint8)
        mask[4:8, 8:14, 9:17] = 1
        image = write(folder / "t2_19620304.nii.gz", random.normal(300, 90, mask.shape).astype(np.int16))
        rows = []
        for reader in ("1", "2"):
            empty = (patient, reader) == ("P002", "2")
            path = write(folder / f"Smith{reader}.nii.gz", mask * 0 if empty else mask)
            row = {"patient_id": patient, "sequence": "T2FS", "reader": reader, "region": "tumour", "mask_label": ""}
            rows.append(row | {"image": image, "mask": path})
        cases[patient] = {"rows": rows, "level_rows": [], "precontrast": ""}
    return cases


def run(tmp_path: Path, cases: dict[str, dict], *, numbered: bool = False) -> tuple[list[str], list[dict[str, str]]]:
    """Who was computed, and the batch's quality control."""
    job = Extraction(
        {patient: Files.of(content) for patient, content in cases.items()},
        sequence="T2FS",
        parameters=tmp_path / "small.yaml",
        regions=["tumour_volume"],
        features=2,
        options=None,
        simulated=False,
        root=str(tmp_path / "data"),
        numbered=numbered,
    )
    files = {name: str(tmp_path / f"out/b.{name}") for name in ("features", "qc", "overlays")}
    computed = job.run(Attempt(), **files)
    with Path(files["qc"]).open(newline="", encoding="utf-8-sig") as stream:
        return computed, list(csv.DictReader(stream))


def test_a_batch_says_what_extract_case_says(tmp_path, hospital):
    computed, quality = run(tmp_path, hospital)
    assert computed == ["P001", "P002"]
    expected = [
        row
        for case in hospital.values()
        for row in extraction.extract_case(
            case["rows"], regions=["tumour_volume"], parameters=tmp_path / "small.yaml", root=tmp_path / "data"
        ).qc
    ]
    assert quality == [{name: str(row[name]) for name in row} for row in expected]
    assert [row["status"] for row in quality] == ["extracted", "warned", "extracted", "failed"]
    assert "an exact copy of that of reader 1" in quality[1]["reason"]
    assert quality[0]["image"] == "Smith_Jane_0/t2_19620304.nii.gz"
    assert "reader 2, Smith_Jane_1/Smith2.nii.gz: found an empty mask" in quality[3]["reason"]
    features = (tmp_path / "out/b.features").read_text().splitlines()
    assert [line.split(",")[:2] for line in features[1:]] == [["P001", "1"], ["P001", "2"], ["P002", "1"]]
    assert (tmp_path / "out/b.overlays/P002/T2FS.png").stat().st_size > 1000


def test_names_are_hidden_after_the_store(tmp_path, hospital):
    """The same finished case, printed with the files' names or with study numbers: nothing is computed again."""
    run(tmp_path, hospital)
    assert run(tmp_path, hospital)[0] == ["P002"], "a failed case is not kept"
    computed, quality = run(tmp_path, hospital, numbered=True)
    assert computed == ["P002"]
    assert (quality[0]["image"], quality[1]["mask"]) == ("P001 T2FS image", "P001 T2FS mask of reader 2")
    assert "P002 T2FS mask of reader 2: found an empty mask" in quality[3]["reason"]
    assert not re.search("|".join(NAMES), str(quality))
    (kept,) = (tmp_path / "out/.cases").iterdir()
    stored = (kept / "quality.json").read_text()
    assert json.loads(stored)[0]["image"] == "0" and not re.search("|".join(NAMES), stored), "a place, no name"


def test_another_way_of_printing_is_not_answered_from_the_store(tmp_path, hospital, monkeypatch):
    run(tmp_path, hospital, numbered=True)
    monkeypatch.setattr(Files, "printed_names", lambda files: dict.fromkeys(files.paths(), "a file"))
    computed, quality = run(tmp_path, hospital, numbered=True)
    assert computed == ["P002"]
    assert {row["image"] for row in quality} == {"a file"}


def gone(folder: Path) -> Path:
    return folder / "absent.nii.gz"


def cut(folder: Path) -> Path:
    path = Path(write(folder / "cut.nii.gz", np.arange(4000, dtype=np.int16).reshape(10, 20, 20)))
    path.write_bytes(path.read_bytes()[:-500])
    return path


def text(folder: Path) -> Path:
    (folder / "Jane.nrrd").write_text("not an image")
    return folder / "Jane.nrrd"


def detached(folder: Path) -> Path:
    header = "ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_UCHAR\nElementDataFile = Jane.raw\n"
    (folder / "x.mhd").write_text(header)
    return folder / "x.mhd"


def elsewhere(folder: Path) -> Path:
    (folder / "y.mhd").write_text("ObjectType = Image\nElementDataFile = /data/Smith/Jane.raw\n")
    return folder / "y.mhd"


def ending(folder: Path) -> Path:
    (folder / "x.Jane19620304").touch()
    return folder / "x.Jane19620304"


def no_series(folder: Path) -> Path:
    (folder / "dicom").mkdir()
    (folder / "dicom/Smith^Jane.dcm").write_bytes(bytes(128) + b"DICM")
    return folder / "dicom"


@pytest.mark.parametrize("fault", [gone, cut, text, detached, elsewhere, ending, no_series, None])
def test_no_error_of_a_numbered_cohort_names_a_file(tmp_path, hospital, monkeypatch, fault):
    """Not in the table, not in the picture; of a library's own words nothing is repeated."""
    case = hospital["P001"]
    folder = Path(case["rows"][0]["image"]).parent
    if fault is None:

        def unexpected(path):
            raise RuntimeError(f"cannot cope with {path}, nor with Jane")

        monkeypatch.setattr("her2radiomics.extraction.outlines.read_volume", unexpected)
    else:
        path = fault(folder)
        for row in case["rows"]:
            row["image"] = str(path)
    drawn = []
    monkeypatch.setattr(extraction, "draw_reason", lambda row, reason, path, simulated: drawn.append(reason))
    _, quality = run(tmp_path, {"P001": case}, numbered=True)
    assert [row["status"] for row in quality] == ["failed", "failed"]
    assert drawn == [quality[0]["reason"]]
    said = str(quality) + str(drawn)
    assert not re.search(f"{'|'.join(NAMES)}|{re.escape(str(tmp_path))}", said, re.IGNORECASE), said
    assert "patient P001, sequence T2FS, reader 1, P001 T2FS image: found" in drawn[0]
    _, quality = run(tmp_path, {"P001": case})
    assert str(tmp_path) not in str(quality), "and the data's place is printed neither way"
    assert folder.name in quality[0]["reason"]


#: Prints the library's modules that a case imports: preprocessing, all filters, resampling, pictures, stock PyRadiomics; and
#: those that measure columns.
TRACE = """
import sys
from pathlib import Path
import her2radiomics.extraction.measuring
from her2radiomics.extraction.case import extract_case
from her2radiomics.extraction.overlay import draw_overlay
from her2radiomics.imaging.preprocessing_settings import Preprocessing
image, mask, out, *files = sys.argv[1:]
row = {"patient_id": "P1", "sequence": "T2", "reader": "1", "image": image, "mask": mask}
asked = {"resample_mask": True, "n4": {"within": "image"}, "normalise": {"within": "image", "scale": 100}}
asked = Preprocessing.model_validate(asked)
for file in files:
    result = extract_case([row], regions=["tumour_volume", "ring_3mm_slice"], parameters=Path(file), preprocessing=asked)
    assert result.features, result.qc
    draw_overlay([row], ["tumour_volume", "ring_3mm_slice"], out, case=result.case)
print(*sorted(name for name in sys.modules if name.startswith("her2radiomics")))
"""
#: Modules that a case imports and that decide neither a value nor a picture: packages, words of errors, forms of settings.
BESIDE = {
    *("her2radiomics", "her2radiomics.cohort", "her2radiomics.cohort.manifest", "her2radiomics.core"),
    *(
        f"her2radiomics.core.{name}"
        for name in (
            "contracts",
            "errors",
            "files",
            "libraries",
            "measures",
            "memory",
            "settings",
            "software",
            "yaml_text",
        )
    ),
    *("her2radiomics.extraction", "her2radiomics.imaging"),
}


def test_the_stores_key_is_of_what_a_case_imports(tmp_path, hospital, root):
    rows = hospital["P001"]["rows"]
    files = [tmp_path / "small.yaml"]
    for name, text_ in (
        (
            "filters",
            "imageType: {Wavelet: {}, LoG: {sigma: [2.0]}, Gradient: {}, Square: {}}\nfeatureClass: {firstorder: [Mean]}\n",
        ),
        (
            "resampled",
            "setting: {resampledPixelSpacing: [2, 2, 2], interpolator: sitkBSpline}\n" + SMALL.split("\n", 1)[1],
        ),
        ("stock", "setting: {preCrop: true}\n" + SMALL.split("\n", 1)[1]),
    ):
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(text_)
    done = subprocess.run(
        [sys.executable, "-c", TRACE, rows[0]["image"], rows[0]["mask"], tmp_path / "o.png", *files],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    library = root / "src/her2radiomics"
    decide = {".".join(path.relative_to(library.parent).with_suffix("").parts) for path in case_store.computing_files()}
    decide = {name.removesuffix(".__init__") for name in decide}
    imported = {name for name in done.stdout.split() if not name.startswith("her2radiomics.core.contracts.")}
    assert imported - BESIDE == decide


def test_the_key_follows_what_computes_and_nothing_else(tmp_path, monkeypatch):
    files = [tmp_path / name for name in ("a.py", "b.py")]
    for file in files:
        file.write_text("x = 1\n")
    keys = set()

    def key() -> str:
        case_store._code.cache_clear()
        return case_store.case_key([], {})

    monkeypatch.setattr(case_store, "computing_files", lambda: files)
    keys.add(key())
    assert key() in keys
    files[1].write_text("x = 2\n")
    keys.add(key())
    monkeypatch.setattr(case_store, "CASE_FORMAT", case_store.CASE_FORMAT + 1)
    keys.add(key())
    assert len(keys) == 3
    monkeypatch.undo()
    case_store._code.cache_clear()
    told = {path.name for path in case_store.computing_files()}
    assert not told & {"ibsi.py", "tables.py", "api.py", "__main__.py", "identity.py"}
