"""DICOM: a folder with the files of one series, placed by position, or one file (``.dcm``); classic or multi-frame."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import pydicom, sitk
from her2radiomics.core.memory import raise_if_out
from her2radiomics.imaging.formats import ImageFormat, damaged, image_format, with_doubts
from her2radiomics.imaging.formats.dicom_frames import ONE_VALUE, Frame, frames_of, header_of, is_dicom
from her2radiomics.imaging.formats.dicom_grid import Grid, grid_of, in_order, is_printed
from her2radiomics.imaging.formats.itk_file import check_voxel_count

if TYPE_CHECKING:
    from pydicom import Dataset

INTEGERS = ("u1", "i1", "u2", "i2", "u4", "i4")  # by size; unsigned first, as GDCM chooses


@dataclass
class Series:
    """The grid of a series, how many files it has, what is doubtful, and its voxels once they are read."""

    grid: Grid
    files: int
    doubts: list[str]
    voxels: np.ndarray = field(default_factory=lambda: np.empty(0))


@image_format
class DICOM(ImageFormat):
    """DICOM, by pydicom. What its errors print tells no examination: neither a file's name nor a series' number."""

    name, endings = "DICOM", (".dcm",)
    folder = "one DICOM series"

    def check_header(self, path: Path) -> Series:
        """One series, in grey, one image at each position (phases are not stacked), slices evenly spaced and not shifted."""
        try:
            headers = _headers(path)
            return _series(path, headers, _frames(path, headers))
        except (CaseError, OSError):
            raise
        except Exception as error:  # an element that is not what it should be
            raise_if_out(error)
            raise damaged(path, "a DICOM header that cannot be read", quote(error, path)) from error

    def check_content(self, path: Path, header: Series) -> None:
        """Every image is decoded whole, and scaled by its own slope and intercept; a file that is cut short is none."""
        frames = header.grid.frames
        header.voxels = np.empty((len(frames), *frames[0].size[::-1]), _kind(frames))
        bad: list[Exception] = []
        places: dict[Path, list[int]] = {}
        padded = 0
        for place, frame in enumerate(frames):
            places.setdefault(frame.file, []).append(place)
        for file, here in places.items():
            try:
                stored = decode(file)
                for place in here:
                    frame = frames[place]
                    voxels, (slope, offset) = stored[frame.number], frame.scale
                    header.voxels[place] = voxels if (slope, offset) == (1, 0) else voxels * slope + offset
                    padded += int(np.count_nonzero(voxels == frame.padding)) if frame.padding else 0
            except CaseError as error:
                raise error.named(file=path) from error
            except Exception as error:  # whatever a damaged file leads to
                raise_if_out(error)
                bad.append(error)
        if bad:
            raise damaged(path, f"{len(bad)} of {header.files} DICOM files that cannot be read", quote(bad[0], path))
        if padded:
            header.doubts.append(f"{padded} voxels hold the padding value ({frames[0].padding}), no picture")

    def read_voxels(self, path: Path, header: Series) -> sitk.Image:
        """The slices in the order of their positions."""
        image = sitk.GetImageFromArray(header.voxels)
        image.SetSpacing(header.grid.spacing)
        image.SetOrigin(header.grid.origin)
        image.SetDirection(header.grid.direction)
        return image


def _headers(path: Path, files: Sequence[Path] | None = None) -> list[tuple[Path, Dataset]]:
    """The DICOM files of a folder, or one, or those that are named, with their headers."""
    if files is not None:
        files = [*files]
    elif path.is_dir():
        visible = (file for file in sorted(path.iterdir()) if file.name != "DICOMDIR" and file.name[0] != ".")
        files = [file for file in visible if file.suffix.lower() == ".dcm" or is_dicom(file)]
    else:
        files = [path]
    headers = [(file, header) for file in files if (header := header_of(file)) is not None]
    if path.is_dir() and not headers:
        raise CaseError(
            found="a folder without a DICOM series",
            expected="the DICOM files of one series",
            remedy="Name the folder that holds the files themselves.",
            file=path,
        )
    if len(headers) < len(files):
        raise damaged(path, f"{len(files) - len(headers)} of {len(files)} DICOM files that cannot be read")
    return headers


def volumes(
    path: Path, by: Sequence[str], *, files: Sequence[Path] | None = None, only: int | None = None
) -> list[tuple[str, sitk.Image]]:
    """The volumes of a series that holds several, in the order of their values: what is printed of these, and the image.

    Parameters
    ----------
    path
        A folder, or a multi-frame file.
    by
        What tells the volumes apart: names of :data:`~her2radiomics.imaging.formats.dicom_frames.TELLING`.
    files
        The files of the series, where they lie among others or in several folders.
    only
        The number of the volume that is wanted, from 0; all without it.

    Raises
    ------
    CaseError
        As :meth:`DICOM.read`, of each volume.
    """
    headers, form = _headers(path, files), DICOM()
    parts = split(_frames(path, headers), by)
    made = []
    for number, (values, frames) in enumerate(parts.items()):
        if only not in (None, number):
            continue
        series = _series(path, headers, frames)
        form.check_content(path, series)
        shown = " and ".join(
            f"{name} {value if is_printed(name) else f'{number + 1} of {len(parts)}'}"
            for name, value in zip(by, values, strict=True)
        )
        made.append((shown, with_doubts(form.read_voxels(path, series), series.doubts)))
    return made


def split(frames: Sequence[Frame], by: Sequence[str]) -> dict[tuple[str, ...], list[Frame]]:
    """Images by the values of the marks ``by``, in the order of these values."""
    parts: dict[tuple[str, ...], list[Frame]] = {}
    for frame in frames:
        parts.setdefault(tuple(frame.marks[name] for name in by), []).append(frame)
    return {values: parts[values] for values in sorted(parts, key=lambda values: [in_order(value) for value in values])}


def _frames(path: Path, headers: Sequence[tuple[Path, Dataset]]) -> list[Frame]:
    """The images of all files of one series."""
    _check_one(path, [header for _, header in headers])
    frames: list[Frame] = []
    for number, (file, header) in enumerate(headers, start=1):
        try:
            frames += frames_of(file, header)
        except CaseError as error:
            error.found += f" (file {number} of {len(headers)})" if len(headers) > 1 else ""
            raise error.named(file=path) from error
    check_voxel_count([*frames[0].size, len(frames)], path)
    return frames


def _series(path: Path, headers: Sequence[tuple[Path, Dataset]], frames: list[Frame]) -> Series:
    """Place images."""
    grid = grid_of(frames, path)
    doubts = [*grid.doubts, *_world_doubts(frames, path), *_doubts(headers, len(frames))]
    return Series(grid, len(headers), doubts)


def _check_one(path: Path, headers: Sequence[Dataset]) -> None:
    """Refuse files of several series, patients, studies or systems of coordinates; how many, not which."""
    for keyword, what in ONE_VALUE.items():
        counts = Counter(str(value) for header in headers if (value := header.get(keyword)))
        if len(counts) > 1:
            numbers = " and ".join(map(str, counts.values()))
            raise CaseError(
                found=f"{len(counts)} {what} in one folder (of {numbers} files)",
                expected="the DICOM files of one series",
                remedy="Name the folder that holds the files themselves, each series in its own folder.",
                file=path,
            )


def _kind(frames: Sequence[Frame]) -> np.dtype:
    """Type of the volume's voxels: as stored where nothing is rescaled, the least that holds whole numbers, or floating."""
    if all(frame.scale == (1, 0) for frame in frames):
        return np.result_type(*{frame.kind for frame in frames})
    whole = all(number.is_integer() for frame in frames for number in frame.scale)
    if not whole or any(frame.kind[0] == "f" for frame in frames):
        return np.dtype("f8")
    ends = []
    for frame in frames:
        low = -(2 ** (frame.bits - 1)) if frame.kind[0] == "i" else 0
        ends += [frame.scale[0] * stored + frame.scale[1] for stored in (low, low + 2**frame.bits - 1)]
    fits = (kind for kind in INTEGERS if np.iinfo(kind).min <= min(ends) and max(ends) <= np.iinfo(kind).max)
    return np.dtype(next(fits, "f8"))


def decode(file: Path) -> np.ndarray:
    """The stored voxels of every frame of a file: shape (frames, rows, columns)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(file, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:  # a file without its first part is in the oldest one
            implicit, little = dataset.original_encoding
            names = ("ImplicitVRLittleEndian",) if implicit else ("ExplicitVRBigEndian", "ExplicitVRLittleEndian")
            dataset.file_meta.TransferSyntaxUID = getattr(pydicom.uid, names[-1] if little else names[0])
        try:
            voxels = pydicom.pixels.pixel_array(dataset, raw=True)
        except (RuntimeError, NotImplementedError) as error:
            raise_if_out(error)
            raise CaseError(
                found=f"voxels in {dataset.file_meta.TransferSyntaxUID.name} that cannot be decoded",
                quoted=quote(error, file),
                expected="voxels that are not compressed, or in a form that pydicom decodes",
                remedy="If a viewer shows the file, write it uncompressed (gdcmconv --raw, dcmdjpeg); else export it again.",
            ) from error
    return voxels if voxels.ndim == 3 else voxels[None]


def _world_doubts(frames: Sequence[Frame], path: Path) -> list[str]:
    """Say that a map to real-world values is there that differs from the scale; refuse one that differs by slice."""
    maps = [frame.world for frame in frames]
    first = maps[0]
    if not any(maps):
        return []
    lines = []
    for frame in frames:
        slope, offset, _ = frame.world or (np.nan, 0.0, "")
        factor = slope / frame.scale[0]
        lines.append((factor, offset - factor * frame.scale[1]))
    if any(found is None for found in maps) or not np.allclose(lines, lines[0], rtol=1e-6, equal_nan=True):
        raise CaseError(
            found="real-world value maps that differ by slice, while RescaleSlope and RescaleIntercept do not follow them",
            expected="one map of the voxels for all slices",
            remedy="Convert the series to its real-world values (highdicom and dcm2niix do) and name that.",
            file=path,
        )
    factor, offset = lines[0]
    unit = first[2] if first and first[2] else "no unit"
    if np.isnan(factor):
        return [f"a table of real-world values ({unit}) is in the file; it was not applied"]
    if np.allclose([factor, offset], [1, 0], rtol=1e-6, atol=1e-9):
        return []
    return [f"real-world values ({unit}) are {factor:.6g} × these voxels + {offset:.6g}; they were not taken"]


def _doubts(headers: Sequence[tuple[Path, Dataset]], images: int) -> list[str]:
    """What is doubtful of a series besides its places."""
    doubts, several = [], [header for _, header in headers]
    if any(header.get("PhotometricInterpretation") == "MONOCHROME1" for header in several):
        doubts.append("low values are shown bright (MONOCHROME1); voxels were taken as they are stored")
    if any(header.get("LossyImageCompression") == "01" for header in several):
        doubts.append("the images were compressed with loss (LossyImageCompression)")
    expected = int(several[0].get("ImagesInAcquisition") or 0)
    if expected > images and expected % images:  # a multiple: one phase or b-value of several
        doubts.append(f"{images} images are here, {expected} were acquired (ImagesInAcquisition)")
    return doubts
