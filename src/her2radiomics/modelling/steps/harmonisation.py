"""ComBat as a step of a chain: the centres' effects, learned on training rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FeatureStep
from her2radiomics.modelling.centres import check_trained
from her2radiomics.modelling.saved.adjustment import ADAPTED, PASSED_THROUGH, CentreAdjustment, centres_of
from her2radiomics.modelling.saved.rules import LinearRule
from her2radiomics.modelling.steps.combat import CombatFit, fit_combat
from her2radiomics.modelling.steps.settings import CombatStep
from her2radiomics.modelling.variables import Variable, code_table, learn_variable


class People:
    """Centre and covariates of patients: an immutable table that clones for free.

    Parameters
    ----------
    table
        Patients (index) × columns; rows of a patient who stands in it twice are equal. It may hold patients of any
        partition: a fit looks up the patients of its own rows and no others.
    columns
        The protocol's participants columns.
    """

    def __init__(self, table: pd.DataFrame, columns: Mapping[str, Column]) -> None:
        """Keep one row a patient; the table must not be changed afterwards."""
        self.table = table[~table.index.duplicated()]
        self.columns = columns

    def __deepcopy__(self, memo: Any) -> People:
        """Share the table: clones of an estimator all read the same one."""
        return self

    def __sklearn_clone__(self) -> People:
        """Share the table, as :meth:`__deepcopy__`."""
        return self

    def __repr__(self) -> str:
        """Size only."""
        return f"People({len(self.table)} patients)"

    def rows(self, index: pd.Index) -> pd.DataFrame:
        """Rows of patients, in their order; a patient may stand in ``index`` more than once."""
        absent = ~index.isin(self.table.index)
        if absent.any():
            raise TableError(
                file="participants table",
                patient=str(index[absent][0]),
                found="no row",
                expected="the centre and covariates of every patient, for ComBat",
                remedy="Give the participants of all rows.",
            )
        return self.table.loc[index]


def people_of(X: pd.DataFrame, steps: Sequence[Any], columns: Mapping[str, Column]) -> People | None:
    """Centre and covariates that the ``combat`` steps of a chain ask for; ``None`` without such a step."""
    wanted = [c for step in steps if isinstance(step, CombatStep) for c in (step.batch, *step.covariates)]
    return People(X[[c for c in dict.fromkeys(wanted) if c in X.columns]], columns) if wanted else None


class ComBat(FeatureStep):
    """Harmonise features between centres; all features stay.

    Every feature becomes the same function of a patient's value, centre and covariates in training and in prediction.
    With ``preserve_label`` the label stands beside the covariates while the centres' effects are estimated, so that
    centres with more positive patients do not lose their signal; it is not used to adjust a row, since a new patient's is
    unknown. Missing covariates are filled with the training median or most frequent level.

    Parameters
    ----------
    settings
        The step's settings.
    people
        Centre and covariates of the patients.

    Fitted attributes
    -----------------
    fit_ : CombatFit
    variables_ : dict of str to Variable
        The covariates as training showed them.
    label_mean_ : float
        Share of positive patients, with ``preserve_label``.
    """

    fit_: CombatFit
    variables_: dict[str, Variable]
    terms_: list[str]
    label_mean_: float

    def __init__(self, settings: CombatStep, people: People | None = None) -> None:
        """Keep the parameters."""
        self.settings = settings
        self.people = people

    def fit(self, X: pd.DataFrame, y: Any) -> ComBat:
        """Learn the centres' effects; ``X`` is indexed by patient."""
        step, rows = self.settings, self._people().rows(X.index)
        centre = centres_of(rows, step.batch)
        once = ~X.index.duplicated()
        names, counts = np.unique(centre[once], return_counts=True)
        counted = dict(zip(names.tolist(), counts.tolist(), strict=True))
        check_trained(step, counted, "training rows")
        raw = self._covariates(rows)
        missing = raw.isna().sum()
        self.variables_ = {
            name: learn_variable(raw[name], self._people().columns[name], impute=True)
            for name in step.covariates
        }
        self.terms_ = [
            term
            for name, variable in self.variables_.items()
            for term in (
                [f"{name}[{level}]" for level in variable.levels[1:]]
                if variable.kind == "categorical"
                else [name]
            )
        ]
        labels = np.asarray(y, dtype=float)
        self.label_mean_ = float(labels.mean())
        block = self._design(rows)
        if step.preserve_label:
            block = np.column_stack([block, labels])
        self.fit_ = fit_combat(
            X.to_numpy(dtype=float),
            centre,
            block,
            parametric=step.parametric,
            mean_only=step.mean_only,
            reference=step.reference,
        )
        self._position = {name: place for place, name in enumerate(X.columns)}
        self._record(X, None, self._note(counted, missing))
        return self

    def _design(self, rows: pd.DataFrame) -> np.ndarray:
        """Covariates as numbers, levels as indicators against the first seen, shape (rows, terms)."""
        coded = code_table(rows[list(self.settings.covariates)], self.variables_)
        columns = []
        for name, variable in self.variables_.items():
            if variable.kind == "categorical":
                columns += [(coded[name] == level).to_numpy(dtype=float) for level in variable.levels[1:]]
            else:
                columns.append(coded[name].to_numpy(dtype=float))
        return np.column_stack(columns) if columns else np.empty((len(rows), 0))

    def _people(self) -> People:
        if self.people is None:
            raise StudyError("combat: found no participants, expected the centre of every patient.")
        return self.people

    def _covariates(self, rows: pd.DataFrame) -> pd.DataFrame:
        declared = self._people().columns
        for name in self.settings.covariates:
            if name not in declared:
                raise StudyError(
                    f"combat.covariates: found '{name}', expected one of the protocol's columns: {', '.join(declared)}."
                )
            if name not in rows.columns:
                raise TableError(
                    file="training rows",
                    column=name,
                    found="no such column",
                    expected="the covariates of combat",
                    remedy="Add the column to the participants table, or remove it from the covariates.",
                )
        return rows[list(self.settings.covariates)]

    def _note(self, counts: Mapping[str, int], missing: pd.Series) -> str:
        step, parts = self.settings, []
        parts.append(", ".join(f"{name} ({count})" for name, count in counts.items()))
        kept = [*step.covariates, *(["the label"] if step.preserve_label else [])]
        if kept:
            parts.append(f"kept: {', '.join(kept)}")
        parts += [f"{name}: {count} missing, filled" for name, count in missing.items() if count]
        flat = int((~self.fit_.adjusted).sum())
        if flat:
            parts.append(f"{flat} constant within a {step.batch}, left as they are")
        if not self.fit_.shrunk and self.fit_.adjusted.any():
            parts.append("one feature: no shrinkage")
        return "; ".join(parts)

    def notes(self) -> list[str]:
        """What a reader of the model must know."""
        step = self.settings
        notes = {
            "refuse": f"a patient of another {step.batch} is refused",
            "pass_through": f"values of another {step.batch} pass as they are, and such predictions are marked",
            "adapt": f"predictions for another {step.batch} are transductive and marked: its location and scale come "
            f"from the patients predicted together ({step.minimum} or more), so that they depend on one another",
        }
        return [f"harmonised between {step.batch}s by ComBat; {notes[step.unseen]}"]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Harmonise rows of patients whom ``people`` knows."""
        values = X[self.names_out_].to_numpy(dtype=float)
        if self.names_out_:
            values = self._adjusted(values, self._people().rows(X.index))
        return pd.DataFrame(values, index=X.index, columns=self.names_out_)

    def _adjusted(self, values: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """All features at once: what :meth:`CentreAdjustment.adjust` does to one."""
        fit = self.fit_
        any_feature = self.scaling(self.names_out_[0])
        treatment, centres = any_feature.treatment(rows), centres_of(rows, self.settings.batch)
        place = np.array([fit.centres.index(c) if c in fit.centres else 0 for c in centres])
        location, spread = (fit.pooled * fit.gamma)[place], np.sqrt(fit.delta)[place]
        expected = fit.mean + self._design(rows) @ fit.weights[: len(self.terms_)]
        if self.settings.preserve_label:
            expected = expected + self.label_mean_ * fit.weights[-1]
        for name in np.unique(centres[treatment == ADAPTED]):
            own = centres == name
            around = (values - expected)[own]
            found = [self.scaling(f).adapted(around[:, i]) for i, f in enumerate(self.names_out_)]
            location[own], spread[own] = np.array(found).T[:, None, :]
        stay = ~fit.adjusted | (treatment == PASSED_THROUGH)[:, None]
        return np.where(stay, values, (values - expected - location) / spread + expected)

    def scaling(self, feature: str) -> CentreAdjustment:
        """What this step does to a feature."""
        place, fit, step = self._position[feature], self.fit_, self.settings
        weights = dict(zip(self.terms_, fit.weights[:, place].tolist(), strict=False))
        mean = float(fit.mean[place])
        if step.preserve_label:
            mean += self.label_mean_ * float(fit.weights[-1, place])
        sigma = float(fit.pooled[place])
        centres = tuple(
            (name, sigma * float(gamma), float(np.sqrt(delta)))
            for name, gamma, delta in zip(fit.centres, fit.gamma[:, place], fit.delta[:, place], strict=True)
        )
        return CentreAdjustment(
            column=step.batch,
            expected=LinearRule(
                "expected", mean, tuple(v.predictor(weights) for v in self.variables_.values())
            ),
            centres=centres,
            pooled=sigma,
            adjusts=bool(fit.adjusted[place]),
            unseen=step.unseen,
            minimum=step.minimum,
            mean_only=step.mean_only,
        )
