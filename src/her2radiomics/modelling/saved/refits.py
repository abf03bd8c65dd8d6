"""Refits of a model on resamples of its training patients, as the file beside ``model.json`` keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.core.columns import Column, columns_from
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import dump
from her2radiomics.modelling.saved.rule_json import rule_from_dict
from her2radiomics.modelling.saved.rules import LinearRule, Rule, ScorePredictor

#: Name of the file beside ``model.json``.
FILE = "instability.json"
FORMAT, VERSION = "her2radiomics refits", 1


@dataclass(frozen=True)
class Refits:
    """Rules of a model that was refitted on resamples of its training patients.

    Attributes
    ----------
    rules
        One a refit.
    columns
        The clinical columns that any of them uses, as the protocol declared them.
    sha256
        Hash of the ``model.json`` that they are refits of.
    """

    rules: tuple[Rule, ...]
    columns: Mapping[str, Column]
    sha256: str

    def features(self) -> list[str]:
        """Features that any refit uses."""
        return sorted({feature.name for rule in self.rules for feature in rule.features()})

    def interval(self, table: pd.DataFrame, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Percentiles of the refits' probabilities, and how many refits predict each row.

        Parameters
        ----------
        table
            Patients × columns, as the rules take them. A refit that uses a column that it lacks predicts nobody.
        level
            Share of the refits between the two percentiles.

        Returns
        -------
        tuple of numpy.ndarray
            Shape (rows, 2), not a number where no refit predicts a row; and shape (rows,).
        """
        found = np.full((len(self.rules), len(table)), np.nan)
        for place, rule in enumerate(self.rules):
            if _columns(rule) <= set(table.columns):
                known = rule.predictable(table)
                found[place, known] = rule.probability(table[known])
        bounds, tail = np.full((len(table), 2), np.nan), (1 - level) / 2
        for row, values in enumerate(found.T):
            values = values[~np.isnan(values)]
            if values.size:
                bounds[row] = np.quantile(values, [tail, 1 - tail])
        return bounds, np.sum(~np.isnan(found), axis=0)


def _columns(rule: Rule) -> set[str]:
    """Columns that a rule reads."""
    named = {predictor.name for predictor in (*rule.features(), *rule.clinical(), *rule.covariates())}
    return named | {adjustment.column for adjustment in rule.adjustments()}


def storable(rule: Rule) -> bool:
    """Whether refits of the rule are kept: those of forests, each with all its trees, would take hundreds of megabytes."""
    return isinstance(rule, LinearRule) and all(
        storable(predictor.rule) for predictor in rule.predictors if isinstance(predictor, ScorePredictor)
    )


def refits_content(
    name: str, rules: Sequence[Mapping[str, Any]], columns: Mapping[str, Column], sha256: str
) -> dict[str, Any]:
    """Content of the file: plain data of the rules and of the columns that they use, and whose refits they are.

    Parameters
    ----------
    name
        The model.
    rules
        Content of :func:`~her2radiomics.modelling.saved.rule_json.rule_to_dict`, one a refit.
    columns
        The protocol's participants columns.
    sha256
        Hash of the ``model.json``.
    """
    made = [rule_from_dict(rule) for rule in rules]
    used = sorted({predictor.name for rule in made for predictor in (*rule.clinical(), *rule.covariates())})
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": name,
        "model_sha256": sha256,
        "columns": {column: dump(columns[column]) for column in used if column in columns},
        "rules": list(rules),
    }


def read_refits(path: Path) -> Refits | None:
    """Refits from the file; ``None`` where there is none.

    Raises
    ------
    StudyError
        The file is not what :func:`refits_content` makes.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(f"format {content['format']}, version {content['version']}")
        rules = tuple(rule_from_dict(rule) for rule in content["rules"])
        return Refits(rules, columns_from(content["columns"]), str(content["model_sha256"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{path}: found {error}, expected refits as the target 'evidence' writes them (version {VERSION}). "
            "Make the file again, or delete it: predictions then have no interval of refits."
        ) from error
