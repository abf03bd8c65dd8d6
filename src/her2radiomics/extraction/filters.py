"""PyRadiomics' filtered images on a crop, with the values of the whole image.

Stock PyRadiomics filters the whole volume and then cuts out the region. The filters here see only what the
region's values depend on, a padded crop:

- wavelet: the filter's length a level, the periodic wrap of the stationary transform rebuilt at image edges;
- gradient: 2 voxels;
- Laplacian of Gaussian: a recursive filter looks infinitely far, but 18 σ away its weight is below 2e-11 (20 σ: 1e-12);
- LBP: slices cut on the far sides only, since its interpolation rounds differently at other coordinates;
- square, square root, logarithm, exponential: scaled by the whole image's largest magnitude, which is handed
  to PyRadiomics' own function as one extra voxel.

Each filter is PyRadiomics', ITK's or scikit-image's own, but for the Laplacian of Gaussian, which adds ITK's weights in
another order (:mod:`~her2radiomics.extraction.laplacian`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from her2radiomics.core.libraries import pywt, radiomics, sitk, skimage_texture
from her2radiomics.extraction.laplacian import laplacian_of_gaussian
from her2radiomics.imaging.boxes import Box

#: Image types that PyRadiomics scales by the whole image's largest magnitude.
POINTWISE = frozenset(("Square", "SquareRoot", "Logarithm", "Exponential"))
SUPPORTED = POINTWISE | {"Original", "Wavelet", "LoG", "Gradient", "LBP2D"}
LOG_PADDING = 18.0  # σ: the whole image's values to the last bit in every public case, within 1e-7 in others
EXACT_LOG_PADDING = 20.0  # σ: to the last bit, but for the rounding of sums in another order
LEAST_LOG_PADDING = 16.0  # σ: within 2e-6; that of models made before
#: Methods of the local binary pattern, as scikit-image names them and codes them.
LBP_METHODS = {"default": "D", "ror": "R", "uniform": "U", "nri_uniform": "N", "var": "V"}
GRADIENT_PADDING = 2  # voxels


def filtered(
    image: sitk.Image,
    box: Box,
    image_types: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    peak: float,
    log_padding: float = LOG_PADDING,
) -> Iterator[tuple[np.ndarray, str, dict[str, Any]]]:
    """Yield (voxels of ``box`` as z, y, x; name, settings) in the order of PyRadiomics.

    ``box`` holds the voxels wanted, around all regions; ``image_types`` and ``settings`` are those of
    :class:`~her2radiomics.extraction.parameters.Parameters`; ``peak`` is the whole image's voxel of largest magnitude, with
    its sign; ``log_padding`` is the padding of the Laplacian of Gaussian in multiples of σ.
    """
    for kind, own in image_types.items():
        arguments = {**settings, **own}
        if kind == "Original":
            yield sitk.GetArrayViewFromImage(image)[box.slices], "original", arguments
        elif kind == "Wavelet":
            yield from _wavelet(image, box, arguments)
        elif kind == "LoG":
            yield from laplacian_of_gaussian(image, box, arguments, log_padding)
        elif kind == "Gradient":
            outer = box.padded((GRADIENT_PADDING,) * 3, image.GetSize())
            for found, name, used in radiomics.imageoperations.getGradientImage(outer.cut(image), None, **arguments):
                yield sitk.GetArrayFromImage(found)[box.within(outer).slices], name, used
        elif kind == "LBP2D":
            yield from _lbp(image, box, arguments)
        else:
            yield from _pointwise(image, box, kind, arguments, peak)


def _pointwise(
    image: sitk.Image, box: Box, kind: str, arguments: dict[str, Any], peak: float
) -> Iterator[tuple[np.ndarray, str, dict[str, Any]]]:
    """Square, square root, logarithm, exponential: the crop and one voxel that holds the image's peak."""
    voxels = sitk.GetArrayViewFromImage(image)[box.slices]
    witnessed = np.zeros((voxels.shape[0] + 1, *voxels.shape[1:]), dtype=voxels.dtype)
    witnessed[:-1] = voxels
    witnessed[-1, 0, 0] = peak
    extended = sitk.GetImageFromArray(witnessed)
    for found, name, used in getattr(radiomics.imageoperations, f"get{kind}Image")(extended, None, **arguments):
        yield sitk.GetArrayFromImage(found)[:-1], name, used


def _wavelet(
    image: sitk.Image, box: Box, arguments: dict[str, Any]
) -> Iterator[tuple[np.ndarray, str, dict[str, Any]]]:
    """Stationary wavelet of a crop that is continued periodically where it leaves the image."""
    levels = arguments.get("start_level", 0) + arguments.get("level", 1)
    margin = pywt.Wavelet(arguments["wavelet"]).dec_len * levels
    flat = arguments.get("force2Ddimension", 0) if arguments.get("force2D", False) else None
    voxels = sitk.GetArrayViewFromImage(image)
    kept = []
    for axis, (low, high) in enumerate(zip(reversed(box.low), reversed(box.high), strict=True)):
        pad = 0 if axis == flat else margin
        # PyRadiomics makes odd lengths even by repeating the first voxel behind the last, then wraps around
        odd = (high - low) % 2
        length = voxels.shape[axis]
        places = np.arange(low - pad, high + pad + odd) % (length + length % 2)
        places[places == length] = 0
        voxels = _take(voxels, places, axis)
        kept.append(slice(pad, pad + high - low))
    extended = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    for found, name, used in radiomics.imageoperations.getWaveletImage(extended, None, **arguments):
        yield sitk.GetArrayFromImage(found)[tuple(kept)], name, used


def _take(voxels: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Voxels at ``places`` along an axis; a view where the places are consecutive."""
    if len(places) == places[-1] - places[0] + 1 and np.all(np.diff(places) == 1):
        window = [slice(None)] * voxels.ndim
        window[axis] = slice(int(places[0]), int(places[-1]) + 1)
        return voxels[tuple(window)]
    return np.take(voxels, places, axis=axis)


def _lbp(image: sitk.Image, box: Box, arguments: dict[str, Any]) -> Iterator[tuple[np.ndarray, str, dict[str, Any]]]:
    """Local binary pattern in 2-D on the slices of the box, cut only beyond its far sides.

    As PyRadiomics' ``getLBP2DImage``, by the compiled function that scikit-image's ``local_binary_pattern`` calls: to import
    that one takes as long as a case.
    """
    axis = arguments.get("force2Ddimension", 0)
    radius, samples = arguments.get("lbp2DRadius", 1), arguments.get("lbp2DSamples", 8)
    method = ord(LBP_METHODS[arguments.get("lbp2DMethod", "uniform").lower()])
    margin = math.ceil(radius) + 2
    window = [slice(0, length + margin) for length in reversed(box.high)]
    window[axis] = box.slices[axis]
    voxels = sitk.GetArrayViewFromImage(image)[tuple(window)]
    kept = [slice(a, b) for a, b in zip(reversed(box.low), reversed(box.high), strict=True)]
    kept[axis] = slice(None)
    patterns = np.empty_like(voxels)
    for pattern, plane in zip(np.moveaxis(patterns, axis, 0), np.moveaxis(voxels, axis, 0), strict=True):
        floating = np.ascontiguousarray(plane, dtype=np.float64)
        with np.errstate(
            invalid="ignore"
        ):  # a variance of nothing is no whole number: as PyRadiomics, which says nothing
            pattern[...] = skimage_texture._local_binary_pattern(floating, samples, radius, method)
    yield patterns[tuple(kept)], "lbp-2D", arguments
