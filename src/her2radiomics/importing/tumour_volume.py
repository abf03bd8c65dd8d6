"""UCSF's functional tumour volume, which I-SPY 1, I-SPY 2 and the NACT pilot keep in their maps: a mask from raw DICOM.

The collections hold a map of the signal enhancement ratio (SER), which is above 0 where the early enhancement passes the
collection's threshold, and the readers' box as private elements of UCSF's breast imaging group. Their tumour volume is the
first within the second: in the NACT pilot it has exactly as many voxels as the collection counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from her2radiomics.cohort.manifest import TUMOUR
from her2radiomics.core.errors import CaseError, SettingsError, StudyError
from her2radiomics.core.libraries import pydicom, sitk
from her2radiomics.imaging.formats.dicom import volumes
from her2radiomics.imaging.placing import place_mask
from her2radiomics.imaging.reading import read_image
from her2radiomics.importing.manifest import Mask, read_manifest, read_origins
from her2radiomics.importing.masks import finish, write_mask
from her2radiomics.importing.names import read_key
from her2radiomics.importing.outcome import Outcome, Target
from her2radiomics.importing.series import Series, find_series, instance_order, volumes_of

#: Private elements: creator, first and last voxel of the box (column, row, slice; from 0).
GROUP, CREATOR, START, END = 0x0117, "UCSF BIRP PRIVATE CREATOR 011710xx", 0xA1, 0xA2
_SER = re.compile(r":\s*SER\b")


def import_tumour_volume(folder: Path, target: Target, *, reader: str = "1") -> Outcome:
    """Write the functional tumour volume of every patient whose SER map and box are in a folder.

    Parameters
    ----------
    folder
        DICOM files of the collection.
    target
        The data's folder, with the manifest.
    reader
        Whose outline it is called.

    Raises
    ------
    StudyError
        There is no such map, no manifest, or no mask could be used.
    """
    rows = read_manifest(target.folder)
    series, _ = find_series(folder)
    maps = [item for item in series if item.derived and _SER.search(item.text("SeriesDescription"))]
    if not maps:
        raise SettingsError(
            f"{folder}: found no map of the signal enhancement ratio ('...: SER'); expected one per patient."
        )
    key, origins = read_key(target.folder), read_origins(target.folder)
    sources = {image: source.get("patient") for image, source in origins.items()}
    outcome, placed = Outcome(), list[Mask]()
    for item in maps:
        called = key.get(item.patient, item.patient)
        images = {row["image"]: row for row in rows if called in (row["patient_id"], sources.get(row["image"]))}
        try:
            drawn = _mask(folder, item)
            for image, row in images.items():
                outline, _ = place_mask(drawn, read_image(target.folder / image), 1, resample=False)
                mask = Mask(row["patient_id"], row["sequence"], reader, TUMOUR, "")
                rows, made, _ = write_mask(outline, mask, rows, target)
                placed.append(made)
        except StudyError as error:
            outcome.refused.append(f"{called}: {error}".replace(str(folder), "the DICOM folder"))
            continue
        count = int(np.count_nonzero(sitk.GetArrayViewFromImage(drawn)))
        outcome.said.append(f"{called}: functional tumour volume of {count} voxels on {_listed(images.values())}")
    if not placed:
        raise StudyError("\n".join(["no mask could be used", *outcome.refused]))
    finish(rows, placed, target, outcome)
    return outcome


def _listed(rows: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(row["sequence"] for row in rows) or "no image of the manifest"


def _mask(folder: Path, item: Series) -> sitk.Image:
    """The voxels of the map above 0 within the readers' box."""
    (volume,) = volumes_of(item)
    order = instance_order(volume)
    header = pydicom.dcmread(item.files[0], stop_before_pixels=True)
    try:
        block = header.private_block(GROUP, CREATOR)
        start, end = ([int(number) for number in block[element].value] for element in (START, END))
    except KeyError as error:
        raise CaseError(
            found="a map without the readers' box (UCSF's private elements)",
            expected="the box that the collection's tumour volume is counted in",
            remedy="Download the series again from the collection: some programs remove private elements.",
        ) from error
    if order is None or order[1] != 1:
        raise CaseError(
            found="a map whose slices are not numbered consecutively along its positions",
            expected="slices in the order that the box counts",
            remedy="Download the series again.",
        )
    ((_, ratio),) = volumes(folder, (), files=item.files)
    voxels = sitk.GetArrayFromImage(ratio) > 0
    first = order[0] - 1  # slices are counted from 0, InstanceNumber from 1
    inside = np.zeros_like(voxels)
    low, high = max(0, start[2] - first), max(0, end[2] - first + 1)
    inside[low:high, start[1] : end[1] + 1, start[0] : end[0] + 1] = True
    mask = sitk.GetImageFromArray((voxels & inside).astype(np.uint8))
    mask.CopyInformation(ratio)
    return mask
