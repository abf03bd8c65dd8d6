"""Subgroups: the primary model's performance by age, menopausal status, centre, scanner and field strength."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analysis import NAN, Analysis, Finding, Verdict, analysis, row, summary_row
from her2radiomics.evidence.areas import area_bounds, area_row, held_out
from her2radiomics.evidence.drawing import Point, forest
from her2radiomics.evidence.study import CROSS_VALIDATED, EvidenceStudy, Facts, probabilities
from her2radiomics.statistics import delong_test_unpaired, holm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTRE, AGE = "centre", "age"
#: Columns by which patients are grouped where the protocol names none, if the participants table has them.
USUAL = (
    "menopausal_status",
    "menopause",
    CENTRE,
    "scanner",
    "manufacturer",
    "vendor",
    "field_strength",
    "field_strength_t",
    "magnet",
)
ALL, AND, TOO_FEW = "all", " and ", "too few patients"
DIFFERENCE, P = "difference", "p"


@analysis(
    label="Subgroups",
    question="Does the model do as well in every group of patients?",
    order=80,
    references=("delong_1988", "holm_1979"),
)
class Subgroups(Analysis):
    """AUC of the primary model by subgroup, in the test sets and in cross-validation."""

    per_job: ClassVar[int] = 1

    analysis: Literal["subgroups"] = "subgroups"
    columns: list[str] = Field(
        default_factory=list,
        description="Participants columns whose levels are subgroups; empty: centre, menopausal status, scanner and field "
        "strength, where the table has them.",
    )
    most_levels: int = Field(6, ge=2, description="A column with more levels makes no subgroups.")
    age_cut: float | None = Field(
        None, gt=0, description="Age from which on patients are the older group; the training median."
    )
    fewest: int = Field(10, ge=2, description="Patients of each outcome below which nothing is said of a subgroup.")
    folds: int = Field(5, ge=3, description="Folds of the cross-validation within the training set.")
    alpha: float = Field(0.05, gt=0, lt=1, description="Level of the tests between subgroups, adjusted by Holm.")
    alike: float = Field(0.1, gt=0, lt=0.5, description="Difference in AUC within which subgroups count as alike.")

    def obstacle(self, facts: Facts) -> str:
        """Without a column of groups there are none."""
        if not self.groups(facts):
            return (
                "the participants table has no column of age, menopausal status, centre, scanner or field strength that "
                "makes two groups."
            )
        return ""

    def repetitions(self, facts: Facts) -> int:
        """One: the study as it is."""
        return 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC with interval of every subgroup that is large enough, and the differences between subgroups of a column."""
        primary, training = study.about.primary, study.rows(TRAINING)
        fit = study.fit(training).get(primary)
        new = probabilities(fit, study.table)
        inside = np.full(len(study.table), NAN)
        _, held = held_out(study, training, study.outcome, self.folds, [primary])
        inside[training] = held[primary]
        groups = {name: group.reindex(study.table.index).fillna("") for name, group in self.groups(study).items()}
        for partition in (CROSS_VALIDATED, *study.tested):
            rows = training if partition == CROSS_VALIDATED else study.rows(partition)
            probability = inside if partition == CROSS_VALIDATED else new
            yield from self._of(study, partition, ALL, rows, probability)
            for name, group in groups.items():
                levels = {
                    level: rows[group.to_numpy()[rows] == level] for level in sorted(set(group.iloc[rows]) - {""})
                }
                if len(levels) < 2:
                    continue
                for level, own in levels.items():
                    yield from self._of(study, partition, f"{name}: {level}", own, probability)
                large = {level: own for level, own in levels.items() if self._large(study, own, probability)}
                for first, second in combinations(large, 2):
                    sides = [(study.outcome[own], probability[own]) for own in (large[first], large[second])]
                    yield from self._between(study, partition, f"{name}: {first}{AND}{second}", sides)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """AUC of every subgroup; differences between subgroups with p by Holm over all of them."""
        primary = study.about.primary
        table = rows.set_index(["partition", "arm", "measure"])["value"]
        for item in rows[rows["measure"] == "auc"].itertuples():
            where: dict[str, Any] = {"model": primary, "partition": item.partition, "arm": item.arm}
            counts: dict[str, Any] = {"n": int(item.n), "events": int(item.events)}
            if item.note == TOO_FEW:
                words = f"fewer than {self.fewest} patients of an outcome: nothing is said"
                yield summary_row("auc", method=words, **where, **counts)
                continue
            low, high = (table[item.partition, item.arm, f"auc_{end}"] for end in ("low", "high"))
            how = (
                "held-out predictions of all folds together"
                if item.partition == CROSS_VALIDATED
                else "the study's own fit"
            )
            method = f"{how}; DeLong's interval on the logit scale"
            yield summary_row("auc", item.value, float(low), float(high), method=method, **where, **counts)
        tested = rows[rows["measure"] == P]
        adjusted: Iterable[float] = holm(tested["value"].to_numpy()) if len(tested) else ()
        for item, p in zip(tested.itertuples(), adjusted, strict=True):
            where = {"model": primary, "partition": item.partition, "arm": item.arm, "n": int(item.n)}
            told = [float(table[item.partition, item.arm, f"{DIFFERENCE}{end}"]) for end in ("", "_low", "_high")]
            yield summary_row(DIFFERENCE, *told, method="DeLong, different patients", **where)
            words = (
                f"DeLong's test of different patients (p = {item.value:.4g}), by Holm over {len(tested)} comparisons"
            )
            yield summary_row(P, float(p), method=words, **where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the AUC differs between subgroups."""
        single = summary[(summary["measure"] == "auc") & (summary["arm"] != ALL)]
        if single.empty:
            return
        few = int(single["value"].isna().sum())
        wide = summary.pivot_table(index=["partition", "arm"], columns="measure", values="value", sort=False)
        tests = wide.dropna(subset=P) if P in wide else wide.iloc[:0]
        apart = tests[tests[P] < self.alpha] if len(tests) else tests
        bounds = summary[summary["measure"] == DIFFERENCE]
        # an AUC of 1 in both has no variance, and an interval without a width says nothing
        known = (bounds["low"] > -self.alike) & (bounds["high"] < self.alike) & (bounds["low"] < bounds["high"])
        alike = len(bounds) > 0 and bool(known.all())
        verdict: Verdict = "does not hold" if len(apart) else "holds" if alike and not few else "cannot be told"
        share = f"All {few}" if few == len(single) else f"{few} of {len(single)}"
        was = "was" if few == 1 < len(single) else "were"
        sentence = f"{share} subgroups {was} too small to say anything about." if few else ""
        if len(tests):
            partition, arm = tests[P].idxmin()
            least = tests.loc[(partition, arm)]
            column, levels = arm.split(": ", 1)
            names = AND.join(self._level(column, level, facts) for level in levels.split(AND))
            sentence = (
                f"Comparisons of subgroups: {len(tests)}. The smallest p was that of {self._column(column, facts)}, {names} "
                f"({facts.partition_label(partition)}): a difference in AUC of {least[DIFFERENCE]:+.3f}, p = {least[P]:.3f} "
                f"after adjustment. {sentence}"
            )
        yield Finding(
            verdict,
            f"{facts.label(facts.about.primary)}: the AUC is alike in all subgroups",
            sentence.strip() or "No two subgroups of the same set were large enough to be compared.",
            f"Does not hold where a difference has p < {self.alpha:g} by Holm; holds where every subgroup is large enough "
            f"and all intervals of differences lie within {self.alike:g}; otherwise it cannot be told.",
        )

    def method(self, facts: Facts) -> str:
        """How it is done."""
        return (
            f"The model was judged in each group with at least {self.fewest} patients of each outcome; in the training set "
            "by predictions of cross-validation."
        )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """AUC of every subgroup by set."""
        points = []
        for place, partition in enumerate((CROSS_VALIDATED, *facts.tested)):
            mine = summary[(summary["measure"] == "auc") & (summary["partition"] == partition)]
            for item in mine.itertuples():
                column, _, level = str(item.arm).partition(": ")
                label = (
                    f"{self._column(column, facts)}: {self._level(column, level, facts)}" if level else "All patients"
                )
                counts = f"n = {item.n:.0f}, {item.events:.0f} events"
                few = np.isnan(item.value)
                text = (
                    f"{TOO_FEW} ({counts})"
                    if few
                    else f"{item.value:.2f} ({item.low:.2f} to {item.high:.2f}); {counts}"
                )
                points.append(
                    Point(label, item.value, item.low, item.high, text, facts.partition_label(partition), place)
                )
        return forest(points, "AUC", limits=(0.0, 1.02))

    def groups(self, facts: Facts) -> dict[str, pd.Series]:
        """Column to each patient's group, by patient; empty text: not known."""
        people = facts.people.set_index(facts.people["patient_id"].astype(str))
        found = {}
        for name in self.columns or (AGE, *USUAL):
            if name not in people:
                continue
            values = people[name]
            declared = facts.about.columns.get(name)
            if (declared is not None and declared.kind == "continuous") or name == AGE:
                group = self._halves(values, people["partition"], name, facts)
            else:
                group = values.where(values.notna(), "").astype(str)
            if 2 <= len(set(group) - {""}) <= self.most_levels:
                found[name] = group
        return found

    def _halves(self, values: pd.Series, partition: pd.Series, name: str, facts: Facts) -> pd.Series:
        """Below a cut, and from it on: the training median, for age the cut that is set."""
        numbers = pd.to_numeric(values, errors="coerce")
        cut = self.age_cut if name == AGE and self.age_cut else float(numbers[partition == TRAINING].median())
        unit = facts.about.columns[name].unit if name in facts.about.columns else ""
        below, above = (f"{sign} {cut:.4g} {unit}".strip() for sign in ("<", "≥"))
        return pd.Series(np.where(numbers.isna(), "", np.where(numbers < cut, below, above)), index=values.index)

    def _large(self, study: EvidenceStudy, rows: np.ndarray, probability: np.ndarray) -> bool:
        labels = study.outcome[rows][~np.isnan(probability[rows])]
        return int(min(labels.sum(), len(labels) - labels.sum())) >= self.fewest

    def _of(
        self, study: EvidenceStudy, partition: str, arm: str, rows: np.ndarray, probability: np.ndarray
    ) -> Iterator[dict[str, Any]]:
        """AUC and bounds of a subgroup, or that it is too small."""
        outcome, values = study.outcome[rows], probability[rows]
        found = area_row(study.about.primary, partition, outcome, values, arm)
        if not self._large(study, rows, probability):
            yield {**found, "value": NAN, "note": TOO_FEW}
            return
        yield {**found, "note": ""}
        for end, value in zip(("low", "high"), area_bounds(outcome, values, study.about.level), strict=True):
            yield {**found, "measure": f"auc_{end}", "value": value, "note": ""}

    def _between(
        self, study: EvidenceStudy, partition: str, arm: str, sides: list[tuple[np.ndarray, np.ndarray]]
    ) -> Iterator[dict[str, Any]]:
        known = [(labels[~np.isnan(values)], values[~np.isnan(values)]) for labels, values in sides]
        told = delong_test_unpaired(*known[0], *known[1], level=study.about.level)
        where: dict[str, Any] = {"arm": arm, "model": study.about.primary, "partition": partition}
        counts: dict[str, Any] = {
            "n": sum(len(labels) for labels, _ in known),
            "events": int(sum(labels.sum() for labels, _ in known)),
        }
        for measure, value in (
            (DIFFERENCE, told.difference),
            (f"{DIFFERENCE}_low", told.low),
            (f"{DIFFERENCE}_high", told.high),
            (P, told.p),
        ):
            yield row(measure, value, **where, **counts)

    def _column(self, name: str, facts: Facts) -> str:
        declared = facts.about.columns.get(name)
        return declared.label if declared is not None else name.replace("_", " ").capitalize()

    def _level(self, column: str, level: str, facts: Facts) -> str:
        if column == CENTRE:
            return facts.about.centre_labels.get(level, level)
        declared = facts.about.columns.get(column)
        return declared.levels.get(level, level) if declared is not None else level
