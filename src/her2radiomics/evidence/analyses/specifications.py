"""The specification curve: the study once for every combination of choices that a paper leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, summary_row
from her2radiomics.evidence.choices import SCALING, USUAL, printed, printed_value, values_of, with_value, with_values
from her2radiomics.evidence.curve import Curve, curve
from her2radiomics.evidence.others import described, on_other_features
from her2radiomics.evidence.paired import AUC_LOW, HANDFUL, area_rows, too_few
from her2radiomics.evidence.study import EvidenceStudy, Facts, probabilities
from her2radiomics.modelling.models.multivariate import MultivariateSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The choice among feature tables, and the arm of the study's own choices.
FEATURES, OWN = "features", "the study's own"


@analysis(
    label="Specification curve",
    question="Would the result be the same if choices that the paper leaves open had been made otherwise?",
    order=40,
    references=("simonsohn_2020",),
)
class Specifications(Analysis):
    """Every combination of choices that a paper leaves open: all are shown, none is picked.

    A choice concerns the steps that the models have. The study's own value of each is among its values. The study's own
    specification comes first, then every single change of it; where there are more combinations than asked for, the others
    are drawn at random by the study's seed.
    """

    per_job: ClassVar[int] = 50

    analysis: Literal["specifications"] = "specifications"
    most: int = Field(200, ge=20, description="Most specifications; single changes and the study's own are among them.")
    choices: dict[str, tuple[Any, ...]] = Field(
        default_factory=lambda: dict(USUAL),
        description="Choice to its values. `<step>.<setting>`: a setting of a selection step; `<step>`: whether it is done; "
        "`scaling`: which step scales; `estimator.<setting>`: a setting of the estimator; `selection.<setting>`: one of the "
        "selection that a multivariate model makes among all of its predictors.",
    )
    wide: float = Field(0.1, gt=0, lt=1, description="Width of the central 90 % above which the choices are decisive.")

    def obstacle(self, facts: Facts) -> str:
        """Nobody is tested, or no choice concerns the models."""
        if not facts.tested:
            return "no patient is held out for testing, so that specifications have no test AUC to be compared by."
        if not self.options(facts):
            return "the models have no step with a choice that a paper leaves open."
        return ""

    def others(self, facts: Facts) -> list[str]:
        """Feature tables that were extracted by another choice."""
        return facts.extractions("specification")

    def options(self, facts: Facts) -> dict[str, tuple[Any, ...]]:
        """Choice to the values other than the study's own, of the choices that concern a model.

        Raises
        ------
        SettingsError
            A value is not one that the setting may have.
        """
        models = self._concerned(facts)
        found: dict[str, tuple[Any, ...]] = {}
        for key, values in self.choices.items():
            own = self.own(facts, key)
            other = tuple(value for value in dict.fromkeys(values) if [value] != own)
            if own and other:
                for value in other:
                    for name in models:
                        with_value(facts.about.models[name], key, value)
                found[key] = other
        tables = tuple(self.others(facts))
        return found | ({FEATURES: tables} if tables else {})

    def own(self, facts: Facts, key: str) -> list[Any]:
        """What the models have for a choice, each value once."""
        if key == FEATURES:
            return ["the study's"]
        return list(
            dict.fromkeys(v for name in self._concerned(facts) for v in values_of(facts.about.models[name], key))
        )

    def combinations(self, facts: Facts) -> int:
        """How many specifications there are, the study's own among them."""
        return prod(1 + len(values) for values in self.options(facts).values())

    def grid(self, facts: Facts) -> list[dict[str, Any]]:
        """Specifications: choice to value where it is not the study's own; the first is empty."""
        options = self.options(facts)
        shape = tuple(1 + len(values) for values in options.values())
        total = prod(shape)
        picked = [0, *(int(np.ravel_multi_index(one, shape)) for one in _single_changes(shape))][: self.most]
        rest = self.most - len(picked)
        if total - len(picked) <= rest:
            drawn = np.arange(total)
        else:
            drawn = facts.random(self.analysis, 0).choice(total, min(total, rest + len(picked)), replace=False)
        further = [int(place) for place in np.sort(drawn) if place not in set(picked)]
        if len(further) > rest:  # drawn ones may be among those that were picked: take as many as are wanted, evenly
            further = [further[i] for i in np.linspace(0, len(further) - 1, rest).round().astype(int)] if rest else []
        places = np.array([*picked, *further])
        values = list(options.items())
        return [
            {values[i][0]: values[i][1][chosen - 1] for i, chosen in enumerate(one) if chosen}
            for one in zip(*(np.asarray(part).tolist() for part in np.unravel_index(places, shape)), strict=True)
        ]

    def repetitions(self, facts: Facts) -> int:
        """One for every specification."""
        return len(self.grid(facts))

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of the models in every set by one specification."""
        values = self.grid(study)[index]
        arm = "; ".join(f"{key} = {printed_value(value)}" for key, value in values.items()) or OWN
        source = on_other_features(study, values[FEATURES]) if FEATURES in values else study
        changed = {key: value for key, value in values.items() if key != FEATURES}
        specs = with_values(study.about.models, changed)
        models = self._judged(study)
        fits = source.fit(source.rows(TRAINING), models=models, specs=specs)
        for model in models:
            probability = probabilities(fits.get(model), source.table)
            for partition in (TRAINING, *study.tested):
                rows = source.rows(partition)
                yield from area_rows(source, model, partition, source.outcome[rows], probability[rows], arm)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Range over the specifications, share above chance, the place of the study's own, and the median by choice."""
        made, total = rows["repetition"].nunique(), self.combinations(study)
        grid = self.grid(study)
        for (model, partition), mine in rows[rows["partition"] != TRAINING].groupby(["model", "partition"], sort=False):
            where: dict[str, Any] = {"model": str(model), "partition": str(partition)}
            areas = mine[mine["measure"] == "auc"].set_index("repetition")
            values = areas["value"].dropna()
            lower = mine.loc[mine["measure"] == AUC_LOW, "value"].dropna()
            words = (
                "all combinations of the choices" if made == total else f"of {total:,} combinations, drawn by the seed"
            )
            yield summary_row("specifications", made, method=f"{made} specifications: {words}", **where)
            if not len(values):
                continue
            counted: dict[str, Any] = {"n": int(areas["n"].iloc[0]), "events": int(areas["events"].iloc[0])}
            yield summary_row(
                "auc", float(areas["value"].iloc[0]), method="one specification", arm=OWN, **where, **counted
            )
            what = f"of {len(values)} specifications"
            ends = float(values.median()), float(values.min()), float(values.max())
            yield summary_row("auc_range", *ends, method=f"median, least and largest {what}", **where)
            low, high = (float(value) for value in np.quantile(values, [0.05, 0.95]))
            yield summary_row("auc_central", ends[0], low, high, method=f"median and central 90 % {what}", **where)
            yield summary_row(
                "above_chance", float((values > 0.5).mean()), method=f"share {what} with AUC > 0.5", **where
            )
            share = float((lower > 0.5).sum() / len(values))
            words = f"share {what} whose interval (DeLong) lies above 0.5"
            yield summary_row("interval_above_chance", share, method=words, **where)
            own = areas["value"].iloc[0]
            if np.isfinite(own):
                place = float((values < own).mean() + (values == own).mean() / 2)
                words = f"share {what} with a lower AUC, ties by half"
                yield summary_row("percentile", place, method=words, **where)
            for key, other in self.options(study).items():
                for value in (None, *other):
                    chosen = [i for i in values.index if grid[i].get(key) == value]
                    if chosen:
                        part = values.loc[chosen]
                        ends = float(part.median()), float(part.min()), float(part.max())
                        arm = f"{key} = {self._value(study, key, value)}"
                        words = f"median, least and largest of {len(part)} specifications"
                        yield summary_row("auc_by_choice", *ends, method=words, arm=arm, **where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the specifications agree that there is something, how far they differ, and where the study's own is."""
        for partition in facts.tested:
            mine = summary[(summary["model"] == facts.chief) & (summary["partition"] == partition)]
            found = mine.drop_duplicates("measure").set_index("measure")
            if "auc_range" not in found.index:
                continue
            where = f"{facts.label(facts.chief)}, {facts.partition_label(partition)}"
            made, ends, central = found.loc["specifications"], found.loc["auc_range"], found.loc["auc_central"]
            share, firm = found.loc["above_chance", "value"], found.loc["interval_above_chance", "value"]
            own = mine[mine["arm"] == OWN].iloc[0]
            few = too_few(own["n"], own["events"])
            verdict: Verdict = "cannot be told"
            if not few:
                agree = share >= 0.95 and firm >= 0.5
                verdict = "holds" if agree else "does not hold" if share < 0.8 else verdict
            yield Finding(
                verdict,
                f"{where}: better than chance however the open choices are made",
                f"Of {made['value']:.0f} specifications, {share:.0%} had an AUC above 0.5 and {firm:.0%} an interval of it "
                f"above 0.5. The AUC ranged from {ends['low']:.3f} to {ends['high']:.3f} (median {ends['value']:.3f}).",
                "Holds where at least 95% of the specifications have an AUC above 0.5 and at least half of them an interval "
                f"above 0.5; does not hold where fewer than 80% have an AUC above 0.5, but {HANDFUL}; otherwise it cannot "
                "be told either.",
            )
            width = central["high"] - central["low"]
            yield Finding(
                "cannot be told" if few else "holds" if width <= self.wide else "does not hold",
                f"{where}: the AUC depends little on the open choices",
                f"90% of the specifications had an AUC between {central['low']:.3f} and {central['high']:.3f}.",
                f"Holds where 90% of the specifications lie within {self.wide:g} of AUC; {HANDFUL}.",
            )
            if "percentile" in found.index:
                place = found.loc["percentile", "value"]
                yield Finding(
                    "cannot be told" if few else "holds" if place <= 0.9 else "does not hold",
                    f"{where}: the study's own choices are not a favourable combination",
                    f"The study's own specification had an AUC of {own['value']:.3f}, higher than {place:.0%} of the "
                    "specifications.",
                    f"Does not hold where more than 90% of the specifications gave a lower AUC; {HANDFUL}.",
                )

    def method(self, facts: Facts) -> str:
        """Which choices there are, and how many combinations were made."""
        named = [printed(key).lower() if key in (SCALING, FEATURES) else printed(key) for key in self.options(facts)]
        made, total = self.repetitions(facts), self.combinations(facts)
        of = "all combinations" if made == total else f"{made} of {total:,} combinations"
        return f"The study was made with {of} of these choices: {'; '.join(named)}. All are shown."

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """Test AUC of every specification in rising order, and below it the choices that each one is."""
        partition = facts.tested[0]
        mine = rows[(rows["model"] == facts.chief) & (rows["partition"] == partition) & (rows["measure"] == "auc")]
        mine = mine[mine["value"].notna()].sort_values(["value", "repetition"])
        grid = self.grid(facts)
        chosen = [grid[int(i)] for i in mine["repetition"]]
        matrix: dict[tuple[str, str], np.ndarray] = {}
        for key, other in self.options(facts).items():
            for value in (None, *other):
                name = self._value(facts, key, value)
                matrix[printed(key), name] = np.array([one.get(key) == value for one in chosen], dtype=bool)
        label = f"AUC, {facts.label(facts.chief)}, {facts.partition_label(partition)}"
        own = np.flatnonzero(mine["repetition"].to_numpy() == 0)
        place = int(own[0]) if own.size else None
        return curve(Curve(mine["value"].to_numpy(), place, matrix, label, self._lower(rows, mine)))

    def _lower(self, rows: pd.DataFrame, mine: pd.DataFrame) -> np.ndarray:
        """Lower bounds of the intervals of the specifications drawn."""
        bounds = (
            rows[(rows["measure"] == AUC_LOW) & (rows["model"] == mine["model"].iloc[0])] if len(mine) else rows[:0]
        )
        bounds = bounds[bounds["partition"] == mine["partition"].iloc[0]] if len(mine) else bounds
        found: np.ndarray = bounds.set_index("repetition")["value"].reindex(mine["repetition"]).to_numpy()
        return found

    def _value(self, facts: Facts, key: str, value: Any) -> str:
        """A value as it is printed; ``None`` is the study's own."""
        if value is None:
            return ", ".join(printed_value(own) for own in self.own(facts, key))
        return described(facts, str(value)) if key == FEATURES else printed_value(value)

    def _judged(self, facts: Facts) -> list[str]:
        """The models that depend on the selection of image features, directly or by their parts."""
        concerned, models = set(self._concerned(facts)), facts.about.models
        return [name for name in facts.imaging if concerned.intersection((name, *models[name].parts()))]

    def _concerned(self, facts: Facts) -> list[str]:
        """The models that select image features, or Rad-scores among other predictors, of those that are judged."""
        models = facts.about.models
        return [name for name in facts.judged if models[name].block or isinstance(models[name], MultivariateSpec)]


def _single_changes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Places in a grid that differ from its origin in one direction."""
    for axis, size in enumerate(shape):
        for value in range(1, size):
            yield tuple(value if other == axis else 0 for other in range(len(shape)))
