"""PyRadiomics' filtered images on a crop, with the values of the whole image.

Stock PyRadiomics filters the whole volume and then cuts out the region. The filters here see only what the
region's values depend on, a padded crop:

- wavelet: the filter's length a level, the periodic wrap of the stationary transform rebuilt at image edges;
- gradient: 2 voxels;
- Laplacian of Gaussian: a recursive filter looks infinitely far, but 16 σ away its weight is below 1e-7 of the image's
  range (20 σ: below float32 resolution);
- LBP: slices cut on the far sides only, since its interpolation rounds differently at other coordinates;
- square, square root, logarithm, exponential: scaled by the whole image's largest magnitude, which is
handed to
  PyRadiomics' own function as one extra voxel.

Each filter is PyRadiomics' or ITK's own; nothing here computes an intensity by another formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core import software
from her2radiomics.core.libraries import pywt, radiomics, sitk

SUPPORTED = frozenset(
    ("Original", "Wavelet", "LoG", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D")
)
LOG_PADDING = 16.0  # σ: within 1e-7 of the whole image's values
EXACT_LOG_PADDING = 20.0  # σ: within 1e-9
GRADIENT_PADDING = 2  # voxels
SMALLEST_LOG_SIDE = 4  # voxels: ITK's recursive filters need as many


@dataclass(frozen=True)
class Box:
    """Voxels ``low`` to ``high`` (exclusive) along x, y, z."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]

    def padded(self, margin: tuple[int, ...], size: tuple[int, ...]) -> Box:
        """Widen by ``margin`` voxels along each axis, within an image of ``size``."""
        low = tuple(max(0, a - m) for a, m in zip(self.low, margin, strict=True))
        high = tuple(min(s, b + m) for b, m, s in zip(self.high, margin, size, strict=True))
        return Box(low, high)  # type: ignore[arg-type]

    def within(self, outer: Box) -> Box:
        """The same voxels counted from the corner of ``outer``."""
        low = tuple(a - o for a, o in zip(self.low, outer.low, strict=True))
        high = tuple(b - o for b, o in zip(self.high, outer.low, strict=True))
        return Box(low, high)  # type: ignore[arg-type]

    @property
    def slices(self) -> tuple[slice, ...]:
        """The same voxels of an array (z, y, x)."""
        return tuple(slice(a, b) for a, b in zip(self.low[::-1], self.high[::-1], strict=True))

    def cut(self, image: sitk.Image) -> sitk.Image:
        """The image's voxels in the box, with the geometry that goes with them."""
        size = [b - a for a, b in zip(self.low, self.high, strict=True)]
        return sitk.RegionOfInterest(image, size, list(self.low))


def filtered(
    image: sitk.Image,
    box: Box,
    image_types: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    peak: float,
    log_padding: float = LOG_PADDING,
) -> Iterator[tuple[sitk.Image, str, dict[str, Any]]]:
    """Yield (image on ``box``, name, settings) in the order of PyRadiomics.

    ``box`` holds the voxels wanted, around all regions; ``image_types`` and ``settings`` are those of
    :class:`~her2radiomics.extraction.parameters.Parameters`; ``peak`` is the whole image's voxel of largest magnitude, with
    its sign; ``log_padding`` is the padding of the Laplacian of Gaussian in multiples of σ.
    """
    for kind, own in image_types.items():
        arguments = {**settings, **own}
        if kind == "Original":
            yield box.cut(image), "original", arguments
        elif kind == "Wavelet":
            yield from _wavelet(image, box, arguments)
        elif kind == "LoG":
            yield from _log(image, box, arguments, log_padding)
        elif kind == "Gradient":
            outer = box.padded((GRADIENT_PADDING,) * 3, image.GetSize())
            for found, name, used in radiomics.imageoperations.getGradientImage(outer.cut(image), None, **arguments):
                yield box.within(outer).cut(found), name, used
        elif kind == "LBP2D":
            yield from _lbp(image, box, arguments)
        else:
            yield from _pointwise(image, box, kind, arguments, peak)


def _pointwise(
    image: sitk.Image, box: Box, kind: str, arguments: dict[str, Any], peak: float
) -> Iterator[tuple[sitk.Image, str, dict[str, Any]]]:
    """Square, square root, logarithm, exponential: the crop and one voxel that holds the image's peak."""
    crop = box.cut(image)
    voxels = sitk.GetArrayViewFromImage(crop)
    witnessed = np.zeros((voxels.shape[0] + 1, *voxels.shape[1:]), dtype=voxels.dtype)
    witnessed[:-1] = voxels
    witnessed[-1, 0, 0] = peak
    extended = sitk.GetImageFromArray(witnessed)
    for found, name, used in getattr(radiomics.imageoperations, f"get{kind}Image")(extended, None, **arguments):
        result = sitk.GetImageFromArray(sitk.GetArrayViewFromImage(found)[:-1])
        result.CopyInformation(crop)
        yield result, name, used


def _wavelet(
    image: sitk.Image, box: Box, arguments: dict[str, Any]
) -> Iterator[tuple[sitk.Image, str, dict[str, Any]]]:
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
    geometry = box.cut(image)
    for found, name, used in radiomics.imageoperations.getWaveletImage(extended, None, **arguments):
        result = sitk.GetImageFromArray(np.ascontiguousarray(sitk.GetArrayViewFromImage(found)[tuple(kept)]))
        result.CopyInformation(geometry)
        yield result, name, used


def _take(voxels: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Voxels at ``places`` along an axis; a view where the places are consecutive."""
    if len(places) == places[-1] - places[0] + 1 and np.all(np.diff(places) == 1):
        window = [slice(None)] * voxels.ndim
        window[axis] = slice(int(places[0]), int(places[-1]) + 1)
        return voxels[tuple(window)]
    return np.take(voxels, places, axis=axis)


def _log(
    image: sitk.Image, box: Box, arguments: dict[str, Any], padding: float
) -> Iterator[tuple[sitk.Image, str, dict[str, Any]]]:
    """Laplacian of Gaussian, axis by axis as ITK's LaplacianRecursiveGaussianImageFilter.

    The recursive filters run along lines, so that after each pass only the lines that the next ones need are
    kept: the first pass alone sees the whole padded crop.
    """
    size, spacing = np.array(image.GetSize()), np.array(image.GetSpacing())
    for sigma in arguments.get("sigma", []):
        # PyRadiomics leaves the filter out, with a warning; the check of feature names turns that into an error
        if size.min() < SMALLEST_LOG_SIDE or np.any(size < np.ceil(sigma / spacing) + 1):
            continue
        margin = tuple(max(SMALLEST_LOG_SIDE, math.ceil(padding * sigma / step)) for step in spacing)
        outer = box.padded(margin, image.GetSize())
        crop = outer.cut(image)
        inner = box.within(outer)
        total = np.zeros(tuple(high - low for low, high in zip(box.low, box.high, strict=True))[::-1], np.float32)
        for axis in range(3):
            part = sitk.GetArrayFromImage(_passes(crop, inner, axis, sigma))
            # ITK adds in double precision and stores in single, which decides the last bit
            total = (total + part * (1.0 / np.float64(spacing[axis]) ** 2)).astype(np.float32)
        result = sitk.GetImageFromArray(total)
        result.CopyInformation(box.cut(image))
        yield result, f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D", arguments


def _passes(crop: sitk.Image, inner: Box, derivative: int, sigma: float) -> sitk.Image:
    """Second derivative along one axis, then smoothing along the others, cropping behind each pass."""
    found, left = crop, Box((0, 0, 0), crop.GetSize())
    for axis in (derivative, *(other for other in range(3) if other != derivative)):
        gaussian = sitk.RecursiveGaussianImageFilter()
        gaussian.SetDirection(axis)
        gaussian.SetSigma(sigma)
        gaussian.SetNormalizeAcrossScale(True)
        gaussian.SetOrder(2 if axis == derivative else 0)
        found = gaussian.Execute(found)
        low, high = list(left.low), list(left.high)
        low[axis], high[axis] = inner.low[axis], inner.high[axis]
        kept = Box(tuple(low), tuple(high))  # type: ignore[arg-type]
        found = kept.within(left).cut(found)
        left = kept
    return found


def _lbp(image: sitk.Image, box: Box, arguments: dict[str, Any]) -> Iterator[tuple[sitk.Image, str, dict[str, Any]]]:
    """Local binary pattern in 2-D on the slices of the box, cut only beyond its far sides."""
    across = 2 - arguments.get("force2Ddimension", 0)
    margin = math.ceil(arguments.get("lbp2DRadius", 1)) + 2
    low = tuple(box.low[axis] if axis == across else 0 for axis in range(3))
    high = tuple(
        box.high[axis] if axis == across else min(image.GetSize()[axis], box.high[axis] + margin) for axis in range(3)
    )
    outer = Box(low, high)  # type: ignore[arg-type]
    software.note("scikit-image")
    for found, name, used in radiomics.imageoperations.getLBP2DImage(outer.cut(image), None, **arguments):
        yield box.within(outer).cut(found), name, used
