"""Reading one image and the outlines drawn on it, and their preprocessing: the one way from files to voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import sitk
from her2radiomics.core.memory import raise_if_out
from her2radiomics.extraction.plausibility import MaskMeasures, measure_mask
from her2radiomics.imaging.checks import check_image, extremes, voxel_hash
from her2radiomics.imaging.formats import doubts_of
from her2radiomics.imaging.placing import place_mask
from her2radiomics.imaging.planes import slices_of, upright
from her2radiomics.imaging.preprocessing import preprocess
from her2radiomics.imaging.reading import read_outline, read_volume
from her2radiomics.imaging.regions import BREAST

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Preprocessing, Resegment

Source: TypeAlias = "str | Path | sitk.Image"


@dataclass(frozen=True)
class Outline:
    """A mask (or where it lies), and its value where it holds several."""

    mask: Source
    label: str = ""


@dataclass
class LoadedCase:
    """An image and the outlines on it (readers, or regions) by ``names``, as features see them; of each a mask or a problem.

    A problem with the image is every outline's; ``warnings`` about the breast mask are those of ``breast``. ``resampled``
    are the outlines that were drawn on another grid, ``steps`` says in short words what preprocessing was done,
    ``image_hash`` is that of the image as read, ``resegment`` limits the intensities of regions, ``measures`` are those of
    each mask. ``levels`` is the index of an outline's slice where another sequence decides on it.
    """

    names: list[str]
    image: sitk.Image | None = None
    breast: sitk.Image | None = None
    masks: dict[str, sitk.Image] = field(default_factory=dict)
    problems: dict[str, CaseError] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    resampled: list[str] = field(default_factory=list)
    steps: str = ""
    image_hash: str = ""
    resegment: Resegment | None = None
    levels: dict[str, int] = field(default_factory=dict)
    measures: dict[str, MaskMeasures] = field(default_factory=dict)

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """Smallest and largest voxel of the image, as features see it."""
        assert self.image is not None
        return extremes(self.image)


def load(
    image: Source,
    outlines: Mapping[str, Outline],
    preprocessing: Preprocessing | None = None,
    *,
    breast: Outline | None = None,
    precontrast: Source | None = None,
    keep_problems: bool = False,
) -> LoadedCase:
    """Read an image once and every outline on it, and preprocess them; of files or images in memory.

    Raises
    ------
    CaseError
        The image, the breast mask or a step of the preprocessing fails; or an outline, unless ``keep_problems`` says that it
        costs itself alone.
    """
    voxels = _read(image)
    slices = slices_of(voxels)
    case = LoadedCase(
        [*outlines],
        upright(voxels, slices.axis),
        warnings={name: [*doubts_of(voxels), *[slices.note] * bool(slices.note)] for name in outlines},
        resegment=preprocessing.resegment if preprocessing else None,
    )
    if _path(image):
        case.image_hash = voxel_hash(voxels)

    def place(name: str, outline: Outline, what: str) -> sitk.Image:
        source, onto = _given(outline.mask, what), bool(preprocessing and preprocessing.resample_mask)
        if isinstance(source, sitk.Image):
            mask, note = place_mask(source, voxels, outline.label, resample=onto)
        else:
            mask, note = read_outline(source, voxels, outline.label, resample=onto)
        doubts = [f"{what}: {doubt}" for doubt in doubts_of(mask) if doubt not in doubts_of(voxels)]
        case.warnings.setdefault(name, []).extend([*doubts, *[note] * bool(note)])
        if note:
            case.resampled.append(name)
        return upright(mask, slices.axis)

    def refuse(name: str, error: Exception) -> None:
        case.problems[name] = as_case_error(error, _path(outlines[name].mask))
        if not keep_problems:
            raise case.problems[name].named(region=name) from error

    if breast is not None:
        try:
            case.breast = place(BREAST, breast, "breast mask")
        except CaseError as error:
            raise error.named(region=BREAST) from error
    for name, outline in outlines.items():
        try:
            case.masks[name] = place(name, outline, "tumour mask")
        except Exception as error:
            refuse(name, error)
    if preprocessing is not None and preprocessing.changes_image and case.masks:
        before = None
        if preprocessing.subtract and precontrast is not None:
            before = _read(precontrast)
            for name in outlines:
                case.warnings[name] += [f"pre-contrast image: {doubt}" for doubt in doubts_of(before)]
            before = upright(before, slices_of(before).axis)
        assert case.image is not None
        prepared = preprocess(
            case.image,
            preprocessing,
            case.masks,
            breast=case.breast,
            precontrast=before,
            precontrast_file=_path(precontrast),
        )
        case.steps = preprocessing.summary()
        case.image, case.masks, case.breast = prepared.image, prepared.masks, prepared.breast
        for name, problem in prepared.problems.items():
            refuse(name, problem)
        for name, warnings in prepared.warnings.items():
            case.warnings[name] += warnings
    for name, mask in case.masks.items():
        assert case.image is not None
        case.measures[name] = measure_mask(mask, case.image)
        case.warnings[name] += case.measures[name].warnings
    return case


def _given(source: Source, what: str) -> Source:
    """The image or mask as it is given, unless it is an empty name."""
    if isinstance(source, str) and not source:
        raise CaseError(
            found=f"no {what.split()[-1]}",
            expected=f"the {what} of a sequence whose features are extracted",
            remedy="Add it to the manifest, or exclude the patient with a reason.",
        )
    return source


def _read(source: Source) -> sitk.Image:
    """The image, in memory already or read, and checked."""
    source = _given(source, "image")
    image = source if isinstance(source, sitk.Image) else read_volume(source)
    check_image(image, _path(source))
    return image


def _path(source: Source | None) -> str:
    """Where it lies; empty for an image in memory."""
    return str(source) if isinstance(source, (str, Path)) else ""


def as_case_error(error: Exception, file: str = "") -> CaseError:
    """Any failure as an error of the case; a refusal of memory is none of the case's."""
    raise_if_out(error)
    if isinstance(error, CaseError):
        return error
    return CaseError(
        found=f"an unexpected {type(error).__name__}",
        quoted=quote(error, file),
        expected="a case that can be read and computed",
        remedy="Open the files in a viewer; if they look right, report this as a bug with the case.",
        file=file,
    )
