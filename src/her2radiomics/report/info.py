"""What a page must be told about a run, beyond the files that the run has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from her2radiomics.cohort.settings import Cohort
from her2radiomics.core.contracts import PARTITIONS, TRAINING

if TYPE_CHECKING:
    from her2radiomics.study.config import RunRequest
    from her2radiomics.study.protocol import Protocol


@dataclass(frozen=True)
class RunInfo:
    """A run: what was asked for, and the settings that it was made with.

    Attributes
    ----------
    request
        Study, variant and cohort by name.
    protocol
        The protocol as run, with variant and cohort laid over it.
    cohort
        The cohort file.
    partitions
        Partitions that hold a patient, in order.
    extracted
        Whether features come from images; else a table was brought.
    reference_reader
        Reader whose regions train and test.
    seed
        Seed of everything random.
    notes
        What was found in the tables that a reader must know: sentences.
    """

    request: RunRequest
    protocol: Protocol
    cohort: Cohort
    partitions: Sequence[str]
    extracted: bool
    reference_reader: str
    seed: int
    notes: Sequence[str] = ()

    @property
    def id(self) -> str:
        """Name of the run's folder in ``results``."""
        return self.request.id

    @property
    def simulated(self) -> bool:
        """Whether the patients are made, not real."""
        return self.cohort.kind == "simulated"

    @property
    def headline_partition(self) -> str:
        """The partition that the headline speaks of: testing, else external, else training."""
        return next((name for name in PARTITIONS if name in self.partitions and name != TRAINING), TRAINING)
