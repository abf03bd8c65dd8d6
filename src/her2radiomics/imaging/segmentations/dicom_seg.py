"""DICOM segmentations (SEG): binary, label map, and fractional ones that are whole or nothing."""

from __future__ import annotations

from collections.abc import Sequence
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

    def read(
        self, path: Path, image: sitk.Image, label: int | str | None, *, resample: bool
    ) -> tuple[sitk.Image, str]:
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
            # a copy would convert the sequences of every frame twice
            content = highdicom.seg.Segmentation.from_dataset(dataset, copy=False)
            segments = [
                Segment(
                    (str(item.SegmentLabel),), int(item.SegmentNumber), item.segmented_property_type.meaning
                )
                for item in content.SegmentSequence
            ]
            chosen = choose_segment(segments, label, path)
            frames = _frames(content, chosen, len(segments), path)
        return place_parts(frames, image, resample=resample, file=path)


def _frames(content: Any, chosen: Segment, segments: int, path: Path) -> list[sitk.Image]:
    """Every frame of a segment that holds voxels, as an image of one slice."""
    voxels = content.get_stored_frames()
    labelled = content.segmentation_type.value == "LABELMAP"
    fractional = content.segmentation_type.value == "FRACTIONAL"
    full = int(content.MaximumFractionalValue) if fractional else 1
    shared = content.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in content else {}
    found: dict[tuple[float, ...], sitk.Image] = {}
    for frame, own in zip(voxels, content.PerFrameFunctionalGroupsSequence, strict=True):
        groups = [own, shared]
        if not labelled and _segment_of(groups, segments) not in (chosen.number, None):
            continue
        if not labelled and not np.isin(frame, (0, full)).all():
            raise CaseError(
                found=f"a fractional segmentation, with values between 0 and its maximum {full}",
                expected="a segmentation whose voxels are in the segment or not",
                remedy="Choose a threshold, say it in the methods, and export a binary segmentation.",
                file=path,
            )
        inside = frame == (chosen.number if labelled else full)
        part = _slice(inside, groups, path)
        if part.GetOrigin() in found and inside.any():
            raise CaseError(
                found="two frames of one segment at one position",
                expected="one frame a position",
                remedy="Export the segment again, each time point to a file of its own.",
                file=path,
            )
        if inside.any():
            found[part.GetOrigin()] = part
    if not found:
        raise CaseError(
            found=f"no voxel in the segment {chosen}",
            expected="an outline of the lesion",
            remedy="Choose another segment by mask_label, or export the segmentation again.",
            file=path,
        )
    return [*found.values()]


def _segment_of(groups: Sequence[Any], segments: int) -> int | None:
    """Number of the frame's segment; ``None`` where it names none since there is only one."""
    for group in groups:
        if "SegmentIdentificationSequence" in group:
            return int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    if segments == 1:
        return None
    raise ValueError("a frame that names no segment")


def _slice(inside: np.ndarray, groups: Sequence[Any], path: Path) -> sitk.Image:
    """A frame as an image of one slice, where its plane lies."""
    plane: dict[str, Any] = {}
    for group in reversed(groups):  # the frame's own values over those that all share
        for sequence in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"):
            if sequence in group:
                plane |= {element.keyword: element.value for element in group[sequence][0]}
    if not {"ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"} <= plane.keys():
        raise CaseError(
            found="a frame without position, orientation or pixel spacing",
            expected="all three of every frame",
            remedy="Export the segmentation again, on the image it was drawn on.",
            file=path,
        )
    rows, columns = np.reshape([float(part) for part in plane["ImageOrientationPatient"]], (2, 3))
    down, across = map(float, plane["PixelSpacing"])
    deep = float(plane.get("SpacingBetweenSlices") or plane.get("SliceThickness") or 1)
    part = sitk.GetImageFromArray(inside[None].astype(np.uint8))
    part.SetSpacing((across, down, abs(deep) or 1.0))
    part.SetOrigin([float(number) for number in plane["ImagePositionPatient"]])
    part.SetDirection(np.stack([rows, columns, np.cross(rows, columns)], axis=1).ravel().tolist())
    return part
