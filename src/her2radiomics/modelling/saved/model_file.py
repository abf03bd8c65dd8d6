"""``model.json``: a fitted model as plain numbers and names, and prediction from it.

Numbers are written so that they read back to the same bits, and prediction runs through the same
:class:`~her2radiomics.modelling.saved.rules.Rule` as in training: a loaded model's predictions are identical. No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.core import software
from her2radiomics.core.columns import Column
from her2radiomics.core.derivation import with_sources
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import whole_file
from her2radiomics.modelling.saved.about import About
from her2radiomics.modelling.saved.fitted import FittedModel
from her2radiomics.modelling.saved.reference import Reference
from her2radiomics.modelling.saved.rule_json import rule_from_dict, rule_to_dict

if TYPE_CHECKING:
    from her2radiomics.modelling.study_model import StudyModel

FORMAT = "her2radiomics model"
#: Of the format. 1 had neither classes nor population, nor what intervals and similarity need.
VERSION = 2
READ = (1, 2)
#: The largest model.json that is read: ten times a forest of 500 trees on a thousand patients.
MOST_BYTES = 500_000_000


def to_dict(
    model: StudyModel,
    *,
    centres: list[str],
    extraction: str | Mapping[str, str] | None,
    simulated: bool,
    about: About | None = None,
    measuring: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Turn a fitted model into the content of ``model.json``.

    Parameters
    ----------
    model
        A fitted estimator.
    centres
        Centres of the training rows.
    extraction
        Hash of the extraction's parameters: one for all, or by sequence; ``None`` for features from elsewhere.
    simulated
        Whether the training data are simulated.
    about
        Classes and population.
    measuring
        All that an extraction for this model needs, as plain data.
    """
    used = {p.name for p in [*model.rule_.clinical(), *model.rule_.covariates()]}
    used |= {adjustment.column for adjustment in model.rule_.adjustments()}
    spec, columns = model.spec, model.columns
    used = with_sources(used, columns)
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "kind": spec.kind,
        "rule": rule_to_dict(model.rule_),
        "columns": {name: columns[name].model_dump() for name in columns if name in used},
        "threshold": {
            "probability": model.threshold_.threshold,
            "rule": "Youden index on training"
            + (", out-of-bag probabilities" if model.fitted_.held_out is not None else ""),
            "sensitivity": model.threshold_.sensitivity,
            "specificity": model.threshold_.specificity,
        },
        "linear_range": list(model.linear_range_),
        "training": {"n": model.n_, "events": model.events_, "centres": sorted(centres)},
        "about": None if about is None else about.model_dump(mode="json"),
        "reference": model.reference().to_dict(),
        "extraction": dict(extraction) if isinstance(extraction, Mapping) else extraction,
        "measuring": None if measuring is None else dict(measuring),
        "simulated": simulated,
        "empty": model.empty_,
        "notes": model.fitted_.notes,
        "settings": spec.model_dump(),
        "versions": software.versions("modelling", *(["extraction"] if extraction else [])),
    }


def from_dict(content: Mapping[str, Any], source: str = "model.json") -> FittedModel:
    """Make a model from the content of ``model.json``.

    Raises
    ------
    StudyError
        It is not the content of a model, or of a later format.
    """
    if content.get("format") != FORMAT:
        raise StudyError(f"{source}: found format {content.get('format')!r}, expected {FORMAT!r}.")
    if content.get("version") not in READ:
        raise StudyError(
            f"{source}: found format version {content.get('version')!r}, expected {' or '.join(map(str, READ))}. "
            "Read it with the release that wrote it, or train again."
        )
    try:
        columns = {name: Column.model_validate(value) for name, value in content["columns"].items()}
        about, reference = content.get("about"), content.get("reference")
        return FittedModel(
            rule_from_dict(content["rule"]),
            columns,
            content,
            None if about is None else About.model_validate(about),
            None if reference is None else Reference.from_dict(reference),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise StudyError(f"{source}: the model is incomplete ({error!r}). Train it again.") from error


def save_model(model: Mapping[str, Any], path: str | Path) -> None:
    """Write the content of ``model.json``; NaN and infinity are refused."""
    text = json.dumps(model, indent=1, ensure_ascii=False, allow_nan=False)
    with whole_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"the number {name}")


def load_model(path: str | Path) -> FittedModel:
    """Read a ``model.json``: numbers, text and lists; nothing in it is run.

    Raises
    ------
    StudyError
        The file is missing, larger than any model (:data:`MOST_BYTES`), or is not a model.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise StudyError(f"{path}: found {size} bytes, expected at most {MOST_BYTES}. It is not a saved model.")
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise StudyError(f"{path}: found values nested too deeply, expected a saved model.") from None
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file. Train the model first.") from None
    except ValueError as error:
        raise StudyError(f"{path}: found no valid JSON ({error}); expected a saved model.") from error
    if not isinstance(content, dict):
        raise StudyError(f"{path}: found {type(content).__name__}, expected a saved model.")
    return from_dict(content, str(path))
