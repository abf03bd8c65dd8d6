"""Results of a run as far as the checklists read them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from contract_tables import save

from her2radiomics.checklists.settings import ChecklistRun


def write_results(
    folder: Path, run: ChecklistRun, note: str = "ICC(2,1) ≥ 0.75 in 42 training patients read twice"
) -> Path:
    """The tables that the checklists read: 42 training patients with 16 of the smaller group, 4 features selected."""
    columns = ["model", "partition", "n", "events", "auc", "auc_low", "auc_high"]
    measured = {"training": (42, 26, 0.9, 0.8, 0.97), "testing": (32, 20, 0.8, 0.65, 0.91)}
    rows = [(name, partition, *values) for name in run.models for partition, values in measured.items()]
    save("performance", pd.DataFrame(rows, columns=columns), folder / "tables" / "performance.csv")
    steps = [(1, "numbers", 3375, 3375, ""), (2, "icc_filter", 3375, 2276, note), (3, "lasso", 2276, 4, "")]
    selection = pd.DataFrame(steps, columns=["step", "name", "features_in", "features_out", "note"])
    for name in run.radiomics:
        save("selection", selection, folder / "models" / name / "selection.csv")
    places = {
        "title": "Title",
        "methods.extraction.features": "Methods, Feature extraction",
        "data.statement": "Data availability",
    }
    table = pd.DataFrame({"paragraph": [*places], "place": [*places.values()]})
    save("manuscript_places", table, folder / "manuscript" / "places.csv")
    return folder
