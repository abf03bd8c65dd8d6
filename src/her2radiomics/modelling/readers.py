"""Features of two readers: looked up by patient, so that a fit sees the pairs of its own patients only."""

from __future__ import annotations

from typing import Any

import numpy as np

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd


class SecondReader:
    """Features of the patients that a second reader outlined: an immutable table that clones for free.

    Parameters
    ----------
    table
        Patients (index) × features, each patient once. It may hold patients of any partition: a fit looks up the
        patients of its own rows and no others.
    first
        The same of the reader who is compared with the second, where that is not the one who trains.

    Raises
    ------
    TableError
        If a patient is in the table twice.
    """

    def __init__(self, table: pd.DataFrame, first: pd.DataFrame | None = None) -> None:
        """Keep the tables; they must not be changed afterwards."""
        twice = table.index[table.index.duplicated()]
        if len(twice):
            raise TableError(
                file="second reader's features",
                patient=str(twice[0]),
                found="more than one row",
                expected="one row per patient",
                remedy="Keep one reading of each patient.",
            )
        self.table, self.first = table, first

    def __deepcopy__(self, memo: Any) -> SecondReader:
        """Share the table: clones of an estimator all read the same one."""
        return self

    def __sklearn_clone__(self) -> SecondReader:
        """Share the table, as :meth:`__deepcopy__`."""
        return self

    def __repr__(self) -> str:
        """Size only: the table may hold thousands of columns."""
        return f"SecondReader({self.table.shape[0]} patients × {self.table.shape[1]} features)"

    def pairs(self, first: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return both readers' rows of the patients in ``first`` that both have read.

        Parameters
        ----------
        first
            The features that train, patients × features. A patient drawn twice by a bootstrap makes one pair.

        Raises
        ------
        TableError
            If the second reader's table lacks a feature.
        """
        absent = first.columns[self.table.columns.get_indexer(first.columns) < 0]
        if len(absent):
            raise TableError(
                file="second reader's features",
                column=str(min(absent)),
                found=f"{len(absent)} of {first.shape[1]} features absent",
                expected="the features of the reference reader",
                remedy="Extract both readers' regions with the same settings.",
            )
        own = first if self.first is None else self.first
        patients = first.index[~first.index.duplicated()]
        patients = patients[patients.isin(self.table.index) & patients.isin(own.index)]
        one, two = (_values(table, patients, first.columns) for table in (own, self.table))
        return (
            pd.DataFrame(one, index=patients, columns=first.columns),
            pd.DataFrame(two, index=patients, columns=first.columns),
        )


def _values(table: pd.DataFrame, patients: pd.Index, columns: pd.Index) -> np.ndarray:
    """The first row of each patient, columns in their order, shape (patients, columns)."""
    once = ~table.index.duplicated()
    rows = np.flatnonzero(once)[table.index[once].get_indexer(patients)]
    return table.to_numpy(dtype=float)[np.ix_(rows, table.columns.get_indexer(columns))]
