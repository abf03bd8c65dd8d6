"""Findings and summaries of several analyses as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.evidence.analysis import Finding

#: Claim and rule of an analysis that is left out.
LEFT_OUT, WHY = "The analysis was not made", "An analysis is left out where the study does not have what it needs."


#: A hyphen before a number, which prints as a minus sign.
_MINUS = re.compile(r"(?<=[\s(])-(?=\d)")


def as_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Findings of one analysis (``evidence_analysis_findings``), as they are printed."""
    rows = [{name: _MINUS.sub("−", text) for name, text in asdict(item).items()} for item in findings]
    return assemble("evidence_analysis_findings", rows)


def together(
    contract: str, tables: Mapping[str, pd.DataFrame], obstacles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Tables of analyses one below the other, with the name of the analysis; analyses that are left out say why.

    Parameters
    ----------
    contract
        ``evidence_summary`` or ``evidence_findings``.
    tables
        Analysis to its table.
    obstacles
        Analysis that is left out to the reason, a sentence.
    """
    rows = [{"analysis": name, **row} for name, table in tables.items() for row in table.to_dict("records")]
    for name, why in (obstacles or {}).items():
        rows.append({"analysis": name, "verdict": "cannot be told", "claim": LEFT_OUT, "sentence": why, "rule": WHY})
    return assemble(contract, rows)
