"""``model.json``: a fitted model as plain numbers and names, and prediction from it.

Numbers are written so that they read back to the same bits, and prediction runs through the same
:class:`~her2radiomics.modelling.rule.Rule` as in training: a loaded model's predictions are identical. No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from her2radiomics.columns import Column, type_column
from her2radiomics.errors import StudyError, TableError
from her2radiomics.modelling import rule as r
from her2radiomics.modelling.adjustment import CentreAdjustment, treatments
from her2radiomics.modelling.base import sequence_of
from her2radiomics.modelling.build import model_table
from her2radiomics.modelling.forest import ForestRule, Tree

if TYPE_CHECKING:
    import pandas as pd

    from her2radiomics.modelling.estimators import StudyModel
    from her2radiomics.statistics import LinearModel

FORMAT = "her2radiomics model"
VERSION = 1
LIBRARIES = (
    "her2radiomics",
    "numpy",
    "scipy",
    "scikit-learn",
    "statsmodels",
    "firthmodels",
    "pyradiomics-bhklab",
)
MAX_NOMOGRAM = 15
MAX_TERMS_IN_LINE = 3

_TYPES: dict[str, type] = {
    "feature": r.FeaturePredictor,
    "numeric": r.NumericPredictor,
    "levels": r.LevelPredictor,
    "score": r.ScorePredictor,
}


@dataclass(frozen=True)
class FittedModel:
    """A model that predicts, without the data and the libraries that it was trained with.

    Attributes
    ----------
    rule
        Intercept and predictors.
    columns
        The clinical columns that the rule uses, as the protocol declared them.
    content
        The whole of ``model.json``.
    """

    rule: r.Rule
    columns: Mapping[str, Column]
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.rule.name

    @property
    def kind(self) -> str:
        """``radiomics``, ``clinical`` or ``combined``."""
        return str(self.content["kind"])

    @property
    def threshold(self) -> float:
        """Probability from which on a patient is called positive, locked on training."""
        return float(self.content["threshold"]["probability"])

    @property
    def empty(self) -> bool:
        """Whether the model is its intercept alone."""
        return not self.rule.predictors

    @property
    def linear(self) -> bool:
        """Whether the score is a sum of terms: only then there are a formula and a nomogram."""
        return isinstance(self.rule, r.LinearRule)

    def predict(
        self,
        features: pd.DataFrame | None,
        participants: pd.DataFrame,
        *,
        extraction: str | Mapping[str, str] | None = None,
        incomplete: Literal["refuse", "omit"] = "refuse",
        typed: bool = True,
    ) -> pd.DataFrame:
        """Predict patients.

        Parameters
        ----------
        features
            Feature table (``patient_id``, optional ``reader``: rows of reader 1 are used); ``None`` for a model
            without image features.
        participants
            ``patient_id`` and the clinical columns; gives the patients and their order.
        extraction
            Hash of the extraction's parameters (by sequence, or one for all), compared with training's.
        incomplete
            Rows with a missing clinical value that the model does not fill: ``refuse`` raises, ``omit`` leaves
            them out of the result.
        typed
            Whether the clinical columns are typed already; otherwise their text is typed as the protocol declared.

        Returns
        -------
        pandas.DataFrame
            ``patient_id, score, probability``; with ComBat also ``harmonisation``: whether the patient's centre was
            ``learned``, ``passed_through`` or ``adapted``.

        Raises
        ------
        StudyError
            The features were extracted with other settings.
        TableError
            A feature or column is missing, a category was never seen in training, a value is missing.
        """
        import pandas as pd

        self.check_extraction(extraction)
        table = self._table(features, participants, typed)
        if incomplete == "omit":
            table = table[self.rule.predictable(table)]
        predicted = pd.DataFrame(
            {
                "patient_id": table.index.astype(str),
                "score": self.rule.score(table),
                "probability": self.rule.probability(table),
            }
        )
        treated = treatments(self.rule, table)
        return predicted if treated is None else predicted.assign(harmonisation=treated)

    def imputed(
        self, features: pd.DataFrame | None, participants: pd.DataFrame, *, typed: bool = True
    ) -> pd.DataFrame:
        """Values that prediction fills from training: ``patient_id, column, filled_with``."""
        return self.rule.imputed(self._table(features, participants, typed))

    def classify(self, probabilities: np.ndarray) -> np.ndarray:
        """Class (0 or 1) at the locked threshold."""
        return (np.asarray(probabilities) >= self.threshold).astype(int)

    def _table(self, features: pd.DataFrame | None, participants: pd.DataFrame, typed: bool) -> pd.DataFrame:
        needed = [f.name for f in self.rule.features()]
        if not needed:
            features = None
        elif features is None:
            raise TableError(
                file="feature table",
                found="none",
                expected=f"the {len(needed)} features of model '{self.name}'",
                remedy="Extract them with the settings of training.",
            )
        table = model_table(features, participants, self.columns)
        if not typed:
            table = table.assign(
                **{
                    c: type_column(table[c], column, file="participants table")
                    for c, column in self.columns.items()
                    if c in table.columns
                }
            )
        absent = [name for name in needed if name not in table.columns]
        if absent:
            raise TableError(
                file="feature table",
                column=absent[0],
                found=f"no such column ({len(absent)} of the model's {len(needed)} features are absent)",
                expected=", ".join(absent[:5]) + (" …" if len(absent) > 5 else ""),
                remedy="Extract the features with the settings of training.",
            )
        return table

    def check_extraction(self, extraction: str | Mapping[str, str] | None) -> None:
        """Refuse features that were extracted with other settings than those of training.

        Raises
        ------
        StudyError
            Naming the sequence.
        """
        trained = _by_sequence(self.content["extraction"])
        given = _by_sequence(extraction)
        used = {sequence_of(f.name) for f in self.rule.features()}
        for sequence in sorted(set(trained) & set(given)):
            if (not sequence or sequence in used) and trained[sequence] != given[sequence]:
                where = f"sequence '{sequence}'" if sequence else "the features"
                raise StudyError(
                    f"model '{self.name}', {where}: found extraction settings {given[sequence]}, expected "
                    f"{trained[sequence]} as in training. Extract again with the model's settings."
                )

    def nomogram_model(self) -> LinearModel:
        """Return what :func:`her2radiomics.statistics.nomogram` draws: scores and clinical predictors, in order.

        Image features stand on their scaled axis.

        Raises
        ------
        StudyError
            The model is empty, or has too many predictors to draw.
        """
        from her2radiomics.statistics import CategoricalPredictor, ContinuousPredictor, LinearModel

        rule = self._linear("a nomogram")
        count = len(rule.predictors)
        if not 1 <= count <= MAX_NOMOGRAM:
            raise StudyError(
                f"model '{self.name}': found {count} predictors, expected 1 to {MAX_NOMOGRAM} for a nomogram."
            )
        drawn = [
            CategoricalPredictor(p.name, dict(p.weights))
            if isinstance(p, r.LevelPredictor)
            else ContinuousPredictor(p.name, p.coefficient, p.low, p.high)
            for p in rule.predictors
        ]
        low, high = self.content["linear_range"]
        return LinearModel(rule.intercept, drawn, (low, high))

    def formula(self, digits: int = 4) -> str:
        """Return the score as text: intercept and weighted terms; image features stand as scaled in training.

        Up to three terms stand in one line, more of them one a line.

        Raises
        ------
        StudyError
            The model is a forest.
        """
        rule = self._linear("a formula")
        terms = [f"{'−' if rule.intercept < 0 else ''}{abs(rule.intercept):.{digits}f}"]
        for p in rule.predictors:
            if isinstance(p, r.LevelPredictor):
                parts = [(f"[{p.name} = {level}]", w) for level, w in p.weights if w != 0]
            else:
                parts = [(p.name, p.coefficient)]
            terms += [f"{'−' if w < 0 else '+'} {_digits(abs(w), digits)} × {text}" for text, w in parts]
        if len(terms) <= MAX_TERMS_IN_LINE + 1:
            return f"{self.name} = " + " ".join(terms)
        return f"{self.name} =\n    " + "\n  ".join(terms)

    def _linear(self, what: str) -> r.LinearRule:
        if not isinstance(self.rule, r.LinearRule):
            raise StudyError(
                f"model '{self.name}': found a random forest, expected a linear model for {what}: its prediction is no "
                "sum of terms. Use estimator: logistic, ridge or linear_svm."
            )
        return self.rule


def _digits(weight: float, digits: int) -> str:
    """Decimals, and as many more as a small weight needs for two significant figures."""
    if weight >= 10**-digits * 10 or weight == 0:
        return f"{weight:.{digits}f}"
    return f"{weight:.2g}"


def to_dict(
    model: StudyModel,
    *,
    centres: list[str],
    extraction: str | Mapping[str, str] | None,
    simulated: bool,
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
    """
    from importlib.metadata import version

    used = {p.name for p in [*model.rule_.clinical(), *model.rule_.covariates()]}
    used |= {adjustment.column for adjustment in model.rule_.adjustments()}
    columns: Mapping[str, Column] = {}
    for part in [model, *getattr(model, "parts_", [])]:
        columns = {**columns, **getattr(part, "columns", {})}
    spec = model.spec
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "kind": spec.kind,
        "rule": _rule_to_dict(model.rule_),
        "columns": {name: columns[name].model_dump() for name in columns if name in used},
        "threshold": {
            "probability": model.threshold_.threshold,
            "rule": "Youden index on training"
            + (", out-of-bag probabilities" if model.held_out_ is not None else ""),
            "sensitivity": model.threshold_.sensitivity,
            "specificity": model.threshold_.specificity,
        },
        "linear_range": list(model.linear_range_),
        "training": {"n": model.n_, "events": model.events_, "centres": sorted(centres)},
        "extraction": dict(extraction) if isinstance(extraction, Mapping) else extraction,
        "simulated": simulated,
        "empty": model.empty_,
        "notes": list(model.notes_),
        "settings": spec.model_dump(),
        "versions": {name: version(name) for name in LIBRARIES},
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
    if content.get("version") != VERSION:
        raise StudyError(
            f"{source}: found format version {content.get('version')!r}, expected {VERSION}. "
            "Read it with the release that wrote it, or train again."
        )
    try:
        columns = {name: Column.model_validate(value) for name, value in content["columns"].items()}
        return FittedModel(_rule_from_dict(content["rule"]), columns, content)
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(f"{source}: the model is incomplete ({error!r}). Train it again.") from error


def save_model(model: Mapping[str, Any], path: str | Path) -> None:
    """Write the content of ``model.json``; NaN and infinity are refused."""
    text = json.dumps(model, indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def load_model(path: str | Path) -> FittedModel:
    """Read a ``model.json``.

    Raises
    ------
    StudyError
        The file is missing or is not a model.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file. Train the model first.") from None
    except ValueError as error:
        raise StudyError(f"{path}: found no valid JSON ({error}); expected a saved model.") from error
    if not isinstance(content, dict):
        raise StudyError(f"{path}: found {type(content).__name__}, expected a saved model.")
    return from_dict(content, str(path))


def _rule_to_dict(rule: r.Rule) -> dict[str, Any]:
    names = {kind: name for name, kind in _TYPES.items()}
    predictors = []
    for predictor in rule.predictors:
        entry = {"type": names[type(predictor)], **vars(predictor)}
        if isinstance(predictor, r.ScorePredictor):
            entry["rule"] = _rule_to_dict(predictor.rule)
        if isinstance(predictor, r.LevelPredictor):
            entry["weights"] = dict(predictor.weights)
        if isinstance(predictor, r.FeaturePredictor):
            entry["scalings"] = [
                list(item) if isinstance(item, tuple) else item.to_dict(_rule_to_dict)
                for item in predictor.scalings
            ]
        predictors.append(entry)
    if isinstance(rule, ForestRule):
        trees = [tree.to_dict() for tree in rule.trees]
        return {"name": rule.name, "type": "forest", "predictors": predictors, "trees": trees}
    assert isinstance(rule, r.LinearRule)
    return {"name": rule.name, "type": "linear", "intercept": rule.intercept, "predictors": predictors}


def _rule_from_dict(content: Mapping[str, Any]) -> r.Rule:
    predictors = []
    for entry in content["predictors"]:
        values = {key: value for key, value in entry.items() if key != "type"}
        if entry["type"] == "score":
            values["rule"] = _rule_from_dict(entry["rule"])
        if entry["type"] == "levels":
            values["weights"] = tuple(entry["weights"].items())
        if entry["type"] == "feature":
            values["scalings"] = tuple(
                CentreAdjustment.from_dict(item, _rule_from_dict) if isinstance(item, dict) else tuple(item)
                for item in entry["scalings"]
            )
        predictors.append(_TYPES[entry["type"]](**values))
    if content.get("type", "linear") == "forest":
        trees = tuple(Tree.from_dict(tree) for tree in content["trees"])
        if not trees or any(tree.feature.max() >= len(predictors) for tree in trees):
            raise ValueError("the forest has no tree, or a tree that asks for an unknown feature")
        return ForestRule(content["name"], tuple(predictors), trees)
    return r.LinearRule(content["name"], content["intercept"], tuple(predictors))


def _by_sequence(extraction: str | Mapping[str, str] | None) -> dict[str, str]:
    if extraction is None:
        return {}
    return {"": extraction} if isinstance(extraction, str) else dict(extraction)
