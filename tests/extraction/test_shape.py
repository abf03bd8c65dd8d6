"""Shape in 3-D against PyRadiomics' own class, on regions made to be awkward."""

import numpy as np
import pytest
import SimpleITK as sitk
from radiomics import shape as stock

from her2radiomics.extraction.shape import shape

SPACINGS = [(1.0, 1.0, 1.0), (4.0, 0.76, 0.76), (1.5, 0.85, 1.3)]


def ball(radius, spacing):
    half = [int(radius / step) + 1 for step in spacing]
    axes = [np.arange(-n, n + 1) * step for n, step in zip(half, spacing, strict=True)]
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))) <= radius


def lobed(spacing):
    places = np.stack(np.meshgrid(*(np.arange(n) * step for n, step in zip((9, 20, 22), spacing, strict=True))))
    centres = np.random.default_rng(3).uniform(0, 1, (4, 3)) * places.reshape(3, -1).max(axis=1)
    distances = [np.linalg.norm(places - centre[:, None, None, None], axis=0) for centre in centres]
    return np.min(distances, axis=0) < 0.25 * places.max()


def noise(size, share):
    return np.random.default_rng(2).random(size) < share


REGIONS = {
    "ball": lambda spacing: ball(9, spacing),
    "three lobes": lobed,
    "box": lambda spacing: np.ones((5, 9, 7), bool),
    "rod": lambda spacing: np.ones((2, 2, 31), bool),
    "one slice": lambda spacing: np.ones((1, 6, 8), bool),
    "voxels that touch at their corners": lambda spacing: (
        np.eye(4, dtype=bool)[:, None] & np.eye(4, dtype=bool)[:, :, None]
    ),
    "islands": lambda spacing: noise((9, 14, 13), 0.08),
    "holes": lambda spacing: noise((8, 9, 10), 0.85),
    "as many voxels as not": lambda spacing: noise((10, 11, 12), 0.5),
    "ball with holes": lambda spacing: ball(9, spacing) & noise(ball(9, spacing).shape, 0.97),
}


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("name", REGIONS)
def test_as_pyradiomics(name, spacing):
    inside = REGIONS[name](spacing)
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.SetSpacing(spacing[::-1])
    theirs = stock.RadiomicsShape(mask, mask, label=1)
    theirs.enableAllFeatures()
    expected = {feature: float(value.real) for feature, value in theirs.execute().items()}
    found = shape(inside, spacing, expected)
    assert len(found) == 14
    for feature, value in expected.items():
        assert found[feature] == pytest.approx(value, rel=1e-11, abs=1e-7, nan_ok=True), feature
