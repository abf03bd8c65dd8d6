"""The luck of the split: the partition redrawn many times, and every choice of centres that are held out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.cohort.partitions import CentrePartition
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.evidence.analysis import Analysis, Finding, analysis, summary_row
from her2radiomics.evidence.areas import area_row
from her2radiomics.evidence.drawing import Distribution, distributions
from her2radiomics.evidence.paired import HANDFUL, too_few
from her2radiomics.evidence.study import EvidenceStudy, Facts, one_centre, probabilities

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED, RANDOM, CENTRES = "the study's split", "random split", "centres held out: "
TESTING = "testing"


@analysis(
    label="The luck of the split",
    question="How much does the test AUC depend on who happened to be in the test set?",
    order=30,
)
class Splits(Analysis):
    """Random splits of the study's sizes, and every choice of held-out centres."""

    per_job: ClassVar[int] = 100

    analysis: Literal["splits"] = "splits"
    splits: int = Field(200, ge=20, description="Random splits, of the sizes of the study's own.")
    most_centres: int = Field(60, ge=1, description="Most choices of held-out centres.")
    wide: float = Field(0.15, gt=0, lt=1, description="Width of the central 90 % above which luck counts as large.")

    def obstacle(self, facts: Facts) -> str:
        """A study without a test set has no split."""
        if TESTING not in facts.tested and not self._choices(facts):
            return "no patient is held out for testing within the study's own centres, so that there is no split to redraw."
        return ""

    def repetitions(self, facts: Facts) -> int:
        """The study's own split (0), every choice of centres, then random splits."""
        return 1 + len(self._choices(facts)) + (self.splits if TESTING in facts.tested else 0)

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC in the patients that a split holds out."""
        choices = self._choices(study)
        if index == 0:
            arm, training, test = PUBLISHED, study.rows(TRAINING), study.rows(TESTING)
        elif index <= len(choices):
            held = choices[index - 1]
            arm = CENTRES + ", ".join(study.about.centre_labels.get(name, name) for name in held)
            pool = self._pool(study)
            out = study.patients["centre"].isin(held).to_numpy()[pool]
            training, test = pool[~out], pool[out]
        else:
            arm = RANDOM
            training, test = self._drawn(study, study.random(self.analysis, index))
        if not len(test):
            return
        fits = study.fit(training)
        for model in study.main:
            for partition, rows in ((TRAINING, training), (TESTING, test)):
                probability = probabilities(fits.get(model), study.table.iloc[rows])
                yield area_row(model, partition, study.outcome[rows], probability, arm)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Distribution of the test AUC over random splits, the study's place in it, and how often a model beats another."""
        tested = rows[rows["partition"] == TESTING]
        areas = {
            arm: table.pivot(index="repetition", columns="model", values="value")
            for arm, table in tested.groupby("arm")
        }
        sizes = tested.groupby("arm")[["n", "events"]].first()
        for arm, table in areas.items():
            counted: dict[str, Any] = {"n": int(sizes.loc[arm, "n"]), "events": int(sizes.loc[arm, "events"])}
            for model in [name for name in study.main if name in table and table[name].notna().any()]:
                values = table[model].dropna().to_numpy()
                where: dict[str, Any] = {"model": model, "partition": TESTING, "arm": str(arm)}
                if arm != RANDOM:
                    yield summary_row("auc", float(values[0]), method="one split", **where, **counted)
                    continue
                low, high = np.quantile(values, [0.05, 0.95])
                words = f"median and central 90 % of {values.size} random splits"
                yield summary_row(
                    "auc", float(np.median(values)), float(low), float(high), method=words, **where, **counted
                )
                yield from self._place(values, areas, model, where)
        if RANDOM in areas:
            yield from self._beaten(areas[RANDOM], study)

    def method(self, facts: Facts) -> str:
        """How splits are drawn."""
        drawn = f"{self.splits} random splits of the study's own sizes were drawn, stratified by outcome"
        if TESTING not in facts.tested:
            drawn = "No patient of the study's own centres is held out, so that no split was drawn at random"
        if self._choices(facts):
            centres = "every choice of held-out centres was made as well"
        elif one_centre(facts):
            centres = "all patients are of one centre, so that no centre can be held out"
        else:
            centres = "no choice of held-out centres leaves five patients of each outcome on both sides"
        return f"{drawn}; {centres}. Each split was fitted anew."

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the test AUC depends on the split, and whether the study's own was lucky."""
        primary, few = facts.about.primary, too_few(*facts.size(TESTING))
        mine = summary[(summary["model"] == primary) & (summary["arm"] == RANDOM)].set_index("measure")
        if "auc" in mine.index:
            found = mine.loc["auc"]
            width = found["high"] - found["low"]
            yield Finding(
                "cannot be told" if few else "holds" if width <= self.wide else "does not hold",
                "The test AUC depends little on who was drawn into the test set",
                f"Over {self.splits} random splits of the same sizes the test AUC of the {facts.label(primary)} model had a "
                f"median of {found['value']:.3f}; 90% of the splits gave {found['low']:.3f} to {found['high']:.3f}.",
                f"Holds where 90% of the splits lie within {self.wide:g} of AUC; {HANDFUL}.",
            )
        if "percentile" in mine.index:
            place = mine.loc["percentile", "value"]
            yield Finding(
                "cannot be told" if few else "holds" if place <= 0.9 else "does not hold",
                "The study's own split was not a favourable one",
                f"The study's own split gave a higher AUC than {place:.0%} of the {self.splits} random splits.",
                f"Does not hold where more than 90% of the random splits gave a lower AUC; {HANDFUL}.",
            )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Test AUC of the random splits with the study's own as a diamond; then every choice of centres."""
        tested = rows[rows["partition"] == TESTING]
        items = []
        for place, model in enumerate(facts.main):
            mine = tested[tested["model"] == model]
            own = mine.loc[mine["arm"] == PUBLISHED, "value"]
            values = mine.loc[mine["arm"] == RANDOM, "value"].dropna().to_numpy()
            if values.size:
                text = f"{np.median(values):.2f} ({np.quantile(values, 0.05):.2f} to {np.quantile(values, 0.95):.2f})"
                mark = float(own.iloc[0]) if len(own) else float("nan")
                items.append(Distribution(facts.label(model), values, mark, text, "Random splits", place))
        for place, model in enumerate(facts.main):
            chosen = tested[(tested["model"] == model) & tested["arm"].str.startswith(CENTRES)]
            for item in chosen.itertuples():
                text, label = f"{item.value:.2f} (n = {item.n:.0f})", str(item.arm).removeprefix(CENTRES)
                items.append(
                    Distribution(label, [item.value], text=text, group=f"Held out: {facts.label(model)}", colour=place)
                )
        return distributions(
            items, "Test AUC (points: splits; line: median and central 90%; diamond: the study's own split)"
        )

    def _choices(self, facts: Facts) -> list[tuple[str, ...]]:
        """Choices of centres that could be held out: as many as the study holds out, both classes on both sides."""
        people = facts.people
        if isinstance(facts.about.partitions, CentrePartition):
            held = people.loc[people["partition"] != TRAINING, "centre"].nunique()
        else:
            people = people[people["partition"].isin([TRAINING, TESTING])]
            held = 1
        centres = sorted(people["centre"].unique())
        counts = {name: table["label"] for name, table in people.groupby("centre")}
        found = []
        for chosen in combinations(centres, held):
            rest = [name for name in centres if name not in chosen]
            sides = [
                pd.concat([counts[name] for name in side]) if side else pd.Series(dtype=int) for side in (chosen, rest)
            ]
            if all(side.nunique() == 2 and side.value_counts().min() >= 5 for side in sides):
                found.append(chosen)
        return found[: self.most_centres]

    def _pool(self, study: EvidenceStudy) -> np.ndarray:
        """Rows that a split divides: those of centres that are held out by centre, else all but the external patients."""
        inside = np.ones(len(study.table), dtype=bool)
        if not isinstance(study.about.partitions, CentrePartition):
            inside = study.patients["partition"].isin([TRAINING, TESTING]).to_numpy()
        return np.flatnonzero(inside)

    def _drawn(self, study: EvidenceStudy, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A random split of training and test patients, by person, of the study's sizes, stratified by label."""
        pool = np.flatnonzero(study.patients["partition"].isin([TRAINING, TESTING]).to_numpy())
        persons = pd.Series(study.outcome[pool], index=study.who[pool]).groupby(level=0).max()
        own = study.who[study.rows(TESTING)]
        if len(np.unique(own)) < 2 or min(np.bincount(persons, minlength=2)) < 2:
            return pool, pool[:0]
        _, out = sklearn.model_selection.train_test_split(
            persons.index.to_numpy(),
            test_size=len(np.unique(own)),
            random_state=int(random.integers(2**31)),
            stratify=persons.to_numpy(),
        )
        drawn = np.isin(study.who[pool], out)
        return pool[~drawn], pool[drawn]

    def _place(
        self, values: np.ndarray, areas: Mapping[str, pd.DataFrame], model: str, where: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Share of the random splits that the study's own beats."""
        own = (
            areas[PUBLISHED][model].dropna()
            if PUBLISHED in areas and model in areas[PUBLISHED]
            else pd.Series(dtype=float)
        )
        if own.size:
            share = float((values < own.iloc[0]).mean() + (values == own.iloc[0]).mean() / 2)
            yield summary_row(
                "percentile", share, method="share of random splits with a lower AUC, ties by half", **where
            )

    def _beaten(self, table: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """How often each other model's test AUC is above the primary model's, over the same splits."""
        primary = study.about.primary
        for model in [name for name in study.main if name != primary and name in table and primary in table]:
            both = table[[model, primary]].dropna()
            if len(both):
                share = float((both[primary] > both[model]).mean())
                words = f"share of {len(both)} random splits where {primary} has the higher test AUC"
                yield summary_row("beats", share, method=words, model=model, partition=TESTING, arm=RANDOM)
