"""Tables that models take: features and clinical columns of the same patients.

Without scikit-learn, which only training needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd


def sequence_of(feature: str) -> str:
    """Sequence of a feature column ``<sequence>__<region>__<name>``; empty for a foreign name."""
    parts = feature.split("__")
    return parts[0] if len(parts) >= 3 else ""


def model_table(
    features: pd.DataFrame | None, participants: pd.DataFrame, columns: Mapping[str, Column], reader: str = FIRST_READER
) -> pd.DataFrame:
    """Join the reference reader's features and the typed clinical columns: what ``fit`` and ``predict_proba`` take.

    Parameters
    ----------
    features
        ``patient_id, reader`` (optional), then features; rows of other readers are left out. ``None``: clinical
        columns only.
    participants
        ``patient_id``, the protocol's columns, typed, and ``centre``, where known. Its patients and their order are the
        result's.
    columns
        The protocol's participants columns; those that the table lacks are left out.
    reader
        The reference reader.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``patient_id``.

    Raises
    ------
    TableError
        A participant without features, or a patient twice.
    """
    people = by_patient(participants, "participants table")
    # the centre is no predictor (see RESERVED); ComBat reads it
    carried = dict.fromkeys([*columns, "centre"])
    clinical = people[[c for c in carried if c in people.columns]]
    if features is None:
        return clinical
    first = by_patient(reader_rows(features, reader), "feature table")
    absent = people.index.difference(first.index, sort=False)
    if len(absent):
        raise TableError(
            file="feature table",
            patient=str(absent[0]),
            found=f"no row of reader {reader} ({len(absent)} such patients)",
            expected="features of every participant",
            remedy="Extract the patient's features, or exclude the patient before the partitions are made.",
        )
    drop = [c for c in ("reader", *clinical.columns) if c in first.columns]
    return pd.concat([first.loc[people.index].drop(columns=drop), clinical], axis=1)


def reader_rows(features: pd.DataFrame, reader: str) -> pd.DataFrame:
    """Rows of one reader; a table without a ``reader`` column is anybody's."""
    if "reader" not in features.columns:
        return features
    return features[features["reader"].astype(str) == reader]


def by_patient(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """A table indexed by ``patient_id``; a patient twice is a :class:`TableError` that names ``file``."""
    if "patient_id" in table.columns:
        table = table.set_index(table["patient_id"].astype(str)).drop(columns="patient_id")
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise TableError(
            file=file,
            patient=str(twice[0]),
            found="more than one row",
            expected="one row per patient",
            remedy="Keep one of them.",
        )
    return table
