"""From a protocol's ``models:`` to estimators, and from a cohort's tables to what they are fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from her2radiomics.columns import Column
from her2radiomics.errors import SettingsError, TableError
from her2radiomics.modelling.clinical import ClinicalModel
from her2radiomics.modelling.combined import CombinedModel
from her2radiomics.modelling.estimators import StudyModel
from her2radiomics.modelling.multivariate import MultivariateModel
from her2radiomics.modelling.radiomics import RadiomicsModel
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.settings import (
    ClinicalSpec,
    CombinedSpec,
    ModelSettings,
    MultivariateSpec,
    check_models,
)

if TYPE_CHECKING:
    import pandas as pd


def build_model(
    name: str,
    specs: Mapping[str, ModelSettings],
    columns: Mapping[str, Column],
    *,
    second_reader: SecondReader | pd.DataFrame | None = None,
    seed: int,
) -> StudyModel:
    """Build one unfitted model of a protocol.

    Parameters
    ----------
    name
        The model, a key of ``specs``.
    specs
        The protocol's models.
    columns
        The protocol's participants columns.
    second_reader
        The second reader's features, patients × features; a table is wrapped.
    seed
        Seed of everything random in the fit.

    Raises
    ------
    SettingsError
        The name is unknown, or a combined model is made of models that do not fit together.
    """
    if name not in specs:
        raise SettingsError(f"models: found no model '{name}'; expected one of {', '.join(specs)}.")
    check_models(specs)
    if second_reader is not None and not isinstance(second_reader, SecondReader):
        second_reader = SecondReader(second_reader)
    spec = specs[name]
    if isinstance(spec, ClinicalSpec):
        return ClinicalModel(name, spec, columns)
    if not isinstance(spec, CombinedSpec | MultivariateSpec):
        return RadiomicsModel(name, spec, columns, second_reader, seed)
    for part in spec.of:
        if part in columns:
            raise SettingsError(f"models.{part}: a participants column has the same name; rename the model.")
    parts = [build_model(part, specs, columns, second_reader=second_reader, seed=seed) for part in spec.of]
    if isinstance(spec, CombinedSpec):
        return CombinedModel(name, spec, parts)
    return MultivariateModel(name, spec, columns, parts, second_reader, seed)


def model_table(
    features: pd.DataFrame | None, participants: pd.DataFrame, columns: Mapping[str, Column]
) -> pd.DataFrame:
    """Join reader 1's features and the typed clinical columns: what ``fit`` and ``predict_proba`` take.

    Parameters
    ----------
    features
        ``patient_id, reader`` (optional), then features; rows of readers other than 1 are left out. ``None``: clinical
        columns only.
    participants
        ``patient_id``, the protocol's columns, typed, and ``centre``, where known. Its patients and their order are the
        result's.
    columns
        The protocol's participants columns; those that the table lacks are left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``patient_id``.

    Raises
    ------
    TableError
        A participant without features, or a patient twice.
    """
    import pandas as pd

    people = _by_patient(participants, "participants table")
    # the centre is no predictor (see RESERVED); ComBat reads it
    carried = dict.fromkeys([*columns, "centre"])
    clinical = people[[c for c in carried if c in people.columns]]
    if features is None:
        return clinical
    first = _by_patient(reader_rows(features, "1"), "feature table")
    absent = people.index.difference(first.index, sort=False)
    if len(absent):
        raise TableError(
            file="feature table",
            patient=str(absent[0]),
            found=f"no row of reader 1 ({len(absent)} such patients)",
            expected="features of every participant",
            remedy="Extract the patient's features, or exclude the patient before the partitions are made.",
        )
    drop = [c for c in ("reader", *clinical.columns) if c in first.columns]
    return pd.concat([first.loc[people.index].drop(columns=drop), clinical], axis=1)


def second_reader_table(features: pd.DataFrame, reader: str = "2") -> SecondReader | None:
    """The second reader's rows of a feature table, or ``None`` where nobody read twice."""
    rows = reader_rows(features, reader)
    if rows.empty or "reader" not in features.columns:
        return None
    return SecondReader(_by_patient(rows, "feature table").drop(columns="reader"))


def reader_rows(features: pd.DataFrame, reader: str) -> pd.DataFrame:
    """Rows of one reader; a table without a ``reader`` column is reader 1's."""
    if "reader" not in features.columns:
        return features
    return features[features["reader"].astype(str) == reader]


def _by_patient(table: pd.DataFrame, file: str) -> pd.DataFrame:
    if "patient_id" in table.columns:
        table = table.set_index(table["patient_id"].astype(str)).drop(columns="patient_id")
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise TableError(
            file=file,
            patient=str(twice[0]),
            found="more than one row",
            expected="one row a patient",
            remedy="Keep one of them.",
        )
    return table
