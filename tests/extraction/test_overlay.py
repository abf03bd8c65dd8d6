"""Quality-control overlays: what is drawn where, size, and the same bytes twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from her2radiomics.extraction import draw_overlay
from her2radiomics.extraction.loading import load_case
from her2radiomics.extraction.overlay import FIRST_COLOUR, HEADER, LARGEST_FILE, LAYERS, OTHER_COLOUR, RING_COLOUR

IDENTITY = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def make_rows(folder: Path, direction=IDENTITY, readers=("1", "2")) -> list[dict[str, str]]:
    """A noisy volume, dark but for a bright quarter at low x and y, with a box as tumour there."""
    generator = np.random.default_rng(3)
    voxels = generator.normal(60, 15, (14, 80, 100))
    voxels[:, :40, :50] += 150
    image = sitk.GetImageFromArray(voxels.astype(np.int16))
    image.SetSpacing((0.9, 0.9, 3.0))
    image.SetDirection(direction)
    sitk.WriteImage(image, str(folder / "image.nii.gz"))
    rows = []
    for reader in readers:
        mask = np.zeros(voxels.shape, np.uint8)
        mask[4:9, 12:24, 16 + int(reader) : 30] = 1
        mask[6, 11:25, 16:32] = 1
        label = sitk.GetImageFromArray(mask)
        label.CopyInformation(image)
        sitk.WriteImage(label, str(folder / f"mask{reader}.nii.gz"))
        row = {"patient_id": "P1", "sequence": "DCE2", "reader": reader, "region": "tumour", "mask_label": ""}
        rows.append({**row, "image": str(folder / "image.nii.gz"), "mask": str(folder / f"mask{reader}.nii.gz")})
    return rows


def colours(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def drawn(path: Path, colour: tuple[int, int, int]) -> int:
    return int((colours(path)[HEADER:] == colour).all(axis=2).sum())


def test_small_deterministic_and_in_the_readers_colours(tmp_path):
    rows = make_rows(tmp_path)
    regions = ["tumour_volume", "ring_3mm_volume"]
    draw_overlay(rows, regions, tmp_path / "a.png")
    draw_overlay(rows, regions, tmp_path / "b.png", case=load_case(rows))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_size < LARGEST_FILE
    assert all(drawn(tmp_path / "a.png", colour) > 100 for colour in (FIRST_COLOUR, OTHER_COLOUR, RING_COLOUR))
    draw_overlay(rows[:1], ["tumour_volume"], tmp_path / "one.png")
    assert drawn(tmp_path / "one.png", FIRST_COLOUR) > 100
    assert drawn(tmp_path / "one.png", OTHER_COLOUR) == drawn(tmp_path / "one.png", RING_COLOUR) == 0


def test_the_image_below_the_outlines_is_kept(tmp_path):
    """The main slice without outlines is the same whoever outlined it; places name the slices: largest is the 7th of 14."""
    rows = make_rows(tmp_path)
    draw_overlay(rows, ["ring_3mm_volume"], tmp_path / "two.png")
    draw_overlay(rows[:1], ["tumour_volume"], tmp_path / "one.png")
    below = []
    for name, outlines in (("two", {1, 3}), ("one", {1})):  # there both readers outlined the same
        picture = Image.open(tmp_path / f"{name}.png")
        layers = json.loads(picture.info[LAYERS])
        number, left, top, wide, high = layers["slices"][0]
        assert (number, left, top, layers["of"]) == (7, 0, HEADER, 14)
        main = np.asarray(picture)[top : top + high, left : left + wide]
        assert set(np.unique(main // layers["greys"])) == {0, *outlines}
        below.append(main % layers["greys"] / layers["greys"])
        numbers = [place[0] for place in layers["slices"][1:]]
        assert numbers == sorted(numbers) and set(range(5, 10)) & set(numbers)
        assert all(x + w <= picture.width and y + h <= picture.height for _, x, y, w, h in layers["slices"])
    # to a step of the coarser scale: the more outlines, the fewer greys fit into the file
    assert np.abs(below[0] - below[1]).max() <= 1 / 16
    assert np.corrcoef(below[0].ravel(), below[1].ravel())[0, 1] > 0.999


def test_mosaic_reaches_the_ring_above_the_tumour(tmp_path):
    """Tumour in slices 4 to 8 of 3 mm: the ring of 3 mm fills 3 to 9, and the first magnified slice is slice 3."""
    rows = make_rows(tmp_path, readers=("1",))
    tile = (slice(HEADER, HEADER + 119), slice(302, 421))  # right of the main slice of 300 pixels
    for regions, ring in ((["ring_3mm_volume"], True), (["ring_3mm_slice"], False)):
        draw_overlay(rows, regions, tmp_path / "overlay.png")
        first = colours(tmp_path / "overlay.png")[tile]
        assert (first == RING_COLOUR).all(axis=2).any() == ring
        assert (first == FIRST_COLOUR).all(axis=2).any() != ring


def test_simulated_images_are_marked(tmp_path):
    rows = make_rows(tmp_path)
    draw_overlay(rows, ["tumour_slice"], tmp_path / "real.png")
    draw_overlay(rows, ["tumour_slice"], tmp_path / "simulated.png", simulated=True)
    real, simulated = colours(tmp_path / "real.png"), colours(tmp_path / "simulated.png")
    assert (real[:HEADER] != simulated[:HEADER]).any()
    np.testing.assert_array_equal(real[HEADER:], simulated[HEADER:])


@pytest.mark.parametrize(
    ("direction", "corner"),
    [
        # image axes in the patient's left, posterior, superior frame; the bright quarter is at low x and y
        (IDENTITY, "upper left"),  # axial: low x is right, shown left; low y is anterior, shown above
        ((-1, 0, 0, 0, -1, 0, 0, 0, 1), "lower right"),  # stored from left to right and back to front
        ((0, 0, 1, 1, 0, 0, 0, -1, 0), "upper left"),  # sagittal: x runs back, y runs down
        ((0, 0, 1, 1, 0, 0, 0, 1, 0), "lower left"),  # sagittal stored upside down: low y is inferior
    ],
)
def test_orientation_as_radiologists_expect(tmp_path, direction, corner):
    draw_overlay(make_rows(tmp_path, direction), ["tumour_slice"], tmp_path / "overlay.png")
    main = colours(tmp_path / "overlay.png")[HEADER : HEADER + 240, :300].mean(axis=2)
    quarters = {
        f"{vertical} {side}": main[rows, columns].mean()
        for vertical, rows in (("upper", slice(0, 100)), ("lower", slice(140, 240)))
        for side, columns in (("left", slice(0, 120)), ("right", slice(180, 300)))
    }
    assert max(quarters, key=quarters.__getitem__) == corner


def test_a_case_that_cannot_be_read_shows_the_reason(tmp_path):
    rows = make_rows(tmp_path)
    Path(rows[0]["image"]).write_bytes(b"")
    draw_overlay(rows, ["tumour_slice"], tmp_path / "overlay.png")
    assert colours(tmp_path / "overlay.png").max() > 150


def test_one_reader_s_failure_leaves_the_other_s_outline(tmp_path):
    rows = make_rows(tmp_path)
    Path(rows[0]["mask"]).write_bytes(b"")
    draw_overlay(rows, ["tumour_volume", "ring_3mm_volume"], tmp_path / "overlay.png")
    assert drawn(tmp_path / "overlay.png", FIRST_COLOUR) > 100


def test_one_slice_lesion(tmp_path):
    rows = make_rows(tmp_path, readers=("1",))
    image = sitk.ReadImage(rows[0]["mask"])
    voxels = sitk.GetArrayFromImage(image)
    voxels[:6] = voxels[7:] = 0
    flat = sitk.GetImageFromArray(voxels)
    flat.CopyInformation(image)
    sitk.WriteImage(flat, rows[0]["mask"])
    draw_overlay(rows, ["tumour_slice", "ring_3mm_slice"], tmp_path / "overlay.png")
    assert drawn(tmp_path / "overlay.png", RING_COLOUR) > 50
