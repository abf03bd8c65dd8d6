"""One image under two patients or two sequences: told by equal paths before any job, by equal voxels after the extraction.

Two outlines of one person may share an image, where the participants table says who belongs together (column ``person``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from her2radiomics.cohort.partitions import persons
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd

SHOWN = 10


def refuse_same_paths(manifest: pd.DataFrame, participants: pd.DataFrame, root: Path, file: str | Path) -> None:
    """Refuse an image of two patients or two sequences, and a mask of two patients, where the file is there.

    Parameters
    ----------
    manifest
        The manifest, with paths from ``root``.
    participants
        The participants table.
    root
        The data's folder.
    file
        Named in the error.

    Raises
    ------
    TableError
        The first such file, with both.
    """
    person = persons(participants.set_index("patient_id")).to_dict()
    for column in ("image", "mask"):
        owners: dict[str, tuple[str, str]] = {}
        for path, patient, sequence in zip(manifest[column], manifest["patient_id"], manifest["sequence"], strict=True):
            if not path:
                continue
            # './images/a.nii' and 'images//a.nii' are one file
            first = owners.setdefault(Path(path).as_posix(), (patient, sequence))
            allowed = _same(first, (patient, sequence), person, sequences=column == "image")
            if not allowed and (root / path).exists():
                raise TableError(
                    file=file,
                    patient=patient,
                    column=column,
                    found=f"'{path}' for sequence {sequence}, which is also the {column} of patient {first[0]}, sequence "
                    f"{first[1]}",
                    expected=f"another {column} for each patient and sequence",
                    remedy="Correct the path. Two lesions of one woman are declared by a column 'person' of the "
                    "participants table.",
                )


def refuse_same_voxels(qc: pd.DataFrame, person: Mapping[str, str]) -> None:
    """Refuse images that are the same voxel for voxel, under two patients or two sequences.

    Parameters
    ----------
    qc
        Quality control of the cohort, with ``image_hash``.
    person
        Patient to person.

    Raises
    ------
    StudyError
        All such pairs (the first ten of many), with their files.
    """
    cases = qc[qc["image_hash"] != ""].drop_duplicates(["patient_id", "sequence"])
    pairs = []
    for _, same in cases.groupby("image_hash", sort=False):
        first, *others = same[["patient_id", "sequence", "image"]].itertuples(index=False, name=None)
        pairs += [(first, other) for other in others if not _same(first[:2], other[:2], person)]
    if pairs:
        lines = [
            f"  - {' and '.join(f'patient {p}, sequence {s} ({image})' for p, s, image in pair)}"
            for pair in pairs[:SHOWN]
        ]
        more = f"\n  and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
        raise StudyError(
            f"found {len(pairs)} pair(s) of images that are the same voxel for voxel; expected another image for each "
            "patient and sequence. Is a patient registered twice, or was a file copied to the wrong place? Correct "
            "the paths or exclude one of the two:\n" + "\n".join(lines) + more
        )


def _same(first: tuple[str, str], other: tuple[str, str], person: Mapping[str, str], *, sequences: bool = True) -> bool:
    """Whether two cases may share a file."""
    if first[0] == other[0]:
        return not sequences or first[1] == other[1]
    return person.get(first[0], first[0]) == person.get(other[0], other[0]) and first[1] == other[1]
