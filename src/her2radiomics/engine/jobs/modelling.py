"""What the training and prediction jobs of the workflow do with the library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from her2radiomics import modelling
from her2radiomics.cohort.readers import Readers
from her2radiomics.core.columns import Column, read_participants
from her2radiomics.core.contracts import FIRST_READER, TRAINED_FILES, contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import write_text
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import validate
from her2radiomics.core.tables import assemble, read
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import extraction_hash
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.modelling.parts import SharedFits, rows_as_json
from her2radiomics.modelling.saved.axes import nomogram_table
from her2radiomics.modelling.saved.fitted import MAX_NOMOGRAM
from her2radiomics.modelling.settings import ModelSettings, parse_models


def extraction_hashes(sequences: Mapping[str, Mapping[str, Any]], files: Sequence[str]) -> dict[str, str]:
    """Sequence to the hash of what its features depend on: the parameter file, the regions, the preprocessing."""
    contents = {Path(file).stem: Path(file).read_bytes() for file in files}
    return {
        name: extraction_hash(
            contents[item["parameters"]],
            item["regions"],
            validate(Preprocessing, item.get("preprocessing") or {}, "preprocessing"),
            item.get("log_padding", LOG_PADDING),
            item.get("slice_of"),
        )
        for name, item in sequences.items()
        if item["parameters"] in contents
    }


def training_rows(
    participants: str, features: str, columns: Mapping[str, Column], readers: Readers
) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame, pd.DataFrame]:
    """Read a training set: the model table, the labels, all readers' features, and the participants."""
    people = read_participants(participants, columns)
    measured = read("partition_features", features)
    table = modelling.model_table(measured, people, columns, readers.reference)
    return table, people.set_index("patient_id")["label"].loc[table.index], measured, people


def unfitted(
    name: str,
    models: Mapping[str, Any],
    columns: Mapping[str, Column],
    features: pd.DataFrame,
    readers: Readers,
    seed: int,
    parts: Sequence[str],
    persons: Mapping[str, str] | None = None,
) -> modelling.StudyModel:
    """The unfitted model of a protocol, with the rows of the training patients whom two readers outlined.

    ``parts`` are the files of refits (:func:`write_refits`) of the models that it is made of, in their order;
    ``persons`` maps patients who share a person to that person.
    """
    specs: dict[str, ModelSettings] = parse_models(models)
    shared = SharedFits()
    for part, file in zip(specs[name].parts(), parts, strict=True):
        shared.read(part, read_refits(file)["fits"])
    pairs = modelling.second_reader_table(features, readers.compared, readers.reference)
    return modelling.build_model(name, specs, columns, second_reader=pairs, seed=seed, shared=shared, persons=persons)


def write_refits(path: str, calibration: pd.DataFrame, fits: SharedFits | None) -> None:
    """Write what training leaves to later jobs: the training rows' curves, and the fits for models made of this one.

    Plain numbers, text and lists, as ``model.json``: nothing in it is run.
    """
    content = {"calibration": rows_as_json(calibration), "fits": {} if fits is None else fits.to_dict()}
    write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), path)


def read_refits(path: str) -> dict[str, Any]:
    """Read the file of :func:`write_refits`.

    Raises
    ------
    StudyError
        It is missing or holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        calibration = assemble("calibration", content["calibration"])
        numbers = [column.name for column in contract("calibration").columns if column.kind == "number"]
        return {"calibration": calibration.astype(dict.fromkeys(numbers, float)), "fits": content["fits"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path}: found no refits of a model ({error!r}). Train the model again.") from None


def features_of(models: Sequence[modelling.FittedModel], features: str, reader: str = FIRST_READER) -> pd.DataFrame:
    """Read what some models use of a reader's features; a column that the file lacks is the model's to name."""
    used = {feature.name for model in models for feature in model.rule.features()}
    table = read("partition_features", features, only={*contract("partition_features").names, *used})
    return modelling.reader_rows(table, reader).drop(columns="reader", errors="ignore")


def report_tables(report: modelling.FitReport, model: modelling.FittedModel) -> dict[str, pd.DataFrame]:
    """All tables that a training job writes, by contract; what a kind of model does not have is a table without rows."""
    made = {"coefficients": report.coefficients, "selection": report.selection, **report.tables}
    tables = {name: made.get(name, assemble(name)) for name in TRAINED_FILES if contract(name).columns}
    if model.linear and not model.empty and len(model.rule.predictors) <= MAX_NOMOGRAM:
        tables["nomogram"] = nomogram_table(model)
    return tables
