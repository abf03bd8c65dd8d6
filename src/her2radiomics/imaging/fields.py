"""Smooth random fields and separable resampling on regular grids, the same for any number of threads.

Every linear step is a product with a sparse matrix along one axis: SciPy's own loop, no BLAS, so that neither
the thread count nor the process changes a single bit. Arrays are indexed z, y, x.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.libraries import scipy

Array = NDArray[np.float32]
Weights: TypeAlias = "scipy.sparse.csr_array"

KNOT_PER_SIGMA = 3.0**0.5
"""A cubic B-spline with knots d apart has the standard deviation d/√3."""


def smooth_field(
    random: np.random.Generator, shape: Sequence[int], spacing_mm: Sequence[float], sigma_mm: float | Sequence[float]
) -> Array:
    """Return Gaussian noise smoothed by a kernel of standard deviation ``sigma_mm``: mean 0, variance 1 everywhere.

    White noise on coarse knots is interpolated by cubic B-splines, whose rows are scaled to unit variance.

    Parameters
    ----------
    random
        Source of the noise.
    shape
        Voxels along z, y, x.
    spacing_mm
        Voxel size along z, y, x.
    sigma_mm
        Width of the kernel, one for all axes or one for each.
    """
    sigmas = [float(s) for s in np.broadcast_to(np.asarray(sigma_mm, dtype=float), (3,))]
    weights = [
        _spline_weights(n, max(KNOT_PER_SIGMA * s / h, 1.0), random)
        for n, h, s in zip(shape, spacing_mm, sigmas, strict=True)
    ]
    knots = random.standard_normal([w.shape[1] for w in weights], dtype=np.float32)
    return apply_axes(knots, weights, order=(2, 1, 0))


def apply_axes(volume: Array, weights: Sequence[Weights], order: Sequence[int] = (0, 1, 2)) -> Array:
    """Multiply a volume by one matrix along each axis; take the axis that shrinks most first."""
    for axis in order:
        matrix = weights[axis]
        if axis == 0:
            volume = (matrix @ volume.reshape(volume.shape[0], -1)).reshape(-1, *volume.shape[1:])
        elif axis == 1:
            turned = np.ascontiguousarray(volume.swapaxes(0, 1))
            turned = (matrix @ turned.reshape(turned.shape[0], -1)).reshape(-1, *turned.shape[1:])
            volume = np.ascontiguousarray(turned.swapaxes(0, 1))
        else:
            flat = volume.reshape(-1, volume.shape[2])
            volume = np.ascontiguousarray((matrix @ np.ascontiguousarray(flat.T)).T).reshape(*volume.shape[:2], -1)
    return volume


def slice_weights(truth: NDArray[np.float64], voxel: NDArray[np.float64], width_mm: float, *, box: bool) -> Weights:
    """Point-spread weights of one axis: how each truth sample (columns) enters each voxel (rows, sum 1).

    Parameters
    ----------
    truth, voxel
        Centres of the truth samples and of the voxels along the axis, in mm, equally spaced.
    width_mm
        Voxel size along the axis.
    box
        A box of that width (slice profile) instead of a Gaussian of standard deviation 0.42 × width, the
        central lobe of the sinc-shaped point-spread function of a Cartesian acquisition.
    """
    step = truth[1] - truth[0]
    distance = np.abs(voxel[:, None] - truth[None, :])
    if box:
        weight = np.clip((width_mm + step) / 2 - distance, 0.0, min(step, width_mm))
    else:
        sigma = 0.42 * width_mm
        weight = np.where(distance < 3 * sigma, np.exp(-0.5 * (distance / sigma) ** 2), 0.0)
    nearest = np.argmin(distance, axis=1)
    empty = weight.sum(axis=1) == 0
    weight[empty, nearest[empty]] = 1.0  # beyond the edge of the truth: its last sample
    return scipy.sparse.csr_array((weight / weight.sum(axis=1, keepdims=True)).astype(np.float32))


def _spline_weights(n: int, knot: float, random: np.random.Generator) -> Weights:
    """Cubic B-spline weights of ``n`` samples on knots ``knot`` samples apart, at a random phase, rows of norm 1."""
    position = (np.arange(n) + knot * random.uniform()) / knot
    first = np.floor(position).astype(np.int32)
    t = position - first
    values = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1)
    values /= np.sqrt((values**2).sum(axis=1, keepdims=True))
    columns = (first[:, None] + np.arange(4, dtype=np.int32)).ravel()
    starts = np.arange(0, 4 * n + 1, 4, dtype=np.int32)
    return scipy.sparse.csr_array(
        (values.ravel().astype(np.float32), columns, starts), shape=(n, int(columns.max()) + 1)
    )
