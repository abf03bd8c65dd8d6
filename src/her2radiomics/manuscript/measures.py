"""Measures of performance that a protocol may ask for: the numbers of ``performance.csv``, whatever they are."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from her2radiomics.core.contracts import measures


def _known(measure: str) -> str:
    if measure not in measures():
        near = difflib.get_close_matches(measure, measures(), n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(measures())}."
        raise ValueError(f"found '{measure}', which performance.csv does not hold: {advice}")
    return measure


def _enumerate(schema: dict[str, Any]) -> None:
    schema["enum"] = list(measures())


#: A measure that tables print, checked against the contract of ``performance.csv``.
Measure = Annotated[str, AfterValidator(_known), Field(json_schema_extra=_enumerate)]
