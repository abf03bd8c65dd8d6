"""What all checks share: a verdict with its arithmetic, and the settings that say what is checked where."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from her2radiomics.core.settings import Settings

Verdict = Literal["consistent", "inconsistent", "cannot be checked"]
VERDICTS: tuple[Verdict, ...] = ("inconsistent", "cannot be checked", "consistent")
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


@dataclass(frozen=True)
class Finding:
    """The result of a check: its verdict, and the arithmetic in words."""

    verdict: Verdict
    arithmetic: str


def found(agrees: bool, *sentences: str) -> Finding:
    """A verdict of yes or no; sentences are joined, empty ones left out."""
    return Finding("consistent" if agrees else "inconsistent", " ".join(filter(None, sentences)))


def unknown(*sentences: str) -> Finding:
    """Nothing can be said from what is printed."""
    return Finding("cannot be checked", " ".join(filter(None, sentences)))


def join(items: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


class Check(Settings):
    """What every check says: which claim it looks at, and where the paper prints it."""

    id: str = Field(pattern=NAME, description="Name of the check, once a file.")
    claim: str = Field(description="What the paper says, in a short phrase.")
    place: str = Field(description="Where the paper says it: section, table, figure.")
    quote: str = Field(description="The words or cells that are checked, as printed.")
    note: str = Field("", description="What a reader should know besides the arithmetic.")

    @abstractmethod
    def examine(self, tables: Mapping[str, Any]) -> Finding:
        """Do the arithmetic; ``tables`` are the paper's transcribed tables (``PrintedTable``), by id."""
