"""Stability of features: how often each is kept on resamples, and how far readers, changed outlines and centres agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd, scipy
from her2radiomics.evidence.analysis import Analysis, Finding, Verdict, analysis, row, summary_row
from her2radiomics.evidence.drawing import Point, forest
from her2radiomics.evidence.others import left_out
from her2radiomics.evidence.resamples import KEPT, NUMBER_KEPT, SELECTION, own_variables, selects, too_few
from her2radiomics.evidence.study import EvidenceStudy, Facts, one_centre
from her2radiomics.manuscript.names import Names
from her2radiomics.modelling.tables import by_patient, reader_rows
from her2radiomics.statistics import icc_table, proportion_interval, selection_stability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from her2radiomics.statistics.agreement import IccForm

#: Variables that were offered to a model; one that the study's own fit kept; the index over the refits.
OFFERED, OWN, INDEX, MEAN_KEPT = "offered", "kept_by_study", "stability", "mean_kept"
#: Beginnings of measures: agreement with a second reading, and difference of a centre from the largest.
ICC, SHIFT = "icc: ", "shift: "
READERS = "readers"
ENDS = ("", "_low", "_high")


@analysis(
    label="Stability of features",
    question="Would the same features be chosen, and measured alike, on other patients, outlines and scanners?",
    order=75,
    references=("nogueira_2018", "mcgraw_1996"),
)
class Stability(Analysis):
    """How often each variable is kept, Nogueira's index, ICC of kept features, and their shift between centres."""

    per_job: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("instability",)

    analysis: Literal["stability"] = "stability"
    poor: float = Field(
        0.4, gt=0, lt=1, description="Nogueira's index below which a selection counts as poorly stable."
    )
    form: Literal["ICC2,1", "ICC3,1", "ICC1,1"] = Field("ICC2,1", description="Form of the ICC.")
    reproducible: float = Field(0.75, gt=0, lt=1, description="ICC from which on a feature counts as reproducible.")
    apart: float = Field(0.5, gt=0, description="Standardised difference above which centres count as apart.")
    fewest: int = Field(5, ge=3, description="Patients of a centre, or read twice, below which nothing is computed.")
    shown: int = Field(
        20, ge=1, description="Variables of each model in the figure, beside those of the study's own fit."
    )

    def obstacle(self, facts: Facts) -> str:
        """Refits are those of the analysis of instability."""
        return too_few(facts)

    def others(self, facts: Facts) -> list[str]:
        """Extractions with changed outlines or images."""
        return facts.extractions("perturbation")

    def repetitions(self, facts: Facts) -> int:
        """One: the study as it is; the resamples are those that are read."""
        return 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """What the study's own fits keep, and agreement and shift of the features among it."""
        models = selecting(study)
        fits = study.fit(study.rows(TRAINING), models=models)
        kept: dict[str, None] = {}
        for model in models:
            spec = study.about.models[model]
            offered = len(getattr(spec, "candidates", ()))
            if spec.block is not None:
                offered += len(spec.block.columns(study.table, study.about.columns, name=model))
            yield row(OFFERED, offered, model=model)
            for name in own_variables(fits[model]) if model in fits else ():
                kept[name] = None
                yield row(OWN, 1, model=model, arm=name)
        features = [name for name in kept if name in study.features.columns]
        yield from self._agreements(study, features)
        yield from self._shifts(study, features)

    def wanted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Its own rows, and what refits keep."""
        own = rows["measure"].isin([OFFERED, OWN, *SELECTION]) | rows["measure"].str.startswith((ICC, SHIFT))
        return rows[own].reset_index(drop=True)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """Index of every model that selects, how often it keeps each variable; agreement and shift of features."""
        for model in selecting(study):
            mine = rows[rows["model"] == model]
            refits = mine.loc[mine["measure"] == NUMBER_KEPT, "repetition"].to_numpy()
            offered = mine.loc[mine["measure"] == OFFERED, "value"]
            own = set(mine.loc[mine["measure"] == OWN, "arm"])
            times = mine[mine["measure"] == KEPT]
            table = pd.crosstab(times["repetition"], times["arm"]).reindex(refits, fill_value=0)
            if len(refits) > 1 and len(offered):
                yield from self._index(table, int(offered.iloc[0]), model)
            counts = table.sum() if table.shape[1] else pd.Series(dtype=int)
            for name in sorted({*counts.index, *own}, key=lambda name: (-counts.get(name, 0), name)):
                count = int(counts.get(name, 0))
                if not len(refits) or (name not in own and count < len(refits) / 10):
                    continue
                low, high = proportion_interval(count, len(refits))
                words = f"kept by {count} of {len(refits)} refits; Clopper–Pearson"
                yield summary_row(KEPT, count / len(refits), low, high, method=words, model=model, arm=name)
                if name in own:
                    yield summary_row(OWN, 1, method="kept by the study's own fit", model=model, arm=name)
        found = rows[rows["measure"].str.startswith((ICC, SHIFT))].set_index(["arm", "measure"])
        for arm, measure in found.index[~found.index.get_level_values("measure").str.endswith(("_low", "_high"))]:
            told = [float(found.loc[(arm, f"{measure}{end}"), "value"]) for end in ENDS]
            n, method = int(found.loc[(arm, measure), "n"]), str(found.loc[(arm, measure), "note"])
            yield summary_row(measure, *told, method=method, arm=arm, n=n)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the selection is stable, and its features reproducible and alike in all centres."""
        for item in summary[summary["measure"] == INDEX].itertuples():
            if facts.about.models[item.model].block is None:
                continue
            most = summary[(summary["measure"] == KEPT) & (summary["model"] == item.model)]
            often = int((most["value"] >= 0.5).sum())
            yield Finding(
                "does not hold" if item.high < self.poor else "holds" if item.low >= self.poor else "cannot be told",
                f"{facts.label(item.model)}: resamples of the patients keep the same features",
                f"The stability of the selection was {item.value:.2f} ({item.low:.2f} to {item.high:.2f}); 1 is the same "
                f"set every time, 0 what chance alone gives. {_features(often)} kept by half of the refits or more.",
                f"Nogueira's index: holds where its lower bound is at least {self.poor:g}; does not hold where its upper "
                "bound is lower.",
            )
        for measure in dict.fromkeys(summary.loc[summary["measure"].str.startswith(ICC), "measure"]):
            yield self._reproducible(summary[summary["measure"] == measure], str(measure).removeprefix(ICC), facts)
        for measure in dict.fromkeys(summary.loc[summary["measure"].str.startswith(SHIFT), "measure"]):
            yield self._alike(summary[summary["measure"] == measure], str(measure).removeprefix(SHIFT), facts)

    def method(self, facts: Facts) -> str:
        """How it is done."""
        return (
            "The refits are those of the instability of predictions. Agreement was measured for the features of the study's "
            "own models."
            + left_out(facts, "perturbation", "Changed outlines and images")
            + ("" if facts.about.second_reader else " There was no second reader to compare with.")
            + (" All patients are of one centre, so that centres are not compared." if one_centre(facts) else "")
        )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """How often refits keep each variable, with the agreement of the features beside it."""
        names = Names(facts.about.columns, facts.about.labels, facts.about.sequence_labels)
        agreement = summary[summary["measure"].str.startswith(ICC)]
        points = []
        for place, model in enumerate(selecting(facts)):
            mine = summary[(summary["measure"] == KEPT) & (summary["model"] == model)]
            own = set(summary.loc[(summary["measure"] == OWN) & (summary["model"] == model), "arm"])
            mine = mine[mine["arm"].isin(own) | (np.arange(len(mine)) < self.shown)]
            for item in mine.itertuples():
                told = agreement[agreement["arm"] == item.arm]
                parts = [f"{item.value:.0%}{' *' if item.arm in own else ''}"]
                readers = told.loc[told["measure"] == f"{ICC}{READERS}", "value"]
                changed = told.loc[told["measure"] != f"{ICC}{READERS}", "value"]
                parts += [f"ICC readers {readers.iloc[0]:.2f}"] if len(readers) else []
                parts += [f"changed {changed.min():.2f}"] if len(changed) else []
                label = names.term(str(item.arm))
                points.append(
                    Point(label, item.value, item.low, item.high, "; ".join(parts), facts.label(model), place)
                )
        words = "Share of the refits that keep it (*: in the study's model; changed: lowest ICC of changed images)"
        return forest(points, words, reference=None, limits=(-0.02, 1.02))

    def _index(self, table: pd.DataFrame, offered: int, model: str) -> Iterator[dict[str, Any]]:
        """Nogueira's index over the refits; none where every refit kept nothing, or everything."""
        kept = np.zeros((len(table), max(offered, table.shape[1])), dtype=int)
        kept[:, : table.shape[1]] = table.to_numpy()
        words = f"{len(table)} bootstrap refits of the whole pipeline, {kept.shape[1]} variables offered"
        yield summary_row(MEAN_KEPT, float(kept.sum(axis=1).mean()), method=words, model=model, n=len(table))
        try:
            told = selection_stability(kept)
        except ValueError:
            return
        yield summary_row(INDEX, told.value, told.low, told.high, method=f"Nogueira's index, {words}", model=model)

    def _agreements(self, study: EvidenceStudy, features: list[str]) -> Iterator[dict[str, Any]]:
        """ICC of features between the readers, and between the study's extraction and changed ones."""
        own = study.table[features]
        if study.second is not None:
            words = f"{self.form} between the readers, of all patients who were read twice"
            yield from self._agreement(*study.second.pairs(own), READERS, words)
        for name in self.others(study):
            if name not in study.other_features:
                continue
            other = by_patient(reader_rows(study.other_features[name], study.about.readers.reference), name)
            both = [patient for patient in own.index if patient in other.index]
            words = f"{self.form} with: {study.about.others[name].description or name}"
            yield from self._agreement(own.loc[both], other.loc[both, features].astype(float), name, words)

    def _agreement(self, one: pd.DataFrame, two: pd.DataFrame, name: str, words: str) -> Iterator[dict[str, Any]]:
        form: IccForm = self.form
        for feature in one.columns:
            known = np.isfinite(one[feature].to_numpy(float)) & np.isfinite(two[feature].to_numpy(float))
            if known.sum() < self.fewest:
                continue
            told = icc_table(one.loc[known, [feature]], two.loc[known, [feature]], form).iloc[0]
            for end, key in zip(ENDS, ("icc", "low", "high"), strict=True):
                note = words if not told["note"] else f"{words}; {told['note']}"
                yield row(f"{ICC}{name}{end}", float(told[key]), arm=feature, n=int(known.sum()), note=note)

    def _shifts(self, study: EvidenceStudy, features: list[str]) -> Iterator[dict[str, Any]]:
        """Standardised difference of each centre from the largest one, with Hedges' and Olkin's interval."""
        centre = study.patients["centre"].astype(str)
        largest = str(centre.value_counts().sort_index().idxmax())
        z = float(scipy.stats.norm.ppf((1 + study.about.level) / 2))
        for other in sorted(set(centre) - {largest}):
            for feature in features:
                values = study.table[feature].astype(float)
                a, b = (values[(centre == name) & np.isfinite(values)].to_numpy() for name in (other, largest))
                if min(a.size, b.size) < self.fewest:
                    continue
                spread = np.sqrt(((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / (a.size + b.size - 2))
                if not spread > 0:
                    continue
                d = float((a.mean() - b.mean()) / spread)
                error = float(np.sqrt((a.size + b.size) / (a.size * b.size) + d**2 / (2 * (a.size + b.size))))
                label = study.about.centre_labels.get
                words = f"difference of means by the pooled SD: {label(other, other)} less {label(largest, largest)}"
                for end, value in zip(ENDS, (d, d - z * error, d + z * error), strict=True):
                    yield row(f"{SHIFT}{other}{end}", value, arm=feature, n=a.size + b.size, note=words)

    def _reproducible(self, told: pd.DataFrame, name: str, facts: Facts) -> Finding:
        known = told[told["value"].notna()]
        below = known[known["value"] < self.reproducible]
        sure = len(known) > 0 and bool((known["low"] >= self.reproducible).all())
        verdict: Verdict = "does not hold" if len(below) else "holds" if sure else "cannot be told"
        sentence = "No ICC could be computed."
        if len(known):
            least = known.loc[known["value"].idxmin()]
            sentence = (
                f"{_of(len(below), len(known))} an ICC below {self.reproducible:g}. The lowest was {least['value']:.2f} "
                f"({least['low']:.2f} to {least['high']:.2f}; {least['n']:.0f} patients)."
            )
        what = facts.about.others[name].description if name in facts.about.others else ""
        where = (
            "between the readers" if name == READERS else f"where the images are measured otherwise ({what or name})"
        )
        return Finding(
            verdict,
            f"The kept features are reproducible {where}",
            sentence,
            f"Does not hold where an ICC is below {self.reproducible:g}; holds where all lower bounds are above it; "
            "otherwise it cannot be told.",
        )

    def _alike(self, told: pd.DataFrame, centre: str, facts: Facts) -> Finding:
        beyond = told[(told["low"] > self.apart) | (told["high"] < -self.apart)]
        within = bool(((told["low"] > -self.apart) & (told["high"] < self.apart)).all())
        verdict: Verdict = "does not hold" if len(beyond) else "holds" if within else "cannot be told"
        return Finding(
            verdict,
            f"{facts.about.centre_labels.get(centre, centre)}: the kept features are alike there and in the largest centre",
            f"{_of(len(beyond), len(told))} a difference of surely more than {self.apart:g} standard deviations (its whole "
            f"interval lies beyond); the largest difference was {told['value'].abs().max():.2f}.",
            f"Does not hold where the interval of a difference lies beyond {self.apart:g} standard deviations; holds where "
            "all lie within. Centres may differ in their patients as well as in their scanners.",
        )


def _features(count: int) -> str:
    """So many features were, as a sentence begins."""
    return f"{count or 'No'} {'feature was' if count < 2 else 'features were'}"


def _of(count: int, total: int) -> str:
    """So many of the kept features had, as a sentence begins."""
    if total == 1:
        return f"The kept feature {'had' if count else 'did not have'}"
    return f"{count or 'None'} of the {total} kept features had"


def selecting(facts: Facts) -> list[str]:
    """Models that choose among variables: the main ones, and where these use no image the ones that do."""
    return [name for name in dict.fromkeys([*facts.main, *facts.imaging]) if selects(facts.about.models[name])]
