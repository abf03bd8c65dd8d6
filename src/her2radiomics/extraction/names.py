"""Printed names of regions, image types, feature classes and interpolators, as figures and as sentences give them."""

from __future__ import annotations

from typing import NamedTuple

from her2radiomics.imaging.regions import parse_region


class Printed(NamedTuple):
    """A name where space is short (a figure, a table), and the one in a sentence."""

    short: str
    long: str


#: By PyRadiomics' name of the image type.
IMAGE_TYPES = {
    "Original": Printed("original", "original"),
    "Wavelet": Printed("wavelet", "wavelet"),
    "LoG": Printed("LoG", "Laplacian of Gaussian"),
    "Square": Printed("square", "square"),
    "SquareRoot": Printed("square root", "square root"),
    "Logarithm": Printed("logarithm", "logarithm"),
    "Exponential": Printed("exponential", "exponential"),
    "Gradient": Printed("gradient", "gradient magnitude"),
    "LBP2D": Printed("LBP 2-D", "2-D local binary pattern"),
    "LBP3D": Printed("LBP 3-D", "3-D local binary pattern"),
}
CLASSES = {
    "shape": Printed("Shape", "3-D shape"),
    "shape2D": Printed("Shape 2-D", "2-D shape"),
    "firstorder": Printed("First-order", "first-order"),
    "glcm": Printed("GLCM", "grey-level co-occurrence matrix"),
    "glrlm": Printed("GLRLM", "grey-level run-length matrix"),
    "glszm": Printed("GLSZM", "grey-level size-zone matrix"),
    "gldm": Printed("GLDM", "grey-level dependence matrix"),
    "ngtdm": Printed("NGTDM", "neighbouring grey-tone difference matrix"),
}
#: PyRadiomics' names, and those of a protocol's preprocessing.
INTERPOLATORS = {
    "sitkBSpline": "B-spline",
    "sitkLinear": "linear",
    "sitkNearestNeighbor": "nearest-neighbour",
    "b_spline": "cubic B-spline",
    "linear": "linear",
    "nearest": "nearest-neighbour",
}
_EXTENTS = {"volume": "whole volume", "slice": "largest slice"}


def region_label(name: str) -> str:
    """A region of interest as a figure names it: ``3 mm peritumoural ring, largest slice``."""
    region = parse_region(name)
    what = "Tumour" if region.kind == "tumour" else f"{region.radius_mm:g} mm peritumoural ring"
    return f"{what}, {_EXTENTS[region.extent]}"


def region_phrase(name: str) -> str:
    """A region of interest in a sentence: ``the tumour in its largest slice``."""
    region = parse_region(name)
    where = _EXTENTS[region.extent]
    if region.kind == "tumour":
        return f"the tumour in its {where}"
    return f"the ring from the tumour's edge to {region.radius_mm:g} mm outside it, in the tumour's {where}"
