"""How many patients a simulated cohort has, and how many a run may lose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from her2radiomics.core.settings import Settings

Size = Literal["demo", "published"]


class FailedCases(Settings):
    """When too many patients cannot be extracted, the run stops after all extractions."""

    count: int = Field(2, ge=0, description="More failed patients than this, and")
    share: float = Field(0.05, ge=0, le=1, description="a larger share of the patients than this: the run stops.")
