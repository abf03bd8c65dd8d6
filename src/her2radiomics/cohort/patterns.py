"""Images and masks found by name, where a data set has no manifest."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.cohort.manifest import BREAST
from her2radiomics.cohort.settings import ImagePattern
from her2radiomics.cohort.tables import check_manifest
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble

#: Files named in a note; the others are counted.
NAMED = 5


def find_images(patterns: Sequence[ImagePattern], root: Path, *, named: bool = True) -> tuple[pd.DataFrame, list[str]]:
    """Find images and masks by name.

    The texts of the sequences are known, so that ``{patient}`` is what is left of a name: it may hold the separator.
    Hidden files (``.DS_Store``, ``._P001.nii.gz``) are no data.

    Parameters
    ----------
    patterns, root
        Where images lie below the data's folder.
    named
        Whether files may be named in the sentences: not where patients are numbered.

    Returns
    -------
    tuple
        The manifest, and sentences on files that fit a pattern but for the sequence.

    Raises
    ------
    TableError
        No image at all fits the patterns, or two files fit one patient's sequence.
    """
    rows: list[dict[str, str]] = []
    strange: list[str] = []
    for pattern in patterns:
        found, others = _matches(root, pattern)
        strange += others
        for image, patient, text in found:
            sequence = pattern.sequences[text]
            base = {"patient_id": patient, "sequence": sequence, "image": str(image)}
            numbers = {"seconds": pattern.seconds, "b_value": pattern.b_values}
            base |= {name: f"{of[sequence]:g}" for name, of in numbers.items() if sequence in of}
            label = "" if pattern.mask_label is None else str(pattern.mask_label)
            for reader, mask in pattern.masks.items():
                path = _existing(root, mask, patient, text)
                rows.append(base | {"reader": reader, "region": pattern.region, "mask": str(path), "mask_label": label})
            if pattern.region_mask:
                path = _existing(root, pattern.region_mask, patient, text)
                rows.append(base | {"reader": FIRST_READER, "region": BREAST, "mask": str(path), "mask_label": ""})
    taken = {row["image"] for row in rows} | {row["mask"] for row in rows}
    strange = sorted({name for name in strange if str(root / name) not in taken})
    if not rows:
        raise TableError(
            file=root,
            found="no image that fits "
            + " or ".join(pattern.image for pattern in patterns)
            + (f", though {strange[0]} fits but for its sequence" if strange else ""),
            expected="one file per patient and sequence",
            remedy="Check the folder in config.yaml's data section and the cohort file's patterns.",
        )
    manifest = (
        assemble("manifest", rows)
        .fillna("")
        .sort_values(["patient_id", "sequence", "reader", "region"], ignore_index=True)
    )
    return check_manifest(manifest, root), _said(strange, root, named)


def _said(strange: Sequence[str], root: Path, named: bool) -> list[str]:
    if not strange:
        return []
    if not named:
        return [f"{root}: {len(strange)} files fit a pattern but no sequence of it"]
    more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
    return [f"{root}: {len(strange)} files fit a pattern but no sequence of it: {', '.join(strange[:NAMED])}{more}"]


def _matches(root: Path, pattern: ImagePattern) -> tuple[list[tuple[Path, str, str]], list[str]]:
    """Files that fit the pattern, with the patient (as the folder or first mention spells it) and the sequence's text.

    Beside them the files, below the root, that fit but for the text of the sequence.
    """
    texts = sorted(pattern.sequences, key=len, reverse=True)
    known = path_expression(pattern.image, "|".join(re.escape(_composed(text)) for text in texts))
    anything = path_expression(pattern.image, "[^/]+?")
    spelled = {_composed(text).casefold(): text for text in texts}
    found, others = [], []
    for path in sorted(root.glob(re.sub(r"\{\w+\}", "*", _globbed(pattern.image)))):
        name = path.relative_to(root).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        match = known.fullmatch(_composed(name))
        if match:
            text = spelled[match["sequence"].casefold()] if "sequence" in match.groupdict() else next(iter(texts), "")
            found.append((path, match["patient"], text))
        elif anything.fullmatch(_composed(name)):
            others.append(name)
    return found, others


def _globbed(pattern: str) -> str:
    """The pattern with everything but its placeholders and separators open to composed and decomposed accents."""
    return "".join(char if char.isascii() else "*" for char in pattern)


def path_expression(pattern: str, sequence: str) -> re.Pattern[str]:
    """Expression of a path below the data's folder, with the groups ``patient`` and ``sequence``."""
    text = re.escape(_composed(pattern)).replace(r"\{patient\}", "{patient}").replace(r"\{sequence\}", "{sequence}")
    for name, what in (("patient", "[^/]+?"), ("sequence", sequence)):
        text = text.replace(f"{{{name}}}", f"(?P<{name}>{what})", 1).replace(f"{{{name}}}", f"(?P={name})")
    return re.compile(text, re.IGNORECASE)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _existing(root: Path, pattern: str, patient: str, sequence: str) -> Path:
    """The mask's path as it is spelled on disk; where it is absent, the path as expected (extraction says so)."""
    return spelled_path(root, pattern.format(patient=patient, sequence=sequence), case=False)


def spelled_path(root: Path, name: str, *, case: bool = True) -> Path:
    """A path as the folder spells it: accents may be composed or decomposed there, which nobody sees.

    Parameters
    ----------
    root
        An existing folder.
    name
        The path below it.
    case
        Whether upper and lower case must agree.

    Returns
    -------
    pathlib.Path
        The path as written where it is there, or where not exactly one other spelling is.
    """
    place = root / name
    if place.exists():
        return place
    place = root
    for part in Path(name).parts:
        if not (place / part).exists() and place.is_dir():
            same = [entry for entry in sorted(place.iterdir()) if _key(entry.name, case) == _key(part, case)]
            if len(same) != 1:
                return root / name
            place = same[0]
        else:
            place = place / part
    return place


def _key(name: str, case: bool) -> str:
    composed = _composed(name)
    return composed if case else composed.casefold()


def respell(manifest: pd.DataFrame, root: Path, *, named: bool = True) -> tuple[pd.DataFrame, list[str]]:
    """Paths of a manifest below the data's folder, as the folder spells them; and which were spelled otherwise."""
    notes, changed = [], manifest.copy()
    for column in ("image", "mask"):
        written = {value: str(root / value) if value else "" for value in manifest[column].unique()}
        paths = {
            value: path if not path or os.path.exists(path) else str(spelled_path(root, value))  # noqa: PTH110 (ten thousands)
            for value, path in written.items()
        }
        other = [value for value, path in paths.items() if written[value] != path]
        if other:
            notes.append(
                f"{root}: {len(other)} names in the column '{column}' have accents composed otherwise than on disk"
                f"{f', such as {other[0]}' * named}; the files are used"
            )
        changed[column] = manifest[column].map(paths)
    return changed, notes
