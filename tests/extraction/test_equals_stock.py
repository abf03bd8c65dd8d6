"""Crops give the values of stock PyRadiomics, run here on the whole volume with the same parameter file.

Tolerances (relative): 1e-9 where the filter is local; 1e-7 where a Laplacian of Gaussian runs on a crop
of 18 σ (on simulated volumes, of the region's root mean square where a value is close to zero); 1e-9 again at 20 σ.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from breast_volume import breast_like
from radiomics.featureextractor import RadiomicsFeatureExtractor

from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.engine import covers, extract
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.laplacian import laplacian_of_gaussian
from her2radiomics.imaging import make_region, read_image, read_mask
from her2radiomics.imaging.boxes import bounding_box

FILES = Path(__file__).parents[2] / "workflow" / "extraction"
DATA = Path(os.environ.get("HER2RADIOMICS_DATA", ""))
NACT = DATA / "breast_mri_nact_pilot" / "mama_mia_layout"
DUKE = DATA / "duke_breast_mri_153" / "nifti_crop"
CASES = DATA / "pyradiomics_testcases"
FLAT = ["tumour_slice", "ring_3mm_slice"]
SOLID = ["tumour_volume", "ring_3mm_volume"]


def stock(image: sitk.Image, mask: sitk.Image, parameters: Path) -> dict[str, float]:
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    extractor = RadiomicsFeatureExtractor(str(parameters), additionalInfo=False)
    return {name: float(value) for name, value in extractor.execute(image, mask).items()}


def compare(
    image: sitk.Image, mask: sitk.Image, regions: list[str], parameters: Path, padding=LOG_PADDING, public=False
) -> None:
    made = {name: make_region(mask, name) for name in regions}
    settings = read_parameters(parameters)
    assert covers(settings)
    found = extract(image, made, settings, log_padding=padding)
    for name, region in made.items():
        expected = stock(image, region, parameters)
        assert tuple(expected) == tuple(found[name]) == settings.feature_names
        for feature, value in expected.items():
            limit = 1e-9 * abs(value)
            if feature.startswith("log-sigma") and padding < 20:
                filter_name = feature.split("_")[0]
                magnitude = expected[f"{filter_name}_firstorder_RootMeanSquared"]
                # percentiles and means close to zero are differences of voxels of that magnitude
                small = magnitude if "_firstorder_" in feature else min(1, magnitude)
                limit = 1e-7 * (abs(value) if public else max(abs(value), small))
            np.testing.assert_allclose(found[name][feature], value, rtol=0, atol=limit, err_msg=feature)


@pytest.mark.parametrize(
    ("name", "regions"),
    [
        ("features_1125_2d", FLAT),
        ("features_1023_3d", [*FLAT, *SOLID]),
        ("features_1316_3d", SOLID),
        ("features_1218_1mm", SOLID),
        ("features_1218_example_ct", ["tumour_volume"]),
    ],
)
def test_published_sets_on_simulated_volumes(name, regions):
    image, mask = breast_like(1)
    compare(image, mask, regions, FILES / f"{name}.yaml")


@pytest.mark.parametrize("corner", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.45)])
@pytest.mark.parametrize(("name", "regions"), [("features_1125_2d", FLAT), ("features_1023_3d", SOLID)])
def test_regions_cut_by_the_image_border(name, regions, corner):
    # wavelets wrap around there, gradients and LoG extend: the crop must do the same
    image, mask = breast_like(2, centre=corner)
    compare(image, mask, regions, FILES / f"{name}.yaml")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64])
def test_pixel_types(kind):
    image, mask = breast_like(3, kind=np.float64)
    if kind == np.uint8:
        image = image / 3.0
    image = sitk.Cast(image, sitk.GetImageFromArray(np.zeros((1, 1, 1), kind)).GetPixelID())
    compare(image, mask, FLAT, FILES / "features_1125_2d.yaml")


def test_negative_peak_scales_the_pointwise_filters():
    image, mask = breast_like(4)
    voxels = sitk.GetArrayFromImage(image) - 300
    voxels[0, 0, 0] = -1900  # outside every region: the whole image's largest magnitude
    shifted = sitk.GetImageFromArray(voxels)
    shifted.CopyInformation(image)
    compare(shifted, mask, FLAT, FILES / "features_1125_2d.yaml")


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_twenty_sigma_is_exact(kind):
    image, mask = breast_like(5, shape=(30, 150, 160), kind=kind)
    compare(image, mask, SOLID, FILES / "features_1023_3d.yaml", padding=20)


OPTIONS = {
    "wavelet levels": "setting: {binWidth: 200}\nimageType: {Wavelet: {start_level: 1, level: 2, wavelet: db3}}\n",
    "flat across y": "setting: {force2D: true, force2Ddimension: 1}\nimageType: {Wavelet: {}, LBP2D: {}}\n",
    "bin count": "setting: {binCount: 24, distances: [1, 2]}\nimageType: {Original: {}, Gradient: {}}\n",
    "own bin width": "setting: {binWidth: 20}\nimageType: {Original: {}, LBP2D: {binWidth: 1, lbp2DRadius: 2}}\n",
    "lbp var": "setting: {force2D: true}\nimageType: {LBP2D: {lbp2DMethod: var, lbp2DSamples: 12, binWidth: 90}}\n",
    "weights": "setting: {weightingNorm: euclidean, symmetricalGLCM: false, gldm_a: 2}\nimageType: {Original: {}}\n",
    "gradient in voxels": "setting: {gradientUseSpacing: false, voxelArrayShift: 300}\nimageType: {Gradient: {}}\n",
    "in-plane resampling": "setting: {resampledPixelSpacing: [1.1, 1.1, 0], interpolator: sitkLinear}\n",
    "nearest neighbour": "setting: {resampledPixelSpacing: [2, 2, 2], interpolator: sitkNearestNeighbor}\n",
    "own spacing": "setting: {resampledPixelSpacing: [0.7, 0.8, 2.2], padDistance: 3}\nimageType: {Wavelet: {}}\n",
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_options_of_the_parameter_file(options, tmp_path):
    path = tmp_path / "options.yaml"
    classes = "featureClass: {firstorder: [], glcm: [], glrlm: [], glszm: [], gldm: [], ngtdm: []}\n"
    path.write_text(options + classes)
    image, mask = breast_like(6)
    compare(image, mask, SOLID, path)


@pytest.mark.parametrize(
    "options",
    [
        "setting: {normalize: true, binWidth: 1}",
        "setting: {resegmentRange: [150, 400]}",
        "setting: {preCrop: true}",
        "setting: {resampledPixelSpacing: [1, 1, 1], interpolator: sitkCosineWindowedSinc}",
    ],
)
def test_other_options_run_stock_pyradiomics(options, tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text(options + "\nimageType: {Original: {}, Wavelet: {}}\nfeatureClass: {glcm: [], shape: []}\n")
    settings = read_parameters(path)
    assert not covers(settings)
    image, mask = breast_like(7)
    assert extract(image, {"tumour": mask}, settings)["tumour"] == stock(image, mask, path)


def test_regions_do_not_influence_each_other():
    image, mask = breast_like(8)
    settings = read_parameters(FILES / "features_1023_3d.yaml")
    made = {name: make_region(mask, name) for name in [*FLAT, *SOLID]}
    together = extract(image, made, settings, log_padding=20)
    for name, region in made.items():
        assert extract(image, {name: region}, settings, log_padding=20)[name] == together[name]


def test_the_number_of_threads_is_restored():
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    image, mask = breast_like(9, shape=(8, 40, 40))
    extract(image, {"tumour": mask}, read_parameters(FILES / "features_1023_3d.yaml"))
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == before


def real(image: Path, mask: Path) -> tuple[sitk.Image, sitk.Image]:
    if not image.is_file():
        pytest.skip("the real images named by HER2RADIOMICS_DATA are not here")
    picture = read_image(image)
    return picture, read_mask(mask, picture)


@pytest.mark.real
def test_real_sagittal_dce():
    image = NACT / "images" / "NACT_06" / "nact_06_0001.nii.gz"
    mask = NACT / "segmentations" / "ftv_pe70" / "NACT_06.nii.gz"
    compare(*real(image, mask), ["ring_3mm_slice"], FILES / "features_1125_2d.yaml", public=True)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "regions"),
    [("features_1125_2d", FLAT), ("features_1316_3d", SOLID), ("features_1218_1mm", ["tumour_volume"])],
)
def test_real_axial_dce(name, regions):
    image = DUKE / "images" / "DUKE_153" / "duke_153_0001.nii.gz"
    mask = DUKE / "segmentations" / "box_threshold_derived" / "DUKE_153.nii.gz"
    compare(*real(image, mask), regions, FILES / f"{name}.yaml", public=True)


@pytest.mark.real
@pytest.mark.parametrize("case", ["breast1", "brain1"])
@pytest.mark.parametrize("name", ["features_1023_3d", "features_1218_1mm"])
def test_pyradiomics_own_test_cases(case, name):
    image, mask = real(CASES / f"{case}_image.nrrd", CASES / f"{case}_label.nrrd")
    compare(image, mask, ["tumour_volume"], FILES / f"{name}.yaml", public=True)


PUBLIC = [
    *((CASES / f"{case}_image.nrrd", CASES / f"{case}_label.nrrd") for case in ("breast1", "brain1")),
    *(
        (
            NACT / "images" / "NACT_06" / f"nact_06_000{phase}.nii.gz",
            NACT / "segmentations" / "ftv_pe70" / "NACT_06.nii.gz",
        )
        for phase in (0, 1, 2)
    ),
    *(
        (
            DUKE / "images" / "DUKE_153" / f"duke_153_000{phase}.nii.gz",
            DUKE / "segmentations" / "box_threshold_derived" / "DUKE_153.nii.gz",
        )
        for phase in range(5)
    ),
    (DATA / "sts_mr_t1/STS_002/nifti/image/image.nii.gz", DATA / "sts_mr_t1/STS_002/nifti/mask/mask.nii.gz"),
]


@pytest.mark.real
@pytest.mark.parametrize(("image", "mask"), PUBLIC, ids=[image.name for image, _ in PUBLIC])
def test_laplacian_of_gaussian_on_every_public_case(image, mask):
    image, mask = real(image, mask)
    box = bounding_box(mask)
    inside = sitk.GetArrayViewFromImage(box.cut(mask)) != 0
    sigmas = [1.0, 2.0, 3.0, 4.0, 5.0]
    found = list(laplacian_of_gaussian(image, box, {"sigma": sigmas}, LOG_PADDING))
    assert len(found) == len(sigmas)
    for sigma, (ours, *_) in zip(sigmas, found, strict=True):
        whole = sitk.LaplacianRecursiveGaussian(image, sigma, True)
        expected = sitk.GetArrayViewFromImage(whole)[box.slices]
        mine, theirs = (np.sort(crop[inside].astype(float)) for crop in (ours, expected))
        for percent in (0, 10, 25, 50, 75, 90, 100):
            expected = np.percentile(theirs, percent)
            assert np.percentile(mine, percent) == pytest.approx(expected, rel=1e-7, abs=0), (sigma, percent)
