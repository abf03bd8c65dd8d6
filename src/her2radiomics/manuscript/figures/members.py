"""Patients of a figure, their groups, and their numbers, from the run's participants table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from her2radiomics.core.columns import MISSING
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read_text
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputError, FigureInputs

EVERYONE = "all"


@dataclass(frozen=True)
class Members:
    """Rows of the participants table as text, indexed by patient, and the group of each.

    ``names`` are the groups' printed names in order, the reference first; ``group`` holds their keys, and is empty
    where the patient has no value. A group may have no patient.
    """

    rows: pd.DataFrame
    group: pd.Series
    names: dict[str, str]
    file: str

    def numbers(self, column: str, *, least: float | None = None) -> pd.Series:
        """A column as numbers; NaN where the cell is empty.

        Raises
        ------
        TableError
            There is no such column, a cell is no number, or a number lies below ``least``.
        """
        text = self.text(column)
        values = pd.to_numeric(text.where(text != ""), errors="coerce").astype(float)
        wrong = (text != "") & ~(values.abs() < float("inf"))
        if least is not None:
            wrong |= values < least
        self.refuse(text, wrong, "a number" if least is None else f"a number of at least {least:g}")
        return values

    def text(self, column: str) -> pd.Series:
        """A column as text, empty where the value is missing.

        Raises
        ------
        TableError
            There is no such column.
        """
        if column not in self.rows.columns:
            raise TableError(
                file=self.file,
                column=column,
                found=f"the columns {', '.join(self.rows.columns)}",
                expected=f"also {column}",
                remedy="Declare the column in the protocol, or correct the figure.",
            )
        text = self.rows[column].str.strip()
        return text.mask(text.isin(MISSING), "")

    def refuse(self, text: pd.Series, wrong: pd.Series, expected: str) -> None:
        """Raise a :class:`TableError` for the first patient whose cell is ``wrong``."""
        if wrong.any():
            patient = wrong.index[wrong.to_numpy(dtype=bool)][0]
            raise TableError(
                file=self.file,
                patient=str(patient),
                column=str(text.name),
                found=f"'{text.loc[patient]}'",
                expected=f"{expected} (or an empty cell)",
                remedy="Correct the cell in the participants table.",
            )


def members(inputs: FigureInputs, by: str, partitions: Sequence[str] = ()) -> Members:
    """The patients of some partitions, grouped.

    Parameters
    ----------
    inputs
        The figure's inputs: the participants table and the study's printed names.
    by
        ``label``, ``partition``, a participants column with levels, or nothing for one group.
    partitions
        Partitions whose patients are taken; none: all of the study.

    Raises
    ------
    FigureInputError, TableError
        A partition without patients, or a column or level that is not declared.
    """
    path = inputs.path("participants")
    rows = read_text("participants", path).set_index("patient_id")
    for name in partitions:
        if name not in set(rows["partition"]):
            raise FigureInputError(
                f"{path}: found no patient of the partition '{name}'; expected one of "
                f"{', '.join(dict.fromkeys(rows['partition']))}. Correct the figure's partitions."
            )
    if partitions:
        rows = rows[rows["partition"].isin(list(partitions))]
    study = inputs.study
    names = {
        "": {EVERYONE: "All patients"},
        "label": {"0": study.negative, "1": study.positive},
        "partition": {name: study.partitions.get(name, name) for name in dict.fromkeys(rows["partition"])},
    }.get(by, study.levels.get(by, {}))
    if by == "partition":
        names = {name: names[name] for name in [*study.partitions, *names] if name in names}
    if not names:
        raise FigureInputError(
            f"found no levels of the column '{by}', by which the figure groups its patients; expected 'label', "
            "'partition' or a column with levels. Declare the column's levels in the protocol."
        )
    everyone = Members(rows, pd.Series(EVERYONE, index=rows.index), names, str(path))
    if not by:
        return everyone
    group = everyone.text(by)
    everyone.refuse(group, ~group.isin(["", *names]), f"one of {', '.join(names)}")
    return Members(rows, group, names, str(path))


def scope(inputs: FigureInputs, partitions: Sequence[str], n: int) -> str:
    """Whose patients are drawn and how many, in words: the heading of a figure."""
    names = [inputs.study.partitions.get(name, name) for name in partitions]
    inner = [name[:1].lower() + name[1:] if name[1:2].islower() else name for name in names[1:]]
    return f"{' and '.join([*names[:1], *inner]) or 'All patients'}, {style.keep(f'n = {n}')}"


def column_name(inputs: FigureInputs, column: str) -> tuple[str, str]:
    """Printed name of a column without its unit, and the unit."""
    unit = inputs.study.units.get(column, "")
    heading = inputs.study.columns.get(column, column.replace("_", " "))
    return heading.removesuffix(f" ({unit})") if unit else heading, unit
