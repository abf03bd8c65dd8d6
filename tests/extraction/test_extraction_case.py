"""One case: what is recorded for good and bad input, and the command line."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import SettingsError
from her2radiomics.extraction import QC_COLUMNS, classes, extract_case, extract_features, read_parameters, write_rows
from her2radiomics.extraction.__main__ import main

FILES = Path(__file__).parents[2] / "workflow" / "extraction"
SMALL = """
setting: {binWidth: 25}
imageType: {Original: {}}
featureClass: {shape: [MeshVolume, VoxelVolume], firstorder: [Mean, Skewness], glcm: [Contrast]}
"""


@pytest.fixture
def parameters(tmp_path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def case(tmp_path) -> list[dict[str, str]]:
    """A patient with two readers: a noisy image and two boxes that overlap."""
    generator = np.random.default_rng(11)
    voxels = generator.normal(300, 90, (12, 24, 26)).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.9, 0.8, 2.5))
    sitk.WriteImage(image, str(tmp_path / "image.nii.gz"))
    rows = []
    for reader, shift in (("1", 0), ("2", 1)):
        mask = np.zeros(voxels.shape, np.uint8)
        mask[4:8, 8:14, 9 + shift : 17 + shift] = 1
        mask[5, 7, 12] = 1
        label = sitk.GetImageFromArray(mask)
        label.CopyInformation(image)
        sitk.WriteImage(label, str(tmp_path / f"mask{reader}.nii.gz"))
        rows.append(
            {
                "patient_id": "P007",
                "sequence": "DWI",
                "reader": reader,
                "region": "tumour",
                "image": str(tmp_path / "image.nii.gz"),
                "mask": str(tmp_path / f"mask{reader}.nii.gz"),
                "mask_label": "",
            }
        )
    return rows


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("features_1125_2d", 1125),
        ("features_1316_3d", 1316),
        ("features_1023_3d", 1023),
        ("features_1218_1mm", 1218),
        ("features_1218_example_ct", 1218),
    ],
)
def test_published_feature_counts(name, count):
    names = read_parameters(FILES / f"{name}.yaml").feature_names
    assert len(names) == len(set(names)) == count


def test_image_types_of_the_2d_set():
    assert read_parameters(FILES / "features_1125_2d.yaml").image_names == (
        "original",
        "wavelet-LH",
        "wavelet-HL",
        "wavelet-HH",
        "wavelet-LL",
        "log-sigma-3-0-mm-3D",
        "square",
        "squareroot",
        "logarithm",
        "exponential",
        "gradient",
        "lbp-2D",
    )


def test_the_slice_is_taken_at_another_sequence_s_level(case, parameters, tmp_path):
    """DWI's largest slice is index 5 (12.5 mm); the dynamic series, of 1 mm slices, is largest at 17 mm: DWI index 7."""
    thin = np.zeros((30, 24, 26), np.uint8)
    thin[10:18, 8:12, 9:13] = 1
    thin[17, 6:16, 7:18] = 1
    label = sitk.GetImageFromArray(thin)
    label.SetSpacing((0.9, 0.8, 1.0))
    sitk.WriteImage(label, str(tmp_path / "dce.nii.gz"))
    regions = ["tumour_slice", "ring_3mm_slice"]
    level = [case[0] | {"sequence": "DCE4", "mask": str(tmp_path / "dce.nii.gz")}]
    result = extract_case(case, regions=regions, parameters=parameters, level_rows=level)
    assert [row["slice_index"] for row in result.qc[:2]] == [7, 7]
    assert [row["status"] == "failed" for row in result.qc] == [False, False, True, True]
    assert "no outline of reader 2 on DCE4, at whose level the slice is taken" in result.qc[2]["reason"]
    assert [row["reader"] for row in result.features] == ["1"]
    own = extract_case(case, regions=regions, parameters=parameters)
    assert {row["slice_index"] for row in own.qc} == {5} and len(own.features) == 2


def test_both_readers_and_quality_control(case, parameters):
    result = extract_case(case, regions=["tumour_volume", "ring_3mm_volume"], parameters=parameters)
    assert [(row["patient_id"], row["reader"]) for row in result.features] == [("P007", "1"), ("P007", "2")]
    assert list(result.features[0]) == result.columns
    assert result.columns[2] == "DWI__tumour_volume__original_shape_MeshVolume"
    assert [(row["reader"], row["region"]) for row in result.qc] == [
        ("1", "tumour_volume"),
        ("1", "ring_3mm_volume"),
        ("2", "tumour_volume"),
        ("2", "ring_3mm_volume"),
    ]
    first = result.qc[0]
    assert tuple(first) == QC_COLUMNS
    # a box of 8 × 6 × 4 voxels and one voxel more, of 0.9 × 0.8 × 2.5 = 1.8 mm³ each
    assert (first["voxels"], first["slices"], first["slice_index"]) == (193, 4, 5)
    assert first["volume_ml"] == pytest.approx(193 * 1.8 / 1000, rel=1e-6)
    assert (first["size"], first["spacing_mm"]) == ("26×24×12", "0.9×0.8×2.5")
    assert (first["status"], first["reason"], first["dice"]) == ("extracted", "", "")
    # 7 of 8 columns shared, and not the odd voxel's neighbour: 2·(168 + 1) / (193 + 193)
    assert result.qc[2]["dice"] == pytest.approx(2 * 169 / 386)
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(case[0]["image"]))
    inside = sitk.GetArrayFromImage(sitk.ReadImage(case[0]["mask"])) > 0
    assert (first["minimum"], first["maximum"]) == (voxels[inside].min(), voxels[inside].max())
    assert first["grey_levels"] == voxels[inside].max() // 25 - voxels[inside].min() // 25 + 1
    values = result.features[0]
    assert values["DWI__tumour_volume__original_firstorder_Mean"] == pytest.approx(voxels[inside].mean())


def test_a_bad_mask_fails_its_reader_only(case, parameters):
    Path(case[1]["mask"]).write_bytes(b"")
    result = extract_case(case, regions=["tumour_volume", "ring_3mm_volume"], parameters=parameters)
    assert [row["reader"] for row in result.features] == ["1"]
    assert [row["status"] for row in result.qc] == ["extracted", "extracted", "failed", "failed"]
    reason = result.qc[2]["reason"]
    for word in ("patient P007", "sequence DWI", "reader 2", "mask2.nii.gz", "found", "expected"):
        assert word in reason


def test_a_bad_image_fails_every_reader(case, parameters):
    data = Path(case[0]["image"]).read_bytes()
    Path(case[0]["image"]).write_bytes(data[: len(data) // 2])
    result = extract_case(case, regions=["tumour_volume"], parameters=parameters)
    assert result.features == []
    assert [row["status"] for row in result.qc] == ["failed", "failed"]
    for row, reader in zip(result.qc, "12", strict=True):
        for word in ("patient P007", "sequence DWI", f"reader {reader}", "image.nii.gz", "damaged"):
            assert word in row["reason"]


def test_no_mask(case, parameters):
    case[0]["mask"] = ""
    result = extract_case(case, regions=["tumour_volume"], parameters=parameters)
    assert [row["status"] for row in result.qc] == ["failed", "extracted"]
    assert "found no mask" in result.qc[0]["reason"]
    assert result.qc[1]["dice"] == ""


def test_rows_that_contradict_each_other(case, parameters):
    other = dict(case[1], image="elsewhere.nii.gz")
    result = extract_case([case[0], other], regions=["tumour_volume"], parameters=parameters)
    assert all("2 images" in row["reason"] for row in result.qc)
    result = extract_case([case[0], dict(case[0])], regions=["tumour_volume"], parameters=parameters)
    assert "two tumour masks of one reader" in result.qc[0]["reason"]
    with pytest.raises(SettingsError, match="one patient and one sequence"):
        extract_case([case[0], dict(case[1], patient_id="P008")], regions=["tumour_volume"], parameters=parameters)


def test_breast_mask_limits_the_ring(case, parameters, tmp_path):
    image = sitk.ReadImage(case[0]["image"])
    voxels = np.zeros((12, 24, 26), np.uint8)
    voxels[:, :, :14] = 1
    breast = sitk.GetImageFromArray(voxels)
    breast.CopyInformation(image)
    sitk.WriteImage(breast, str(tmp_path / "breast.nii.gz"))
    rows = [*case, dict(case[0], region="breast", mask=str(tmp_path / "breast.nii.gz"))]
    free = extract_case(case, regions=["ring_3mm_volume"], parameters=parameters)
    held = extract_case(rows, regions=["ring_3mm_volume"], parameters=parameters)
    assert len(held.features) == 2
    assert held.qc[0]["voxels"] < free.qc[0]["voxels"]


def test_one_slice_where_the_protocol_wants_a_volume(case, parameters):
    image = sitk.ReadImage(case[0]["mask"])
    voxels = sitk.GetArrayFromImage(image)
    voxels[:5] = voxels[6:] = 0
    flat = sitk.GetImageFromArray(voxels)
    flat.CopyInformation(image)
    sitk.WriteImage(flat, case[0]["mask"])
    result = extract_case(case, regions=["tumour_volume"], parameters=parameters)
    assert "a mask of one slice (index 5)" in result.qc[0]["reason"]
    assert "region tumour_volume" in result.qc[0]["reason"]
    assert result.qc[1]["status"] == "extracted"


def rescaled(case, change) -> None:
    image = sitk.ReadImage(case[0]["image"], sitk.sitkFloat64)
    voxels = change(sitk.GetArrayFromImage(image))
    changed = sitk.GetImageFromArray(voxels)
    changed.CopyInformation(image)
    sitk.WriteImage(changed, case[0]["image"])


def spike_inside(voxels):
    voxels[5, 10, 12] = 1e9
    return voxels


def spike_outside(voxels):
    voxels[0, 0, 0] = 1e9
    return voxels


@pytest.mark.parametrize("change", [spike_inside, lambda voxels: voxels * 1000])
def test_too_many_grey_levels_are_refused_before_they_take_all_memory(case, parameters, change):
    rescaled(case, change)
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=parameters)
    assert result.features == []
    assert "grey levels in the region" in result.qc[0]["reason"]
    assert result.qc[0]["grey_levels"] > 500


def test_a_spike_beside_the_region_is_refused_where_a_filter_spreads_it(case, tmp_path):
    def spike(voxels):
        voxels[4, 7, 12] = 1e6  # one voxel outside the mask
        return voxels

    rescaled(case, spike)
    path = tmp_path / "wavelet.yaml"
    path.write_text("imageType: {Original: {}, Wavelet: {}}\nfeatureClass: {firstorder: [], glcm: []}\n")
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=path)
    assert result.features == []
    assert "in a filtered image of the region" in result.qc[0]["reason"]


def test_warnings(case, parameters):
    rescaled(case, spike_outside)
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=parameters)
    assert result.qc[0]["status"] == "warned"
    assert "far above the region" in result.qc[0]["reason"]
    rescaled(case, lambda voxels: np.clip(voxels, 0, 400) / 100)
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=parameters)
    assert "1 grey levels, outside 16 to 128" in result.qc[0]["reason"]
    assert len(result.features) == 1


def test_a_feature_that_is_not_a_number_is_kept_empty_and_said(case, parameters, tmp_path, monkeypatch):
    first_order = classes.first_order
    monkeypatch.setattr(classes, "first_order", lambda *given: first_order(*given) | {"Skewness": np.nan})
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=parameters)
    assert result.qc[0]["status"] == "warned"
    assert "1 features are not numbers (original_firstorder_Skewness)" in result.qc[0]["reason"]
    write_rows(result.columns, result.features, tmp_path / "features.csv")
    row = next(csv.DictReader((tmp_path / "features.csv").open()))
    assert row["DWI__tumour_volume__original_firstorder_Skewness"] == ""


def test_a_missing_feature_is_an_error(case, tmp_path):
    # an image of 12 slices of 2.5 mm is too small for a LoG of 40 mm: PyRadiomics only warns
    path = tmp_path / "log.yaml"
    path.write_text("imageType: {Original: {}, LoG: {sigma: [40.0]}}\nfeatureClass: {firstorder: [Mean]}\n")
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=path)
    assert result.features == []
    assert "1 of 2 features missing (log-sigma-40-0-mm-3D_firstorder_Mean)" in result.qc[0]["reason"]


def test_an_exception_inside_pyradiomics_is_recorded_with_the_case_s_name(case, parameters, monkeypatch):
    def explode(*_args, **_kwargs):
        raise MemoryError("no memory left")

    monkeypatch.setattr(classes.texture, "cooccurrence", explode)
    result = extract_case(case[:1], regions=["tumour_volume"], parameters=parameters)
    for word in ("patient P007", "sequence DWI", "reader 1", "MemoryError", "no memory left"):
        assert word in result.qc[0]["reason"]


def test_protocol_s_own_mistakes_stop_at_once(case, parameters, tmp_path):
    with pytest.raises(SettingsError, match="found 5 features per region; expected the protocol's 1125"):
        extract_case(case, regions=["tumour_volume"], parameters=parameters, expected_features=1125)
    with pytest.raises(SettingsError, match="ring_3mm"):
        extract_case(case, regions=["ring_3mm"], parameters=parameters)
    bad = tmp_path / "bad.yaml"
    for content, words in (
        ("setting: {binwidth: 25}", "PyRadiomics refuses"),
        ("setting: {label: 2}", "mask_label"),
        ("featureClass: {shape2D: []}", "force2D"),
    ):
        bad.write_text(content)
        with pytest.raises(SettingsError, match=words):
            read_parameters(bad)
    with pytest.raises(SettingsError, match="no such PyRadiomics parameter file"):
        read_parameters(tmp_path / "absent.yaml")


def test_public_function_and_command_line_agree(case, parameters, tmp_path, capsys):
    image, mask = case[0]["image"], case[0]["mask"]
    table = extract_features(image, {"tumour": mask}, parameters)
    assert table.shape == (1, 5)
    assert list(table.index) == ["tumour"]
    in_memory = extract_features(sitk.ReadImage(image), {"tumour": sitk.ReadImage(mask)}, parameters)
    assert table.equals(in_memory)
    arguments = [image, mask, str(parameters), "--region", "tumour_volume", "--region", "ring_2mm_volume"]
    assert main([*arguments, "--output", str(tmp_path / "out.csv")]) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [row["region"] for row in rows] == ["tumour_volume", "ring_2mm_volume"]
    assert [float(rows[0][name]) for name in table.columns] == table.iloc[0].tolist()
    assert main([image, "absent.nii", str(parameters)]) == 1
    assert "absent.nii: found no such file" in capsys.readouterr().err


def test_the_machine_s_locale_does_not_matter(tmp_path):
    """A comment beyond ASCII in a parameter file, read where text is ASCII: PyRadiomics' own reading fails there."""
    path = tmp_path / "parameters.yaml"
    path.write_text("# bin width × 25\nsetting: {binWidth: 25}\nimageType: {Original: {}}\n", encoding="utf-8")
    code = (
        "import sys, locale; from her2radiomics.extraction import read_parameters; "
        "assert locale.getpreferredencoding(False) != 'UTF-8'; "
        "print(len(read_parameters(sys.argv[1]).feature_names))"
    )
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env={**os.environ, **plain}, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "107"
