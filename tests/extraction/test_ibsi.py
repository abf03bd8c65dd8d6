"""The IBSI-1 digital phantom: consensus values of every feature that PyRadiomics defines as IBSI-1 does.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328-338;
reference values of the digital phantom. They are printed to three significant digits: tolerance half of the
third, or the consensus' own where it gives one.
"""

from __future__ import annotations

import csv
import dataclasses
import math
import os
from pathlib import Path

import pytest

from her2radiomics.extraction import extract_features, read_parameters
from her2radiomics.extraction.ibsi import aggregation, counts, definitions, standings

PHANTOM = Path(os.environ.get("HER2RADIOMICS_DATA", "")) / "ibsi_digital_phantom"
FILES = Path(__file__).parents[2] / "workflow" / "extraction"
SETTINGS = """
setting: {{binWidth: 1{more}}}
imageType: {{Original: {{}}}}
featureClass: {{{shape}firstorder: [], glcm: [], glrlm: [], glszm: [], gldm: [], ngtdm: []}}
"""
# every 3-D shape feature, those that PyRadiomics computes when named alone included
SHAPE = (
    "shape: [Compactness1, Compactness2, Elongation, Flatness, LeastAxisLength, MajorAxisLength, "
    "Maximum2DDiameterColumn, Maximum2DDiameterRow, Maximum2DDiameterSlice, Maximum3DDiameter, MeshVolume, "
    "MinorAxisLength, SphericalDisproportion, Sphericity, SurfaceArea, SurfaceVolumeRatio, VoxelVolume], "
)
VOXELS = 74  # of the phantom's region
# IBSI-1's aggregation code: the ending of its tags in the table of reference values
ENDINGS = {"ITBB": "_3D_avg", "KOBO": "_3D", "JJUI": "_2_5D_avg", "62GR": "_2_5D"}


def convert(name: str, value: float) -> float:
    """PyRadiomics' value as IBSI-1 defines it, as ``ibsi.csv`` states."""
    if name == "Kurtosis":
        return value - 3
    assert name.endswith("AxisLength")
    return value * math.sqrt(VOXELS / (VOXELS - 1))


@pytest.mark.real
@pytest.mark.parametrize(("more", "shape"), [("", SHAPE), (", force2D: true", "")], ids=["3-D", "2.5-D"])
def test_consensus_values(tmp_path, more, shape):
    if not PHANTOM.is_dir():
        pytest.skip("the IBSI digital phantom named by HER2RADIOMICS_DATA is not here")
    with (PHANTOM / "ibsi_1_dig_phantom.csv").open(encoding="utf-8") as stream:
        rows = {row["tag"]: row for row in csv.DictReader(stream, delimiter=";")}
    file = tmp_path / "ibsi.yaml"
    file.write_text(SETTINGS.format(more=more, shape=shape), encoding="utf-8")
    parameters = read_parameters(file)
    image, mask = PHANTOM / "nifti" / "image" / "phantom.nii.gz", PHANTOM / "nifti" / "mask" / "mask.nii.gz"
    found = extract_features(image, {"phantom": mask}, file).loc["phantom"]
    directions, zones = aggregation(parameters.settings)
    endings = {"glcm": ENDINGS[directions], "glrlm": ENDINGS[directions]}
    endings |= dict.fromkeys(("glszm", "gldm", "ngtdm"), ENDINGS[zones])
    compared = 0
    for item in standings(parameters):
        if item.status == "absent":
            continue
        tag = definitions()[item.kind, item.name].tag + endings.get(item.kind, "")
        expected = float(rows[tag]["reference value"])
        digits = math.floor(math.log10(abs(expected))) - 2
        tolerance = max(float(rows[tag]["tolerance"]), 0.5 * 10**digits)
        value = found[item.feature]
        value = convert(item.name, value) if item.status == "converted" else value
        # a value in the middle of two printed ones may be rounded either way
        assert value == pytest.approx(expected, abs=tolerance * (1 + 1e-9), rel=0), (item.feature, tag)
        compared += 1
    assert compared == (105 if shape else 91)
    assert len(found) - compared == (5 if shape else 2)  # absent from IBSI-1


LINEAR = {"interpolator": "linear", "mask": "linear"}
LUNG = {"low": -1000, "high": 400}
CONFIGURATIONS = {
    "A": ("binWidth: 25, force2D: true", {"resegment": {"low": -500, "high": 400, "bins_from_low": True}}),
    "B": (
        "binCount: 32, force2D: true",
        {"resample": {"spacing_mm": [2, 2, None], **LINEAR}, "round": True, "resegment": {"low": -500, "high": 400}},
    ),
    "C": (
        "binWidth: 25",
        {"resample": {"spacing_mm": [2, 2, 2], **LINEAR}, "round": True, "resegment": LUNG | {"bins_from_low": True}},
    ),
    "D": (
        "binCount: 32",
        {"resample": {"spacing_mm": [2, 2, 2], **LINEAR}, "round": True, "resegment": {"outliers_sd": 3}},
    ),
    "E": (
        "binCount: 32",
        {
            "resample": {"spacing_mm": [2, 2, 2], "interpolator": "b_spline", "mask": "linear"},
            "round": True,
            "resegment": LUNG | {"outliers_sd": 3},
        },
    ),
}


@pytest.mark.real
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_of_the_ct_phantom(tmp_path, name):
    """Consensus values of the lung CT phantom, with their own tolerances (Radiology 295 (2020) 328-338, supplement)."""
    phantom = PHANTOM.parent / "ibsi_ct_phantom"
    if not phantom.is_dir():
        pytest.skip("the IBSI-1 CT phantom named by HER2RADIOMICS_DATA is not here")
    with (phantom / f"ibsi_1_reference_values_config_{name}.csv").open(encoding="utf-8-sig") as stream:
        rows = {row["tag"]: row for row in csv.DictReader(stream)}
    settings, preprocessing = CONFIGURATIONS[name]
    file = tmp_path / "ibsi.yaml"
    file.write_text(SETTINGS.replace("binWidth: 1{more}", settings).format(shape=SHAPE), encoding="utf-8")
    parameters = read_parameters(file)
    image, mask = phantom / "phantom.nii.gz", phantom / "mask.nii.gz"
    found = extract_features(image, {"tumour": mask}, file, preprocessing).loc["tumour"]
    directions, zones = aggregation(parameters.settings)
    endings = {"glcm": ENDINGS[directions], "glrlm": ENDINGS[directions]}
    endings |= dict.fromkeys(("glszm", "gldm", "ngtdm"), ENDINGS[zones])
    compared = 0
    for item in standings(parameters):
        if item.status == "absent":
            continue
        row = rows[definitions()[item.kind, item.name].tag + endings.get(item.kind, "")]
        expected = float(row["reference value"])
        tolerance = max(float(row["tolerance"]), 0.5 * 10 ** (math.floor(math.log10(abs(expected))) - 2))
        value = found[item.feature] - (3 if item.name == "Kurtosis" else 0)  # axis lengths differ by 1 in 10 000
        assert value == pytest.approx(expected, abs=tolerance * (1 + 1e-9), rel=0), item.feature
        compared += 1
    assert compared == 105


def test_bins_from_the_lower_bound_are_those_of_ibsi():
    found = standings(read_parameters(FILES / "features_1023_3d.yaml"), bins_from_low=True)
    assert not any(item.why.startswith("bins start at") for item in found)


def test_every_feature_of_pyradiomics_is_listed():
    """The list holds what PyRadiomics computes: all features but those whose code only says what they equal."""
    from radiomics import getFeatureClasses

    refused = {("glcm", name) for name in ("Dissimilarity", "Homogeneity1", "Homogeneity2", "SumVariance")}
    refused |= {("gldm", "DependencePercentage"), ("gldm", "GrayLevelNonUniformityNormalized")}
    all_of_it = {(kind, name) for kind, those in getFeatureClasses().items() for name in those.getFeatureNames()}
    assert set(definitions()) == all_of_it - refused
    for item in definitions().values():
        assert (item.status == "absent") == (item.code == "") == (item.tag == "") == (item.ibsi_name == "")
        assert (item.status == "ibsi" and item.kind != "ngtdm") == (item.why == "")
    codes = [item.code for item in definitions().values() if item.code]
    assert len(codes) == len(set(codes)) and all(len(code) == 4 for code in codes)


@pytest.mark.parametrize(
    ("file", "ibsi", "converted", "absent", "filtered"),
    [
        # 93 of an unfiltered image are 18 first-order, 24 + 16 + 16 + 14 + 5 of texture; kurtosis is converted, total
        # energy and MCC are absent; of 14 in shape 8 agree, 3 lengths are converted, 3 diameters absent
        ("features_1125_2d", 90, 1, 2 + 9, 11 * 93),
        ("features_1316_3d", 90 + 8, 1 + 3, 2 + 3, 13 * 93),
        ("features_1023_3d", 90, 1, 2, 10 * 93),
        ("features_1218_1mm", 84 + 8, 1 + 3, 1 + 3, 13 * 86),  # no MCC, sum average, NGTDM
    ],
)
def test_standings_of_the_published_sets(file, ibsi, converted, absent, filtered):
    found = standings(read_parameters(FILES / f"{file}.yaml"))
    expected = {"ibsi": ibsi, "converted": converted, "own": 0, "absent": absent, "filtered": filtered}
    assert counts(found) == expected
    discretised = [item for item in found if item.status == "ibsi" and item.grey_levels]
    assert all(item.why.startswith("bins start at") for item in discretised)
    texture = 75 if "1218" not in file else 68
    assert len(discretised) == texture - ("1218" not in file) + 2  # less MCC; entropy and uniformity
    assert all(not item.why for item in found if item.status == "ibsi" and not item.grey_levels)


def test_settings_that_depart_from_ibsi_are_seen():
    parameters = read_parameters(FILES / "features_1023_3d.yaml")

    def own(**settings) -> set[str]:
        changed = dataclasses.replace(parameters, settings={**parameters.settings, **settings})
        return {f"{item.kind}_{item.name}" for item in standings(changed) if item.status == "own"}

    def number(**settings) -> int:
        return len(own(**settings))

    assert own(voxelArrayShift=100) == {"firstorder_Energy", "firstorder_RootMeanSquared"}
    assert number(distances=[1, 2]) == 23 + 14 + 5  # GLCM but MCC, GLDM, NGTDM
    assert number(weightingNorm="euclidean") == 23 + 16
    assert number(symmetricalGLCM=False) == 23
    assert number() == 0
    by_number = dataclasses.replace(parameters, settings={**parameters.settings, "binCount": 32})
    kinds = {item.grey_levels for item in standings(by_number)}
    assert kinds == {"", "fixed bin number"}
    assert not any("bins start" in item.why for item in standings(by_number))


def test_one_slice_has_the_same_texture_with_and_without_force2d(tmp_path):
    """So a slice's texture is IBSI-1's 2-D, with either parameter file."""
    from breast_volume import breast_like

    from her2radiomics.imaging import make_region

    image, mask = breast_like(5, shape=(7, 24, 26))
    found = []
    for number, more in enumerate(("", ", force2D: true")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(SETTINGS.format(more=more, shape="").replace("binWidth: 1", "binWidth: 25"), encoding="utf-8")
        found.append(extract_features(image, {"slice": make_region(mask, "tumour_slice")}, file).loc["slice"])
    assert list(found[0].index) == list(found[1].index)
    for name, value in found[0].items():
        assert found[1][name] == pytest.approx(value, rel=1e-12), name
