"""Centre and covariates of patients, as a harmonisation between centres looks them up."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd

#: Name of an index of persons.
PERSON = "person"


def by_person(table: pd.DataFrame, persons: Mapping[str, str]) -> pd.DataFrame:
    """The same rows indexed by who they are of, so that folds and halves are drawn by person.

    Parameters
    ----------
    table
        Rows indexed by patient.
    persons
        Patient to person, of those who share one with another patient; none: the table as it is.
    """
    if not persons:
        return table
    who = [persons.get(str(patient), str(patient)) for patient in table.index]
    return table.set_axis(pd.Index(who, name=PERSON), axis=0)


class People:
    """Centre and covariates of patients.

    Parameters
    ----------
    table
        Patients (index) × columns; rows of a patient who is in it twice are equal. It may hold patients of any
        partition: a fit looks up the patients of its own rows and no others.
    columns
        The protocol's participants columns.
    """

    def __init__(self, table: pd.DataFrame, columns: Mapping[str, Column]) -> None:
        """Keep one row per patient; the table must not be changed afterwards."""
        self.table = table[~table.index.duplicated()]
        self.columns = columns

    def rows(self, index: pd.Index) -> pd.DataFrame:
        """Rows of patients, in their order; a patient may be in ``index`` more than once."""
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
