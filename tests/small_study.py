"""A small study on a brought feature table: 60 made-up patients of two centres, eight features, two clinical columns."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from workflow_run import Project

from her2radiomics.core.settings import overlay
from her2radiomics.study.plan import Plan

STUDY: dict[str, Any] = {
    "title": "Small study",
    "question": "Does it work?",
    "paper": {"citation": "None."},
    "label": {"column": "pcr", "positive": "pCR", "negative": "non-pCR", "definition": "made up"},
    "partitions": {"kind": "centre", "training": ["north"], "testing": ["south"]},
    "columns": {
        "age": {"label": "Age", "unit": "years", "kind": "continuous"},
        "ki67": {"label": "Ki-67", "kind": "categorical", "cut": 20, "levels": {"low": "low", "high": "high"}},
    },
    "models": {
        "radiomics": {
            "kind": "radiomics",
            "steps": [{"step": "z_score"}, {"step": "univariate", "test": "f_classif", "k": 2}],
        },
        "clinical": {"kind": "clinical", "candidates": ["age", "ki67"], "keep": "all"},
    },
    "primary_model": "radiomics",
    "evaluation": {"bootstrap": 100, "calibration_bootstrap": 10, "pipeline_bootstrap": 2},
}
COHORT: dict[str, Any] = {
    "title": "Small",
    "kind": "features",
    "participants": [{"file": "clinical.csv"}],
    "features": {"table": {"file": "features.csv"}, "available_at": {"*": "before_treatment"}},
}
RUN = "small--default--mine"
Rows = list[dict[str, Any]]


def patients(n: int = 60) -> tuple[Rows, Rows]:
    """Clinical rows and feature rows; ``f1`` carries a weak signal."""
    rng = np.random.default_rng(1)
    clinical, features = [], []
    for i in range(n):
        label, name = int(i % 5 in (0, 3)), f"P{i + 1:03d}"
        centre = "north" if i < 2 * n // 3 else "south"
        ki67 = int(rng.choice([5, 10, 15, 25, 35, 60]))
        clinical.append(
            {"patient_id": name, "centre": centre, "pcr": label, "age": int(rng.normal(52, 9)), "ki67": ki67}
        )
        values = rng.normal(size=8)
        values[0] += 0.7 * label
        features.append({"patient_id": name} | {f"f{k + 1}": round(float(v), 4) for k, v in enumerate(values)})
    return clinical, features


def write_csv(rows: Rows, path: Path) -> None:
    """The rows under the first one's headings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([row[name] for name in rows[0]] for row in rows)


def small_project(
    folder: Path,
    study: dict[str, Any] | None = None,
    cohort: dict[str, Any] | None = None,
    tables: tuple[Rows, Rows] | None = None,
    **config: Any,
) -> Project:
    """A project with the study, its cohort and its tables; changes are laid over the study and the cohort."""
    request = {"study": "small", "cohort": "mine"} | config.pop("request", {})
    project = Project(folder, {"runs": [request], "data": {"mine": str(folder / "data")}, "seed": 7, **config})
    for name, content in (
        ("studies/small", overlay(STUDY, study or {})),
        ("cohorts/mine", overlay(COHORT, cohort or {})),
    ):
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (project.folder / f"workflow/{name}.yaml").write_text(text, encoding="utf-8")
    clinical, features = tables or patients()
    write_csv(clinical, folder / "data/clinical.csv")
    write_csv(features, folder / "data/features.csv")
    return project


def planned(project: Project) -> Plan:
    """What the Snakefile does before it knows any job."""
    config = yaml.safe_load((project.folder / "config.yaml").read_text(encoding="utf-8"))
    return Plan(config, project.folder / "workflow")
