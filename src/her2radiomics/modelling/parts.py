"""What a fitted model hands on to the models that are made of it, and a store of fits that several models share.

A combined model learns everything that its parts learn, on the same rows. Where a part was fitted on these rows before, its
fit is taken from the store: a fit depends on nothing but its rows, labels, settings and seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.fit_report import FitReport
from her2radiomics.modelling.saved.rule_json import rule_from_dict, rule_to_dict
from her2radiomics.modelling.saved.rules import Predictor, Rule, ScorePredictor
from her2radiomics.modelling.variables import Variable, code_table, levels_of


@dataclass(frozen=True, eq=False)
class Part:
    """What a fitted model hands on.

    Attributes
    ----------
    name
        The model's name.
    rule
        What it predicts with.
    notes
        Remarks on its fit.
    variables
        Participants columns that it hands on as they are; ``None``: it hands on its score.
    report
        Makes the tables of its fit.
    """

    name: str
    rule: Rule
    notes: tuple[str, ...]
    variables: Mapping[str, Variable] | None
    report: Callable[[], FitReport]

    @property
    def empty(self) -> bool:
        """Whether it kept nothing, and so adds nothing."""
        return not self.rule.predictors

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of what it adds."""
        if self.empty:
            return ()
        return (self.name,) if self.variables is None else tuple(self.variables)

    def table(self, X: pd.DataFrame) -> pd.DataFrame:
        """What it adds to the predictors of rows, rows × terms."""
        if self.variables is None:
            return pd.DataFrame({self.name: self.rule.score(X)}, index=X.index)
        return code_table(X, self.variables)

    def levels(self) -> dict[str, tuple[str, ...]]:
        """Levels seen in training of its categorical terms, the reference first."""
        return levels_of(self.variables or {})

    def predictors(self, coefficients: Mapping[str, float], table: pd.DataFrame) -> dict[str, Predictor]:
        """Rules of its terms that are columns of ``table``, which holds them for the training rows."""
        if self.variables is not None:
            kept = {name: v for name, v in self.variables.items() if name in table.columns}
            return {name: variable.predictor(coefficients) for name, variable in kept.items()}
        if self.name not in table.columns:
            return {}
        scores = table[self.name]
        low, high = float(scores.min()), float(scores.max())
        return {self.name: ScorePredictor(self.rule, coefficients[self.name], low, high)}

    def to_dict(self, *, report: bool) -> dict[str, Any]:
        """Plain numbers, text and lists; the tables of the fit only if asked for, and of them those that are handed on."""
        variables = None
        if self.variables is not None:
            variables = [
                {key: None if value != value else value for key, value in asdict(variable).items()}
                for variable in self.variables.values()
            ]
        content = {"rule": rule_to_dict(self.rule), "notes": list(self.notes), "variables": variables}
        if report:
            made = self.report()
            missing = made.tables.get("missing", assemble("missing"))
            content |= {
                "selection": made.selection.to_dict("records"),
                "missing": None
                if "missing" not in made.tables
                else missing.astype(object).to_dict("records"),
            }
        return content

    @classmethod
    def from_dict(cls, name: str, content: Mapping[str, Any]) -> Part:
        """From the content of :meth:`to_dict`."""
        variables = None
        if content["variables"] is not None:
            known = [_variable(item) for item in content["variables"]]
            variables = {variable.name: variable for variable in known}

        def report() -> FitReport:
            tables = {}
            if content["missing"] is not None:
                tables["missing"] = assemble("missing", content["missing"])
            return FitReport(pd.DataFrame(), pd.DataFrame(content["selection"]), tables)

        return cls(name, rule_from_dict(content["rule"]), tuple(content["notes"]), variables, report)


def _variable(content: Mapping[str, Any]) -> Variable:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
    }
    return Variable(**values | {key: math.nan for key in ("low", "high") if values[key] is None})


@dataclass(frozen=True, eq=False)
class SharedFits:
    """Fits of models by what they were fitted on; clones of an estimator share it.

    Attributes
    ----------
    fits
        Model and :func:`fitted_on` → what the fit hands on.
    """

    fits: dict[tuple[str, str], Part] = field(default_factory=dict)

    def __deepcopy__(self, memo: Any) -> SharedFits:
        """Share the fits."""
        return self

    def __sklearn_clone__(self) -> SharedFits:
        """Share the fits, as :meth:`__deepcopy__`."""
        return self

    def find(self, name: str, patients: Iterable[Any], labels: np.ndarray) -> Part | None:
        """Return the fit of a model on rows, if there is one."""
        return self.fits.get((name, fitted_on(patients, labels)))

    def keep(self, part: Part, patients: Iterable[Any], labels: np.ndarray) -> None:
        """Keep a fit on rows."""
        self.fits.setdefault((part.name, fitted_on(patients, labels)), part)

    def to_dict(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Content of a file of the fits of one model; the first, on all training rows, with its tables.

        Parameters
        ----------
        name
            The model.
        settings
            What else its fits depend on: its settings, and the seed.
        """
        own = {rows: part for (model, rows), part in self.fits.items() if model == name}
        fits = {rows: part.to_dict(report=place == 0) for place, (rows, part) in enumerate(own.items())}
        return {"name": name, "settings": dict(settings), "fits": fits}

    def read(self, content: Mapping[str, Any], settings: Mapping[str, Any], source: str) -> None:
        """Take in the fits of a file, the content of :meth:`to_dict`.

        Raises
        ------
        StudyError
            They were made with other settings, or something is absent.
        """
        try:
            name = content["name"]
            if content["settings"] != settings:
                raise StudyError(f"{source}: found the fits of other settings of '{name}'. Train it again.")
            for rows, fit in content["fits"].items():
                self.fits[name, rows] = Part.from_dict(name, fit)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StudyError(
                f"{source}: the fits are incomplete ({error!r}). Train the model again."
            ) from error


def fitted_on(patients: Iterable[Any], labels: np.ndarray) -> str:
    """Name of a set of training rows: changes with the patients, how often each is drawn, and their labels."""
    rows = sorted(f"{patient}\t{int(label)}" for patient, label in zip(patients, labels, strict=True))
    return sha256("\n".join(rows).encode()).hexdigest()
