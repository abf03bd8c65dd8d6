"""Negative controls: what a model reaches on features that cannot hold what it claims to have found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, summary_row
from her2radiomics.evidence.areas import area_row
from her2radiomics.evidence.drawing import Point, forest
from her2radiomics.evidence.others import described, left_out, of_all, on_other_features
from her2radiomics.evidence.paired import (
    AUC_HIGH,
    AUC_LOW,
    DIFFERENCE,
    HANDFUL,
    HIGH,
    LOW,
    area_rows,
    difference_rows,
    drawn_again,
    spread_row,
    too_few,
)  # fmt: skip
from her2radiomics.evidence.sham import alone, controlled_models, on_random_features, other_predictors
from her2radiomics.evidence.study import EvidenceStudy, Facts, probabilities
from her2radiomics.statistics import proportion_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN, RANDOM = "the study's features", "random features of the same correlation"
BOOTSTRAP = "bootstrap: "


@analysis(
    label="Negative controls",
    question="How much of the radiomics performance do features reach that cannot hold what the model claims?",
    order=50,
    references=("welch_2019", "delong_1988"),
)
class Controls(Analysis):
    """Each model of image features beside the size of the tumour alone, its shape, random features, and altered images.

    Size is the volume (or area) of the outline in one logistic regression; where features have none, a participants column
    of size. Shape, random features and features of altered images go through the model's own steps. Random features are
    normal numbers with the correlation of the training patients' features. A multivariate model keeps its other predictors
    in these, and is fitted on them alone too; one that selects among Rad-scores has no control of shape.
    """

    per_job: ClassVar[int] = 40

    analysis: Literal["controls"] = "controls"
    bootstrap: int = Field(100, ge=0, description="Bootstrap resamples of the whole procedure.")
    random: int = Field(100, ge=20, description="Sets of random features.")
    size_columns: tuple[str, ...] = Field(
        ("tumour_volume", "max_diameter", "area"),
        description="Participants columns of size, the first that is known is taken where no feature is a volume or area.",
    )
    margin: float = Field(
        0.05, gt=0, lt=1, description="Difference in AUC below which a model adds little to a control."
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="Share of random sets that reach the model above which it is no better."
    )

    def obstacle(self, facts: Facts) -> str:
        """Nobody is tested, or no model selects image features."""
        if not facts.tested:
            return (
                "no patient is held out for testing, so that controls cannot be compared on patients who did not train."
            )
        return "" if controlled_models(facts) else "the study has no model that selects image features or Rad-scores."

    def others(self, facts: Facts) -> list[str]:
        """Features of altered images."""
        return facts.extractions("control")

    def repetitions(self, facts: Facts) -> int:
        """The study (repetition 0), its bootstrap resamples, sets of random features."""
        return 1 + self.bootstrap + self.random

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of models and controls and their differences, of the study or a resample; or AUC on random features."""
        random = study.random(self.analysis, index)
        if index > self.bootstrap:
            made = on_random_features(study, random)
            fits = made.fit(made.rows(TRAINING), models=controlled_models(study))
            for model in controlled_models(study):
                probability = probabilities(fits.get(model), made.table)
                for partition in (TRAINING, *study.tested):
                    rows = made.rows(partition)
                    yield area_row(model, partition, made.outcome[rows], probability[rows], RANDOM)
            return
        rows = drawn_again(study, random) if index else np.arange(len(study.table))
        partitions = study.patients["partition"].to_numpy()[rows]
        for model in controlled_models(study):
            found = dict(self._probabilities(study, model, rows[partitions == TRAINING]))
            for partition in (TRAINING, *study.tested):
                own = rows[partitions == partition]
                for arm, probability in found.items():
                    if not index:
                        yield from area_rows(study, model, partition, study.outcome[own], probability[own], arm)
                    if arm != OWN:
                        where: dict[str, Any] = {"outcome": study.outcome, "rows": own, "partition": partition}
                        where |= {"arm": arm if not index else BOOTSTRAP + arm, "interval": not index}
                        yield from difference_rows(study, model, found[OWN], probability, **where)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """AUC of models and controls, their differences with both intervals, and the share of the AUC that is reached."""
        for (model, partition), mine in rows.groupby(["model", "partition"], sort=False):
            where: dict[str, Any] = {"model": str(model), "partition": str(partition)}
            first = mine[mine["repetition"] == 0]
            own = float("nan")
            for arm, found in first.groupby("arm", sort=False):
                number = found.set_index("measure")["value"]
                n = found.loc[found["measure"] == "auc", ["n", "events"]].iloc[0]
                here = {**where, "arm": str(arm)}
                bounds = [float(number.get(measure, np.nan)) for measure in ("auc", AUC_LOW, AUC_HIGH)]
                yield summary_row(
                    "auc", *bounds, method="DeLong's interval", n=int(n["n"]), events=int(n["events"]), **here
                )
                if arm == OWN:
                    own = bounds[0]
                    continue
                bounds = [float(number.get(measure, np.nan)) for measure in (DIFFERENCE, LOW, HIGH)]
                words = f"{OWN} minus the control; paired interval of DeLong"
                yield summary_row(DIFFERENCE, *bounds, method=words, **here)
                drawn = mine.loc[mine["arm"] == BOOTSTRAP + str(arm), "value"]
                if self.bootstrap:
                    what = "bootstrap resamples of the whole procedure, training and test patients drawn again"
                    yield spread_row("difference_bootstrap", drawn.to_numpy(), what=what, **here)
                yield from self._reached(own, float(number.get("auc", np.nan)), here)
            yield from self._of_random(mine.loc[mine["arm"] == RANDOM, "value"].dropna().to_numpy(), own, where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether each model is better than each control, in the first test set."""
        partition = facts.tested[0]
        for model in controlled_models(facts):
            mine = summary[(summary["model"] == model) & (summary["partition"] == partition)]
            own = mine[(mine["arm"] == OWN) & (mine["measure"] == "auc")]
            for arm in [name for name in dict.fromkeys(mine["arm"]) if name != OWN]:
                found = mine[mine["arm"] == arm].set_index("measure")
                if own.empty or not np.isfinite(own["value"].iloc[0]) or not np.isfinite(found.loc["auc", "value"]):
                    continue
                where = f"{facts.label(model)}, {facts.partition_label(partition)}"
                name, value = self._named(facts, arm), float(own["value"].iloc[0])
                few = too_few(own["n"].iloc[0], own["events"].iloc[0])
                yield (self._beside_random if arm == RANDOM else self._beside)(found, name, value, where, few)

    def method(self, facts: Facts) -> str:
        """What the controls are made of."""
        text = (
            "Size and shape say nothing of the texture, and random numbers nothing of the tumour. All controls but size go "
            "through the same steps as the model; size is the only predictor of a logistic regression."
        )
        models, several = facts.about.models, [n for n in controlled_models(facts) if other_predictors(facts, n)]
        if kept := [facts.label(name) for name in several if getattr(models[name], "candidates", ())]:
            text += f" The clinical predictors of {listing(kept)} stay in these controls."
        if scored := [facts.label(name) for name in several if models[name].parts()]:
            text += f" {listing(scored)} selects among Rad-scores, so that it has no control of shape."
        return text + left_out(facts, "control", "Controls on altered images")

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """AUC of each model and of its controls, with intervals; of random features the median and the central 95 %."""
        points = []
        areas = summary[(summary["measure"] == "auc") & summary["partition"].isin(facts.tested)]
        several = len(facts.tested) > 1
        for (model, partition), mine in areas.groupby(["model", "partition"], sort=False):
            group = facts.label(str(model)) + (f", {facts.partition_label(str(partition))}" if several else "")
            for item in mine.to_dict("records"):
                if not np.isfinite(item["value"]):
                    continue
                bounds = float(item["value"]), float(item["low"]), float(item["high"])
                text = f"{bounds[0]:.3f} ({bounds[1]:.3f} to {bounds[2]:.3f})"
                points.append(Point(self._printed(facts, item["arm"]), *bounds, text, group, int(item["arm"] != OWN)))
        return forest(points, "Test AUC (random features: median and central 95% of the sets)")

    def _probabilities(self, study: EvidenceStudy, model: str, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Control to its probabilities of all patients, the model itself first, fitted on rows."""
        made = {f"{model} {arm}": (arm, spec) for arm, spec in alone(study, model, self.size_columns).items()}
        specs = {**study.about.models, **{name: spec for name, (_, spec) in made.items()}}
        fits = study.fit(rows, models=[model, *made], specs=specs)
        yield OWN, probabilities(fits.get(model), study.table)
        for name, (arm, _) in made.items():
            yield arm, probabilities(fits.get(name), study.table)
        for name in self.others(study):
            other = on_other_features(study, name)
            places = other.table.index.get_indexer(study.table.index[rows])
            fit = other.fit(places[places >= 0], models=[model]).get(model)
            yield name, of_all(study, other, probabilities(fit, other.table))

    def _reached(self, own: float, value: float, where: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """How much of what a model has above chance a control reaches, where the model is above chance."""
        if own > 0.5 and np.isfinite(value):
            words = "(AUC of the control - 0.5) / (AUC of the model - 0.5)"
            yield summary_row("share_reached", (value - 0.5) / (own - 0.5), method=words, **where)

    def _of_random(self, values: np.ndarray, own: float, where: dict[str, Any]) -> Iterator[dict[str, Any]]:
        here = {**where, "arm": RANDOM}
        if not values.size:
            return
        yield spread_row("auc", values, what="sets of random features", **here)
        yield from self._reached(own, float(np.median(values)), here)
        if np.isfinite(own):
            beyond = int((values >= own - 1e-12).sum())
            low, high = proportion_interval(beyond, values.size)
            words = f"(1 + {beyond}) / (1 + {values.size}); interval: Clopper–Pearson of {beyond} of {values.size}"
            yield summary_row("p", (1 + beyond) / (1 + values.size), low, high, method=words, **here)

    def _beside(self, found: pd.DataFrame, control: str, own: float, where: str, few: bool) -> Finding:
        number, value = found.loc[DIFFERENCE], found.loc["auc", "value"]
        verdict: Verdict = "cannot be told"
        if not few:
            verdict = "holds" if number["low"] > 0 else "does not hold" if number["high"] < self.margin else verdict
        share = ""
        if "share_reached" in found.index:
            reached = max(float(found.loc["share_reached", "value"]), 0)
            share = f" The control reached {reached:.0%} of what the model has above 0.5."
        return Finding(
            verdict,
            f"{where}: better than {control}",
            f"The AUC was {own:.3f}; that of {control} was {value:.3f}: a difference of {number['value']:+.3f} "
            f"({number['low']:+.3f} to {number['high']:+.3f}).{share}",
            f"Holds where the interval of the difference lies above 0; does not hold where it lies below {self.margin:g}; "
            f"otherwise there are too few patients to tell; {HANDFUL}.",
        )

    def _beside_random(self, found: pd.DataFrame, control: str, own: float, where: str, few: bool) -> Finding:
        p, area = found.loc["p"], found.loc["auc"]
        verdict: Verdict = "holds" if p["high"] < self.alpha else "cannot be told"
        if p["low"] > self.alpha and not few:
            verdict = "does not hold"
        return Finding(
            verdict,
            f"{where}: better than {control}",
            f"The AUC was {own:.3f}. {self.random} sets of random features with the same correlation reached a median of "
            f"{area['value']:.3f} (central 95%: {area['low']:.3f} to {area['high']:.3f}); p = {p['value']:.3f} "
            f"({p['low']:.3f} to {p['high']:.3f}, by the number of sets).",
            f"Holds where the upper bound of p is below {self.alpha:g}; does not hold where its lower bound is above "
            f"{self.alpha:g}, but {HANDFUL}; otherwise more sets are needed.",
        )

    def _named(self, facts: Facts, arm: str) -> str:
        """A control inside a sentence."""
        if arm not in self.others(facts):
            return arm
        name = described(facts, arm)
        return f"the same model on altered images ({name[:1].lower()}{name[1:]})"

    def _printed(self, facts: Facts, arm: str) -> str:
        """A control as figures and sentences print it."""
        name = described(facts, arm) if arm in self.others(facts) else arm
        return name[:1].upper() + name[1:]
