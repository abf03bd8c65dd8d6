"""What a run tells its checklists: its facts, the files it declares, and which of them are which kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from her2radiomics.modelling.settings import feature_steps
from her2radiomics.study.checklist_facts import static_facts
from her2radiomics.study.config import Config
from her2radiomics.study.plan import Run

#: Files of the cohort and of every model that rules make besides the targets.
COHORT_FILES = ("cohort/flow.csv", "cohort/participants.csv", "features/reproducibility.csv")
MODEL_FILES = (
    "model.json",
    "coefficients.csv",
    "selection.csv",
    "lasso_cv.csv",
    "predictions.csv",
    "not_predicted.csv",
    "calibration.csv",
)


def declared_files(run: Run) -> list[str]:
    """Every file below the run's folder that its rules make and a checklist may point to."""
    prefix = f"{run.folder}/"
    targets = [file.removeprefix(prefix) for file in run.targets("all")]
    models = [f"models/{name}/{file}" for name in run.protocol.models for file in MODEL_FILES]
    return sorted({*targets, *COHORT_FILES, *models})


def checklist_run(run: Run, config: Config, extraction: Path) -> dict[str, Any]:
    """What the script needs, as plain data.

    Returns
    -------
    dict
        ``facts``; ``declared`` files; ``kinds``: ``figure:<kind>``, ``table:<kind>``, ``model:<table>`` to files;
        ``models``: name to label; ``primary`` model; names of the ``radiomics`` models; ``title``.
    """
    protocol = run.protocol
    kinds: dict[str, list[str]] = {}
    for figure in protocol.figures:
        kinds.setdefault(f"figure:{figure.kind}", []).append(f"figures/{figure.id}.svg")
    for table in protocol.tables:
        kinds.setdefault(f"table:{table.kind}", []).append(f"tables/{table.id}.html")
    # a clinical model's table of selection steps has no row, so that only these are shown
    radiomics = [name for name, model in protocol.models.items() if feature_steps(model)]
    for table_name in ("selection", "lasso_cv"):
        kinds[f"model:{table_name}"] = [f"models/{name}/{table_name}.csv" for name in radiomics]
    return {
        "title": protocol.title,
        "facts": static_facts(run, config, extraction),
        "declared": declared_files(run),
        "kinds": kinds,
        "models": {name: protocol.model_label(name) for name in protocol.models},
        "primary": protocol.primary_model,
        "radiomics": radiomics,
    }
