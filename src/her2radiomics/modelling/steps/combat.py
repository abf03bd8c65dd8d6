"""ComBat: harmonisation between centres, their effects learned on training rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, selection_step
from her2radiomics.modelling.harmonisation import CombatFit, fit_combat
from her2radiomics.modelling.people import People
from her2radiomics.modelling.saved.adjustment import ADAPTED, PASSED_THROUGH, CentreAdjustment, centres_of
from her2radiomics.modelling.saved.rules import LinearRule
from her2radiomics.modelling.variables import Variable, code_table, learn_variable


@dataclass(frozen=True)
class FittedCombat(FittedStep):
    """What ComBat learned.

    Attributes
    ----------
    settings
        The step.
    people
        Centre and covariates of the patients.
    effects
        The centres' effects.
    variables
        The covariates as training showed them.
    terms
        Terms of the covariates, in the order of the weights.
    label_mean
        Share of positive patients, with ``preserve_label``.
    """

    settings: CombatStep
    people: People
    effects: CombatFit
    variables: dict[str, Variable]
    terms: tuple[str, ...]
    label_mean: float

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
        names = list(self.names_out)
        values = X[names].to_numpy(dtype=float)
        if names:
            values = self._adjusted(values, self.people.rows(X.index))
        return pd.DataFrame(values, index=X.index, columns=names)

    def _adjusted(self, values: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
        """All features at once: what :meth:`CentreAdjustment.adjust` does to one."""
        fit = self.effects
        any_feature = self._adjustment(0)
        treatment, centres = any_feature.treatment(rows), centres_of(rows, self.settings.batch)
        place = np.array([fit.centres.index(c) if c in fit.centres else 0 for c in centres])
        location, spread = (fit.pooled * fit.gamma)[place], np.sqrt(fit.delta)[place]
        expected = fit.mean + design(rows, self.variables) @ fit.weights[: len(self.terms)]
        if self.settings.preserve_label:
            expected = expected + self.label_mean * fit.weights[-1]
        for name in np.unique(centres[treatment == ADAPTED]):
            own = centres == name
            around = (values - expected)[own]
            found = [self._adjustment(i).adapted(around[:, i]) for i in range(len(self.names_out))]
            location[own], spread[own] = np.array(found).T[:, None, :]
        stay = ~fit.adjusted | (treatment == PASSED_THROUGH)[:, None]
        return np.where(stay, values, (values - expected - location) / spread + expected)

    def scalings(self, feature: str) -> tuple[CentreAdjustment]:
        """Return the adjustment of each centre."""
        return (self._adjustment(self.names_in.index(feature)),)

    def _adjustment(self, place: int) -> CentreAdjustment:
        fit, step = self.effects, self.settings
        weights = dict(zip(self.terms, fit.weights[:, place].tolist(), strict=False))
        mean = float(fit.mean[place])
        if step.preserve_label:
            mean += self.label_mean * float(fit.weights[-1, place])
        sigma = float(fit.pooled[place])
        centres = tuple(
            (name, sigma * float(gamma), float(np.sqrt(delta)))
            for name, gamma, delta in zip(fit.centres, fit.gamma[:, place], fit.delta[:, place], strict=True)
        )
        return CentreAdjustment(
            column=step.batch,
            expected=LinearRule("expected", mean, tuple(v.predictor(weights) for v in self.variables.values())),
            centres=centres,
            pooled=sigma,
            adjusts=bool(fit.adjusted[place]),
            unseen=step.unseen,
            minimum=step.minimum,
            mean_only=step.mean_only,
        )


def design(rows: pd.DataFrame, variables: Mapping[str, Variable]) -> np.ndarray:
    """Covariates as numbers, levels as indicators against the first seen, shape (rows, terms)."""
    coded = code_table(rows[list(variables)], variables)
    columns = []
    for name, variable in variables.items():
        if variable.kind == "categorical":
            columns += [(coded[name] == level).to_numpy(dtype=float) for level in variable.levels[1:]]
        else:
            columns.append(coded[name].to_numpy(dtype=float))
    return np.column_stack(columns) if columns else np.empty((len(rows), 0))


@selection_step(
    label="ComBat between centres", short="ComBat", role="harmonisation", references=("johnson_2007",), once=True
)
class CombatStep(SelectionStep):
    """ComBat: take location and scale of each centre out of the features, learned on training rows.

    All features stay, and every feature becomes the same function of a patient's value, centre and covariates in
    training and in prediction. Missing covariates are filled with the training median or most frequent level.
    """

    step: Literal["combat"] = Field(description="Harmonisation between centres by ComBat.")
    batch: str = Field("centre", description="What is harmonised: centre, or a categorical column such as the scanner.")
    unseen: Literal["refuse", "pass_through", "adapt"] = Field(
        "refuse",
        description="A centre that did not train. refuse: an error; pass_through: its values are left as they are, and "
        "marked; adapt: its location and scale come from the rows predicted together, without labels, and are marked.",
    )
    minimum: int = Field(
        20, ge=20, description="Patients of an unseen centre that adapt needs among those predicted together."
    )
    covariates: tuple[str, ...] = Field(
        (), description="Participants columns whose effect on the features is kept; known when predicting."
    )
    preserve_label: bool = Field(
        False, description="Estimate the centres' effects beside that of the label, in training; not with adapt."
    )
    parametric: bool = Field(
        True, description="Normal and inverse gamma priors; false: the features' own estimates are the prior."
    )
    mean_only: bool = Field(False, description="Adjust locations alone, not scales.")
    reference: str | None = Field(
        None, description="A training centre that the others are brought to; empty: their average."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.preserve_label and self.unseen == "adapt":
            raise ValueError(
                "preserve_label cannot go with 'unseen: adapt': the labels of the centre to adapt to are unknown"
            )
        if self.batch in self.covariates:
            raise ValueError(f"'{self.batch}' is what is harmonised; it cannot be kept as a covariate")
        if len(set(self.covariates)) < len(self.covariates):
            raise ValueError("a covariate is named twice")
        return self

    def columns_used(self) -> tuple[str, ...]:
        """Return what is harmonised, and the covariates."""
        return (self.batch, *self.covariates)

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        parts = ["locations alone"] if self.mean_only else []
        parts.append(f"{'parametric' if self.parametric else 'non-parametric'} empirical Bayes")
        if self.reference:
            parts.append(f"reference {self.reference}")
        kept = [*self.covariates, *(["the outcome in training"] if self.preserve_label else [])]
        if kept:
            parts.append(f"adjusted for {listing(kept)}")
        unseen = {
            "refuse": f"another {self.batch} was refused",
            "pass_through": f"values of another {self.batch} were left as they are",
            "adapt": f"another {self.batch} was adapted to, without outcomes, from {self.minimum} or more of its patients "
            "predicted together (transductive)",
        }
        return (
            f"features were harmonised between the training {self.batch}s by ComBat ({', '.join(parts)}), learned on "
            f"training patients only; {unseen[self.unseen]}"
        )

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedCombat:
        """Learn the centres' effects; ``X`` is indexed by patient."""
        people = training.people
        if people is None:
            raise StudyError("combat: found no participants, expected the centre of every patient.")
        rows = people.rows(X.index)
        centre = centres_of(rows, self.batch)
        once = ~X.index.duplicated()
        names, counts = np.unique(centre[once], return_counts=True)
        counted = dict(zip(names.tolist(), counts.tolist(), strict=True))
        check_trained(self, counted, "training rows")
        raw = self._covariates(rows, people)
        missing = raw.isna().sum()
        variables = {name: learn_variable(raw[name], people.columns[name], impute=True) for name in self.covariates}
        terms = [
            term
            for name, variable in variables.items()
            for term in (
                [f"{name}[{level}]" for level in variable.levels[1:]] if variable.kind == "categorical" else [name]
            )
        ]
        labels = np.asarray(y, dtype=float)
        block = design(rows, variables)
        if self.preserve_label:
            block = np.column_stack([block, labels])
        effects = fit_combat(
            X.to_numpy(dtype=float),
            centre,
            block,
            parametric=self.parametric,
            mean_only=self.mean_only,
            reference=self.reference,
        )
        return FittedCombat.of(
            X,
            None,
            self._note(counted, missing, effects),
            settings=self,
            people=people,
            effects=effects,
            variables=variables,
            terms=tuple(terms),
            label_mean=float(labels.mean()),
        )

    def _covariates(self, rows: pd.DataFrame, people: People) -> pd.DataFrame:
        for name in self.covariates:
            if name not in people.columns:
                raise StudyError(
                    f"combat.covariates: found '{name}', expected one of the protocol's columns: "
                    f"{', '.join(people.columns)}."
                )
            if name not in rows.columns:
                raise TableError(
                    file="training rows",
                    column=name,
                    found="no such column",
                    expected="the covariates of combat",
                    remedy="Add the column to the participants table, or remove it from the covariates.",
                )
        return rows[list(self.covariates)]

    def _note(self, counts: Mapping[str, int], missing: pd.Series, effects: CombatFit) -> str:
        parts = [", ".join(f"{name} ({count})" for name, count in counts.items())]
        kept = [*self.covariates, *(["the label"] if self.preserve_label else [])]
        if kept:
            parts.append(f"kept: {', '.join(kept)}")
        parts += [f"{name}: {count} missing, filled" for name, count in missing.items() if count]
        flat = int((~effects.adjusted).sum())
        if flat:
            parts.append(f"{flat} constant within a {self.batch}, left as they are")
        if not effects.shrunk and effects.adjusted.any():
            parts.append("one feature: no shrinkage")
        return "; ".join(parts)


def check_trained(step: CombatStep, counts: Mapping[str, int], where: str) -> None:
    """Refuse training centres from which nothing can be learned.

    Parameters
    ----------
    step
        The step's settings.
    counts
        Centre → training patients.
    where
        The model or run, named first in errors.

    Raises
    ------
    StudyError
        One training centre, a centre with too few training patients, or a reference that does not train.
    """
    names = sorted(counts)
    if len(names) < 2:
        raise StudyError(
            f"{where}: combat learns how centres differ, and found one training {step.batch}"
            f"{f' ({names[0]})' if names else ''}; expected two or more. "
            f"Remove the step, or train on patients of several."
        )
    needed = 1 if step.mean_only else 2
    for name in names:
        if counts[name] < needed:
            raise StudyError(
                f"{where}: combat found {counts[name]} training patient of {step.batch} '{name}', expected "
                f"{needed} or more, since it learns a spread of each. Set mean_only: true (locations only), exclude "
                "these patients, or give them the name of a centre with the same scanner and protocol."
            )
    if step.reference is not None and step.reference not in counts:
        raise StudyError(
            f"{where}: combat.reference: found '{step.reference}', expected a {step.batch} that trains: "
            f"{', '.join(names)}."
        )
