"""The faster sums of the co-occurrence class against PyRadiomics' own, on regions made to be awkward."""

import logging

import numpy as np
import pytest
import SimpleITK as sitk
from radiomics.glcm import RadiomicsGLCM

from her2radiomics.extraction.cooccurrence import LEAST_CORRELATION, FasterCooccurrence

# sums in another order: rounding only; cluster shade cancels
TOLERANCE = 1e-11


class Faster(FasterCooccurrence, RadiomicsGLCM):
    pass


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    logger = logging.getLogger("radiomics")
    monkeypatch.setattr(logger, "level", logging.CRITICAL)


def both(voxels, **settings):
    image = sitk.GetImageFromArray(np.asarray(voxels, dtype=float))
    mask = sitk.GetImageFromArray(np.ones(np.shape(voxels), dtype=np.uint8))
    found = []
    for kind in (RadiomicsGLCM, Faster):
        calculator = kind(image, mask, **{"binWidth": 25} | settings)
        calculator.enableAllFeatures()
        found.append({name: complex(value) for name, value in calculator.execute().items()})
    return *found, calculator


def smooth(shape, spread, seed=1):
    from scipy.ndimage import gaussian_filter

    values = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)
    return values / values.std() * spread


def outlying_pair():
    """Two neighbours whose levels nobody else has: a block of their own, whose eigenvalue is 1 as well."""
    values = smooth((6, 9, 9), 60)
    values[0, 0, 0], values[0, 0, 1] = 4000, 4040
    return values


CASES = {
    "58 levels": smooth((9, 20, 20), 200),
    "246 levels": smooth((14, 20, 20), 800),
    "one slice": smooth((1, 12, 12), 90),
    "an outlying pair": outlying_pair(),
    "levels without neighbours at some angles": smooth((2, 3, 3), 120),
    "two levels": [[[0, 30], [30, 30]], [[30, 0], [0, 30]]],
    "flat": np.ones((3, 3, 3)),
    "a line": [[[0, 30, 60, 90, 30]]],
    "two voxels": [[[0, 30]]],
}


@pytest.mark.parametrize("settings", [{}, {"symmetricalGLCM": False}, {"weightingNorm": "euclidean"}], ids=str)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore")  # PyRadiomics divides by zero on the small ones
def test_agrees_with_pyradiomics(case, settings):
    stock, faster, _ = both(CASES[case], **settings)
    assert list(faster) == list(stock)
    for name, value in stock.items():
        assert faster[name].real == pytest.approx(value.real, rel=TOLERANCE, abs=1e-12, nan_ok=True), name


def test_a_coefficient_of_zero_is_left_to_pyradiomics():
    # each level meets each equally often along an axis: the coefficient there is 0, of which rounding decides
    voxels = np.array([[[0, 0, 30, 30, 0]]])
    stock, faster, calculator = both(voxels)
    joint = calculator.P_glcm[0, :, :, 0]
    assert joint == pytest.approx(np.full((2, 2), 0.25))  # hand count: pairs 00, 01, 11, 10
    assert abs(stock["MCC"]) < LEAST_CORRELATION
    assert faster["MCC"] == stock["MCC"]


def test_hand_calculated_coefficient():
    # pairs 00, 01, 11: symmetric counts [[2, 1], [1, 2]] / 6, whose eigenvalues over the marginals 1/2 are 1 and 1/3
    _, faster, _ = both([[[0, 0, 30, 30]]])
    assert faster["MCC"].real == pytest.approx(1 / 3, abs=1e-14)
    # sums of levels 2, 3, 4 with 1/3 each around 3: moments 0 and 2/3
    assert faster["ClusterShade"].real == pytest.approx(0, abs=1e-14)
    assert faster["ClusterProminence"].real == pytest.approx(2 / 3, abs=1e-14)
