"""PyRadiomics' Laplacian of Gaussian on a crop: ITK's recursive filter, as sums with its own weights.

``itk::LaplacianRecursiveGaussianImageFilter`` adds, for each axis, a second derivative along it that is smoothed along the
other two. Each pass is linear along lines and continues a line by its end voxels; it computes in double precision and
stores in single. So a voxel of a pass is a sum over its line, with weights that ITK's response to a single bright voxel
gives. A recursion has to run along the whole of a line; a sum is needed only where the next pass or the region looks, and
is one matrix product for all lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.boxes import Box

SMALLEST_SIDE = 4  # voxels: ITK's recursive filters need as many
REACH = 32.0  # σ at which a weight is below 1e-18 of the largest
#: Gaussian and its second derivative as sums of two damped waves: cosine, sine, frequency and decay (each a σ) of both.
#: G. Farnebäck and C.-F. Westin, Improving Deriche-style recursive Gaussian filters, J Math Imaging Vis 26 (2006) 293-299.
SMOOTH = ((1.3530, 1.8151, 0.6681, -1.3932), (-0.3531, 0.0902, 2.0787, -1.3732))
SECOND = ((-1.3563, 5.2318, 0.6681, -1.3932), (0.3446, -2.2355, 2.0787, -1.3732))
SLAB = 2**16  # voxels that are in memory in double precision at a time: as many as a cache holds


def laplacian_of_gaussian(
    image: sitk.Image, box: Box, arguments: dict[str, Any], padding: float
) -> Iterator[tuple[np.ndarray, str, dict[str, Any]]]:
    """Yield (voxels of ``box``, name, settings) for each ``sigma`` (mm); lines are taken as constant ``padding`` σ away."""
    size, spacing = np.array(image.GetSize()), np.array(image.GetSpacing())
    voxels = sitk.GetArrayViewFromImage(image)
    for sigma in arguments.get("sigma", []):
        # PyRadiomics leaves the filter out, with a warning; the check of feature names turns that into an error
        if size.min() < SMALLEST_SIDE or np.any(size < np.ceil(sigma / spacing) + 1):
            continue
        margin = tuple(max(SMALLEST_SIDE, math.ceil(padding * sigma / step)) for step in spacing)
        outer = box.padded(margin, image.GetSize())
        crop, inner = voxels[outer.slices], box.within(outer)
        weights = [
            [_weights(float(step), float(sigma), order, low, high, length) for order in (0, 2)]
            for step, low, high, length in zip(spacing, inner.low, inner.high, crop.shape[::-1], strict=True)
        ]
        total = np.zeros([high - low for low, high in zip(box.low, box.high, strict=True)][::-1], np.float32)
        for derivative in range(3):
            part = crop
            for axis in (derivative, *(other for other in range(3) if other != derivative)):
                part = _pass(part, weights[axis][axis == derivative], 2 - axis)
            # ITK adds in double precision and stores in single, which decides the last bit
            total = (total + part * (1.0 / np.float64(spacing[derivative]) ** 2)).astype(np.float32)
        yield total, f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D", arguments


def _pass(voxels: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Sums along an axis with ``weights`` (voxels wanted × voxels of a line), in double precision, stored in single."""
    found = np.empty([len(weights) if a == axis else n for a, n in enumerate(voxels.shape)], np.float32)
    other = 1 if axis == 0 else 0  # slabs across another axis
    step = max(1, SLAB * voxels.shape[other] // voxels.size)
    for start in range(0, voxels.shape[other], step):
        slab = (slice(None),) * other + (slice(start, start + step),)
        part = voxels[slab].astype(np.float64)
        if axis == 2:
            found[slab] = part @ weights.T
        elif axis == 1:
            found[slab] = weights @ part
        else:
            found[slab] = (weights @ part.reshape(len(part), -1)).reshape(len(weights), *part.shape[1:])
    return found


def _weights(step: float, sigma: float, order: int, low: int, high: int, length: int) -> np.ndarray:
    """Weights (high - low × length) of a line's voxels in those from ``low`` to ``high``."""
    response = _response(step, sigma, order)
    reach = len(response) // 2
    wide = max(length, reach + 1)  # a voxel further away counts nothing
    padded = np.pad(response, max(0, wide - reach - 1))
    centre = len(padded) // 2
    weights = np.stack([padded[centre - place : centre - place + length] for place in range(low, high)])
    # beyond its ends a line has the value of its end voxels
    below = np.concatenate([[0.0], np.cumsum(padded)])
    above = np.concatenate([np.cumsum(padded[::-1])[::-1], [0.0]])
    for row, place in zip(weights, range(low, high), strict=True):
        row[0] += below[centre - place]
        row[-1] += above[centre - place + length]
    return weights


@cache
def _response(step: float, sigma: float, order: int) -> np.ndarray:
    """The filter's response (``order`` 2: second derivative times σ²) to a one in a line of zeros, to both sides of it."""
    distance = np.arange(math.ceil(REACH * sigma / step) + 1)
    scaled = distance * (step / sigma)
    sides = [
        sum((a * np.cos(w * scaled) + b * np.sin(w * scaled)) * np.exp(decay * scaled) for a, b, w, decay in terms)
        for terms in (SMOOTH, SECOND)
    ]
    totals = [2 * side.sum() - side[0] for side in sides]
    side = sides[0] / totals[0]
    if order == 2:
        side = sides[1] - totals[1] * side  # a constant has no derivative
        side *= sigma**2 / (distance**2 * side).sum()  # and a parabola has the second derivative 2
    return np.concatenate([side[:0:-1], side])
