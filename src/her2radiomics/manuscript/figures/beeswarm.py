"""Sideways offsets of points, so that those of equal height lie beside each other: the same ones every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.libraries import scipy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def van_der_corput(count: int) -> np.ndarray:
    """The first numbers of van der Corput's sequence from 0 to 1, neighbours far apart, shape (count,)."""
    # as scipy.stats.qmc, whose import takes longer than a figure
    index, sequence = np.arange(count), np.zeros(count)
    for bit in range(count.bit_length()):
        sequence += (index >> bit & 1) / 2 ** (bit + 1)
    return sequence


def offsets(values: ArrayLike) -> np.ndarray:
    """Quasi-random offsets within the outline of the values' density, from −1 to 1.

    The van der Corput sequence in the order of the values, scaled by a Gaussian kernel density (Scott's bandwidth):
    no random numbers, and nothing that depends on the drawing's size.

    Parameters
    ----------
    values
        Heights of the points, shape (n,).

    Returns
    -------
    numpy.ndarray
        Offset of each point, shape (n,); 0 for a single one.
    """
    heights = np.asarray(values, dtype=float)
    if heights.size < 2:
        return np.zeros(heights.size)
    density = np.ones(heights.size)
    if np.ptp(heights) > 0:
        density = scipy.stats.gaussian_kde(heights)(heights)
        density /= density.max()
    sequence = van_der_corput(heights.size)
    spread = np.empty(heights.size)
    spread[np.argsort(heights, kind="stable")] = 2 * sequence - 1
    # few points need no width: a crowd of 30 fills it
    return spread * density * min(1.0, heights.size / 30 + 0.2)
