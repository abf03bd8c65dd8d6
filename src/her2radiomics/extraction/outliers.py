"""Images that are far from those of the other patients: units, intensities, field of view, spacing, plane, phase.

A distance is robust: the difference from the median of the sequence's images, in units of 1.4826 × the median absolute
deviation (MAD), which is the standard deviation of normal values (Leys et al., J Exp Soc Psychol 2013; 49: 764-766).
Sequences of one scanner have no deviation at all, so that the unit has a least size: differences below it are everyday
ones. What is far is warned about and kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from her2radiomics.core.libraries import pd

FAR = 5.0  # robust standard deviations
FEWEST = 6  # images of a sequence from which a median is one
LEAST_GEOMETRY = 0.05  # of the median: least unit of spacing and field of view
LEAST_INTENSITY = 0.1  # decades: least unit of positive intensities, a factor of 1.26
LEAST_SIGNED = 0.25  # of the median magnitude: least unit of intensities of both signs
CROP = 0.5  # of the median field of view, as a volume
MOST = 0.8  # share of a sequence's images that makes a plane or a file's name the usual one
UNITS = (10.0, 100.0, 1000.0, 1e6)  # factors between the units of maps
SCALED = "square, square root, logarithm and exponential images"
AXES = "xyz"


def warn_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Quality control with warnings of images far from the others of their sequence; failed rows stay as they are.

    Parameters
    ----------
    table
        ``qc.csv``, typed. A patient's image is judged by the first row of the sequence, which has its regions' reader.

    Returns
    -------
    pandas.DataFrame
        The same rows: of every row of such an image the ``status`` is *warned* and ``reason`` ends with the numbers.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    sound = table[table["status"] != "failed"]
    for case, reason in _copies(sound.drop_duplicates(["patient_id", "sequence"])):
        reasons.setdefault(case, []).append(reason)
    for sequence, rows in sound.groupby("sequence", sort=False):
        images = rows.drop_duplicates("patient_id").reset_index(drop=True)
        for patient, reason in [*_geometry(images), *_intensities(images), *_names(images)]:
            reasons.setdefault((patient, str(sequence)), []).append(reason)
        slices = rows["mask_slices"].dropna()
        if len(slices) and slices.median() > 1:
            for patient in rows.loc[rows["mask_slices"] == 1, "patient_id"].unique():
                reason = f"a mask of one slice, where the sequence's median is {slices.median():g} slices"
                reasons.setdefault((patient, str(sequence)), []).append(reason)
    table = table.copy()
    for (patient, sequence), found in reasons.items():
        mine = (table["patient_id"] == patient) & (table["sequence"] == sequence) & (table["status"] != "failed")
        table.loc[mine, "status"] = "warned"
        table.loc[mine, "reason"] = [
            "; ".join([*([reason] if reason else []), *found]) for reason in table.loc[mine, "reason"]
        ]
    return table


def robust_distance(values: np.ndarray, least: float) -> np.ndarray:
    """Signed distance of each value from the median, in robust standard deviations of at least ``least``."""
    middle = np.median(values)
    unit = max(1.4826 * float(np.median(np.abs(values - middle))), least)
    return (values - middle) / unit


def _geometry(images: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Spacings and fields of view that are far from the others', crops, and other planes."""
    if len(images) < FEWEST:
        return
    sizes, spacings = (
        np.array([[float(part) for part in cell.split("×")] for cell in images[name]])
        for name in ("size", "spacing_mm")
    )
    for what, values in (("spacing", spacings), ("field of view", sizes * spacings)):
        middle = np.median(values, axis=0)
        far = np.stack([robust_distance(values[:, axis], LEAST_GEOMETRY * middle[axis]) for axis in range(3)], axis=1)
        for row in np.flatnonzero(np.abs(far).max(axis=1) > FAR):
            axis = int(np.abs(far[row]).argmax())
            yield (
                images["patient_id"][row],
                f"{what} {values[row, axis]:.4g} mm along {AXES[axis]}, {_far(far[row, axis], middle[axis], len(images))}",
            )
    volumes = np.prod(sizes * spacings, axis=1)
    for row in np.flatnonzero(volumes < CROP * np.median(volumes)):
        yield (
            images["patient_id"][row],
            f"the image is a crop, {volumes[row] / np.median(volumes):.2f} of the sequence's median field of view: {SCALED} "
            "scale with the image's peak, so that crops and whole images are not interchangeable",
        )
    yield from _unusual(images, [*images["plane"]], "slices of the plane", "")


def _intensities(images: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Mean intensities of the region, and peaks of the image, that are far from the others'."""
    for name, what in (("mean", "mean intensity in the region"), ("image_peak", "peak of the image")):
        values = images[name].to_numpy(dtype=float)
        if len(values) < FEWEST or not np.isfinite(values).all():
            continue
        middle = float(np.median(values))
        if values.min() > 0:
            far = robust_distance(np.log10(values), LEAST_INTENSITY)
        else:
            far = robust_distance(values, LEAST_SIGNED * float(np.median(np.abs(values))) or 1.0)
        for row in np.flatnonzero(np.abs(far) > FAR):
            yield (
                images["patient_id"][row],
                f"{what} {values[row]:.4g}, {_far(far[row], middle, len(values))}{_units(values[row], middle)}",
            )


def _far(distance: float, middle: float, count: int) -> str:
    return f"{abs(distance):.1f} robust SD from the sequence's median {middle:.4g} ({count} images)"


def _units(value: float, middle: float) -> str:
    """What a difference by a power of ten may be."""
    ratio = max(value / middle, middle / value) if value * middle > 0 else 0.0
    for factor in UNITS:
        if factor / 2 < ratio < factor * 2:
            return f": a factor of about {factor:,.0f}, other units or a rescale slope that was lost?"
    return ": other units, another phase or another kind of image?"


def _names(images: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Files whose names differ from the sequence's others in a number alone, as those of another phase do."""
    named = [
        re.sub(re.escape(patient), "*", image, flags=re.IGNORECASE)
        for patient, image in zip(images["patient_id"], images["image"], strict=True)
    ]
    usual = Counter(named).most_common(1)[0][0]
    alike = [name if _shape(name) == _shape(usual) else usual for name in named]
    yield from _unusual(images, alike, "a file called", ": another phase?")


def _shape(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _unusual(images: pd.DataFrame, values: Sequence[str], what: str, guess: str) -> Iterator[tuple[str, str]]:
    """Patients whose text is another than that of most."""
    usual, count = Counter(values).most_common(1)[0]
    if len(values) < FEWEST or count < MOST * len(values):
        return
    for patient, value in zip(images["patient_id"], values, strict=True):
        if value != usual:
            yield (
                patient,
                f"{what} {value}, where {count} of {len(values)} images of the sequence have {usual}{guess}",
            )


def _copies(cases: pd.DataFrame) -> Iterator[tuple[tuple[str, str], str]]:
    """Patients and sequences whose region has the very numbers of another's, as one image under two names has."""
    numbers = ["voxels", "volume_ml", "minimum", "maximum", "mean", "image_peak"]
    for _, rows in cases.groupby(numbers, sort=False):
        same = [*zip(rows["patient_id"], rows["sequence"], strict=True)]
        for case in same if len(same) > 1 else []:
            others = ", ".join(
                f"{sequence} of patient {patient}" for patient, sequence in same if (patient, sequence) != case
            )
            yield case, f"the same numbers as {others}: one image under two names?"
