"""Text templates: sections of paragraphs, with words in the template and numbers that remember their cells.

A template is plain text with Jinja's expressions. ``== name | Heading`` begins a section, ``-- name`` a paragraph of it,
whose identifier is ``section.name``. Line breaks are spaces; a paragraph without words, and a section without paragraphs,
are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from her2radiomics.core import bound
from her2radiomics.core.bound import BoundNumber
from her2radiomics.core.templates import environment
from her2radiomics.core.wording import listing
from her2radiomics.manuscript.cells import shown
from her2radiomics.report.words import lower_first, model_phrase, upper_first

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Section:
    """A section of a text: its identifier, heading, and paragraphs by their identifiers, with marks."""

    id: str
    heading: str
    paragraphs: tuple[tuple[str, str], ...]


def sentence(text: str) -> str:
    """A stated text with a full stop."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def counted(count: int, one: str, several: str = "") -> str:
    """``1 patient``, ``3 patients``."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def _listing(items: Sequence[str]) -> str:
    return listing([str(item) for item in items]) if items else ""


def interval(value: BoundNumber, low: BoundNumber, high: BoundNumber, digits: int = 2) -> str:
    """``0.72 (0.53–0.86)`` with each number bound, in the manner of :func:`her2radiomics.manuscript.formatting.interval`."""
    estimate = shown(value, "fixed", digits)
    if low != low or high != high:
        return estimate
    if low == high or abs(float(low)) == float("inf") or abs(float(high)) == float("inf"):
        return f"{estimate} (CI not estimable)"
    joint = " to " if low < 0 or high < 0 else "–"
    return f"{estimate} ({shown(low, 'fixed', digits)}{joint}{shown(high, 'fixed', digits)})"


@cache
def texts(package: str) -> Environment:
    """Text templates of a package: nothing is escaped, an unknown name is an error."""
    made = environment(package).overlay(autoescape=False, trim_blocks=False)
    made.filters |= {
        "listing": _listing,
        "lower_first": lower_first,
        "upper_first": upper_first,
        "model": model_phrase,
        "sentence": sentence,
        "counted": counted,
        "fixed": lambda value, digits: shown(value, "fixed", digits),
        "p": lambda value: shown(value, "p equals"),
        "bare_p": lambda value: shown(value, "p value"),
        "g": lambda value: f"{value:g}",
        "percent": lambda value: f"{value:.0%}",
        "rate": lambda value: shown(value, "percent"),
        "bare": bound.plain,
    }
    made.globals |= {
        "cite": bound.cited,
        "ref": bound.referred,
        "see": bound.seen_in,
        "author": bound.for_author,
        "interval": interval,
    }
    return made


def sections(package: str, template: str, facts: Mapping[str, Any], prefix: str = "") -> tuple[Section, ...]:
    """Fill a template.

    Parameters
    ----------
    package, template
        Where the template is.
    facts
        Names that the template uses.
    prefix
        Put before the identifiers of sections.
    """
    text = texts(package).get_template(template).render(**facts)
    made = []
    for part in re.split(r"^== ", text, flags=re.M)[1:]:
        head, _, rest = part.partition("\n")
        name, _, heading = head.partition(" | ")
        paragraphs = []
        for piece in re.split(r"^-- ", rest, flags=re.M)[1:]:
            own, _, words = piece.partition("\n")
            if words := _tidy(words):
                paragraphs.append((f"{prefix}{name}.{own.strip()}", words))
        if paragraphs:
            made.append(Section(f"{prefix}{name}", heading.strip(), tuple(paragraphs)))
    return tuple(made)


def _tidy(text: str) -> str:
    """One line, without the spaces that empty expressions leave."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ([.,;:])", r"\1", text)
