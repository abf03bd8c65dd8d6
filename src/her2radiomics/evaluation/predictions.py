"""Predictions of models as the evaluation reads them: checked, and parted by partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from her2radiomics.core.contracts import PARTITIONS
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd

COLUMNS = ("patient_id", "partition", "label", "probability")


def partition_rank(partition: str) -> int:
    """Training first, then testing, then external; others keep their order after these."""
    return PARTITIONS.index(partition) if partition in PARTITIONS else len(PARTITIONS)


def by_partition(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of each partition, training first."""
    parts = {str(name): rows for name, rows in frame.groupby("partition", sort=False)}
    return {name: parts[name] for name in sorted(parts, key=partition_rank)}


def on_common_patients(predictions: Mapping[str, pd.DataFrame], partition: str) -> pd.DataFrame:
    """Probabilities of the models for the patients of a partition that all of them predict.

    Parameters
    ----------
    predictions
        ``predictions.csv`` of each model.
    partition
        The partition.

    Returns
    -------
    pandas.DataFrame
        ``label``, then a column per model; indexed by patient, shape (n, 1 + models).
    """
    here = {name: frame[frame["partition"] == partition].set_index("patient_id") for name, frame in predictions.items()}
    columns = {"label": next(iter(here.values()))["label"]} | {name: f["probability"] for name, f in here.items()}
    return pd.concat(columns, axis=1, join="inner")


def clusters_of(rows: pd.DataFrame, persons: Mapping[str, str] | None) -> np.ndarray | None:
    """Who each row is of, where two of them are of one person; ``None`` where every row is a person."""
    who = [(persons or {}).get(patient, patient) for patient in rows["patient_id"].astype(str)]
    return np.array(who) if len(set(who)) < len(who) else None


def in_order(rows: pd.DataFrame, patients: Sequence[str]) -> pd.DataFrame:
    """Rows in the order of ``patients``; refuse other patients."""
    known = rows.set_index("patient_id")
    odd = set(known.index) ^ set(patients)
    if odd or len(patients) != len(known):
        raise TableError(
            file="predictions",
            patient=sorted(odd)[0] if odd else None,
            found="training patients other than those of the refit",
            expected="the same patients",
            remedy="Give the predictions of the rows that the model was fitted on.",
        )
    return known.loc[list(patients)].reset_index()


def checked(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns needed, with patients as text; refuse what cannot be judged."""
    file = f"predictions of model '{name}'" if name else "predictions"

    def refuse(found: str, expected: str, remedy: str, **where: Any) -> TableError:
        return TableError(file=file, found=found, expected=expected, remedy=remedy, **where)

    for column in COLUMNS:
        if column not in frame.columns:
            raise refuse("no such column", ", ".join(COLUMNS), "Predict again.", column=column)
    frame = frame[list(COLUMNS)].astype({"patient_id": str}).reset_index(drop=True)
    twice = frame.loc[frame["patient_id"].duplicated(), "patient_id"]
    if len(twice):
        raise refuse("two rows", "one row per patient", "Predict each patient once.", patient=twice.iloc[0])
    remedy = "Leave out patients without a known outcome or prediction."
    for column, expected in (("label", "0 or 1"), ("probability", "a number from 0 to 1")):
        values = frame[column].to_numpy(dtype=float)
        right = np.isin(values, (0, 1)) if column == "label" else (values >= 0) & (values <= 1)
        if not right.all():
            wrong = frame.loc[~right].iloc[0]
            found = str(wrong[column])
            raise refuse(found, expected, remedy, patient=wrong["patient_id"], column=column)
    return frame.astype({"label": int, "probability": float, "partition": str})


def refuse_contradictions(predictions: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a patient whose label or partition differs between models."""
    seen: dict[str, tuple[str, int, str]] = {}
    for name, frame in predictions.items():
        for patient, partition, label in zip(frame["patient_id"], frame["partition"], frame["label"], strict=True):
            first = seen.setdefault(patient, (partition, label, name))
            if first[:2] != (partition, label):
                raise TableError(
                    file=f"predictions of model '{name}'",
                    patient=patient,
                    found=f"partition '{partition}' and label {label}",
                    expected=f"partition '{first[0]}' and label {first[1]}, as for model '{first[2]}'",
                    remedy="Predict all models on the same partitions.",
                )
