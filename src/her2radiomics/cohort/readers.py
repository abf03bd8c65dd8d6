"""Whose outlines of a cohort count; apart from the cohort's other settings, which a training job does not read."""

from __future__ import annotations

from pydantic import Field, model_validator

from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.settings import Settings


class Readers(Settings):
    """Whose outlines train and test, and whose are compared."""

    reference: str = Field(
        default=FIRST_READER,
        description="The reader whose outlines train and test: 1, or consensus, as the manifest names it.",
    )
    compared: tuple[str, str] = Field(
        default=(FIRST_READER, "2"), description="The two readers between whom the intraclass correlation is taken."
    )

    @model_validator(mode="after")
    def _two(self) -> Readers:
        if self.compared[0] == self.compared[1]:
            raise ValueError(f"compared: found {self.compared[0]} twice, expected two readers")
        return self
