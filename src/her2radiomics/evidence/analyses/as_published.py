"""As published beside leak-safe: the paper's order of steps, and what the test set tells the model in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analyses.permutation import permuted
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, summary_row
from her2radiomics.evidence.areas import area_row
from her2radiomics.evidence.dumbbells import Dumbbell, dumbbells
from her2radiomics.evidence.orders import differing, fit_as_published, left_out, orders
from her2radiomics.evidence.paired import (
    DIFFERENCE,
    HIGH,
    LOW,
    difference_rows,
    drawn_again,
    mean_row,
    spread_row,
    too_few,
)
from her2radiomics.evidence.resamples import FEWEST
from her2radiomics.evidence.study import EvidenceStudy, Facts, probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The two orders, and the same on resamples and on permuted labels.
SAFE, PUBLISHED = "leak-safe", "as published"
BOOTSTRAP, TWIN = "bootstrap: ", "null twin: "
#: Measures of the summary beside ``auc`` and ``difference``.
RESAMPLED, TWINS, SPREAD = "difference_bootstrap", "difference_null", "difference_null_spread"


def bare(prefix: str) -> str:
    """An arm's name from the beginning of those of both orders."""
    return prefix.rstrip(": ")


@analysis(
    label="As published and leak-safe",
    question="How much of the test performance comes from test patients who had a part in scaling or selection?",
    order=10,
    references=("demircioglu_2021", "delong_1988", "efron_1993"),
)
class AsPublished(Analysis):
    """Every step as the paper describes it, on all patients where its text says or allows it, beside training alone.

    ``evidence.as_published`` holds the paper's order. Both orders have the same patients, labels and split: first with the
    study's labels, then on bootstrap resamples of the whole procedure (training and test patients drawn again within
    outcome, by person), then on null twins, whose labels are permuted within centre and set.
    """

    per_job: ClassVar[int] = 40

    analysis: Literal["as_published"] = "as_published"
    bootstrap: int = Field(100, ge=0, description="Bootstrap resamples of the whole procedure.")
    twins: int = Field(100, ge=20, description="Null twins: permutations of the labels within centre and set.")
    margin: float = Field(0.05, gt=0, lt=1, description="Difference in AUC below which a gain counts as small.")
    null_margin: float = Field(0.02, gt=0, lt=1, description="The same of the mean over null twins.")

    def obstacle(self, facts: Facts) -> str:
        """The protocol does not say what was done on all patients, or nobody is tested."""
        if not facts.tested:
            return "no patient is held out for testing, so that nothing can leak from test patients."
        if not facts.about.published:
            return "the protocol does not say in which order the paper describes its steps (evidence.as_published)."
        known = orders(facts)
        if not any(known[name].learns_from_all for name in self._needed(facts) if name in known):
            why = [f"{facts.label(name)}: {differing(facts, name)}" for name in self._changed(facts)]
            words = f" ({'; '.join(why)})" if why else ""
            return f"nothing is fitted on all patients in the order as published{words}. {left_out(facts)}".rstrip()
        return ""

    def method(self, facts: Facts) -> str:
        """What is done in both orders, and whose order is not compared."""
        return (
            "As published, the steps that the paper fits on all patients, or may have fitted so, learned from the test "
            "patients too; leak-safe, every step learned from training patients alone. In null twins, copies of the study "
            f"with permuted outcomes, there is nothing to find. {left_out(facts)}"
        ).rstrip()

    def repetitions(self, facts: Facts) -> int:
        """The study (repetition 0), its bootstrap resamples, its null twins."""
        return 1 + self.bootstrap + self.twins

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of both orders in every set, and their difference, with true labels, on a resample, or on a null twin."""
        random = study.random(self.analysis, index)
        rows, outcome, prefix = np.arange(len(study.table)), study.outcome, ""
        if 0 < index <= self.bootstrap:
            rows, prefix = drawn_again(study, random), BOOTSTRAP
        elif index:
            outcome, prefix = permuted(study, random), TWIN
        partition = study.patients["partition"].to_numpy()[rows]
        models = self._models(study)
        safe = study.fit(rows[partition == TRAINING], outcome, models=models)
        published = fit_as_published(study, rows, outcome, models=models)
        for model in models:
            both = [probabilities(fits.get(model), study.table) for fits in (published, safe)]
            for name in (TRAINING, *study.tested):
                own = rows[partition == name]
                for arm, probability in zip((PUBLISHED, SAFE), both, strict=True):
                    yield area_row(model, name, outcome[own], probability[own], prefix + arm)
                where: dict[str, Any] = {"outcome": outcome, "rows": own, "partition": name, "arm": bare(prefix)}
                yield from difference_rows(study, model, *both, interval=index == 0, **where)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """AUC of both orders, their difference with DeLong's and the bootstrap's interval, and the same on null twins."""
        for (model, partition), mine in rows.groupby(["model", "partition"], sort=False):
            first = mine[mine["repetition"] == 0]
            where: dict[str, Any] = {"model": str(model), "partition": str(partition)}
            where |= {"n": int(first["n"].min()), "events": int(first["events"].min())}
            true = first[first["measure"] == "auc"].set_index("arm")["value"]
            for arm in (PUBLISHED, SAFE):
                yield summary_row("auc", float(true[arm]), method="labels as they are", arm=arm, **where)
            paired = first.set_index("measure")["value"]
            if LOW in paired.index:
                bounds = float(paired[DIFFERENCE]), float(paired[LOW]), float(paired[HIGH])
                words = "as published minus leak-safe; paired interval of DeLong, the fits as they are"
                yield summary_row(DIFFERENCE, *bounds, method=words, **where)
            where.pop("n"), where.pop("events")
            drawn = mine[mine["measure"] == DIFFERENCE].groupby("arm")["value"]
            groups = {str(arm): values.to_numpy() for arm, values in drawn}
            if self.bootstrap:
                what = "bootstrap resamples of the whole procedure, training and test patients drawn again"
                yield spread_row(RESAMPLED, groups[bare(BOOTSTRAP)], what=what, **where)
            twins = groups[bare(TWIN)]
            yield mean_row(TWINS, twins, what="null twins", **where)
            yield spread_row(SPREAD, twins, what="null twins", **where)
            for arm in (PUBLISHED, SAFE):
                values = mine.loc[(mine["arm"] == TWIN + arm) & (mine["measure"] == "auc"), "value"].to_numpy()
                yield mean_row("auc_null", values, what="null twins", arm=arm, **where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the AUC gains from what was learned from test patients, and whether it finds something on null twins."""
        model = facts.chief
        for partition in facts.tested:
            mine = summary[(summary["model"] == model) & (summary["partition"] == partition)]
            where = f"{facts.label(model)}, {facts.partition_label(partition)}"
            if DIFFERENCE in set(mine["measure"]):
                yield self._on_this_cohort(mine, where)
            if mine.loc[mine["measure"] == TWINS, "low"].notna().any():
                yield self._on_null_twins(mine, where)
        for name in self._changed(facts):
            why = differing(facts, name)
            yield Finding(
                "cannot be told",
                f"{facts.label(name)}: as published and leak-safe",
                f"The {facts.label(name)} model was leak-safe in both orders: {why}.",
                "A model is compared where its steps as published are those of the protocol, in whatever order.",
            )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Test AUC of both orders and their difference, on this cohort and on its null twins."""
        models = [name for name in self._models(facts) if self._learns(facts, name)]
        drawn = rows[rows["measure"] == DIFFERENCE]
        items = []
        for group, measure, area, arm in (
            ("This cohort", DIFFERENCE, "auc", BOOTSTRAP),
            ("Null twins", TWINS, "auc_null", TWIN),
        ):
            for model in models:
                for partition in facts.tested:
                    mine = summary[(summary["model"] == model) & (summary["partition"] == partition)]
                    found = mine[mine["measure"] == measure]
                    if found.empty:
                        continue
                    same = (drawn["model"] == model) & (drawn["partition"] == partition) & (drawn["arm"] == bare(arm))
                    areas = mine[mine["measure"] == area].set_index("arm")["value"]
                    label = facts.label(model)
                    if len(facts.tested) > 1:
                        label += f", {facts.partition_label(partition)}"
                    value, low, high = (float(found[name].iloc[0]) for name in ("value", "low", "high"))
                    points = drawn.loc[same, "value"].to_numpy()
                    ends = float(areas[SAFE]), float(areas[PUBLISHED])
                    items.append(Dumbbell(label, group, *ends, value, low, high, points))
        axis = "Difference in test AUC\n(line: 95% interval; points: resamples, null twins)"
        return dumbbells(items, ("Leak-safe", "As published"), axis)

    def _on_this_cohort(self, mine: pd.DataFrame, where: str) -> Finding:
        found = mine.set_index("measure")
        number, area = found.loc[DIFFERENCE], mine[mine["measure"] == "auc"].set_index("arm")["value"]
        verdict: Verdict = "cannot be told"
        if not too_few(number["n"], number["events"]):
            verdict = "holds" if number["high"] < self.margin else "does not hold" if number["low"] > 0 else verdict
        again = ""
        if RESAMPLED in found.index and np.isfinite(found.loc[RESAMPLED, "low"]):
            low, high = found.loc[RESAMPLED, "low"], found.loc[RESAMPLED, "high"]
            again = (
                f" When the patients were drawn again {self.bootstrap} times, 95% of the differences lay between {low:+.3f} "
                f"and {high:+.3f}."
            )
        return Finding(
            verdict,
            f"{where}: the AUC gains nothing from what was learned from test patients",
            f"With the steps as published the AUC was {area[PUBLISHED]:.3f}; with everything fitted on training patients "
            f"alone it was {area[SAFE]:.3f}: a difference of {_signed(number)}." + again,
            f"Holds where the whole interval of the difference lies below {self.margin:g}; does not hold where it lies "
            f"above 0; otherwise, and with fewer than {FEWEST} patients of an outcome, there are too few to tell.",
        )

    def _on_null_twins(self, mine: pd.DataFrame, where: str) -> Finding:
        found = mine.set_index("measure")
        number, area = found.loc[TWINS], mine[mine["measure"] == "auc_null"].set_index("arm")["value"]
        verdict: Verdict = "cannot be told"
        if number["low"] > 0 and number["value"] >= self.null_margin:
            verdict = "does not hold"
        elif number["high"] < self.null_margin:
            verdict = "holds"
        return Finding(
            verdict,
            f"{where}: the order as published gains nothing when the outcomes are permuted",
            f"With the outcomes permuted within centre and set ({self.twins} times) no AUC above 0.5 is to be expected. The "
            f"mean AUC was {area[PUBLISHED]:.3f} as published and {area[SAFE]:.3f} leak-safe: a mean difference of "
            f"{_signed(number)}.",
            f"Does not hold where the mean difference is {self.null_margin:g} or more and its interval lies above 0; "
            f"holds where the interval lies below {self.null_margin:g}; otherwise more null twins are needed.",
        )

    def _models(self, facts: Facts) -> list[str]:
        """The models that use image features, and those beside them."""
        return facts.imaging or facts.main

    def _needed(self, facts: Facts) -> list[str]:
        models = self._models(facts)
        return list(dict.fromkeys(part for name in models for part in (*facts.about.models[name].parts(), name)))

    def _changed(self, facts: Facts) -> list[str]:
        """Models whose order as published is not that of the protocol's steps."""
        return [name for name in self._needed(facts) if name in facts.about.published and differing(facts, name)]

    def _learns(self, facts: Facts, model: str) -> bool:
        """Whether something in a model is fitted on all patients as published."""
        known = orders(facts)
        return any(
            name in known and known[name].learns_from_all for name in (*facts.about.models[model].parts(), model)
        )


def _signed(number: pd.Series) -> str:
    """A difference with its interval."""
    return f"{number['value']:+.3f} ({number['low']:+.3f} to {number['high']:+.3f})"
