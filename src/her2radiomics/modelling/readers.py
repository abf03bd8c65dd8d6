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
        absent = first.columns.difference(self.table.columns)
        if len(absent):
            raise TableError(
                file="second reader's features",
                column=str(absent[0]),
                found=f"{len(absent)} of {first.shape[1]} features absent",
                expected="the features of the reference reader",
                remedy="Extract both readers' regions with the same settings.",
            )
        if self.first is not None:
            patients = first.index.unique()
            first = self.first.loc[patients[patients.isin(self.first.index)], list(first.columns)]
        once = ~first.index.duplicated()
        both = once & np.asarray(first.index.isin(self.table.index))
        one = first[both]
        rows = self.table.index.get_indexer(one.index)
        two = np.array(self.table[list(first.columns)].to_numpy(dtype=float)[rows], order="C")
        return (
            pd.DataFrame(np.array(one.to_numpy(dtype=float), order="C"), index=one.index, columns=one.columns),
            pd.DataFrame(two, index=one.index, columns=one.columns),
        )
