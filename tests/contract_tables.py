"""Tables for tests: a few columns that matter, the others as the contract asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from her2radiomics.core.contracts import contract

EMPTY: dict[str, Any] = {"text": "", "number": float("nan"), "whole": 0, "truth": False}


def complete(name: str, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table with every column that its contract asks for: those that it lacks are empty, whole numbers 0."""
    table = pd.DataFrame() if table is None else table
    absent = {n: EMPTY[contract(name).column(n).kind] for n in contract(name).required if n not in table}
    filled = table.assign(**{n: pd.Series(value, index=table.index) for n, value in absent.items()})
    first = [n for n in contract(name).names if n in filled]
    return filled[first + [n for n in filled if n not in first]]


def save(name: str, table: pd.DataFrame | None, path: Path) -> Path:
    """Write such a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    complete(name, table).to_csv(path, index=False)
    return path
