"""Brought features from several tables: those of other hospitals appended, those of other programs joined."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from her2radiomics.cohort.joining import listed
from her2radiomics.cohort.settings import TableSource
from her2radiomics.core.brought.likeness import did_you_mean, look_alikes
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd

KEYS = ["patient_id", "reader"]


def append_features(first: pd.DataFrame, further: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The rows of both tables.

    Raises
    ------
    TableError
        The second lacks a feature or has another, or holds a patient of the first.
    """
    problems = Problems()
    both = first[KEYS].merge(further[KEYS])
    patients = dict.fromkeys(further["patient_id"])
    alike = [b for a, b in look_alikes([*first["patient_id"], *patients]) if b in patients]
    for patient in [*both["patient_id"], *alike]:
        problems.add(
            file=path,
            patient=patient,
            found="a patient of an earlier table, or nearly",
            expected="further patients in a table that is appended",
            remedy="Remove the row, or make the identifiers differ.",
        )
    for name in [c for c in first if c not in further] + [c for c in further if c not in first]:
        where = "an earlier table" if name in further else "this table"
        problems.add(
            file=path,
            column=str(name),
            found=f"a feature that {where} lacks",
            expected="the same features in tables that are appended",
            remedy="Extract them with the same settings, or list the column under 'drop' in the cohort file.",
        )
    problems.refuse()
    return pd.concat([first, further[list(first.columns)]]).sort_values(KEYS, ignore_index=True)


def join_features(
    first: pd.DataFrame, further: pd.DataFrame, source: TableSource, path: Path
) -> tuple[pd.DataFrame, list[str]]:
    """The columns of both tables, and sentences on patients who are in one alone.

    Raises
    ------
    TableError
        Patients who lack a row in the second table, where it is not optional; two different values of one feature, unless
        ``prefer`` says that the second counts.
    """
    one, two = (table.set_index(KEYS) for table in (first, further))
    absent, strangers = one.index.difference(two.index), two.index.difference(one.index)
    names, others = absent.get_level_values(0), strangers.get_level_values(0)
    advice = did_you_mean(list(dict.fromkeys(others)), names)
    if advice or (len(absent) and not source.optional):
        raise TableError(
            file=path,
            patient=str(names[0]) if len(absent) else None,
            column=source.id,
            found=f"no row for {len(absent)} of {len(one)} patients and readers ({listed(set(names))})",
            expected="a row for every patient and reader",
            remedy=advice or "Add the rows, or mark the table 'optional: true' in the cohort file.",
        )
    notes = [f"{path}: {len(strangers)} rows are of nobody in the first table and are left out"] * bool(len(strangers))
    notes += [f"{path}: {len(absent)} rows are missing; their features are empty"] * bool(len(absent))
    two, problems = two.reindex(one.index), Problems()
    for name in two:
        if name not in one:
            continue
        differ = one[name].notna() & two[name].notna() & (one[name] != two[name])
        wins = any(fnmatch.fnmatchcase(str(name), pattern) for pattern in source.prefer)
        if differ.any() and not wins:
            patient, _ = one.index[differ][0]
            problems.add(
                file=path,
                patient=str(patient),
                column=str(name),
                found=f"{two[name][differ].iloc[0]:g}, and {one[name][differ].iloc[0]:g} in an earlier table "
                f"({int(differ.sum())} rows differ)",
                expected="the same value in both tables",
                remedy=f"Rename or drop one, or say 'prefer: [{name}]' at the table that counts.",
            )
        two[name] = two[name].combine_first(one[name]) if wins else one[name].combine_first(two[name])
    problems.refuse()
    joined = one.drop(columns=[name for name in two if name in one]).join(two)
    return joined.reset_index(), notes
