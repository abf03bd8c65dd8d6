"""DICOM files as scanners and archives write them, one by one or multi-frame, for the tests of reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage

#: Of a made-up examination: never one that was.
ROOT = "1.2.826.0.1.3680043.8.498."


def number(value: float) -> str:
    """A decimal string of at most 16 characters."""
    return f"{value:.10g}"[:16]


def plain(voxels: np.ndarray, kind: str = MRImageStorage, uid: str = "1") -> Dataset:
    """What every file of the series says; voxels are 16-bit integers."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = kind
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = f"{ROOT}9.{uid}"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Modality, dataset.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.PatientID = dataset.PatientName = "P042"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{ROOT}1", f"{ROOT}2"
    dataset.FrameOfReferenceUID = f"{ROOT}3"
    dataset.Rows, dataset.Columns = voxels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(voxels.dtype.kind == "i")
    dataset.PixelData = voxels.tobytes()
    return dataset


def write(dataset: Dataset, path: Path) -> None:
    """Write a file in the transfer syntax that its meta information names."""
    dataset.save_as(path, enforce_file_format=True)


def classic(
    folder: Path,
    voxels: np.ndarray,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    direction: np.ndarray,
    change: Callable[[Dataset, int], object] = lambda dataset, index: None,
) -> Path:
    """A folder with a file for each slice of (z, y, x) voxels; ``change`` may alter each, or leave it out by False."""
    folder.mkdir(exist_ok=True)
    for index, slice_ in enumerate(voxels):
        dataset = plain(slice_, uid=str(index + 1))
        dataset.InstanceNumber, dataset.AcquisitionNumber = index + 1, 1
        place = np.array(origin) + direction[:, 2] * spacing[2] * index
        dataset.ImagePositionPatient = [number(part) for part in place]
        dataset.ImageOrientationPatient = [number(part) for part in direction[:, :2].T.ravel()]
        dataset.PixelSpacing = [number(spacing[1]), number(spacing[0])]
        dataset.SliceThickness = dataset.SpacingBetweenSlices = number(spacing[2])
        if change(dataset, index) is not False:
            write(dataset, folder / f"IM{len(list(folder.iterdir())) + 1:04}.dcm")
    return folder


def enhanced(
    path: Path,
    voxels: np.ndarray,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    direction: np.ndarray,
    change: Callable[[Dataset], object] = lambda dataset: None,
) -> Path:
    """One multi-frame file of (z, y, x) voxels; ``change`` may alter it."""
    dataset = plain(voxels, EnhancedMRImageStorage)
    dataset.NumberOfFrames, dataset.InstanceNumber = len(voxels), 1
    measures, orientation, value = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [number(spacing[1]), number(spacing[0])]
    measures.SliceThickness = measures.SpacingBetweenSlices = number(spacing[2])
    orientation.ImageOrientationPatient = [number(part) for part in direction[:, :2].T.ravel()]
    value.RescaleSlope, value.RescaleIntercept, value.RescaleType = "1", "0", "US"
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = (Sequence([measures]), Sequence([orientation]))
    shared.PixelValueTransformationSequence = Sequence([value])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index in range(len(voxels)):
        frame, content, plane = Dataset(), Dataset(), Dataset()
        content.StackID, content.InStackPositionNumber, content.TemporalPositionIndex = "1", index + 1, 1
        place = np.array(origin) + direction[:, 2] * spacing[2] * index
        plane.ImagePositionPatient = [number(part) for part in place]
        frame.FrameContentSequence, frame.PlanePositionSequence = Sequence([content]), Sequence([plane])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    change(dataset)
    write(dataset, path)
    return path


def item(**elements: object) -> Sequence:
    """A sequence of one item."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return Sequence([dataset])


def compress(dataset: Dataset, syntax: str) -> None:
    """Encode a file's voxels without loss."""
    dataset.compress(syntax)


def read(path: Path) -> Dataset:
    """A file, whole."""
    return pydicom.dcmread(path)
