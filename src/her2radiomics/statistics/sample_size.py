"""How many patients a prediction model of a binary outcome needs, for its development and for its external validation.

References
----------
Riley et al., Statistics in Medicine 38 (2019) 1276–1296 and BMJ 368 (2020) m441 (development).
Riley et al., Statistics in Medicine 40 (2021) 859–880 (R² from the C statistic).
Riley et al., Statistics in Medicine 40 (2021) 4230–4251 (external validation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import as_number, public
from her2radiomics.statistics._result import Result

#: Points of Gauss–Hermite quadrature: the log-likelihood of normal scores is exact to 1e-10 with half of them.
_POINTS = 200


@dataclass(frozen=True)
class DevelopmentSize(Result):
    """Patients needed to develop a prediction model of a binary outcome.

    Attributes
    ----------
    n
        The largest of the three criteria.
    events
        Events among ``n`` patients.
    events_per_parameter
        ``events`` by ``parameters``.
    shrinkage, optimism, risk
        Patients needed for an expected shrinkage of at least ``target_shrinkage``; for an optimism of at most 0.05 in
        Nagelkerke's R²; and for an overall risk estimated to within ``margin``.
    r2, r2_max
        Cox–Snell R² that is anticipated, and the largest that this prevalence allows.
    """

    n: int
    events: float
    events_per_parameter: float
    shrinkage: int
    optimism: int
    risk: int
    r2: float
    r2_max: float
    parameters: int
    prevalence: float


@dataclass(frozen=True)
class ValidationSize(Result):
    """Patients needed to validate a prediction model of a binary outcome externally.

    Attributes
    ----------
    n
        The largest of the three criteria.
    observed_expected, slope, c_statistic
        Patients needed for 95% intervals of the asked widths.
    """

    n: int
    events: float
    observed_expected: int
    slope: int
    c_statistic: int
    prevalence: float


@public
def development_size(
    parameters: int,
    prevalence: float,
    *,
    r2: float | None = None,
    c_statistic: float | None = None,
    target_shrinkage: float = 0.9,
    margin: float = 0.05,
) -> DevelopmentSize:
    """Patients that the development of a model needs (Riley's criteria for a binary outcome).

    Parameters
    ----------
    parameters
        Candidate parameters: every coefficient that was a candidate, before any selection; at least 1.
    prevalence
        Share of patients with the event, between 0 and 1.
    r2, c_statistic
        What the model is anticipated to reach: Cox–Snell R², or the C statistic, of which R² is computed. One of both.
    target_shrinkage
        Expected shrinkage of the coefficients, below 1.
    margin
        Half the width of the 95% interval of the overall risk.

    Raises
    ------
    ValueError
        If a number is out of its range, both or none of ``r2`` and ``c_statistic`` are given, or R² is more than this
        prevalence allows.

    Examples
    --------
    >>> from her2radiomics.statistics import development_size
    >>> development_size(24, 0.174, r2=0.288).n
    662
    """
    if (r2 is None) == (c_statistic is None):
        raise ValueError("r2, c_statistic: found both or none, expected one of them.")
    found = r2_of_c(c_statistic, prevalence) if r2 is None else r2  # type: ignore[arg-type]
    most = r2_max(prevalence)
    if not 0 < found < most:
        raise ValueError(f"r2: found {found:g}, expected more than 0 and less than {most:.3f} at this prevalence.")

    def patients(shrunk: float) -> int:
        if found >= shrunk:
            raise ValueError(f"r2: found {found:g}, expected less than the shrinkage {shrunk:g}.")
        return math.ceil(parameters / ((shrunk - 1) * math.log1p(-found / shrunk)))

    sizes = {
        "shrinkage": patients(target_shrinkage),
        "optimism": patients(found / (found + 0.05 * most)),
        "risk": math.ceil((_z(0.95) / margin) ** 2 * prevalence * (1 - prevalence)),
    }
    n = max(sizes.values())
    return DevelopmentSize(
        n=n,
        events=n * prevalence,
        events_per_parameter=n * prevalence / parameters,
        r2=found,
        r2_max=most,
        parameters=parameters,
        prevalence=prevalence,
        **sizes,
    )


@public
def expected_shrinkage(n: int, parameters: int, r2: float) -> float:
    """Shrinkage factor that coefficients of a model on ``n`` patients are expected to need (Riley 2019, eq. 5).

    Returns 1 + ``parameters`` / (``n`` · ln(1 − R²)), where R² (Cox–Snell) is the apparent one divided by no shrinkage
    already; zero or less means that nothing can be expected to remain.

    Raises
    ------
    ValueError
        If ``r2`` is not between 0 and 1, or ``parameters`` is below 1.
    """
    return 1 + parameters / (n * math.log1p(-r2))


@public
def validation_size(
    prevalence: float,
    c_statistic: float,
    *,
    mean: float | None = None,
    sd: float | None = None,
    width_observed_expected: float = 0.2,
    width_slope: float = 0.2,
    width_c: float = 0.1,
) -> ValidationSize:
    """Patients that an external validation needs (Riley's criteria for a binary outcome; calibrated model).

    Parameters
    ----------
    prevalence
        Share of patients with the event, between 0 and 1.
    c_statistic
        Anticipated C statistic, between 0.5 and 1.
    mean, sd
        Of the normal distribution of the linear predictor. Without them the predictor is normal in each class with a
        common variance, as the C statistic and the prevalence ask.
    width_observed_expected, width_slope, width_c
        Widths of the 95% intervals of O:E, of the calibration slope and of the C statistic.

    Raises
    ------
    ValueError
        If a number is out of its range, or one of ``mean`` and ``sd`` is given alone.
    """
    _discriminates(c_statistic)
    if (mean is None) != (sd is None):
        raise ValueError("mean, sd: found one of them, expected both or none.")
    widths = {"width_observed_expected": width_observed_expected, "width_slope": width_slope, "width_c": width_c}
    for name, width in widths.items():
        if as_number(width, name) <= 0:
            raise ValueError(f"{name}: found {width:g}, expected more than 0.")
    if sd is not None and sd <= 0:
        raise ValueError(f"sd: found {sd:g}, expected more than 0.")
    ratio = _log_ratio_error(width_observed_expected)
    oe = math.ceil((1 - prevalence) / (prevalence * ratio**2))
    slope = math.ceil(_slope_variance(prevalence, c_statistic, mean, sd) * (2 * _z(0.95) / width_slope) ** 2)
    auc = _c_size(prevalence, c_statistic, width_c / (2 * _z(0.95)))
    n = max(oe, slope, auc)
    return ValidationSize(n, n * prevalence, oe, slope, auc, prevalence)


@public
def c_statistic_error(n: int, prevalence: float, c_statistic: float) -> float:
    """Standard error of a C statistic in ``n`` patients (Newcombe 2006, as in Riley 2021).

    Raises
    ------
    ValueError
        If ``prevalence`` is not between 0 and 1, or ``c_statistic`` not between 0.5 and 1.
    """
    _discriminates(c_statistic)
    half, c = n / 2 - 1, c_statistic
    spread = 1 + half * (1 - c) / (2 - c) + half * c / (1 + c)
    return math.sqrt(c * (1 - c) * spread / (n**2 * prevalence * (1 - prevalence)))


@public
def r2_max(prevalence: float) -> float:
    """Largest Cox–Snell R² that a model of an outcome of this prevalence can reach."""
    return 1 - math.exp(2 * _null(prevalence))


@public
def r2_of_c(c_statistic: float, prevalence: float) -> float:
    """Cox–Snell R² of a calibrated model with this C statistic, its linear predictor normal in each class.

    Riley et al. (2021) simulate it; it is an integral over two normal distributions, computed here by quadrature.

    Raises
    ------
    ValueError
        If ``c_statistic`` is not between 0.5 and 1.
    """
    _discriminates(c_statistic)
    likelihood = sum(
        float(weights @ -np.logaddexp(0, -side * scores)) for side, scores, weights in _classes(c_statistic, prevalence)
    )
    return 1 - math.exp(-2 * (likelihood - _null(prevalence)))


def _classes(c: float, prevalence: float) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Side, linear predictors and weights of quadrature of the two classes; the weights of both sum to 1."""
    apart = math.sqrt(2) * float(scipy.stats.norm.ppf(c))
    points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    weights = weights / weights.sum()
    start = math.log(prevalence / (1 - prevalence)) - apart**2 / 2
    return [
        (1, start + apart * (points + apart), weights * prevalence),
        (-1, start + apart * points, weights * (1 - prevalence)),
    ]


def _slope_variance(prevalence: float, c: float, mean: float | None, sd: float | None) -> float:
    """Variance of the calibration slope by one patient: of the inverse information of intercept and slope."""
    if mean is None or sd is None:
        classes = _classes(c, prevalence)
        scores = np.concatenate([scores for _, scores, _ in classes])
        weights = np.concatenate([weights for _, _, weights in classes])
    else:
        points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
        scores, weights = mean + sd * points, weights / weights.sum()
    shape = weights * scipy.special.expit(scores) * scipy.special.expit(-scores)
    with np.errstate(over="ignore", invalid="ignore"):
        a, ab, b = (float(shape @ scores**power) for power in (0, 1, 2))
    information = a * b - ab**2
    if not information > 0 or not math.isfinite(a / information):
        raise ValueError(
            f"mean, sd: found {mean} and {sd}, expected a linear predictor that varies and whose probabilities are not all "
            "0 or 1: it says nothing of a slope."
        )
    return a / information


def _c_size(prevalence: float, c: float, error: float) -> int:
    low, high = 2, 4
    while c_statistic_error(high, prevalence, c) > error:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if c_statistic_error(middle, prevalence, c) > error else (low, middle)
    return high


def _log_ratio_error(width: float) -> float:
    """Standard error of ln(O:E) whose 95% interval round 1 has this width: exp(z·s) − exp(−z·s) = width."""
    return math.asinh(width / 2) / _z(0.95)


def _null(prevalence: float) -> float:
    """Log-likelihood by patient of a model without predictors."""
    return prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)


def _z(level: float) -> float:
    return float(scipy.stats.norm.ppf((1 + level) / 2))


def _discriminates(c: float) -> None:
    if not 0.5 < as_number(c, "c_statistic") < 1:
        raise ValueError(f"c_statistic: found {c:g}, expected a number between 0.5 and 1.")
