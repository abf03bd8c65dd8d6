"""What a cohort holds, for a new study on it: columns with their kinds, outcomes, follow-up, centres, sequences."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from her2radiomics.cohort.manifest import TUMOUR
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.sources import CohortData, read_cohort
from her2radiomics.core.brought.numbers import MISSING, number
from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import PARTITIONS, contract
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import validate
from her2radiomics.study.protocol import OWN_NAMES

#: Whole numbers of at most so many values are levels; texts of more values are none.
MOST_CODES, MOST_LEVELS = 5, 8
#: Names of a follow-up time, and what its event is called: os_months with os_event, os or os_status.
_TIME = re.compile(r"(?i)(.+?)[ _.](?:months?|days?|years?|time)")
_EVENTS = ("{}_event", "{}_status", "{}")


@dataclass(frozen=True)
class Source:
    """A cohort as it was read.

    Attributes
    ----------
    name, cohort, root, data
        Name of the cohort file, its content, the folder of the data, and what was read there.
    """

    name: str
    cohort: Cohort
    root: Path
    data: CohortData

    @classmethod
    def read(cls, name: str, cohort: Cohort, root: Path) -> Source:
        """Read the cohort's tables.

        Raises
        ------
        SettingsError, TableError
            The cohort is simulated, or its tables are not as its file says.
        """
        if cohort.kind == "simulated":
            raise SettingsError(
                f"cohort {name}: found simulated patients, which belong to a study; expected patients' data."
            )
        return cls(name, cohort, root, read_cohort(cohort, root))

    @cached_property
    def included(self) -> pd.DataFrame:
        """The included patients."""
        table = self.data.participants
        return table[table["exclude_reason"] == ""].reset_index(drop=True)

    @cached_property
    def _described(self) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """Column to its settings, and column to why it is none."""
        said: Mapping[str, Any] = self.cohort.protocol.get("columns") or {}
        brought = self.data.features
        keys = {*contract("registered").names, *([] if brought is None else brought.columns)}
        found: dict[str, dict[str, Any]] = {name: dict(item) for name, item in said.items() if item}
        out: dict[str, str] = {}
        for name in map(str, self.included.columns):
            if name in keys or name in found:
                continue
            settings = "a name that the results use themselves" if name.casefold() in OWN_NAMES else self._infer(name)
            if isinstance(settings, str):
                out[name] = settings
            else:
                found[name] = settings
        return found, out

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """Column to its settings: the cohort file's own, or as its values look."""
        return self._described[0]

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that no study can use as they are, and why."""
        return self._described[1]

    def values(self, name: str) -> list[str]:
        """Different values of a column among the included, without missing ones, numbers in their order."""
        cells = {str(cell).strip() for cell in self.included[name]} - set(MISSING)
        return sorted(cells, key=lambda cell: (number(cell) is None, number(cell) or 0.0, cell))

    def _infer(self, name: str) -> dict[str, Any] | str:
        values = self.values(name)
        numbers = [number(value) for value in values]
        label = label_of(name)
        if len(values) < 2:
            return "no value" if not values else f"the same value for everybody ({values[0]})"
        if all(value is not None for value in numbers):
            codes = len(values) <= MOST_CODES and all(float(value or 0).is_integer() for value in numbers)
            if not codes:
                return {"label": label, "kind": "continuous"}
        elif len(values) > MOST_LEVELS:
            return f"{len(values)} different texts, among them '{values[0]}'"
        made = {"label": label, "kind": "categorical", "levels": {value: value for value in values}}
        try:
            validate(Column, made, name)
        except SettingsError as error:
            return str(error).split("\n  - ")[-1]
        return made

    def outcome(self, column: str, value: str) -> list[str]:
        """The other values of the outcome's column, having checked that both are there.

        Raises
        ------
        SettingsError
            There is no such column or value, or it is the only one, or the column is a number.
        """
        where = f"--label {column}={value}, cohort {self.name}"
        if column not in self.included:
            near = difflib.get_close_matches(column, [*self.columns, *self.left_out], n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"its columns are {', '.join([*self.columns][:12])}."
            raise SettingsError(f"{where}: found no column '{column}'; {hint}")
        values = self.values(column)
        if value not in values:
            shown = ", ".join(values[:MOST_LEVELS]) + ", …" * (len(values) > MOST_LEVELS)
            raise SettingsError(f"{where}: found no patient with '{value}'; the values of '{column}' are {shown}.")
        others = [other for other in values if other != value]
        if not others or len(values) > MOST_LEVELS:
            found = f"{len(values)} values" if others else f"'{value}' in every patient"
            raise SettingsError(
                f"{where}: found {found}; expected a column of two to {MOST_LEVELS} levels. Recode it in the cohort file."
            )
        return others

    def outcomes(self) -> list[str]:
        """What the outcome may be: each column of two levels, with the last of them."""
        return [
            f"{name}={[*item['levels']][-1]}" for name, item in self.columns.items() if len(item.get("levels", {})) == 2
        ]

    def endpoints(self) -> dict[str, str]:
        """Columns of follow-up times to those of their events, by their names: ``os_months`` and ``os_event``."""
        found = {}
        spelled = {name.casefold(): name for name in self.columns}
        for name, item in self.columns.items():
            stem = _TIME.fullmatch(name)
            if stem and item.get("kind") == "continuous":
                events = (spelled.get(form.format(stem[1]).casefold(), "") for form in _EVENTS)
                event = next((event for event in events if event and self.is_event(event)), "")
                if event:
                    found[name] = event
        return found

    def is_event(self, name: str) -> bool:
        """Whether a column may say if something happened: it has the levels 0 and 1."""
        return list(self.columns.get(name, {}).get("levels", {})) == ["0", "1"]

    def candidates(self, label: str, follow_up: Mapping[str, str]) -> list[str]:
        """Columns that may enter a clinical model: all but the outcome, follow-up and what is known too late."""
        never = {label, *follow_up, *follow_up.values()}
        early = "before_treatment"
        late = {
            name
            for name, item in self.columns.items()
            if item.get("available_at", early) != early or item.get("derived")
        }
        return [name for name in self.columns if name not in never | late]

    @property
    def has_features(self) -> bool:
        """Whether features were brought as a table."""
        return self.data.features is not None and len(self.data.features.columns) > len(("patient_id", "reader"))

    @cached_property
    def sequences(self) -> list[str]:
        """Sequences of the manifest that are outlined, in its order."""
        manifest = self.data.manifest
        return list(dict.fromkeys(manifest.loc[(manifest["region"] == TUMOUR) & (manifest["mask"] != ""), "sequence"]))

    @property
    def readers(self) -> int:
        """How many readers outlined, or are in the table of features."""
        table = self.data.features if self.has_features else self.data.manifest
        return 0 if table is None or table.empty else int(table["reader"].nunique())

    def partitions(self, external: list[str], positive: pd.Series) -> tuple[dict[str, Any], list[str]]:
        """Settings of the partitions, and which there are: centres beyond the half of the patients are external.

        ``positive`` says of each included patient whether the outcome is the positive one: an external set needs both.
        """
        table = self.included
        if "partition" in table and set(table["partition"]) <= set(PARTITIONS):
            return {"kind": "given"}, [name for name in PARTITIONS if (table["partition"] == name).any()]
        sizes = table["centre"].value_counts() if "centre" in table else pd.Series(dtype=int)
        unknown = sorted(set(external) - set(sizes.index))
        if unknown:
            raise SettingsError(f"--external {unknown[0]}: no such centre; the cohort has {', '.join(sizes.index)}.")
        before = sizes.cumsum().shift(fill_value=0)
        outside = external or list(sizes.index[before >= len(table) / 2])
        settings: dict[str, Any] = {"kind": "random", "training": 0.7, "stratified": True}
        held = table["centre"].isin(outside) if outside else pd.Series(False, index=table.index)
        if external or (held.any() and positive[held].nunique() == positive[~held].nunique() == 2):
            return settings | {"external_centres": sorted(outside)}, list(PARTITIONS[:3])
        return settings, list(PARTITIONS[:2])


def label_of(name: str) -> str:
    """A column's name as a table prints it."""
    text = re.sub(r"[_\s]+", " ", name).strip()
    return text[:1].upper() + text[1:]
