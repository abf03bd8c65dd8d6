"""Cohort files of a project: what they say with what they extend, and where their data lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from her2radiomics.cohort.settings import Cohort
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import overlay, read_yaml, validate


def cohort_of(workflow: Path, name: str) -> Cohort:
    """The cohort file of this name in ``workflow/cohorts``, laid over the one that it extends.

    Raises
    ------
    SettingsError
        It is missing, says what it may not say, or extends itself.
    """
    return validate(Cohort, _content(workflow, name), f"workflow/cohorts/{name}.yaml")


def _content(workflow: Path, name: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    if name in seen:
        raise SettingsError(f"workflow/cohorts/{name}.yaml extends itself, by way of {', '.join(seen)}.")
    content = read_yaml(workflow / "cohorts" / f"{name}.yaml")
    base = content.pop("extends", None)
    return content if base is None else overlay(_content(workflow, base, (*seen, name)), content)


def root_of(name: str, cohort: Cohort, data: Mapping[str, str]) -> Path:
    """Folder of a cohort's data: as ``data`` of the configuration says, else the cohort file's ``root``.

    Raises
    ------
    SettingsError
        Neither says it, or there is no such folder.
    """
    root = data.get(name, cohort.root)
    if root is None:
        raise SettingsError(
            f"cohort {name}: the folder of its data is not known. Name it in config.yaml, for example\n"
            f"  data:\n    {name}: /path/to/data"
        )
    expanded = Path(os.path.expandvars(root)).expanduser()
    if not expanded.is_dir():
        raise SettingsError(f"cohort {name}: there is no folder {expanded}. Correct data.{name} in config.yaml.")
    return expanded
