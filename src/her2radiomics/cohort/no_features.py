"""Columns of a brought feature table that are no features: identifiers, row numbers, dates, what programs write beside them.

Leak-safe training is no help where the leak comes in with the table, so such columns are left out by name, with the reason,
which planning and report print. A cohort file vouches for a column that is a feature all the same (``features.vouched``).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping

from her2radiomics.core.columns import MISSING
from her2radiomics.core.libraries import pd

ROW_NUMBER, IDENTIFIER, DATE = "a row number", "an identifier", "a date"
#: Fewer rows may count by chance.
FEWEST_ROWS = 5

# heading, in lower case and with shell wildcards, to what the column is; the first match counts
HEADINGS: dict[str, str] = {
    # an empty heading as pandas, readr and data.table call it
    **dict.fromkeys(
        ("", "unnamed", "unnamed: *", "...[0-9]", "...[0-9][0-9]*", "level_[0-9]", "index", "rownames"), ROW_NUMBER
    ),
    **dict.fromkeys(("row.names", "row_names", "row number", "row_number", "rownumber"), ROW_NUMBER),
    **dict.fromkeys(("no", "no.", "nr", "nr.", "#"), ROW_NUMBER),
    # PyRadiomics: its diagnostics (until version 2: general_info), and what its batch script copies from the list of cases
    **dict.fromkeys(("diagnostics_*", "general_info_*"), "a diagnostic of PyRadiomics"),
    **dict.fromkeys(("image", "mask", "label", "label_channel"), "a setting of PyRadiomics' batch"),
    # 3D Slicer's extension writes features in rows, under these headings
    **dict.fromkeys(
        ("image type", "feature class", "feature name", "segment", "segmentation", "segment name", "volume node"),
        "a heading of 3D Slicer's radiomics extension",
    ),
    # CaPTk's FeatureExtraction
    **dict.fromkeys(("modality", "roilabel", "roi_label", "roi label", "featurefamily", "parameters"), "a heading of CaPTk"),
    # MIRP: what stands before the features in its table
    **dict.fromkeys(
        (
            *("sample_name", "image_file_name", "image_directory", "image_study_*", "image_series_*", "image_modality"),
            *("image_pet_suv_type", "image_mask_*", "image_settings_id", "image_voxel_size_[xyz]", "image_noise_*"),
            *("image_rotation_angle", "image_translation_[xyz]"),
        ),
        "a setting of MIRP",
    ),
    # LIFEx
    **dict.fromkeys(("info_*", "params_*", "nameofroi", "roi name", "roiname"), "a heading of LIFEx"),
}  # fmt: skip

# headings without anything but letters and digits
IDENTIFIERS = frozenset(
    "id pid mrn patient patientid patientname patientidentifier subject subjectid subjectname case caseid casename "
    "study studyid participant participantid record recordid accession accessionnumber studyuid seriesuid "
    "studyinstanceuid seriesinstanceuid sopinstanceuid series seriesid seriesnumber file filename filepath path "
    "name".split()
)
# words of a heading that make it a date
DATES = frozenset(
    "date datum datetime timestamp studydate seriesdate scandate mridate birthdate acquisitiondate acquisitiontime "
    "studytime".split()
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_DATE = re.compile(
    r"(19|20)\d\d[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])([ T][\d:.]+Z?)?"
    r"|(0?[1-9]|[12]\d|3[01])[-/.](0?[1-9]|[12]\d|3[01])[-/.](19|20)?\d\d"
)


def left_out(
    table: pd.DataFrame, patients: Iterable[str], declared: Collection[str], vouched: Iterable[str] = ()
) -> dict[str, str]:
    """Columns that are no features, and what they are.

    Parameters
    ----------
    table
        The columns that could be features, as text, in the order of the file.
    patients
        The patient of each row.
    declared
        Columns that the cohort file declares as participants columns: theirs and ours.
    vouched
        Columns (shell wildcards allowed) that are features whatever they look like.

    Returns
    -------
    dict
        Column to what it is, in words that can follow "left out:".
    """
    vouched, identifiers = list(vouched), [str(patient) for patient in patients]
    found: dict[str, str] = {}
    for name in map(str, table.columns):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in vouched):
            continue
        what = "a participants column of the cohort file" if name in declared else by_heading(name)
        what = what or by_values(list(table[name]), identifiers)
        if what:
            found[name] = what
    return found


def by_heading(name: str) -> str:
    """What a column is by its heading; empty for a feature."""
    lower = name.strip().lower()
    for pattern, what in HEADINGS.items():
        if fnmatch.fnmatchcase(lower, pattern):
            return what
    if re.sub(r"[\W_]", "", lower) in IDENTIFIERS:
        return IDENTIFIER
    words = {word.lower() for word in _WORDS.findall(name)} | {re.sub(r"[\W_]", "", lower)}
    return DATE if words & DATES else ""


def by_values(cells: list[str], identifiers: list[str]) -> str:
    """What a column is by what it holds: counting from 0 or 1, the patients' identifiers, dates; empty for a feature."""
    filled = [cell for cell in cells if cell not in MISSING]
    if len(filled) < FEWEST_ROWS:
        return ""
    if all(_DATE.fullmatch(cell.removesuffix(".0")) for cell in filled):
        return f"{DATE} in every cell"
    if len(filled) < len(cells):
        return ""
    numbers = _whole(cells)
    if numbers and sorted(numbers) in ([*range(len(cells))], [*range(1, len(cells) + 1)]):
        return f"{ROW_NUMBER} (it counts {min(numbers)}, {min(numbers) + 1}, {min(numbers) + 2}, ...)"
    if len(set(identifiers)) >= FEWEST_ROWS and (cells == identifiers or (numbers and numbers == _whole(identifiers))):
        return f"{IDENTIFIER} (the patients' own)"
    return ""


def _whole(cells: list[str]) -> list[int]:
    """The cells as whole numbers; none where one of them is something else."""
    found = []
    for cell in cells:
        if not re.fullmatch(r"\d{1,15}(\.0+)?", cell):
            return []
        found.append(int(cell.split(".")[0]))
    return found


def in_words(found: Mapping[str, str]) -> list[str]:
    """A sentence a kind of what was left out, with the columns' names (the first ten of many)."""
    kinds: dict[str, list[str]] = {}
    for name, what in found.items():
        unnamed = not name or name.startswith("Unnamed:")
        shown = f"the column without a heading ('{name or 'Unnamed'}')" if unnamed else f"'{name}'"
        kinds.setdefault(what, []).append(shown)
    return [
        f"Left out of the features as {what}: {', '.join(names[:10])}"
        + (f" and {len(names) - 10} more." if len(names) > 10 else ".")
        for what, names in kinds.items()
    ]
