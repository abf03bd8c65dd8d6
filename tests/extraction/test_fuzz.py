"""Any mixture of what can be wrong with a case: an error that names it, or the values of stock PyRadiomics.

Every mutation says what it does to the files and whether the case may still be used. A case that is extracted must
have stock PyRadiomics' values of the image and mask that were meant, so no mutation can end in a silent wrong value;
a case that fails must name patient, sequence, reader and file, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radiomics.featureextractor import RadiomicsFeatureExtractor

from her2radiomics.extraction import extract_case

PARAMETERS = """
setting: {binWidth: 25, label: 1}
imageType: {Original: {}, Wavelet: {}, Square: {}}
featureClass: {shape: [], firstorder: [], glcm: [], ngtdm: []}
"""
REGION = "tumour_volume"


@dataclass
class Files:
    """The case as it is written: arrays (z, y, x), geometry, and what happens to the bytes afterwards."""

    voxels: np.ndarray
    mask: np.ndarray
    # steps that a float32 header keeps as they are
    spacing: tuple[float, ...] = (0.875, 0.75, 2.5)
    mask_spacing: tuple[float, ...] = (0.875, 0.75, 2.5)
    origin: tuple[float, ...] = (-40.0, 12.5, 3.0)
    mask_origin: tuple[float, ...] = (-40.0, 12.5, 3.0)
    mask_direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    label: str = ""
    ending: str = "nii.gz"
    damage: list[Callable[[Path, Path], None]] = field(default_factory=list)
    # the mask that is meant; None: the case cannot be used and has to be refused
    meant: np.ndarray | None = None
    usable: bool = True


def base() -> Files:
    generator = np.random.default_rng(11)
    voxels = generator.integers(200, 900, (10, 22, 24)).astype(np.int16)
    mask = np.zeros(voxels.shape, np.uint8)
    mask[3:7, 8:14, 9:16] = 1
    mask[4, 14, 10] = 1
    return Files(voxels, mask, meant=mask > 0)


# -- mutations that leave the case as it was meant ----------------------------------------------------


def another_type(case: Files) -> None:
    case.voxels = case.voxels.astype(np.float64)


def as_nrrd(case: Files) -> None:
    case.ending = "nrrd"


def as_metaimage(case: Files) -> None:
    case.ending = "mha"


def label_255(case: Files) -> None:
    case.mask = (case.mask > 0).astype(np.uint8) * 255


def float_mask(case: Files) -> None:
    case.mask = case.mask.astype(np.float32)


def named_among_two(case: Files) -> None:
    case.mask = case.mask.astype(np.int16)
    case.mask[case.mask != 0] = 2
    case.mask[0, :3, :3] = 5
    case.label = "2"


def touching_the_border(case: Files) -> None:
    if case.meant is not None:
        case.mask[3:7, 8:14, 16:] = case.mask[4, 10, 10]  # the tumour's value
        case.meant[3:7, 8:14, 16:] = True


def negative_values(case: Files) -> None:
    case.voxels = case.voxels - case.voxels.dtype.type(500)


# -- mutations after which there is nothing right to compute -----------------------------------------


def spoils(change: Callable[[Files], None]) -> Callable[[Files], None]:
    def spoil(case: Files) -> None:
        change(case)
        case.usable = False

    spoil.__name__ = change.__name__
    return spoil


@spoils
def not_a_number(case: Files) -> None:
    case.voxels = case.voxels.astype(np.float32)
    case.voxels[4, 9, 10] = np.nan


@spoils
def infinite_far_away(case: Files) -> None:
    case.voxels = case.voxels.astype(np.float32)
    case.voxels[0, 0, 0] = -np.inf


@spoils
def spike(case: Files) -> None:
    case.voxels = case.voxels.astype(np.float64)
    case.voxels[5, 10, 12] = 1e9


@spoils
def times_a_thousand(case: Files) -> None:
    case.voxels = case.voxels.astype(np.float64) * 1000


@spoils
def constant(case: Files) -> None:
    case.voxels = np.full_like(case.voxels, 7)


@spoils
def four_dimensional(case: Files) -> None:
    case.voxels = case.voxels[None]


@spoils
def flat(case: Files) -> None:
    case.voxels = case.voxels[4]


@spoils
def colour(case: Files) -> None:
    case.voxels = np.stack([case.voxels] * 3, axis=-1)


@spoils
def scaled_label(case: Files) -> None:
    case.mask = case.mask.astype(np.float32) * 0.00392


@spoils
def jitter(case: Files) -> None:
    noise = np.random.default_rng(0).normal(0, 1e-3, case.mask.shape)
    case.mask = case.mask.astype(np.float32) + noise.astype(np.float32)


@spoils
def two_labels(case: Files) -> None:
    case.mask = case.mask.astype(np.int16)
    case.mask[0, 0, :4] = 9
    case.label = ""


@spoils
def absent_label(case: Files) -> None:
    case.label = "3"


@spoils
def empty(case: Files) -> None:
    case.mask = np.zeros_like(case.mask)


@spoils
def one_voxel(case: Files) -> None:
    case.mask = np.zeros_like(case.mask)
    case.mask[5, 10, 10] = 1


@spoils
def one_slice(case: Files) -> None:
    case.mask[np.arange(len(case.mask)) != 5] = 0


@spoils
def everything(case: Files) -> None:
    case.mask = np.ones_like(case.mask)


@spoils
def another_size(case: Files) -> None:
    case.mask = case.mask[:-1]


@spoils
def spacing_one_per_cent_off(case: Files) -> None:
    case.mask_spacing = tuple(1.01 * step for step in case.mask_spacing)


@spoils
def origin_a_thousandth_off(case: Files) -> None:
    case.mask_origin = (case.mask_origin[0] + 1e-3, *case.mask_origin[1:])


@spoils
def mirrored(case: Files) -> None:
    case.mask_direction = (-1, 0, 0, 0, -1, 0, 0, 0, 1)


@spoils
def image_gone(case: Files) -> None:
    case.damage.append(lambda image, mask: image.unlink())


@spoils
def mask_gone(case: Files) -> None:
    case.damage.append(lambda image, mask: mask.unlink(missing_ok=True))


@spoils
def image_cut(case: Files) -> None:
    case.damage.append(lambda image, mask: _cut(image, 0.7))


@spoils
def mask_cut(case: Files) -> None:
    case.damage.append(lambda image, mask: _cut(mask, 0.5))


@spoils
def image_is_a_folder(case: Files) -> None:
    def swap(image: Path, mask: Path) -> None:
        image.unlink(missing_ok=True)
        image.mkdir()

    case.damage.append(swap)


def _cut(path: Path, share: float) -> None:
    if path.is_file():
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flipped_byte(case: Files) -> None:
    """Anywhere in the image file: refused, unless the bytes do not matter to any voxel or to the geometry."""

    def flip(image: Path, mask: Path) -> None:
        if image.is_file():
            content = bytearray(image.read_bytes())
            content[len(content) // 2] ^= 0x10
            image.write_bytes(bytes(content))

    case.damage.append(flip)


HARMLESS = (
    *(another_type, as_nrrd, as_metaimage, label_255, float_mask, named_among_two, touching_the_border),
    negative_values,
)
HARMFUL = (
    *(not_a_number, infinite_far_away, spike, times_a_thousand, constant, four_dimensional, flat, colour),
    *(scaled_label, jitter, two_labels, absent_label, empty, one_voxel, one_slice, everything, another_size),
    *(spacing_one_per_cent_off, origin_a_thousandth_off, mirrored, image_gone, mask_gone, image_cut, mask_cut),
    image_is_a_folder,
)


def picture(voxels: np.ndarray, spacing, origin, direction=None) -> sitk.Image:
    """An image of 2 to 4 dimensions, or of three values per voxel."""
    vector = voxels.ndim == 4 and voxels.shape[-1] == 3
    image = sitk.GetImageFromArray(voxels, isVector=vector)
    if image.GetDimension() == 3:
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        if direction:
            image.SetDirection(direction)
    return image


def write(case: Files, folder: Path) -> dict[str, str]:
    image, mask = folder / f"image.{case.ending}", folder / f"mask.{case.ending}"
    sitk.WriteImage(picture(case.voxels, case.spacing, case.origin), str(image), True)
    sitk.WriteImage(picture(case.mask, case.mask_spacing, case.mask_origin, case.mask_direction), str(mask), True)
    for damage in case.damage:
        damage(image, mask)
    row = {"patient_id": "P042", "sequence": "DCE2", "reader": "1", "region": "tumour"}
    return {**row, "image": str(image), "mask": str(mask), "mask_label": case.label}


@cache
def stock_extractor(parameters: Path) -> RadiomicsFeatureExtractor:
    return RadiomicsFeatureExtractor(str(parameters), additionalInfo=False)


def run(case: Files, folder: Path) -> tuple[bool, str]:
    """Extract the case and hold it against what must hold; whether it was used, and the reason if not."""
    parameters = folder / "parameters.yaml"
    parameters.write_text(PARAMETERS, encoding="utf-8")
    row = write(case, folder)
    result = extract_case([row], regions=[REGION], parameters=parameters)
    (quality,) = result.qc
    if not result.features:
        assert quality["status"] == "failed"
        for part in ("patient P042", "sequence DCE2", "reader 1", str(folder), "found ", "; expected ", ". "):
            assert part in quality["reason"], quality["reason"]
        assert "unexpected" not in quality["reason"], quality["reason"]
        return False, quality["reason"]
    assert quality["status"] in ("extracted", "warned")
    (record,) = result.features
    assert all(record[name] == record[name] for name in result.columns)  # NaN is not equal to itself
    assert case.usable, "a case was used that cannot be right"
    assert case.meant is not None
    image = picture(case.voxels, case.spacing, case.origin)
    mask = picture(case.meant.astype(np.uint8), case.spacing, case.origin)
    expected = stock_extractor(parameters).execute(image, mask)
    for name, value in expected.items():
        got = record[f"DCE2__{REGION}__{name}"]
        assert got == pytest.approx(float(np.real(value)), rel=1e-9, abs=1e-9), name
    return True, ""


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_each_harmless_change_keeps_the_values(tmp_path, change):
    case = base()
    change(case)
    assert run(case, tmp_path) == (True, "")


@pytest.mark.parametrize("change", HARMFUL, ids=lambda change: change.__name__)
def test_each_harmful_change_is_refused_by_name(tmp_path, change):
    case = base()
    change(case)
    used, reason = run(case, tmp_path)
    assert not used
    assert reason


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(HARMLESS), max_size=3, unique=True),
    st.lists(st.sampled_from([*HARMFUL, flipped_byte]), max_size=2, unique=True),
)
def test_mixtures_end_in_right_values_or_in_a_named_error(tmp_path_factory, harmless, harmful):
    case = base()
    for change in (*harmless, *harmful):
        try:
            change(case)
        except (IndexError, ValueError):  # two changes that contradict each other, as colour in four dimensions
            return
    if case.voxels.ndim == 5 or case.mask.ndim != 3:
        return
    run(case, tmp_path_factory.mktemp("case"))
