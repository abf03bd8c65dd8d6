"""Kinds of DICOM series and multi-frame files that differ from a right one by one thing."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from kinds import REFUSED, SAME, WARNED, Right, kind
from pydicom import uid

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_files as dicom

# -- DICOM, a file per slice -------------------------------------------------------------------------------------------


def series(
    what: str, outcome: str, words: str = "", grid: bool = True
) -> Callable[[Callable[[Any, int], object]], Callable[[Any, int], object]]:
    """A kind of series whose files are changed one by one, by their number from 0; False leaves a file out."""

    def add(change: Callable[[Any, int], object]) -> Callable[[Any, int], object]:
        kind("DICOM", what, outcome, words, grid)(
            lambda right, folder: dicom.classic(folder / "series", *right.where(), change)
        )
        return change

    return add


def said(
    what: str,
    outcome: str,
    words: str = "",
    grid: bool = True,
    at: Callable[[int], bool] = lambda k: True,
    **elements: Any,
) -> None:
    """A kind of series whose elements have other values, in all files or in those ``at`` some numbers; None deletes one."""

    def change(dataset: Any, index: int) -> None:
        for keyword, value in elements.items() if at(index) else ():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value(index) if callable(value) else value)

    series(what, outcome, words, grid)(change)


def twice(what: str, words: str, **elements: Callable[..., Any]) -> None:
    """A kind of series in which every slice is there twice, told apart by elements."""

    def make(right: Right, folder: Path) -> Path:
        for number in (0, 1):

            def change(dataset: Any, index: int, number: int = number) -> None:
                dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.{number}"
                for keyword, value in elements.items():
                    if keyword == "private":
                        value(dataset, number)
                    else:
                        setattr(dataset, keyword, value(number))

            dicom.classic(folder / "series", *right.where(), change)
        return folder / "series"

    kind("DICOM", what, REFUSED, words)(make)


@series("files in another order than their slices", SAME)
def _(dataset: Any, index: int) -> None:
    dataset.InstanceNumber = (7 * index + 3) % 10


@kind("DICOM", "slices from head to foot", SAME)
def _(right: Right, folder: Path) -> Path:
    last = np.array(right.origin) + right.direction[:, 2] * right.spacing[2] * (len(right.voxels) - 1)
    turned = right.direction * (1, 1, -1)
    folder = folder / "series"
    return dicom.classic(folder, right.voxels[::-1], right.spacing, tuple(last), turned)


def encoded(name: str, syntax: str, **more: str) -> None:
    """A kind of series in another transfer syntax."""

    @series(f"{name}", SAME)
    def change(dataset: Any, index: int) -> None:
        if syntax in ("RLELossless", "JPEG2000Lossless"):
            dicom.compress(dataset, getattr(uid, syntax))
        else:
            dataset.file_meta.TransferSyntaxUID = getattr(uid, syntax)
            if syntax == "ExplicitVRBigEndian":
                dataset["PixelData"].VR = "OW"
                dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()


encoded("implicit value representations", "ImplicitVRLittleEndian")
encoded("big-endian files", "ExplicitVRBigEndian")
encoded("deflated files", "DeflatedExplicitVRLittleEndian")
encoded("run-length encoded voxels (RLE)", "RLELossless")
encoded("voxels in lossless JPEG 2000", "JPEG2000Lossless")


@kind("DICOM", "voxels in lossless JPEG", SAME)
def _(right: Right, folder: Path) -> Path:
    return by_gdcm(right, folder, gdcm.TransferSyntax.JPEGLosslessProcess14_1)


@kind("DICOM", "voxels in lossless JPEG-LS", SAME)
def _(right: Right, folder: Path) -> Path:
    return by_gdcm(right, folder, gdcm.TransferSyntax.JPEGLSLossless)


def by_gdcm(right: Right, folder: Path, syntax: int) -> Path:
    """A series that GDCM compressed."""
    path = dicom.classic(folder / "series", *right.where())
    for file in path.iterdir():
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(file))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(file))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        assert dicom.read(file).file_meta.TransferSyntaxUID.is_compressed
    return path


@kind("DICOM", "files without their preamble", SAME)
def _(right: Right, folder: Path) -> Path:
    path = dicom.classic(folder / "series", *right.where())
    for file in path.iterdir():
        file.write_bytes(file.read_bytes()[132:])
    return path


@kind("DICOM", "other files beside the slices: DICOMDIR, notes, a Mac's own (`._IM0001.dcm`)", SAME)
def _(right: Right, folder: Path) -> Path:
    path = dicom.classic(folder / "series", *right.where())
    (path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (path / "._IM0001.dcm").write_bytes(b"\0\5\x16\7" + bytes(200))
    (path / "notes.txt").write_text("not an image", encoding="utf-8")
    return path


@series("a rescale slope of its own for each slice", SAME)
def _(dataset: Any, index: int) -> None:
    factor = (1, 2, 4, 8, 5)[index % 5]
    stored = np.frombuffer(dataset.PixelData, np.int16)
    dataset.RescaleSlope, dataset.RescaleIntercept = dicom.number(1 / factor), "-7"
    dataset.PixelData = ((stored + 7) * factor).astype(np.int16).tobytes()


@series("signed and unsigned slices", SAME)
def _(dataset: Any, index: int) -> None:
    dataset.PixelRepresentation = index % 2


@series("an overlay in the unused bits of the voxels", SAME)
def _(dataset: Any, index: int) -> None:
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    dataset.PixelData = (np.frombuffer(dataset.PixelData, np.uint16) | 0x1000).tobytes()


said(
    "black and white exchanged for display (MONOCHROME1)",
    WARNED,
    "MONOCHROME1",
    PhotometricInterpretation="MONOCHROME1",
)
said("compressed with loss at some time", WARNED, "with loss", LossyImageCompression="01")
said(
    "`SpacingBetweenSlices` that is not that of the positions",
    WARNED,
    "SpacingBetweenSlices says 5",
    SpacingBetweenSlices="5",
)
said(
    "slices half as thick as they are apart",
    WARNED,
    "every second one missing",
    SliceThickness="1.2",
    SpacingBetweenSlices=None,
)
said("fewer images than were acquired", WARNED, "10 images are here, 13", ImagesInAcquisition=13)
said(
    "a map to other real-world values",
    WARNED,
    "real-world values (mm2/s) are 1e-06 ×",
    RealWorldValueMappingSequence=lambda k: dicom.item(
        RealWorldValueSlope=1e-6,
        RealWorldValueIntercept=0.0,
        MeasurementUnitsCodeSequence=dicom.item(CodeValue="mm2/s"),
    ),
)
said(
    "real-world values whose slope differs by slice",
    REFUSED,
    "real-world value maps that differ",
    RealWorldValueMappingSequence=lambda k: dicom.item(RealWorldValueSlope=1.0 + k, RealWorldValueIntercept=0.0),
)


@kind("DICOM", "voxels without a picture, by their padding value", WARNED, "hold the padding value (-2000)")
def _(right: Right, folder: Path) -> Path:
    right.voxels[0, 0, :5] = -2000
    return dicom.classic(
        folder / "series", *right.where(), lambda dataset, index: setattr(dataset, "PixelPaddingValue", -2000)
    )


series("a missing slice", REFUSED, "one gap, between slices 4 and 5 of 9")(lambda dataset, index: index != 4)
series("two slabs", REFUSED, "two slabs")(lambda dataset, index: index not in (4, 5, 6))
series("slices at uneven distances", REFUSED, "mm apart; expected evenly")(
    lambda dataset, index: index not in (2, 5, 6)
)
twice(
    "two phases in one series",
    "20 images at 10 positions in one series, told apart by AcquisitionNumber (0, 1)",
    AcquisitionNumber=lambda n: n,
)
twice("two phases, by their time alone", "told apart by ContentTime (2 values)", ContentTime=lambda n: f"10200{n}.0")
twice("two b-values", "told apart by DiffusionBValue (0, 800)", DiffusionBValue=lambda n: 800.0 * n)
twice("two echoes", "told apart by EchoTime (2.4, 4.8)", EchoTime=lambda n: f"{2.4 * (n + 1):g}")
twice("magnitude and phase", "told apart by ImageType", ImageType=lambda n: ["ORIGINAL", "PRIMARY", "MP"[n]])
twice("every slice twice, in files of their own", "nothing that tells them apart")


@kind("DICOM", "a copy of a file beside it", REFUSED, "1 of them are copies of others")
def _(right: Right, folder: Path) -> Path:
    path = dicom.classic(folder / "series", *right.where())
    (path / "IM0003 (1).dcm").write_bytes((path / "IM0003.dcm").read_bytes())
    return path


def siemens_b(dataset: Any, number: int) -> None:
    dataset.add_new(0x0019100C, "IS", str(800 * number))


twice("two b-values, said in a private element alone", "told apart by DiffusionBValue (0, 800)", private=siemens_b)


def half(k: int) -> bool:
    return k >= 5


said("two series", REFUSED, "2 DICOM series", at=half, SeriesInstanceUID=f"{dicom.ROOT}7")
said("slices of two patients", REFUSED, "2 patients", at=half, PatientID="P043")
said("slices of two studies", REFUSED, "2 studies", at=half, StudyInstanceUID=f"{dicom.ROOT}7")
said("two systems of coordinates", REFUSED, "2 systems of coordinates", at=half, FrameOfReferenceUID=f"{dicom.ROOT}7")
said(
    "a localiser among the slices",
    REFUSED,
    "1 localiser",
    at=lambda k: k == 0,
    ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
)
said(
    "a slice of another orientation",
    REFUSED,
    "2 orientations",
    at=lambda k: k == 0,
    ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"],
)
said("a slice of another pixel spacing", REFUSED, "2 pixel spacings", at=lambda k: k == 0, PixelSpacing=["1", "1"])
said("no positions", REFUSED, "without a readable position", ImagePositionPatient=None)
said("no orientation", REFUSED, "without a readable position and orientation", ImageOrientationPatient=None)
said("no pixel spacing", REFUSED, "without a readable PixelSpacing", PixelSpacing=None)
said("a pixel spacing of 0", REFUSED, "a PixelSpacing of 0×0.75", PixelSpacing=["0", "0.75"])
said(
    "rows and columns that are not perpendicular",
    REFUSED,
    "not orthonormal",
    ImageOrientationPatient=["1", "0", "0", "0.2", "1", "0"],
)
said("a palette of colours", REFUSED, "PALETTE COLOR", PhotometricInterpretation="PALETTE COLOR")
said("voxels that end at another bit than their number says", REFUSED, "end at bit 15", BitsStored=12)
said("a mosaic", REFUSED, "a mosaic", ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
said("a rescale slope of 0", REFUSED, "RescaleSlope of 0", RescaleSlope="0", RescaleIntercept="0")
said(
    "a table that changes the voxels",
    REFUSED,
    "ModalityLUTSequence",
    ModalityLUTSequence=lambda k: dicom.item(ModalityLUTType="US"),
)
said(
    "a mask (SEG) in place of the image",
    REFUSED,
    "a mask (Segmentation Storage)",
    SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4",
)


@series("a slice of another size", REFUSED, "2 sizes")
def _(dataset: Any, index: int) -> None:
    if index == 0:
        dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows


@series("colours", REFUSED, "3 values per voxel (RGB)")
def _(dataset: Any, index: int) -> None:
    dataset.SamplesPerPixel, dataset.PlanarConfiguration, dataset.PhotometricInterpretation = 3, 0, "RGB"
    dataset.PixelData = dataset.PixelData * 3


def shifted(what: str, words: str, shift: Callable[[int], float]) -> None:
    """A kind of series whose slices are shifted along their columns."""

    @series(what, REFUSED, words)
    def change(dataset: Any, index: int) -> None:
        down = np.array([float(part) for part in dataset.ImageOrientationPatient[3:]])
        place = np.array([float(part) for part in dataset.ImagePositionPatient]) + down * shift(index)
        dataset.ImagePositionPatient = [dicom.number(part) for part in place]


shifted("a gantry that was tilted", "a tilted stack", lambda index: 0.4 * index)
shifted("a slice that is shifted along its plane", "by up to 3 mm", lambda index: 3.0 * (index == 6))


def spoilt(what: str, words: str, spoil: Callable[[bytes], bytes]) -> None:
    """A kind of series whose last file is damaged."""

    def make(right: Right, folder: Path) -> Path:
        path = dicom.classic(folder / "series", *right.where())
        last = max(path.iterdir())
        last.write_bytes(spoil(last.read_bytes()))
        return path

    kind("DICOM", what, REFUSED, words)(make)


spoilt("a file that is cut short", "1 of 10 DICOM files", lambda content: content[:-100])
spoilt("a file that is cut within its header", "of 10", lambda content: content[:900])
spoilt("an empty file", "1 of 10 DICOM files", lambda content: b"")
spoilt("a file that is something else", "1 of 10 DICOM files", lambda content: b"<html>" + bytes(300))


@kind("DICOM", "a presentation state among the slices", REFUSED, "2 DICOM series")
def _(right: Right, folder: Path) -> Path:
    path = dicom.classic(folder / "series", *right.where())
    state = dicom.plain(right.voxels[0], "1.2.840.10008.5.1.4.1.1.11.1")
    state.SeriesInstanceUID = f"{dicom.ROOT}8"
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(state, keyword)
    dicom.write(state, path / "PR0001.dcm")
    return path


# -- DICOM, many frames in a file ------------------------------------------------------------------------------------


def frames(what: str, outcome: str, words: str = "") -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """A kind of multi-frame file."""

    def add(change: Callable[[Any], None]) -> Callable[[Any], None]:
        kind("multi-frame DICOM", what, outcome, words)(
            lambda right, folder: dicom.enhanced(folder / "image.dcm", *right.where(), change)
        )
        return change

    return add


frames("one file for the whole volume", SAME)(lambda dataset: None)


@kind("multi-frame DICOM", "the frames in two files of one series", SAME)
def _(right: Right, folder: Path) -> Path:
    (folder / "series").mkdir()
    places = np.array(right.origin) + np.outer(np.arange(10) * right.spacing[2], right.direction[:, 2])
    for name, part in (("a", slice(0, 4)), ("b", slice(4, 10))):
        where = (right.voxels[part], right.spacing, tuple(places[part][0]), right.direction)
        dicom.enhanced(folder / "series" / f"{name}.dcm", *where, lambda dataset: None)
    return folder / "series"


@frames("frames in another order than their places", SAME)
def _(dataset: Any) -> None:
    order = [3, 9, 0, 7, 1, 8, 2, 6, 4, 5]
    voxels = np.frombuffer(dataset.PixelData, np.int16).reshape(len(order), -1)
    groups = [*dataset.PerFrameFunctionalGroupsSequence]
    dataset.PerFrameFunctionalGroupsSequence = [groups[index] for index in order]
    dataset.PixelData = voxels[order].tobytes()


@frames("a rescale slope of its own for each frame", SAME)
def _(dataset: Any) -> None:
    voxels = np.frombuffer(dataset.PixelData, np.int16).reshape(10, -1).copy()
    for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        factor = (1, 2, 4, 8, 5)[index % 5]
        voxels[index] *= factor
        transformation = dicom.item(RescaleSlope=dicom.number(1 / factor), RescaleIntercept="0")
        group.PixelValueTransformationSequence = transformation
    del dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    dataset.PixelData = voxels.tobytes()


@frames("spacing and orientation in every frame, not shared", SAME)
def _(dataset: Any) -> None:
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.PixelMeasuresSequence = shared.PixelMeasuresSequence
        group.PlaneOrientationSequence = shared.PlaneOrientationSequence
    del shared.PixelMeasuresSequence, shared.PlaneOrientationSequence


def doubled(dataset: Any, mark: Callable[[Any, int], None]) -> None:
    """Every frame twice; ``mark`` says which is which."""
    groups = []
    for number in (0, 1):
        for group in dataset.PerFrameFunctionalGroupsSequence:
            groups.append(copy.deepcopy(group))
            mark(groups[-1], number)
    dataset.PerFrameFunctionalGroupsSequence = groups
    dataset.NumberOfFrames, dataset.PixelData = len(groups), dataset.PixelData * 2


@frames(
    "two phases in one file",
    REFUSED,
    "20 images at 10 positions in one series, told apart by TemporalPositionIndex (1, 2)",
)
def _(dataset: Any) -> None:
    doubled(dataset, lambda group, n: setattr(group.FrameContentSequence[0], "TemporalPositionIndex", n + 1))


@frames("two b-values in one file", REFUSED, "told apart by DiffusionBValue (0, 800)")
def _(dataset: Any) -> None:
    doubled(dataset, lambda group, n: setattr(group, "MRDiffusionSequence", dicom.item(DiffusionBValue=800.0 * n)))


@frames("diffusion directions in one file", REFUSED, "told apart by DiffusionGradientOrientation (2 values)")
def _(dataset: Any) -> None:
    def mark(group: Any, n: int) -> None:
        direction = dicom.item(DiffusionGradientOrientation=[1.0 - n, float(n), 0.0])
        group.MRDiffusionSequence = dicom.item(DiffusionBValue=800.0, DiffusionGradientDirectionSequence=direction)

    doubled(dataset, mark)


@frames("frames twice, with nothing that tells them apart", REFUSED, "20 images at 10 positions in one series")
def _(dataset: Any) -> None:
    doubled(dataset, lambda group, n: None)


@frames("a missing frame", REFUSED, "one gap, between slices 4 and 5 of 9")
def _(dataset: Any) -> None:
    size = len(dataset.PixelData) // 10
    dataset.PixelData = dataset.PixelData[: 4 * size] + dataset.PixelData[5 * size :]
    del dataset.PerFrameFunctionalGroupsSequence[4]
    dataset.NumberOfFrames = 9


@frames("frames without a place", REFUSED, "without a readable position")
def _(dataset: Any) -> None:
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


@frames("frames that are not described one by one", REFUSED, "10 frames in a file that says where 0 of them lie")
def _(dataset: Any) -> None:
    del dataset.PerFrameFunctionalGroupsSequence


@frames("fewer frames than are described", REFUSED, "9 frames in a file that says where 10 of them lie")
def _(dataset: Any) -> None:
    dataset.NumberOfFrames = 9


@frames("frames of two orientations", REFUSED, "2 orientations")
def _(dataset: Any) -> None:
    group = dataset.PerFrameFunctionalGroupsSequence[0]
    group.PlaneOrientationSequence = dicom.item(ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"])


@frames("`SpacingBetweenSlices` that is not that of the positions", WARNED, "SpacingBetweenSlices says 5")
def _(dataset: Any) -> None:
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = "5"


@frames("a map to other real-world values", WARNED, "real-world values (1) are 0.001 ×")
def _(dataset: Any) -> None:
    dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = dicom.item(
        RealWorldValueSlope=0.001, RealWorldValueIntercept=0.0, MeasurementUnitsCodeSequence=dicom.item(CodeValue="1")
    )


@frames("voxels that are cut short", REFUSED, "1 of 1 DICOM files")
def _(dataset: Any) -> None:
    dataset.PixelData = dataset.PixelData[:-500]
