"""Preprocessing of a whole case: once for all readers, recorded, and nothing changed where it is off."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from radiomics.featureextractor import RadiomicsFeatureExtractor

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import validate
from her2radiomics.engine.jobs.modelling import extraction_hashes
from her2radiomics.extraction import QC_COLUMNS, draw_overlay, extract_case, read_parameters, write_rows
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.imaging.preprocessing_settings import Preprocessing

FILES = Path(__file__).parents[2] / "workflow" / "extraction"
SMALL = "setting: {binWidth: 25}\nimageType: {Original: {}}\nfeatureClass: {firstorder: [Mean, Minimum], glcm: [Contrast]}\n"
MEAN = "DCE2__tumour_volume__original_firstorder_Mean"


def settings(**keys) -> Preprocessing:
    return validate(Preprocessing, keys, "preprocessing")


def write(path: Path, voxels, spacing=(0.8, 0.8, 1.6)) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return str(path)


@pytest.fixture
def data(tmp_path):
    """A data set of one patient: two phases, two readers, a breast mask, and a small parameter file."""
    generator = np.random.default_rng(8)
    before = generator.normal(250, 30, (14, 36, 40))
    lesion = np.zeros(before.shape, bool)
    lesion[4:9, 12:22, 14:26] = True
    folder = tmp_path / "hospital"
    (folder / "images").mkdir(parents=True)
    write(folder / "images/dce0.nii.gz", before.astype(np.float32))
    write(folder / "images/dce2.nii.gz", (before + 300 * lesion + 20).astype(np.float32))
    write(folder / "reader1.nii.gz", lesion.astype(np.uint8))
    write(folder / "reader2.nii.gz", np.roll(lesion, 1, 2).astype(np.uint8))
    breast = np.ones(before.shape, np.uint8)
    breast[:, :5] = 0
    write(folder / "breast.nii.gz", breast)
    (tmp_path / "small.yaml").write_text(SMALL)
    return folder


def rows(folder: Path, *, breast=False) -> list[dict[str, str]]:
    row = {"patient_id": "P9", "sequence": "DCE2", "region": "tumour", "mask_label": ""}
    row["image"] = str(folder / "images/dce2.nii.gz")
    made = [row | {"reader": n, "mask": str(folder / f"reader{n}.nii.gz")} for n in ("1", "2")]
    extra = [row | {"reader": "1", "region": "breast", "mask": str(folder / "breast.nii.gz")}]
    return made + (extra if breast else [])


def extracted(folder: Path, preprocessing=None, *, breast=False, **options):
    return extract_case(
        rows(folder, breast=breast),
        regions=["tumour_volume"],
        parameters=options.pop("parameters", folder.parent / "small.yaml"),
        preprocessing=preprocessing,
        **options,
    )


def test_the_default_settings_change_no_byte(data, tmp_path):
    """Rows, features and overlay with everything off are those of a call that knows no preprocessing."""
    files = []
    for name, preprocessing in (("without", None), ("default", Preprocessing())):
        result = extracted(data, preprocessing, breast=True)
        write_rows(result.columns, result.features, tmp_path / f"{name}.csv")
        write_rows(QC_COLUMNS, result.qc, tmp_path / f"{name}.qc.csv")
        draw_overlay(rows(data), ["tumour_volume"], tmp_path / f"{name}.png", case=result.case)
        ends = ("csv", "qc.csv", "png")
        files.append([sha256((tmp_path / f"{name}.{end}").read_bytes()).hexdigest() for end in ends])
    assert files[0] == files[1]


def test_the_image_is_preprocessed_once_for_both_readers(data, monkeypatch):
    from her2radiomics.imaging import preprocessing as module

    calls = []
    original = module.log_bias_field

    def counted(*arguments):
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(module, "log_bias_field", counted)
    result = extracted(data, settings(n4={}), breast=True)
    assert len(result.features) == 2
    assert len(calls) == 1


def test_enhancement_of_the_lesion_by_hand(data):
    """320 was added within the lesion, 20 outside it: the difference's mean and least value are known."""
    result = extracted(data, settings(subtract="DCE0"), precontrast=data / "images/dce0.nii.gz")
    assert result.features[0][MEAN] == pytest.approx(320, abs=1e-3)
    assert result.features[1][MEAN] == pytest.approx((11 * 320 + 20) / 12, abs=1e-3)
    assert result.qc[1]["minimum"] == pytest.approx(20, abs=1e-3)


@pytest.mark.parametrize(
    ("precontrast", "words"),
    [("", "found no image of DCE0"), ("images/dce9.nii.gz", "images/dce9.nii.gz: found no such file")],
)
def test_a_phase_that_is_not_there_fails_the_case(data, precontrast, words):
    path = str(data / precontrast) if precontrast else ""
    result = extracted(data, settings(subtract="DCE0"), precontrast=path, root=data)
    assert result.features == []
    assert {row["status"] for row in result.qc} == {"failed"}
    for row, reader in zip(result.qc, "12", strict=True):
        assert words in row["reason"]
        assert f"patient P9, sequence DCE2, reader {reader}" in row["reason"]


def test_no_breast_mask_fails_the_case_and_says_so(data):
    asked = settings(normalise={"within": "breast", "scale": 100})
    assert "found no breast mask" in extracted(data, asked).qc[0]["reason"]
    assert extracted(data, asked, breast=True).qc[0]["status"] != "failed"


def test_the_bin_width_must_fit_z_scores(data):
    """A bin of 25 holds all z-scores, below and above 0: two grey levels, and the warning names the key to turn."""
    result = extracted(data, settings(normalise={"within": "image"}))
    assert result.qc[0]["grey_levels"] <= 2
    assert result.qc[0]["status"] == "warned"
    assert "check bin width and normalise.scale against intensities" in result.qc[0]["reason"]


def test_quality_control_is_of_the_resampled_image(data):
    result = extracted(data, settings(resample={"spacing_mm": [0.4, 0.4, 0.8]}))
    first = result.qc[0]
    assert (first["size"], first["spacing_mm"]) == ("80×72×28", "0.4×0.4×0.8")
    # 10 × 12 × 5 voxels of 1.024 mm³, cut by nearest neighbour into eight each
    assert first["voxels"] == 10 * 12 * 5 * 8
    assert first["volume_ml"] == pytest.approx(600 * 1.024 / 1000)


def test_files_are_named_as_the_manifest_names_them(data):
    """No result may hold the folder in which the data lie, neither in the columns nor in a reason."""
    (data / "reader2.nii.gz").write_bytes(b"")
    result = extracted(data, root=data)
    assert (result.qc[0]["image"], result.qc[0]["mask"]) == ("images/dce2.nii.gz", "reader1.nii.gz")
    assert "reader 2, reader2.nii.gz: found" in result.qc[1]["reason"]
    assert str(data) not in str(result.qc)
    assert all(str(data) not in str(problem) for problem in result.case.problems.values())


def test_the_overlay_says_what_was_done(data, tmp_path):
    from PIL import Image

    asked = settings(n4={"within": "image"}, subtract="DCE0", normalise={"within": "image", "scale": 100})
    assert asked.summary() == "N4, minus DCE0, z-score"
    result = extracted(data, asked, precontrast=data / "images/dce0.nii.gz")
    plain = extracted(data)
    heights = []
    for name, case in (("done", result.case), ("plain", plain.case)):
        draw_overlay(rows(data), ["tumour_volume"], tmp_path / f"{name}.png", case=case)
        heights.append(Image.open(tmp_path / f"{name}.png").height)
    assert heights[0] == heights[1] + 15


def test_the_command_line_subtracts_and_normalises(data, tmp_path, capsys):
    from her2radiomics.extraction.__main__ import main

    (tmp_path / "asked.yaml").write_text("subtract: DCE0\nclip: {low: 0, high: 100}\n", encoding="utf-8")
    row = rows(data)[0]
    words = [row["image"], row["mask"], str(tmp_path / "small.yaml"), "--preprocessing", str(tmp_path / "asked.yaml")]
    assert main([*words, "--precontrast", str(data / "images/dce0.nii.gz"), "--exact-log"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert float(printed[1].split(",")[printed[0].split(",").index("original_firstorder_Mean")]) == pytest.approx(320)
    assert main(words) == 1
    assert "found no image of DCE0" in capsys.readouterr().err
    (tmp_path / "asked.yaml").write_text("substract: DCE0\n", encoding="utf-8")
    assert main(words) == 1
    assert "did you mean 'subtract'" in capsys.readouterr().err


def test_exact_log_is_stock_to_1e_9(tmp_path):
    """20 σ on a volume larger than the pad, against PyRadiomics on the whole volume."""
    from breast_volume import breast_like

    image, mask = breast_like(5, shape=(30, 150, 160))
    for name, item in (("image", image), ("mask", mask)):
        sitk.WriteImage(item, str(tmp_path / f"{name}.nii.gz"))
    path = tmp_path / "log.yaml"
    path.write_text(
        "setting: {binWidth: 25}\nimageType: {LoG: {sigma: [2.0]}}\nfeatureClass: {firstorder: [], glcm: []}\n"
    )
    row = {"patient_id": "P1", "sequence": "T2", "reader": "1", "region": "tumour", "mask_label": ""}
    row |= {name: str(tmp_path / f"{name}.nii.gz") for name in ("image", "mask")}
    made = {}
    for padding in (12.0, 20.0):
        result = extract_case([row], regions=["tumour_volume"], parameters=path, log_padding=padding)
        made[padding] = {k.split("__")[-1]: v for k, v in result.features[0].items() if "__" in k}
    stock = RadiomicsFeatureExtractor(str(path), additionalInfo=False)
    expected = stock.execute(sitk.ReadImage(row["image"]), sitk.ReadImage(row["mask"]))
    assert tuple(made[20.0]) == read_parameters(path).feature_names
    for name, value in made[20.0].items():
        assert value == pytest.approx(float(expected[name]), rel=1e-9), name
    assert made[12.0] != made[20.0]


class TestHash:
    """What a model was trained on: unchanged by the default, by the way a mask reached its grid; changed by the rest."""

    OLD = {"parameters": "features_1023_3d", "regions": ["tumour_slice"]}

    def hashed(self, **keys):
        files = [str(FILES / "features_1023_3d.yaml")]
        return extraction_hashes({"DCE2": self.OLD | keys}, files)["DCE2"]

    def test_the_default_is_that_of_models_made_before(self):
        content = (FILES / "features_1023_3d.yaml").read_bytes()
        assert self.hashed() == sha256(content + b"tumour_slice").hexdigest()[:16]
        default = {"preprocessing": Preprocessing().model_dump(mode="json"), "log_padding": LOG_PADDING}
        assert self.hashed(**default) == self.hashed()

    def test_what_changes_values_changes_it(self):
        asked = [
            {"preprocessing": {"n4": {}}},
            {"preprocessing": {"n4": {"shrink_factor": 2}}},
            {"preprocessing": {"subtract": "DCE0"}},
            {"log_padding": "exact"},
        ]
        assert len({self.hashed(), *(self.hashed(**keys) for keys in asked)}) == 5

    def test_a_mask_s_way_to_the_grid_does_not(self):
        assert self.hashed(preprocessing={"resample_mask": True}) == self.hashed()


def test_parameter_file_and_protocol_do_not_both_normalise(data, tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(SMALL.replace("binWidth: 25", "binWidth: 25, normalize: true"))
    with pytest.raises(SettingsError, match="expected one of the two"):
        extracted(data, settings(normalise={"within": "image"}), parameters=path)
