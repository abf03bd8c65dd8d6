from .api import extract_features as extract_features
from .case import CaseResult as CaseResult
from .case import extract_case as extract_case
from .case import failed_case as failed_case
from .overlay import draw_overlay as draw_overlay
from .overlay import draw_reason as draw_reason
from .parameters import Parameters as Parameters
from .parameters import read_parameters as read_parameters
from .quality import QC_COLUMNS as QC_COLUMNS
from .quality import QualityRow as QualityRow
from .quality import write_rows as write_rows

__all__ = [
    "QC_COLUMNS",
    "CaseResult",
    "Parameters",
    "QualityRow",
    "draw_overlay",
    "draw_reason",
    "extract_case",
    "extract_features",
    "failed_case",
    "read_parameters",
    "write_rows",
]
