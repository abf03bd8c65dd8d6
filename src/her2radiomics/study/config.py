"""What ``config.yaml`` may say: the one file that a user edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from her2radiomics.cohort.limits import FailedCases, Size
from her2radiomics.core.settings import FILE_NAME, Settings, overlay, read_yaml


class RunRequest(Settings):
    """One study to carry out on one cohort."""

    study: str = Field(pattern=FILE_NAME, description="Protocol in workflow/studies, without .yaml.")
    variant: str = Field("default", pattern=FILE_NAME, description="A named variant of the protocol.")
    cohort: str = Field("simulated", pattern=FILE_NAME, description="Cohort file in workflow/cohorts, without .yaml.")
    until: Literal["report", "extraction"] = Field(
        "report", description="How far to go: 'extraction' stops after the feature table and its quality control."
    )

    @property
    def id(self) -> str:
        """Run id: the study alone, or study, variant and cohort where one of them is not the default."""
        if self.variant == "default" and self.cohort == "simulated":
            return self.study
        return f"{self.study}--{self.variant}--{self.cohort}"

    @property
    def line(self) -> str:
        """The line of ``config.yaml`` that asks for it."""
        asked = self.model_dump(exclude_defaults=True, exclude={"until"})
        return f"- {{{', '.join(f'{key}: {value}' for key, value in asked.items())}}}"


class Config(Settings):
    """The whole configuration."""

    seed: int = Field(20250715, ge=0, description="Seed of everything random.")
    size: Size = Field("demo", description="Size of simulated cohorts: a small one, or the paper's number of patients.")
    strength: float | None = Field(
        None, ge=0, description="Strength of the planted signal; 0 is a null cohort, empty the protocol's own."
    )
    runs: list[RunRequest] = Field(min_length=1, description="Studies to carry out.")
    data: dict[str, str] = Field(
        default_factory=dict, description="Cohort to the folder of its data; environment variables are expanded."
    )
    journal: str = Field(
        "plain",
        pattern=FILE_NAME,
        description="Form of the manuscripts: a profile in workflow/journals, without .yaml. See manuscript.md.",
    )
    spelling: Literal["british", "american"] = Field("british", description="Spelling of the manuscripts.")
    patients_per_job: int = Field(
        24,
        ge=1,
        description="Patients whose images one job makes or extracts. A job's start costs a second of CPU: small images "
        "want many patients per job; fewer give a machine of many cores more jobs to share out.",
    )
    failed_cases: FailedCases = Field(
        default_factory=lambda: FailedCases(count=2, share=0.05), description="How many failures are accepted."
    )

    @field_validator("runs")
    @classmethod
    def _each_once(cls, runs: list[RunRequest]) -> list[RunRequest]:
        ids = [run.id for run in runs]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"the run {name} is listed twice")
        return runs


def read_config(
    path: str | Path,
    *,
    more: Iterable[str | Path] = (),
    laid_over: Mapping[str, Any] | None = None,
    alone: bool = False,
) -> dict[str, Any]:
    """Read ``config.yaml`` by the reader of all settings: a key given twice is refused, text is read as it is written.

    Parameters
    ----------
    path
        The file.
    more
        Files of ``--configfile``, laid over it in their order.
    laid_over
        Settings of ``--config``, laid over all.
    alone
        Whether they take the file's place (``--replace-workflow-config``).

    Raises
    ------
    SettingsError
        A file is missing or no YAML, or gives a key twice; with file and line.
    """
    more = list(more)
    content: dict[str, Any] = {}
    for file in (*([] if (alone and more) or (more and not Path(path).exists()) else [path]), *more):
        content = overlay(content, read_yaml(file))
    return overlay(content, dict(laid_over or {}))


def for_extraction(content: Mapping[str, Any]) -> dict[str, Any]:
    """A protocol that names at least its sequences, with what an extraction does not need where it is left out."""
    left_out = {
        "title": "Extraction",
        "question": "",
        "paper": {"citation": ""},
        "label": {"column": "outcome", "positive": "positive", "negative": "negative", "definition": ""},
        "partitions": {"kind": "given"},
    }
    models = {"models": {"radiomics": {"kind": "radiomics"}}, "primary_model": "radiomics"}
    return left_out | (models if "models" not in content else {}) | dict(content)
