"""Permutation: the whole study on labels that are drawn at random, and what it reaches by chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, row, summary_row
from her2radiomics.evidence.areas import cross_validated_area, partition_areas
from her2radiomics.evidence.drawing import Distribution, distributions
from her2radiomics.evidence.paired import HANDFUL, too_few
from her2radiomics.evidence.study import CROSS_VALIDATED, EvidenceStudy, Facts
from her2radiomics.statistics import proportion_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@analysis(
    label="Permuted labels",
    question="What does the whole pipeline reach when the outcomes are drawn at random?",
    order=20,
    references=("ojala_2010", "phipson_2010"),
)
class Permutation(Analysis):
    """Labels permuted within centre and partition, through the whole pipeline."""

    per_job: ClassVar[int] = 25

    analysis: Literal["permutation"] = "permutation"
    permutations: int = Field(200, ge=20, description="Permutations of the labels.")
    folds: int = Field(5, ge=3, description="Folds of the cross-validation within the training set.")
    alpha: float = Field(0.05, gt=0, lt=1, description="Level below which p counts as small.")

    def repetitions(self, facts: Facts) -> int:
        """The labels as they are (repetition 0), then the permutations."""
        return self.permutations + 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of the primary model and its parts in every set, with true labels (0) or permuted ones."""
        outcome = study.outcome if index == 0 else permuted(study, study.random(self.analysis, index))
        fits = study.fit(study.rows(TRAINING), outcome)
        for model in study.main:
            yield from partition_areas(study, model, fits.get(model), outcome)
        folded = cross_validated_area(study, study.rows(TRAINING), outcome, self.folds)
        for model, (value, n, events) in folded.items():
            yield row("auc", value, model=model, partition=CROSS_VALIDATED, n=n, events=events)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """AUC with true labels, the central 95 % of those of permuted labels, and p with its Monte-Carlo interval."""
        for (model, partition), mine in rows.groupby(["model", "partition"], sort=False):
            true = mine.loc[mine["repetition"] == 0, "value"]
            null = mine.loc[(mine["repetition"] > 0) & mine["value"].notna(), "value"].to_numpy()
            if true.isna().all() or not null.size:
                continue
            observed = float(true.iloc[0])
            where: dict[str, Any] = {"model": str(model), "partition": str(partition)}
            first = mine[mine["repetition"] == 0].iloc[0]
            counted: dict[str, Any] = {"n": int(first["n"]), "events": int(first["events"])}
            yield summary_row("auc", observed, method="labels as they are", **where, **counted)
            low, high = np.quantile(null, [0.025, 0.975])
            words = f"median and central 95 % of {null.size} permutations"
            yield summary_row("auc_permuted", float(np.median(null)), float(low), float(high), method=words, **where)
            beyond = int((null >= observed - 1e-12).sum())
            low, high = proportion_interval(beyond, null.size)
            words = f"(1 + {beyond}) / (1 + {null.size}); interval: Clopper–Pearson of {beyond} of {null.size}"
            yield summary_row("p", (1 + beyond) / (1 + null.size), low, high, method=words, **where)

    def method(self, facts: Facts) -> str:
        """How labels are permuted."""
        return (
            f"The outcomes were permuted {self.permutations} times among the patients of the same centre and set, and the "
            f"whole pipeline was fitted each time; cross-validation within the training set had {self.folds} folds."
        )

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the primary model's test AUC lies beyond what chance gives."""
        rule = (
            f"Holds where the upper bound of p is below {self.alpha:g}; does not hold where its lower bound is above "
            f"{self.alpha:g}, but {HANDFUL}; otherwise more permutations are needed."
        )
        for partition in facts.tested or [CROSS_VALIDATED]:
            mine = summary[(summary["model"] == facts.about.primary) & (summary["partition"] == partition)]
            found = mine.set_index("measure")
            if "p" not in found.index:
                continue
            p, null, true = found.loc["p"], found.loc["auc_permuted"], found.loc["auc"]
            verdict: Verdict = "holds" if p["high"] < self.alpha else "cannot be told"
            if p["low"] > self.alpha and not too_few(true["n"], true["events"]):
                verdict = "does not hold"
            yield Finding(
                verdict,
                f"{facts.label(facts.about.primary)}, {facts.partition_label(partition)}: better than chance",
                f"The AUC was {true['value']:.3f}. With the outcomes permuted, the same pipeline reached a median of "
                f"{null['value']:.3f} (central 95%: {null['low']:.3f} to {null['high']:.3f}); p = {p['value']:.3f} "
                f"({p['low']:.3f} to {p['high']:.3f}, by {self.permutations} permutations).",
                rule,
            )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """AUC of the permutations by set and model, with that of the true labels as a diamond."""
        items = []
        for place, model in enumerate(facts.main):
            for partition in (TRAINING, CROSS_VALIDATED, *facts.tested):
                mine = rows[(rows["model"] == model) & (rows["partition"] == partition)]
                found = summary[(summary["model"] == model) & (summary["partition"] == partition)].set_index("measure")
                if "p" not in found.index:
                    continue
                text = f"{found.loc['auc', 'value']:.3f}; p = {found.loc['p', 'value']:.3f}"
                true, values = found.loc["auc", "value"], mine.loc[mine["repetition"] > 0, "value"].to_numpy()
                label = facts.partition_label(partition)
                items.append(Distribution(label, values, true, text, facts.label(model), place))
        return distributions(items, "AUC (points: permuted labels; diamond: true labels)", limits=(0.0, 1.02))


def permuted(study: EvidenceStudy, random: np.random.Generator) -> np.ndarray:
    """Labels permuted among the patients of the same centre and partition; all rows of a person keep one label.

    A person's rows share their label only where the person's rows agree in the data; persons of several rows are permuted
    among persons of as many.
    """
    made = study.outcome.copy()
    who = study.who
    strata = [f"{c}\t{p}" for c, p in zip(study.patients["centre"], study.patients["partition"], strict=True)]
    count = dict(zip(*np.unique(who, return_counts=True), strict=True))
    groups: dict[tuple[str, int], dict[str, list[int]]] = {}
    for place, (stratum, person) in enumerate(zip(strata, who, strict=True)):
        groups.setdefault((stratum, int(count[person])), {}).setdefault(person, []).append(place)
    for persons in groups.values():
        places = list(persons.values())
        for own, other in zip(places, random.permutation(len(places)), strict=True):
            made[own] = study.outcome[(places[other] * len(own))[: len(own)]]
    return made
