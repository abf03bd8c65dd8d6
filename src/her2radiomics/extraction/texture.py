"""PyRadiomics' texture features of one region of one filtered image.

The matrices are counted by numpy from the region's table of neighbours
(:mod:`~her2radiomics.extraction.neighbours`), which all filtered images share; zones are found by the compiled function
that scikit-image's ``label`` calls (``label`` itself imports SciPy, which takes half as long as a case). Each feature
follows PyRadiomics' definition, but is summed over the smallest array that determines it: sums and differences of a pair's
levels in place of all pairs, grey levels or sizes in place of both. Values agree with PyRadiomics to rounding
(``tests/extraction/test_texture.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core.libraries import radiomics, skimage_ccomp
from her2radiomics.extraction.neighbours import Neighbours, weights

EPS = np.spacing(1)  # as PyRadiomics adds inside logarithms and below fractions
# below this coefficient PyRadiomics' value is the root of a rounding error, or left out of the mean where it is negative
LEAST_CORRELATION = 1e-3
# below this difference of entropies (bits) it is the same with the second measure of correlation
LEAST_INFORMATION = 1e-4


@dataclass
class Levels:
    """Grey levels of a region's voxels: the level and its place among those present, both by voxel, and those present."""

    of: np.ndarray
    place: np.ndarray
    present: np.ndarray
    _beside: tuple[Neighbours, np.ndarray] | None = None

    @property
    def most(self) -> int:
        """Highest level."""
        return int(self.present[-1])

    def beside(self, near: Neighbours) -> np.ndarray:
        """Level of each voxel's neighbours (as ``near.table``), 0 for none; kept for the next class that asks."""
        if self._beside is None or self._beside[0] is not near:
            self._beside = near, np.append(self.of, 0).astype(np.int16).take(near.table)
        return self._beside[1]


def cooccurrence(
    levels: Levels, near: Neighbours, spacing: tuple[float, ...], settings: Mapping[str, Any], *, with_mcc: bool = True
) -> dict[str, float]:
    """Features of the grey level co-occurrence matrices (``glcm``), means over the angles."""
    size, count = len(levels.present), len(near.angles)
    angle, first, second = near.pairs
    code = (angle * size + levels.place.take(first)) * size + levels.place.take(second)
    joint = np.bincount(code, minlength=count * size**2).reshape(count, size, size).astype(float)
    symmetrical = settings.get("symmetricalGLCM", True)
    if symmetrical:
        joint += joint.transpose(0, 2, 1)
    norm = settings.get("weightingNorm")
    if norm is not None:
        lengths = weights(near.angles, spacing, norm)
        joint = np.tensordot(np.nan_to_num(np.exp(-(lengths**2)), nan=1.0), joint, 1)[None]
    joint = joint[joint.any(axis=(1, 2))]
    joint /= joint.sum((1, 2), keepdims=True)
    found, product = _of_pairs(joint, levels)
    if with_mcc:
        found["MCC"] = _correlation(joint, product, symmetrical)
    return found


def _of_pairs(joint: np.ndarray, levels: Levels) -> tuple[dict[str, float], np.ndarray]:
    """Features of probabilities of pairs of levels (angles × levels × levels), and those of independent levels."""
    level = levels.present.astype(float)
    first, second = joint.sum(2), joint.sum(1)
    mean, other = first @ level, second @ level
    sums = _along(joint, levels.present[:, None] + levels.present - 2, 2 * levels.most - 1)
    differences = _along(joint, abs(levels.present[:, None] - levels.present), levels.most)
    total, apart = np.arange(2, 2 * levels.most + 1.0), np.arange(float(levels.most))
    around = total - (mean + other)[:, None]
    spread, far = apart - (differences @ apart)[:, None], level - mean[:, None]
    variance = (first * far**2).sum(1)
    deviations = np.sqrt(variance) * np.sqrt((second * (level - other[:, None]) ** 2).sum(1))
    tendency = (sums * around**2).sum(1)
    product = first[:, :, None] * second[:, None, :]
    logarithm = np.log2(product + EPS)
    entropy, entropies = _entropy(joint), np.fmax(_entropy(first), _entropy(second))
    crossed = -(joint * logarithm).sum((1, 2))
    # Σ (i - μx)(j - μy) p
    covariance = (far * (joint @ (level - other[:, None])[:, :, None])[:, :, 0]).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_angle = {
            "Autocorrelation": (joint @ level) @ level,
            "JointAverage": mean,
            "ClusterProminence": (sums * around**4).sum(1),
            "ClusterShade": (sums * around**3).sum(1),
            "ClusterTendency": tendency,
            "Contrast": differences @ apart**2,
            "Correlation": np.where(deviations == 0, 1, covariance / (deviations + EPS)),
            "DifferenceAverage": differences @ apart,
            "DifferenceEntropy": _entropy(differences),
            "DifferenceVariance": (differences * spread**2).sum(1),
            "JointEnergy": (joint**2).sum((1, 2)),
            "JointEntropy": entropy,
            "Imc1": np.where(entropies != 0, (entropy - crossed) / entropies, 0),
            "Idm": differences @ (1 / (1 + apart**2)),
            "Idmn": differences @ (1 / (1 + apart**2 / levels.most**2)),
            "Id": differences @ (1 / (1 + apart)),
            "Idn": differences @ (1 / (1 + apart / levels.most)),
            "InverseVariance": differences[:, 1:] @ (1 / apart[1:] ** 2),
            "MaximumProbability": joint.max((1, 2), initial=0),
            "SumAverage": sums @ total,
            "SumEntropy": _entropy(sums),
            "SumSquares": variance,
        }
    if not len(joint):
        return dict.fromkeys([*by_angle, "Imc2"], np.nan), product
    found = _means(by_angle, by_angle.values())
    information = -(product * logarithm).sum((1, 2)) - entropy
    if information.min() > LEAST_INFORMATION:
        found["Imc2"] = float(np.sqrt(1 - np.exp(-2 * information)).mean())
    else:
        found["Imc2"] = _by_pyradiomics("Imc2", joint)
    return found, product


def _means(names: Iterable[str], values: Iterable[np.ndarray]) -> dict[str, float]:
    """Feature to the mean of its values by angle; in one sum, since each costs as much as its arithmetic."""
    return dict(zip(names, np.stack([*values]).mean(axis=1).tolist(), strict=True))


def _along(joint: np.ndarray, index: np.ndarray, length: int) -> np.ndarray:
    """Sum (angles × levels × levels) over the pairs of levels of the same index: (angles × length)."""
    angles = len(joint)
    place = index.ravel() + np.arange(angles)[:, None] * length
    return np.bincount(place.ravel(), joint.ravel(), angles * length).reshape(angles, length)


def _entropy(share: np.ndarray) -> np.ndarray:
    """Entropy (bits) of each angle."""
    axes = tuple(range(1, share.ndim))
    found: np.ndarray = -(share * np.log2(share + EPS)).sum(axes)
    return found


def _correlation(joint: np.ndarray, product: np.ndarray, symmetrical: bool) -> float:
    r"""Maximal correlation coefficient, mean over the angles.

    It is the root of the second eigenvalue of
    :math:`Q_{ij} = \sum_k p_{ik} p_{jk} / (p_x(i)\,p_y(k) + \epsilon)`. Of a symmetrical matrix this is the second
    largest absolute eigenvalue of :math:`p_{ij} / \sqrt{p_x(i)\,p_y(j) + \epsilon}`, up to the square of
    :math:`\epsilon / (p_x p_y)`: one symmetric eigenvalue problem in place of a sum over every level.
    """
    if joint.shape[1] == 1:
        return 1.0
    if not len(joint):
        return np.nan
    if symmetrical:
        size = np.abs(np.linalg.eigvalsh(joint / np.sqrt(product + EPS)))
        second = np.sort(size)[:, -2]
        if second.min() > LEAST_CORRELATION:
            return float(second.mean())
    return _by_pyradiomics("MCC", joint)


def _by_pyradiomics(feature: str, joint: np.ndarray) -> float:
    """A coefficient that rounding decides, by PyRadiomics' own sums in their order."""
    kind = radiomics.getFeatureClasses()["glcm"]
    calculator = kind.__new__(kind)
    calculator.P_glcm = np.ascontiguousarray(joint.transpose(1, 2, 0))[None]
    calculator.coefficients = {
        "px": calculator.P_glcm.sum(2, keepdims=True),
        "py": calculator.P_glcm.sum(1, keepdims=True),
        "eps": EPS,
        "HXY": -np.sum(calculator.P_glcm * np.log2(calculator.P_glcm + EPS), (1, 2)),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        try:
            value = getattr(calculator, f"get{feature}FeatureValue")()
        except np.linalg.LinAlgError:
            return np.nan
    return float(np.squeeze(value).real)


#: Features of a matrix of grey levels and sizes, in the order of :func:`_of_sizes`, as the three classes call them.
SIZES = {
    "glrlm": "ShortRunEmphasis LongRunEmphasis GrayLevelNonUniformity GrayLevelNonUniformityNormalized "
    "RunLengthNonUniformity RunLengthNonUniformityNormalized RunPercentage GrayLevelVariance RunVariance RunEntropy "
    "LowGrayLevelRunEmphasis HighGrayLevelRunEmphasis ShortRunLowGrayLevelEmphasis ShortRunHighGrayLevelEmphasis "
    "LongRunLowGrayLevelEmphasis LongRunHighGrayLevelEmphasis",
    "glszm": "SmallAreaEmphasis LargeAreaEmphasis GrayLevelNonUniformity GrayLevelNonUniformityNormalized "
    "SizeZoneNonUniformity SizeZoneNonUniformityNormalized ZonePercentage GrayLevelVariance ZoneVariance ZoneEntropy "
    "LowGrayLevelZoneEmphasis HighGrayLevelZoneEmphasis SmallAreaLowGrayLevelEmphasis SmallAreaHighGrayLevelEmphasis "
    "LargeAreaLowGrayLevelEmphasis LargeAreaHighGrayLevelEmphasis",
    "gldm": "SmallDependenceEmphasis LargeDependenceEmphasis GrayLevelNonUniformity - DependenceNonUniformity "
    "DependenceNonUniformityNormalized - GrayLevelVariance DependenceVariance DependenceEntropy LowGrayLevelEmphasis "
    "HighGrayLevelEmphasis SmallDependenceLowGrayLevelEmphasis SmallDependenceHighGrayLevelEmphasis "
    "LargeDependenceLowGrayLevelEmphasis LargeDependenceHighGrayLevelEmphasis",
}


def _of_sizes(kind: str, counts: np.ndarray, present: np.ndarray, size: np.ndarray) -> dict[str, float]:
    """Features of how often (angles × levels × sizes) each level has each size; means over the angles."""
    level, number = present.astype(float), counts.sum((1, 2))
    if not len(counts):
        return dict.fromkeys(SIZES[kind].split(), np.nan)
    share = counts / number[:, None, None]
    by_level, by_size = counts.sum(2) / number[:, None], counts.sum(1) / number[:, None]
    low, high, small, large = 1 / level**2, level**2, 1 / size**2, size**2
    # of low and high levels (rows), sums over them by size: (angles × 2 × sizes)
    mixed = np.stack([low, high]) @ share
    values = (
        by_size @ small,
        by_size @ large,
        (by_level**2).sum(1) * number,
        (by_level**2).sum(1),
        (by_size**2).sum(1) * number,
        (by_size**2).sum(1),
        1 / (by_size @ size),
        (by_level * (level - (by_level @ level)[:, None]) ** 2).sum(1),
        (by_size * (size - (by_size @ size)[:, None]) ** 2).sum(1),
        _entropy(share),
        by_level @ low,
        by_level @ high,
        mixed[:, 0] @ small,
        mixed[:, 1] @ small,
        mixed[:, 0] @ large,
        mixed[:, 1] @ large,
    )
    return _means(SIZES[kind].split(), values)


def runs(levels: Levels, near: Neighbours, spacing: tuple[float, ...], settings: Mapping[str, Any]) -> dict[str, float]:
    """Features of runs of one grey level along lines (``glrlm``)."""
    lines, norm = near.lines, settings.get("weightingNorm")
    place = levels.place.astype(np.int32).take(lines.order)
    begins = lines.breaks.copy()
    begins[:, 1:] |= place[:, 1:] != place[:, :-1]
    start = np.flatnonzero(begins)
    length = np.diff(start, append=begins.size)
    size, most = len(levels.present), int(length.max(initial=1))
    code = (start // near.voxels * size + place.ravel()[start]) * most + length - 1
    angles = len(lines.order)
    counts = np.bincount(code, minlength=angles * size * most).reshape(angles, size, most).astype(float)
    if norm is not None:
        counts = np.tensordot(np.nan_to_num(weights(lines.angles, spacing, norm), nan=1.0), counts, 1)[None]
    return _of_sizes("glrlm", counts, levels.present, np.arange(1.0, most + 1))


def zones(levels: Levels, mask: np.ndarray, settings: Mapping[str, Any]) -> dict[str, float]:
    """Features of connected zones of one grey level (``glszm``): voxels that touch, also at edges and corners."""
    value = levels.of
    if settings.get("force2D", False):  # voxels of two planes never have the same value
        plane = np.nonzero(mask)[settings.get("force2Ddimension", 0)]
        value = value * (int(plane.max()) + 1) + plane
    image = np.zeros(mask.shape, np.intp)
    image[mask] = value
    zone = skimage_ccomp.label_cython(image, 0, False, 3)[mask] - 1
    sizes, column = np.unique(np.bincount(zone), return_inverse=True)
    place = np.empty(len(column), np.intp)
    place[zone] = levels.place
    shape = len(sizes), len(levels.present)
    counts = np.bincount(column * shape[1] + place, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    return _of_sizes("glszm", counts.T[None], levels.present, sizes.astype(float))


def dependences(levels: Levels, near: Neighbours, settings: Mapping[str, Any]) -> dict[str, float]:
    """Features of how many neighbours are alike (``gldm``)."""
    beside, own, alike = levels.beside(near), levels.of.astype(np.int16), settings.get("gldm_a", 0)
    same = beside == own if alike == 0 else (abs(beside - own) <= alike) & (beside > 0)
    number = np.count_nonzero(same, axis=0)
    most, size = len(near.table) + 1, len(levels.present)
    counts = np.bincount(levels.place * most + number, minlength=size * most).reshape(1, size, most).astype(float)
    return _of_sizes("gldm", counts, levels.present, np.arange(1.0, most + 1))


def differences(levels: Levels, near: Neighbours) -> dict[str, float]:
    """Features of each voxel's difference from the mean of its neighbours (``ngtdm``)."""
    total = levels.beside(near).sum(axis=0, dtype=np.int32)
    apart = np.where(near.counts > 0, abs(levels.of - total / np.maximum(near.counts, 1)), 0.0)
    size, level = len(levels.present), levels.present.astype(float)
    share = np.bincount(levels.place, minlength=size) / len(levels.of)
    summed = np.bincount(levels.place, apart, size)
    coarse, alone = float(share @ summed), size * (size - 1)
    step, both = level[:, None] - level, share[:, None] + share
    weighted = level * share
    busy = float(abs(weighted[:, None] - weighted).sum())
    contrast = float(((share[:, None] * share) * step**2).sum() * summed.sum() / len(levels.of))
    each = share * summed
    return {
        "Coarseness": 1 / coarse if coarse else 1e6,
        "Contrast": contrast / alone if alone else 0.0,
        "Busyness": coarse / busy if busy else 0.0,
        "Complexity": float((abs(step) * (each[:, None] + each) / both).sum() / len(levels.of)),
        "Strength": float((both * step**2).sum() / summed.sum()) if summed.sum() else 0.0,
    }
