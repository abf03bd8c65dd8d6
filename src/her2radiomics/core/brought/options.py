"""How a user's table is to be read, where its bytes alone do not say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from her2radiomics.core.settings import Settings

Separator = Literal[",", ";", "\t", "|"]


class ReadingOptions(Settings):
    """What a table's bytes leave open; nothing is needed for most tables."""

    sheet: str | None = Field(
        None, description="Sheet of a workbook; by default the only one that holds the identifier's column."
    )
    header: int | list[int] | None = Field(
        None,
        description="Row of the headings, as a spreadsheet numbers it, or several whose texts are joined; by default the "
        "first that holds the identifier's column.",
    )
    skip: list[int] = Field(
        default_factory=list, description="Rows that are no patients, as a spreadsheet numbers them: sums, footnotes."
    )
    hidden: Literal["refuse", "read", "leave_out"] = Field(
        "refuse", description="What becomes of rows that a workbook hides or filters away."
    )
    encoding: str | None = Field(
        None, description="Encoding of a CSV or TSV file, where its bytes fit several: windows-1252, gb18030."
    )
    separator: Separator | None = Field(
        None, description="What separates the cells of a CSV or TSV file; found by the heading row by default."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal sign, where a number such as 1,234 could be read in two ways."
    )

    @field_validator("header")
    @classmethod
    def _counted_from_one(cls, value: int | list[int] | None) -> int | list[int] | None:
        rows = value if isinstance(value, list) else [value or 1]
        if not rows or min(rows) < 1 or rows != sorted(set(rows)):
            raise ValueError(f"found {value}; expected rows as a spreadsheet numbers them, from 1, in their order")
        return value
