"""Features of one image's regions, quality-control rows, and the merging of cases into one table.

``extract_features`` is the public function; ``extract_case`` is what the workflow runs for one patient and
sequence. Both load on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from her2radiomics.extraction.api import extract_features
    from her2radiomics.extraction.case import CaseResult, extract_case
    from her2radiomics.extraction.overlay import draw_overlay
    from her2radiomics.extraction.parameters import Parameters, read_parameters
    from her2radiomics.extraction.tables import merge, write_case

_HOMES = {
    "CaseResult": "case",
    "Parameters": "parameters",
    "draw_overlay": "overlay",
    "extract_case": "case",
    "extract_features": "api",
    "merge": "tables",
    "read_parameters": "parameters",
    "write_case": "tables",
}

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


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
