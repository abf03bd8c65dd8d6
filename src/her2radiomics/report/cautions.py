"""What must be said beside a model: from the model as it was fitted, never from what its settings allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.columns import STAGES, known_at
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.evaluation.predictions import by_partition
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.names import INTERCEPT
from her2radiomics.manuscript.tables.regression import split_term
from her2radiomics.modelling import load_model
from her2radiomics.report.info import RunInfo
from her2radiomics.report.names import term_label

#: Fewer patients of the smaller class than this per predictor: coefficients are unstable (Peduzzi et al., J Clin Epidemiol
#: 1996;49:1373-1379).
EVENTS_PER_PREDICTOR = 10
_ODDS = (0.01, 100.0)  # an odds ratio beyond these per unit is of a unit that no two patients differ by


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model as its cautions need it.

    Attributes
    ----------
    name
        The model.
    beta
        Term to coefficient, without the intercept.
    odds
        Term to odds ratio; empty for a penalised regression.
    columns
        Participants columns that the fitted model uses.
    candidates, kept
        Predictors that its selection began with and ended with, those of its parts included.
    smaller
        Training patients of the smaller class.
    n
        Training patients.
    errors
        Training patients on the wrong side of the best threshold; 0 where the classes are separated.
    """

    name: str
    beta: Mapping[str, float]
    odds: Mapping[str, float]
    columns: tuple[str, ...]
    candidates: int
    kept: int
    smaller: int
    n: int
    errors: int


def read_fits(layout: Layout, info: RunInfo) -> dict[str, Fit]:
    """Read the fitted models of a run.

    Raises
    ------
    StudyError
        A ``model.json`` is missing or broken.
    TableError
        A table is missing or lacks a column.
    """
    return {name: _read(layout, name) for name in info.protocol.models}


def _read(layout: Layout, name: str) -> Fit:
    coefficients = layout.read("coefficients", model=name)
    coefficients = coefficients[~coefficients["term"].str.lower().isin(INTERCEPT)].set_index("term")
    odds = coefficients["odds_ratio"].dropna() if "odds_ratio" in coefficients else pd.Series(dtype=float)
    training = by_partition(layout.read("predictions", model=name)).get(TRAINING)
    labels = np.zeros(0) if training is None else training["label"].to_numpy()
    candidates, kept = _counts(layout.read("selection", model=name), len(coefficients))
    return Fit(
        name=name,
        beta=coefficients["beta"].to_dict(),
        odds=odds.to_dict(),
        columns=tuple(load_model(layout.path("model", model=name)).columns),
        candidates=candidates,
        kept=kept,
        smaller=int(min(labels.sum(), len(labels) - labels.sum())),
        n=len(labels),
        errors=-1 if training is None else _errors(labels, training["probability"].to_numpy()),
    )


def _counts(selection: pd.DataFrame, terms: int) -> tuple[int, int]:
    """Predictors before the first and after the last step; a combined model's are those of its parts together."""
    if selection.empty:
        return terms, terms
    part = selection["name"].str.rpartition(": ")[0]
    groups = [rows for name, rows in selection.groupby(part, sort=False) if name] or [selection]
    return (
        sum(int(rows["features_in"].iloc[0]) for rows in groups),
        sum(int(rows["features_out"].iloc[-1]) for rows in groups),
    )


def _errors(labels: np.ndarray, probability: np.ndarray) -> int:
    """Fewest patients on the wrong side of any threshold, patients of equal probability on one side."""
    cuts = np.unique(probability)
    positive, negative = np.sort(probability[labels == 1]), np.sort(probability[labels == 0])
    missed = np.searchsorted(positive, cuts, side="right")
    called = len(negative) - np.searchsorted(negative, cuts, side="right")
    return int(min((missed + called).min(initial=len(labels)), len(negative), len(positive)))


def late_columns(fit: Fit, info: RunInfo) -> dict[str, str]:
    """Predictors in the fitted model that are not known when the prediction is to be made: label to when they are."""
    columns, asked = info.protocol.columns, info.protocol.prediction_at
    return {
        columns[name].label: STAGES[columns[name].available_at]
        for name in fit.columns
        if name in columns and not known_at(columns[name].available_at, asked)
    }


def late_words(fit: Fit, info: RunInfo) -> str:
    """``PR status (known after surgery)``: the late predictors of a fitted model; empty where it has none."""
    return fmt.listing([f"{label} (known {when})" for label, when in late_columns(fit, info).items()])


def cautions(fit: Fit, fits: Mapping[str, Fit], info: RunInfo, training: pd.DataFrame) -> tuple[str, ...]:
    """Everything that a reader must know before using a model's coefficients, a sentence each.

    Parameters
    ----------
    fit
        The model.
    fits
        All models of the run, for those that this one extends.
    info
        The run.
    training
        Training participants, for units.
    """
    found = [*_few_events(fit), *_separated(fit), *_turned(fit, fits, info), *_units(fit, info, training)]
    late = late_words(fit, info)
    if late:
        asked = STAGES[info.protocol.prediction_at]
        found.insert(0, f"Uses {late}; the prediction is to be made {asked}.")
    return tuple(found)


def late_candidates(fit: Fit, fits: Mapping[str, Fit], info: RunInfo) -> tuple[str, ...]:
    """A remark on candidates that are known too late and were not kept."""
    models, columns = info.protocol.models, info.protocol.columns
    names = [fit.name, *getattr(models[fit.name], "of", ())]
    tried = dict.fromkeys(column for name in names for column in getattr(models[name], "candidates", ()))
    asked = info.protocol.prediction_at
    late = [columns[c].label for c in tried if not known_at(columns[c].available_at, asked)]
    if not late or late_columns(fit, info):
        return ()
    return (f"Candidates not known {STAGES[asked]} ({fmt.listing(late)}) were screened; none was kept.",)


def _few_events(fit: Fit) -> Iterator[str]:
    if fit.kept and fit.smaller < EVENTS_PER_PREDICTOR * fit.kept:
        predictors = "1 predictor" if fit.kept == 1 else f"{fit.kept} predictors"
        yield (
            f"Few patients for its predictors: {fit.smaller} training patients of the smaller class for {predictors}, "
            f"{fmt.fixed(fit.smaller / fit.kept, 1)} per predictor (fewer than {EVENTS_PER_PREDICTOR})."
        )


def _separated(fit: Fit) -> Iterator[str]:
    if not fit.beta or fit.errors not in (0, 1):
        return
    how = "completely" if fit.errors == 0 else "but for one"
    yield (
        f"One threshold separates the {fit.n} training patients {how}: coefficients, odds ratios and training results are "
        "overfitted."
    )


def _turned(fit: Fit, fits: Mapping[str, Fit], info: RunInfo) -> Iterator[str]:
    """Terms whose sign is the opposite of that in a model which this one extends, and scores that count backwards."""
    for other in fits.values():
        if not other.beta or not set(other.beta) < set(fit.beta):
            continue
        turned = [term for term, beta in other.beta.items() if beta * fit.beta[term] < 0]
        if turned:
            labels = fmt.listing([term_label(term, info) for term in turned])
            yield f"Opposite sign to that in the model that it extends ({info.protocol.model_label(other.name)}): {labels}."
    scores = [term for term, beta in fit.beta.items() if term in info.protocol.models and beta < 0]
    if scores:
        labels = fmt.listing([term_label(term, info) for term in scores])
        yield f"A higher score lowers the predicted probability: {labels}."


def _units(fit: Fit, info: RunInfo, training: pd.DataFrame) -> Iterator[str]:
    """Continuous columns whose odds ratio is that of a step which hardly any two patients differ by."""
    for term, odds in fit.odds.items():
        name, level = split_term(term, info.protocol.columns) or (term, "")
        column = info.protocol.columns.get(name)
        if column is None or level or column.kind != "continuous" or name not in training:
            continue
        values = pd.to_numeric(training[name], errors="coerce").dropna()
        spread = float(values.max() - values.min()) if len(values) else 0.0
        if spread == 0 or (_ODDS[0] <= odds <= _ODDS[1] and spread >= 1):
            continue
        digits, sd = fmt.digits_for([*values]), float(values.std(ddof=1))
        yield (
            f"The odds ratio of {column.label} is per {column.unit or 'unit'}, while training values range from "
            f"{fmt.fixed(float(values.min()), digits)} to {fmt.fixed(float(values.max()), digits)}; per standard deviation "
            f"({fmt.fixed(sd, digits)}) it is {fmt.ratio(float(np.exp(fit.beta[term] * sd)))}."
        )
