"""The multivariable model: image features, Rad-scores and participants columns selected together, then one regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.core.wording import listing
from her2radiomics.modelling.chain import FittedChain
from her2radiomics.modelling.estimator import Folds, Method
from her2radiomics.modelling.features import FeatureBlock, feature_predictors
from her2radiomics.modelling.fit_report import selection_row
from her2radiomics.modelling.logistic import LogisticFit, fit_logistic
from her2radiomics.modelling.model import MISSING_WORDS, Fitted, Learning, ModelSpec, Names, model_kind
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.ranking import by_relation
from her2radiomics.modelling.saved.rules import LinearRule, Predictor
from her2radiomics.modelling.steps.lasso import FittedPath, LassoStep, PenaltyPath
from her2radiomics.modelling.variables import LearnedColumns, MissingValues, code_table, learn_columns, levels_of
from her2radiomics.statistics import univariate_then_multivariate
from her2radiomics.statistics.design import treatment_coding

if TYPE_CHECKING:
    from her2radiomics.statistics import UnivariateThenMultivariate


class LassoSelection(PenaltyPath):
    """One cross-validated LASSO over all blocks together."""

    by: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")
    family: Literal["gaussian", "binomial"] = Field(
        "binomial", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )

    def phrase(self) -> str:
        """Return the selection in words."""
        family = "logistic" if self.family == "binomial" else "least-squares"
        rule = "the smallest error" if self.rule == "min" else "one standard error of the smallest"
        return (
            f"selected together by a {family} LASSO with the penalty at {rule} in {self.folds}-fold cross-validation, and "
            "refitted without penalty"
        )


class BackwardSelection(Settings):
    """Univariable regressions, then backward elimination."""

    by: Literal["backward"] = Field(description="Univariate screening, then backward elimination.")
    p_enter: float = Field(0.05, gt=0, le=1, description="Level of the univariate test.")
    p_keep: float = Field(0.05, gt=0, le=1, description="Level of the multivariable test.")

    def phrase(self) -> str:
        """Return the selection in words."""
        return (
            f"screened together by univariable regressions (p < {self.p_enter:g}) and backward elimination "
            f"(p < {self.p_keep:g})"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedMultivariate(Fitted):
    """A fitted multivariable model.

    Attributes
    ----------
    spec
        Its settings.
    chain
        The fitted steps of the image features.
    lasso, choice
        The selection over all blocks, of the one kind or the other.
    logistic
        The regression.
    known
        The candidates as training showed them.
    """

    spec: MultivariateSpec
    chain: FittedChain | None
    lasso: FittedPath | None
    choice: UnivariateThenMultivariate | None
    logistic: LogisticFit
    known: LearnedColumns

    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of the steps, the parts, the selection over all blocks, and the regression."""
        rows = [] if self.chain is None else self.chain.selection_rows()
        rows += self.part_rows()
        if self.lasso is not None:
            rows += self.lasso.selection_rows("lasso of all blocks")
        if self.choice is not None:
            how: Any = self.spec.selection
            offered = self.choice.univariate["variable"].nunique()
            note = f"p < {how.p_enter:g}, then p < {how.p_keep:g}"
            rows.append(selection_row("backward", offered, len(self.choice.selected), note))
        left, kept = rows[-1]["features_out"], len(self.logistic.columns)
        return [*rows, selection_row("logistic", left, kept, self.logistic.note)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The steps' and the parts' tables, ``missing``, and those of the selection over all blocks."""
        tables = {} if self.chain is None else self.chain.tables()
        tables |= super().tables() | {"missing": self.known.missing}
        if self.lasso is not None:
            tables |= self.lasso.tables()
        if self.choice is not None:
            tables |= {"univariate": self.choice.univariate, "multivariate": self.choice.multivariate}
        return tables


@model_kind(
    label="Multivariate",
    rows={"lasso of all blocks": "LASSO over all predictors", "backward": "Univariate test, then backward elimination"},
    made_of=("radiomics",),
)
class MultivariateSpec(ModelSpec):
    """One logistic regression over image features, Rad-scores and participants columns, selected together.

    A categorical column enters the LASSO as indicators and the regression as a whole, with all its levels, when any
    indicator was kept.
    """

    kind: Literal["multivariate"] = Field(
        description="One selection and one logistic regression over all blocks of predictors."
    )
    features: FeatureBlock | None = Field(
        None, description="Image features, after their own selection steps; empty: none."
    )
    of: tuple[str, ...] = Field((), description="Radiomics models whose Rad-scores are predictors.")
    candidates: tuple[str, ...] = Field((), description="Participants columns.")
    selection: Annotated[LassoSelection | BackwardSelection, Field(discriminator="by")] = Field(
        # not validated, which would build the validator at each import
        LassoSelection.model_construct(by="lasso", family="binomial", folds=10, rule="min", n_lambdas=100),
        description="How predictors are selected, all blocks together.",
    )
    missing: MissingValues = "impute"
    method: Method = "auto"
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")

    @model_validator(mode="after")
    def _has_predictors(self) -> Self:
        if self.features is None and not self.of and not self.candidates:
            raise ValueError("found no predictor; give 'features', 'of' or 'candidates'")
        return self

    def parts(self) -> tuple[str, ...]:
        """Models whose scores are predictors."""
        return self.of

    @property
    def block(self) -> FeatureBlock | None:
        """Image features that the model selects among."""
        return self.features

    def references_used(self) -> tuple[str, ...]:
        """Keys of the references of steps, selection and regression."""
        lasso = LassoStep.about.references if isinstance(self.selection, LassoSelection) else ()
        return (*super().references_used(), *lasso)

    def sentence(self, who: str, names: Names) -> str:
        """Return the model in words."""
        blocks = []
        if self.features is not None:
            sequences = names.sequences(self.features.sequences)
            whose = f"the features of {listing(sequences)}" if sequences else "the image features"
            blocks.append(f"{whose} after their own steps")
        if self.of:
            blocks.append(f"the Rad-scores of {listing([names.model(part) for part in self.of])}")
        if self.candidates:
            blocks.append(listing([names.column(name) for name in self.candidates]))
        among = ", and ".join(blocks)
        return f"{who} was a logistic regression on {among}, {self.selection.phrase()}.{MISSING_WORDS[self.missing]}"

    def fit(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> FittedMultivariate:
        """Fit the steps and parts, select among all blocks, then fit the regression."""
        name = learning.name
        known = learn_columns(X, labels, self.candidates, learning.columns, self.missing, name=name)
        rows, outcome = X[known.used], labels[known.used]
        chain, blocks, remarks = None, [], list(known.notes)
        if self.features is not None:
            chain, table = self.features.select(rows, outcome, learning)
            blocks.append(table)
            remarks += chain.notes()
        parts = tuple(learning.part(part, rows, outcome) for part in self.of)
        for part in parts:
            if part.empty:
                remarks.append(f"{part.name} kept nothing and adds nothing")
            else:
                blocks.append(part.table(rows))
                remarks += [f"{part.name}: {note}" for note in part.notes]
        table = pd.concat([*blocks, code_table(known.raw[known.used], known.variables)], axis=1)
        table = table.loc[:, table.nunique() > 1]
        levels = {c: seen for c, seen in levels_of(known.variables).items() if c in table.columns}
        kept, lasso, choice = self._select(table, outcome, levels, learning)
        chosen = {column: seen for column, seen in levels.items() if column in kept}
        fit = fit_logistic(table[kept], outcome, self.method, chosen, name=name)
        if fit.separated:
            remarks.append("the terms separate the training classes; Firth's method was used")
        table = table[[column for column in table.columns if column in fit.columns]]
        predictors: dict[str, Predictor] = {}
        for part in parts:
            predictors |= part.predictors(fit.coefficients, table)
        for column, variable in known.variables.items():
            if column in table.columns:
                predictors[column] = variable.predictor(fit.coefficients)
        if chain is not None:
            features = table[[column for column in table.columns if column not in predictors]]
            predictors |= {p.name: p for p in feature_predictors(chain, features, fit.coefficients)}
        rule = LinearRule(name, fit.intercept, tuple(predictors[column] for column in table.columns))
        return FittedMultivariate(
            name=name,
            rule=rule,
            used=known.used,
            table=table,
            labels=outcome,
            levels={column: seen for column, seen in levels.items() if column in table.columns},
            method=fit.method,
            remarks=tuple(remarks),
            parts=parts,
            spec=self,
            chain=chain,
            lasso=lasso,
            choice=choice,
            logistic=fit,
            known=known,
        )

    def _select(
        self, table: pd.DataFrame, labels: np.ndarray, levels: Mapping[str, tuple[str, ...]], learning: Learning
    ) -> tuple[list[str], FittedPath | None, UnivariateThenMultivariate | None]:
        """Columns of ``table`` that the selection keeps, the most important first, and the selection."""
        coding = treatment_coding(table, levels)
        owner = {term: name for name in coding.variables for term in coding.terms_of(name)}
        design = pd.DataFrame(coding.matrix(table), index=table.index, columns=coding.terms)
        lasso, choice = None, None
        if isinstance(self.selection, LassoSelection):
            lasso = self.selection.choose(by_person(design, learning.persons), labels, learning.seed)
            kept = {owner[str(term)] for term in lasso.names_out}
        else:
            choice = self._backward(table, labels, levels, self.selection, learning.name)
            kept = set(choice.selected)
        ranked = [owner[coding.terms[i]] for i in by_relation(design.to_numpy(dtype=float), labels)]
        return [name for name in dict.fromkeys(ranked) if name in kept], lasso, choice

    def _backward(
        self,
        table: pd.DataFrame,
        labels: np.ndarray,
        levels: Mapping[str, tuple[str, ...]],
        how: BackwardSelection,
        name: str,
    ) -> UnivariateThenMultivariate:
        try:
            return univariate_then_multivariate(
                table, labels, how.p_enter, "backward", p_keep=how.p_keep, method=self.method, levels=levels
            )
        except ValueError as error:
            raise StudyError(f"model '{name}': {error} Put selection steps before it, or select by lasso.") from error
