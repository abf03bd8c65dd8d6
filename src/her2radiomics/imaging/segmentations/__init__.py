"""Segmentations: files that hold masks by the name of a structure, one class a format, in a module of this package each.

A label map is a file of an image format (:mod:`her2radiomics.imaging.formats`). What is here knows its structures by
name, and where each part of it lies; a file is recognised by what it says it is, not by its ending alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import ClassVar

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import sitk
from her2radiomics.core.memory import raise_if_out

#: Name to the format, in alphabetical order.
SEGMENTATIONS: dict[str, Segmentation] = {}


class Segmentation(ABC):
    """How files of one format are recognised and read.

    Attributes
    ----------
    name, files
        As printed: the format, and what its files are.
    """

    name: ClassVar[str]
    files: ClassVar[str]

    @abstractmethod
    def holds(self, path: Path) -> bool:
        """Whether a file (or a folder with it alone) is of this format; false where that cannot be read."""

    @abstractmethod
    def read(self, path: Path, image: sitk.Image, label: int | str | None, *, resample: bool) -> tuple[sitk.Image, str]:
        """One structure on the image's grid, and what was done to it; as ``placing.place_mask``."""


def segmentation(kind: type[Segmentation]) -> type[Segmentation]:
    """Register a format."""
    SEGMENTATIONS[kind.name] = kind()
    return kind


def segmentation_of(path: Path) -> Segmentation | None:
    """The format of a segmentation; ``None`` for an image or a label map."""
    return next((form for form in SEGMENTATIONS.values() if form.holds(path)), None)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises of a broken file into the error of a case."""
    try:
        yield
    except CaseError:
        raise
    except Exception as error:
        raise_if_out(error)
        raise CaseError(
            found=f"a {what} that cannot be read",
            quoted=f"{type(error).__name__}: {quote(error, path)}",
            expected="a complete file that keeps to its standard",
            remedy="Export it again, or write the mask as NIfTI (3D Slicer, dcmqi) on the image's grid.",
            file=path,
        ) from error


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
SEGMENTATIONS = dict(sorted(SEGMENTATIONS.items()))
