"""The steps of a model in the order in which a paper describes them: some of them on all patients."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from her2radiomics.core.settings import Settings
from her2radiomics.modelling.chain import check_order
from her2radiomics.modelling.steps import Step


class PublishedOrder(Settings):
    """The steps of one model in the order in which the paper describes them."""

    on_all: tuple[Step, ...] = Field(
        (),
        description="Steps that the paper fits on all patients, those of the test sets among them, or may have fitted so.",
    )
    on_training: tuple[Step, ...] = Field((), description="Steps that follow on training patients alone.")
    choice_on_all: bool = Field(
        False,
        description="Whether what a clinical model screens, or what a multivariate model selects after its steps, is "
        "chosen on all patients too; the regression is fitted on training patients.",
    )
    partitions: tuple[Literal["training", "testing", "external"], ...] = Field(
        (),
        description="Sets that 'all patients' are; empty: every set. Name them where one was collected after the model.",
    )
    source: str = Field(description="Where the paper says so, or what it leaves open.")

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order as published."""
        return (*self.on_all, *self.on_training)

    @property
    def learns_from_all(self) -> bool:
        """Whether anything is fitted on all patients."""
        return bool(self.on_all) or self.choice_on_all

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        check_order(self.steps)
        if self.choice_on_all and self.on_training:
            raise ValueError("with 'choice_on_all' the selection follows the steps; put all of them into 'on_all'")
        restores = any(step.about.role == "restoration" for step in self.on_training)
        reduced = False
        for step in self.on_all:
            if restores and reduced and step.about.role == "scaling":
                raise ValueError(
                    f"'{step.about.name}' on all patients does not know the scale of features that a step before it "
                    "dropped, and 'forced_retention' may restore one of them; put the scaling first"
                )
            reduced = (reduced or step.about.reduces) and step.about.role not in ("reproducibility", "harmonisation")
        return self
