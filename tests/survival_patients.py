"""Patients with follow-up, markers and arms for the tests of tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2radiomics.core.columns import Column
from her2radiomics.manuscript.tables import Outcome, TableInputs

COLUMNS = {
    name: Column.model_validate(content)
    for name, content in {
        "os_months": {"label": "Overall survival", "unit": "months", "kind": "continuous", "available_at": "follow_up"},
        "os_event": {"label": "Death", "kind": "categorical", "levels": {"0": "Alive", "1": "Dead"}},
        "os_number": {"label": "Death", "kind": "continuous"},
        "cea": {"label": "CEA", "unit": "ng/mL", "kind": "continuous"},
        "cd8": {"label": "CD8", "unit": "%", "kind": "continuous"},
        "arm": {"label": "Arm", "kind": "categorical", "levels": {"a": "Arm A", "b": "Arm B", "c": "Arm C"}},
    }.items()
}
ENDPOINT = {"label": "Overall survival", "time": "os_months", "event": "os_event"}


def patients() -> pd.DataFrame:
    """60 patients, 20 with the outcome; times with one decimal and ties."""
    i = np.arange(60)
    positive = i % 3 == 0
    time = np.round(5 + 50 * np.abs(np.sin(1.3 * i + 0.7)) - 12 * positive * np.abs(np.cos(i)), 1)
    return pd.DataFrame(
        {
            "patient_id": [f"P{k:02d}" for k in i],
            "centre": "1",
            "partition": "training",
            "label": positive.astype(int),
            "os_months": time,
            "os_event": (7 * i % 5 < 2).astype(int),
            "os_number": (7 * i % 5 < 2).astype(int),
            "cea": np.round(2 + 1.5 * np.sin(2.1 * i) + 0.8 * positive, 2),
            "cd8": np.round(np.exp(1 + 0.9 * np.sin(1.9 * i) + 0.7 * positive), 2),
            "arm": np.array(["a", "b", "c"])[i // 5 % 3],
        }
    )


def inputs_of(folder, table: pd.DataFrame) -> TableInputs:
    path = folder / "participants_training.csv"
    table.to_csv(path, index=False)
    return TableInputs(
        columns=COLUMNS,
        partitions={"training": "Training"},
        models={},
        simulated=False,
        outcome=Outcome("HER2", "HER2-positive", "HER2-negative"),
        participants={"training": path},
    )
