"""Cases whose outlines or image are changed on purpose: what stays, what changes, what is drawn, what is refused."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import validate
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.extraction import Extraction, Files
from her2radiomics.extraction import CaseResult, extract_case, read_parameters
from her2radiomics.extraction.options import Alteration, extraction_suffix
from her2radiomics.imaging.preprocessing_settings import Preprocessing

SMALL = (
    "setting: {binWidth: 25}\nimageType: {Original: {}}\n"
    "featureClass: {shape: [], firstorder: [], glcm: [Contrast, Correlation], glrlm: [RunEntropy]}\n"
)
KINDS: list[dict[str, Any]] = [
    {"kind": "grow", "mm": 1.5},
    {"kind": "shrink", "mm": 1.5},
    {"kind": "shift", "mm": 2, "seed": 7},
    {"kind": "contour_noise", "sd_mm": 1, "length_mm": 4, "seed": 7},
    {"kind": "image_noise", "share": 0.3, "seed": 7},
    {"kind": "shuffled_voxels", "seed": 7},
    {"kind": "other_tissue", "seed": 7},
]
IN_VOXELS = ("image_noise", "shuffled_voxels")
SPACING = (0.8, 0.8, 1.6)


def write(path: Path, voxels: np.ndarray) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(path))
    return str(path)


@pytest.fixture
def data(tmp_path) -> Path:
    """Two patients with two readers each: smooth tissue in air, and a lesion of its own texture."""
    for seed, patient in enumerate(("P1", "P2")):
        random = np.random.default_rng(seed)
        voxels = random.rayleigh(5, (16, 60, 64))
        voxels[:, 4:56, 4:60] += 300 + np.cumsum(random.normal(0, 4, (16, 52, 56)), axis=2)
        lesion = np.zeros(voxels.shape, bool)
        lesion[4:12, 8:24, 10:26] = True
        voxels += 200 * lesion + 60 * lesion * np.sin(np.arange(64) / 2)
        write(tmp_path / f"{patient}.nii.gz", voxels.astype(np.float32))
        write(tmp_path / f"{patient}_1.nii.gz", lesion.astype(np.uint8))
        write(tmp_path / f"{patient}_2.nii.gz", np.roll(lesion, (1, 2), (1, 2)).astype(np.uint8))
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def rows(data: Path, patient: str = "P1", sequence: str = "T2") -> list[dict[str, str]]:
    row = {"patient_id": patient, "sequence": sequence, "region": "tumour", "mask_label": "", "mask": ""}
    row["image"] = str(data / f"{patient}.nii.gz")
    return [row | {"reader": n, "mask": str(data / f"{patient}_{n}.nii.gz")} for n in ("1", "2")]


def extracted(data: Path, perturb: Mapping[str, Any] | None = None, patient: str = "P1", **options: Any) -> CaseResult:
    options = {"regions": ["tumour_volume", "ring_3mm_volume"], "parameters": data / "small.yaml"} | options
    altered = options.pop("altered", None) or validate(Alteration, {"perturb": perturb}, "changes")
    sequence = options.pop("sequence", "T2")
    return extract_case(rows(data, patient, sequence), altered=altered, **options)


def values(result: CaseResult, part: str, reader: int = 0) -> dict[str, float]:
    """Feature to value of one reader, of the names that hold ``part``."""
    assert result.features, [row.reason for row in result.qc]
    found = {name: value for name, value in result.features[reader].items() if part in name}
    assert found
    return found


def table(result: CaseResult) -> list[list[Any]]:
    return [list(row.values()) for row in result.features]


def test_shuffled_voxels_keep_first_order_and_shape_and_lose_their_texture(data):
    before, after = extracted(data), extracted(data, {"kind": "shuffled_voxels"})
    for region in ("tumour_volume", "ring_3mm_volume"):
        first = values(before, f"{region}__original_firstorder")
        assert values(after, f"{region}__original_firstorder") == pytest.approx(first, rel=1e-12)
        assert values(after, f"{region}__original_shape") == values(before, f"{region}__original_shape")
    names = ["T2__tumour_volume__original_glcm_Correlation", "T2__tumour_volume__original_glcm_Contrast"]
    (correlation, contrast), (none, more) = ([r.features[0][name] for name in names] for r in (before, after))
    assert correlation > 0.5 and abs(none) < 0.05, "neighbours of shuffled voxels are not alike"
    # the expected squared difference of two independent levels is twice their variance
    levels = sitk.GetArrayFromImage(sitk.ReadImage(str(data / "P1.nii.gz")))[4:12, 8:24, 10:26]
    binned = np.floor(levels / 25) - np.floor(levels.min() / 25)
    assert more == pytest.approx(2 * binned.var(), rel=0.03)
    assert contrast < more / 2


def test_every_slice_keeps_its_own_grey_levels(data):
    regions = {"regions": ["tumour_slice", "tumour_volume"]}
    before, after = (extracted(data, kind, **regions) for kind in (None, {"kind": "shuffled_voxels"}))
    for region in regions["regions"]:
        first = values(before, f"{region}__original_firstorder")
        assert values(after, f"{region}__original_firstorder") == pytest.approx(first, rel=1e-12)
    assert values(after, "glcm") != values(before, "glcm")


def test_noise_changes_no_shape_and_adds_its_variance(data):
    before, after = extracted(data), extracted(data, {"kind": "image_noise", "share": 0.5})
    assert values(after, "shape") == values(before, "shape")
    name = "T2__tumour_volume__original_firstorder_Variance"
    assert after.features[0][name] == pytest.approx(before.features[0][name] * 1.25, rel=0.05)


def test_outlines_change_and_regions_follow(data):
    volume = "T2__tumour_volume__original_shape_VoxelVolume"
    ring = volume.replace("tumour", "ring_3mm")
    plain, grown, shrunk = (extracted(data, kind) for kind in (None, KINDS[0], KINDS[1]))
    for name in (volume, ring):
        assert shrunk.features[0][name] < plain.features[0][name] < grown.features[0][name]
    # Steiner's formula of a cube with edge a and all that is within r: a³ + 6a²r + 3πar² + 4πr³/3
    a, r = 12.8, 1.5
    steiner = a**3 + 6 * a**2 * r + 3 * math.pi * a * r**2 + 4 * math.pi * r**3 / 3
    assert grown.features[0][volume] == pytest.approx(steiner, rel=0.03)
    assert grown.qc[0].mask_slices == 10 and grown.qc[0].volume_ml == pytest.approx(grown.features[0][volume] / 1000)
    shifted, wandering = extracted(data, KINDS[2]), extracted(data, KINDS[3])
    assert shifted.features[0][volume] == pytest.approx(plain.features[0][volume], rel=0.1)
    both = [sitk.GetArrayFromImage(shifted.case.masks[reader]) for reader in ("1", "2")]
    np.testing.assert_array_equal(np.roll(both[0], (1, 2), (1, 2)), both[1])  # all outlines by one way
    redrawn = [sitk.GetArrayFromImage(wandering.case.masks[reader]) for reader in ("1", "2")]
    assert (np.roll(redrawn[0], (1, 2), (1, 2)) != redrawn[1]).any(), "two readers do not err alike"


def test_other_tissue_has_the_shape_and_nothing_of_the_tumour(data):
    before, after = extracted(data), extracted(data, {"kind": "other_tissue"})
    for reader in (0, 1):
        assert values(after, "shape", reader) == pytest.approx(values(before, "shape", reader), rel=1e-9)
    old, new = (np.stack([sitk.GetArrayFromImage(r.case.masks[n]) for n in ("1", "2")]) for r in (before, after))
    assert not (old.any(axis=0) & new.any(axis=0)).any()
    low, high = (reduce([row.minimum for row in after.qc]) for reduce in (min, max))
    assert low > 100, "no air, in the rings either"
    assert high < 500, "no tumour, whose grey levels start at 440"
    assert before.qc[0].mean > 480 > after.qc[0].mean


def test_other_tissue_is_seen_on_the_image_as_read(data):
    """Subtraction and z-scores leave no grey level that is air's."""
    write(data / "before.nii.gz", np.random.default_rng(5).normal(250, 3, (16, 60, 64)).astype(np.float32))
    steps = {"subtract": "T1", "normalise": {"within": "image"}, "resample": {"spacing_mm": [1, 1, None]}}
    result = extracted(
        data, {"kind": "other_tissue"},
        preprocessing=validate(Preprocessing, steps, "p"), precontrast=str(data / "before.nii.gz"),
    )  # fmt: skip
    assert result.features and min(row.minimum for row in result.qc) > -0.5, "air has a z-score of about -1.9"


@pytest.mark.parametrize("perturb", [None, *KINDS], ids=lambda kind: kind["kind"] if kind else "as it is")
def test_a_slice_at_another_sequences_level_stays_there(data, perturb):
    wide = np.zeros((16, 60, 64), np.uint8)
    wide[6:11, 8:24, 10:26] = wide[9, 6:28, 8:30] = 1
    level = [row | {"mask": write(data / f"level_{row['reader']}.nii.gz", wide)} for row in rows(data, sequence="DCE")]
    result = extracted(data, perturb, regions=["tumour_slice", "ring_3mm_slice"], level_rows=level)
    assert len(result.features) == 2 and {row.slice_index for row in result.qc} == {9}


def test_a_slice_at_another_sequences_level_moves_with_the_outline(data):
    """The lesion begins in slice 4, where no other tissue is: the next slice has some."""
    image = sitk.ReadImage(str(data / "P1.nii.gz"))
    voxels = sitk.GetArrayFromImage(image)
    voxels[4:11, :, 30:] = voxels[4:11, 28:] = 3
    write(data / "P1.nii.gz", voxels)
    result = extracted(
        data, {"kind": "other_tissue"}, regions=["tumour_slice"], level_rows=rows(data, sequence="DCE")
    )  # fmt: skip
    (index,) = {row.slice_index for row in result.qc}
    assert index == 3 and min(row.minimum for row in result.qc) > 100


def test_where_there_is_no_other_tissue_the_patient_is_named(data):
    full = np.zeros((16, 60, 64), np.uint8)
    full[2:14, 6:54, 6:58] = 1
    for reader in ("1", "2"):
        write(data / f"P1_{reader}.nii.gz", full)
    result = extracted(data, {"kind": "other_tissue"})
    assert not result.features
    for row in result.qc:
        assert "no place in other tissue" in row.reason and "neither the tumour, nor its ring, nor air" in row.reason
        assert f"patient P1, sequence T2, reader {row.reader}" in row.reason


def test_what_shrinking_leaves_nothing_of_is_refused_by_name(data):
    thin = np.zeros((16, 60, 64), np.uint8)
    thin[5:7, 20:22, 20:26] = 1
    write(data / "P1_2.nii.gz", thin)
    result = extracted(data, {"kind": "shrink", "mm": 2})
    assert [row["reader"] for row in result.features] == ["1"]
    (reason,) = {row.reason for row in result.qc if row.reader == "2"}
    assert "reader 2" in reason and "an empty mask after 'shrink'" in reason


def test_a_change_smaller_than_voxels_is_said(data):
    result = extracted(data, {"kind": "grow", "mm": 0.2})
    assert table(result) == table(extracted(data))
    assert all("'grow' changed no voxel of the outline" in row.reason for row in result.qc)


@pytest.mark.parametrize("perturb", KINDS, ids=lambda kind: kind["kind"])
def test_what_is_drawn_follows_seed_patient_and_sequence_alone(data, perturb):
    first = table(extracted(data, perturb))
    assert first != table(extracted(data))
    extracted(data, perturb, patient="P2")
    assert table(extracted(data, perturb)) == first
    if "seed" in perturb:
        assert table(extracted(data, perturb | {"seed": 8})) != first
        assert table(extracted(data, perturb, sequence="DWI")) != first
    else:
        assert table(extracted(data, perturb, sequence="DWI")) == first


def batch(data: Path, folder: Path, patients: Sequence[str], options: Mapping[str, Any]) -> list[list[str]]:
    """Rows of the table that a job writes of some patients."""
    cases = {name: Files.of({"rows": rows(data, name), "precontrast": "", "level_rows": []}) for name in patients}
    job = Extraction(
        cases, sequence="T2", parameters=data / "small.yaml", regions=["tumour_volume"], features=35,
        options=options, simulated=False, root=str(data), numbered=False,
    )  # fmt: skip
    folder.mkdir()
    files = {name: str(folder / f"b.{name}") for name in ("features", "qc", "overlays")}
    assert job.run(Attempt(), **files) == list(patients)
    with Path(files["features"]).open() as stream:
        return list(csv.reader(stream))[1:]


@pytest.mark.parametrize("perturb", KINDS[2:], ids=lambda kind: kind["kind"])
def test_batches_of_any_size_give_the_same_numbers(data, tmp_path, perturb):
    options = {"preprocessing": {}, "log_padding": 18, "perturb": perturb}
    whole = batch(data, tmp_path / "whole", ["P1", "P2"], options)
    parts = [row for name in ("P1", "P2") for row in batch(data, tmp_path / name, [name], options)]
    assert whole == parts and len(whole) == 4
    assert len([*(tmp_path / "whole/b.overlays").rglob("T2.png")]) == 2
    assert batch(data, tmp_path / "undrawn", ["P1", "P2"], options | {"pictures": False}) == whole
    assert [*(tmp_path / "undrawn/b.overlays").iterdir()] == []


def test_nothing_changes_where_nothing_is_asked(data, tmp_path):
    """Names and what a case's key is made of are those of before; an empty alteration gives the same bytes."""
    assert table(extracted(data, altered=Alteration())) == table(extract_case(
        rows(data), regions=["tumour_volume", "ring_3mm_volume"], parameters=data / "small.yaml"
    ))  # fmt: skip
    files = Files.of({"rows": rows(data), "precontrast": "", "level_rows": []})
    job = Extraction(
        {"P1": files}, sequence="T2", parameters=data / "small.yaml", regions=["tumour_volume"], features=35,
        options={}, simulated=False, root=str(data), numbered=False,
    )  # fmt: skip
    assert set(job._case(files).settings) == {
        "regions", "features", "options", "simulated", "rows", "level_rows", "precontrast",
    }  # fmt: skip
    assert job._case(files).settings["options"] == {}
    assert extraction_suffix(Preprocessing()) == ""
    # of an earlier release
    assert extraction_suffix(validate(Preprocessing, {"n4": {}, "round": True}, "p")) == "n4-round-6f27befb"


def test_every_alteration_has_a_name_of_its_own():
    def name(**altered: Any) -> str:
        return extraction_suffix(Preprocessing(), altered=validate(Alteration, altered, "changes").chosen())

    asked = [{"perturb": kind} for kind in KINDS]
    asked += [{"perturb": KINDS[0] | {"mm": 2}}, {"perturb": KINDS[2] | {"seed": 8}}]
    asked += [{"setting": {"binWidth": 12.5}}, {"setting": {"binWidth": 50}}]
    names = [name(**altered) for altered in asked]
    assert len(set(names)) == len(names) and name() == ""
    assert names[0].startswith("grow-") and names[5].startswith("shuffledvoxels-")
    assert names[-1].startswith("binwidth-") and name(perturb=None, setting={}) == ""


@pytest.mark.parametrize("more", ["", ", preCrop: true", ", resampledPixelSpacing: [1, 1, 1]"])
def test_settings_are_those_of_a_file_that_has_them(data, more):
    """On crops, with resampling, and where stock PyRadiomics computes."""
    for width in (25, 10):
        (data / f"{width}.yaml").write_text(SMALL.replace("binWidth: 25", f"binWidth: {width}{more}"))
    altered = validate(Alteration, {"setting": {"binWidth": 10}}, "changes")
    changed = extracted(data, altered=altered, parameters=data / "25.yaml")
    assert table(changed) == table(extracted(data, parameters=data / "10.yaml"))
    assert table(changed) != table(extracted(data, parameters=data / "25.yaml"))


def test_a_setting_that_pyradiomics_does_not_know_is_refused(data):
    with pytest.raises(SettingsError, match="small.yaml: PyRadiomics refuses"):
        read_parameters(data / "small.yaml", {"binWidht": 10})
