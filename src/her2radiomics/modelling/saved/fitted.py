"""A fitted model without its data: prediction, classes, nomogram points, and its formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from her2radiomics.core.columns import Column, type_table
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.adjustment import treatments
from her2radiomics.modelling.tables import model_table, sequence_of
from her2radiomics.statistics import CategoricalPredictor, ContinuousPredictor, LinearModel, nomogram

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.about import About
    from her2radiomics.modelling.saved.reference import Reference
    from her2radiomics.statistics import LinearModel

MAX_NOMOGRAM = 15
MAX_TERMS_IN_LINE = 3


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
    about
        Classes and population; ``None`` where the file was written before they were kept.
    reference
        What intervals, similarity and contributions need; ``None`` likewise.
    """

    rule: r.Rule
    columns: Mapping[str, Column]
    content: Mapping[str, Any]
    about: About | None = None
    reference: Reference | None = None

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
    def label(self) -> str:
        """Printed name of the model."""
        return self.name if self.about is None else self.about.label

    @property
    def classes(self) -> tuple[str, str]:
        """Printed names of the negative and the positive class."""
        return ("class 0", "class 1") if self.about is None else (self.about.negative, self.about.positive)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of the fit."""
        return tuple(self.content["notes"])

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
            Feature table (``patient_id``; with a column ``reader`` the rows of reader 1 are used); ``None`` for a model
            without image features.
        participants
            ``patient_id`` and the clinical columns; gives the patients and their order.
        extraction
            Hash of the extraction's parameters (by sequence, or one for all), compared with training's.
        incomplete
            Rows with a missing clinical value that the model does not fill, or a category that training never saw:
            ``refuse`` raises, ``omit`` leaves them out of the result (:meth:`obstacles` names them).
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
        self.check_extraction(extraction)
        table = self.table_of(features, participants, typed)
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

    @property
    def sequences(self) -> set[str]:
        """Sequences whose features the model uses; the empty text for features without one."""
        return sequences_of(self.rule)

    @property
    def drawable(self) -> bool:
        """Whether the model has a nomogram: linear, with few predictors of which one has an effect."""
        if not self.linear or not 1 <= len(self.rule.predictors) <= MAX_NOMOGRAM:
            return False
        return any(
            any(weight != 0 for _, weight in p.weights)
            if isinstance(p, r.LevelPredictor)
            else p.coefficient != 0 and p.low < p.high
            for p in self.rule.predictors
        )

    def points(
        self,
        features: pd.DataFrame | None,
        participants: pd.DataFrame,
        *,
        incomplete: Literal["refuse", "omit"] = "refuse",
        typed: bool = True,
    ) -> pd.DataFrame:
        """Nomogram points of patients: ``patient_id``, a column a predictor, ``total``.

        Total points lie at the patient's probability on the nomogram's axis. A value beyond the range of training may
        have points below 0 or above those of the axis.

        Parameters
        ----------
        features, participants, incomplete, typed
            As for :meth:`predict`.

        Raises
        ------
        StudyError
            The model has no nomogram.
        TableError
            As for :meth:`predict`.
        """
        laid_out = nomogram(self.nomogram_model())
        table = self.table_of(features, participants, typed)
        if incomplete == "omit":
            table = table[self.rule.predictable(table)]
        # a predictor's points are its contribution to the log-odds, counted from its least favourable end
        found = pd.DataFrame(
            {
                p.name: (p.contribution(table) - laid_out.lowest[p.name]) * laid_out.points_per_unit
                for p in self.rule.predictors
            },
            index=table.index,
        )
        found = found.assign(total=found.sum(axis=1))
        found.insert(0, "patient_id", table.index.astype(str))
        return found.reset_index(drop=True)

    def obstacles(
        self, features: pd.DataFrame | None, participants: pd.DataFrame, *, typed: bool = True
    ) -> pd.DataFrame:
        """Clinical values that keep patients from being predicted: ``patient_id, column, found, expected``."""
        return self.rule.obstacles(self.table_of(features, participants, typed))

    def imputed(self, features: pd.DataFrame | None, participants: pd.DataFrame, *, typed: bool = True) -> pd.DataFrame:
        """Values that prediction fills from training: ``patient_id, column, filled_with``."""
        return self.rule.imputed(self.table_of(features, participants, typed))

    def classify(self, probabilities: np.ndarray) -> np.ndarray:
        """Class (0 or 1) at the locked threshold."""
        return (np.asarray(probabilities) >= self.threshold).astype(int)

    def table_of(self, features: pd.DataFrame | None, participants: pd.DataFrame, typed: bool) -> pd.DataFrame:
        """Features and clinical columns of the patients, as the rule takes them."""
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
            values = type_table(table, self.columns, file="participants table")
            table = table.drop(columns=values.columns.intersection(table.columns)).join(values)
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

        Image features are on their scaled axis.

        Raises
        ------
        StudyError
            The model is empty, or has too many predictors to draw.
        """
        rule = self._linear("a nomogram")
        count = len(rule.predictors)
        if not 1 <= count <= MAX_NOMOGRAM:
            raise StudyError(
                f"model '{self.name}': found {count} predictors, expected 1 to {MAX_NOMOGRAM} for a nomogram."
            )
        drawn = [
            CategoricalPredictor(p.name, dict(p.weights))
            if isinstance(p, r.LevelPredictor)
            else ContinuousPredictor(p.name, p.coefficient, p.low, p.high, p.values)
            for p in rule.predictors
        ]
        low, high = self.content["linear_range"]
        return LinearModel(rule.intercept, drawn, (low, high))

    def formula(self, digits: int = 4) -> str:
        """Return the score as text: intercept and weighted terms; image features are as scaled in training.

        Up to three terms are set in one line, more of them one a line.

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


def sequences_of(rule: r.Rule) -> set[str]:
    """Sequences whose features a rule uses; the empty text for features without one."""
    return {sequence_of(feature.name) for feature in rule.features()}


def _digits(weight: float, digits: int) -> str:
    """Decimals, and as many more as a small weight needs for two significant figures."""
    if weight >= 10**-digits * 10 or weight == 0:
        return f"{weight:.{digits}f}"
    return f"{weight:.2g}"


def _by_sequence(extraction: str | Mapping[str, str] | None) -> dict[str, str]:
    if extraction is None:
        return {}
    return {"": extraction} if isinstance(extraction, str) else dict(extraction)
