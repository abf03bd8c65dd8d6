"""The flow of patients: who was registered, who left and why, and who ended in which partition."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.contracts import PARTITIONS
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble


def flow_table(
    participants: pd.DataFrame,
    failed: Mapping[str, str],
    partition: pd.Series,
    labels: pd.Series,
    exclusion_labels: Mapping[str, str],
) -> pd.DataFrame:
    """Count the patients at every step from registration to the partitions.

    Parameters
    ----------
    participants
        Everyone, with ``patient_id`` and ``exclude_reason`` (empty: included).
    failed
        Included patients whose images could not be used: identifier to a short reason.
    partition, labels
        Of the patients who remain, indexed by patient identifier.
    exclusion_labels
        Reasons as printed, in the order in which the flow shows them; other reasons follow.

    Returns
    -------
    pandas.DataFrame
        ``step`` (``registered``, ``excluded``, ``failed``, ``partition``), ``reason``, ``partition``,
        ``excluded`` (patients who leave here), ``remaining`` (patients left, or in the partition), ``events`` (positive
        labels among them, for partitions).
    """
    remaining = len(participants)
    rows: list[dict] = [_row("registered", remaining=remaining)]
    reasons = participants.loc[participants["exclude_reason"] != "", "exclude_reason"]
    order = [*exclusion_labels, *sorted(set(reasons) - set(exclusion_labels))]
    for reason in order:
        count = int((reasons == reason).sum())
        if count:
            remaining -= count
            rows.append(_row("excluded", exclusion_labels.get(reason, reason), excluded=count, remaining=remaining))
    for reason in sorted(set(failed.values())):
        count = sum(value == reason for value in failed.values())
        remaining -= count
        rows.append(_row("failed", reason, excluded=count, remaining=remaining))
    for name in PARTITIONS:
        members = partition.index[partition == name]
        if len(members):
            rows.append(
                _row("partition", partition=name, remaining=len(members), events=int(labels.loc[members].sum()))
            )
    return assemble("flow", rows).astype({"events": "Int64"})


def _row(
    step: str, reason: str = "", *, partition: str = "", excluded: int = 0, remaining: int, events: int | None = None
) -> dict:
    return {
        "step": step,
        "reason": reason,
        "partition": partition,
        "excluded": excluded,
        "remaining": remaining,
        "events": events,
    }
