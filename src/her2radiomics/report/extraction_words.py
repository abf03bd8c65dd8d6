"""Regions, preprocessing and feature extraction in the wording of a methods section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from her2radiomics.core.libraries import pd
from her2radiomics.core.measures import Measured
from her2radiomics.extraction import Parameters
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.names import CLASSES, IMAGE_TYPES, INTERPOLATORS, region_phrase
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.imaging.preprocessing_settings import BiasField, Normalise, Preprocessing, Resample, Resegment
from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.stated_words import readers
from her2radiomics.report.words import upper_first

if TYPE_CHECKING:
    from her2radiomics.study.protocol import Sequence

WITHIN = {
    "auto": "the breast mask where there was one, else the foreground, the voxels above Li's threshold",
    "breast": "the breast mask",
    "foreground": "the foreground, the voxels above Li's threshold",
    "image": "the whole image",
}


def regions(info: RunInfo) -> tuple[str, ...]:
    """Who outlined what, and which regions were made from the outlines."""
    if not info.extracted:
        return ()
    outlined = [line.rstrip(".") for line in info.protocol.delineation]
    lines = [f"{'. '.join(map(upper_first, outlined))}."] if outlined else []
    lines += readers(info)
    by_regions: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    for item in info.protocol.sequences.values():
        by_regions.setdefault((tuple(item.regions), item.slice_of), []).append(item.label)
    for (names, other), sequences in by_regions.items():
        what = listing([region_phrase(name) for name in names])
        level = (
            f"; the slice was the outlined one at the level of the largest slice on {info.protocol.sequence_label(other)}"
            if other
            else ""
        )
        lines.append(f"On {listing(sequences)} the region of interest was {what}{level}.")
    if any("ring_" in name for names, _ in by_regions for name in names):
        lines.append(
            "A ring holds the voxels whose centre lies within that distance of a tumour voxel's centre, outside the "
            "tumour, inside the image and, where a breast mask was given, inside the breast."
        )
    who = "the consensus of the readers" if info.reference_reader == "consensus" else f"reader {info.reference_reader}"
    lines.append(
        f"Where several readers outlined a lesion, the segmentation of {who} was used for training and testing and the "
        "others for the analysis of agreement."
    )
    return (" ".join(lines),)


def extraction(info: RunInfo, parameters: Mapping[str, Parameters]) -> tuple[str, ...]:
    """Features of each parameter file and preprocessing: counts, image types and classes, and what is done to images."""
    if not info.extracted:
        return ("Features were supplied as a table; none was extracted from images.",)
    alike: dict[str, list[Sequence]] = {}
    for item in info.protocol.sequences.values():
        how = item.model_dump_json(include={"parameters", "preprocessing", "log_padding"})
        alike.setdefault(how, []).append(item)
    total = sum(item.features * len(item.regions) for item in info.protocol.sequences.values())
    paragraphs = []
    for items in alike.values():
        first, where = items[0], listing([item.label for item in items])
        text = f"With PyRadiomics, {first.features} features were extracted from each region on {where}"
        if len(alike) == 1:
            text += f" ({total} in all)"
        before = " ".join(preprocessing(first.preprocessing, info.protocol.sequence_label))
        what = _settings(parameters[first.parameters], first)
        paragraphs.append(" ".join(filter(None, (before, f"{text}.", what))))
    if len(alike) > 1:
        paragraphs.append(f"In total there were {total} features per patient.")
    return tuple(paragraphs)


def measured(info: RunInfo, table: pd.DataFrame) -> tuple[str, ...]:
    """What was measured from images, in which outline and how, and for how many patients.

    ``table`` is ``measured.csv``; without rows nothing is said.
    """
    lines = []
    for name, rows in table.groupby("column", sort=False):
        column = info.protocol.columns[str(name)]
        assert column.measured is not None  # or it would have no rows
        item = column.measured
        what = f"{column.label} was measured in the outline on {info.protocol.sequence_label(item.sequence)}"
        lines.append(f"{what}: {_measure_phrase(item)} ({item.about.source}).")
        counts = rows["origin"].value_counts()
        for origin, said in (
            ("participants table", "the value of the participants table was taken"),
            ("missing", "the value is missing"),
        ):
            if count := int(counts.get(origin, 0)):
                patients = "1 patient" if count == 1 else f"{count} patients"
                lines.append(f"In {patients} the images allowed no measurement, and {said}.")
    return (" ".join(lines),) if lines else ()


def _measure_phrase(item: Measured) -> str:
    """Definition and settings of a measure."""
    text = item.about.definition
    if item.needs == "phases":
        late = "the last phase" if item.late is None else f"{item.late:g} s"
        text += f"; early time {item.early:g} s, late time {late}"
    if item.measure == "functional_tumour_volume" and (item.enhancing, item.ratio_above) != (70, 0):
        text += f"; here {item.enhancing:g} % and a ratio above {item.ratio_above:g}"
    if item.measure == "tic_type" and item.flat_within != 10:
        text += f"; here {item.flat_within:g} %"
    if item.adc_map:
        text += "; from the scanner's map"
    if item.adc_below:
        text += f"; voxels of {item.adc_below:g} {item.about.unit} and more were left out"
    if item.spot and item.needs == "phases":
        text += "; of the 3 × 3 voxels that enhanced most"
    return text


def _settings(parameters: Parameters, item: Sequence) -> str:
    setting, done = parameters.settings, item.preprocessing
    classes = [
        f"{CLASSES[name].long}{f' ({len(features)})' if features else ''}"
        for name, features in parameters.feature_classes.items()
    ]
    lines = [f"Image types: {listing([_image_type(kind, parameters) for kind in parameters.image_types])}."]
    sigmas = log_sigmas(item.log_padding)
    if sigmas != LOG_PADDING and "LoG" in parameters.image_types:
        lines.append(f"Laplacian-of-Gaussian filters saw {sigmas:g} σ around the regions.")
    lines.append(f"Feature classes: {listing(classes)}.")
    if setting.get("binCount"):
        lines.append(f"Grey levels were discretised to {setting['binCount']} bins.")
    else:
        lines.append(f"Grey levels were discretised with a bin width of {setting['binWidth']:g}.")
    if setting["force2D"]:
        lines.append("Texture was computed in the plane (2-D).")
    if spacing := setting["resampledPixelSpacing"]:
        size = " × ".join(f"{value:g}" for value in spacing)
        how = INTERPOLATORS.get(setting["interpolator"], setting["interpolator"])
        lines.append(f"Images were resampled to {size} mm ({how} interpolation).")
    elif not done.resample:
        lines.append("Images were not resampled.")
    if setting["normalize"]:
        lines.append(f"Intensities were normalised (scale {setting['normalizeScale']:g}).")
    elif not done.normalise:
        lines.append("Intensities were not normalised.")
    return " ".join(lines)


def _image_type(kind: str, parameters: Parameters) -> str:
    label, own = IMAGE_TYPES[kind].long, parameters.of_image(kind)
    if kind == "LoG" and own.get("sigma"):
        label += f" (σ {listing([f'{sigma:g}' for sigma in own['sigma']])} mm)"
    if kind == "Wavelet":
        label += f" ({own['wavelet']}, {'in the plane' if own['force2D'] else '3-D'})"
    return label


def preprocessing(done: Preprocessing, label_of: Callable[[str], str]) -> list[str]:
    """Sentences on what was done before features were extracted, in the order in which it was done.

    Parameters
    ----------
    done
        A sequence's preprocessing.
    label_of
        Printed name of a sequence.
    """
    lines = []
    if done.resample_mask:
        lines.append(
            "Masks drawn on another grid than their image's were resampled onto it by physical coordinates "
            "(nearest neighbour)."
        )
    if done.n4:
        lines.append(_bias_field(done.n4, also=label_of(done.subtract) if done.subtract else ""))
    if done.subtract:
        lines.append(_subtraction(done, label_of(done.subtract)))
    if done.clip:
        lines.append(
            f"Intensities were clipped to their {_ordinal(done.clip.low)} and {_ordinal(done.clip.high)} percentiles in "
            f"{WITHIN[done.clip.within]}."
        )
    if done.normalise:
        lines.append(_normalisation(done.normalise))
    if done.resample:
        lines.append(_resampling(done.resample))
    if done.round:
        lines.append("Intensities were rounded to whole units.")
    if done.resegment:
        lines.append(_resegmentation(done.resegment))
    return lines


def _bias_field(step: BiasField, also: str) -> str:
    counts = listing([str(count) for count in step.iterations])
    text = (
        f"Bias fields were corrected with N4 (fitted within {WITHIN[step.within]}; shrink factor "
        f"{step.shrink_factor}, at most {counts} iterations, convergence threshold {step.convergence:g}, "
        f"{step.control_points} control points along each axis at the first level)"
    )
    return f"{text}; the image of {also} was divided by the same field." if also else f"{text}."


def _subtraction(done: Preprocessing, label: str) -> str:
    if done.subtract_as == "difference":
        return f"The image of {label} was subtracted; negative differences were kept."
    return (
        f"Intensities were expressed as enhancement relative to {label} in percent, with denominators of at least its "
        "foreground threshold (Li)."
    )


def _normalisation(step: Normalise) -> str:
    text = (
        f"Intensities were normalised to z-scores (mean and standard deviation of the voxels in {WITHIN[step.within]})"
    )
    then = [f"multiplied by {step.scale:g}"] if step.scale != 1 else []
    then += [f"shifted by {step.shift:g}"] if step.shift else []
    return f"{text}, {' and '.join(then)}." if then else f"{text}."


def _resampling(step: Resample) -> str:
    size = " × ".join("unchanged" if value is None else f"{value:g}" for value in step.spacing_mm)
    mask = "nearest neighbour" if step.mask == "nearest" else "linear interpolation cut at 0.5"
    return (
        f"Images were resampled to {size} mm ({INTERPOLATORS[step.interpolator]} interpolation) about the centre of "
        f"the field of view, masks by {mask}."
    )


def _resegmentation(step: Resegment) -> str:
    ends = [f"at least {step.low:g}"] if step.low is not None else []
    ends += [f"at most {step.high:g}"] if step.high is not None else []
    if step.outliers_sd is not None:
        ends.append(f"within {step.outliers_sd:g} standard deviations of the region's mean")
    text = f"First-order and texture features used voxels of {' and '.join(ends)} (re-segmentation); shape used all"
    return f"{text}. Bins started at {step.low:g}." if step.bins_from_low else f"{text}."


def _ordinal(value: float) -> str:
    """A percentile as printed: 1st, 2nd, 97.5th."""
    ending = "th"
    if float(value).is_integer() and int(value) % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(value) % 10, "th")
    return f"{value:g}{ending}"
