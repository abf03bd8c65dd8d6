"""Masks that differ from a right one by one thing: the same features, a refusal, or a warning that names the thing."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import what_happens_masks as what
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mask_kinds import FORMS, KINDS, REFUSED, SAME, WARNED, MaskKind, Pair

from her2radiomics.core.errors import CaseError
from her2radiomics.extraction import extract_case, extract_features
from her2radiomics.imaging import read_image, read_mask, read_mask_onto

PARAMETERS = """
setting: {binWidth: 10, label: 1}
imageType: {Original: {}}
featureClass: {shape: [], firstorder: [], glcm: []}
"""
SHAPE = (10, 36, 40)
IDS = [f"{kind.form}: {kind.what}" for kind in KINDS]


def right_pair(
    seed: int = 5, spacing=(0.8, 0.7, 2.5), origin=(-40.0, 12.5, 3.0), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)
) -> Pair:
    image = sitk.GetImageFromArray(np.random.default_rng(seed).integers(1, 400, SHAPE).astype(np.int16))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(np.ravel(direction).tolist())
    tumour, fat = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    tumour[3:6, 8:13, 9:15] = True
    tumour[4, 10, 11:13] = False  # a hole
    fat[5:8, 20:25, 20:30] = True
    return Pair(image, tumour, fat)


@cache
def parameters(folder: Path) -> Path:
    (folder / "parameters.yaml").write_text(PARAMETERS, encoding="utf-8")
    return folder / "parameters.yaml"


def check(kind: MaskKind, pair: Pair, folder: Path) -> None:
    """What the list says is what happens, to the mask and to a whole case."""
    made = kind.make(pair, folder)
    image = pair.image if made.image is None else made.image
    sitk.WriteImage(image, str(folder / "image.nrrd"))
    if kind.outcome == REFUSED:
        with pytest.raises(CaseError) as caught:
            read_mask(made.mask, image, made.label)
        assert kind.words in str(caught.value)
        assert str(made.mask) in str(caught.value) and caught.value.remedy
    elif "turned" not in kind.words:
        expected = pair.tumour if made.tumour is None else made.tumour
        mask = read_mask(made.mask, image, made.label)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(mask) != 0, expected)
        onto, note = read_mask_onto(made.mask, image, made.label)
        assert (sitk.GetArrayFromImage(onto) == sitk.GetArrayFromImage(mask)).all() and not note
    row = {"patient_id": "P042", "sequence": "T2", "reader": "1", "region": "tumour"}
    row |= {"image": str(folder / "image.nrrd"), "mask": str(made.mask), "mask_label": made.label}
    result = extract_case([row], regions=["tumour_volume"], parameters=parameters(folder))
    (quality,) = result.qc
    statuses = {SAME: {"extracted"}, WARNED: {"warned"}, REFUSED: {"failed"}}[kind.outcome]
    assert quality["status"] in statuses, quality["reason"]
    assert kind.words in quality["reason"] and "unexpected" not in quality["reason"]
    if kind.outcome != REFUSED:
        turned = "turned" in kind.words
        meant, voxels = (pair.image if turned else image), pair.tumour if made.tumour is None else made.tumour
        mask = sitk.GetImageFromArray(voxels.astype(np.uint8))
        mask.CopyInformation(meant)
        expected = extract_features(meant, {"tumour_volume": mask}, parameters(folder)).loc["tumour_volume"]
        for name, value in expected.items():
            found = result.features[0][f"T2__tumour_volume__{name}"]
            assert found == pytest.approx(value, rel=1e-5, abs=1e-9), name


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_what_happens(tmp_path, kind):
    check(kind, right_pair(), tmp_path)


def turned(angles: tuple[float, float, float]) -> np.ndarray:
    """Axes of an oblique acquisition."""
    return np.reshape(sitk.Euler3DTransform((0, 0, 0), *angles).GetMatrix(), (3, 3))


ANGLES = st.tuples(*[st.floats(-0.25, 0.25)] * 3)
STEPS = st.tuples(st.floats(0.7, 1.1), st.floats(0.7, 1.1), st.floats(2.0, 4.0))
ORIGIN = st.tuples(*[st.floats(-200, 200)] * 3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KINDS), st.integers(0, 99), ANGLES, STEPS, ORIGIN)
def test_it_happens_wherever_the_image_lies(tmp_path_factory, kind, seed, angles, spacing, origin):
    check(kind, right_pair(seed, spacing, origin, turned(angles)), tmp_path_factory.mktemp("case"))


def test_a_segmentation_is_no_image_and_resampling_is_no_remedy_for_it(tmp_path):
    pair = right_pair()
    for kind in KINDS:
        if kind.outcome == SAME and kind.form != FORMS[0]:
            folder = tmp_path / str(KINDS.index(kind))
            folder.mkdir()
            with pytest.raises(CaseError, match="which holds masks") as caught:
                read_image(kind.make(pair, folder).mask)
            assert "resample" not in str(caught.value)


def test_the_list_has_kinds_of_every_format():
    assert len(KINDS) >= 40
    assert Counter(kind.form for kind in KINDS).keys() == {*FORMS}
    assert all(kind.words or kind.outcome == SAME for kind in KINDS)
    assert len({(kind.form, kind.what) for kind in KINDS}) == len(KINDS)


def test_the_page_prints_the_list():
    text = what.PAGE.read_text(encoding="utf-8")
    assert text == what.page(text), "run: .venv/bin/python tests/imaging/what_happens_masks.py"


@pytest.fixture(scope="module")
def segmentations(tmp_path_factory) -> list[tuple[str, bytes, str]]:
    """One right file of each format of segmentations: its name, its bytes, and the label that chooses the tumour."""
    wanted = {form: next(kind for kind in KINDS if kind.form == form and kind.outcome == SAME) for form in FORMS[1:4]}
    files = []
    for kind in wanted.values():
        made = kind.make(right_pair(), tmp_path_factory.mktemp("right"))
        files.append((made.mask.name, made.mask.read_bytes(), made.label))
    return files


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.one_of(st.none(), st.floats(0, 1)),
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_refused_by_name(segmentations, tmp_path, which, changes, end):
    name, content, label = segmentations[which]
    broken = bytearray(content)
    for place, value in changes:
        broken[int(place * (len(broken) - 1))] = value
    path = tmp_path / name
    path.write_bytes(bytes(broken[: None if end is None else int(end * len(broken))]))
    try:
        mask = read_mask(path, right_pair().image, label)
    except CaseError as error:
        assert str(path) in str(error) and error.remedy
    else:
        assert mask.GetSize() == SHAPE[::-1]


@pytest.mark.parametrize("form", [b"UU", b"UV"], ids=["no form of DICOM", "numbers of eight bytes"])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.filterwarnings("ignore")
def test_a_dicom_file_whose_class_cannot_be_converted_is_refused(segmentations, tmp_path, which, form):
    """The class (0008,0016) is read last of all, when it is compared."""
    name, content, label = segmentations[which]
    place = b"\x08\x00\x16\x00"
    assert name.endswith(".dcm") and content.count(place + b"UI") == 1
    path = tmp_path / name
    path.write_bytes(content.replace(place + b"UI", place + form))
    with pytest.raises(CaseError, match="mask.dcm") as error:
        read_mask(path, right_pair().image, label)
    assert error.value.remedy
