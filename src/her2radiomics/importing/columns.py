"""What each column of a clinical table holds, and what is doubtful of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from her2radiomics.cohort.identity import identity_in
from her2radiomics.cohort.no_features import DATE, by_heading, by_values
from her2radiomics.cohort.tables import CODES, FEWEST
from her2radiomics.core.brought.likeness import spelling_variants
from her2radiomics.core.brought.numbers import MISSING, number
from her2radiomics.core.brought.reading import BroughtTable
from her2radiomics.core.errors import TableError
from her2radiomics.extraction.names import CLASSES

#: A column of more values is no category; one of whole numbers with more values than the second is a number.
MOST_LEVELS, MOST_CODES = 20, 6
#: Words of headings of what studies predict; it is never used to predict without a word of the user.
OUTCOME = re.compile(
    r"\b(pcr|response|recurrence|relapse|progression|death|dead|died|surviv\w*|vital.status|outcome|label|target|event|follow.?up|her2\w*)"
    r"|\b(rfs|dfs|pfs|os|rcb)\b",
    re.IGNORECASE,
)
LATER = re.compile(
    r"pcr|response|recur|relaps|progress|death|dead|died|surviv|follow|rfs|dfs|pfs|\bos\b|rcb|surgery", re.IGNORECASE
)
IDENTITY = re.compile(
    r"(^|\b(patient|first|last|family|given|full)[ _-]*)name\b"
    r"|\b(surname|birth\w*|dob|address|street|phone|e-?mail|accession|mrn|insurance|zip|postcode|initials)\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[\[(]\s*(years?|y|mm|cm|ml|cc|days?|months?|weeks?|kg|g|m|%|ng/ml|u/ml)\s*[\])]", re.IGNORECASE)
_CODE = re.compile(r"(-?\d+)\s*[=:]\s*([^,;=]+?)\s*(?=[,;]|\s-?\d+\s*[=:]|$)")


@dataclass
class Profile:
    """A column of the user's table.

    Attributes
    ----------
    heading, name
        As the table has it, and as the cohort file calls it.
    kind
        ``continuous``, ``categorical``, or what else it is (an identifier, dates, text).
    n, missing
        Rows, and those without a value.
    low, high, median
        Of the numbers of a continuous column.
    levels
        Value to how often it stands, most frequent first, of a categorical column.
    labels
        Value to what the heading says that it means.
    unit
        As the heading says.
    doubts
        What must be decided before it is used; a column with one is a comment in the cohort file.
    remarks
        What deserves a look and changes nothing.
    private
        Whether it may tell who a patient is: its values are shown nowhere and copied nowhere.
    """

    heading: str
    name: str
    n: int
    kind: str = ""
    missing: int = 0
    low: float = 0.0
    high: float = 0.0
    median: float = 0.0
    levels: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    doubts: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    private: bool = False

    @property
    def certain(self) -> bool:
        """Whether the cohort file may declare it without a decision of the user."""
        return self.kind in ("continuous", "categorical") and not self.doubts

    @property
    def range(self) -> str:
        """Smallest, median and largest value in words."""
        return f"{self.low:g} to {self.high:g}, median {self.median:g}" if self.kind == "continuous" else ""


#: Names that PyRadiomics gives to features, also behind a sequence and region (``DCE__tumour_volume__original_glcm_Id``).
_FEATURE = re.compile(rf"(?:.+__)?[A-Za-z][\w.-]*_(?:{'|'.join(CLASSES)})_[A-Za-z0-9]+")


def feature_headings(table: BroughtTable) -> list[str]:
    """Headings of columns that are image features by PyRadiomics' naming: brought, not described one by one."""
    return [str(name) for name in table.cells if _FEATURE.fullmatch(str(name))]


def profiles(table: BroughtTable, identifier: str) -> list[Profile]:
    """Look at every column but the identifier's and image features, in the order of the table."""
    patients, names = list(table.cells[identifier]), {"patient_id", "centre", "partition", "label"}
    found = []
    others = {identifier, *feature_headings(table)}
    headings = [str(name) for name in table.cells if name not in others]
    for heading in headings + [name for name in table.refused if name not in headings]:
        name = _name(heading, names)
        names.add(name)
        profile = Profile(heading, name, len(patients))
        found.append(profile)
        if heading in table.refused:
            profile.kind, profile.doubts = "not readable", [_said(table.refused[heading])]
            continue
        try:
            cells = list(table.column(heading))
        except TableError as error:
            profile.kind, profile.doubts = "not readable", [_said(error)]
            continue
        _look(profile, cells, patients)
    return found


def _said(error: TableError) -> str:
    return f"found {error.found}; expected {error.expected}"


def _name(heading: str, taken: set[str]) -> str:
    """A name that a protocol may use: letters, digits and '_', not one that another column or the results have."""
    bare = re.sub(r"[{\[(].*", "", heading)[:40]
    name = re.sub(r"[^a-z0-9]+", "_", (bare if re.search("[A-Za-z]", bare) else heading).lower()).strip("_") or "column"
    name = name if name[0].isalpha() else f"c_{name}"
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def _look(profile: Profile, cells: Sequence[str], patients: Sequence[str]) -> None:
    filled = [cell for cell in cells if cell not in MISSING]
    profile.missing = len(cells) - len(filled)
    what = by_heading(profile.heading) or by_values([*cells], [*patients])
    if what == DATE and all(number(cell) is not None for cell in filled):  # days from one date to another
        what = ""
    looks = next((words for cell in filled if not _decimal(cell) and (words := identity_in(cell))), "")
    if IDENTITY.search(profile.heading) or what.startswith("an identifier") or looks:
        profile.kind, profile.private = what or "may tell who a patient is", True
        profile.doubts.append(
            f"looks like identity ({looks or what or 'its heading'}): it is not copied and its values are shown nowhere"
        )
        return
    if what:
        profile.kind = what
        profile.doubts.append(f"is {what}, no clinical column")
        return
    counts = Counter(filled)
    numbers = [value for cell in filled if (value := number(cell)) is not None]
    if not filled:
        profile.kind = "empty"
        profile.doubts.append("all cells are empty")
    elif len(numbers) == len(filled) and (len(counts) > MOST_CODES or any(value % 1 for value in numbers)):
        _as_numbers(profile, numbers)
    elif len(counts) <= MOST_LEVELS and (len(counts) <= max(2, len(filled) // 2)):
        _as_levels(profile, counts, numeric=len(numbers) == len(filled))
    else:
        profile.kind = "text"
        odd = [cell for cell in filled if number(cell) is None]
        share = f"{len(numbers)} numbers and {len(odd)} texts such as '{odd[0][:30]}'" if numbers else "free text"
        profile.doubts.append(f"{share}: {len(counts)} different values")
    if OUTCOME.search(profile.heading.replace("_", " ")):
        profile.remarks.append("may be the label: a study that predicts it must not use it as a predictor")
    if LATER.search(profile.heading):
        profile.remarks.append("may be known only after treatment: say available_at (after_surgery, follow_up)")


def _decimal(cell: str) -> bool:
    """Whether a cell is a number with decimals: its digits are those of a measurement."""
    return "." in cell and number(cell) is not None


def _as_numbers(profile: Profile, numbers: Sequence[float]) -> None:
    profile.kind = "continuous"
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    profile.low, profile.high = ordered[0], ordered[-1]
    profile.median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    unit = _UNIT.search(profile.heading)
    profile.unit = unit[1].lower() if unit else ""
    others = [value for value in ordered if value not in CODES]
    codes = sorted({value for value in ordered if value in CODES})
    if codes and len(others) >= FEWEST:
        width = max(others) - min(others)
        far = [code for code in codes if code > max(others) + width or code < min(min(others), 0) <= 0 <= min(others)]
        if far:
            shown = ", ".join(f"{code:g}" for code in far)
            profile.doubts.append(
                f"{shown} may mean that nothing is known; all others are from {others[0]:g} to {others[-1]:g}: "
                f"say 'missing: [{far[0]:g}]' or a range"
            )


def _as_levels(profile: Profile, counts: Counter[str], *, numeric: bool) -> None:
    profile.kind = "categorical"
    profile.levels = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    said = {code: words.strip(" {}[]()") for code, words in _CODE.findall(profile.heading.strip("} "))}
    profile.labels = {level: said[level] for level in sorted(counts) if said.get(level)}
    if len(counts) == 1:
        profile.doubts.append("one value alone: it tells nobody apart")
    for one, other in spelling_variants([] if numeric else counts):
        profile.doubts.append(
            f"'{one}' ({counts[one]}) and '{other}' ({counts[other]}) look alike: recode one, or say that both are meant"
        )
    if numeric and len(counts) > 2 and len(profile.labels) < len(counts):
        profile.doubts.append(
            f"{len(counts)} whole numbers: codes, grades or counts? Say categorical, ordinal or continuous"
        )
    codes = [level for level in counts if numeric and number(level) in CODES]
    if codes:
        profile.doubts.append(f"{', '.join(sorted(codes))} may mean that nothing is known: say 'missing: [{codes[0]}]'")
