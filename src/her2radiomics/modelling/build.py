"""From a protocol's ``models:`` to estimators, and from a cohort's tables to what they are fitted on."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.estimators import StudyModel
from her2radiomics.modelling.models.clinical import ClinicalModel
from her2radiomics.modelling.models.combined import CombinedModel
from her2radiomics.modelling.models.multivariate import MultivariateModel
from her2radiomics.modelling.models.radiomics import RadiomicsModel
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.settings import (
    ClinicalSpec,
    CombinedSpec,
    ModelSettings,
    MultivariateSpec,
    check_models,
)
from her2radiomics.modelling.tables import by_patient, reader_rows


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


def second_reader_table(features: pd.DataFrame, reader: str = "2") -> SecondReader | None:
    """The second reader's rows of a feature table, or ``None`` where nobody read twice."""
    rows = reader_rows(features, reader)
    if rows.empty or "reader" not in features.columns:
        return None
    return SecondReader(by_patient(rows, "feature table").drop(columns="reader"))
