"""Names that nearly match: they are never taken for each other, and named where a user may have meant the other."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

_SEPARATORS = re.compile(r"[\s_.\-]+")
# an ending that tells lesions, breasts or examinations of one woman apart, behind an identifier with a digit
_PARTS = (
    re.compile(r"(.*\d.*?)[_\-. ]?(l|r|li|re|left|right|links|rechts)", re.IGNORECASE),
    re.compile(r"(.*\d)[_\-. ]?([a-d])", re.IGNORECASE),
    re.compile(r"(.*\d.*?)[_\-. ](\d{1,2})"),
    re.compile(
        r"(.*\d.*?)[_\-. ]?((?:lesion|les|visit|v|t|tp|exam|scan|mri|roi|tumou?r)[_\-. ]?\d{1,2})", re.IGNORECASE
    ),
)
#: More identifiers with one beginning than this are patients of a centre, not parts of a person.
MOST_PARTS = 4
#: A word must have as many letters for one of them to be a slip.
SHORTEST_WORD = 5


def visible(text: str) -> str:
    """A text in composed, compatible form and without the characters that nobody sees (zero-width spaces)."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")


def folded(name: str) -> str:
    """What is left of an identifier without case, composed accents, separators' kind and leading zeros."""
    text = visible(name.strip()).casefold()
    text = re.sub(r"(?<=\d)\.0$", "", text)  # a number that a program made of a whole one
    text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
    return _SEPARATORS.sub("-", text).strip("-")


def near_match(name: str, others: Iterable[str]) -> str:
    """The first other name that differs in nothing but what :func:`folded` leaves out; empty where there is none."""
    wanted = folded(name)
    return next((other for other in others if other != name and folded(other) == wanted), "")


def did_you_mean(names: Collection[str], others: Iterable[str]) -> str:
    """Advice that names what nearly matches: *'123' is nearly '00123' (leading zeros)*; empty where nothing does."""
    by_fold = {folded(other): other for other in others}
    for name in names:
        other = by_fold.get(folded(name))
        if other is not None and other != name:
            return f"'{name}' is nearly '{other}' ({difference(name, other)}); write it the same way in both tables."
    return ""


def difference(one: str, other: str) -> str:
    """In what two names differ that nearly match."""
    steps = (
        ("spaces", lambda text: "".join(text.split())),
        ("composed and decomposed accents", lambda text: unicodedata.normalize("NFC", text)),
        ("characters that nobody sees", visible),
        ("upper and lower case", str.casefold),
        ("leading zeros", lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", text)),
        ("a decimal .0", lambda text: re.sub(r"(?<=\d)\.0$", "", text)),
    )
    for words, change in steps:
        if change(one) == change(other):
            return words
    return "spelling"


def look_alikes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of identifiers that nearly match within one table."""
    first: dict[str, str] = {}
    for name in dict.fromkeys(names):
        other = first.setdefault(folded(name), name)
        if other != name:
            yield other, name


def spelling_variants(names: Iterable[str], vouched: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Pairs of categories that differ in case, spaces, separators or one letter of a word.

    Two that a setting names both (``vouched``) are different on purpose. Numbers and short words (``site A``, ``AAI``)
    tell centres apart, so that one letter counts in words of five letters and more.
    """
    for one, other in itertools.combinations(sorted({name for name in names if name}), 2):
        if one in vouched and other in vouched:
            continue
        if _loose(one) == _loose(other) or _one_letter(_loose(one), _loose(other)):
            yield one, other


def _loose(name: str) -> str:
    return " ".join(_SEPARATORS.sub(" ", visible(name).casefold()).split())


def _one_letter(one: str, other: str) -> bool:
    words, others = one.split(), other.split()
    if len(words) != len(others):
        return one.replace(" ", "") == other.replace(" ", "")
    differ = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    if len(differ) != 1:
        return False
    short, long = sorted(differ[0], key=len)
    if len(short) < SHORTEST_WORD - 1 or len(long) < SHORTEST_WORD or not (short + long).isalpha():
        return False
    if len(short) == len(long):
        places = [place for place, (a, b) in enumerate(zip(short, long, strict=True)) if a != b]
        swapped = len(places) == 2 and places[1] == places[0] + 1 and sorted(short) == sorted(long)
        return len(places) == 1 or swapped
    return len(long) == len(short) + 1 and any(long[:k] + long[k + 1 :] == short for k in range(len(long)))


def parts_of_one(identifiers: Iterable[str]) -> list[list[str]]:
    """Identifiers that look like parts of one person (``P007_L``, ``P007_R``), a list for each; none where none do."""
    names = sorted(set(identifiers))
    found: dict[str, list[str]] = {}
    for pattern in _PARTS:
        groups: dict[str, list[str]] = {}
        for name in names:
            match = pattern.fullmatch(name)
            if match:
                groups.setdefault(match[1].casefold(), []).append(name)
        several = {stem: group for stem, group in groups.items() if len(group) > 1}
        if several and max(map(len, several.values())) <= MOST_PARTS:
            known = list(found.values())
            found |= {stem: group for stem, group in several.items() if stem not in found and group not in known}
    bare = set(names)
    # 'P007' beside 'P007_2': a second examination of the first
    for pattern in _PARTS:
        for name in names:
            match = pattern.fullmatch(name)
            if match and match[1] in bare and match[1].casefold() not in found:
                found[match[1].casefold()] = [match[1], name]
    return sorted(found.values())
