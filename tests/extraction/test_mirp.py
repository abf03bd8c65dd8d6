"""mirp as an independent implementation: every feature of IBSI-1 that we extract, on phantom, made and real images.

mirp (Zwanenburg et al., J Open Source Softw 9 (2024) 6413) was written by the IBSI's own authors and shares no code
with PyRadiomics. Its ``fixed_bin_size_pyradiomics`` sets the bins as PyRadiomics does; approximations are off.

Tolerance: 1e-6 relative, and for skewness 1e-6 absolute, since mirp computes intensity statistics in single
precision. Meshes of ragged regions differ where marching cubes may cut a cube in two ways: up to 0.6 %, which is
IBSI-1's own tolerance for these features on the phantom (0.6 to 0.8 %).
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import SimpleITK as sitk
from breast_volume import breast_like

from her2radiomics.extraction import extract_features, read_parameters
from her2radiomics.extraction.ibsi import aggregation, definitions, standings
from her2radiomics.imaging import read_image, read_mask

mirp = pytest.importorskip("mirp", reason="needs mirp: pip install -r requirements.oracle.lock")

SETTINGS = """
setting: {{binWidth: {width}{more}}}
imageType: {{Original: {{}}}}
featureClass: {{{shape}firstorder: [], glcm: [], glrlm: [], glszm: [], gldm: [], ngtdm: []}}
"""
FAMILIES = ["morphological", "statistics", "intensity_histogram", "cm", "rlm", "szm", "ngtdm", "ngldm"]
# IBSI-1's aggregation code: mirp's name of the method, and what it adds to the names of features
METHODS = {
    "ITBB": ("3d_average", "_3d_avg"),
    "JJUI": ("2.5d_direction_merge", "_2.5d_d_mrg"),
    "KOBO": ("3d", "_3d"),
    "62GR": ("2.5d", "_2.5d"),
}
# feature: why mirp's value differs, as extraction/ibsi.csv says
DIFFERENT = {
    "original_shape_MajorAxisLength": "covariance by n, not n - 1",
    "original_shape_MinorAxisLength": "covariance by n, not n - 1",
    "original_shape_LeastAxisLength": "covariance by n, not n - 1",
    "original_firstorder_Kurtosis": "not in excess of 3",
}
MESH = {f"original_shape_{name}" for name in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")}
MESH_TOLERANCE = 0.006
NGTDM = {f"original_ngtdm_{name}" for name in ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")}
NOT_IN_MIRP = {
    "original_shape_Maximum2DDiameterColumn",  # within the planes of the grid
    "original_shape_Maximum2DDiameterRow",
    "original_shape_Maximum2DDiameterSlice",
    "original_firstorder_TotalEnergy",  # energy times voxel volume
    "original_glcm_MCC",  # maximal correlation coefficient
}


def cropped(image: sitk.Image, mask: sitk.Image, folder: Path) -> tuple[str, str]:
    """The region with a margin of two voxels, as files: mirp is slow on whole volumes."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    box = shape.GetBoundingBox(1)
    low = [max(0, start - 2) for start in box[:3]]
    ends = [min(size, start + length + 2) for size, start, length in zip(image.GetSize(), box, box[3:], strict=False)]
    size = [end - start for end, start in zip(ends, low, strict=True)]
    paths = str(folder / "image.nii.gz"), str(folder / "mask.nii.gz")
    for whole, path in zip((image, mask), paths, strict=True):
        sitk.WriteImage(sitk.RegionOfInterest(whole, size, low), path)
    return paths


def both(image: sitk.Image, mask: sitk.Image, width: float, folder: Path, *, flat: bool = False):
    """Our values and mirp's, by PyRadiomics' feature name; mirp's only where its definition is IBSI-1's."""
    paths = cropped(image, mask, folder)
    file = folder / "parameters.yaml"
    more, shape = (", force2D: true", "") if flat else ("", "shape: [], ")
    file.write_text(SETTINGS.format(width=width, more=more, shape=shape), encoding="utf-8")
    parameters = read_parameters(file)
    ours = extract_features(paths[0], {"region": paths[1]}, file).loc["region"].to_dict()
    directions, zones = (METHODS[code] for code in aggregation(parameters.settings))
    table = mirp.extract_features(
        image=paths[0],
        mask=paths[1],
        base_feature_families=FAMILIES,
        base_discretisation_method="fixed_bin_size_pyradiomics",
        base_discretisation_bin_width=float(width),
        ibsi_compliant=False,  # bins as PyRadiomics sets them
        no_approximation=True,
        glcm_spatial_method=directions[0],
        glrlm_spatial_method=directions[0],
        glszm_spatial_method=zones[0],
        ngtdm_spatial_method=zones[0],
        ngldm_spatial_method=zones[0],
    )[0]
    values = {name.removesuffix(f"_fbsp_w{float(width)}"): value for name, value in table.iloc[0].items()}
    endings = {"glcm": f"_d1{directions[1]}", "glrlm": directions[1], "gldm": f"_d1_a0.0{zones[1]}"}
    endings |= dict.fromkeys(("glszm", "ngtdm"), zones[1])
    theirs = {
        item.feature: float(values[definitions()[item.kind, item.name].tag + endings.get(item.kind, "")])
        for item in standings(parameters)
        if item.status != "absent"
    }
    return ours, theirs


def differing(ours, theirs, tolerance: float = 1e-6) -> set[str]:
    """Features whose values are further apart than the tolerance."""
    return {
        name
        for name, value in theirs.items()
        if not math.isclose(ours[name], value, rel_tol=tolerance, abs_tol=1e-6 if name.endswith("Skewness") else 0.0)
    }


def converted(ours, voxels: int) -> dict[str, float]:
    """Our values after the conversions that ``extraction/ibsi.csv`` states."""
    lengths = {name: value * math.sqrt(voxels / (voxels - 1)) for name, value in ours.items() if "AxisLength" in name}
    return {**ours, **lengths, "original_firstorder_Kurtosis": ours["original_firstorder_Kurtosis"] - 3}


def check(image: sitk.Image, mask: sitk.Image, width: float, folder: Path, loose=frozenset()) -> None:
    """All 107 features; those of ``loose`` differ for a reason that the test names."""
    ours, theirs = both(image, mask, width, folder)
    assert len(ours) == 107 and len(theirs) == 102
    assert set(ours) - set(theirs) == NOT_IN_MIRP
    assert differing(ours, theirs) == set(DIFFERENT) | loose
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    same = converted(ours, shape.GetNumberOfPixels(1))
    assert differing(same, theirs) == loose
    assert not differing(same, theirs, MESH_TOLERANCE) & MESH


def without_specks(mask: sitk.Image) -> sitk.Image:
    """The mask without voxels that touch no other, not even by a corner."""
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(mask, True), minimumObjectSize=2)
    return sitk.Cast(parts > 0, sitk.sitkUInt8)


@pytest.mark.real
def test_digital_phantom(real_data, tmp_path):
    folder = real_data / "ibsi_digital_phantom" / "nifti"
    if not folder.is_dir():
        pytest.skip("the IBSI digital phantom is not among the real data")
    image = read_image(folder / "image" / "phantom.nii.gz")
    check(image, read_mask(folder / "mask" / "mask.nii.gz", image), 1, tmp_path)


def test_made_volume(tmp_path):
    image, mask = breast_like(6, shape=(9, 30, 33))
    check(image, without_specks(mask), 25, tmp_path, MESH)


def test_voxels_without_a_neighbour_in_the_region(tmp_path):
    """PyRadiomics counts them in the NGTDM, IBSI-1 does not: the one thing in which these definitions differ."""
    image, mask = breast_like(6, shape=(9, 30, 33))
    specks = mask != without_specks(mask)
    assert sitk.GetArrayViewFromImage(specks).sum() == 2
    check(image, mask, 25, tmp_path, MESH | NGTDM)
    assert all("without a neighbour" in definitions()["ngtdm", name.rsplit("_", 1)[1]].why for name in NGTDM)


def test_made_slices_in_the_plane(tmp_path):
    """``force2D`` is IBSI-1's aggregation in 2.5-D, averaged over directions."""
    image, mask = breast_like(7, shape=(7, 24, 26))
    ours, theirs = both(image, mask, 25, tmp_path, flat=True)
    assert len(theirs) == 91
    assert differing(ours, theirs) == {"original_firstorder_Kurtosis"}


@pytest.mark.real
@pytest.mark.parametrize(("case", "loose"), [("breast1", frozenset()), ("brain1", MESH)])
def test_real_images(real_data, tmp_path, case, loose):
    folder = real_data / "pyradiomics_testcases"
    if not folder.is_dir():
        pytest.skip("PyRadiomics' test cases are not among the real data")
    image = read_image(folder / f"{case}_image.nrrd")
    mask = read_mask(folder / f"{case}_label.nrrd", image)
    check(image, mask, 25, tmp_path, loose)


def test_codes_are_those_that_mirp_gives():
    import inspect
    from importlib import import_module

    found = {}
    for module in ("cm", "ih", "morph_3d", "ngldm", "ngtdm", "rlm", "stat", "szm"):
        room = import_module(f"mirp._features.{module}_features")
        for _, kind in inspect.getmembers(room, inspect.isclass):
            if kind.__module__ == room.__name__:
                found |= codes_of(kind)
    found["cm_sum_entr"] = found["cm_sum_entr"][:4]  # mirp 2.5 prints a fifth character
    for item in definitions().values():
        if item.code and item.tag not in ("stat_p10", "stat_p90"):  # made with the percentile as argument
            assert found[item.tag] == item.code, item.tag


def codes_of(kind) -> dict[str, str]:
    """Tag to code as the source of a feature class states them."""
    import inspect
    import re

    text = inspect.getsource(kind)
    tag, code = (re.search(rf'self\.{name} = "([^"]+)"', text) for name in ("abbr_name", "ibsi_id"))
    return {tag[1]: code[1]} if tag and code else {}
