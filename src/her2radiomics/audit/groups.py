"""What group sizes allow: a stratified split, an AUC of printed counts and coefficients, follow-up beside survival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.audit.means import Group, MeanSd, parse_mean_sd
from her2radiomics.core.libraries import scipy
from her2radiomics.core.printed import Number, Printed, decimal, parse, percent
from her2radiomics.core.settings import Settings


def stratified(partitions: Mapping[str, tuple[int, int]]) -> Finding:
    """Is each partition's share of the outcome that of all, to the patient?

    Parameters
    ----------
    partitions
        Partition to its patients with the outcome, and all its patients.

    Notes
    -----
    A split that is stratified by outcome divides each class in the stated ratio and rounds to whole patients, so that a
    partition is off by less than one.
    """
    events, patients = (sum(part[place] for part in partitions.values()) for place in (0, 1))
    wanted = {name: n * events / patients for name, (_, n) in partitions.items()}
    agrees = all(abs(count - wanted[name]) <= 1 + 1e-9 for name, (count, _) in partitions.items())
    words = [
        f"{name} {count} of {n} ({percent(count / n, 1)}; stratified {wanted[name]:.1f})"
        for name, (count, n) in partitions.items()
    ]
    return found(agrees, f"{events} of {patients} have the outcome ({percent(events / patients, 1)}): {join(words)}.")


class Stratified(Check):
    """Partitions that are said to be stratified by outcome, against their counts."""

    check: Literal["stratified"]
    partitions: dict[str, tuple[int, int]] = Field(
        min_length=2, description="Partition: [patients with the outcome, all its patients]."
    )

    @model_validator(mode="after")
    def _counts(self) -> Stratified:
        for name, (count, n) in self.partitions.items():
            if not 0 <= count <= n or n == 0:
                raise ValueError(f"partitions.{name}: found {count} of {n}; expected [with the outcome, all]")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`stratified`."""
        return stratified(self.partitions)


@dataclass(frozen=True)
class CountedPredictor:
    """A predictor in print: counts of its levels, [with the outcome, without], coded 0, 1, …; and its weight, if any."""

    name: str
    counts: Sequence[tuple[int, int]]
    beta: float | None = None
    log_odds_ratio: float | None = None


def auc_of(score: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """AUC of a score with finitely many values, given each value's probability with and without the outcome."""
    higher = score[:, None] > score[None, :]
    same = np.isclose(score[:, None], score[None, :], rtol=0, atol=1e-12)
    return float(positive @ (higher & ~same) @ negative + 0.5 * positive @ same @ negative)


def auc_from_counts(auc: Number, predictors: Sequence[CountedPredictor]) -> Finding:
    """Which AUC do printed counts and coefficients give, and is it the printed one?

    Notes
    -----
    For one predictor the counts decide. For several the joint counts are not printed: what is computed then takes the
    predictors as independent inside each class. The best score is the likelihood ratio (Neyman & Pearson 1933), so that
    no weights do better on such patients.
    """
    cells = list(product(*(range(len(p.counts)) for p in predictors)))
    chances = []
    for place in (0, 1):
        shares = [np.array([row[place] for row in p.counts], dtype=float) for p in predictors]
        chances.append(
            np.array([math.prod(s[i] / s.sum() for s, i in zip(shares, cell, strict=True)) for cell in cells])
        )
    positive, negative = chances
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(positive + negative > 0, np.log(positive) - np.log(negative), 0.0)
    best = auc_of(np.nan_to_num(ratio, posinf=1e9, neginf=-1e9), positive, negative)
    made = {"the best weights": best}
    for words, given in (
        ("the printed coefficients", [p.beta for p in predictors]),
        ("the printed odds ratios", [p.log_odds_ratio for p in predictors]),
    ):
        weights = [weight for weight in given if weight is not None]
        if len(weights) == len(predictors):
            score = np.array([sum(w * i for w, i in zip(weights, cell, strict=True)) for cell in cells])
            made[words] = auc_of(score, positive, negative)
    said = join([f"{decimal(value)} with {name}" for name, value in made.items()])
    if len(predictors) == 1:
        return found(
            any(auc.agrees(value) or auc.agrees(1 - value) for value in made.values()),
            f"The counts of {predictors[0].name} give an AUC of {said}; printed {auc.text}.",
        )
    verdict = "which is above" if auc.low > best else "which is not above"
    return unknown(
        f"With the {len(predictors)} predictors independent inside each class the counts give an AUC of {said}; printed "
        f"{auc.text}, {verdict} the best of them.",
        "The joint counts are not printed, so that nothing more can be said.",
    )


class PrintedPredictor(Settings):
    """A predictor of a printed model."""

    name: str = Field(description="As printed.")
    counts: list[tuple[int, int]] = Field(
        min_length=2, description="[with the outcome, without] a level, in the order of the codes 0, 1, 2, …"
    )
    beta: Printed | None = Field(None, description="Coefficient as printed, for a step of one level.")
    odds_ratio: Printed | None = Field(None, description="Odds ratio as printed.")

    @model_validator(mode="after")
    def _patients(self) -> PrintedPredictor:
        if any(sum(row[place] for row in self.counts) == 0 for place in (0, 1)):
            raise ValueError(f"{self.name}.counts: found no patient with, or none without, the outcome")
        return self


class AucFromCounts(Check):
    """A printed AUC against the counts and weights of the model's predictors."""

    check: Literal["auc_from_counts"]
    auc: Printed = Field(description="Printed AUC.")
    predictors: list[PrintedPredictor] = Field(min_length=1, max_length=10, description="The model's predictors.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`auc_from_counts`."""
        counted = [
            CountedPredictor(
                p.name,
                p.counts,
                parse(p.beta).value if p.beta else None,
                math.log(parse(p.odds_ratio).value) if p.odds_ratio else None,
            )
            for p in self.predictors
        ]
        return auc_from_counts(parse(self.auc), counted)


def follow_up(worse: MeanSd, better: MeanSd, p: Number, *, ends_with_event: bool | None = None) -> Finding:
    """Can follow-up be as long in the group with more events?

    Parameters
    ----------
    worse, better
        Follow-up of the group with more events and of the other.
    p
        Printed p of the log-rank test.
    ends_with_event
        Whether the paper says that follow-up ends with the event (or that it does not); ``None``: it does not say.

    Notes
    -----
    Fewest events: the log-rank χ² is largest when every event falls into the smaller group at its start; with a share π
    of the patients there it is at most D (1 − π)/π.
    """
    share = worse.n / (worse.n + better.n)
    least = math.ceil(float(scipy.stats.chi2.isf(p.value, 1)) * share / (1 - share))
    words = [
        f"Mean follow-up {worse.mean.text} (n = {worse.n}) in the group with more events, {better.mean.text} "
        f"(n = {better.n}) in the other; a log-rank p {p.text} needs {least} events or more."
    ]
    if worse.mean.high < better.mean.low:
        return found(True, *words, "It is shorter where more events end it.")
    if ends_with_event:
        return found(False, *words, "Follow-up that ends with the event must be shorter where there are more events.")
    said = "Follow-up that ends with the event would be shorter there; it can be as long only as potential follow-up"
    if ends_with_event is False:
        return found(True, *words, f"{said}, as the paper says it is.")
    return unknown(*words, f"{said}, up to the closing date, and the paper does not say which it means.")


class FollowUp(Check):
    """Follow-up that does not differ between groups whose survival does."""

    check: Literal["follow_up"]
    worse: Group = Field(description="Follow-up of the group with more events.")
    better: Group = Field(description="Follow-up of the other group.")
    p: Printed = Field(description="Printed p of the log-rank test.")
    ends_with_event: bool | None = Field(
        None, description="Whether the paper says that follow-up ends with the event; empty: it does not say."
    )

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`follow_up`."""
        worse, better = (parse_mean_sd(group.mean_sd, group.n) for group in (self.worse, self.better))
        return follow_up(worse, better, parse(self.p), ends_with_event=self.ends_with_event)
