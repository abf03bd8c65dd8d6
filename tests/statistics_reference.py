"""The artificial cohorts of the statistics tests and the values that R gave on them.

``reference/statistics/make_references.R`` holds every R call; ``references.json`` names the versions (R 4.2.2, rms 6.5.0,
pROC 1.18.0, survival 3.5.3, psych 2.2.9).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent / "reference" / "statistics"
R: dict[str, Any] = json.loads((HERE / "references.json").read_text(encoding="utf-8"))
COHORTS = ("small", "rare_events")  # 65 rows with 60 % events; 150 rows with 19 %


def cohort(name: str) -> pd.DataFrame:
    """Return one of the artificial cohorts."""
    return pd.read_csv(HERE / f"{name}.csv")
