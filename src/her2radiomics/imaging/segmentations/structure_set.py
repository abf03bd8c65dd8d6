"""DICOM structure sets (RTSTRUCT): contours on the slices of an image, rasterised on its grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import pydicom, sitk, skimage
from her2radiomics.imaging.checks import check_mask
from her2radiomics.imaging.labels import Segment, choose_segment
from her2radiomics.imaging.placing import as_image
from her2radiomics.imaging.segmentations import Segmentation, reading, segmentation
from her2radiomics.imaging.segmentations.dicom_file import is_kind, only_file

STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"  # SOP class (DICOM PS3.6, table A-1)
OFF_PLANE = 0.2  # slices: contours are drawn on slices, and positions are rounded
DIGITS = 3  # of a voxel: contours that run through voxel centres do so after the rounding of their text, too
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@segmentation
class StructureSet(Segmentation):
    """RTSTRUCT, parsed by pydicom; points in polygons by scikit-image.

    No library does the whole: highdicom reads no structure sets, rt-utils is not maintained, and dicomrttool and rt-utils
    want the DICOM series, where our image may be a NIfTI file, round contours to whole pixels and need OpenCV.
    """

    name, files = "DICOM RTSTRUCT", "one file (`.dcm`), or a folder with it alone"

    def holds(self, path: Path) -> bool:
        """SOP class RT Structure Set."""
        return is_kind(path, STRUCTURE_SET)

    def read(self, path: Path, image: sitk.Image, label: int | str | None, *, resample: bool) -> tuple[sitk.Image, str]:
        """The structure by its name or number, rasterised on the image's own slices.

        A voxel is inside where its centre lies on a contour or within an odd number of them (holes, several components).
        """
        with reading(path, self.name):
            dataset = pydicom.dcmread(only_file(path) or path)
            chosen = choose_segment(_structures(dataset), label, path)
            contours = _contours(dataset, chosen, path)
            voxels = _rasterised(contours, image, path)
        check_mask(voxels, path)
        return as_image(voxels, image), ""


def _structures(dataset: Any) -> list[Segment]:
    """What the file has contours of, with the kind (GTV, ORGAN, EXTERNAL) that it says."""
    kinds = {
        item.get("ReferencedROINumber"): str(item.get("RTROIInterpretedType", ""))
        for item in dataset.get("RTROIObservationsSequence", [])
    }
    return [
        Segment((str(item.ROIName).strip(),), int(item.ROINumber), kinds.get(item.ROINumber, ""))
        for item in dataset.StructureSetROISequence
    ]


def _contours(dataset: Any, chosen: Segment, path: Path) -> list[np.ndarray]:
    """Closed contours of a structure, each ``(n, 3)`` in mm."""
    mine = [item for item in dataset.ROIContourSequence if int(item.ReferencedROINumber) == chosen.number]
    drawn = [contour for item in mine for contour in item.get("ContourSequence", [])]
    kinds = sorted({str(contour.ContourGeometricType) for contour in drawn} - {*CLOSED})
    found = [np.reshape([float(part) for part in contour.ContourData], (-1, 3)) for contour in drawn]
    odd = f"contours of the kind {', '.join(kinds)} in" if kinds else "no contour of" if not found else ""
    if odd:
        raise CaseError(
            found=f"{odd} structure {chosen.number}",
            quoted=chosen.names[0],
            expected="closed contours on the image's slices",
            remedy="Choose another structure by mask_label, or export closed contours.",
            file=path,
        )
    return found


def _rasterised(contours: list[np.ndarray], image: sitk.Image, path: Path) -> np.ndarray:
    """Voxels (z, y, x) inside contours: on one of them, or inside an odd number of those of the slice."""
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    placed = [np.linalg.solve(axes, (points - image.GetOrigin()).T).T for points in contours]
    spreads = np.max([np.ptp(points, axis=0) for points in placed], axis=0)
    across = int(spreads.argmin())
    heights = np.array([float(np.median(points[:, across])) for points in placed])
    off = max(float(np.abs(heights - np.round(heights)).max()), float(spreads[across]) / 2)
    size = np.array(image.GetSize())
    ends = np.array([[points.min(axis=0), points.max(axis=0)] for points in placed])
    if off > OFF_PLANE:
        raise _elsewhere(f"contours up to {off:.2g} slices off the image's slices", path)
    if ends.min() < -1 or np.any(ends.max(axis=(0, 1)) > size):
        raise _elsewhere("contours that leave the image", path)
    plane = [axis for axis in (2, 1, 0) if axis != across]
    shape = tuple(int(size[axis]) for axis in plane)
    inside = np.zeros((int(size[across]), *shape), np.uint8)
    edge = np.zeros(inside.shape, bool)
    for points, height in zip(placed, heights, strict=True):
        corners = np.round(points[:, plane], DIGITS)
        low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        window = tuple(
            slice(a, min(b, n)) for a, b, n in zip(low, corners.max(axis=0).astype(int) + 2, shape, strict=True)
        )
        spans = tuple(part.stop - part.start for part in window)
        # 0 outside, 1 inside, 2 at a corner, 3 on an edge
        kind = skimage.measure.grid_points_in_poly(spans, corners - low, binarize=False)
        number = round(height)
        inside[number][window] ^= kind == 1
        edge[number][window] |= kind > 1
    voxels = (inside != 0) | edge
    return np.ascontiguousarray(np.moveaxis(voxels, 0, 2 - across))


def _elsewhere(found: str, path: Path) -> CaseError:
    return CaseError(
        found=found,
        expected="contours on the slices of the image that they were drawn on",
        remedy="Name that very series as the image: contours hold for its slices alone.",
        file=path,
    )
