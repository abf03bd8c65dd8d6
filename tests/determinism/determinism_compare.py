"""Are two runs the same? Byte by byte; across versions of numpy number by number."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

RELATIVE = 1e-12
NUMBER = re.compile(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def exempt(path: str) -> bool:
    """The record of the run, and the crate's metadata where there is no commit to take the date from."""
    provenance = "provenance/" in path and "provenance/software/" not in path
    return provenance or path.endswith("ro-crate-metadata.json")


def files(results: Path) -> dict[str, Path]:
    """Every result by its path, the store of cases left out: its names hash the versions of libraries."""
    return {
        path.relative_to(results).as_posix(): path
        for path in sorted(results.rglob("*"))
        if path.is_file() and ".cases" not in path.parts
    }


def differing(first: Path, second: Path) -> list[str]:
    """Files that are not in both folders, or not the same to the last byte."""
    a, b = files(first), files(second)
    odd = sorted(set(a) ^ set(b))
    return odd + [
        name for name in sorted(set(a) & set(b)) if not exempt(name) and a[name].read_bytes() != b[name].read_bytes()
    ]


def largest_difference(first: Path, second: Path) -> float:
    """Largest relative difference between the numbers of two CSV, JSON or Parquet files; infinite for other text."""
    if first.suffix == ".parquet":
        a, b = parquet.read_table(first).to_pydict(), parquet.read_table(second).to_pydict()
        return _apart(a, b)
    if first.parent.name == "software" or first.name.endswith(".software.json"):
        return _apart(*({name: 0 for name in json.loads(path.read_text())} for path in (first, second)))
    if first.suffix == ".json":
        a, b = (json.loads(path.read_text(encoding="utf-8")) for path in (first, second))
        for content in (a, b):
            content.pop("versions", None)
        return _apart(a, b)
    a, b = first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return math.inf
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return max((_apart(float(x.replace("−", "-")), float(y.replace("−", "-"))) for x, y in pairs), default=0.0)


def _apart(a: Any, b: Any) -> float:
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max((_apart(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(_apart, a, b), default=0.0)
    if isinstance(a, float) and isinstance(b, float):
        if a == b or (math.isnan(a) and math.isnan(b)):
            return 0.0
        # numbers near zero are differences of larger ones: an absolute floor of 1
        return abs(a - b) / max(abs(a), abs(b), 1.0)
    return 0.0 if a == b else math.inf
