"""PyRadiomics' first-order features of the intensities of one region, from one sorting."""

from __future__ import annotations

import numpy as np

EPS = np.spacing(1)


def first_order(values: np.ndarray, counts: np.ndarray, voxel_mm3: float, shift: float) -> dict[str, float]:
    """Features (``firstorder``) of intensities.

    Parameters
    ----------
    values
        Intensities of the region's voxels.
    counts
        Voxels of each grey level that occurs.
    voxel_mm3
        Volume of a voxel in mm³, for the total energy.
    shift
        PyRadiomics' ``voxelArrayShift``, added before squaring.
    """
    values = values.astype(float)
    rank, number = np.sort(values), len(values)
    tenth, quarter, upper, ninetieth = (_percentile(rank, share) for share in (10, 25, 75, 90))
    low, high, mean = float(rank[0]), float(rank[-1]), float(values.mean())
    apart = values - mean
    squares = apart * apart
    variance = float(squares.mean())
    middle = values[(values >= tenth) & (values <= ninetieth)]
    energy = float(((values + shift) ** 2).sum())
    share = counts / number
    return {
        "10Percentile": tenth,
        "90Percentile": ninetieth,
        "Energy": energy,
        "Entropy": float(-(share * np.log2(share + EPS)).sum()),
        "InterquartileRange": upper - quarter,
        "Kurtosis": float((squares * squares).mean()) / variance**2 if variance else 0.0,
        "Maximum": high,
        "MeanAbsoluteDeviation": float(abs(apart).mean()),
        "Mean": mean,
        "Median": float(rank[(number - 1) // 2] + rank[number // 2]) / 2,
        "Minimum": low,
        "Range": high - low,
        "RobustMeanAbsoluteDeviation": float(abs(middle - middle.mean()).mean()) if len(middle) else float("nan"),
        "RootMeanSquared": (energy / number) ** 0.5,
        "Skewness": float((squares * apart).mean()) / variance**1.5 if variance else 0.0,
        "TotalEnergy": energy * voxel_mm3,
        "Uniformity": float((share**2).sum()),
        "Variance": variance,
    }


def _percentile(rank: np.ndarray, percent: float) -> float:
    """Percentile of sorted values, between two of them by numpy's own rule of rounding."""
    place = (len(rank) - 1) * (percent / 100)
    below = int(place)
    low, high, part = rank[below], rank[min(below + 1, len(rank) - 1)], place - below
    return float(high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part)
