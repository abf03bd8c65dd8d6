"""Who is registered: the joined tables in our own columns and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from her2radiomics.cohort.joining import Joined, listed
from her2radiomics.cohort.recoding import check_kept, is_value, map_column
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.tables import require_columns
from her2radiomics.core.brought.likeness import did_you_mean, parts_of_one
from her2radiomics.core.brought.origins import Origin
from her2radiomics.core.errors import Problems
from her2radiomics.core.libraries import pd

UNKNOWN_CENTRE = "unknown"


def with_strangers(joined: Joined, brought: pd.DataFrame, cohort: Cohort, file: Path) -> Joined:
    """Refuse who is measured and not registered; where the participants' table is optional they are registered, too.

    Raises
    ------
    TableError
        All of them, with the identifier that was nearly the same.
    """
    strangers = sorted(set(brought["patient_id"]) - set(joined.cells.index))
    unmeasured = sorted(set(joined.cells.index) - set(brought["patient_id"]))
    optional = bool(cohort.participants) and cohort.participants[0].optional
    problems = Problems()
    for patient in strangers:
        near = did_you_mean([patient], unmeasured)
        if near or not optional:
            problems.add(
                file=file,
                patient=patient,
                column="patient_id",
                found="a patient who is not in the participants table",
                expected="every patient in the participants table",
                remedy=near or "Add the participant, or remove the rows.",
            )
    problems.refuse()
    if strangers:
        rest = pd.DataFrame("", index=pd.Index(strangers, name="patient_id"), columns=joined.cells.columns)
        joined.cells = pd.concat([joined.cells, rest])
        joined.notes.append(
            f"{len(strangers)} patients are in no participants table; their cells are empty ({listed(strangers)})"
        )
    return joined


def map_participants(
    joined: Joined, cohort: Cohort, problems: Problems, file: str
) -> tuple[pd.DataFrame, list[Mapping[str, object]]]:
    """The participants in our columns and values, and what was turned into what."""
    cells = joined.cells.rename_axis("patient_id").reset_index()
    columns: dict[str, pd.Series] = {"patient_id": cells["patient_id"]}
    recoded: list[Mapping[str, object]] = []
    origins, refused = dict(joined.origins), dict(joined.refused)
    for name, source in cohort.columns.items():
        theirs = source.source or name
        if source.value is not None:
            columns[name] = pd.Series(source.value, index=cells.index)
            continue
        origin = origins.get(theirs, Origin(file, theirs))
        with problems.collect():
            if theirs in refused:
                raise refused[theirs]
            require_columns(cells, [theirs], origin.file)
            columns[name], table, notes = map_column(cells[theirs], name, source, heading=theirs, file=origin.file)
            recoded += table
            joined.notes += notes
            joined.origins[name] = replace(origin, column=theirs)
            joined.refused.pop(name, None)
    for name in cells.columns:
        columns.setdefault(str(name), cells[name])
    participants = pd.DataFrame(columns)
    if "centre" not in participants and not joined.files:
        participants["centre"] = UNKNOWN_CENTRE
    reasons = participants["exclude_reason"] if "exclude_reason" in participants else pd.Series("", participants.index)
    participants["exclude_reason"] = reasons.where(reasons.map(is_value), "")
    if "person" in participants:
        participants["person"] = participants["person"].where(participants["person"].map(is_value), "")
    for rule in cohort.keep:
        with problems.collect():
            if rule.column in joined.refused:
                raise joined.refused[rule.column]
            origin = joined.origins.get(rule.column, Origin(file, rule.column))
            require_columns(participants, [rule.column], origin.file)
            values = participants[rule.column]
            check_kept(values, rule.keep, patients=participants["patient_id"], heading=origin.column, file=origin.file)
            leaves = (participants["exclude_reason"] == "") & ~values.isin(rule.keep)
            participants.loc[leaves, "exclude_reason"] = rule.reason
    return participants, recoded


def leaving_in_words(participants: pd.DataFrame, without: pd.Series) -> list[str]:
    """Who leaves since nothing was measured, and who looks like parts of one person."""
    notes = []
    if without.any():
        names = list(participants.loc[without, "patient_id"])
        reason = participants.loc[without, "exclude_reason"].iloc[0]
        notes.append(f"{len(names)} of {len(participants)} registered patients leave: {reason} ({listed(names)})")
    return notes


def alike_in_words(participants: pd.DataFrame) -> str:
    """A sentence on identifiers that look like parts of one person; empty where none do, or a column says who they are."""
    if "person" in participants and (participants["person"] != "").any():
        return ""
    groups = parts_of_one(participants["patient_id"])
    if not groups:
        return ""
    shown = "; ".join(", ".join(group) for group in groups[:3])
    return (
        f"{len(groups)} times several identifiers look like one person ({shown}{'; …' * (len(groups) > 3)}): if they are, "
        "say so in a column 'person', so that they share a partition"
    )
