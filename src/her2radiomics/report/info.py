"""What a page must be told about a run, beyond the files that the run has made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field, model_validator

from her2radiomics.core.contracts import PARTITIONS, TRAINING
from her2radiomics.core.settings import Settings
from her2radiomics.modelling.settings import ModelSettings, parse_models


class RunInfo(Settings):
    """A run in words: its protocol, its cohort, and whether the patients are simulated."""

    id: str = Field(description="Name of the run's folder in results.")
    study: str = Field(description="Name of the protocol.")
    variant: str = Field("default", description="Named variant of the protocol that was run.")
    cohort: str = Field(description="Name of the cohort.")
    cohort_title: str = Field(description="Cohort as printed.")
    cohort_description: str = Field("", description="What the data are, in a sentence or two.")
    cohort_citation: str = Field("", description="How the data set wants to be cited.")
    cohort_licence: str = Field("", description="Licence of the data.")
    departures: list[str] = Field(
        default_factory=list, description="What the run does otherwise than the paper because of its cohort."
    )
    simulated: bool = Field(description="Whether the patients are made, not real.")
    extracted: bool = Field(True, description="Whether features come from images; else a table was brought.")
    reference_reader: str = Field("1", description="Reader whose regions train and test.")
    partitions: list[str] = Field(min_length=1, description="Partitions that hold a patient, in order.")
    seed: int = Field(description="Seed of everything random.")
    protocol: dict[str, Any] = Field(
        description="The protocol as run (variant and cohort laid over it), as plain data with its defaults."
    )

    @model_validator(mode="after")
    def _protocol_is_whole(self) -> RunInfo:
        needed = (
            "title",
            "question",
            "paper",
            "label",
            "partitions",
            "models",
            "primary_model",
            "evaluation",
        )
        absent = [key for key in needed if key not in self.protocol]
        if absent:
            raise ValueError(f"the protocol lacks {', '.join(absent)}; hand over the whole of it")
        if self.protocol["primary_model"] not in self.protocol["models"]:
            raise ValueError(f"the primary model '{self.protocol['primary_model']}' is not among the models")
        return self

    def get(self, key: str, default: Any) -> Any:
        """Return a section of the protocol, or ``default`` where it has none."""
        value = self.protocol.get(key)
        return default if value is None else value

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings of the models, in order."""
        return self.protocol["models"]

    @cached_property
    def specs(self) -> dict[str, ModelSettings]:
        """Settings of the models, in order."""
        return parse_models(self.protocol["models"])

    def model_label(self, name: str) -> str:
        """Printed name of a model."""
        return self.get("model_labels", {}).get(name, name)

    def partition_label(self, name: str) -> str:
        """Printed name of a partition."""
        return self.get("partition_labels", {}).get(name, name.capitalize())

    def sequence_label(self, name: str) -> str:
        """Printed name of a sequence."""
        return self.get("sequences", {}).get(name, {}).get("label", name)

    def column_label(self, name: str) -> str:
        """Printed name of a participants column."""
        return self.get("columns", {}).get(name, {}).get("label", name)

    @property
    def headline_partition(self) -> str:
        """The partition that the headline speaks of: testing, else external, else training."""
        return next((name for name in PARTITIONS if name in self.partitions and name != TRAINING), TRAINING)
