"""Printed names of regions, image types, feature classes and interpolators, as figures and as sentences give them."""

from __future__ import annotations

import re
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
#: PyRadiomics' names of features that their capitals do not break into words.
_FEATURES = {
    "10Percentile": "10th percentile",
    "90Percentile": "90th percentile",
    "Id": "inverse difference",
    "Idn": "inverse difference normalised",
    "Idm": "inverse difference moment",
    "Idmn": "inverse difference moment normalised",
    "Imc1": "informational measure of correlation 1",
    "Imc2": "informational measure of correlation 2",
    "MCC": "maximal correlation coefficient",
    "Maximum2DDiameterSlice": "maximum 2-D diameter in the slice",
    "Maximum2DDiameterColumn": "maximum 2-D diameter in the column plane",
    "Maximum2DDiameterRow": "maximum 2-D diameter in the row plane",
    "Maximum3DDiameter": "maximum 3-D diameter",
}
_BRITISH = {"gray level": "grey-level", "non uniformity": "non-uniformity", "normalized": "normalised"}
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SIGMA = re.compile(r"log-sigma-(\d+)-(\d+)-mm-3D")
_EXTENTS = {"volume": "whole volume", "slice": "largest slice"}


def region_label(name: str) -> str:
    """A region of interest as a figure names it: ``3 mm peritumoural ring, largest slice``."""
    region = parse_region(name)
    what = "Tumour" if region.kind == "tumour" else f"{region.radius_mm:g} mm peritumoural ring"
    return f"{what}, {_EXTENTS[region.extent]}"


def region_phrase(name: str, radius: float | None = None) -> str:
    """A region of interest in a sentence: ``the tumour in its largest slice``; ``radius`` is printed for a ring's own."""
    region = parse_region(name)
    where = _EXTENTS[region.extent]
    if region.kind == "tumour":
        return f"the tumour in its {where}"
    edge = region.radius_mm if radius is None else radius
    return f"the ring from the tumour's edge to {edge:g} mm outside it, in the tumour's {where}"


def feature_words(name: str) -> str:
    """A feature in words: ``wavelet LH, first-order 90th percentile``; a name of another form as it is.

    Parameters
    ----------
    name
        PyRadiomics' name, ``wavelet-LH_firstorder_90Percentile``.
    """
    image, _, rest = name.partition("_")
    kind, _, feature = rest.partition("_")
    if not feature or kind not in CLASSES:
        return name.replace("_", " ")
    known = {key.lower(): printed.short for key, printed in IMAGE_TYPES.items()}
    if sigma := _SIGMA.fullmatch(image):
        filtered = f"{IMAGE_TYPES['LoG'].short} σ {float('.'.join(sigma.groups())):g} mm"
    else:
        parts = image.split("-")
        first = 2 if "".join(parts[:2]).lower() in known else 1
        whole = "".join(parts[:first])
        filtered = " ".join([known.get(whole.lower(), whole), *parts[first:]])
    short = CLASSES[kind].short
    group = short if short.isupper() else short[:1].lower() + short[1:]
    words = (word if word.isupper() and len(word) > 1 else word.lower() for word in _CAPITALS.split(feature))
    said = _FEATURES.get(feature) or " ".join(words)
    for american, british in _BRITISH.items():
        said = said.replace(american, british)
    return f"{filtered}, {group} {said}"
