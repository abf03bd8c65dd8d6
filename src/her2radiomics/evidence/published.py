"""The steps of a model in the order in which a paper describes them: some of them on all patients."""

from __future__ import annotations

from pydantic import Field

from her2radiomics.core.settings import Settings
from her2radiomics.modelling.steps import Step


class PublishedOrder(Settings):
    """The steps of one model in the order in which the paper describes them."""

    on_all: list[Step] = Field(
        default_factory=list,
        description="Steps that the paper fits on all patients, those of the test sets among them, or may have fitted so.",
    )
    on_training: list[Step] = Field(default_factory=list, description="Steps that follow on training patients alone.")
    source: str = Field(description="Where the paper says so, or what it leaves open.")
