"""What a fitted model hands on to the models that are made of it, and a store of fits that several models share.

A combined model learns everything that its parts learn, on the same rows. Where a part was fitted on these rows before, its
fit is taken from the store: a fit depends on nothing but its rows, labels, settings and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.fit_report import FitReport
from her2radiomics.modelling.saved.rule_json import rule_from_dict, rule_to_dict
from her2radiomics.modelling.saved.rules import Predictor, Rule, ScorePredictor
from her2radiomics.modelling.variables import Variable, code_table, levels_of
from her2radiomics.statistics.nomogram_scale import few_values


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
        scores = table[self.name].to_numpy()
        ends = float(scores.min()), float(scores.max())
        return {self.name: ScorePredictor(self.rule, coefficients[self.name], *ends, few_values(scores))}

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, text and lists; of the tables of the fit those that a combination takes over."""
        made = self.report()
        missing = made.tables.get("missing")
        variables = None if self.variables is None else pd.DataFrame(map(asdict, self.variables.values()))
        return {
            "rule": rule_to_dict(self.rule),
            "notes": list(self.notes),
            "variables": None if variables is None else rows_as_json(variables),
            "selection": rows_as_json(made.selection),
            "missing": None if missing is None else rows_as_json(missing),
        }

    @classmethod
    def from_dict(cls, name: str, content: Mapping[str, Any]) -> Part:
        """From the content of :meth:`to_dict`."""
        variables = content["variables"]
        tables = {} if content["missing"] is None else {"missing": assemble("missing", content["missing"])}
        report = FitReport(pd.DataFrame(), assemble("selection", content["selection"]), tables)
        return cls(
            name,
            rule_from_dict(content["rule"]),
            tuple(content["notes"]),
            None if variables is None else {item["name"]: _variable(item) for item in variables},
            lambda: report,
        )


def rows_as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as plain data that JSON can hold: ``None`` where there is no number."""
    whole = table.astype(object)
    return list(whole.where(whole.notna(), None).to_dict("records"))


def _variable(content: Mapping[str, Any]) -> Variable:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
    return Variable(**values | {key: float("nan") for key in ("low", "high") if values[key] is None})


def _no_report() -> FitReport:
    return FitReport(pd.DataFrame(), pd.DataFrame())


@dataclass(frozen=True, eq=False)
class SharedFits:
    """Fits of models by what they were fitted on; clones of an estimator share it.

    Attributes
    ----------
    fits
        Model and :func:`fitted_on` → what the fit hands on.
    """

    fits: dict[tuple[str, str], Part] = field(default_factory=dict)

    def __sklearn_clone__(self) -> SharedFits:
        """Share the fits."""
        return self

    def find(self, name: str, patients: Iterable[Any], labels: Iterable[int]) -> Part | None:
        """Return the fit of a model on rows, if there is one."""
        return self.fits.get((name, fitted_on(patients, labels)))

    def keep(self, part: Part, patients: Iterable[Any], labels: Iterable[int], *, report: bool = False) -> None:
        """Keep a fit on rows; the tables of the fit, and all that they are made from, only if asked for."""
        kept = part if report else replace(part, report=_no_report)
        self.fits.setdefault((part.name, fitted_on(patients, labels)), kept)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain data of the fits of one model, by what they were fitted on."""
        return {rows: part.to_dict() for (_, rows), part in self.fits.items()}

    def read(self, name: str, content: Mapping[str, Mapping[str, Any]]) -> None:
        """Take in the fits of a model, the content of :meth:`to_dict`."""
        for rows, fit in content.items():
            self.fits[name, rows] = Part.from_dict(name, fit)


def fitted_on(patients: Iterable[Any], labels: Iterable[int]) -> str:
    """Name of a set of training rows: changes with the patients, how often each is drawn, and their labels."""
    rows = sorted(f"{patient}\t{int(label)}" for patient, label in zip(patients, labels, strict=True))
    return sha256("\n".join(rows).encode()).hexdigest()
