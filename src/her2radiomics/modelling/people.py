"""Centre and covariates of patients, as a harmonisation between centres looks them up."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd


class People:
    """Centre and covariates of patients.

    Parameters
    ----------
    table
        Patients (index) × columns; rows of a patient who stands in it twice are equal. It may hold patients of any
        partition: a fit looks up the patients of its own rows and no others.
    columns
        The protocol's participants columns.
    """

    def __init__(self, table: pd.DataFrame, columns: Mapping[str, Column]) -> None:
        """Keep one row a patient; the table must not be changed afterwards."""
        self.table = table[~table.index.duplicated()]
        self.columns = columns

    def rows(self, index: pd.Index) -> pd.DataFrame:
        """Rows of patients, in their order; a patient may stand in ``index`` more than once."""
        absent = ~index.isin(self.table.index)
        if absent.any():
            raise TableError(
                file="participants table",
                patient=str(index[absent][0]),
                found="no row",
                expected="the centre and covariates of every patient, for ComBat",
                remedy="Give the participants of all rows.",
            )
        return self.table.loc[index]
