"""What a protocol's ``evaluation:`` section may say."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from her2radiomics.core.settings import Settings

Interval = Literal["delong", "delong_logit", "binomial_exact", "bootstrap"]


class IntervalWords(NamedTuple):
    """How an interval of the AUC is named in a figure, below a table and in a methods section, and its reference."""

    short: str
    label: str
    sentence: str
    reference: str


INTERVALS: dict[Interval, IntervalWords] = {
    "delong": IntervalWords("DeLong", "DeLong", "by DeLong's method", "delong_1988"),
    "delong_logit": IntervalWords(
        "DeLong, logit scale",
        "DeLong on the logit scale (Hanley's bound where the classes are separated)",
        "by DeLong's method on the logit scale",
        "delong_1988",
    ),
    "binomial_exact": IntervalWords(
        "exact binomial",
        "exact binomial (Clopper–Pearson, x = AUC · n)",
        "by the exact binomial method (Clopper–Pearson, x = AUC · n), with DeLong's interval as well",
        "clopper_1934",
    ),
    "bootstrap": IntervalWords(
        "bootstrap", "bootstrap percentiles", "as percentiles of {bootstrap} bootstrap resamples", "efron_1993"
    ),
}


class EvaluationSettings(Settings):
    """How models are judged."""

    ci_method: Interval = Field(
        default="delong",
        description="Interval of the AUC in the tables. delong_logit: DeLong on the logit scale, with Hanley's bound where "
        "the classes are separated. binomial_exact (AUC·n of n, as MedCalc) is there to reproduce published intervals; "
        "DeLong's is then printed beside it. All of them are always in performance_extra.csv.",
    )
    level: float = Field(default=0.95, gt=0, lt=1, description="Level of all confidence intervals.")
    bootstrap: int = Field(default=1000, ge=100, description="Resamples of the AUC's bootstrap interval.")
    calibration_bootstrap: int = Field(
        default=200,
        ge=0,
        description="Resamples of the calibration curve: refits of the final regression on training rows, and the "
        "band on other partitions. 0: neither correction nor band.",
    )
    pipeline_bootstrap: int = Field(
        default=40,
        ge=0,
        description="Resamples of the training curve corrected by refits of the whole pipeline, selection included. "
        "0: none.",
    )
    hosmer_lemeshow_groups: int = Field(default=10, ge=3, description="Groups of risk of the Hosmer–Lemeshow test.")
    net_benefit_thresholds: list[float] = Field(
        default_factory=lambda: [0.25, 0.5, 0.75],
        description="Threshold probabilities, each from 0 to below 1, at which net benefit is tabled.",
    )
    comparisons: list[tuple[str, str]] = Field(
        default_factory=list,
        description="Pairs of models, the reference first: net reclassification (category-free, and between the classes "
        "at each model's own threshold), integrated discrimination and difference of net benefit of the second.",
    )
