"""Our own numbers: looked up in the files of a run as far as it made them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from her2radiomics.core import parquet, tables
from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.printed import parse
from her2radiomics.manuscript.formatting import MARKS, listing
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.published.settings import PublishedNumber, quantities
from her2radiomics.manuscript.tables.inputs import known
from her2radiomics.manuscript.tables.regression import split_term
from her2radiomics.statistics import decision_curve

AUC_DIGITS = 3  # as tables print an AUC
_NUMBERS = re.compile(r"[-−]?\d*\.?\d+")
_MEAN = re.compile(r"([-−]?\d*\.?\d+) ± (\d*\.?\d+)")


@dataclass(frozen=True)
class Ours:
    """A run's own number; ``text`` is how it is printed, empty where the run has none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int | None = None
    sd: float = math.nan
    names: tuple[str, ...] = ()
    text: str = ""


NOTHING = Ours()


@dataclass(frozen=True)
class Results:
    """Where a run keeps what a paper may have printed; everything is read when it is asked for.

    Attributes
    ----------
    folder
        The run's folder.
    names
        The protocol's columns, and printed names.
    """

    folder: Path
    names: Names = field(default_factory=Names)

    @cached_property
    def layout(self) -> Layout:
        """Where the run's files lie."""
        return Layout(self.folder)

    @cached_property
    def performance(self) -> pd.DataFrame:
        """The run's performance."""
        return self.layout.read("performance")

    @cached_property
    def extra(self) -> pd.DataFrame:
        """Its further measures."""
        return self.layout.read("performance_extra")

    def find(self, number: PublishedNumber) -> Ours:
        """The run's own number, or :data:`NOTHING` where this run has no such model, partition, table or row.

        Raises
        ------
        SettingsError
            A quantity that nothing is called, with the nearest name.
        """
        kind = quantities().get(number.quantity)
        if kind is None:
            known(number.quantity, [*quantities(), *self.extra["measure"].unique()], "published quantity")
            return self._performance(number)
        sources = {
            "performance": self._performance,
            "cohort": self._cohort,
            "features": self._features,
            "regression": self._regression,
            "table": self._table,
            "predictions": self._predictions,
        }
        return sources[kind.source](number)

    def _performance(self, number: PublishedNumber) -> Ours:
        here = self.performance[self.performance["partition"] == number.partition]
        if number.quantity == "highest_auc":
            return self._order(here, number.names)
        if number.quantity == "delong_p":
            pair = {number.model, number.versus}
            tests = self.layout.read("delong")
            tests = tests[
                (tests["partition"] == number.partition) & tests["model_a"].isin(pair) & tests["model_b"].isin(pair)
            ]
            return NOTHING if tests.empty else _number(tests["p"].iloc[0], n=tests["n"].iloc[0])
        rows = here[here["model"] == number.model] if number.model else here
        others = self.extra[
            (self.extra["partition"] == number.partition)
            & (self.extra["model"] == number.model)
            & (self.extra["measure"] == number.quantity)
        ]
        n = None if rows.empty else int(rows["n"].iloc[0])
        low, high = (math.nan, math.nan) if others.empty else (others["low"].iloc[0], others["high"].iloc[0])
        if number.quantity not in self.performance.columns:
            return NOTHING if others.empty else _number(others["value"].iloc[0], low, high, n)
        if rows.empty:
            return NOTHING
        if number.quantity == "auc":
            low, high = rows["auc_low"].iloc[0], rows["auc_high"].iloc[0]
        return _number(rows[number.quantity].iloc[0], low, high, n)

    def _order(self, here: pd.DataFrame, printed: Sequence[str]) -> Ours:
        """Models by AUC; those whose AUCs are printed alike tie, and come in the order that the paper prints."""
        areas = {row["model"]: round(row["auc"], AUC_DIGITS) for _, row in here.iterrows() if row["model"] in printed}
        if len(areas) != len(printed) or any(area != area for area in areas.values()):
            return NOTHING
        names = sorted(printed, key=lambda name: -areas[name])  # stable: ties keep the printed order
        text = self.names.model(names[0])
        for one, other in pairwise(names):
            text += f" {'=' if areas[one] == areas[other] else '>'} {self.names.model(other)}"
        return Ours(names=tuple(names), text=f"{text}; = is a tie" if " = " in text else text)

    def _cohort(self, number: PublishedNumber) -> Ours:
        """Patients of partitions, or excluded, as the recruitment flow counts them."""
        flow = self.layout.read("flow")
        if number.quantity == "excluded":
            return _number(flow["excluded"].sum())
        rows = flow[flow["step"] == "partition"].set_index("partition")
        wanted = number.partition.split(" + ") if number.partition else list(rows.index)
        if not set(wanted) <= set(rows.index):
            return NOTHING
        return _number(rows.loc[wanted, "remaining" if number.quantity == "n" else "events"].sum())

    def _features(self, number: PublishedNumber) -> Ours:
        if number.quantity == "features_extracted":
            names = parquet.column_names(self.layout.path("partition_features", partition=TRAINING))
            keys = contract("partition_features").names
            return _number(sum(_is(name, number) for name in names if name not in keys))
        if number.quantity == "smallest_icc":
            table = self._of_model(number.model, "reproducibility")
            values = table["icc"].dropna() if table is not None else []
            return _number(min(values)) if len(values) else NOTHING
        table = self._of_model(number.model, "coefficients")
        if table is None:
            return NOTHING
        ranked = table.assign(size=table["beta"].abs()).sort_values("size", ascending=False, kind="stable")
        terms = [term for term in ranked["term"] if term.lower() != "(intercept)"]
        if number.quantity == "terms_kept":
            split = [split_term(term, self.names.columns) or (term, "") for term in terms]
            kept = tuple(dict.fromkeys(name for name, _ in split))
            return Ours(value=len(kept), names=kept, text=listing([self.names.term(name) for name in kept]) or "none")
        kept = tuple(term for term in terms if _is(term, number))
        return Ours(value=len(kept), names=kept, text=str(len(kept)))

    def _regression(self, number: PublishedNumber) -> Ours:
        table = self._of_model(number.model, number.block)
        if table is None or (table["term"] == number.term).sum() != 1:
            return NOTHING
        row = table[table["term"] == number.term].iloc[0]
        if number.quantity == "odds_ratio":
            return _number(row["odds_ratio"], row["ci_low"], row["ci_high"])
        return _number(row["p" if number.quantity == "regression_p" else number.quantity])

    def _table(self, number: PublishedNumber) -> Ours:
        path = self.layout.path("table", table=number.table)
        if not path.is_file():
            return NOTHING
        cells = _Cells(path, number, self.names.columns)
        if number.quantity == "smallest_p":
            chances = [p for text in cells.column("p") if (p := _p(text).value) == p]
            return _number(min(chances)) if chances else NOTHING
        if number.quantity in ("p", "statistic", "logrank_p"):
            texts = [text for text in cells.rows.get(number.quantity, []) if text]
            return NOTHING if not texts else _p(texts[0])
        if number.quantity == "hazard_ratio":
            found = [float(text) for text in _NUMBERS.findall(cells.cell("hazard_ratio", number.group))]
            low, high = found[1:3] if len(found) == 3 else (math.nan, math.nan)
            return _number(found[0], low, high) if found else NOTHING
        if number.quantity == "count":
            return cells.count()
        return cells.mean(number.quantity)

    def _predictions(self, number: PublishedNumber) -> Ours:
        table = self._of_model(number.model, "predictions")
        if table is None or not (table["partition"] == number.partition).any():
            return NOTHING
        rows = table[table["partition"] == number.partition]
        ranges = decision_curve(rows["label"], rows["probability"]).useful
        if not ranges:
            return Ours(math.nan, math.nan, math.nan, len(rows), text="none")
        low, high = max(ranges, key=lambda ends: ends[1] - ends[0])
        return Ours(math.nan, low, high, len(rows), text=f"{100 * low:.0f} to {100 * high:.0f}%")

    def _of_model(self, model: str, table: str) -> pd.DataFrame | None:
        path = self.layout.path(table, model=model)
        return tables.read(table, path) if model and path.is_file() else None


class _Cells:
    """The cells of one characteristic or endpoint in a printed table's CSV."""

    def __init__(self, path: Path, number: PublishedNumber, columns: Mapping[str, Column]) -> None:
        self.table = tables.read_text("table", path)
        self.number, self.columns = number, columns

    def column(self, name: str) -> Sequence[str]:
        return list(self.table[name]) if name in self.table else []

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of the characteristic: by its printed name, with what follows a comma left out."""
        stub = str(self.table.columns[0])
        column = self.columns.get(self.number.row)
        wanted = {column.label, column.heading} if column else {self.number.row}
        head = self.table[stub].str.replace(r", (n \(%\)|mean ± SD|median \(Q1, Q3\))$", "", regex=True)
        return self.table[head.isin(wanted)]

    @cached_property
    def group(self) -> str:
        """The CSV's column of the group: its own name, or behind the name of what the table is by."""
        names = [str(name) for name in self.table.columns]
        own = self.number.group
        return next((n for n in names if n == own or n.endswith(f"_{own}")), "") if own else ""

    def cell(self, name: str, group: str) -> str:
        """Cell of a column in the row of a group (tables with a row per group)."""
        mine = self.rows[self.rows["group"] == group] if "group" in self.rows else self.rows[:0]
        return str(mine[name].iloc[0]) if len(mine) and name in mine else ""

    def count(self) -> Ours:
        """Patients of a level in a group, of all whose value is known."""
        column = self.columns.get(self.number.row)
        level = column.levels.get(self.number.level, self.number.level) if column else self.number.level
        if not self.group or "level" not in self.rows:
            return NOTHING
        cells = {
            row["level"]: row[self.group] for _, row in self.rows.iterrows() if row["level"] not in ("", "Missing")
        }
        counts = {name: int(text.split(" ")[0]) for name, text in cells.items() if text[:1].isdigit()}
        if level not in counts:
            return NOTHING
        return Ours(counts[level], n=sum(counts.values()), text=cells[level])

    def mean(self, quantity: str) -> Ours:
        """Mean or SD of a group; nothing where the table gives a median."""
        texts = [text for text in self.rows.get(self.group, []) if text] if self.group else []
        match = _MEAN.fullmatch(texts[0]) if texts else None
        if match is None:
            return NOTHING
        mean, sd = map(float, match.groups())
        text = texts[0] if quantity == "mean" else match[2]
        return Ours(mean if quantity == "mean" else sd, n=self._patients(), sd=sd, text=text)

    def _patients(self) -> int | None:
        """Patients of the group: as the table gives them, or all levels of its first characteristic that has some."""
        own = self.rows.get(f"{self.group}_n")
        if own is not None:
            return int(own.iloc[0])
        if "level" not in self.table:
            return None
        leveled = self.table[(self.table["level"] != "") & self.table[self.group].str.contains(" (", regex=False)]
        if leveled.empty:
            return None
        first = leveled[leveled.iloc[:, 0] == leveled.iloc[0, 0]]
        return sum(int(text.split(" ")[0]) for text in first[self.group])


def _is(feature: str, number: PublishedNumber) -> bool:
    """Whether a feature is of the sequence, region and class that are counted."""
    parts = feature.split("__")
    if len(parts) < 3:
        return not (number.sequence or number.region or number.feature_class)
    kind = parts[2].split("_")[1] if "_" in parts[2] else ""
    if number.feature_class == "texture" and kind not in ("shape", "firstorder"):
        kind = "texture"
    wanted = (number.sequence, parts[0]), (number.region, parts[1]), (number.feature_class, kind)
    return all(not name or name == found for name, found in wanted)


def _p(text: str) -> Ours:
    """A printed p or statistic of ours; a bound counts as half of what it allows."""
    plain = text.strip().rstrip(MARKS)
    try:
        number = parse(plain, counted=False)
    except ValueError:
        return NOTHING
    value = {"<": number.value / 2, ">": (1 + number.value) / 2}.get(number.bound, number.value)
    return Ours(value, text=plain)


def _number(value: float, low: float = math.nan, high: float = math.nan, n: int | None = None) -> Ours:
    """A number of the run; none where it is not a number."""
    if value != value:
        return NOTHING
    return Ours(float(value), float(low), float(high), None if n is None else int(n), text=f"{float(value):.6g}")
