"""The public function: features of an image's regions as a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from her2radiomics.core.libraries import pd, sitk
from her2radiomics.core.settings import validate
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.extraction.outlines import Outline, load
from her2radiomics.extraction.parameters import read_parameters
from her2radiomics.extraction.regions import extract_outlines
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
        A 3-D image or its path, of one of the formats of :func:`~her2radiomics.imaging.read_image`.
    masks
        Region name → mask or its path, on the image's grid, holding exactly one non-zero value.
    parameters
        A PyRadiomics parameter file (YAML).
    preprocessing
        What to do to image and masks first: the settings, or a mapping of their keys as a protocol has them
        (``{"n4": {}, "normalise": {"within": "image", "scale": 100}}``); nothing without it. A mask that had to be
        resampled, or changed by more than 10% in volume, gives a :class:`UserWarning`.
    breast
        Breast mask, for the steps that are limited to it.
    precontrast
        The image that ``preprocessing`` subtracts.
    log_padding
        Padding of the Laplacian of Gaussian's crop in σ; ``exact`` (20) for the values of the whole image.

    Returns
    -------
    pandas.DataFrame
        One row per region, the index its name; columns named and ordered as PyRadiomics does, without
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
    outlines = {name: Outline(mask) for name, mask in masks.items()}
    clip = None if breast is None else Outline(breast)
    case = load(image, outlines, preprocessing, breast=clip, precontrast=precontrast)
    for name in sorted(case.warnings):
        for note in case.warnings[name]:
            warnings.warn(f"{name}: {note}", UserWarning, stacklevel=2)
    found = extract_outlines(case, settings, log_padding=log_sigmas(log_padding))
    values = {name: extracted.features()[name] for name, extracted in found.items()}
    table = pd.DataFrame.from_dict(values, orient="index", columns=list(settings.feature_names))
    return table.rename_axis(index="region")
