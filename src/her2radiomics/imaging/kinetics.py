"""Contrast kinetics of a region: the curve of its mean signal, maps of enhancement, functional tumour volume.

Arrays have the shape ``(z, y, x)``; times are seconds after the injection, enhancement is in percent. Definitions and their
sources stand in :mod:`her2radiomics.core.measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import scipy

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Background of functional tumour volume: this share of this percentile of the pre-contrast signal in the region.
BACKGROUND_SHARE, BACKGROUND_PERCENTILE = 0.60, 95.0
#: Neighbours, of 26, that must enhance likewise for a voxel to count.
NEIGHBOURS = 4


def precontrast_time(times: Sequence[float]) -> float:
    """The last time before the injection.

    Raises
    ------
    CaseError
        There is none, or no phase after the injection.
    """
    before = [time for time in times if time <= 0]
    if not before or len(before) == len(times):
        lacking = "before" if not before else "after"
        raise CaseError(
            found=f"no phase {lacking} the injection (times {_seconds(times)})",
            expected="a phase at 0 s or earlier, and phases after it",
            remedy="Fill in 'seconds' of the phases in the manifest.",
        )
    return max(before)


def nearest_phases(times: Sequence[float], early: float, late: float) -> tuple[float, float]:
    """Times of the phases after the injection that lie nearest to an early and a late time.

    Raises
    ------
    CaseError
        One phase is the nearest to both.
    """
    after = [time for time in times if time > 0]
    first, second = (min(after, key=lambda time: (abs(time - wanted), time)) for wanted in (early, late))
    if first >= second:
        raise CaseError(
            found=f"one phase nearest to both {early:g} s and {late:g} s (times {_seconds(times)})",
            expected="an early and a late phase",
            remedy="Add the other phases to the manifest, or change early_seconds and late_seconds.",
        )
    return first, second


@dataclass(frozen=True)
class Curve:
    """Mean signal of a region over time.

    Attributes
    ----------
    before
        Signal before the injection, above 0.
    times, signals
        Of the phases after the injection, ascending in time.
    """

    before: float
    times: tuple[float, ...]
    signals: tuple[float, ...]

    @classmethod
    def of(cls, signals: Mapping[float, float]) -> Curve:
        """From time to mean signal.

        Raises
        ------
        CaseError
            No phase lies before or after the injection, or the signal before it is not above 0.
        """
        first = precontrast_time([*signals])
        if not signals[first] > 0:
            raise CaseError(
                found=f"a mean signal of {signals[first]:g} before the injection",
                expected="a signal above 0",
                remedy="Check that the phase is the magnitude image and no subtraction.",
            )
        after = sorted(time for time in signals if time > 0)
        return cls(signals[first], tuple(after), tuple(signals[time] for time in after))

    def enhancement(self, signal: float) -> float:
        """Enhancement of a signal over that before the injection, in percent."""
        return 100.0 * (signal - self.before) / self.before

    def peak(self, until: float = np.inf) -> tuple[float, float]:
        """Time and signal of the largest signal up to a time; of equal ones the first.

        Raises
        ------
        CaseError
            No phase lies between the injection and that time.
        """
        found = [(time, s) for time, s in zip(self.times, self.signals, strict=True) if time <= until]
        if not found:
            raise CaseError(
                found=f"no phase in the first {until:g} s after the injection (times {_seconds(self.times)})",
                expected="an early phase",
                remedy="Change early_seconds to the time of the study's early phase.",
            )
        return max(found, key=lambda point: point[1])

    def late_change(self, early: float, until: float | None = None) -> tuple[float, float]:
        """Change of the signal from its largest up to the early time to the last phase after it, and how long that takes.

        Parameters
        ----------
        early
            End of the early part, in s.
        until
            End of the late part, in s; ``None``: the last phase.

        Returns
        -------
        tuple of float
            The change in percent, and the time between the two phases in minutes.

        Raises
        ------
        CaseError
            No phase lies in one of the parts.
        """
        peak_time, peak_signal = self.peak(early)
        points = zip(self.times, self.signals, strict=True)
        found = [point for point in points if point[0] > early and (until is None or point[0] <= until)]
        if not found:
            to = "" if until is None else f" and up to {until:g} s"
            raise CaseError(
                found=f"no phase after {early:g} s{to} (times {_seconds(self.times)})",
                expected="a late phase",
                remedy="Add the later phases to the manifest, or change late_seconds.",
            )
        late_time, late_signal = found[-1]
        return 100.0 * (late_signal - peak_signal) / peak_signal, (late_time - peak_time) / 60.0


def curve_type(late_change: float, flat_within: float = 10.0) -> int:
    """Type of a curve: 0 persistent, 1 plateau, 2 wash-out, by its late change and the width of a plateau, both in %."""
    return 0 if late_change > flat_within else 2 if late_change < -flat_within else 1


def percent_enhancement(before: Array, early: Array) -> Array:
    """Enhancement of each voxel, 100 · (S₁ − S₀) / S₀; not a number where S₀ is not above 0."""
    return 100.0 * _ratio(early - before, np.where(before > 0, before, 0.0))


def signal_enhancement_ratio(before: Array, early: Array, late: Array) -> Array:
    """SER of each voxel (or of mean signals), (S₁ − S₀) / (S₂ − S₀); not a number where S₂ = S₀."""
    return _ratio(np.asarray(early) - before, np.asarray(late) - before)


def functional_tumour(
    before: Array, early: Array, late: Array, region: Mask, *, enhancing: float = 70.0, ratio_above: float = 0.0
) -> Mask:
    """Voxels of functional tumour volume in a region.

    Parameters
    ----------
    before, early, late
        Signal before the injection, at the early and at the late phase.
    region
        Volume of interest.
    enhancing
        Least early enhancement, in percent.
    ratio_above
        Signal enhancement ratios above this count.
    """
    background = BACKGROUND_SHARE * np.percentile(before[region], BACKGROUND_PERCENTILE)
    ratio = signal_enhancement_ratio(before, early, late)
    with np.errstate(invalid="ignore"):
        tumour = (before >= background) & (percent_enhancement(before, early) >= enhancing) & (ratio > 0)
        around = scipy.ndimage.correlate(tumour.astype(np.int64), np.ones((3, 3, 3), np.int64), mode="constant")
        return tumour & region & (around - 1 >= NEIGHBOURS) & (ratio > ratio_above)


def spot(values: Array, region: Mask, *, largest: bool) -> Mask:
    """The 3 × 3 voxels of a slice, all in the region, of the largest (or smallest) mean; of equal ones the first.

    Raises
    ------
    CaseError
        No such square fits into the region.
    """
    square = np.ones((1, 3, 3))
    known = region & np.isfinite(values)
    inside = scipy.ndimage.binary_erosion(known, square.astype(bool))
    if not inside.any():
        raise CaseError(
            found="no 3 × 3 voxels of a slice in the region",
            expected="a region that is at least three voxels wide",
            remedy="Measure the whole region (spot: false), or look at the outline.",
        )
    sums = scipy.ndimage.correlate(np.where(known, values, 0.0), square, mode="constant")
    sums = np.where(inside, sums if largest else -sums, -np.inf)
    z, y, x = np.unravel_index(sums.argmax(), sums.shape)
    found = np.zeros_like(region)
    found[z, y - 1 : y + 2, x - 1 : x + 2] = True
    return found


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0, np.asarray(above) / below, np.nan)


def _seconds(times: Sequence[float]) -> str:
    return ", ".join(f"{time:g}" for time in times) + " s"
