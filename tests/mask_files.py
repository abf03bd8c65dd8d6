"""Masks as programs write them: DICOM SEG by highdicom, RTSTRUCT by pydicom, 3D Slicer's segmentations byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from skimage.measure import find_contours

STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = highdicom.seg.SegmentationTypeValues


def numbers(values) -> list[str]:
    """Decimal strings of at most 16 characters."""
    return [str(pydicom.valuerep.DSfloat(float(value), auto_format=True)) for value in values]


def header(sop_class: str) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = sop_class
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.PatientID = data.PatientName = "P042"
    for name in "StudyDate StudyTime AccessionNumber ReferringPhysicianName PatientBirthDate PatientSex".split():
        setattr(data, name, "")
    data.StudyID, data.SeriesNumber = "1", 1
    return data


def series(image: sitk.Image) -> list[Dataset]:
    """The slices of a classic MR series on an image's grid, as segmentations refer to them; without voxels."""
    study, own, frame = generate_uid(), generate_uid(), generate_uid()
    x, y, count = image.GetSize()
    axes = np.reshape(image.GetDirection(), (3, 3))
    slices = []
    for number in range(count):
        data = header(MRImageStorage)
        data.Modality, data.Manufacturer = "MR", "Maker"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, own, frame
        data.InstanceNumber = number + 1
        data.ImageType = ["ORIGINAL", "PRIMARY"]
        data.SliceThickness = data.SpacingBetweenSlices = numbers([image.GetSpacing()[2]])[0]
        data.PixelSpacing = numbers([image.GetSpacing()[1], image.GetSpacing()[0]])
        data.ImageOrientationPatient = numbers([*axes[:, 0], *axes[:, 1]])
        data.ImagePositionPatient = numbers(image.TransformIndexToPhysicalPoint((0, 0, number)))
        data.Rows, data.Columns = y, x
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        slices.append(data)
    return slices


def dicom_seg(
    image: sitk.Image,
    masks: dict[str, np.ndarray],
    *,
    kind: SEGMENTATION = SEGMENTATION.BINARY,
    omit: bool = True,
    types: Sequence = (codes.SCT.Tissue,),
    first: Dataset | None = None,
) -> highdicom.seg.Segmentation:
    """A segmentation with a segment for each mask (z, y, x), called as it is."""
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number + 1,
            segment_label=name,
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=types[number % len(types)],
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, name in enumerate(masks)
    ]
    stacked = np.stack([*masks.values()], axis=-1)
    return highdicom.seg.Segmentation(
        source_images=series(image),
        pixel_array=stacked,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
        manufacturer_model_name="Model",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=omit,
    )


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Contours half-way between the voxels inside and outside, each as indices (x, y, z)."""
    found = []
    for number in np.flatnonzero(mask.any(axis=(1, 2))):
        for contour in find_contours(np.pad(mask[number].astype(float), 1), 0.5):
            points = contour[:-1] - 1
            found.append(np.column_stack([points[:, 1], points[:, 0], np.full(len(points), number)]))
    return found


def structure_set(
    path: Path, image: sitk.Image, structures: dict[str, list[np.ndarray]], kind: str = "CLOSED_PLANAR"
) -> Path:
    """A structure set with the contours of each structure, given as indices (x, y, z) of the image."""
    data = header(STRUCTURE_SET)
    data.Modality, data.StructureSetLabel = "RTSTRUCT", "outlines"
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(structures.items(), start=1):
        roi, drawn, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, generate_uid()
        roi.ROIGenerationAlgorithm = "MANUAL"
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = []
        for points in contours:
            contour = Dataset()
            places = [image.TransformContinuousIndexToPhysicalPoint(point.tolist()) for point in points.astype(float)]
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
            contour.ContourData = numbers(np.ravel(places))
            drawn.ContourSequence.append(contour)
        observed.ObservationNumber = observed.ReferencedROINumber = number
        observed.RTROIInterpretedType, observed.ROIInterpreter = "", ""
        data.StructureSetROISequence.append(roi)
        data.ROIContourSequence.append(drawn)
        data.RTROIObservationsSequence.append(observed)
    data.save_as(path, enforce_file_format=True)
    return path


def slicer(
    path: Path,
    image: sitk.Image,
    layers: Sequence[np.ndarray],
    segments: Sequence[tuple[str, int, int]],
    offset: Sequence[float] = (0, 0, 0),
) -> Path:
    """A ``.seg.nrrd``: layers (z, y, x), and of each segment its name, layer and value; ``offset`` in voxels (x, y, z)."""
    axes = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()).T
    origin = image.TransformContinuousIndexToPhysicalPoint([float(part) for part in offset])
    several = len(layers) > 1
    sizes = [*([len(layers)] if several else []), *layers[0].shape[::-1]]

    def vector(values) -> str:
        return f"({','.join(repr(float(value)) for value in values)})"

    lines = [
        "NRRD0004",
        "type: unsigned char",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {'none ' * several}{' '.join(map(vector, axes))}",
        f"kinds: {'list ' * several}domain domain domain",
        "encoding: raw",
        f"space origin: {vector(origin)}",
        "Segmentation_MasterRepresentation:=Binary labelmap",
    ]
    for number, (name, layer, value) in enumerate(segments):
        lines += [f"Segment{number}_ID:=Segment_{number + 1}", f"Segment{number}_Name:={name}"]
        lines += [f"Segment{number}_LabelValue:={value}", f"Segment{number}_Layer:={layer}"]
    voxels = np.stack(layers, axis=-1) if several else layers[0]
    path.write_bytes("\n".join([*lines, "", ""]).encode() + np.ascontiguousarray(voxels, np.uint8).tobytes())
    return path
