"""How imported patients are called: as the files say where that is a pseudonym, by numbers where it may be a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from her2radiomics.cohort.identity import identity_in_identifier, study_numbers
from her2radiomics.cohort.tables import PATIENT_ID
from her2radiomics.core import tables
from her2radiomics.core.contracts import contract
from her2radiomics.core.tables import assemble
from her2radiomics.importing.outcome import Target

#: What stays with the user: which patient is which number, and where the files lie.
PRIVATE = "key"
Identifiers = Literal["checked", "pseudonyms", "numbered"]


def key_name() -> str:
    """Path of the key in the data's folder."""
    return f"{PRIVATE}/{contract('key').path}"


def read_key(folder: Path) -> dict[str, str]:
    """Identifier in the files to the patient's number; empty where patients keep their identifiers."""
    path = folder / key_name()
    if not path.is_file():
        return {}
    table = tables.read("key", path)
    return dict(zip(table["identifier"], table["patient_id"], strict=True))


def call_patients(found: Iterable[str], key: Mapping[str, str], mode: Identifiers) -> tuple[dict[str, str], str]:
    """Identifier to what the patient is called, and why in words where identifiers are not kept.

    Parameters
    ----------
    found
        Identifiers in the files.
    key
        Of an earlier import: its numbers stay, and new patients get the next ones.
    mode
        ``checked`` keeps identifiers unless one looks like a person's identity or cannot be part of a file's name;
        ``pseudonyms`` keeps those that can be part of a file's name; ``numbered`` keeps none.
    """
    names = sorted(set(found))
    odd = [name for name in names if not PATIENT_ID.fullmatch(name)]
    looks = {name: words for name in names if (words := identity_in_identifier(name))}
    reason = ""
    if mode == "numbered":
        reason = "as asked for"
    elif odd:
        reason = f"{len(odd)} of {len(names)} identifiers cannot be part of a file's name"
    elif looks and mode == "checked":
        reason = f"{len(looks)} of {len(names)} identifiers hold {next(iter(looks.values()))}"
    elif key:
        reason = "as in the earlier import"
    if not reason:
        return {name: name for name in names}, ""
    called = dict(key)
    new = [name for name in names if name not in called]
    taken = {int(number[1:]) for number in called.values()}
    numbers = [number for number in study_numbers(map(str, range(len(called) + len(new)))).values()]
    free = [number for number in numbers if int(number[1:]) not in taken]
    called |= dict(zip(new, free, strict=False))
    return called, reason


def write_key(target: Target, called: Mapping[str, str]) -> None:
    """Write number and identifier of each patient."""
    rows = [{"patient_id": number, "identifier": name} for name, number in sorted(called.items(), key=lambda x: x[1])]
    table = assemble("key", rows)
    target.put(key_name(), lambda path: tables.write("key", table, path), update=True)
