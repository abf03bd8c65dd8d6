"""The public function: features of an image's regions as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.extraction.engine import extract
from her2radiomics.extraction.parameters import read_parameters

if TYPE_CHECKING:
    import pandas as pd
    import SimpleITK as sitk


def extract_features(
    image: str | Path | sitk.Image,
    masks: Mapping[str, str | Path | sitk.Image],
    parameters: str | Path,
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
        When the parameter file is not one.
    """
    import pandas as pd
    import SimpleITK as sitk

    from her2radiomics.errors import CaseError
    from her2radiomics.imaging import check_image, read_image, read_mask
    from her2radiomics.imaging.reading import select_label

    settings = read_parameters(parameters)
    if isinstance(image, sitk.Image):
        check_image(image)
    else:
        image = read_image(image)
    regions: dict[str, sitk.Image] = {}
    for name, mask in masks.items():
        try:
            if isinstance(mask, sitk.Image):
                regions[name] = select_label(mask, image)
            else:
                regions[name] = read_mask(mask, image)
        except CaseError as error:
            raise error.named(region=name) from error
    values = extract(image, regions, settings)
    table = pd.DataFrame.from_dict(values, orient="index", columns=list(settings.feature_names))
    return table.rename_axis(index="region")
