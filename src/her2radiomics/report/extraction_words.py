"""Regions and feature extraction in the wording of a methods section, from the PyRadiomics parameter files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.preprocessing_words import preprocessing
from her2radiomics.report.stated_words import readers
from her2radiomics.report.words import lower_first

IMAGE_TYPES = {
    "Original": "original",
    "Wavelet": "wavelet",
    "LoG": "Laplacian of Gaussian",
    "Square": "square",
    "SquareRoot": "square root",
    "Logarithm": "logarithm",
    "Exponential": "exponential",
    "Gradient": "gradient magnitude",
    "LBP2D": "2-D local binary pattern",
    "LBP3D": "3-D local binary pattern",
}
CLASSES = {
    "shape": "3-D shape",
    "shape2D": "2-D shape",
    "firstorder": "first-order",
    "glcm": "grey-level co-occurrence matrix",
    "glrlm": "grey-level run-length matrix",
    "glszm": "grey-level size-zone matrix",
    "gldm": "grey-level dependence matrix",
    "ngtdm": "neighbouring grey-tone difference matrix",
}
INTERPOLATORS = {
    "sitkBSpline": "B-spline",
    "sitkLinear": "linear",
    "sitkNearestNeighbor": "nearest-neighbour",
}


def region_phrase(region: str) -> str:
    """A region of interest in words: ``ring_3mm_slice`` is the 3 mm ring around the tumour in its largest slice."""
    what, extent = region.rsplit("_", 1)
    where = "largest slice" if extent == "slice" else "whole volume"
    if what == "tumour":
        return f"the tumour in its {where}"
    width = what.removeprefix("ring_").removesuffix("mm")
    return f"the ring from the tumour's edge to {width} mm outside it, in the tumour's {where}"


def regions(info: RunInfo) -> tuple[str, ...]:
    """Who outlined what, and which regions were made from the outlines."""
    if not info.extracted:
        return ()
    outlined = [line.rstrip(".") for line in info.get("delineation", [])]
    lines = [f"Delineation: {'; '.join(map(lower_first, outlined))}."] if outlined else []
    lines += readers(info)
    by_regions: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    for item in info.get("sequences", {}).values():
        by_regions.setdefault((tuple(item["regions"]), item.get("slice_of")), []).append(item["label"])
    for (names, other), sequences in by_regions.items():
        what = listing([region_phrase(name) for name in names])
        level = (
            f"; the slice was the outlined one at the level of the largest slice on {info.sequence_label(other)}"
            if other
            else ""
        )
        lines.append(f"On {listing(sequences)} the region of interest was {what}{level}.")
    if any("ring_" in name for names, _ in by_regions for name in names):
        lines.append(
            "A ring holds the voxels whose centre lies within that distance of a tumour voxel's centre, outside the "
            "tumour, inside the image and, where a breast mask was given, inside the breast."
        )
    who = (
        "the consensus of the readers"
        if info.reference_reader == "consensus"
        else f"reader {info.reference_reader}"
    )
    lines.append(
        f"Where several readers outlined a lesion, the region of {who} trained and tested the models; the others served "
        "the analysis of agreement."
    )
    return (" ".join(lines),)


def extraction(info: RunInfo, parameters: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Features of each parameter file and preprocessing: counts, image types and classes, and what is done to images."""
    if not info.extracted:
        return ("The features were brought as a table; none was extracted from images here.",)
    sequences = info.get("sequences", {})
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, item in sequences.items():
        before = json.dumps([item.get("preprocessing"), item.get("log_padding")], sort_keys=True)
        alike.setdefault((item["parameters"], before), []).append(name)
    total = sum(item["features"] * len(item["regions"]) for item in sequences.values())
    paragraphs = []
    for (file, _), names in alike.items():
        items = [sequences[name] for name in names]
        where = listing([item["label"] for item in items])
        text = f"With PyRadiomics, {items[0]['features']} features were extracted from each region on {where}"
        if len(alike) == 1:
            text += f" ({total} in all)"
        before = " ".join(preprocessing(items[0], info.sequence_label))
        what = _settings(parameters.get(file, {}), items[0])
        paragraphs.append(" ".join(filter(None, (before, f"{text}.", what))))
    if len(alike) > 1:
        paragraphs.append(f"In all there were {total} features a patient.")
    return tuple(paragraphs)


def _settings(content: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    if not content:
        return ""
    setting = content.get("setting") or {}
    kinds = [
        _image_type(name, {**setting, **(own or {})})
        for name, own in (content.get("imageType") or {}).items()
    ]
    classes = [
        f"{CLASSES.get(name, name)}{f' ({len(features)})' if features else ''}"
        for name, features in (content.get("featureClass") or {}).items()
    ]
    done = item.get("preprocessing") or {}
    lines = []
    if kinds:
        lines.append(f"Image types: {listing(kinds)}.")
    sigmas = log_sigmas(item.get("log_padding", LOG_PADDING))
    if sigmas != LOG_PADDING and "LoG" in (content.get("imageType") or {}):
        lines.append(f"Laplacian-of-Gaussian filters saw {sigmas:g} σ around the regions.")
    if classes:
        lines.append(f"Feature classes: {listing(classes)}.")
    if setting.get("binCount"):
        lines.append(f"Grey levels were discretised to {setting['binCount']} bins.")
    else:
        lines.append(f"Grey levels were discretised with a bin width of {setting.get('binWidth', 25):g}.")
    if setting.get("force2D"):
        lines.append("Texture was computed in the plane (2-D).")
    spacing = setting.get("resampledPixelSpacing")
    if spacing:
        size = " × ".join(f"{value:g}" for value in spacing)
        how = INTERPOLATORS.get(setting.get("interpolator", "sitkBSpline"), setting.get("interpolator"))
        lines.append(f"Images were resampled to {size} mm ({how} interpolation).")
    elif not done.get("resample"):
        lines.append("Images were not resampled.")
    if setting.get("normalize"):
        lines.append(f"Intensities were normalised (scale {setting.get('normalizeScale', 1):g}).")
    elif not done.get("normalise"):
        lines.append("Intensities were not normalised.")
    return " ".join(lines)


def _image_type(name: str, own: Mapping[str, Any]) -> str:
    label = IMAGE_TYPES.get(name, name)
    if name == "LoG" and own.get("sigma"):
        label += f" (σ {listing([f'{sigma:g}' for sigma in own['sigma']])} mm)"
    if name == "Wavelet":
        label += f" ({own.get('wavelet', 'coif1')}, {'in the plane' if own.get('force2D') else '3-D'})"
    return label
