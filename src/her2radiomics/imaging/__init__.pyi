from .checks import check_grey_levels as check_grey_levels
from .checks import check_image as check_image
from .checks import check_mask as check_mask
from .checks import check_same_grid as check_same_grid
from .preprocessing_settings import Preprocessing as Preprocessing
from .reading import read_image as read_image
from .reading import read_mask as read_mask
from .reading import read_mask_onto as read_mask_onto
from .regions import Region as Region
from .regions import level_of as level_of
from .regions import make_region as make_region
from .regions import parse_region as parse_region

__all__ = [
    "Preprocessing",
    "Region",
    "check_grey_levels",
    "check_image",
    "check_mask",
    "check_same_grid",
    "level_of",
    "make_region",
    "parse_region",
    "read_image",
    "read_mask",
    "read_mask_onto",
]
