"""Image formats: one class each, in a module of this package, chosen by the ending of the file's name alone.

To add a format, write a module here with a class like those beside it, decorated with :func:`image_format`. It is found
by itself; a class that lacks a part is refused when it is registered, and an ending that no class claims is never read.
"""

from __future__ import annotations

import gzip
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar, TypeVar

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import sitk

#: Name to the format, in alphabetical order.
FORMATS: dict[str, ImageFormat] = {}
DOUBTS = "her2radiomics.doubts"  # key of an image's metadata
PLAUSIBLE_MM = (0.05, 25.0)  # edges of a voxel that pass without a warning
LONGEST_MM = 1000.0  # edge of an image that passes


class ImageFormat(ABC):
    """How files of one format are checked and read.

    Attributes
    ----------
    name
        As printed.
    endings
        Of the files' names, in lower case; the longest that any format claims decides.
    folder
        What a folder of this format holds, in words; empty where a folder is none.
    """

    name: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]
    folder: ClassVar[str] = ""

    @abstractmethod
    def check_header(self, path: Path) -> Any:
        """Refuse a header that contradicts itself or would make the reader open another file; return what it says.

        Its attribute ``doubts``, where it has one, says in words what is read but deserves a warning.
        """

    @abstractmethod
    def check_content(self, path: Path, header: Any) -> None:
        """Refuse voxels that are cut short or damaged."""

    @abstractmethod
    def read_voxels(self, path: Path, header: Any) -> sitk.Image:
        """Read the image, unless it is too large to take memory for."""

    def read(self, path: Path) -> sitk.Image:
        """Check a file or folder and read it.

        Raises
        ------
        CaseError
            It cannot be read as it should be. The error names ``path`` and no other file.
        """
        try:
            header = self.check_header(path)
            image = self._read_checked(path, header)
            return with_doubts(image, [*getattr(header, "doubts", ()), *_implausible(image)])
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(path, "a damaged compressed stream", quote(error, path)) from error
        except OSError as error:
            raise CaseError(
                found="a file that cannot be read",
                quoted=quote(error, path),
                expected="a readable image file",
                remedy="Check the path, the permissions and the disk.",
                file=path,
            ) from error

    def _read_checked(self, path: Path, header: Any) -> sitk.Image:
        self.check_content(path, header)
        return self.read_voxels(path, header)


Format = TypeVar("Format", bound=type[ImageFormat])


def image_format(kind: Format) -> Format:
    """Register a format.

    Raises
    ------
    TypeError
        The class lacks a part, or claims an ending (or folders) that another has.
    """
    missing = [part for part in ("name", "endings") if not getattr(kind, part, None)]
    missing += sorted(getattr(kind, "__abstractmethods__", ()))
    if missing:
        raise TypeError(f"{kind.__name__}: an image format needs {', '.join(missing)}")
    for other in FORMATS.values():
        taken = sorted({*other.endings} & {*kind.endings}) + ["folders"] * bool(other.folder and kind.folder)
        if taken:
            raise TypeError(f"{kind.__name__}: {', '.join(taken)} belong to {other.name}")
    FORMATS[kind.name] = kind()
    return kind


def format_of(path: Path) -> ImageFormat:
    """The format of a file by its ending, or of a folder.

    Raises
    ------
    CaseError
        No format claims the ending.
    """
    if path.is_dir():
        return next(form for form in FORMATS.values() if form.folder)
    endings = {ending: form for form in FORMATS.values() for ending in form.endings}
    claimed = [ending for ending in endings if path.name.lower().endswith(ending)]
    if not claimed:
        raise CaseError(
            found="a file with the ending of no image format",
            expected=f"{formats_in_words()} ({', '.join(endings)})",
            remedy="Convert it to NIfTI (.nii.gz), or give it the ending of its format.",
            file=path,
        )
    return endings[max(claimed, key=len)]


def formats_in_words() -> str:
    """What an image may be: ``MetaImage, NIfTI or NRRD file, or folder with one DICOM series``."""
    *names, last = (form.name for form in FORMATS.values() if not form.folder)
    folders = " or ".join(form.folder for form in FORMATS.values() if form.folder)
    return f"{', '.join(names)} or {last} file, or folder with {folders}"


def with_doubts(image: sitk.Image, doubts: Iterable[str]) -> sitk.Image:
    """The same image; what is doubtful of its file goes with it, and becomes warnings of quality control."""
    image.SetMetaData(DOUBTS, "\n".join(dict.fromkeys([*doubts_of(image), *doubts])))
    return image


def doubts_of(image: sitk.Image | None) -> list[str]:
    """What is doubtful of the file that an image was read from, in words; nothing of no image."""
    return image.GetMetaData(DOUBTS).splitlines() if image is not None and image.HasMetaDataKey(DOUBTS) else []


def _implausible(image: sitk.Image) -> list[str]:
    """Say that voxels or image are of a size that no examination has: a header in another unit, most likely."""
    low, high = PLAUSIBLE_MM
    edges = [step * count for step, count in zip(image.GetSpacing(), image.GetSize(), strict=True)]
    if low <= min(image.GetSpacing()) and max(image.GetSpacing()) <= high and max(edges) <= LONGEST_MM:
        return []
    steps, sides = ("×".join(f"{number:.4g}" for number in numbers) for numbers in (image.GetSpacing(), edges))
    return [f"voxels of {steps} mm and an image of {sides} mm are implausible: check the header's spacing and unit"]


def damaged(path: Path, found: str, quoted: str = "") -> CaseError:
    """The error of a file that is cut short or damaged."""
    return CaseError(
        found=found,
        quoted=quoted,
        expected="a complete file whose checksum holds",
        remedy="Copy or export the file again; its voxels cannot be trusted.",
        file=path,
    )


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
FORMATS = dict(sorted(FORMATS.items()))
