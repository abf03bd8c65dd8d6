"""What of each feature set is IBSI-1's and what is not, in counts and sentences from ``features/ibsi.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from her2radiomics.core.libraries import pd
from her2radiomics.extraction import Parameters
from her2radiomics.extraction.ibsi import BIN_WIDTH, STATUSES, TEXTURE, aggregation, definitions
from her2radiomics.extraction.names import CLASSES, IMAGE_TYPES
from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.context import FeatureSet, Grid
from her2radiomics.report.info import RunInfo

if TYPE_CHECKING:
    from her2radiomics.study.protocol import Sequence

HEADINGS = {
    "ibsi": "As IBSI-1",
    "converted": "After conversion",
    "own": "Differs by setting",
    "absent": "Not in IBSI-1",
    "filtered": "Of filtered images",
}
_DIRECTIONS = {
    "ITBB": "features of the co-occurrence and run-length matrices are means over the 13 directions in 3-D",
    "JJUI": "features of the co-occurrence and run-length matrices are means over the four directions in the plane, "
    "each direction's matrix made of all slices (2.5-D)",
}
_ZONES = {"KOBO": "the other matrices are made in 3-D", "62GR": "the other matrices are made of all slices (2.5-D)"}


def feature_sets(
    table: pd.DataFrame, parameters: Mapping[str, Parameters], info: RunInfo
) -> tuple[Grid, tuple[FeatureSet, ...]]:
    """Features of each parameter file by their standing to IBSI-1, and what is special in each.

    ``table`` is ``features/ibsi.csv``; ``parameters`` are the files by their names without ending.
    """
    rows, sets = [], []
    for file in table["parameters"].drop_duplicates():
        part = table[table["parameters"] == file]
        counts = part["status"].value_counts()
        rows.append((file, str(len(part)), *(str(int(counts.get(status, 0))) for status in STATUSES)))
        served = [item for item in info.protocol.sequences.values() if item.parameters == file]
        labels = listing([item.label for item in served])
        remarks = _remarks(part, parameters[file], served)
        sets.append(FeatureSet(file, labels, _headline(part), remarks))
    return Grid(("Feature set", "Features", *HEADINGS.values()), tuple(rows)), tuple(sets)


def _headline(part: pd.DataFrame) -> str:
    """How many of the set are IBSI-1's."""
    same = int((part["status"] == "ibsi").sum())
    text = f"{same} of {len(part)} features per region comply with IBSI-1"
    converted = int((part["status"] == "converted").sum())
    return f"{text}, and {converted} more after a conversion." if converted else f"{text}."


def _remarks(part: pd.DataFrame, parameters: Parameters, served: list[Sequence]) -> tuple[str, ...]:
    remarks = (
        _images(part, parameters),
        _by_reason(part, "converted", "By conversion"),
        _by_reason(part, "absent", "Not in IBSI-1"),
        _by_reason(part, "own", "Differs by setting"),
        *_regions(part),
        _discretisation(part, parameters),
        _aggregated(part, parameters),
        *_grid(parameters, served),
        *_intensities(parameters, served),
    )
    return tuple(remark for remark in remarks if remark)


def _images(part: pd.DataFrame, parameters: Parameters) -> str:
    filtered = int((part["status"] == "filtered").sum())
    if not filtered:
        return ""
    kinds = [IMAGE_TYPES[kind].long for kind in parameters.image_types if kind != "Original"]
    return (
        f"Filtered images ({listing(kinds)}): the filters are PyRadiomics' own, older than IBSI-2 and not compared with its "
        f"reference values; the {filtered} features of them follow the same formulas, on images that IBSI does not define."
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
        label = CLASSES[str(kind)].long
        # but for spherical disproportion, which PyRadiomics computes on demand only
        if len(those) >= len(all_of_it) - (kind == "shape2D"):
            named.append(f"{label}, all {len(those)}")
        else:
            named.append(f"{label} {listing(list(those['name']))}")
    return named


def _regions(part: pd.DataFrame) -> list[str]:
    """Features that are IBSI-1's but where a region has voxels without neighbours."""
    reasons: dict[str, list[str]] = {}
    for kind, name in part.loc[part["status"] == "ibsi", ["kind", "name"]].itertuples(index=False):
        if why := definitions()[kind, name].why:
            reasons.setdefault(why, []).append(kind)
    return [
        f"Isolated voxels: {listing([CLASSES[kind].long for kind in dict.fromkeys(kinds)])} ({why})."
        for why, kinds in reasons.items()
    ]


def _discretisation(part: pd.DataFrame, parameters: Parameters) -> str:
    original = parameters.of_image("Original")
    binned = part[(part["status"] == "ibsi") & (part["grey_levels"] != "")]
    if binned.empty:
        return ""
    if (binned["grey_levels"] != BIN_WIDTH).all():
        return f"Discretisation: {original['binCount']} bins, as IBSI-1's fixed bin number."
    return (
        f"Discretisation: bins of width {original['binWidth']:g} start at the multiple of the width at or below the "
        f"region's minimum, where IBSI-1's fixed bin size starts at the minimum; {len(binned)} of the features that are "
        "IBSI-1's are computed from them (texture, entropy, uniformity)."
    )


def _aggregated(part: pd.DataFrame, parameters: Parameters) -> str:
    if not set(part["kind"]) & set(TEXTURE):
        return ""
    directions, zones = aggregation(parameters.settings)
    distances, weighted = parameters.settings["distances"], parameters.settings.get("weightingNorm")
    neighbours = "Neighbours are one voxel away"
    if list(distances) != [1]:
        neighbours = f"Neighbours are {listing([f'{distance:g}' for distance in distances])} voxels away"
    weights = f"weighted by distance ({weighted})" if weighted else "not weighted by distance"
    one_slice = "A region of one slice has the values of IBSI-1's 2-D methods (BTW3, 8QNN)."
    return (
        f"Aggregation of texture: {_DIRECTIONS[directions]} (IBSI:{directions}); {_ZONES[zones]} (IBSI:{zones}). "
        f"{neighbours}, {weights}. {one_slice}"
    )


def _grid(parameters: Parameters, served: list[Sequence]) -> list[str]:
    """Resampling by the parameter file, or by the protocol before extraction, or none."""
    if spacing := parameters.settings["resampledPixelSpacing"]:
        size = " × ".join(f"{value:g}" if value else "as acquired" for value in spacing)
        return [
            f"Resampling to {size} mm is PyRadiomics': the corners of the old and the new grid are aligned (IBSI-1: their "
            "centres), masks are interpolated by nearest neighbour (IBSI-1's reference configurations: linearly, with "
            "voxels kept from a half), and intensities are not rounded."
        ]
    lines = []
    by_mask: dict[str, list[str]] = {}
    for item in served:
        if item.preprocessing.resample:
            by_mask.setdefault(item.preprocessing.resample.mask, []).append(item.label)
    for mask, labels in by_mask.items():
        half = "linearly, with voxels kept from a half, as in IBSI-1"
        how = "by nearest neighbour" if mask == "nearest" else half
        lines.append(
            f"Resampling on {listing(labels)} aligns the centres of the old and the new grid, as IBSI-1 does; masks are "
            f"interpolated {how}, and intensities are not rounded."
        )
    as_acquired = [item.label for item in served if not item.preprocessing.resample]
    if as_acquired or not served:
        on = f" on {listing(as_acquired)}" if lines else ""
        lines.append(
            f"Voxels{on}: as acquired. IBSI-1 recommends interpolation to voxels of one size (isotropic in 3-D), so "
            "texture is comparable between images of one voxel size only."
        )
    return lines


def _intensities(parameters: Parameters, served: list[Sequence]) -> list[str]:
    """What was done to intensities beforehand, which IBSI-1 leaves to the study."""
    changed = [
        item.label
        for item in served
        for done in [item.preprocessing]
        if parameters.settings["normalize"] or done.n4 or done.subtract or done.clip or done.normalise
    ]
    if not changed:
        return []
    return [
        f"Intensities on {listing(changed)} were changed before extraction (see Feature extraction); IBSI-1 leaves that "
        "to the study, and values compare only with images treated alike."
    ]
