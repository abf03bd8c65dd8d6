"""Images that differ from a right one by one thing: the same features, a refusal, or a warning that names the thing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import what_happens_images as what
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinds import KINDS, REFUSED, SAME, WARNED, Kind, Right

from her2radiomics.core.errors import CaseError
from her2radiomics.extraction import extract_case, extract_features
from her2radiomics.imaging import read_image
from her2radiomics.imaging.__main__ import main
from her2radiomics.imaging.formats import FORMATS, doubts_of

PARAMETERS = """
setting: {binWidth: 10, label: 1}
imageType: {Original: {}}
featureClass: {shape: [], firstorder: [], glcm: []}
"""
ALL = [(form, kind) for form, kinds in KINDS.items() for kind in kinds]
TUMOUR = np.zeros((10, 36, 40), np.uint8)  # JPEG 2000 wants 32
TUMOUR[3:6, 8:13, 9:15] = 1
IDS = [f"{form}: {kind.what}" for form, kind in ALL]


def right_image(seed: int = 5, **where) -> Right:
    return Right(np.random.default_rng(seed).integers(0, 400, TUMOUR.shape).astype(np.int16), **where)


def outlined(grid: sitk.Image, folder: Path) -> Path:
    mask = sitk.GetImageFromArray(TUMOUR)
    mask.CopyInformation(grid)
    sitk.WriteImage(mask, str(folder / "mask.nrrd"))
    return folder / "mask.nrrd"


@cache
def parameters(folder: Path) -> Path:
    (folder / "parameters.yaml").write_text(PARAMETERS, encoding="utf-8")
    return folder / "parameters.yaml"


def check(kind: Kind, right: Right, folder: Path) -> None:
    """What the list says is what happens, to the voxels and to a whole case."""
    path = kind.make(right, folder)
    row = {"patient_id": "P042", "sequence": "T2", "reader": "1", "region": "tumour", "image": str(path)}
    meant = right.image()
    if kind.outcome == REFUSED:
        with pytest.raises(CaseError) as caught:
            read_image(path)
        assert kind.words in str(caught.value)
        assert str(path) in str(caught.value) and caught.value.remedy
    else:
        image = read_image(path)
        np.testing.assert_allclose(sitk.GetArrayFromImage(image), right.voxels, rtol=1e-12, atol=1e-12)
        if kind.grid:
            np.testing.assert_allclose(image.GetSpacing(), right.spacing, rtol=1e-6)
            np.testing.assert_allclose(image.GetOrigin(), right.origin, atol=1e-4)
            np.testing.assert_allclose(image.GetDirection(), right.direction.ravel(), atol=1e-6)
        else:
            meant.CopyInformation(image)
        assert any(kind.words in doubt for doubt in doubts_of(image)) == (kind.outcome == WARNED)
        assert kind.outcome == WARNED or not doubts_of(image)
    row["mask"] = str(outlined(meant, folder))
    result = extract_case([row], regions=["tumour_volume"], parameters=parameters(folder))
    (quality,) = result.qc
    assert quality["status"] == {SAME: "extracted", WARNED: "warned", REFUSED: "failed"}[kind.outcome], quality[
        "reason"
    ]
    assert kind.words in quality["reason"] and "unexpected" not in quality["reason"]
    if kind.outcome != REFUSED:
        mask = sitk.ReadImage(row["mask"])
        expected = extract_features(meant, {"tumour_volume": mask}, parameters(folder)).loc["tumour_volume"]
        for name, value in expected.items():
            assert result.features[0][f"T2__tumour_volume__{name}"] == pytest.approx(value, rel=1e-5, abs=1e-9), name


@pytest.mark.parametrize("kind", [kind for _, kind in ALL], ids=IDS)
def test_what_happens(tmp_path, kind):
    check(kind, right_image(), tmp_path)


def turned(angles: tuple[float, float, float]) -> np.ndarray:
    """Axes of an oblique acquisition, turned by less than 45 degrees in all."""
    transform = sitk.Euler3DTransform((0, 0, 0), *angles)
    return np.reshape(transform.GetMatrix(), (3, 3))


ANGLES = st.tuples(*[st.floats(-0.25, 0.25)] * 3)
STEPS = st.tuples(st.floats(0.7, 1.2), st.floats(0.7, 1.2), st.floats(2.0, 4.0))
ORIGIN = st.tuples(*[st.floats(-200, 200)] * 3)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ALL), st.integers(0, 99), ANGLES, STEPS, ORIGIN)
def test_it_happens_wherever_the_image_lies(tmp_path_factory, kind, seed, angles, spacing, origin):
    right = right_image(seed, spacing=spacing, origin=origin, direction=turned(angles))
    check(kind[1], right, tmp_path_factory.mktemp("case"))


def test_the_list_has_kinds_of_every_format_of_images():
    assert len(ALL) >= 25
    assert {*KINDS} >= {*FORMATS}
    for form, kinds in KINDS.items():
        assert {kind.outcome for kind in kinds} == {SAME, WARNED, REFUSED}, form
        assert len({kind.what for kind in kinds}) == len(kinds), form
    assert all(kind.words or kind.outcome == SAME for _, kind in ALL)


def test_the_page_prints_the_list():
    text = what.PAGE.read_text(encoding="utf-8")
    assert text == what.page(text), "run: .venv/bin/python tests/imaging/what_happens_images.py"


@pytest.mark.parametrize(
    ("form", "of", "by"),
    [
        ("DICOM", "two phases in one series", ["AcquisitionNumber"]),
        ("DICOM", "two phases, by their time alone", ["ContentTime"]),
        ("DICOM", "two b-values, said in a private element alone", ["DiffusionBValue"]),
        ("DICOM", "two echoes", ["EchoTime"]),
        ("multi-frame DICOM", "two phases in one file", ["TemporalPositionIndex"]),
        ("multi-frame DICOM", "diffusion directions in one file", ["DiffusionGradientOrientation"]),
    ],
)
def test_the_remedy_for_several_volumes_is_a_command(tmp_path, capsys, form, of, by):
    (kind,) = (kind for kind in KINDS[form] if kind.what == of)
    right = right_image(direction=turned((0.2, 0.1, -0.2)))
    path = kind.make(right, tmp_path)
    with pytest.raises(CaseError) as caught:
        read_image(path)
    words = [part for name in by for part in ("--by", name)]
    assert f"python -m her2radiomics.imaging SERIES FOLDER {' '.join(words)})" in caught.value.remedy
    assert main([str(path), str(tmp_path / "split"), *words]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2 and not said.err
    for number in (1, 2):
        image = read_image(tmp_path / "split" / f"volume_{number}.nii.gz")
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), right.voxels)
        np.testing.assert_allclose(image.GetOrigin(), right.origin, atol=1e-4)
    assert main([str(path), str(tmp_path / "split"), "--by", "SequenceName"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
