"""Preprocessing in the wording of a methods section, from a sequence's settings in the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from her2radiomics.manuscript.formatting import listing

Step = Mapping[str, Any]
WITHIN = {
    "auto": "the breast mask where there was one, else the foreground, the voxels above Li's threshold",
    "breast": "the breast mask",
    "foreground": "the foreground, the voxels above Li's threshold",
    "image": "the whole image",
}
INTERPOLATORS = {"b_spline": "cubic B-spline", "linear": "linear", "nearest": "nearest-neighbour"}


def preprocessing(item: Step, label_of: Callable[[str], str]) -> list[str]:
    """Sentences on what was done before features were extracted, in the order in which it was done.

    Parameters
    ----------
    item
        A sequence of the protocol as plain data; without ``preprocessing`` nothing was done.
    label_of
        Printed name of a sequence.
    """
    done = item.get("preprocessing") or {}
    lines = []
    if done.get("resample_mask"):
        lines.append(
            "Masks drawn on another grid than their image's were resampled onto it by physical coordinates "
            "(nearest neighbour)."
        )
    if done.get("n4") is not None:
        lines.append(_bias_field(done["n4"], also=label_of(done["subtract"]) if done.get("subtract") else ""))
    if done.get("subtract"):
        lines.append(_subtraction(done, label_of(done["subtract"])))
    if done.get("clip") is not None:
        clip = done["clip"]
        lines.append(
            f"Intensities were clipped to their {_ordinal(clip['low'])} and {_ordinal(clip['high'])} percentiles in "
            f"{WITHIN[clip['within']]}."
        )
    if done.get("normalise") is not None:
        lines.append(_normalisation(done["normalise"]))
    if done.get("resample") is not None:
        lines.append(_resampling(done["resample"]))
    if done.get("round"):
        lines.append("Intensities were rounded to whole units.")
    if done.get("resegment") is not None:
        lines.append(_resegmentation(done["resegment"]))
    return lines


def _bias_field(step: Step, also: str) -> str:
    counts = listing([str(count) for count in step["iterations"]])
    text = (
        f"Bias fields were corrected with N4 (fitted within {WITHIN[step['within']]}; shrink factor "
        f"{step['shrink_factor']}, at most {counts} iterations, convergence threshold {step['convergence']:g}, "
        f"{step['control_points']} control points along each axis at the first level)"
    )
    return f"{text}; the image of {also} was divided by the same field." if also else f"{text}."


def _subtraction(done: Step, label: str) -> str:
    if done.get("subtract_as", "difference") == "difference":
        return f"The image of {label} was subtracted; negative differences were kept."
    return (
        f"Intensities were expressed as enhancement relative to {label} in percent, with denominators of at least its "
        "foreground threshold (Li)."
    )


def _normalisation(step: Step) -> str:
    text = (
        "Intensities were normalised to z-scores (mean and standard deviation of the voxels in "
        f"{WITHIN[step['within']]})"
    )
    then = [f"multiplied by {step['scale']:g}"] if step["scale"] != 1 else []
    then += [f"shifted by {step['shift']:g}"] if step["shift"] else []
    return f"{text}, {' and '.join(then)}." if then else f"{text}."


def _resampling(step: Step) -> str:
    size = " × ".join("unchanged" if value is None else f"{value:g}" for value in step["spacing_mm"])
    mask = "nearest neighbour" if step["mask"] == "nearest" else "linear interpolation cut at 0.5"
    return (
        f"Images were resampled to {size} mm ({INTERPOLATORS[step['interpolator']]} interpolation) about the centre of "
        f"the field of view, masks by {mask}."
    )


def _resegmentation(step: Step) -> str:
    low, high, deviations = (step.get(key) for key in ("low", "high", "outliers_sd"))
    bounds = []
    if low is not None or high is not None:
        ends = [f"at least {low:g}"] if low is not None else []
        bounds.append(" and ".join(ends + ([f"at most {high:g}"] if high is not None else [])))
    if deviations is not None:
        bounds.append(f"within {deviations:g} standard deviations of the region's mean")
    text = f"First-order and texture features used voxels of {' and '.join(bounds)} (re-segmentation); shape used all"
    return f"{text}. Bins started at {low:g}." if step.get("bins_from_low") else f"{text}."


def _ordinal(value: float) -> str:
    """A percentile as printed: 1st, 2nd, 97.5th."""
    ending = "th"
    if float(value).is_integer() and int(value) % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(value) % 10, "th")
    return f"{value:g}{ending}"
