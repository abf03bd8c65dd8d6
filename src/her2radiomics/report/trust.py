"""The trust panel: what a reader needs to judge the primary model, from the run's own tables, before anything else.

No verdict depends on the bound of an interval. Sets with fewer than ``words.FEWEST`` patients of a class are not judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from her2radiomics.core.columns import STAGES
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.evaluation.predictions import on_common_patients
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.text import true_minus
from her2radiomics.report.cautions import Fit, late_words
from her2radiomics.report.context import Grid, Link, Spot, Trust, TrustLine
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import TOO_FEW, is_small, model_phrase
from her2radiomics.statistics import auc, delong_test

CORRECTED, CROSS_VALIDATED = "Corrected for optimism", "Cross-validated"
FEW_REFITS = 50
_SLOPES = (0.8, 1.25)  # of a slope outside these a word is said


@dataclass(frozen=True, eq=False)
class _Run:
    """The tables of a run that the panel is made from."""

    layout: Layout
    info: RunInfo
    performance: pd.DataFrame
    extra: pd.DataFrame
    fits: Mapping[str, Fit]
    sizes: Mapping[str, int]

    def row(self, model: str, partition: str) -> pd.Series | None:
        table = self.performance
        found = table[(table["model"] == model) & (table["partition"] == partition)]
        return found.iloc[0] if len(found) else None

    def measure(self, model: str, partition: str, name: str) -> tuple[float, float, float, str]:
        """Value, bounds and method of a row of ``performance_extra.csv``; NaN where there is none."""
        table = self.extra
        here = (table["model"] == model) & (table["partition"] == partition) & (table["measure"] == name)
        if not here.any():
            return (math.nan, math.nan, math.nan, "")
        found = table[here].iloc[0]
        return float(found["value"]), float(found["low"]), float(found["high"]), str(found["method"])

    @property
    def primary(self) -> str:
        return self.info.protocol.primary_model

    @property
    def held_out(self) -> list[str]:
        return [name for name in self.info.partitions if name != TRAINING]


def trust(
    layout: Layout,
    info: RunInfo,
    performance: pd.DataFrame,
    extra: pd.DataFrame,
    flow: pd.DataFrame,
    fits: Mapping[str, Fit],
    marks: Sequence[str],
) -> Trust:
    """Make the panel of a run's primary model.

    Parameters
    ----------
    layout
        The run's files, for predictions.
    info
        The run.
    performance, extra, flow
        ``performance.csv``, ``performance_extra.csv`` and ``flow.csv``.
    fits
        All models as fitted.
    marks
        The primary model's cautions.
    """
    sizes = flow[flow["step"] == "partition"].set_index("partition")["remaining"]
    run = _Run(layout, info, performance, extra, fits, {str(k): int(v) for k, v in sizes.items()})
    lines = (
        _discrimination(run),
        *_calibration(run),
        *_net_benefit(run),
        _sample(run),
        *_simpler(run),
        _timing(run),
        _predicted(run),
        *_stability(run, marks),
    )
    lines = tuple(replace(line, text=true_minus(line.text)) for line in lines)
    phrase = model_phrase(info.protocol.model_label(run.primary))
    return Trust(phrase, tuple(_spots(run, run.primary)), lines, _all_models(run))


def not_predicted(row: pd.Series, size: int) -> str:
    """``n = 11 of 13``: patients of a set, and of how many where the model could not predict all."""
    n = int(row["n"])
    return f"n = {n}" if n == size else f"n = {n} of {size}"


def _spots(run: _Run, model: str) -> Iterator[Spot]:
    """AUCs in the order of their honesty: apparent, corrected, cross-validated, then the held-out sets."""
    for partition in run.info.partitions:
        row = run.row(model, partition)
        if row is not None:
            label = run.info.protocol.partition_label(partition)
            size = not_predicted(row, run.sizes.get(partition, int(row["n"])))
            small = partition != TRAINING and is_small(row)
            low, high = float(row["auc_low"]), float(row["auc_high"])
            yield _spot(label, float(row["auc"]), low, high, f"{size}{', apparent' * (partition == TRAINING)}", small)
        if partition != TRAINING:
            continue
        value, low, high, _ = run.measure(model, TRAINING, "auc_corrected")
        yield _spot(CORRECTED, value, low, high, _refits(run, model))
        value, low, high, _ = run.measure(model, TRAINING, "auc_cross_validated_pooled")
        yield _spot(CROSS_VALIDATED, value, low, high, "whole pipeline" if value == value else _uncrossed(run, model))


def _spot(label: str, value: float, low: float, high: float, note: str, small: bool = False) -> Spot:
    text = fmt.interval(value, low, high, 2)
    bounds = (low, high) if low == low and high == high and low < high else None
    return Spot(label, None if value != value else value, bounds, text, note, small)


def _uncrossed(run: _Run, model: str) -> str:
    """Why there is no cross-validated AUC."""
    if not run.info.protocol.models[model].reported_folds:
        return "not requested in the protocol"
    if not run.fits[model].kept:
        return "no predictor was kept"
    return "too few patients in one class in the folds"


def _refits(run: _Run, model: str) -> str:
    """How many refits of the whole pipeline could be used."""
    used, _, _, method = run.measure(model, TRAINING, "refits")
    why = run.measure(model, TRAINING, "note_optimism_pipeline")[3]
    if why or used != used:
        if why or run.fits[model].kept:
            return why or "the protocol asks for no refits"
        return "no predictor was kept"
    return f"{method.split(',')[0]}{', too few to rely on' * (used < FEW_REFITS)}"


def _discrimination(run: _Run) -> TrustLine:
    parts, small = [], []
    for partition in run.held_out:
        row = run.row(run.primary, partition)
        if row is None or row["auc"] != row["auc"]:
            continue
        small.append(is_small(row))
        parts.append(f"{_label(run, partition)} AUC {fmt.auc(row, 2)}")
    training, first = run.row(run.primary, TRAINING), run.row(run.primary, run.info.headline_partition)
    word = TOO_FEW if small and all(small) else "on training patients only" if not parts else "as in training"
    if parts and not all(small) and training is not None and first is not None:
        fall = float(training["auc"]) - float(first["auc"])
        word = f"lower than in training by {fmt.fixed(fall, 2)}" if fall >= 0.05 else word
        word = f"higher than in training by {fmt.fixed(-fall, 2)}" if fall <= -0.05 else word
    text = "; ".join(parts) or "no held-out patients of both classes"
    return TrustLine("Discrimination", word, f"{text}.", Link("ROC and table", "#tables"))


def _calibration(run: _Run) -> Iterator[TrustLine]:
    for partition in run.held_out:
        row = run.row(run.primary, partition)
        if row is None:
            continue
        names = (
            ("slope", "calibration_slope"),
            ("intercept", "calibration_intercept"),
            ("O:E", "observed_expected"),
            ("ICI", "ici"),
        )
        parts = []
        for label, name in names:
            value, low, high, _ = run.measure(run.primary, partition, name)
            if value == value:
                parts.append(f"{label} {fmt.interval(value, low, high, 2)}")
            else:
                parts.append(f"{label} {fmt.NOT_ESTIMABLE}")
        slope = float(row["calibration_slope"])
        word = TOO_FEW if is_small(row) else _slope_word(slope)
        yield TrustLine(
            f"Calibration, {_label(run, partition)}", word, f"{', '.join(parts)}.", Link("figures", "#figures")
        )


def _slope_word(slope: float) -> str:
    if slope != slope:
        return fmt.NOT_ESTIMABLE
    if slope < _SLOPES[0]:
        return "predictions too extreme"
    return "predictions too close to the mean" if slope > _SLOPES[1] else "slope near 1"


def _net_benefit(run: _Run) -> Iterator[TrustLine]:
    """Net benefit at the protocol's thresholds against the better of treating all and none."""
    for partition in run.held_out:
        row = run.row(run.primary, partition)
        parts, better = [], 0
        for at in run.info.protocol.evaluation.net_benefit_thresholds:
            over = {
                name: run.measure(run.primary, partition, f"net_benefit_{at:g}_over_{name}") for name in ("all", "none")
            }
            value, low, high, _ = over["all"]
            if value != value:
                continue
            better += all(found[0] > 0 for found in over.values())
            versus = fmt.interval(value, low, high, 2)
            parts.append(f"at {100 * at:g}%: {versus} vs treat-all, {fmt.interval(*over['none'][:3], 2)} vs treat-none")
        if row is None or not parts:
            continue
        word = TOO_FEW if is_small(row) else f"above both at {better} of {len(parts)} thresholds"
        yield TrustLine(
            f"Net benefit, {_label(run, partition)}",
            word,
            f"Difference ({fmt.level(run.info.protocol.evaluation.level)} CI) {'; '.join(parts)}.",
            Link("figures", "#figures"),
        )


def _sample(run: _Run) -> TrustLine:
    fit, row = run.fits[run.primary], run.row(run.primary, run.info.headline_partition)
    per = f"{fmt.fixed(fit.smaller / fit.kept, 1)} per kept predictor" if fit.kept else "no predictor kept"
    text = f"Training: {fit.smaller} patients of the smaller class for {fit.candidates} candidates"
    text += f" ({_per(fit.smaller, fit.candidates)} per candidate) and {fit.kept} kept predictors."
    if row is not None and row["auc_high"] > row["auc_low"]:
        half = (float(row["auc_high"]) - float(row["auc_low"])) / 2
        n, events = int(row["n"]), int(row["events"])
        text += (
            f" {_label(run, run.info.headline_partition)}: with {events} {run.info.protocol.label.positive} of {n} patients "
            f"the AUC is known to about ±{fmt.fixed(half, 2)}."
        )
    return TrustLine("Sample size", per, text, Link("selection", "#models"))


def _per(count: int, of: int) -> str:
    return "–" if not of else fmt.fixed(count / of, 1) if count >= of / 10 else f"{count / of:.2g}"


def _simpler(run: _Run) -> Iterator[TrustLine]:
    """What models with fewer predictors do on the same patients of the headline's set."""
    partition, primary, info = run.info.headline_partition, run.primary, run.info
    mine = run.fits[primary]
    simpler = [name for name, fit in run.fits.items() if name != primary and 0 < fit.kept < mine.kept]
    parts, best = [], (-1.0, "", 0.0)
    own, label = run.layout.read("predictions", model=primary), info.protocol.model_label(primary)
    for name in simpler:
        both = on_common_patients({primary: own, name: run.layout.read("predictions", model=name)}, partition)
        labels = both["label"].to_numpy()
        if min(labels.sum(), len(labels) - labels.sum()) < 2:
            continue
        test = delong_test(labels, both[primary], both[name], info.protocol.evaluation.level)
        area = auc(labels, both[name])
        best = max(best, (area, name, -test.difference), key=lambda item: item[0])  # the first of equal ones
        difference = fmt.interval(-test.difference, -test.high, -test.low, 2)
        of = f"{fmt.fixed(area, 2)} vs {fmt.fixed(area + test.difference, 2)}"
        parts.append((area, f"{info.protocol.model_label(name)} {of}, difference {difference}, n = {len(both)}"))
    if not parts:
        return
    gain = best[2]
    word = "no better" if gain <= 0 else f"{info.protocol.model_label(best[1])} higher by {fmt.fixed(gain, 2)}"
    shown = [text for _, text in sorted(parts, key=lambda item: -item[0])[:3]]
    more = f"; the three highest of the {len(parts)} models with fewer predictors" if len(parts) > 3 else ""
    interval = f"{fmt.level(info.protocol.evaluation.level)} CI"
    text = f"AUC vs that of {model_phrase(label)} on the same patients ({interval} of the difference{more}): "
    text += f"{'; '.join(shown)}."
    yield TrustLine("Simpler models", word, text, Link("comparisons", "#tables"))


def _timing(run: _Run) -> TrustLine:
    late, asked = late_words(run.fits[run.primary], run.info), STAGES[run.info.protocol.prediction_at]
    if late:
        return TrustLine("Known in time", "not all predictors", f"Uses {late}.", Link("predictors", "#predictors"))
    return TrustLine("Known in time", "all predictors", f"All are known {asked}.", Link("predictors", "#predictors"))


def _predicted(run: _Run) -> TrustLine:
    missing = {}
    for partition, size in run.sizes.items():
        row = run.row(run.primary, partition)
        if row is not None and int(row["n"]) < size:
            missing[partition] = size - int(row["n"])
    total = sum(run.sizes.values())
    if not missing:
        return TrustLine("Not predicted", "none", f"All {total} patients have a prediction.", Link("flow", "#cohort"))
    where = ", ".join(f"{_label(run, partition)} {count}" for partition, count in missing.items())
    word = f"{sum(missing.values())} of {total}"
    return TrustLine("Not predicted", word, f"Patients without a prediction: {where}.", Link("reasons", "#models"))


def _stability(run: _Run, marks: Sequence[str]) -> Iterator[TrustLine]:
    """Cautions on the fit that no other line gives."""
    said = [mark for mark in marks if not mark.startswith(("Uses ", "Few patients"))]
    if said:
        yield TrustLine("Coefficients", "read with caution", " ".join(said), Link("model", "#models"))


def _all_models(run: _Run) -> Grid:
    """AUCs of every model, one row per model."""
    headings: list[str] = []
    rows = []
    for model in run.info.protocol.models:
        cells = {}
        for spot in _spots(run, model):
            n = spot.note.removesuffix(", apparent")
            cells[spot.label] = spot.text + (f"; {n}" if " of " in n and n.startswith("n =") else "")
        headings = headings or list(cells)
        rows.append((run.info.protocol.model_label(model), *(cells.get(name, fmt.NOT_AVAILABLE) for name in headings)))
    return Grid(("Model", *headings), tuple(rows))


def _label(run: _Run, partition: str) -> str:
    return run.info.protocol.partition_label(partition)
