"""The apparent diffusion coefficient (ADC) of each voxel from images of several b-values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.errors import CaseError

Array = NDArray[np.float64]


def adc_map(images: Mapping[float, Array]) -> Array:
    """ADC by a mono-exponential fit, in 10⁻³ mm²/s.

    Minus the least-squares slope of ln S on b, S(b) = S₀ · exp(−b · ADC) (Stejskal and Tanner, J Chem Phys
    1965;42:288–292); with two b-values ln(S_low / S_high) / (b_high − b_low).

    Parameters
    ----------
    images
        b-value in s/mm² to signal, all of one shape.

    Returns
    -------
    numpy.ndarray
        Of the images' shape; not a number where a signal is not above 0.

    Raises
    ------
    CaseError
        Fewer than two b-values.
    """
    values = np.array(sorted(images))
    if len(values) < 2:
        raise CaseError(
            found=f"images of {len(values)} b-value{'s' * (len(values) != 1)}",
            expected="two or more",
            remedy="Add the images with their b_value to the manifest, or name the scanner's own map (adc_map).",
        )
    weights = values - values.mean()
    weights /= (weights**2).sum()
    slope = np.zeros(images[values[0]].shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        for value, weight in zip(values, weights, strict=True):
            slope += weight * np.log(np.where(images[value] > 0, images[value], np.nan))
    return -1000.0 * slope
