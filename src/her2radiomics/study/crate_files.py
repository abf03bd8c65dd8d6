"""What the crate of a run is made from: its files, the workflow's, and the data's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from her2radiomics.core.settings import dump
from her2radiomics.study.config import Config
from her2radiomics.study.descriptions import run_description
from her2radiomics.study.extraction_inputs import parameter_files
from her2radiomics.study.run import Run

#: The writer in C, where there is one: a plan writes every protocol.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def crate_outputs(run: Run) -> list[str]:
    """Files of a run that its crate describes."""
    return [file for file in run.declared_files() if file not in run.files("crate")]


def crate_copies(run: Run, base: Path) -> dict[str, str]:
    """Name in the crate to file: the workflow, the study, its cohort and parameters, and the lock file.

    Parameters
    ----------
    run
        The run.
    base
        Folder of the Snakefile.
    """
    rules = sorted(map(str, Path("workflow/rules").glob("*.smk")))
    names = [*rules, f"workflow/studies/{run.request.study}.yaml", *parameter_files(run), *run.journal_files]
    beside = {name: str(base / name) for name in ("Snakefile", "requirements.lock")}
    return {name: name for name in names} | {n: path for n, path in beside.items() if Path(path).exists()}


def crate_texts(run: Run, config: Config) -> dict[str, str]:
    """The protocol as run, with its variant and cohort laid over it, and the configuration without local paths."""
    settings = {
        "protocol.yaml": dump(run.protocol),
        # where the data lie on this machine is nobody else's business
        f"workflow/cohorts/{run.request.cohort}.yaml": run.dataset.cohort.model_dump(
            mode="json", exclude={"root", "linked_folders"}, exclude_unset=True
        ),
        "config.yaml": config.model_dump(mode="json", exclude={"data"}),
    }
    return {
        name: yaml.dump(content, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
        for name, content in settings.items()
    }


def crate_data(run: Run) -> list[str]:
    """Tables, images and masks that the run was made from."""
    manifest = run.dataset.data.manifest
    images = {path for name in ("image", "mask") for path in manifest[name] if path}
    return sorted({*images, *_tables(run)})


def crate_tables(run: Run) -> list[str]:
    """Tables that the run was made from; with a simulated cohort the images, which other jobs make."""
    return crate_data(run) if run.dataset.simulated else sorted(_tables(run))


def _tables(run: Run) -> list[str]:
    if run.dataset.simulated:
        return [run.dataset.path("registered"), run.dataset.path("manifest")]
    return list(map(str, run.dataset.data.files))


def crate_about(run: Run, config: Config) -> dict[str, Any]:
    """What the crate says about the run, with the names of :class:`her2radiomics.record.crate.CrateInputs`."""
    return {
        "title": run.protocol.title,
        "description": run.protocol.question,
        "run": run_description(run, config),
        "simulated": run.dataset.simulated,
        "licence": run.dataset.cohort.licence,
        "citation": run.protocol.paper.citation,
    }
