"""Tests that the run's printed tables hold, bound to their cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from her2radiomics.core.bound import Source, marked
from her2radiomics.core.contracts import contract
from her2radiomics.manuscript.cells import printed_p
from her2radiomics.manuscript.tables.grouping import OUTCOME
from her2radiomics.report.facts import Facts
from her2radiomics.report.words import lower_first


class PrintedTests:
    """Differences at baseline and log-rank tests."""

    def __init__(self, facts: Facts) -> None:
        """Take the run's facts."""
        self.f, self.cells, self.protocol = facts, facts.cells, facts.protocol

    @cached_property
    def baseline(self) -> list[dict[str, Any]]:
        """Tables of the patients' characteristics: by what, and what differed."""
        made = []
        for item in self.f.kinds("baseline"):
            if item.id.startswith("table_s"):
                continue
            rows = [row for row in self.cells.rows("table", {"table": item.id}) if row.get("p")]
            found = []
            for row in rows:
                p = printed_p(row["p"])
                if p and (p.startswith("p <") or float(p.split()[-1]) < self.f.rules["significance"]):
                    found.append((self._characteristic(row["characteristic"]), self._p(item.id, row)))
            who = "sets" if getattr(item, "by", "partition") == "partition" else "groups"
            made.append({"id": item.id, "by": self._by(item), "who": who, "tested": bool(rows), "differences": found})
        return made

    @staticmethod
    def _characteristic(text: str) -> str:
        """``Age (years), mean ± SD`` as ``age``."""
        name, how = re.fullmatch(r"(.*?)(?:, (n|mean|median)\b.*)?", text).groups()  # type: ignore[union-attr]
        return lower_first(name if how == "n" else re.sub(r" \([^()]*\)$", "", name))

    def _p(self, table: str, row: Mapping[str, str], column: str = "p", *keys: str) -> str:
        names = keys or ("characteristic", "level")
        file = contract("table").below(table=table)
        source = Source(file, tuple((name, row[name]) for name in names if name in row), column, rounding="printed p")
        return marked(printed_p(row[column]), source)

    def _by(self, item: Any) -> str:
        by = getattr(item, "by", "partition")
        label = self.protocol.label
        return {"partition": "set", OUTCOME: f"outcome ({label.positive} or {label.negative})"}.get(
            by, lower_first(self.protocol.column_label(by))
        )

    @cached_property
    def survival(self) -> list[dict[str, Any]]:
        """Log-rank tests of the tables of survival."""
        made = []
        for item in self.f.kinds("survival"):
            rows = [row for row in self.cells.rows("table", {"table": item.id}) if printed_p(row.get("logrank_p", ""))]
            tests = [(row["endpoint"], self._p(item.id, row, "logrank_p", "endpoint", "group")) for row in rows]
            if tests:
                who = "sets" if getattr(item, "by", "partition") == "partition" else "groups"
            made.append({"id": item.id, "by": self._by(item), "who": who, "endpoints": tests})
        return made
