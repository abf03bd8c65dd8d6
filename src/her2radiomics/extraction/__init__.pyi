from .api import extract_features as extract_features
from .case import CaseResult as CaseResult
from .case import extract_case as extract_case
from .overlay import draw_overlay as draw_overlay
from .parameters import Parameters as Parameters
from .parameters import read_parameters as read_parameters
from .tables import merge as merge
from .tables import write_case as write_case

__all__ = [
    "CaseResult",
    "Parameters",
    "draw_overlay",
    "extract_case",
    "extract_features",
    "merge",
    "read_parameters",
    "write_case",
]
