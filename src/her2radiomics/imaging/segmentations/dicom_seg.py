"""DICOM segmentations (SEG): binary, label map, and fractional ones that are whole or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import highdicom, pydicom, sitk
from her2radiomics.imaging.formats.itk_file import check_voxel_count
from her2radiomics.imaging.labels import Segment, choose_segment
from her2radiomics.imaging.placing import place_parts
from her2radiomics.imaging.segmentations import Segmentation, reading, segmentation
from her2radiomics.imaging.segmentations.dicom_file import is_kind, only_file

# SOP classes (DICOM PS3.6, table A-1)
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
SURFACE = "1.2.840.10008.5.1.4.1.1.66.5"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
#: Functional groups that say where a frame lies and what it shows.
GROUPS = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence", "SegmentIdentificationSequence")


@segmentation
class DicomSegmentation(Segmentation):
    """DICOM SEG by highdicom, which parses the object and unpacks its frames.

    Its own volumes (``get_volume``) need frames at even distances and refuse public files that omit empty ones, so that
    each frame is placed by its own position.
    """

    name, files = "DICOM SEG", "one file (`.dcm`), or a folder with it alone"

    def holds(self, path: Path) -> bool:
        """SOP class Segmentation, Label Map Segmentation or Surface Segmentation (which is refused)."""
        return is_kind(path, SEGMENTATION, LABEL_MAP, SURFACE)

    def read(self, path: Path, image: sitk.Image, label: int | str | None, *, resample: bool) -> tuple[sitk.Image, str]:
        """The segment by its label or number; each frame by its position; frames that are omitted are empty.

        A fractional segmentation is taken only where each voxel of the segment is 0 or the maximum.
        """
        with reading(path, self.name):
            dataset = pydicom.dcmread(only_file(path) or path)
            if dataset.SOPClassUID == SURFACE:
                raise CaseError(
                    found="a DICOM surface segmentation",
                    expected="one of voxels (SEG)",
                    remedy="Export the outline as a binary SEG or as NIfTI.",
                    file=path,
                )
            check_voxel_count([dataset.Columns, dataset.Rows, int(dataset.get("NumberOfFrames", 1))], path)
            planes = _planes(dataset, path)
            # a copy would convert the sequences of every frame twice
            content = highdicom.seg.Segmentation.from_dataset(dataset, copy=False)
            segments = [
                Segment((str(item.SegmentLabel),), int(item.SegmentNumber), item.segmented_property_type.meaning)
                for item in content.SegmentSequence
            ]
            chosen = choose_segment(segments, label, path)
            frames = _frames(content, chosen, planes, path)
        return place_parts(frames, image, resample=resample, file=path)


def _planes(dataset: Any, path: Path) -> list[dict[str, Any]]:
    """Of each frame its plane and its segment: its own values over those that all frames share."""
    planes = []
    for own in dataset.PerFrameFunctionalGroupsSequence:
        plane: dict[str, Any] = {}
        for group in (*dataset.get("SharedFunctionalGroupsSequence", []), own):
            for sequence in GROUPS:
                if sequence in group:
                    plane |= {element.keyword: element.value for element in group[sequence].value[0]}
        planes.append(plane)
        if not {"ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"} <= plane.keys():
            raise CaseError(
                found="a frame without position, orientation or pixel spacing",
                expected="all three of every frame",
                remedy="Export the segmentation again, on the image it was drawn on.",
                file=path,
            )
    return planes


def _frames(content: Any, chosen: Segment, planes: Sequence[Mapping[str, Any]], path: Path) -> list[sitk.Image]:
    """Every frame of a segment that holds voxels, as an image of one slice."""
    voxels = content.get_stored_frames()
    labelled = content.segmentation_type.value == "LABELMAP"
    fractional = content.segmentation_type.value == "FRACTIONAL"
    full = int(content.MaximumFractionalValue) if fractional else 1
    found: dict[tuple[float, ...], sitk.Image] = {}
    for frame, plane in zip(voxels, planes, strict=True):
        # old files of one segment do not name it in every frame
        number = plane.get("ReferencedSegmentNumber", chosen.number if len(content.SegmentSequence) == 1 else None)
        if not labelled and number != chosen.number:
            continue
        if not labelled and not np.isin(frame, (0, full)).all():
            raise CaseError(
                found=f"a fractional segmentation, with values between 0 and its maximum {full}",
                expected="a segmentation whose voxels are in the segment or not",
                remedy="Choose a threshold, report it in the methods, and export a binary segmentation.",
                file=path,
            )
        inside = frame == (chosen.number if labelled else full)
        part = _slice(inside, plane)
        if part.GetOrigin() in found and inside.any():
            raise CaseError(
                found="two frames of one segment at one position",
                expected="one frame per position",
                remedy="Export the segment again, each time point to a separate file.",
                file=path,
            )
        if inside.any():
            found[part.GetOrigin()] = part
    if not found:
        raise CaseError(
            found=f"no voxel in segment {chosen.number}",
            quoted=chosen.names[0],
            expected="an outline of the lesion",
            remedy="Choose another segment by mask_label, or export the segmentation again.",
            file=path,
        )
    return [*found.values()]


def _slice(inside: np.ndarray, plane: Mapping[str, Any]) -> sitk.Image:
    """A frame as an image of one slice, where its plane lies."""
    rows, columns = np.reshape([float(part) for part in plane["ImageOrientationPatient"]], (2, 3))
    down, across = map(float, plane["PixelSpacing"])
    deep = float(plane.get("SpacingBetweenSlices") or plane.get("SliceThickness") or 1)
    part = sitk.GetImageFromArray(inside[None].astype(np.uint8))
    part.SetSpacing((across, down, abs(deep) or 1.0))
    part.SetOrigin([float(number) for number in plane["ImagePositionPatient"]])
    part.SetDirection(np.stack([rows, columns, np.cross(rows, columns)], axis=1).ravel().tolist())
    return part
