"""British or American spelling of words; numbers, references and files' names are left alone."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Literal

Spelling = Literal["british", "american"]
FILE = Path(__file__).with_suffix(".csv")


@cache
def _pairs(to: Spelling) -> dict[str, str]:
    rows = csv.DictReader(FILE.read_text(encoding="utf-8").splitlines())
    pairs = [(row["british"], row["american"]) for row in rows]
    made = {a: b for a, b in pairs} if to == "american" else {b: a for a, b in pairs}
    return made | {f"{a}s": f"{b}s" for a, b in made.items()}


def spelled(text: str, spelling: Spelling) -> str:
    """``text`` in British or American spelling, word by word; a capital first letter stays."""
    pairs = _pairs(spelling)

    def word(found: re.Match[str]) -> str:
        other = pairs.get(found[0].lower())
        if other is None or found[0].isupper():
            return found[0]
        return other.capitalize() if found[0][0].isupper() else other

    return re.sub(r"(?<![\w.])[A-Za-z]+(?![\w]|\.\w)", word, text)
