"""Kinds of table: what all say of themselves, and the decorator that registers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import partial

from pydantic import Field

from her2radiomics.core.registry import Kinds
from her2radiomics.manuscript.kinds import Kind, Options, register
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Heading, Rows, Table


class TableOptions(Options):
    """What every table of a protocol says."""

    id: str = Field(
        pattern=r"^table_s?[0-9]+[a-z]?_[a-z0-9]+(_[a-z0-9]+)*$",
        description="File name of the table, in the paper's numbering: table_<n>_<what>; supplementary: table_s<n>_<what>.",
    )
    title: str = Field(description="Title as printed, without the table's number.", min_length=1)
    footnotes: tuple[str, ...] = Field((), description="Footnotes added to those that the table writes itself.")

    @property
    def number(self) -> str:
        """The table's number in the paper: ``1``, ``3b``; ``S2`` of a supplementary table."""
        number = self.id.split("_")[1]
        return f"S{number[1:]}" if number.startswith("s") else number

    def table(
        self,
        inputs: TableInputs,
        rows: Rows,
        stub: str,
        headings: Sequence[Heading],
        notes: Iterable[str],
        *,
        first: Sequence[str],
        last: Sequence[str] = (),
    ) -> Table:
        """The rows as a table with this title, and these footnotes after its own.

        Parameters
        ----------
        inputs
            The run: whether its patients are simulated.
        rows, stub, headings, notes
            As in :class:`~her2radiomics.manuscript.tables.model.Table`.
        first, last
            Columns of the CSV that are not printed, before and after those that are.
        """
        columns = [*first, *(heading.key for heading in headings), *last]
        return Table(
            title=self.title,
            data=rows.frame(columns),
            stub=stub,
            labels=tuple(rows.labels),
            headings=tuple(headings),
            footnotes=(*notes, *self.footnotes),
            simulated=inputs.simulated,
        )


class TableKind(Kind):
    """What is known about a kind of table."""

    inputs = tuple(item.name for item in fields(TableInputs) if "Path" in str(item.type))


KINDS = Kinds("table", TableOptions, "kind", TableKind)
#: Decorates the function ``(inputs, options)`` that makes a kind: see :func:`~her2radiomics.manuscript.kinds.register`.
table = partial(register, KINDS)
