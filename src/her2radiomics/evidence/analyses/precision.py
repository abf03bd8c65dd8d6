"""Precision and sample size: how exactly the study's patients tell an AUC, and how many the claim would have needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import mpl, pd
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, row, summary_row
from her2radiomics.evidence.areas import interval_rows
from her2radiomics.evidence.drawing import Point, forest
from her2radiomics.evidence.study import EvidenceStudy, Facts, probabilities
from her2radiomics.modelling.saved.rules import Rule
from her2radiomics.statistics import development_size, expected_shrinkage, r2_max, r2_of_c, validation_size

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from her2radiomics.core.columns import Column

CANDIDATES, KEPT = "candidate_parameters", "kept_parameters"
PER_CANDIDATE, PER_KEPT = "events_per_candidate", "events_per_kept"
WIDTH, NEEDED, SHRINKAGE = "width", "needed", "expected_shrinkage"
#: What the development's number of patients rests on.
CLAIM, USUAL = "claimed AUC", "15 % of the largest R²"
#: Criteria of development and of validation, as they are printed.
DEVELOPMENT = {
    "shrinkage": "Coefficients shrink by 10% at most",
    "optimism": "Optimism of R² at most 0.05",
    "risk": "Overall risk to within 0.05",
}
VALIDATION = {
    "observed_expected": "Observed by expected events",
    "slope": "Calibration slope",
    "c_statistic": "AUC (interval 0.1 wide)",
}
#: No R² belongs to an AUC of 1: this one is taken.
HIGHEST = 0.99


@analysis(
    label="Precision and sample size",
    question="How exactly can this number of patients tell, and how many would the claim have needed?",
    order=90,
    references=("riley_2020", "riley_2021", "newcombe_2006"),
)
class Precision(Analysis):
    """Width of the AUC's interval, Riley's criteria for development and validation, events per parameter."""

    per_job: ClassVar[int] = 1

    analysis: Literal["precision"] = "precision"
    wide: float = Field(0.1, gt=0, lt=1, description="Width of the AUC's interval up to which it counts as precise.")

    def repetitions(self, facts: Facts) -> int:
        """One: the study as it is."""
        return 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of the primary model in every set, and parameters that were candidates and that were kept."""
        primary = study.about.primary
        fit = study.fit(study.rows(TRAINING)).get(primary)
        found = probabilities(fit, study.table)
        for partition in (TRAINING, *study.tested):
            yield from interval_rows(study, primary, partition, found)
        n, events = study.size(TRAINING)
        where: dict[str, Any] = {"model": primary, "partition": TRAINING, "n": n, "events": events}
        yield row(CANDIDATES, candidate_parameters(study), **where)
        if fit is not None:
            yield row(KEPT, kept_parameters(fit.rule_, study.about.columns), **where)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Widths, events per parameter, and the patients that development and validation would have needed."""
        found = rows.set_index(["partition", "measure"])["value"]
        primary = study.about.primary
        for partition in (TRAINING, *study.tested):
            n, events = study.size(partition)
            where: dict[str, Any] = {"model": primary, "partition": partition, "n": n, "events": events}
            value, low, high = (float(found.get((partition, f"auc{end}"), np.nan)) for end in ("", "_low", "_high"))
            words = "the study's own fit; DeLong's interval on the logit scale"
            yield summary_row("auc", value, low, high, method=words, **where)
            yield summary_row(WIDTH, high - low, method="width of that interval", **where)
        yield from self._development(found, study)
        for partition in study.tested:
            yield from self._validation(found, partition, study)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether AUCs are precise, and whether there were patients enough to develop and to validate."""
        name = facts.label(facts.about.primary)
        for partition in facts.tested:
            mine = summary[summary["partition"] == partition].set_index("measure")
            width = float(mine.loc[WIDTH, "value"]) if WIDTH in mine.index else np.nan
            if np.isnan(width):
                continue
            told = mine.loc["auc"]
            yield Finding(
                "holds" if width <= self.wide else "does not hold",
                f"{name}, {facts.partition_label(partition)}: the AUC is known precisely",
                f"With {told['n']:.0f} patients, {told['events']:.0f} of them {facts.about.outcomes[1]}, the AUC of "
                f"{told['value']:.3f} has an interval of {told['low']:.3f} to {told['high']:.3f}: {width:.2f} wide.",
                f"Holds where the interval is at most {self.wide:g} wide.",
            )
        yield from self._enough_to_develop(summary, name, facts)
        for partition in facts.tested:
            mine = summary[(summary["partition"] == partition) & (summary["measure"] == NEEDED)].set_index("arm")
            if "all" not in mine.index:
                continue
            needed, n = mine.loc["all", "value"], mine.loc["all", "n"]
            yield Finding(
                "holds" if n >= needed else "does not hold",
                f"{facts.partition_label(partition)}: enough patients to validate the model",
                f"{n:.0f} patients were tested. By Riley's criteria a validation at this AUC and share of events needs "
                f"{needed:,.0f}; an interval of the AUC that is 0.1 wide, {mine.loc['c_statistic', 'value']:,.0f}.",
                "Holds where the set has as many patients as the largest of the three criteria asks for.",
            )

    def method(self, facts: Facts) -> str:
        """How it is done."""
        return (
            "Candidate parameters are all features that were offered to the selection, and the coefficients of the clinical "
            "candidates. Riley's criteria were made for regression without selection or penalties; with these the number "
            "needed is a guide to its order, no exact count."
        )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Patients that there were, and that each criterion asks for."""
        points, needed = [], summary[summary["measure"] == NEEDED]
        for place, partition in enumerate((TRAINING, *facts.tested)):
            labels = DEVELOPMENT if partition == TRAINING else VALIDATION
            mine = needed[needed["partition"] == partition]
            if mine.empty:
                continue
            n, _ = facts.size(partition)
            group = f"{'Development' if partition == TRAINING else 'Validation'}: {facts.partition_label(partition)}"
            points.append(Point("Patients of the study", n, text=f"{n:,}", group=group, colour=2))
            found = mine.set_index("arm")["value"]
            basis = CLAIM if f"{CLAIM}: all" in found.index else USUAL
            arms = [f"{basis}: {key}" for key in labels] if partition == TRAINING else list(labels)
            points += [
                Point(labels[arm.split(": ")[-1]], found[arm], text=f"{found[arm]:,.0f}", group=group, colour=place > 0)
                for arm in arms
                if arm in found.index
            ]
        figure = forest(
            points, "Patients (green: those of the study; others: what the criteria ask for)", reference=None
        )
        if points:
            (axes,) = figure.axes
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(mpl.ticker.LogLocator(numticks=8))
            axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        return figure

    def _development(self, found: pd.Series, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        n, events = study.size(TRAINING)
        where: dict[str, Any] = {"model": study.about.primary, "partition": TRAINING, "n": n, "events": events}
        counted = {name: int(found[TRAINING, name]) for name in (CANDIDATES, KEPT) if (TRAINING, name) in found.index}
        words = {
            CANDIDATES: "features offered to the steps, and coefficients of the clinical candidates",
            KEPT: "coefficients of the model, those inside its scores among them",
        }
        for (name, count), measure in zip(counted.items(), (PER_CANDIDATE, PER_KEPT), strict=False):
            yield summary_row(name, count, method=words[name], **where)
            if count:
                yield summary_row(measure, events / count, method=f"{events} events by {count} parameters", **where)
        candidates, prevalence = counted.get(CANDIDATES, 0), events / n
        if not candidates or not 0 < prevalence < 1:
            return
        claim, words_of_claim = self._claim(found, study)
        bases = {USUAL: (0.15 * r2_max(prevalence), "R² of 15 % of the largest that this share of events allows")}
        if claim is not None:
            bases = {CLAIM: (r2_of_c(claim, prevalence), f"R² of {words_of_claim}"), **bases}
        for arm, (r2, method) in bases.items():
            size = development_size(candidates, prevalence, r2=r2)
            method = f"Riley's criteria, {candidates} candidate parameters, {method}"
            for criterion in DEVELOPMENT:
                yield summary_row(NEEDED, getattr(size, criterion), method=method, arm=f"{arm}: {criterion}", **where)
            yield summary_row(NEEDED, size.n, method=f"{method}; the largest", arm=f"{arm}: all", **where)
            shrunk = expected_shrinkage(n, candidates, r2)
            yield summary_row(SHRINKAGE, shrunk, method=f"{method}; 1 + p / (n ln(1 − R²))", arm=arm, **where)
            if counted.get(KEPT):
                few = development_size(counted[KEPT], prevalence, r2=r2).n
                method = method.replace(
                    f"{candidates} candidate", f"had the {counted[KEPT]} kept ones been the only candidate"
                )
                yield summary_row(NEEDED, few, method=method, arm=f"{arm}: kept alone", **where)

    def _validation(self, found: pd.Series, partition: str, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        n, events = study.size(partition)
        c = _discriminating(float(found.get((partition, "auc"), np.nan)))
        if c is None or not 0 < events < n:
            return
        size = validation_size(events / n, c)
        where: dict[str, Any] = {"model": study.about.primary, "partition": partition, "n": n, "events": events}
        method = f"Riley's criteria at an AUC of {c:.3f} and {events / n:.1%} events, a calibrated model"
        for criterion in VALIDATION:
            yield summary_row(NEEDED, getattr(size, criterion), method=method, arm=criterion, **where)
        yield summary_row(NEEDED, size.n, method=f"{method}; the largest", arm="all", **where)

    def _claim(self, found: pd.Series, study: EvidenceStudy) -> tuple[float | None, str]:
        """The AUC that the study claims: that of its largest test set, or in training where nobody is tested."""
        partition = max(study.tested, key=lambda name: study.size(name)[0], default=TRAINING)
        value = _discriminating(float(found.get((partition, "auc"), np.nan)))
        return value, f"an AUC of {value:.3f} ({study.partition_label(partition)})" if value is not None else ""

    def _enough_to_develop(self, summary: pd.DataFrame, name: str, facts: Facts) -> Iterator[Finding]:
        mine = summary[summary["partition"] == TRAINING]
        needed = mine[mine["measure"] == NEEDED].set_index("arm")["value"]
        told = mine.set_index("measure")["value"]
        n, events = facts.size(TRAINING)
        rule = "Holds where the training set has as many patients as the largest of Riley's three criteria asks for."
        arm = next((arm for arm in (CLAIM, USUAL) if f"{arm}: all" in needed.index), None)
        if arm is None:
            return
        verdict: Verdict = "holds" if n >= needed[f"{arm}: all"] else "does not hold"
        of = "At the AUC that was reached" if arm == CLAIM else "To explain 15% of what can be explained"
        alone = f"{arm}: kept alone"
        less = (
            f" Had the {told[KEPT]:.0f} kept ones been the only candidates, {needed[alone]:,.0f}."
            if alone in needed
            else ""
        )
        yield Finding(
            verdict,
            f"{name}: enough patients to develop the model",
            f"{n} patients with {events} events trained a model with {told[CANDIDATES]:,.0f} candidate parameters (events "
            f"per candidate: {told[PER_CANDIDATE]:.2g}). {of}, a model with so many candidates needs "
            f"{needed[f'{arm}: all']:,.0f} patients.{less}",
            rule,
        )


def candidate_parameters(study: EvidenceStudy) -> int:
    """Features offered to the steps of the primary model and its parts, and coefficients of the clinical candidates."""
    about, features, columns = study.about, set(), set()
    for model in study.main:
        spec = about.models[model]
        if spec.block is not None:
            features |= set(spec.block.columns(study.table, about.columns, name=model))
        columns |= set(getattr(spec, "candidates", ()))
    return len(features) + sum(_coefficients(about.columns[name]) for name in columns)


def kept_parameters(rule: Rule, columns: Mapping[str, Column]) -> int:
    """Coefficients of a rule without its intercept, those inside its scores among them; each feature and column once."""
    kept = {predictor.name for predictor in rule.clinical()}
    return len({feature.name for feature in rule.features()}) + sum(_coefficients(columns[name]) for name in kept)


def _coefficients(column: Column) -> int:
    """Coefficients of a column: levels but the reference; one of a number, and of levels in an order."""
    return len(column.levels) - 1 if column.kind == "categorical" else 1


def _discriminating(auc: float) -> float | None:
    """An AUC that sample sizes can be computed for: above 0.5, and 0.99 at most; else ``None``."""
    return min(auc, HIGHEST) if auc > 0.5 else None
