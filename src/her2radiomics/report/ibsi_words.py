"""What of each feature set is IBSI-1's and what is not, in counts and sentences from ``features/ibsi.csv``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from her2radiomics.core.libraries import pd
from her2radiomics.extraction.ibsi import BIN_WIDTH, STATUSES, aggregation, definitions
from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.context import FeatureSet, Grid
from her2radiomics.report.extraction_words import CLASSES, IMAGE_TYPES
from her2radiomics.report.info import RunInfo

HEADINGS = {
    "ibsi": "As IBSI-1",
    "converted": "After conversion",
    "own": "Other by a setting",
    "absent": "Not in IBSI-1",
    "filtered": "Of filtered images",
}
_DIRECTIONS = {
    "ITBB": "features of the co-occurrence and run-length matrices are means over the 13 directions in 3-D",
    "JJUI": "features of the co-occurrence and run-length matrices are means over the four directions in the plane, "
    "each direction's matrix made of all slices (2.5-D)",
}
_ZONES = {
    "KOBO": "the other matrices are made in 3-D",
    "62GR": "the other matrices are made of all slices (2.5-D)",
}


def feature_sets(
    table: pd.DataFrame, parameters: Mapping[str, Mapping[str, Any]], info: RunInfo
) -> tuple[Grid, tuple[FeatureSet, ...]]:
    """Counts and remarks of a run's feature sets.

    Parameters
    ----------
    table
        ``features/ibsi.csv``.
    parameters
        Content of each PyRadiomics parameter file, by its name without ending.
    info
        The run, for the sequences that each file serves.

    Returns
    -------
    tuple
        A table with a row a parameter file and the number of features of each standing, and what stands out in each.
    """
    rows, sets = [], []
    for file in table["parameters"].drop_duplicates():
        part = table[table["parameters"] == file]
        counts = part["status"].value_counts()
        rows.append((file, str(len(part)), *(str(int(counts.get(status, 0))) for status in STATUSES)))
        served = [item for item in info.get("sequences", {}).values() if item["parameters"] == file]
        labels = listing([item["label"] for item in served])
        remarks = _remarks(part, parameters.get(file, {}), served)
        sets.append(FeatureSet(file, labels, _headline(part), remarks))
    return Grid(("Feature set", "Features", *HEADINGS.values()), tuple(rows)), tuple(sets)


def _headline(part: pd.DataFrame) -> str:
    """How many of the set are IBSI-1's."""
    same = int((part["status"] == "ibsi").sum())
    text = f"{same} of {len(part)} features a region are those of IBSI-1"
    converted = int((part["status"] == "converted").sum())
    return f"{text}, and {converted} more after a conversion." if converted else f"{text}."


def _remarks(
    part: pd.DataFrame, content: Mapping[str, Any], served: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    setting = content.get("setting") or {}
    original = {**setting, **((content.get("imageType") or {}).get("Original") or {})}
    remarks = (
        _images(part, content),
        _by_reason(part, "converted", "By conversion"),
        _by_reason(part, "absent", "Not in IBSI-1"),
        _by_reason(part, "own", "Other by a setting"),
        *_regions(part),
        _discretisation(part, original),
        _aggregated(part, setting),
        *_grid(setting, served),
        *_intensities(setting, served),
    )
    return tuple(remark for remark in remarks if remark)


def _images(part: pd.DataFrame, content: Mapping[str, Any]) -> str:
    filtered = int((part["status"] == "filtered").sum())
    if not filtered:
        return ""
    kinds = [IMAGE_TYPES.get(name, name) for name in content.get("imageType") or {} if name != "Original"]
    which = f" ({listing(kinds)})" if kinds else ""
    return (
        f"Filtered images{which}: the filters are PyRadiomics' own, older than IBSI-2 and not held against its reference "
        f"values; the {filtered} features of them follow the same formulas, on images that IBSI does not define."
    )


def _by_reason(part: pd.DataFrame, status: str, what: str) -> str:
    """The features of a status, with the reason of each group."""
    groups = part[part["status"] == status].groupby("why", sort=False)
    lines = [f"{listing(_features(rows))} ({reason})" for reason, rows in groups]
    return f"{what}: {'; '.join(lines)}." if lines else ""


def _features(rows: pd.DataFrame) -> list[str]:
    """Class and names of features; a class that is there as a whole is named alone."""
    named = []
    for kind, those in rows.groupby("kind", sort=False):
        all_of_it = {name for k, name in definitions() if k == kind}
        label = CLASSES.get(str(kind), str(kind))
        deprecated = (
            1 if kind == "shape2D" else 0
        )  # spherical disproportion, which PyRadiomics computes on demand only
        if len(those) >= len(all_of_it) - deprecated:
            named.append(f"{label}, all {len(those)}")
        else:
            named.append(f"{label} {listing(list(those['name']))}")
    return named


def _regions(part: pd.DataFrame) -> list[str]:
    """Features that are IBSI-1's but on odd regions."""
    reasons: dict[str, list[str]] = {}
    for kind, name in part.loc[part["status"] == "ibsi", ["kind", "name"]].itertuples(index=False):
        if why := definitions()[kind, name].why:
            reasons.setdefault(why, []).append(kind)
    return [
        f"Odd regions: {listing([CLASSES[kind] for kind in dict.fromkeys(kinds)])} ({why})."
        for why, kinds in reasons.items()
    ]


def _discretisation(part: pd.DataFrame, original: Mapping[str, Any]) -> str:
    binned = part[(part["status"] == "ibsi") & (part["grey_levels"] != "")]
    if binned.empty:
        return ""
    if (binned["grey_levels"] != BIN_WIDTH).all():
        return f"Discretisation: {original['binCount']} bins, as IBSI-1's fixed bin number."
    return (
        f"Discretisation: bins of width {original.get('binWidth', 25):g} start at the multiple of the width at or below the "
        f"region's minimum, where IBSI-1's fixed bin size starts at the minimum; {len(binned)} of the features that are "
        "IBSI-1's are computed from them (texture, entropy, uniformity)."
    )


def _aggregated(part: pd.DataFrame, setting: Mapping[str, Any]) -> str:
    if not set(part["kind"]) & {"glcm", "glrlm", "glszm", "gldm", "ngtdm"}:
        return ""
    directions, zones = aggregation(setting)
    neighbours = "Neighbours are one voxel away"
    if list(setting.get("distances") or [1]) != [1]:
        neighbours = f"Neighbours are {listing([f'{d:g}' for d in setting['distances']])} voxels away"
    weighted = setting.get("weightingNorm")
    weights = f"weighted by distance ({weighted})" if weighted else "not weighted by distance"
    one_slice = "A region of one slice has the values of IBSI-1's 2-D methods (BTW3, 8QNN)."
    return (
        f"Aggregation of texture: {_DIRECTIONS[directions]} (IBSI:{directions}); {_ZONES[zones]} (IBSI:{zones}). "
        f"{neighbours}, {weights}. {one_slice}"
    )


def _grid(setting: Mapping[str, Any], served: Sequence[Mapping[str, Any]]) -> list[str]:
    """Resampling by the parameter file, or by the protocol before extraction, or none."""
    spacing = setting.get("resampledPixelSpacing")
    if spacing:
        size = " × ".join(f"{value:g}" if value else "as acquired" for value in spacing)
        return [
            f"Resampling to {size} mm is PyRadiomics': the corners of the old and the new grid are aligned (IBSI-1: their "
            "centres), masks are interpolated by nearest neighbour (IBSI-1's reference configurations: linearly, with "
            "voxels kept from a half), and intensities are not rounded."
        ]
    lines = []
    for mask, labels in _by_step(served, "resample", lambda step: step["mask"]).items():
        how = (
            "by nearest neighbour"
            if mask == "nearest"
            else "linearly, with voxels kept from a half, as in IBSI-1"
        )
        lines.append(
            f"Resampling on {listing(labels)} aligns the centres of the old and the new grid, as IBSI-1 does; masks are "
            f"interpolated {how}, and intensities are not rounded."
        )
    as_acquired = [item["label"] for item in served if not _done(item).get("resample")]
    if as_acquired or not served:
        on = f" on {listing(as_acquired)}" if lines else ""
        lines.append(
            f"Voxels{on}: as acquired. IBSI-1 recommends interpolation to voxels of one size (isotropic in 3-D), so "
            "texture is comparable between images of one voxel size only."
        )
    return lines


def _intensities(setting: Mapping[str, Any], served: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was done to intensities beforehand, which IBSI-1 leaves to the study."""
    steps = ("n4", "subtract", "clip", "normalise")
    changed = [item["label"] for item in served if any(_done(item).get(step) for step in steps)]
    if setting.get("normalize"):
        changed = [item["label"] for item in served]
    if not changed:
        return []
    return [
        f"Intensities on {listing(changed)} were changed before extraction (see Feature extraction); IBSI-1 leaves that "
        "to the study, and values compare only with images treated alike."
    ]


def _done(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The protocol's preprocessing of a sequence."""
    return item.get("preprocessing") or {}


def _by_step(
    served: Sequence[Mapping[str, Any]], step: str, key: Callable[[Mapping[str, Any]], str]
) -> dict[str, list[str]]:
    """Labels of the sequences that have a preprocessing step, by one of its settings."""
    found: dict[str, list[str]] = {}
    for item in served:
        if _done(item).get(step):
            found.setdefault(key(_done(item)[step]), []).append(item["label"])
    return found
