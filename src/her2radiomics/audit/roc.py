"""Areas under the ROC curve: intervals, granularity, and rates at a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.audit.counts import numerators
from her2radiomics.core.printed import Number, Printed, decimal, parse, span
from her2radiomics.statistics import proportion_interval

Z95 = 1.959963984540054
Method = Literal["binomial_exact", "delong", "hanley_mcneil"]
RATES = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
NAMES = {"binomial_exact": "exact binomial", "delong": "DeLong", "hanley_mcneil": "Hanley–McNeil"}


def hanley_mcneil_se(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an AUC from the AUC and the group sizes alone.

    References
    ----------
    Hanley & McNeil, Radiology 143 (1982) 29–36.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return math.sqrt(spread / (positives * negatives))


def auc_interval(
    auc: Number, low: Number, high: Number, n: int, positives: int | None = None, claimed: Method | None = None
) -> Finding:
    """Which method gives the printed 95% interval of an AUC?

    Parameters
    ----------
    auc, low, high
        As printed.
    n
        Patients.
    positives
        Patients with the outcome, where stated.
    claimed
        The method that the paper names, if any.

    Notes
    -----
    Exact binomial: Clopper–Pearson with x = AUC · n, as MedCalc offers. DeLong's variance needs the scores, but its
    interval is AUC ± 1.96 SE: one that is not symmetric about the AUC, and not cut off at 1, cannot be DeLong's.
    Hanley–McNeil's needs the group sizes. Bootstrap and logit intervals cannot be made again from print.
    """
    if not (low.low <= auc.high and auc.low <= high.high and high.low <= 1 and low.high >= 0):
        return found(
            False, f"The AUC {auc.text} lies outside its interval {low.text} to {high.text}, or that outside 0 to 1."
        )
    sentences, fits = [], []
    symmetric = abs((low.value + high.value) / 2 - auc.value) <= auc.half + (low.half + high.half) / 2 + 1e-9
    symmetric = symmetric or high.high >= 1
    middle = decimal((low.value + high.value) / 2, 4)
    sentences.append(
        f"The interval's middle {middle} is {'' if symmetric else 'not '}the AUC {auc.text}"
        + ("." if symmetric else ", so AUC ± 1.96 SE (DeLong, Hanley–McNeil) cannot have made it.")
    )
    exact = _exact(auc, n)
    if low.agrees(*exact[0]) and high.agrees(*exact[1]):
        fits.append("binomial_exact")
    sentences.append(f"Exact binomial with x = AUC·n, n = {n}: {_limit(exact[0])} to {_limit(exact[1])}.")
    if positives:
        errors = [hanley_mcneil_se(a, positives, n - positives) for a in (auc.low, auc.high)]
        lows = sorted(a - Z95 * e for a, e in zip((auc.low, auc.high), errors, strict=True))
        highs = sorted(min(a + Z95 * e, 1.0) for a, e in zip((auc.low, auc.high), errors, strict=True))
        if symmetric and low.agrees(*lows) and high.agrees(*highs):
            fits.append("hanley_mcneil")
        sentences.append(f"Hanley–McNeil with {positives} and {n - positives}: {_limit(lows)} to {_limit(highs)}.")
    names = join([NAMES[name] for name in fits], "or")
    if fits:
        sentences.append(f"The printed {low.text} to {high.text} is {names}.")
    if claimed == "delong" and not symmetric:
        return found(False, *sentences)
    if claimed in ("binomial_exact", "hanley_mcneil") and (claimed == "binomial_exact" or positives):
        return found(claimed in fits, *sentences)
    if fits:
        return found(True, *sentences)
    if high.value - auc.value > auc.value - low.value + 2 * auc.half + low.half + high.half and auc.value > 0.5:
        sentences.append("Its upper arm is the longer one, while an AUC above 0.5 varies more downwards.")
    sentences.append("A bootstrap interval cannot be made again from print.")
    return unknown(f"Printed {low.text} to {high.text}.", *sentences)


def _limit(ends: Sequence[float]) -> str:
    """A limit of an interval, or its range, with a dash."""
    return span(ends[0], ends[1], word="–")


def _exact(auc: Number, n: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Range of the lower and of the upper exact limit that the AUC's rounding allows."""
    least, most = proportion_interval(max(auc.low, 0) * n, n), proportion_interval(min(auc.high, 1) * n, n)
    return (least[0], most[0]), (least[1], most[1])


class AucInterval(Check):
    """The interval of an AUC against the methods that can be made again from print."""

    check: Literal["auc_interval"]
    auc: Printed = Field(description="Printed AUC.")
    low: Printed = Field(description="Lower limit of its 95% interval.")
    high: Printed = Field(description="Upper limit.")
    n: int = Field(ge=2, description="Number of patients.")
    positives: int | None = Field(None, gt=0, description="Number with the outcome, where stated.")
    claimed: Method | None = Field(None, description="Method that the paper names or implies.")

    @model_validator(mode="after")
    def _both_groups(self) -> AucInterval:
        if self.positives is not None and self.positives >= self.n:
            raise ValueError(f"positives: found {self.positives} of n = {self.n}; expected fewer")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`auc_interval`."""
        return auc_interval(parse(self.auc), parse(self.low), parse(self.high), self.n, self.positives, self.claimed)


def auc_granularity(auc: Number, positives: int, negatives: int) -> Finding:
    """Can so few pairs of patients have this AUC?

    An AUC is the share of pairs (one with, one without the outcome) that are ranked rightly, a tie counting one half:
    a whole number of halves over 2 · positives · negatives.
    """
    halves = 2 * positives * negatives
    if 2 * auc.half * halves >= 1:
        return unknown(f"{positives} × {negatives} pairs are so many that every printed AUC is possible.")
    fits = numerators(auc, halves)
    pairs = positives * negatives
    if fits:
        return found(
            True, f"{fits[0] / 2:g} of {positives} × {negatives} = {pairs} pairs is {auc.like(fits[0] / halves)}."
        )
    below = math.floor(auc.value * halves)
    near = join([f"{k / 2:g}/{pairs} = {decimal(k / halves, 4)}" for k in (below, below + 1)])
    return found(False, f"No number of {positives} × {negatives} = {pairs} pairs gives {auc.text}: {near}.")


class AucGranularity(Check):
    """An AUC against the number of pairs that it is a share of."""

    check: Literal["auc_granularity"]
    auc: Printed = Field(description="Printed AUC.")
    positives: int = Field(gt=0, description="Patients with the outcome.")
    negatives: int = Field(gt=0, description="Patients without.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`auc_granularity`."""
        return auc_granularity(parse(self.auc), self.positives, self.negatives)


def above_training(
    training: Number,
    test: Number,
    training_groups: tuple[int, int] | None = None,
    test_groups: tuple[int, int] | None = None,
) -> Finding:
    """Does a model do better on new patients than on those it learned from, by more than chance?

    Parameters
    ----------
    training, test
        The two AUCs as printed.
    training_groups, test_groups
        Patients with and without the outcome, where known.

    Notes
    -----
    The AUC on training patients is an optimistic estimate, so that the test AUC is expected below it. The difference of
    two independent AUCs is compared with its standard error (Hanley & McNeil 1982).
    """
    difference = test.value - training.value
    said = f"Test {test.text}, training {training.text}: difference {decimal(difference)}"
    if difference <= 0:
        return found(True, f"{said}, as expected of patients from whom nothing was learned.")
    if training_groups is None or test_groups is None:
        return unknown(
            f"{said}, the other way than expected of patients from whom nothing was learned; whether chance does it "
            "cannot be said without the groups."
        )
    error = math.hypot(hanley_mcneil_se(training.value, *training_groups), hanley_mcneil_se(test.value, *test_groups))
    within = difference <= Z95 * error
    groups = (
        f"{training_groups[0]} and {training_groups[1]} in training, {test_groups[0]} and {test_groups[1]} in the test"
    )
    return found(
        within,
        f"{said}, the other way than expected of patients from whom nothing was learned.",
        f"Its standard error is {decimal(error)} ({groups}): z = {decimal(difference / error, 2)}, "
        + ("which chance may do." if within else "more than chance does in one of twenty."),
    )


class AboveTraining(Check):
    """A model that does better on the test patients than on those that it learned from."""

    check: Literal["test_above_training"]
    training: Printed = Field(description="AUC in training.")
    test: Printed = Field(description="AUC of the same model on other patients.")
    training_groups: tuple[int, int] | None = Field(
        None, description="Training patients with and without the outcome, where known."
    )
    test_groups: tuple[int, int] | None = Field(None, description="The same of the other patients.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`above_training`."""
        return above_training(parse(self.training), parse(self.test), self.training_groups, self.test_groups)


def tables_that_fit(rates: Mapping[str, Number], positives: int, negatives: int) -> Iterator[tuple[int, int]]:
    """(true positives, true negatives) with which all the printed rates are possible."""
    for tp in numerators(rates["sensitivity"], positives) if "sensitivity" in rates else range(positives + 1):
        for tn in numerators(rates["specificity"], negatives) if "specificity" in rates else range(negatives + 1):
            fp, fn = negatives - tn, positives - tp
            fractions = {"ppv": (tp, tp + fp), "npv": (tn, tn + fn), "accuracy": (tp + tn, positives + negatives)}
            wanted = [(rates[name], *fractions[name]) for name in fractions if name in rates]
            if all(m and rate.agrees(k / m) for rate, k, m in wanted):
                yield tp, tn


def rates(printed: Mapping[str, Number], positives: int, negatives: int) -> Finding:
    """Do sensitivity, specificity, predictive values and accuracy belong to the stated groups and to each other?

    Where they do not, the splits of the same number of patients with which they do are named.
    """
    fits = list(tables_that_fit(printed, positives, negatives))
    said = join([f"{name} {rate.text}" for name, rate in printed.items()])
    if fits:
        tp, tn = fits[0]
        more = f" ({len(fits)} such tables)" if len(fits) > 1 else ""
        return found(True, f"{said}: {tp}/{positives} and {tn}/{negatives} give them{more}.")
    n = positives + negatives
    splits = [(p, *next(tables_that_fit(printed, p, n - p), (None, None))) for p in range(1, n)]
    others = [f"{p} and {n - p} ({tp}/{p}, {tn}/{n - p})" for p, tp, tn in splits if tp is not None]
    return found(
        False,
        f"No 2 × 2 table of {positives} with and {negatives} without the outcome has {said}.",
        f"Of {n} patients these groups would: {join(others[:4], 'or')}."
        if others
        else f"No groups of {n} patients would.",
    )


class Rates(Check):
    """Sensitivity, specificity, predictive values and accuracy at one threshold against the groups."""

    check: Literal["rates"]
    positives: int = Field(gt=0, description="Stated patients with the outcome.")
    negatives: int = Field(gt=0, description="Stated patients without.")
    sensitivity: Printed | None = Field(None, description="Printed sensitivity.")
    specificity: Printed | None = Field(None, description="Printed specificity.")
    ppv: Printed | None = Field(None, description="Printed positive predictive value.")
    npv: Printed | None = Field(None, description="Printed negative predictive value.")
    accuracy: Printed | None = Field(None, description="Printed accuracy.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`rates`."""
        given = {name: parse(text) for name in RATES if (text := getattr(self, name))}
        if not given:
            return unknown("No rate is printed.")
        return rates(given, self.positives, self.negatives)
