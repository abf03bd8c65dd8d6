"""What a table is made from, and how those files are read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from her2radiomics.core.columns import Column
from her2radiomics.core.columns import read_participants as read_typed
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.names import Names


@dataclass(frozen=True)
class Outcome:
    """How the outcome and its two classes are printed."""

    label: str = "Outcome"
    positive: str = "Positive"
    negative: str = "Negative"


@dataclass(frozen=True)
class TableInputs:
    """Paths and printed names for the tables of one run.

    Attributes
    ----------
    columns
        The protocol's participants columns.
    outcome
        Printed names of the outcome and its classes.
    partitions, models, sequences
        Identifier → printed name, in the order of print.
    simulated
        Whether the patients are simulated.
    level
        Level of the confidence intervals of ``performance``.
    terms
        Printed names of regression terms that are neither a participants column nor a model's score.
    participants
        Partition → its participants.
    performance, performance_extra, delong, published
        The run's tables of these contracts.
    univariate, multivariate, coefficients
        Model → its table of this contract.
    """

    columns: Mapping[str, Column]
    partitions: Mapping[str, str]
    models: Mapping[str, str]
    simulated: bool
    outcome: Outcome = Outcome()
    level: float = 0.95
    sequences: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    participants: Mapping[str, Path] = field(default_factory=dict)
    performance: Path | None = None
    performance_extra: Path | None = None
    delong: Path | None = None
    published: Path | None = None
    univariate: Mapping[str, Path] = field(default_factory=dict)
    multivariate: Mapping[str, Path] = field(default_factory=dict)
    coefficients: Mapping[str, Path] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        """Printed names of identifiers."""
        return Names(self.columns, self.models, self.sequences, self.partitions, self.terms)

    def file(self, need: str, key: str | None = None) -> Path:
        """Path of an input, for a model or partition where there is one each.

        Raises
        ------
        SettingsError
            The table needs a file that it was not handed.
        """
        given = getattr(self, need)
        path = given if key is None else given.get(key)
        if path is None:
            of = "" if key is None else f" of '{key}'"
            raise SettingsError(f"the table needs {need}{of}, which it was not given.")
        return Path(path)


def known(name: str, among: Sequence[str] | Mapping[str, object], what: str) -> str:
    """Return ``name`` when it is among the known names, else say which there are and which was meant."""
    if name not in among:
        near = difflib.get_close_matches(name, list(among), n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(among) or 'none'}."
        raise SettingsError(f"unknown {what} '{name}': {advice}")
    return name


def chosen(names: Sequence[str], among: Mapping[str, str], what: str) -> list[str]:
    """Return the names asked for, or all of them when none was; unknown ones are refused."""
    return [known(name, among, what) for name in names] or list(among)


def read_participants(inputs: TableInputs, partitions: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Participants of ``partitions``, in order, with ``label`` as 0/1 integers and ``columns`` typed.

    Raises
    ------
    TableError
        A missing column, a label other than 0 and 1, or a value that the column may not hold.
    """
    wanted = [known(name, inputs.columns, "participants column") for name in dict.fromkeys(columns)]
    parts = []
    for partition in partitions:
        path = inputs.file("participants", partition)
        table = read_typed(path, {name: inputs.columns[name] for name in wanted})
        parts.append(table.set_index("patient_id")[["label", *wanted]].assign(partition=partition))
    return pd.concat(parts)
