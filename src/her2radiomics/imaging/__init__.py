"""Reading and checking images and masks; regions of interest in millimetres.

Nothing heavy is imported before it is used: SimpleITK and numpy load with the first image.
"""

from her2radiomics.imaging.checks import check_grey_levels, check_image, check_mask, check_same_grid
from her2radiomics.imaging.reading import read_image, read_mask
from her2radiomics.imaging.regions import Region, make_region, parse_region

__all__ = [
    "Region",
    "check_grey_levels",
    "check_image",
    "check_mask",
    "check_same_grid",
    "make_region",
    "parse_region",
    "read_image",
    "read_mask",
]
