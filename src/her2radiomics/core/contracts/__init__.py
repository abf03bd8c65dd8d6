"""Contracts: every table and file that passes between jobs, declared once.

Rules, scripts, figures, tables, pages, checklists, the crate and ``docs/contracts.md`` read paths and columns from here
(:mod:`her2radiomics.core.layout` for paths, :mod:`her2radiomics.core.tables` for reading and writing). A column is added by
one line in ``cohort_files``, ``run_files`` or ``model_files``, and computed where the table is made.
"""

from __future__ import annotations

import difflib

from her2radiomics.core.contracts import run_files
from her2radiomics.core.contracts.cohort_files import COHORT_FILES
from her2radiomics.core.contracts.declare import FROM_0_TO_1, HOMES, SHARE, Contract, TableColumn
from her2radiomics.core.contracts.evidence_files import EVIDENCE
from her2radiomics.core.contracts.model_files import APPLIED, TRAINED
from her2radiomics.core.contracts.names import FIRST_READER, PARTITIONS, TRAINING

#: Every contract by its name, in the order of the documentation.
CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        *COHORT_FILES,
        *run_files.COHORT,
        *TRAINED,
        *APPLIED,
        *run_files.TABLES,
        *EVIDENCE,
        *run_files.ABOUT,
    )
}
#: Files that training writes for a model.
TRAINED_FILES = tuple(contract.name for contract in TRAINED)
#: All files of a model.
MODEL_FILES = (*TRAINED_FILES, *(contract.name for contract in APPLIED))


def contract(name: str) -> Contract:
    """The contract of this name.

    Raises
    ------
    LookupError
        There is none.
    """
    if name not in CONTRACTS:
        near = difflib.get_close_matches(name, CONTRACTS, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise LookupError(f"found no contract '{name}' in her2radiomics.core.contracts{hint}")
    return CONTRACTS[name]


def measures() -> tuple[str, ...]:
    """Columns of ``performance.csv`` that a table may print: its numbers but for the bounds of intervals."""
    columns = contract("performance").columns
    return tuple(c.name for c in columns if c.kind == "number" and not c.name.endswith(("_low", "_high")))


def rates() -> tuple[str, ...]:
    """Columns of ``performance.csv`` that are shares of patients."""
    return tuple(column.name for column in contract("performance").columns if column.unit == SHARE)


__all__ = [
    "CONTRACTS",
    "FIRST_READER",
    "FROM_0_TO_1",
    "HOMES",
    "MODEL_FILES",
    "PARTITIONS",
    "SHARE",
    "TRAINED_FILES",
    "TRAINING",
    "Contract",
    "TableColumn",
    "contract",
    "measures",
    "rates",
]
