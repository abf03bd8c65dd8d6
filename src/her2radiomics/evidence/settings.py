"""What a protocol's ``evidence:`` section may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from her2radiomics.core.settings import FILE_NAME, Settings
from her2radiomics.evidence.analyses import ANALYSES, AnyAnalysis
from her2radiomics.evidence.analysis import Analysis, in_order
from her2radiomics.evidence.extractions import Reextraction
from her2radiomics.evidence.published import PublishedOrder


class EvidenceSettings(Settings):
    """How much of a performance would survive: the analyses of the target ``evidence``."""

    as_published: dict[str, PublishedOrder] = Field(
        default_factory=dict,
        description="Model to its steps as the paper describes them; every other model is leak-safe in both. That of a "
        "model which a cohort or variant leaves out is not used.",
    )
    analyses: dict[str, AnyAnalysis] = Field(
        default_factory=dict,
        validate_default=True,
        description="Settings of the analyses, by name; those not named have their defaults; `null` leaves one out.",
    )

    extractions: dict[str, Reextraction | None] = Field(
        default_factory=dict,
        description="Other extractions from the images, by name, beside the usual ones (docs/extraction.md) or in "
        "their place; `null` leaves one out. Each is a table of its own below `results/<run>/evidence/<name>/`.",
    )

    perturbed_patients: PositiveInt = Field(
        default=30, description="Patients of whom outlines or images are changed as usual; of each centre its share."
    )

    @field_validator("extractions")
    @classmethod
    def _names_are_file_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        """They become folders of the results."""
        odd = next((name for name in value if not re.fullmatch(FILE_NAME, name)), None)
        if odd is not None:
            raise ValueError(f"found the name '{odd}'; expected letters, digits, '_', '-' and '.'")
        return value

    @field_validator("analyses", mode="before")
    @classmethod
    def _with_defaults(cls, value: Any) -> Any:
        """Every analysis, with the defaults of those that are not named."""
        if not isinstance(value, Mapping):
            return value
        named = {name: {"analysis": name, **settings} for name, settings in value.items() if settings is not None}
        usual = {name: {"analysis": name} for name in ANALYSES if name not in value}
        return {**usual, **named}

    @model_validator(mode="after")
    def _what_is_read_is_made(self) -> Self:
        for name, made in self.analyses.items():
            absent = [source for source in made.reads if source not in self.analyses]
            if absent:
                raise ValueError(f"analyses: '{name}' reads the refits of '{absent[0]}', which is null; make both null")
        return self

    def in_order(self) -> dict[str, Analysis]:
        """The analyses in their order on the page."""
        return in_order(self.analyses)
