"""Does a text look like a person's identity? And study numbers, which never do.

What the workflow makes for others to read (the page, figures and their data, tables, the crate) calls patients by their
identifier, so an identifier must be a pseudonym. No rule can know; these catch what hospitals' tables hold most often.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Digits in a row from which a number is taken for a hospital's or an insurance's.
LONG_NUMBER = 7

_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-._/ ](?:0?[1-9]|1[0-2])[-._/ ](?:[12]\d|3[01]|0?[1-9])"
    r"|(?:[12]\d|3[01]|0?[1-9])[-._/ ](?:0?[1-9]|1[0-2])[-._/ ](?:19|20)\d\d)(?!\d)"
)
_NUMBER = re.compile(rf"\d{{{LONG_NUMBER},}}")
_WORD = re.compile(r"[^\W\d_]{3,}")


def identity_in(text: str) -> str:
    """What in a free text (a reason, a centre) looks like identity, in words; empty where nothing does."""
    if _DATE.search(text):
        return "a date"
    if _NUMBER.search(text):
        return f"{LONG_NUMBER} digits or more in a row, as hospital numbers have"
    return ""


def identity_in_identifier(identifier: str) -> str:
    """What in an identifier looks like identity, in words; empty where nothing does.

    Besides :func:`identity_in`, a space, comma or caret (as names in DICOM have), or a word of three letters or more
    in an identifier without any digit, which looks like a name.
    """
    found = identity_in(identifier)
    if found:
        return found
    if re.search(r"[\s,^]", identifier):
        return "a space, comma or '^', as names have"
    if _WORD.search(identifier) and not re.search(r"\d", identifier):
        return "letters alone, as names have"
    return ""


def study_numbers(identifiers: Iterable[str]) -> dict[str, str]:
    """Identifier to study number: ``P001``, ``P002``, … in the order of the sorted identifiers.

    The order is that of the identifiers, so that nothing that goes by sorted patients (batches, random splits) changes.
    """
    found = sorted(set(identifiers))
    width = max(3, len(str(len(found))))
    return {identifier: f"P{place:0{width}d}" for place, identifier in enumerate(found, start=1)}
