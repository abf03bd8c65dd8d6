"""The project's folder, and the configuration of a study in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.layout import path_of
from her2radiomics.study.config import read_config
from her2radiomics.study.plan import Plan
from her2radiomics.study.summary import summary

#: Folder of the configurations that run one study each, beside the project's ``config.yaml``.
CONFIGS = "configs"


@dataclass(frozen=True)
class Project:
    """A folder with ``Snakefile``, ``workflow`` and ``config.yaml``.

    Attributes
    ----------
    folder
        The project's folder.
    study
        Name of a configuration in ``configs``, without ``.yaml``; empty for ``config.yaml``.
    """

    folder: Path
    study: str = ""

    @classmethod
    def find(cls, study: str = "", start: Path | None = None) -> Project:
        """The project that ``start`` (the current folder) lies in, else the one that the command was installed from.

        Raises
        ------
        SettingsError
            There is none, or it has no configuration of that name.
        """
        start = (start or Path.cwd()).resolve()
        installed = Path(__file__).parents[3]
        found = next((path for path in (start, *start.parents, installed) if (path / "Snakefile").is_file()), None)
        if found is None or not (found / "workflow").is_dir():
            raise SettingsError(
                f"{start}: found no Snakefile here or in a folder above. Change to the project's folder."
            )
        project = cls(found, study)
        if study and not project.config_file.is_file():
            known = sorted(path.stem for path in (found / CONFIGS).glob("*.yaml"))
            raise SettingsError(
                f"{project.config_file}: no such file. "
                + (
                    f"There are configurations of {', '.join(known)}."
                    if known
                    else "Make one: her2radiomics new study."
                )
            )
        return project

    @property
    def config_file(self) -> Path:
        """The configuration that counts."""
        return self.folder / (f"{CONFIGS}/{self.study}.yaml" if self.study else "config.yaml")

    @property
    def words(self) -> list[str]:
        """What Snakemake's command line needs to take this configuration."""
        return ["--configfile", f"{CONFIGS}/{self.study}.yaml", "--replace-workflow-config"] if self.study else []

    def config(self) -> dict[str, Any]:
        """The configuration's content."""
        return read_config(self.config_file)

    def plan(self) -> Plan:
        """Everything that the configuration asks for, checked as at planning; to be called in the project's folder."""
        return Plan(self.config(), Path("workflow"))

    def enter(self) -> Project:
        """Make the project's folder the current one: paths of results are relative to it."""
        os.chdir(self.folder)
        return self


def facts(plan: Plan, cores: int) -> list[str]:
    """Each run as planned, in words."""
    return [summary(run, cores) for run in plan.runs.values()]


def report_of(plan: Plan, run: str = "") -> Path:
    """The page of a run; without one that of the only run, or the page of all.

    Raises
    ------
    SettingsError
        The configuration has no such run.
    """
    known = [name for name, item in plan.runs.items() if item.request.until == "report"]
    if run and run not in plan.runs:
        raise SettingsError(f"{run}: no run of this configuration; its runs are {', '.join(plan.runs)}.")
    one = run or (known[0] if len(known) == len(plan.runs) == 1 else "")
    return Path(path_of("report", run=one) if one else path_of("index")).absolute()
