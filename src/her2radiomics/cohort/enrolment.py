"""Who is in the study: exclusions, patients whose images could not be used, and their partitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from her2radiomics.cohort.flow import flow_table
from her2radiomics.cohort.limits import FailedCases
from her2radiomics.cohort.outcome import Label, labels_of, set_apart
from her2radiomics.cohort.tables import type_columns
from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd

FAILED = "Images or regions that could not be used (quality control)"


def enrol(
    participants: pd.DataFrame,
    qc: pd.DataFrame | None,
    *,
    columns: Mapping[str, Column],
    label: Label,
    partition: Mapping[str, str],
    exclusions: Mapping[str, str],
    failed_cases: FailedCases,
    file: str,
    reader: str = FIRST_READER,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the participants who remain, typed and with their partition, and the flow that led to them.

    Parameters
    ----------
    participants
        The participants table, all text.
    qc
        The quality-control table, or ``None`` where features were brought. A patient for whom one of the reference
        reader's sequences failed is left out; another reader's failure only costs a pair of the reproducibility
        analysis.
    columns
        The protocol's columns.
    label
        The outcome; patients of levels that it does not compare leave here.
    partition
        Patient identifier to partition, decided before anything was extracted.
    exclusions
        Reasons as printed.
    failed_cases
        Limits above which the run stops.
    file
        The participants table's path, named in errors.
    reader
        The reference reader.

    Returns
    -------
    tuple of pandas.DataFrame
        ``patient_id, centre, partition, label`` and the columns, sorted by patient; and the flow
        (:func:`her2radiomics.cohort.flow.flow_table`).

    Raises
    ------
    StudyError
        More patients failed than the limits bear; all of them are listed with the reasons.
    TableError
        After the failures a partition is left with one class only.
    """
    participants = set_apart(participants, label, columns, file)
    included = participants[participants["exclude_reason"] == ""]
    reasons = _failures(qc, reader)
    reasons = {patient: reasons[patient] for patient in sorted(set(included["patient_id"]) & set(reasons))}
    _refuse_many(reasons, len(included), failed_cases)
    remaining = included[~included["patient_id"].isin(reasons)].sort_values("patient_id")
    labels = labels_of(remaining, label, columns, file)
    typed = type_columns(remaining, columns, file)
    place = pd.Series(partition).loc[labels.index]
    for name in dict.fromkeys(place):
        if labels[place == name].nunique() < 2:
            raise TableError(
                file=file,
                column=label.column,
                found=f"only one class in the partition '{name}' after {len(reasons)} failed patients",
                expected="patients of both classes",
                remedy="Correct the images that quality control lists, or change the partitions.",
            )
    table = pd.DataFrame(
        {"centre": remaining.set_index("patient_id")["centre"], "partition": place, "label": labels}
    ).join(typed)
    flow = flow_table(participants, dict.fromkeys(reasons, FAILED), place, labels, exclusions)
    return table.rename_axis("patient_id").reset_index(), flow


def _failures(qc: pd.DataFrame | None, reader: str) -> dict[str, list[str]]:
    """Patient to the reasons why the reference reader's regions failed, or are not there."""
    if qc is None:
        return {}
    failed = qc[(qc["status"] == "failed") & (qc["reader"] == reader)]
    reasons = failed.groupby("patient_id")["reason"].agg(lambda found: list(dict.fromkeys(found))).to_dict()
    for (patient, sequence), readers in qc.groupby(["patient_id", "sequence"])["reader"]:
        if reader not in set(readers):
            others = ", ".join(dict.fromkeys(readers))
            said = f"{sequence}: found outlines of reader {others}, none of reader {reader}, whose train and test"
            reasons.setdefault(patient, []).append(said)
    return reasons


def refuse_many_failed(
    qc: pd.DataFrame, patients: Iterable[str], limits: FailedCases, *, reader: str = FIRST_READER
) -> None:
    """Stop where more patients failed than the limits allow.

    Raises
    ------
    StudyError
        With all of them and the reasons.
    """
    reasons, wanted = _failures(qc, reader), sorted(patients)
    _refuse_many({name: reasons[name] for name in wanted if name in reasons}, len(wanted), limits)


def extracted_in_words(qc: pd.DataFrame, patients: Iterable[str], *, reader: str = FIRST_READER) -> str:
    """How many patients were extracted, and who failed and why, as one sentence."""
    reasons, wanted = _failures(qc, reader), sorted(patients)
    failed = [f"{name} ({' | '.join(reasons[name])})" for name in wanted if name in reasons]
    said = f"{len(wanted) - len(failed)} of {len(wanted)} patients extracted, {len(failed)} failed"
    return f"{said}: {'; '.join(failed)}" if failed else f"{said}."


def _refuse_many(reasons: Mapping[str, list[str]], patients: int, limits: FailedCases) -> None:
    count = len(reasons)
    if count > limits.count and count > limits.share * patients:
        lines = [f"  - {patient}: {' | '.join(found)}" for patient, found in reasons.items()]
        raise StudyError(
            f"{count} of {patients} patients could not be extracted; at most {limits.count} patients or "
            f"{limits.share:.0%} are accepted (failed_cases in config.yaml). Correct or exclude them:\n"
            + "\n".join(lines)
        )
