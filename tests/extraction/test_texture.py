"""First-order and texture features against PyRadiomics' own classes, on regions made to be awkward."""

import logging

import numpy as np
import pytest
import radiomics
import SimpleITK as sitk

from her2radiomics.core.errors import CaseError
from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.classes import Region, grey_levels
from her2radiomics.extraction.neighbours import Neighbours
from her2radiomics.extraction.texture import LEAST_CORRELATION, cooccurrence, runs

# sums in another order: rounding only; cluster shade cancels
TOLERANCE = 1e-11
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    logger = logging.getLogger("radiomics")
    monkeypatch.setattr(logger, "level", logging.CRITICAL)


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    path = tmp_path_factory.mktemp("parameters") / "all.yaml"
    path.write_text(f"featureClass: {{{', '.join(f'{kind}: []' for kind in CLASSES)}}}\n", encoding="utf-8")
    return read_parameters(path)


def images(voxels, inside=None):
    image = sitk.GetImageFromArray(np.asarray(voxels, dtype=float))
    image.SetSpacing((0.8, 0.9, 2.5))
    mask = sitk.GetImageFromArray((np.ones(np.shape(voxels)) if inside is None else inside).astype(np.uint8))
    mask.CopyInformation(image)
    return image, mask


def stock(image, mask, settings):
    found = {}
    for kind in CLASSES:
        calculator = radiomics.getFeatureClasses()[kind](image, mask, **settings)
        found |= {f"original_{kind}_{name}": complex(value).real for name, value in calculator.execute().items()}
    return found


def smooth(shape, spread, seed=1):
    from scipy.ndimage import gaussian_filter

    values = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
    return values / values.std() * spread


def outlying_pair():
    """Two neighbours whose levels nobody else has: a block of their own, whose eigenvalue is 1 as well."""
    values = smooth((6, 9, 9), 60)
    values[0, 0, 0], values[0, 0, 1] = 4000, 4040
    return values


def ragged(shape, share, seed=2):
    """A region full of holes and islands, single voxels among them, in a box as long as it is flat."""
    return np.random.default_rng(seed).random(shape) < share


CASES = {
    "58 levels": (smooth((9, 20, 20), 200), None),
    "246 levels": (smooth((14, 20, 20), 800), None),
    "one slice": (smooth((1, 12, 12), 90), None),
    "an outlying pair": (outlying_pair(), None),
    "levels without neighbours at some angles": (smooth((2, 3, 3), 120), None),
    "holes and islands": (smooth((4, 7, 31), 70), ragged((4, 7, 31), 0.3)),
    "hardly a neighbour": (smooth((3, 25, 9), 70), ragged((3, 25, 9), 0.03)),
    "far apart": (smooth((3, 9, 9), 90), np.indices((3, 9, 9)).max(0) % 8 + np.indices((3, 9, 9)).min(0) == 0),
    "two levels": ([[[0, 30], [30, 30]], [[30, 0], [0, 30]]], None),
    "flat": (np.ones((3, 3, 3)), None),
    "a line": ([[[0, 30, 60, 90, 30]]], None),
    "two voxels": ([[[0, 30]]], None),
}
SETTINGS = [
    {},
    {"symmetricalGLCM": False, "gldm_a": 1},
    {"weightingNorm": "euclidean"},
    {"weightingNorm": "manhattan", "force2D": True},
    {"weightingNorm": "infinity", "distances": [2]},
    {"distances": [1, 3], "force2D": True, "force2Ddimension": 2, "voxelArrayShift": 500},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore")  # PyRadiomics divides by zero on the small ones
def test_agrees_with_pyradiomics(case, settings, parameters):
    image, mask = images(*CASES[case])
    used = {**parameters.settings, "binWidth": 25, **settings}
    try:
        expected = stock(image, mask, used)
    except RuntimeError as error:  # flat along every axis on which neighbours are looked for
        assert "angle count" in str(error)
        with pytest.raises(CaseError, match="one voxel wide"):
            Region(mask, parameters).features(sitk.GetArrayFromImage(image), "original", used)
        return
    found = Region(mask, parameters).features(sitk.GetArrayFromImage(image), "original", used)
    assert [*found] == [*expected]
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=TOLERANCE, abs=1e-12, nan_ok=True), name


def test_a_deprecated_feature_is_left_to_pyradiomics(tmp_path):
    path = tmp_path / "deprecated.yaml"
    path.write_text("featureClass: {firstorder: [StandardDeviation, Mean]}\n", encoding="utf-8")
    image, mask = images([[[0, 30], [60, 90]]])
    parameters = read_parameters(path)
    found = Region(mask, parameters).features(sitk.GetArrayFromImage(image), "original", parameters.settings)
    assert found["original_firstorder_StandardDeviation"] == pytest.approx(np.std([0, 30, 60, 90]), rel=1e-14)
    assert found["original_firstorder_Mean"] == 45


def co_occurrence(voxels):
    voxels = np.asarray(voxels, dtype=float)
    inside = np.ones(voxels.shape, dtype=bool)
    return cooccurrence(grey_levels(voxels[inside], {"binWidth": 25}), Neighbours(inside, {}), (1.0, 1.0, 1.0), {})


def test_a_coefficient_of_zero_is_left_to_pyradiomics():
    # each level meets each equally often along an axis: the coefficient there is 0, of which rounding decides
    voxels = np.array([[[0, 0, 30, 30, 0]]])
    image, mask = images(voxels)
    expected = stock(image, mask, {"binWidth": 25})["original_glcm_MCC"]
    assert abs(expected) < LEAST_CORRELATION
    assert co_occurrence(voxels)["MCC"] == expected


def test_hand_calculated_coefficient():
    # pairs 00, 01, 11: symmetric counts [[2, 1], [1, 2]] / 6, whose eigenvalues over the marginals 1/2 are 1 and 1/3
    found = co_occurrence([[[0, 0, 30, 30]]])
    assert found["MCC"] == pytest.approx(1 / 3, abs=1e-14)
    # sums of levels 2, 3, 4 with 1/3 each around 3: moments 0 and 2/3
    assert found["ClusterShade"] == pytest.approx(0, abs=1e-14)
    assert found["ClusterProminence"] == pytest.approx(2 / 3, abs=1e-14)


def test_hand_counted_runs():
    # along x: 0 0, then a gap, then 0, 30 30 30; no other angle joins two voxels
    voxels, inside = np.array([[[0.0, 0, 9, 0, 30, 30, 30]]]), np.array([[[1, 1, 0, 1, 1, 1, 1]]], dtype=bool)
    near = Neighbours(inside, {})
    found = runs(grey_levels(voxels[inside], {"binWidth": 25}), near, (1.0, 1.0, 1.0), {})
    assert len(near.lines.order) == 1
    assert found["RunPercentage"] == pytest.approx(3 / 6)
    assert found["LongRunEmphasis"] == pytest.approx((2**2 + 1**2 + 3**2) / 3)
    assert found["HighGrayLevelRunEmphasis"] == pytest.approx((1 + 1 + 4) / 3)
