"""What differs from a right image, one by one: an image as it is meant, and the list of kinds that the makers fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

SAME, WARNED, REFUSED = "read as it is meant", "read, with a warning", "refused"
NAMES = ("NIfTI", "NRRD", "MetaImage", "DICOM", "multi-frame DICOM")
KINDS: dict[str, list[Kind]] = {name: [] for name in NAMES}


@dataclass
class Right:
    """An image as it is meant: voxels (z, y, x), mm, and directions as columns."""

    voxels: np.ndarray
    spacing: tuple[float, float, float] = (0.875, 0.75, 2.5)
    origin: tuple[float, float, float] = (-40.0, 12.5, 3.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))

    def image(self) -> sitk.Image:
        image = sitk.GetImageFromArray(self.voxels)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction.ravel().tolist())
        return image

    def where(self) -> tuple[Any, ...]:
        return self.voxels, self.spacing, self.origin, self.direction


@dataclass(frozen=True)
class Kind:
    """One thing that differs.

    Attributes
    ----------
    what
        In words, as the page prints it.
    make
        Writes the image into a folder and returns its path.
    outcome, words
        What comes of it, and what error or warning says of it.
    grid
        Whether the image lies where it is meant to: not where the header has lost that.
    """

    what: str
    make: Callable[[Right, Path], Path]
    outcome: str
    words: str
    grid: bool


def kind(
    form: str, what: str, outcome: str, words: str = "", grid: bool = True
) -> Callable[[Callable[[Right, Path], Path]], Callable[[Right, Path], Path]]:
    """Put a maker of files on the list."""

    def add(make: Callable[[Right, Path], Path]) -> Callable[[Right, Path], Path]:
        KINDS[form].append(Kind(what, make, outcome, words, grid))
        return make

    return add
