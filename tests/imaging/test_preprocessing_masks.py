"""A mask on another grid than its image's: resampled by physical coordinates, told of, and never by tolerance."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from her2radiomics.core.errors import CaseError
from her2radiomics.extraction import draw_overlay, extract_case, extract_features
from her2radiomics.extraction.__main__ import main
from her2radiomics.extraction.loading import load_case
from her2radiomics.imaging import read_mask, read_mask_onto
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.imaging.reading import place_mask

ON = Preprocessing(resample_mask=True)
SMALL = "setting: {binWidth: 25}\nimageType: {Original: {}}\nfeatureClass: {shape: [VoxelVolume], firstorder: [Mean]}\n"
CENTRE, RADIUS = np.array([10.0, 12.0, 8.0]), 6.0  # mm: a ball of 0.905 ml


def grid(size, spacing, origin=(0.0, 0.0, 0.0), turn=0.0) -> sitk.Image:
    """An empty grid, turned about the patient's z axis by so many degrees."""
    image = sitk.Image(list(size), sitk.sitkUInt8)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    image.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))
    return image


def ball(like: sitk.Image, centre=CENTRE, value=1) -> sitk.Image:
    """The voxels whose centre lies within the ball."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in like.GetSize()), indexing="ij"), -1)
    axes = np.reshape(like.GetDirection(), (3, 3)) * like.GetSpacing()
    inside = np.linalg.norm(index @ axes.T + like.GetOrigin() - centre, axis=-1) <= RADIUS
    mask = sitk.GetImageFromArray((value * inside.transpose(2, 1, 0)).astype(np.uint8))
    mask.CopyInformation(like)
    return mask


def volume(mask: sitk.Image) -> float:
    return float(sitk.GetArrayFromImage(mask).astype(bool).sum() * np.prod(mask.GetSpacing()) / 1000)


DRAWN = grid((24, 26, 20), (0.9, 0.9, 0.9), (-0.3, 0.2, -0.4))


@pytest.mark.parametrize(
    "target",
    [
        grid((50, 60, 40), (0.45, 0.4, 0.4)),
        grid((40, 40, 20), (0.8, 0.8, 0.8), (-4.0, -2.0, 0.0), turn=-25),
        grid((22, 24, 8), (1.0, 1.0, 2.0)),
    ],
    ids=["finer", "oblique", "thick slices"],
)
def test_the_ball_stays_where_it_was_and_as_large(target):
    """Volume within 5 % of the drawn one; every voxel of the ball less the grids' half diagonals is there, none beyond."""
    moved, note = place_mask(ball(DRAWN), target, resample=True)
    assert (moved.GetSize(), moved.GetSpacing()) == (target.GetSize(), target.GetSpacing())
    assert volume(moved) == pytest.approx(volume(ball(DRAWN)), rel=0.05)
    places = np.array(
        [
            moved.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
            for index in np.argwhere(sitk.GetArrayFromImage(moved))
        ]
    )
    half_diagonal = 0.9 * np.sqrt(3) / 2
    assert np.linalg.norm(places - CENTRE, axis=1).max() <= RADIUS + half_diagonal
    core = np.linalg.norm(_centres(target) - CENTRE, axis=1) <= RADIUS - half_diagonal
    assert sitk.GetArrayFromImage(moved).transpose(2, 1, 0).reshape(-1)[core].all()
    for words in ("24×26×20 voxels of 0.9×0.9×0.9 mm", "nearest neighbour", " ml before, ", " ml after"):
        assert words in note
    assert "look at the overlay" not in note and "are lost" not in note


def _centres(image: sitk.Image) -> np.ndarray:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in image.GetSize()), indexing="ij"), -1).reshape(-1, 3)
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return index @ axes.T + image.GetOrigin()


def test_a_mask_on_the_image_s_grid_is_left_alone(tmp_path):
    sitk.WriteImage(ball(DRAWN, value=255), str(tmp_path / "mask.nii.gz"))
    onto, note = read_mask_onto(tmp_path / "mask.nii.gz", DRAWN)
    strict = read_mask(tmp_path / "mask.nii.gz", DRAWN)
    assert note == ""
    np.testing.assert_array_equal(sitk.GetArrayFromImage(onto), sitk.GetArrayFromImage(strict))


def test_a_millimetre_of_origin_is_resampling_not_tolerance():
    shifted = grid((24, 26, 20), (0.9, 0.9, 0.9), (-0.3, 0.2, -0.4 + 2e-4))
    _, note = place_mask(ball(DRAWN), shifted, resample=True)
    assert note.startswith("mask resampled")


def test_what_is_lost_at_the_border_is_counted():
    """Half of the ball lies before the image's first slice: its voxels by count, its volume in words."""
    target = grid((50, 60, 20), (0.45, 0.4, 0.9), (0.0, 0.0, 8.05))
    drawn = ball(DRAWN)
    places = _centres(DRAWN)[sitk.GetArrayFromImage(drawn).transpose(2, 1, 0).reshape(-1) > 0]
    lost = int((places[:, 2] < 8.05 - 0.45).sum())
    _, note = place_mask(drawn, target, resample=True)
    assert lost > 100
    assert f"{lost} of {len(places)} mask voxels lie outside the image and are lost" in note
    assert "%, look at the overlay" in note


def test_no_overlap_is_an_error():
    far = grid((24, 26, 20), (0.9, 0.9, 0.9), (200.0, 0.0, 0.0))
    with pytest.raises(CaseError, match="lies wholly outside the image"):
        place_mask(ball(DRAWN), far, resample=True)


def test_a_lesion_smaller_than_the_image_s_voxels_is_an_error():
    coarse = grid((6, 6, 6), (12.0, 12.0, 12.0), (-20.0, -20.0, -22.0))
    with pytest.raises(CaseError, match="after resampling the mask"):
        place_mask(ball(DRAWN), coarse, resample=True)


@pytest.fixture
def case(tmp_path):
    """Reader 1 drew on another grid, reader 2 on the image's."""
    image = grid((40, 44, 16), (0.6, 0.6, 1.2))
    voxels = np.random.default_rng(2).normal(400, 60, (16, 44, 40)).astype(np.float32)
    picture = sitk.GetImageFromArray(voxels)
    picture.CopyInformation(image)
    sitk.WriteImage(picture, str(tmp_path / "image.nii.gz"))
    sitk.WriteImage(ball(DRAWN), str(tmp_path / "mask1.nii.gz"))
    sitk.WriteImage(ball(image), str(tmp_path / "mask2.nii.gz"))
    (tmp_path / "small.yaml").write_text(SMALL)
    row = {"patient_id": "P3", "sequence": "DCE2", "region": "tumour", "mask_label": ""}
    image_path = str(tmp_path / "image.nii.gz")
    return [row | {"reader": str(n), "image": image_path, "mask": str(tmp_path / f"mask{n}.nii.gz")} for n in (1, 2)]


def test_without_the_option_it_is_refused_and_the_advice_names_it(case, tmp_path):
    result = extract_case(case, regions=["tumour_volume"], parameters=tmp_path / "small.yaml")
    assert [row["status"] for row in result.qc] == ["failed", "extracted"]
    assert "preprocessing: resample_mask" in result.qc[0]["reason"]


def test_with_the_option_it_is_extracted_warned_of_and_drawn(case, tmp_path):
    result = extract_case(
        case, regions=["tumour_volume"], parameters=tmp_path / "small.yaml", preprocessing=ON, root=tmp_path
    )
    assert [row["status"] for row in result.qc] == ["warned", "extracted"]
    assert result.qc[0]["reason"].startswith("mask resampled from 24×26×20 voxels")
    assert (result.qc[0]["image"], result.qc[0]["mask"]) == ("image.nii.gz", "mask1.nii.gz")
    # two drawings of one ball, on two grids
    assert result.qc[1]["dice"] > 0.9
    assert result.qc[0]["volume_ml"] == pytest.approx(result.qc[1]["volume_ml"], rel=0.05)
    assert result.case.resampled == ["1"]
    plain = load_case(case[1:])
    for name, loaded in (("resampled", result.case), ("plain", plain)):
        draw_overlay(case, ["tumour_volume"], tmp_path / f"{name}.png", case=loaded)
    # one line of text more in the header, in which the words stand
    heights = [Image.open(tmp_path / f"{name}.png").height for name in ("resampled", "plain")]
    assert heights[0] == heights[1] + 15
    strip = np.asarray(Image.open(tmp_path / "resampled.png").convert("L"))[17:31, :200]
    assert (strip > 150).sum() > 100


def test_a_resampled_breast_mask_is_every_reader_s_warning(case, tmp_path):
    breast = grid((30, 30, 20), (1.2, 1.2, 1.2), (-5.0, -5.0, -5.0))
    voxels = np.ones((20, 30, 30), np.uint8)
    voxels[:, :, 24:] = 0
    mask = sitk.GetImageFromArray(voxels)
    mask.CopyInformation(breast)
    sitk.WriteImage(mask, str(tmp_path / "breast.nii.gz"))
    rows = [*case, case[0] | {"region": "breast", "mask": str(tmp_path / "breast.nii.gz")}]
    result = extract_case(rows, regions=["ring_3mm_volume"], parameters=_rings(tmp_path), preprocessing=ON)
    assert all("breast mask resampled" in row["reason"] for row in result.qc)


def _rings(folder):
    path = folder / "rings.yaml"
    path.write_text(SMALL.replace("shape: [VoxelVolume], ", ""))
    return path


def test_the_public_function_and_the_command_line_tell_of_it(case, tmp_path, capsys):
    image, mask, parameters = case[0]["image"], case[0]["mask"], tmp_path / "small.yaml"
    with pytest.warns(UserWarning, match="tumour: mask resampled from"):
        table = extract_features(image, {"tumour": mask}, parameters, {"resample_mask": True})
    with pytest.warns(UserWarning, match="mask resampled from"):
        in_memory = extract_features(
            sitk.ReadImage(image), {"tumour": sitk.ReadImage(mask)}, parameters, {"resample_mask": True}
        )
    assert table.equals(in_memory)
    (tmp_path / "asked.yaml").write_text("resample_mask: true\n")
    assert main([image, mask, str(parameters), "--preprocessing", str(tmp_path / "asked.yaml")]) == 0
    printed = capsys.readouterr()
    assert "warning: mask resampled from" in printed.err
    assert float(printed.out.splitlines()[1].split(",")[2]) == table["original_firstorder_Mean"].iloc[0]
    assert main([image, mask, str(parameters)]) == 1


def test_a_real_breast_mask_of_fewer_slices(real_data, tmp_path):
    """The collection's tissue SEG covers 42 of the 60 slices on the same lattice, 9 slices in: no voxel moves."""
    folder = real_data / "breast_mri_nact_pilot"
    image = sitk.ReadImage(str(folder / "mama_mia_layout/images/NACT_06/nact_06_0001.nii.gz"))
    segmentation = sitk.ReadImage(str(folder / "dicom/UCSF-BR-06/mask/1-1.dcm"))
    sitk.WriteImage(segmentation, str(tmp_path / "tissue.nii.gz"))
    with pytest.raises(CaseError, match="a mask of size 256×256×42"):
        read_mask(tmp_path / "tissue.nii.gz", image)
    moved, note = read_mask_onto(tmp_path / "tissue.nii.gz", image)
    expected = np.zeros((60, 256, 256), bool)
    expected[9:51] = sitk.GetArrayFromImage(segmentation) > 0
    np.testing.assert_array_equal(sitk.GetArrayFromImage(moved) > 0, expected)
    assert "256×256×42 voxels" in note and "are lost" not in note


def test_the_figure_of_sequences_outlines_a_resampled_mask(tmp_path):
    """The example's mask on a grid of 1.3 mm: refused as it is, outlined where the protocol resamples it."""
    import dataclasses

    from figure_inputs import make_inputs, settings

    from her2radiomics.manuscript.figures import draw

    inputs = make_inputs(tmp_path, images=True)
    example = inputs.images[0]
    (reader, path) = next(iter(example.masks.items()))
    drawn = sitk.ReadImage(str(path))
    size = [max(1, round(n * s / 1.3)) for n, s in zip(drawn.GetSize()[:2], drawn.GetSpacing(), strict=False)]
    spacing = (1.3, 1.3, drawn.GetSpacing()[2])
    coarse = sitk.Resample(
        drawn, [*size, drawn.GetSize()[2]], sitk.Transform(), sitk.sitkNearestNeighbor,
        drawn.GetOrigin(), spacing, drawn.GetDirection(), 0,
    )  # fmt: skip
    sitk.WriteImage(coarse, str(tmp_path / "coarse.nii.gz"))
    elsewhere = example.model_copy(update={"masks": {reader: tmp_path / "coarse.nii.gz"}})
    with pytest.raises(CaseError, match="resample_mask"):
        draw(settings("sequences"), dataclasses.replace(inputs, images=[elsewhere]))
    resampled = elsewhere.model_copy(update={"resample_mask": True})
    data = draw(settings("sequences"), dataclasses.replace(inputs, images=[resampled])).data
    # the ellipse of 24 × 20 mm that the example's reader drew
    assert data["tumour_area_mm2"].to_numpy() == pytest.approx(np.pi * 120, rel=0.1)
