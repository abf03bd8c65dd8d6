"""The public function: features of an image's regions as a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import pd, sitk
from her2radiomics.core.settings import validate
from her2radiomics.extraction.engine import extract
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.extraction.parameters import read_parameters
from her2radiomics.imaging import check_image, read_image, read_mask
from her2radiomics.imaging.mask_grid import put_onto, read_mask_onto
from her2radiomics.imaging.preprocessing import preprocess
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.imaging.reading import select_label

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Preprocessing


def extract_features(
    image: str | Path | sitk.Image,
    masks: Mapping[str, str | Path | sitk.Image],
    parameters: str | Path,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    *,
    breast: str | Path | sitk.Image | None = None,
    precontrast: str | Path | sitk.Image | None = None,
    log_padding: float | Literal["exact"] = LOG_PADDING,
) -> pd.DataFrame:
    """Extract PyRadiomics features of one image's regions.

    Parameters
    ----------
    image
        A 3-D image or its path (NIfTI, NRRD, MetaImage, DICOM folder).
    masks
        Region name → mask or its path, on the image's grid, holding exactly one non-zero value.
    parameters
        A PyRadiomics parameter file (YAML).
    preprocessing
        What to do to image and masks first: the settings, or a mapping of their keys as a protocol has them
        (``{"n4": {}, "normalise": {"within": "image", "scale": 100}}``); nothing without it. A mask that had to be
        resampled, or changed by more than 10 % in volume, is told of by a :class:`UserWarning`.
    breast
        Breast mask, for the steps that are limited to it.
    precontrast
        The image that ``preprocessing`` subtracts.
    log_padding
        Padding of the Laplacian of Gaussian's crop in σ; ``exact`` (20) for the values of the whole image.

    Returns
    -------
    pandas.DataFrame
        One row a region, the index its name; columns named and ordered as PyRadiomics does, without
        diagnostics.

    Raises
    ------
    CaseError
        When the image or a mask cannot be used, or a feature is missing.
    SettingsError
        When the parameter file or the preprocessing is not one, or both normalise or resample.
    """
    settings = read_parameters(parameters)
    if not isinstance(preprocessing, Preprocessing):
        preprocessing = validate(Preprocessing, dict(preprocessing or {}), "preprocessing")
    preprocessing.refuse_twice(settings.settings, str(parameters))
    image = _image(image)
    notes: dict[str, list[str]] = {}
    regions = {name: _mask(mask, image, name, preprocessing, notes) for name, mask in masks.items()}
    prepared = preprocess(
        image,
        preprocessing,
        regions,
        breast=None if breast is None else _mask(breast, image, "breast", preprocessing, notes),
        precontrast=None if precontrast is None else _image(precontrast),
        precontrast_file="" if precontrast is None or hasattr(precontrast, "GetSize") else precontrast,
    )
    for name, error in prepared.problems.items():
        raise error.named(region=name)
    for name in sorted({*notes, *prepared.warnings}):
        for note in [*notes.get(name, []), *prepared.warnings.get(name, [])]:
            warnings.warn(f"{name}: {note}", UserWarning, stacklevel=2)
    values = extract(prepared.image, prepared.masks, settings, log_padding=log_sigmas(log_padding))
    table = pd.DataFrame.from_dict(values, orient="index", columns=list(settings.feature_names))
    return table.rename_axis(index="region")


def _image(image: str | Path | sitk.Image) -> sitk.Image:
    """The image, checked."""
    if not isinstance(image, sitk.Image):
        return read_image(image)
    check_image(image)
    return image


def _mask(
    mask: str | Path | sitk.Image,
    image: sitk.Image,
    name: str,
    preprocessing: Preprocessing,
    notes: dict[str, list[str]],
) -> sitk.Image:
    """The mask as 0 and 1 on the image's grid; ``notes`` take what had to be done for it."""
    try:
        if not preprocessing.resample_mask:
            return select_label(mask, image) if isinstance(mask, sitk.Image) else read_mask(mask, image)
        put = put_onto(mask, image) if isinstance(mask, sitk.Image) else read_mask_onto(mask, image)
    except CaseError as error:
        raise error.named(region=name) from error
    binary, note = put
    if note:
        notes.setdefault(name, []).append(note)
    return binary
