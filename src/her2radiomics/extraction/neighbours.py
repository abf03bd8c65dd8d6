"""Which voxels of a region are neighbours, and how they lie on lines: found once for all filtered images."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from her2radiomics.core.errors import CaseError

#: PyRadiomics' ``weightingNorm``: the length of an angle from its parts in mm.
NORMS: dict[str, Callable[..., Any]] = {"infinity": np.max, "euclidean": np.linalg.norm, "manhattan": np.sum}


class Lines(NamedTuple):
    """Voxels in the order of the lines along each angle (angles × voxels), and where one does not follow the one before."""

    order: np.ndarray
    breaks: np.ndarray
    angles: np.ndarray


class Neighbours:
    """The voxels of a region (``mask``, boolean, z, y, x) by their number, in the array's order.

    Attributes
    ----------
    voxels
        Number of them.
    angles
        Steps (z, y, x) to one of each pair of opposite neighbours, at PyRadiomics' ``distances``, within ``force2D``.
    """

    def __init__(self, mask: np.ndarray, settings: Mapping[str, Any]) -> None:
        """Find the angles; the rest when it is asked for."""
        self._mask, self._flat = mask, settings.get("force2Ddimension", 0) if settings.get("force2D", False) else None
        self.voxels = int(np.count_nonzero(mask))
        self.angles = self._angles(settings.get("distances", [1]))

    def _angles(self, distances: list[int]) -> np.ndarray:
        """Steps whose largest part is one of ``distances`` and that do not lead out of the box from everywhere."""
        reach = [0 if axis == self._flat else min(n - 1, max(distances)) for axis, n in enumerate(self._mask.shape)]
        parts = [range(-most, most + 1) for most in reach]
        found = [step for step in itertools.product(*parts) if max(map(abs, step)) in distances and step > (0, 0, 0)]
        return np.array(found, dtype=int).reshape(-1, 3)

    @cached_property
    def table(self) -> np.ndarray:
        """Neighbour of each voxel along each angle, then along each opposite one (2 angles × voxels); ``voxels`` for none.

        Raises
        ------
        CaseError
            No angle lies within the region's box.
        """
        if not len(self.angles):
            raise CaseError(
                found="a region that is one voxel wide along every axis on which neighbours are looked for",
                expected="a region in which voxels have neighbours",
                remedy="Look at the overlay of this region, and at force2Ddimension and distances of the parameter file.",
            )
        pad = int(abs(self.angles).max())
        shape = np.add(self._mask.shape, 2 * pad)
        number = np.full(shape, self.voxels)
        inner = tuple(slice(pad, length - pad) for length in shape)
        number[inner][self._mask] = np.arange(self.voxels)
        flat = number.ravel()
        place = np.flatnonzero(flat < self.voxels)
        steps = self.angles @ np.array([shape[1] * shape[2], shape[2], 1])
        return flat[place + np.concatenate([steps, -steps])[:, None]]

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Neighbours along the angles: the angle, the voxel and its neighbour of every pair."""
        half = self.table[: len(self.angles)]
        angle, first = np.nonzero(half < self.voxels)
        return angle, first, half[angle, first]

    @cached_property
    def counts(self) -> np.ndarray:
        """Neighbours of each voxel."""
        return np.count_nonzero(self.table < self.voxels, axis=0)

    @cached_property
    def lines(self) -> Lines:
        """Lines along the angles of length 1; an angle on which no line holds two voxels is left out, as in PyRadiomics."""
        angles = self._angles([1])
        at = np.argwhere(self._mask)
        most = max(self._mask.shape)  # a line meets the plane 0 of its axis at most so far outside the box
        span = np.add(self._mask.shape, 2 * most)
        orders, breaks, kept = [], [], []
        for angle in angles:
            axis = int(np.flatnonzero(angle)[0])
            along = at[:, axis] * angle[axis]
            line = np.ravel_multi_index((at - along[:, None] * angle + most).T, span)
            order = np.argsort(line, kind="stable")  # on a line voxels follow each other as in the array
            same = np.diff(line[order]) == 0
            if same.any():
                orders.append(order)
                breaks.append(np.concatenate([[True], ~same | (np.diff(along[order]) != 1)]))
                kept.append(angle)
        size = len(kept), self.voxels
        return Lines(np.reshape(orders, size).astype(int), np.reshape(breaks, size).astype(bool), np.array(kept))


def weights(angles: np.ndarray, spacing: tuple[float, ...], norm: str) -> np.ndarray:
    """Length of each angle (mm; ``spacing`` z, y, x) by a ``weightingNorm``; NaN, which weighs 1, of another name."""
    if norm not in NORMS:
        return np.full(len(angles), np.nan)
    return np.array([float(NORMS[norm](abs(angle) * spacing)) for angle in angles])
