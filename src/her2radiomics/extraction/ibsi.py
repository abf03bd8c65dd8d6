"""How PyRadiomics' features relate to IBSI-1: codes, definitions that agree, and those that do not.

``ibsi.csv`` beside this module is the one list, for tests, tables and pages alike. Source: Zwanenburg et al., The
Image Biomarker Standardization Initiative, Radiology 295 (2020) 328-338, and its reference manual
(arXiv:1612.07003), whose four-character codes are given. The tests hold the list against the consensus values of
the digital phantom and against mirp.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from her2radiomics.extraction.parameters import Parameters

#: ``ibsi``: as IBSI-1 defines it; ``converted``: after a stated conversion; ``own``: IBSI-1's name with PyRadiomics'
#: own definition, by a setting; ``absent``: not in IBSI-1; ``filtered``: of an image filter of PyRadiomics' own.
Status = Literal["ibsi", "converted", "own", "absent", "filtered"]
STATUSES: tuple[Status, ...] = ("ibsi", "converted", "own", "absent", "filtered")

TEXTURE = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
#: First-order features of the discretised intensities.
HISTOGRAM = ("Entropy", "Uniformity")
BIN_WIDTH, BIN_COUNT = "fixed bin width", "fixed bin number"

_START = "bins start at the multiple of the bin width at or below the region's minimum, IBSI-1's at the minimum itself"
_FILTERED = "the image is filtered as PyRadiomics defines it, before IBSI-2 and without its reference values"


@dataclass(frozen=True)
class Definition:
    """A feature of PyRadiomics on an unfiltered image with PyRadiomics' default settings.

    Attributes
    ----------
    kind, name
        PyRadiomics' feature class and feature.
    code, tag, ibsi_name
        IBSI-1's permanent identifier, its tag in the tables of reference values, its name; empty where it is absent.
    status
        ``ibsi``, ``converted`` or ``absent``.
    why
        The conversion, why IBSI-1 has no such feature, or on which regions the two differ.
    """

    kind: str
    name: str
    code: str
    tag: str
    ibsi_name: str
    status: Status
    why: str


@dataclass(frozen=True)
class Standing:
    """How one feature of a parameter file relates to IBSI-1: its PyRadiomics name ``<image>_<class>_<name>`` and parts.

    ``code`` and ``ibsi_name`` are those of :class:`Definition`, ``status`` is one of :data:`STATUSES`; ``grey_levels`` says
    how intensities were discretised (empty where they were not), ``why`` what differs from IBSI-1.
    """

    feature: str
    image: str
    kind: str
    name: str
    code: str
    ibsi_name: str
    status: Status
    grey_levels: str
    why: str


@cache
def definitions() -> Mapping[tuple[str, str], Definition]:
    """Every feature that PyRadiomics computes, by class and name."""
    text = files("her2radiomics.extraction").joinpath("ibsi.csv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines()[1:])
    return {(kind, name): Definition(kind, name, *rest) for kind, name, *rest in rows}  # type: ignore[arg-type]


def standings(parameters: Parameters, *, bins_from_low: bool = False) -> tuple[Standing, ...]:
    """How every feature of a parameter file relates to IBSI-1, in PyRadiomics' order.

    A setting that departs from IBSI-1 (asymmetric or distance-weighted matrices, other distances than one voxel,
    shifted intensities) makes the features that it touches PyRadiomics' own. Resampling and the aggregation of
    texture are the file's, not a feature's, and are left to :func:`aggregation` and to words. ``bins_from_low`` says that
    bins start at the lower bound of re-segmentation, as IBSI-1 recommends.
    """
    original = parameters.of_image("Original")
    found = []
    for feature in parameters.feature_names:
        image, kind, name = feature.split("_", 2)
        known = definitions()[kind, name]
        levels = _grey_levels(kind, name, original)
        status, why = known.status, known.why
        if image != "original":
            status, why = "filtered", _FILTERED
        elif own := _departure(kind, name, original):
            status, why = (status, why) if status == "absent" else ("own", own)
        elif status == "ibsi" and levels == BIN_WIDTH and not bins_from_low:
            why = "; ".join(filter(None, (_START, why)))
        found.append(Standing(feature, image, kind, name, known.code, known.ibsi_name, status, levels, why))
    return tuple(found)


def aggregation(settings: Mapping[str, Any]) -> tuple[str, str]:
    """IBSI-1's codes of how texture is aggregated: of GLCM and GLRLM, and of GLSZM, GLDM and NGTDM.

    In 3-D: averaged over directions (ITBB), one matrix (KOBO). With ``force2D``, PyRadiomics takes the neighbours in
    the plane alone and all slices into one matrix a direction: 2.5-D, averaged over directions (JJUI), and 2.5-D
    (62GR). A region of one slice has the same values either way, and those of IBSI-1's 2-D methods (BTW3, 8QNN).
    """
    return ("JJUI", "62GR") if settings.get("force2D", False) else ("ITBB", "KOBO")


def counts(found: Sequence[Standing]) -> dict[Status, int]:
    """How many features have each status."""
    return {status: sum(item.status == status for item in found) for status in STATUSES}


def _grey_levels(kind: str, name: str, settings: Mapping[str, Any]) -> str:
    if kind not in TEXTURE and not (kind == "firstorder" and name in HISTOGRAM):
        return ""
    return BIN_WIDTH if settings.get("binCount") is None else BIN_COUNT


def _departure(kind: str, name: str, settings: Mapping[str, Any]) -> str:
    """What a setting makes of a feature that IBSI-1 defines otherwise; empty where none does."""
    if kind == "firstorder":
        shift = settings.get("voxelArrayShift", 0)
        return f"voxelArrayShift adds {shift:g} to intensities" if shift and name in _SHIFTED else ""
    if kind in ("glcm", "gldm", "ngtdm") and list(settings.get("distances", [1])) != [1]:
        return "IBSI-1's values are those of a distance of one voxel"
    if kind in ("glcm", "glrlm") and settings.get("weightingNorm") is not None:
        return "directions are weighted by distance"
    if kind == "glcm" and not settings["symmetricalGLCM"]:
        return "the co-occurrence matrix is not symmetric"
    return ""


_SHIFTED = ("Energy", "TotalEnergy", "RootMeanSquared")
