"""The software that a study depends on: what each distribution decides, how it is printed and cited, what a job used.

``software.csv`` is the only list of distributions. The versions in a run's record, in ``model.json`` and in the names of
kept cases are filters of it. What the methods section names comes from the jobs: while a job runs, each library that our
code calls (:mod:`her2radiomics.core.libraries`) is noted, and the job writes their names and versions. A library that only
another one imports is not noted. A test compares the table with the imports of the product.
"""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

#: What a distribution may decide: numbers and drawings of a study.
PARTS = ("extraction", "overlays", "partitions", "modelling", "evaluation", "survival", "drawing")


@dataclass(frozen=True)
class Distribution:
    """A distribution that the product imports: a row of ``software.csv``.

    Attributes
    ----------
    name, module
        As it is installed, and as it is imported.
    decides
        The :data:`PARTS` of a study whose numbers or drawings depend on its version; none for what reads settings and
        writes documents.
    printed, reference
        As a methods section names it, empty where none would; the key of its publication in ``report/references.json``.
    through
        What our code calls, where another library does the importing.
    everywhere
        Whether every job uses it.
    """

    name: str
    module: str
    decides: tuple[str, ...]
    printed: str
    reference: str
    through: str
    everywhere: bool

    @property
    def version(self) -> str:
        """The installed version."""
        return platform.python_version() if self.name == "python" else _version(self.name)


@cache
def _version(name: str) -> str:
    """The version by ``importlib.metadata``, whose own imports (of e-mail) a job does without until it writes its record."""
    found: str = import_module("importlib.metadata").version(name)
    return found


def _table() -> Iterator[Distribution]:
    lines = Path(__file__).with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    for name, module, decides, printed, reference, through, everywhere in csv.reader(lines[1:]):
        parts = PARTS if decides == "everything" else tuple(decides.split())
        yield Distribution(name, module, parts, printed, reference, through, everywhere == "yes")


BY_NAME = {item.name: item for item in _table()}
DISTRIBUTIONS = tuple(BY_NAME.values())
_BY_MODULE = {item.module: item.name for item in DISTRIBUTIONS}
_RECORDINGS: list[set[str]] = []


def versions(*parts: str) -> dict[str, str]:
    """Installed versions of what decides any of these parts; without parts, of all that a methods section may name."""
    return {
        item.name: item.version for item in DISTRIBUTIONS if (set(parts) & set(item.decides) if parts else item.printed)
    }


def name_of(module: str) -> str:
    """Distribution that brings a module, whose name may go on after a full stop."""
    return _BY_MODULE[module.partition(".")[0]]


def note(*names: str) -> None:
    """Note that the running job uses these distributions."""
    for used in _RECORDINGS:
        used.update(names)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Names of the distributions that are used inside the block; what the block's own recordings note counts too."""
    used: set[str] = set()
    _RECORDINGS.append(used)
    try:
        yield used
    finally:
        _RECORDINGS[:] = [other for other in _RECORDINGS if other is not used]


def as_record(used: Iterable[str]) -> str:
    """What a job writes of the distributions that it used: names and versions as JSON, in the order of the table.

    What a methods section never names is left out: a parser of settings runs once in a process, whatever it computes then.
    """
    names = set(used)
    found = {
        item.name: item.version for item in DISTRIBUTIONS if item.printed and (item.everywhere or item.name in names)
    }
    return json.dumps(found, indent=1) + "\n"


def printed(used: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Printed names and versions of distributions."""
    return tuple((BY_NAME[name].printed, version) for name, version in used.items())


def read_records(files: Iterable[str | Path]) -> dict[str, str]:
    """Names of the distributions in several jobs' records and their versions, in the order of the table.

    Jobs that used different versions have them all named.
    """
    found: dict[str, set[str]] = {}
    for file in files:
        content: Mapping[str, str] = json.loads(Path(file).read_text(encoding="utf-8"))
        for name, version in content.items():
            found.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(found[name])) for name in BY_NAME if name in found}
