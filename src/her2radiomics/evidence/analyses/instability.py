"""Instability of each patient's prediction: what refits of the whole pipeline on bootstrap resamples say of each patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analysis import NAN, Analysis, Finding, analysis, row, summary_row
from her2radiomics.evidence.drawing import WIDTH
from her2radiomics.evidence.resamples import (
    PROBABILITY,
    THRESHOLD,
    bootstrap,
    predictions,
    resampled,
    rule_row,
    too_few,
)
from her2radiomics.evidence.study import EvidenceStudy, Facts
from her2radiomics.manuscript import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ERROR, CHANGED = "mape", "class_changed"
UNSTABLE = "unstable_patients"
LIMITS = (-0.02, 1.02)
REFITS = "{} refits of the whole pipeline on bootstrap resamples of the training patients"


@analysis(
    label="Instability of predictions",
    question="How far would a patient's prediction move if the model had been developed on other patients of the same kind?",
    order=70,
    references=("riley_2023",),
)
class Instability(Analysis):
    """Bootstrap refits of the whole pipeline, and what each says of every patient."""

    per_job: ClassVar[int] = 50

    analysis: Literal["instability"] = "instability"
    resamples: int = Field(200, ge=20, description="Bootstrap resamples of the training patients.")
    large_error: float = Field(
        0.1, gt=0, lt=1, description="Mean absolute prediction error above which predictions count as unstable."
    )
    often: float = Field(
        0.1, gt=0, lt=1, description="Share of the refits from which on a patient's class counts as unstable."
    )
    many: float = Field(
        0.1, gt=0, lt=1, description="Share of such patients above which the model's classes count as unstable."
    )

    def obstacle(self, facts: Facts) -> str:
        """A training set with hardly a patient of a class cannot be resampled."""
        return too_few(facts)

    def repetitions(self, facts: Facts) -> int:
        """The study's own fit (repetition 0), then the resamples."""
        return self.resamples + 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """The primary model's probability of every patient; of refits also what all models reach and keep."""
        primary = study.about.primary
        if index == 0:
            fit = study.fit(study.rows(TRAINING)).get(primary)
            if fit is not None:
                yield row(THRESHOLD, float(fit.threshold_.threshold), model=primary)
                yield from predictions(study, primary, fit)
            return
        rows = resampled(study, study.random(self.analysis, index))
        fits = study.fit(rows, models=study.about.models)
        yield from bootstrap(study, rows, fits)
        fit = fits.get(primary)
        if fit is not None:
            yield from predictions(study, primary, fit)
            yield from rule_row(primary, fit)

    def wanted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Probabilities and the threshold."""
        return rows[rows["measure"].isin([PROBABILITY, THRESHOLD])].reset_index(drop=True)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Of every patient and set: limits of the refits' predictions, absolute error, and how often the class changes."""
        cut = rows.loc[rows["measure"] == THRESHOLD, "value"]
        if cut.empty or cut.isna().all():
            return
        threshold, primary = float(cut.iloc[0]), study.about.primary
        yield summary_row(THRESHOLD, threshold, model=primary, method="chosen on the training set, and locked")
        own, again = probabilities_of(rows)
        known = own.notna() & again.notna().any(axis=1)
        own, again = own[known], again[known]
        error = (again.sub(own, axis=0)).abs().mean(axis=1)
        moved = (again >= threshold).ne(own >= threshold, axis=0).where(again.notna()).mean(axis=1)
        limits = again.quantile([0.025, 0.975], axis=1)
        partition = study.patients["partition"].astype(str)
        words = REFITS.format(again.shape[1])
        for name in own.index:
            where: dict[str, Any] = {"model": primary, "partition": partition[name], "arm": str(name), "n": 1}
            low, high = limits[name]
            method = f"the study's own fit; central 95 % of {words}"
            yield summary_row(PROBABILITY, float(own[name]), float(low), float(high), method=method, **where)
            yield summary_row(ERROR, float(error[name]), method=f"mean absolute difference, {words}", **where)
            yield summary_row(CHANGED, float(moved[name]), method=f"share of {words}", **where)
        for name in (TRAINING, *study.tested):
            these = own.index[(partition[own.index] == name).to_numpy()]
            if not len(these):
                continue
            where = {"model": primary, "partition": name, "n": len(these), "events": None}
            low, high = np.quantile(error[these], [0.025, 0.975])
            spread = f"mean and central 95 % of the patients, {words}"
            yield summary_row(ERROR, float(error[these].mean()), float(low), float(high), method=spread, **where)
            yield summary_row(CHANGED, float(moved[these].mean()), method=f"mean of the patients, {words}", **where)
            method = f"share of patients whose class at the locked threshold changes in at least {self.often:.0%}"
            yield summary_row(UNSTABLE, float((moved[these] >= self.often).mean()), method=method, **where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the primary model's probabilities and classes are stable."""
        whole = summary[(summary["arm"] == "") & (summary["partition"] == TRAINING)].set_index("measure")
        if ERROR not in whole.index:
            return
        name, error, unstable = facts.label(facts.about.primary), whole.loc[ERROR], whole.loc[UNSTABLE, "value"]
        each = summary[(summary["measure"] == PROBABILITY) & (summary["partition"] == TRAINING)]
        width = float((each["high"] - each["low"]).median())
        yield Finding(
            "holds" if error["value"] <= self.large_error else "does not hold",
            f"{name}: a patient's predicted probability hardly depends on who was in the training set",
            f"Models that were developed in the same way on {self.resamples} resamples of the training patients differed "
            f"from the study's model by {error['value']:.2f} of probability on average (mean absolute prediction error). "
            f"For half of the {whole.loc[UNSTABLE, 'n']:.0f} training patients 95% of these predictions spread over "
            f"{width:.2f} or more.",
            f"Holds where the mean absolute prediction error is at most {self.large_error:g}. A model that predicts the "
            "same for every patient is stable too: stability is not accuracy.",
        )
        yield Finding(
            "holds" if unstable <= self.many else "does not hold",
            f"{name}: a patient's class hardly depends on who was in the training set",
            f"{unstable:.0%} of the {whole.loc[UNSTABLE, 'n']:.0f} training patients changed their class in at least "
            f"{self.often:.0%} of these models, at the threshold that the study locked.",
            f"Holds where at most {self.many:.0%} of the patients do.",
        )

    def method(self, facts: Facts) -> str:
        """How it is done."""
        return (
            f"The whole pipeline was fitted again on {self.resamples} bootstrap resamples of the training patients, and "
            "each model so developed predicted every patient. A model with a good AUC may still predict very "
            "different probabilities for the same patient."
        )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Prediction instability plot, and how often each patient's class changes."""
        wide = summary[(summary["arm"] != "") & (summary["partition"] == TRAINING)]
        if wide.empty:
            return style.message(WIDTH, "The model could not be fitted.")
        side = (WIDTH - 42.0) / 2
        figure = style.new_figure(WIDTH, style.head() + side + style.mm(12.0))
        left = style.place(figure, 14.0, style.head(), side, side)
        right = style.place(figure, 14.0 + side + 24.0, style.head(), side, side)
        found = wide.pivot(index="arm", columns="measure", values="value")
        bounds = wide[wide["measure"] == PROBABILITY]
        _, again = probabilities_of(rows)
        again = again.loc[found.index]
        x = np.repeat(found[PROBABILITY].to_numpy(), again.shape[1])
        colour = style.colours()[0]
        left.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
        left.plot(x, again.to_numpy().ravel(), ".", markersize=2, color=colour, alpha=0.3, markeredgewidth=0)
        left.vlines(bounds["value"], bounds["low"], bounds["high"], color=style.INK, linewidth=0.5, alpha=0.6)
        left.set(xlim=LIMITS, ylim=LIMITS, xlabel="Probability by the study's model")
        left.set_ylabel("Probability by the refits (lines: 95% limits)")
        threshold = summary.loc[summary["measure"] == THRESHOLD, "value"].iloc[0]
        for axes in (left, right):
            axes.axvline(threshold, color=style.positive(), linewidth=0.8, zorder=0)
        right.plot(found[PROBABILITY], found[CHANGED], "o", markersize=2.8, color=colour, alpha=0.7, markeredgewidth=0)
        right.set(xlim=LIMITS, ylim=LIMITS, xlabel="Probability by the study's model (line: threshold)")
        right.set_ylabel("Share of refits with another class")
        return figure


def probabilities_of(rows: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Each patient's probability by the study's own fit, and by every refit: patients × refits."""
    told = rows[rows["measure"] == PROBABILITY]
    table = told.pivot(index="arm", columns="repetition", values="value")
    return table[0] if 0 in table else pd.Series(NAN, index=table.index), table.drop(columns=0, errors="ignore")
