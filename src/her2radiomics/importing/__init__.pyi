from . import apply as apply
from . import boxes as boxes
from . import cohort_file as cohort_file
from . import collections as collections
from . import masks as masks
from . import names as names
from . import outcome as outcome
from . import scan as scan
from . import table as table
from . import tumour_volume as tumour_volume

__all__ = [
    "apply",
    "boxes",
    "cohort_file",
    "collections",
    "masks",
    "names",
    "outcome",
    "scan",
    "table",
    "tumour_volume",
]
