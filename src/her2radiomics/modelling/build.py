"""From a protocol's ``models:`` to estimators, and from a cohort's tables to what they are fitted on."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.parts import SharedFits
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.settings import ModelSettings, check_models
from her2radiomics.modelling.study_model import StudyModel
from her2radiomics.modelling.tables import by_patient, reader_rows


def build_model(
    name: str,
    specs: Mapping[str, ModelSettings],
    columns: Mapping[str, Column],
    *,
    second_reader: SecondReader | pd.DataFrame | None = None,
    seed: int,
    shared: SharedFits | None = None,
    persons: Mapping[str, str] | None = None,
) -> StudyModel:
    """Build one unfitted model of a protocol.

    Parameters
    ----------
    name, specs, columns, seed, shared, persons
        As for :class:`StudyModel`.
    second_reader
        The second reader's features, patients × features; a table is wrapped.

    Raises
    ------
    SettingsError
        The name is unknown, or a combined model is made of models that do not fit together.
    """
    if name not in specs:
        raise SettingsError(f"models: found no model '{name}'; expected one of {', '.join(specs)}.")
    check_models(specs)
    for part in specs[name].parts():
        if part in columns:
            raise SettingsError(f"models.{part}: a participants column has the same name; rename the model.")
    if second_reader is not None and not isinstance(second_reader, SecondReader):
        second_reader = SecondReader(second_reader)
    return StudyModel(name, specs, columns, second_reader, seed, shared, persons)


def second_reader_table(
    features: pd.DataFrame, readers: tuple[str, str] = (FIRST_READER, "2"), reference: str = FIRST_READER
) -> SecondReader | None:
    """Rows of the readers who are compared, or ``None`` where nobody read twice."""
    if "reader" not in features.columns:
        return None
    first, second = (
        by_patient(reader_rows(features, reader), "feature table").drop(columns="reader") for reader in readers
    )
    if second.empty:
        return None
    return SecondReader(second, None if readers[0] == reference else first)
