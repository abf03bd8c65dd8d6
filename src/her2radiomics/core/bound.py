"""Numbers that remember the cell they come from, also when they are printed into a sentence.

A bound number prints itself between marks of Unicode's private use area, which carry its :class:`Source`. Sentences are
made of such texts as of any other; whoever prints them takes the marks off (:func:`plain`) or reads them (:func:`pieces`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from zlib import crc32

from pydantic import BaseModel

_START, _SPLIT, _END, _SPACE = "\ue000", "\ue001", "\ue002", "\ue003"
_MARKED = re.compile(f"{_START}(.)([^{_SPLIT}]*){_SPLIT}([^{_END}]*){_END}")
#: A number that stands by itself: what is joined to letters is a name (HER2, T2WI, 3-D, 8th).
NUMBER = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)(?<!ICC\()(?:\d{4}-\d\d-\d\d|\d+(?:[.,]\d+)*)"
    r"(?![\w⁰¹²³⁴-⁹₀-₉])(?![.,]\d)(?!-(?:D|SE)\b)(?!⁻)"
)
MOST_KEY = 64  # the longest tag of a content control in Word


@dataclass(frozen=True)
class Source:
    """The cell that a number comes from, or the cells.

    Attributes
    ----------
    file
        Path below the run's folder, for example ``tables/performance.csv``.
    row
        What tells the row from the others: column and value, in the table's order. Of a JSON file empty. Where
        :attr:`rounding` begins with ``sum``, ``count``, ``smallest`` or ``largest``, all rows that have the values.
    column
        The column; of a JSON file the path of keys, joined by dots.
    unit
        Unit of the printed number, for example ``%``; empty where it has none.
    rounding
        How the cell's value is printed: the steps of :mod:`her2radiomics.manuscript.cells`, joined by semicolons, as
        ``fixed 3``.
    of
        The cells, in order, where a number is made of several: :attr:`rounding` then begins with ``difference``,
        ``quotient`` or another step for several numbers. ``file``, ``row`` and ``column`` are those of the first.
    """

    file: str
    row: tuple[tuple[str, str], ...]
    column: str
    unit: str = ""
    rounding: str = ""
    of: tuple[Source, ...] = ()

    def step(self, text: str) -> Source:
        """The same cell with one more step of rounding."""
        return replace(self, rounding="; ".join(filter(None, (self.rounding, text))))

    @property
    def key(self) -> str:
        """Stable name of the number as printed: of ASCII letters, digits, dots, hyphens and underscores."""
        stem = self.file.rpartition("/")[2].rpartition(".")[0]
        if self.file.count("/") > 1:  # models/<model>/selection.csv
            stem = f"{stem}.{self.file.split('/')[1]}"
        parts = [stem, *(value for _, value in self.row), self.column, *self.rounding.split("; ")]
        full = ".".join(_plain_key(part) for part in parts if part)
        odd = bool(self.of) or any(not value.isascii() or " " in value for _, value in self.row)
        if odd or len(full) > MOST_KEY:
            digest = f"{crc32(_payload(self).encode()):08x}"
            return f"{full[: MOST_KEY - 9].rstrip('.-')}.{digest}"
        return full


def _plain_key(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text.replace(".", "\0")).replace("\0", ".").strip("-")


def _payload(source: Source) -> str:
    return json.dumps(_listed(source), ensure_ascii=False, separators=(",", ":")).replace(" ", _SPACE)


def _listed(source: Source) -> list[Any]:
    own = [source.file, source.row, source.column, source.unit, source.rounding]
    return [*own, [_listed(part) for part in source.of]]


def _read(content: list[Any]) -> Source:
    file, row, column, unit, rounding, of = content
    return Source(file, tuple((k, v) for k, v in row), column, unit, rounding, tuple(map(_read, of)))


@cache
def _source(payload: str) -> Source:
    return _read(json.loads(payload.replace(_SPACE, " ")))


def marked(text: str, source: Source) -> str:
    """``text`` between marks that carry its source."""
    return f"{_START}n{_payload(source)}{_SPLIT}{text}{_END}"


def cited(*keys: str) -> str:
    """A citation of entries of the reference list inside a text; nothing where there are no keys."""
    return f"{_START}c{','.join(dict.fromkeys(keys))}{_SPLIT}{_END}" if keys else ""


def referred(target: str) -> str:
    """The printed number of a table, figure or section inside a text."""
    return f"{_START}r{target}{_SPLIT}{_END}"


def seen_in(*targets: str) -> str:
    """Tables and figures in brackets behind a statement; nothing where there are none."""
    return f"{_START}s{','.join(targets)}{_SPLIT}{_END}" if targets else ""


def for_author(text: str) -> str:
    """What the author is to write, inside a text."""
    return f"{_START}a{_SPLIT}{text}{_END}"


def plain(text: str) -> str:
    """A text without marks: numbers as printed, citations and cross-references left out."""
    return _MARKED.sub(lambda found: found[3], text)


def pieces(text: str) -> Iterator[tuple[str, str, Source | None]]:
    """Parts of a text in order: kind (words: empty; ``n``, ``c``, ``r``, ``s``, ``a``), text or keys, source of a number."""
    end = 0
    for found in _MARKED.finditer(text):
        if found.start() > end:
            yield "", text[end : found.start()], None
        kind, payload, shown = found.groups()
        yield kind, shown if kind in "na" else payload, _source(payload) if kind == "n" else None
        end = found.end()
    if end < len(text):
        yield "", text[end:], None


def bind_text(text: str, source: Source) -> str:
    """A text of a file, each number in it marked as the first, second … number of that text."""
    count = iter(range(1, len(text) + 1))
    return NUMBER.sub(lambda found: marked(found[0], source.step(f"number {next(count)}")), text)


class _Marking:
    """How a bound number prints itself."""

    source: Source

    def __str__(self) -> str:
        return self.__format__("")

    def __format__(self, spec: str) -> str:
        value = float(self) if isinstance(self, float) else int(self)  # type: ignore[call-overload]
        if isinstance(value, float) and value.is_integer() and not spec:
            value = int(value)
        unit = "%" if spec.endswith("%") else ""
        text = format(value, spec).removesuffix("%")
        return marked(text, replace(self.source, unit=unit).step(f"format {spec}".strip())) + unit


class BoundInt(_Marking, int):
    """A whole number with its source."""

    def __new__(cls, value: int, source: Source) -> BoundInt:
        """Bind ``value``."""
        made = int.__new__(cls, value)
        made.source = source
        return made


class BoundFloat(_Marking, float):
    """A number with its source; a product with a plain number keeps it."""

    def __new__(cls, value: float, source: Source) -> BoundFloat:
        """Bind ``value``."""
        made = float.__new__(cls, value)
        made.source = source
        return made

    def __mul__(self, other: float) -> BoundFloat:
        """Multiply, and keep the source."""
        return BoundFloat(float(self) * other, self.source.step(f"times {other:g}"))

    __rmul__ = __mul__


BoundNumber = BoundInt | BoundFloat


def bind(value: Any, source: Source, prose: frozenset[str], name: str = "") -> Any:
    """Plain data or settings whose numbers, and numbers in whose texts, are bound to the file that holds them.

    Parameters
    ----------
    value
        Settings, mappings, lists, numbers and texts.
    source
        The file, with the path of ``value`` in it as column.
    prose
        Names of the keys whose texts are printed; other texts are left as they are.
    name
        Name of the nearest key.
    """

    def inside(key: object, item: Any, called: str = "") -> Any:
        path = f"{source.column}.{key}" if source.column else str(key)
        return bind(item, replace(source, column=path), prose, called or name)

    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return BoundInt(value, source)
    if isinstance(value, float):
        return BoundFloat(value, source)
    if isinstance(value, str):
        return bind_text(value, source) if name in prose else value
    if isinstance(value, BaseModel):
        fields = {key: getattr(value, key) for key in type(value).model_fields}
        return value.model_copy(update={key: inside(key, item, key) for key, item in fields.items()})
    if isinstance(value, Mapping):
        return {key: inside(key, item, name if name in prose else str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(inside(place, item) for place, item in enumerate(value))
    return value
