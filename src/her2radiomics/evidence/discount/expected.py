"""What a reported test AUC is expected to be in new patients, with its interval and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.evidence.discount.calibration import LEVEL, covariates, sampling_variance, separation, shipped
from her2radiomics.evidence.discount.chains import ORDERS
from her2radiomics.evidence.discount.support import shipped_support
from her2radiomics.statistics._result import Result

#: How a chain was fitted, inside a sentence.
FITTED = {
    "leak_safe": "with all steps fitted on training patients",
    "as_published": "with the first steps fitted on training and test patients together, as published",
}


@dataclass(frozen=True)
class ExpectedAuc(Result):
    """AUC expected in new patients.

    Attributes
    ----------
    reported
        The test AUC.
    n, events, features, test_n
        Patients of the study (training and test), those with the outcome, features that selection started from, patients
        of the test set.
    chain, order
        Chain of the benchmark, and whether it was fitted ``leak_safe`` or ``as_published``.
    expected, low, high
        Expected AUC and the interval for a new data set; NaN without support.
    level
        Of the interval.
    unsupported
        Why there is no number, in words; empty where there is one.
    beyond
        In what the study goes beyond the benchmark though there is a number, as a sentence.
    """

    reported: float
    n: int
    events: int
    features: int
    test_n: int
    chain: str
    order: str
    expected: float
    low: float
    high: float
    level: float
    unsupported: tuple[str, ...] = ()
    beyond: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers in one row; what is in words is the remark."""
        return super().to_frame().drop(columns="beyond")

    @property
    def remark(self) -> str:
        """The result in words."""
        return self.sentence

    @property
    def sentence(self) -> str:
        """The result for a reader who is no statistician.

        The first sentence gives the expected AUC, how much less or more than the reported it is (in hundredths, as both are
        printed), and its interval. The second says that the reported AUC is above, below or
        inside the interval. Others are added where the interval includes 0.5, and where the study has more features than the
        benchmark. Without support one sentence says why.
        """
        if self.unsupported:
            return (
                f"The benchmark does not support a statement on this test AUC of {self.reported:.2f}: "
                f"{'; '.join(self.unsupported)}."
            )
        first = (
            f"In public radiomics tables, models made by the same steps ({FITTED[self.order]}) that had a test AUC of "
            f"{self.reported:.2f} in {self.test_n} patients had an AUC of about {self.expected:.2f} in new patients"
            f"{self._difference()}; for {self.level:.0%} of new data sets it is expected between {self.low:.2f} and "
            f"{self.high:.2f}."
        )
        if self.reported > self.high:
            second = "The reported AUC is above this interval: it is likely too high."
        elif self.reported < self.low:
            second = "The reported AUC is below this interval: it is likely too low."
        else:
            second = "The reported AUC is within this interval."
        third = (
            "The interval includes 0.5: no discrimination at all is not excluded."
            if self.low <= 0.5 <= self.high
            else ""
        )
        return " ".join(filter(None, (first, second, third, self.beyond)))

    def _difference(self) -> str:
        hundredths = round(100 * round(self.reported, 2)) - round(100 * round(self.expected, 2))
        return (
            f", {abs(hundredths) / 100:.2f} {'less' if hundredths > 0 else 'more'} than reported" if hundredths else ""
        )


def expected_auc(
    reported: float,
    *,
    n: int,
    events: int,
    features: int,
    test_n: int,
    chain: str,
    order: str = "leak_safe",
    test_events: int | None = None,
    level: float = LEVEL,
) -> ExpectedAuc:
    """Expect the AUC in new patients from a reported test AUC, by the shipped benchmark.

    Parameters
    ----------
    reported
        AUC of a radiomics model in the study's own test set.
    n, events
        Patients of the study, training and test set together, and those with the outcome.
    features
        Features that the selection started from.
    test_n
        Patients of the test set.
    chain
        Chain of the benchmark, as :func:`~her2radiomics.evidence.discount.chain_of` names it; another one has no support.
    order
        ``leak_safe``: every step is fitted on training patients; ``as_published``: the chain's first steps on all patients
        of the study.
    test_events
        Patients of the test set with the outcome; without it the study's share of them.
    level
        Share of new data sets whose AUC the interval is to hold.

    Returns
    -------
    ExpectedAuc
        With NaN, and the reasons in words, where the benchmark has no support.

    Raises
    ------
    ValueError
        Numbers that no study can have, an unknown order, or a level that the number of data sets does not allow.

    Notes
    -----
    The interval is for a model on one new data set of the benchmark's kind, in many new patients from the same source. A
    change of hospital, scanner or time is not in the benchmark and comes on top.
    """
    test_events = max(1, min(test_n - 1, round(test_n * events / n))) if test_events is None else test_events
    _check(reported, n, events, test_n, test_events, order)
    reasons = shipped_support().reasons(
        reported, n=n, events=events, features=features, test_n=test_n, chain=chain, order=order
    )
    expected = low = high = float("nan")
    beyond = ""
    if not reasons:
        beyond = shipped_support().beyond(features)
        others = test_n - test_events
        d = separation(reported, test_events, others)
        noise = sampling_variance(d, test_events, others)
        z = covariates(np.array([n]), np.array([events]))
        found = shipped().interval((chain, order), z, d[None], noise[None], level)
        expected, low, high = (float(value) for value in found[0])
    return ExpectedAuc(reported, n, events, features, test_n, chain, order, expected, low, high, level, reasons, beyond)


def _check(reported: float, n: int, events: int, test_n: int, test_events: int, order: str) -> None:
    if not 0 <= reported <= 1:
        raise ValueError(f"reported: found {reported}; expected an AUC between 0 and 1")
    if not 0 < events < n:
        raise ValueError(f"events: found {events} of {n} patients; expected patients with and without the outcome")
    if not 0 < test_n < n:
        raise ValueError(f"test_n: found {test_n} of {n} patients; expected a part of the study")
    if not 0 < test_events < test_n:
        raise ValueError(
            f"test_events: found {test_events} of {test_n}; expected patients with and without the outcome"
        )
    if order not in ORDERS:
        raise ValueError(f"order: found '{order}'; expected one of {', '.join(ORDERS)}")
