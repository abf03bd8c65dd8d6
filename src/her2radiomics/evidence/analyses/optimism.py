"""Optimism: every model's AUC as it appears, corrected in three ways, and in new patients; and learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import mpl, pd, scipy
from her2radiomics.evidence.analysis import Analysis, Finding, analysis, row, summary_row
from her2radiomics.evidence.areas import cross_validation, interval_rows
from her2radiomics.evidence.drawing import Point, forest, panel_below
from her2radiomics.evidence.resamples import AREAS, ORIGINAL, OUT_OF_BAG, RESAMPLE, too_few
from her2radiomics.evidence.study import CROSS_VALIDATED, EvidenceStudy, Facts, area, probabilities
from her2radiomics.manuscript import style
from her2radiomics.statistics import auc_632_plus, c_statistic_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUC, ERROR = "auc", "auc_error"
APPARENT, CORRECTED, PLUS, OPTIMISM = "auc_apparent", "auc_bootstrap", "auc_632_plus", "optimism"
#: AUC of a fit on some of the training patients; the arm is their number.
LEARNING, GAIN, LEFT_OUT = "auc_learning", "gain", "left_out"
LABELS = {APPARENT: "Apparent (training)", AUC: "Cross-validated", CORRECTED: "Bootstrap-corrected", PLUS: ".632+"}
#: Width in mm of what is beside the learning curves.
BESIDE = 60.0
NEWCOMBE = "interval: Newcombe's standard error of an AUC of this size in as many patients"


@analysis(
    label="Optimism and learning curves",
    question="How much of the training AUC remains once the model is judged on patients whom it has not seen?",
    order=60,
    references=("harrell_1996", "efron_1997", "sahiner_2008", "ledell_2015", "newcombe_2006"),
)
class Optimism(Analysis):
    """Every model's AUC: apparent, cross-validated, bootstrap-corrected, .632+ and in test sets; learning curves."""

    per_job: ClassVar[int] = 5
    reads: ClassVar[tuple[str, ...]] = ("instability",)

    analysis: Literal["optimism"] = "optimism"
    folds: int = Field(5, ge=3, description="Folds of the cross-validation; the whole pipeline runs in each.")
    repeats: int = Field(10, ge=1, description="Repetitions of the cross-validation, with other folds.")
    draws: int = Field(20, ge=2, description="Subsets of the training patients at each size of the learning curve.")
    shares: list[float] = Field(
        [0.4, 0.55, 0.7, 0.85],
        min_length=2,
        description="Sizes of the learning curve as shares of the training patients, growing.",
    )
    small: float = Field(0.05, gt=0, lt=0.5, description="Optimism up to which the apparent AUC counts as honest.")
    fewest: int = Field(10, ge=2, description="Tested patients of each outcome below which a curve tells nothing.")
    flat: float = Field(0.02, gt=0, lt=0.5, description="Gain in AUC below which a learning curve counts as level.")

    def obstacle(self, facts: Facts) -> str:
        """A training set with hardly a patient of a class cannot be divided."""
        return too_few(facts)

    def repetitions(self, facts: Facts) -> int:
        """The study's own fit (0), repeated cross-validation, then the draws of the learning curve."""
        return 1 + self.repeats + self.draws

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC with interval of the study's own fits; or of one cross-validation; or of growing subsets."""
        random = study.random(self.analysis, index)
        if index == 0:
            fits = study.fit(study.rows(TRAINING), models=study.about.models)
            for model in study.about.models:
                found = probabilities(fits.get(model), study.table)
                for partition in (TRAINING, *study.tested):
                    yield from interval_rows(study, model, partition, found)
        elif index <= self.repeats:
            folded = cross_validation(
                study, study.rows(TRAINING), self.folds, study.about.models, int(random.integers(2**31))
            )
            for model, told in folded.items():
                where: dict[str, Any] = {"model": model, "partition": CROSS_VALIDATED}
                yield row(AUC, told.value, **where, n=told.n, events=told.events)
                yield row(ERROR, told.error, **where, n=told.n, events=told.events)
        else:
            yield from self._learn(study, random)

    def wanted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Its own rows, and what bootstrap refits reach."""
        own = [AUC, f"{AUC}_low", f"{AUC}_high", ERROR, LEARNING, *AREAS]
        return rows[rows["measure"].isin(own)].reset_index(drop=True)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Every estimate of every model; the optimism; mean AUC by number of training patients."""
        z = float(scipy.stats.norm.ppf((1 + study.about.level) / 2))
        for model in study.about.models:
            mine = rows[rows["model"] == model]
            apparent = float("nan")
            for partition in (TRAINING, *study.tested):
                found = mine[(mine["partition"] == partition) & (mine["repetition"] == 0)].set_index("measure")
                if AUC not in found.index or np.isnan(found.loc[AUC, "value"]):
                    continue
                apparent = float(found.loc[AUC, "value"]) if partition == TRAINING else apparent
                yield summary_row(
                    APPARENT if partition == TRAINING else AUC,
                    *(float(found.loc[name, "value"]) for name in (AUC, f"{AUC}_low", f"{AUC}_high")),
                    method="the study's own fit; DeLong's interval on the logit scale",
                    model=model,
                    partition=partition,
                    n=int(found.loc[AUC, "n"]),
                    events=int(found.loc[AUC, "events"]),
                )
            yield from self._folded(mine, model, z)
            if not np.isnan(apparent):
                yield from self._corrected(mine, model, apparent, study, z)
        yield from self._curve(rows[rows["measure"] == LEARNING], study, z)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """How optimistic the training AUC is, whether anything remains, and whether the learning curve still rises."""
        primary = facts.about.primary
        name, mine = facts.label(primary), summary[summary["model"] == primary]
        training = mine[(mine["partition"] == TRAINING) & (mine["arm"] == "")].set_index("measure")
        folded = mine[(mine["partition"] == CROSS_VALIDATED) & (mine["measure"] == AUC)]
        if PLUS in training.index:
            apparent, plus = training.loc[APPARENT, "value"], training.loc[PLUS]
            lost = apparent - plus["value"]
            yield Finding(
                "holds" if lost <= self.small else "does not hold",
                f"{name}: the AUC in the training set is close to what new patients would give",
                f"The training set gave {apparent:.3f}. The AUC corrected by the bootstrap was "
                f"{training.loc[CORRECTED, 'value']:.3f}, and that by .632+ {plus['value']:.3f} (difference {-lost:+.3f}).",
                f"Holds where the .632+ estimate is at most {self.small:g} below the training AUC.",
            )
        if PLUS in training.index and len(folded):
            plus, cross = training.loc[PLUS], folded.iloc[0]
            low, high = min(plus["low"], cross["low"]), max(plus["value"], cross["value"])
            yield Finding(
                "holds" if low > 0.5 else "does not hold" if high <= 0.5 else "cannot be told",
                f"{name}: better than chance after correction for optimism",
                f"Cross-validated AUC {_told(cross)}; .632+ {_told(plus)}.",
                "Holds where the lower bounds of both are above 0.5; does not hold where both estimates are at most 0.5.",
            )
        for item in mine[mine["measure"] == GAIN].itertuples():
            known = min(item.events, item.n - item.events) >= self.fewest and item.low < item.high
            level, rises = known and item.high < self.flat, known and item.low > 0
            yield Finding(
                "holds" if level else "does not hold" if rises else "cannot be told",
                f"{name}, {_where(item.partition, facts)}: more training patients would hardly raise the AUC",
                f"From {item.arm} the AUC changed by {item.value:+.3f} ({item.low:+.3f} to {item.high:+.3f}), in the same "
                f"{item.n:.0f} patients.",
                f"Holds where the upper bound of the change is below {self.flat:g}; does not hold where the lower bound is "
                f"above 0; cannot be told with fewer than {self.fewest} tested patients of an outcome. The interval is that "
                "of the draws of training patients, not of the patients who are tested.",
            )

    def method(self, facts: Facts) -> str:
        """How it is done."""
        return (
            f"Cross-validation ({self.folds} folds, {self.repeats} times) and the bootstrap repeated the whole pipeline, "
            "the choice of features and of penalties included. The bootstrap's correction takes off by how much models were "
            "better on their own resample than on all training patients; .632+ weighs the training AUC and that in patients "
            "whom a resample left out. For the learning curve models were trained on growing random "
            "parts of the training patients."
        )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Estimates of every model, and the learning curves below."""
        points = []
        for place, model in enumerate(facts.about.models):
            mine = summary[(summary["model"] == model) & summary["measure"].isin(LABELS)]
            inside = (
                mine[~mine["partition"].isin(facts.tested)]
                .set_index("measure", drop=False)
                .reindex(LABELS)
                .dropna(subset="value")
            )
            for item in pd.concat([inside, mine[mine["partition"].isin(facts.tested)]]).itertuples():
                tested = item.measure == AUC and item.partition != CROSS_VALIDATED
                label = facts.partition_label(str(item.partition)) if tested else LABELS[str(item.measure)]
                text = f"{item.value:.3f} ({item.low:.3f} to {item.high:.3f})"
                points.append(Point(label, item.value, item.low, item.high, text, facts.label(model), place))
        figure = forest(points, "AUC", limits=(0.0, 1.02))
        curve = summary[summary["measure"] == LEARNING]
        if curve.empty or not points:
            return figure
        axes = panel_below(figure, 55.0, BESIDE)
        known = [facts.label(model) for model in facts.about.models]
        for (model, partition), line in curve.groupby(["model", "partition"], sort=False):
            shown = style.line_of(facts.label(str(model)), known)
            sizes = line["arm"].str.split().str[0].astype(float)
            first = partition == curve["partition"].iloc[0]
            name = f"{facts.label(str(model))}, {_where(str(partition), facts)}"
            axes.plot(
                sizes,
                line["value"],
                color=shown.colour,
                linestyle="-" if first else "--",
                marker="o" if first else "s",
                markersize=3,
                linewidth=1.1,
                label="\n".join(style.wrap(name, BESIDE - 16.0, style.small())),
            )
        axes.axhline(0.5, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
        axes.set(xlabel="Training patients", ylabel="Mean AUC of the draws")
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
        axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(6))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=style.small())
        return figure

    def _learn(self, study: EvidenceStudy, random: np.random.Generator) -> Iterator[dict[str, Any]]:
        """AUC of fits on growing subsets of the training persons, in the test sets, or in those who are left out."""
        rows = study.rows(TRAINING)
        order = _stratified(study, rows, random)
        for share in self.shares:
            chosen, arm = order[: round(share * len(order))], f"{round(share * len(order))} patients"
            inside = np.isin(study.who[rows], chosen)
            fits = study.fit(rows[inside])
            # the same patients for every size: those beyond the largest subset
            last = ~np.isin(study.who[rows], order[: round(max(self.shares) * len(order))])
            tested = {name: study.rows(name) for name in study.tested} or {LEFT_OUT: rows[last]}
            for model in study.main:
                for partition, test in tested.items():
                    outcome = study.outcome[test]
                    value = area(outcome, probabilities(fits.get(model), study.table.iloc[test]))
                    where: dict[str, Any] = {
                        "model": model,
                        "partition": "" if partition == LEFT_OUT else partition,
                        "arm": arm,
                    }
                    yield row(LEARNING, value, **where, n=len(test), events=int(outcome.sum()))

    def _folded(self, mine: pd.DataFrame, model: str, z: float) -> Iterator[dict[str, Any]]:
        """Mean of the repeated cross-validations, with the mean of their errors."""
        told = mine[(mine["partition"] == CROSS_VALIDATED) & mine["value"].notna()]
        values, errors = (told.loc[told["measure"] == name, "value"].to_numpy() for name in (AUC, ERROR))
        if not values.size:
            return
        value, half = float(values.mean()), z * float(np.sqrt(np.square(errors).mean()))
        first = told.iloc[0]
        counted: dict[str, Any] = {"n": int(first["n"]), "events": int(first["events"])}
        words = (
            f"mean of {values.size} repetitions of {self.folds}-fold cross-validation of the whole pipeline; interval from "
            "influence curves (LeDell)"
        )
        bounds = max(0.0, value - half), min(1.0, value + half)
        yield summary_row(AUC, value, *bounds, method=words, model=model, partition=CROSS_VALIDATED, **counted)

    def _corrected(
        self, mine: pd.DataFrame, model: str, apparent: float, study: EvidenceStudy, z: float
    ) -> Iterator[dict[str, Any]]:
        """Optimism by the bootstrap, the AUC that it leaves, and .632+."""
        by = {
            name: mine.loc[mine["measure"] == name, ["repetition", "value"]].set_index("repetition") for name in AREAS
        }
        gaps = (by[RESAMPLE]["value"] - by[ORIGINAL]["value"]).dropna().to_numpy()
        outside = by[OUT_OF_BAG]["value"].dropna().to_numpy()
        if not gaps.size or not outside.size:
            return
        n, events = study.size(TRAINING)
        where: dict[str, Any] = {"model": model, "partition": TRAINING, "n": n, "events": events}
        optimism, error = float(gaps.mean()), z * float(gaps.std() / np.sqrt(gaps.size))
        words = f"mean over {gaps.size} bootstrap refits of the whole pipeline; Monte-Carlo interval"
        yield summary_row(OPTIMISM, optimism, optimism - error, optimism + error, method=words, **where)
        plus = auc_632_plus(apparent, float(outside.mean()))
        words = f"out-of-bag AUC {outside.mean():.4f} over {outside.size} refits, no-information AUC 0.5; {NEWCOMBE}"
        for measure, value, method in (
            (CORRECTED, apparent - optimism, f"apparent less optimism (Harrell); {NEWCOMBE}"),
            (PLUS, plus, words),
        ):
            half = z * c_statistic_error(n, events / n, float(np.clip(max(value, 1 - value), 0.5 + 1e-9, 1 - 1e-9)))
            yield summary_row(measure, value, max(0.0, value - half), min(1.0, value + half), method=method, **where)

    def _curve(self, rows: pd.DataFrame, study: EvidenceStudy, z: float) -> Iterator[dict[str, Any]]:
        """Mean AUC at every size, and the gain over the upper half of the sizes, draw by draw."""
        for (model, partition), mine in rows[rows["value"].notna()].groupby(["model", "partition"], sort=False):
            where: dict[str, Any] = {"model": str(model), "partition": str(partition)}
            table = mine.pivot(index="repetition", columns="arm", values="value")
            arms = sorted(table.columns, key=lambda arm: int(arm.split()[0]))
            counted: dict[str, Any] = {"n": int(mine["n"].iloc[0]), "events": int(mine["events"].iloc[0])}
            for arm in arms:
                values = table[arm].dropna()
                low, high = np.quantile(values, [0.05, 0.95])
                words = f"mean and central 90 % of {len(values)} draws of training patients"
                yield summary_row(
                    LEARNING, float(values.mean()), float(low), float(high), method=words, arm=arm, **where, **counted
                )
            if model != study.about.primary or len(arms) < 2:
                continue
            start, end = arms[(len(arms) - 1) // 2], arms[-1]
            gains = (table[end] - table[start]).dropna().to_numpy()
            if gains.size > 1:
                value = float(gains.mean())
                half = float(
                    scipy.stats.t.ppf(scipy.stats.norm.cdf(z), gains.size - 1) * gains.std(ddof=1) / gains.size**0.5
                )
                words = f"mean of {gains.size} draws; t interval over the draws"
                arm = f"{start.split()[0]} to {end.split()[0]} training patients"
                yield summary_row(GAIN, value, value - half, value + half, method=words, arm=arm, **where, **counted)


def _stratified(study: EvidenceStudy, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Training persons in an order whose every beginning has nearly the share of events of the whole."""
    persons = pd.Series(study.outcome[rows], index=study.who[rows]).groupby(level=0).max()
    keys = np.empty(len(persons))
    for label in (0, 1):
        own = np.flatnonzero(persons.to_numpy() == label)
        keys[own] = (random.permutation(own.size) + 0.5) / max(own.size, 1)
    return persons.index.to_numpy()[np.argsort(keys, kind="stable")]


def _told(item: Any) -> str:
    return f"{item['value']:.3f} ({item['low']:.3f} to {item['high']:.3f})"


def _where(partition: str, facts: Facts) -> str:
    return facts.partition_label(partition) if partition else "patients left out of all subsets"
