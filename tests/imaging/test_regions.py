"""Regions of interest: geometry counted by hand on anisotropic voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.imaging import Region, level_of, make_region, parse_region


def mask_image(voxels: np.ndarray, spacing=(1.0, 1.5, 3.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing(spacing)
    image.SetOrigin((5.0, -3.0, 11.0))
    return image


def region(voxels: np.ndarray, name: str, spacing=(1.0, 1.5, 3.0), breast=None) -> np.ndarray:
    breast = None if breast is None else mask_image(breast, spacing)
    made = make_region(mask_image(voxels, spacing), name, breast)
    assert made.GetSpacing() == spacing
    assert made.GetOrigin() == (5.0, -3.0, 11.0)
    return sitk.GetArrayFromImage(made).astype(bool)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tumour_volume", Region("tumour_volume", "tumour", "volume", None)),
        ("tumour_slice", Region("tumour_slice", "tumour", "slice", None)),
        ("ring_3mm_volume", Region("ring_3mm_volume", "ring", "volume", 3.0)),
        ("ring_2.5mm_slice", Region("ring_2.5mm_slice", "ring", "slice", 2.5)),
    ],
)
def test_names(name, expected):
    assert parse_region(name) == expected


@pytest.mark.parametrize("name", ["tumor_volume", "ring_volume", "ring_0mm_volume", "ring_-3mm_slice", ""])
def test_other_names_are_refused(name):
    with pytest.raises(SettingsError, match="ring_<r>mm_volume"):
        parse_region(name)


def test_volume_keeps_every_component():
    voxels = np.zeros((5, 9, 9), bool)
    voxels[1, 1:3, 1:3] = voxels[3, 6:8, 6:8] = True
    np.testing.assert_array_equal(region(voxels, "tumour_volume"), voxels)


def test_largest_slice_and_the_lowest_of_equal_ones():
    voxels = np.zeros((5, 9, 9), bool)
    voxels[1, 1:3, 1:3] = True
    voxels[2, 3:6, 3:6] = True
    voxels[3, 2:5, 2:5] = True
    kept = region(voxels, "tumour_slice")
    np.testing.assert_array_equal(kept[2], voxels[2])
    assert kept.sum() == 9


def test_ring_around_one_voxel_counted_by_hand():
    # two voxels in x at the centre of voxels of 1.0 × 1.5 × 3.0 mm; a voxel belongs to the 3 mm ring when its
    # offset (i, j, k) from either has i² + (1.5 j)² + (3 k)² ≤ 9: k = ±1 leaves i = j = 0 only
    voxels = np.zeros((7, 11, 15), bool)
    voxels[3, 5, 6:8] = True
    voxels[4, 5, 7] = True  # a second slice, so that it is a volume
    ring = region(voxels, "ring_3mm_volume")
    expected = {
        (k + z, j + y, i + x)
        for z, y, x in ((3, 5, 6), (3, 5, 7), (4, 5, 7))
        for k in range(-1, 2)
        for j in range(-2, 3)
        for i in range(-3, 4)
        if i * i + (1.5 * j) ** 2 + (3 * k) ** 2 <= 9
    } - {(3, 5, 6), (3, 5, 7), (4, 5, 7)}
    assert set(map(tuple, np.argwhere(ring).tolist())) == expected
    assert (2, 5, 6) in expected  # a slice 3.0 mm below: exactly on the ring's edge, inside


def test_slice_ring_counted_by_hand():
    # two pixels in x of 1.0 × 1.5 mm, r = 3: rows j = 0: i ≤ 3; |j| = 1: i ≤ 2 (√(9 − 2.25) = 2.6);
    # |j| = 2: i = 0. Around two neighbours: 8 + 2·6 + 2·2 = 24 pixels, less the two of the tumour
    voxels = np.zeros((5, 11, 15), bool)
    voxels[2, 5, 6:8] = True
    voxels[3, 5, 6] = True
    ring = region(voxels, "ring_3mm_slice")
    assert ring.sum() == ring[2].sum() == 24 - 2


def test_header_rounding_does_not_move_the_edge():
    spacing = tuple(float(np.float32(step)) for step in (0.6, 0.6, 3.0))  # 5 × 0.6 = 3.0000001 mm
    voxels = np.zeros((3, 15, 15), bool)
    voxels[1, 7, 7] = voxels[1, 7, 8] = True
    assert region(voxels, "ring_3mm_slice", spacing)[1, 7, 2]


def test_ring_stays_inside_image_and_breast_and_outside_every_component():
    voxels = np.zeros((4, 12, 12), bool)
    voxels[0:2, 0:3, 0:3] = True  # touches three borders
    voxels[1:3, 4, 4] = True  # a second component within the first one's ring
    ring = region(voxels, "ring_3mm_volume")
    assert not (ring & voxels).any()
    breast = np.zeros_like(voxels)
    breast[:, :, :4] = True
    inside = region(voxels, "ring_3mm_volume", breast=breast)
    np.testing.assert_array_equal(inside, ring & breast)
    assert inside.any()


def test_slice_ring_leaves_out_the_tumour_of_its_slice_only():
    voxels = np.zeros((4, 12, 12), bool)
    voxels[1, 4:8, 4:8] = True
    voxels[2, 4:7, 4:7] = True
    ring = region(voxels, "ring_2mm_slice")
    assert ring[1].any()
    assert not ring[[0, 2, 3]].any()


@pytest.mark.parametrize("name", ["tumour_volume", "ring_3mm_volume"])
def test_one_slice_is_no_volume(name):
    voxels = np.zeros((4, 12, 12), bool)
    voxels[2, 4:8, 4:8] = True
    with pytest.raises(CaseError, match="a mask of one slice \\(index 2\\)"):
        region(voxels, name)
    assert region(voxels, "tumour_slice").sum() == 16


def test_no_room_for_a_ring():
    voxels = np.zeros((3, 6, 6), bool)
    voxels[1:, 2:4, 2:4] = True
    with pytest.raises(CaseError, match="no voxel of image and breast"):
        region(voxels, "ring_3mm_volume", breast=voxels)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.floats(0.4, 4.0)] * 3), st.floats(0.5, 6.0))
def test_ring_equals_brute_force(seed, spacing, radius):
    generator = np.random.default_rng(seed)
    voxels = generator.random((5, 8, 9)) < 0.04
    voxels[1:3, 4, 5] = True
    name = f"ring_{radius:.3f}mm_volume"
    places = np.argwhere(np.ones_like(voxels)) * np.array(spacing[::-1])
    tumour = np.argwhere(voxels) * np.array(spacing[::-1])
    distance = np.sqrt(((places[:, None] - tumour[None]) ** 2).sum(axis=2)).min(axis=1).reshape(voxels.shape)
    expected = (distance <= float(f"{radius:.3f}") + 1e-4) & ~voxels
    if not expected.any():
        with pytest.raises(CaseError):
            region(voxels, name, spacing)
    else:
        np.testing.assert_array_equal(region(voxels, name, spacing), expected)


def level_image(voxels: np.ndarray, origin, spacing, direction=None) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(direction)
    return image


def cone(slices: int, largest: int) -> np.ndarray:
    """A tumour on slices 2 to the last but two, with its largest area on one of them."""
    voxels = np.zeros((slices, 12, 12), bool)
    for z in range(2, slices - 2):
        side = 8 - abs(z - largest) if abs(z - largest) < 6 else 2
        voxels[z, 2 : 2 + side, 2 : 2 + side] = True
    return voxels


def test_the_slice_at_another_sequence_s_level_by_hand():
    """1.2 mm slices from z = 0: the largest, index 20, lies at 24 mm. 4 mm slices from z = 5: index (24 - 5) / 4 = 4.75."""
    dynamic = level_image(cone(30, 20), (0, 0, 0), (1, 1, 1.2))
    t2 = level_image(cone(12, 7), (-1, 2, 5), (0.8, 0.8, 4.0))
    assert level_of(t2, dynamic) == (5, "")
    made = sitk.GetArrayFromImage(make_region(t2, "tumour_slice", level=5)).any(axis=(1, 2))
    assert np.flatnonzero(made).tolist() == [5]
    ring = sitk.GetArrayFromImage(make_region(t2, "ring_3mm_slice", level=5)).any(axis=(1, 2))
    assert np.flatnonzero(ring).tolist() == [5]
    assert np.flatnonzero(sitk.GetArrayFromImage(make_region(t2, "tumour_slice")).any(axis=(1, 2))).tolist() == [7]
    # stacked from the other end: the same slice by its position, (4.75 − 11) × −1 counted from the other end
    flipped = level_image(cone(12, 7)[::-1], (-1, 2, 5 + 44), (0.8, 0.8, 4.0), (1, 0, 0, 0, -1, 0, 0, 0, -1))
    assert level_of(flipped, dynamic)[0] == 11 - 5


def test_a_level_without_an_outline_is_said():
    dynamic = level_image(cone(30, 20), (0, 0, 0), (1, 1, 1.2))
    t2 = level_image(cone(12, 7), (0, 0, -30), (0.8, 0.8, 4.0))  # outlined from −22 to 6 mm, asked for at 24 mm
    index, note = level_of(t2, dynamic)
    assert index == 9 and note == "the nearest outlined slice lies 18.0 mm from the level asked for"


def test_slices_that_are_not_parallel_have_no_common_level():
    axial = level_image(cone(12, 7), (0, 0, 0), (1, 1, 4))
    sagittal = level_image(cone(12, 7), (0, 0, 0), (1, 1, 4), (0, 0, 1, 1, 0, 0, 0, 1, 0))
    with pytest.raises(CaseError, match="slices that are not parallel"):
        level_of(axial, sagittal)
