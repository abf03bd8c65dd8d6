"""PyRadiomics' shape of a region in 3-D: its mesh counted by kinds of cubes, its diameters without every pair of vertices.

A marching cube has one of 256 patterns of corners inside the region, and what a pattern adds to area and volume depends on
the pattern and the cube's place alone. So PyRadiomics' own code measures each pattern once, and a region is a matter of
counting. Features are PyRadiomics' own functions of area, volume, diameters and the principal axes. Values agree with
PyRadiomics to rounding (``tests/extraction/test_shape.py``).
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterable
from functools import cache

import numpy as np

from her2radiomics.core.libraries import radiomics

CORNERS = [*itertools.product((0, 1), repeat=3)]
BITS = np.arange(len(CORNERS))
STEPS = 7  # directions along each edge of a cube's face, and half as many as in half a plane


def shape(inside: np.ndarray, spacing: tuple[float, ...], wanted: Iterable[str]) -> dict[str, float]:
    """Features (``shape``) of a region's voxels (boolean, z, y, x; ``spacing`` in mm alike) by PyRadiomics' names."""
    kind = radiomics.getFeatureClasses()["shape"]
    calculator = kind.__new__(kind)
    calculator.logger = logging.getLogger(kind.__module__)
    calculator.pixelSpacing = np.array(spacing)
    calculator.labelledVoxelCoordinates = np.nonzero(inside)
    padded = np.pad(inside, 1)
    calculator.SurfaceArea, calculator.Volume = _area_and_volume(padded, spacing)
    calculator.diameters = _diameters(padded, spacing)
    at = np.stack(calculator.labelledVoxelCoordinates, axis=1) * calculator.pixelSpacing
    at -= at.mean(axis=0)
    squares = np.linalg.eigvals(at.T @ at / len(at))
    calculator.eigenValues = np.sort(np.where((squares < 0) & (squares > -1e-10), 0, squares))
    return {name: float(getattr(calculator, f"get{name}FeatureValue")().real) for name in wanted}


def _area_and_volume(padded: np.ndarray, spacing: tuple[float, ...]) -> tuple[float, float]:
    """Of the mesh around a region that does not reach the array's border (mm², mm³)."""
    pattern = np.zeros(np.subtract(padded.shape, 1), np.uint8)
    for bit, corner in enumerate(CORNERS):
        part = tuple(slice(start, start + length) for start, length in zip(corner, pattern.shape, strict=True))
        pattern |= padded[part].astype(np.uint8) << np.uint8(bit)
    flat = pattern.ravel()
    cubes = np.flatnonzero((flat > 0) & (flat < 255))
    kinds = flat[cubes]
    area, volume, vector = _patterns(spacing)
    counts = np.bincount(kinds, minlength=256)
    # a patch moved by a step adds a third of the step times the patch's vector area
    moved = sum(
        step * (np.bincount(kinds, place, 256) @ along) / 3
        for step, place, along in zip(spacing, np.unravel_index(cubes, pattern.shape), vector, strict=True)
    )
    return float(counts @ area), float(counts @ volume + moved)


@cache
def _patterns(spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Area, volume against the cube's first corner, and vector area (3 × 256) of each pattern, by PyRadiomics' own code."""
    measure, steps = radiomics.cShape.calculate_coefficients, np.array(spacing)
    area, volume, vector = np.zeros(256), np.zeros(256), np.zeros((3, 256))
    half = np.arange(128)  # the others are the same patches, seen from their other side
    cubes = (half[:, None] >> BITS & 1).astype(bool).reshape(-1, 2, 2, 2)
    for code, cube in enumerate(cubes):
        area[code], volume[code], _ = measure(cube, steps)
    area[128:], volume[128:] = area[127::-1], -volume[127::-1]
    for axis, step in enumerate(spacing):
        # the cube moved by a step, behind another one whose two sides are the cube's first
        moved = cubes.take([0, 0, 1], axis + 1)
        before = cubes.take([0, 0], axis + 1).reshape(128, -1) @ (1 << BITS)
        whole = np.array([measure(two, steps)[1] for two in moved])
        vector[axis, :128] = 3 * (whole - volume[before] - volume[:128]) / step
    vector[:, 128:] = -vector[:, 127::-1]
    return area, volume, vector


def _diameters(padded: np.ndarray, spacing: tuple[float, ...]) -> tuple[float, ...]:
    """Largest distance (mm) of two vertices in one slice, of one y, of one x, and of any two."""
    # vertices lie halfway between voxels inside and outside: places in halves of a voxel
    found = [2 * np.argwhere(np.diff(padded, axis=axis)) + np.eye(3, dtype=int)[axis] for axis in range(3)]
    halves = np.concatenate(found)
    points = halves * (np.array(spacing) / 2)
    angles = np.arange(2 * STEPS) * (math.pi / (2 * STEPS))
    flat, certain = np.stack([np.cos(angles), np.sin(angles)]), math.cos(math.pi / (4 * STEPS))
    planes = []
    for axis in range(3):
        order = np.argsort(halves[:, axis], kind="stable")
        starts = np.flatnonzero(np.diff(halves[order, axis], prepend=-1))
        planes.append(_widest(np.delete(points[order], axis, 1), starts, flat, certain))
    return *planes, _widest(points, np.array([0]), *_directions())


@cache
def _directions() -> tuple[np.ndarray, float]:
    """Unit vectors (3 × directions) over half a sphere, and the least cosine of any direction to the next of them."""
    across, half = np.linspace(-1, 1, STEPS), 1 / (STEPS - 1)
    face = np.array([(1.0, y, x) for y in across for x in across])
    found = np.concatenate([np.roll(face, turn, axis=1) for turn in range(3)])
    # the tangent of the angle between two points of a face, seen from the centre, is at most their distance
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).T, 1 / math.sqrt(1 + 2 * half**2)


def _widest(points: np.ndarray, starts: np.ndarray, directions: np.ndarray, certain: float) -> float:
    """Largest distance of two points of one group.

    Along the direction next to that of the largest distance, both points lie at the ends of the group, but for what the
    angle takes (its cosine is ``certain`` or more): only points at the ends of groups as wide as that are compared.
    """
    along = points @ directions
    high, low = np.maximum.reduceat(along, starts), np.minimum.reduceat(along, starts)
    widths = high - low
    best, ends = float(widths.max()), np.append(starts[1:], len(points))
    for group, way in np.argwhere(widths >= certain * best - 1e-9):
        part = slice(starts[group], ends[group])
        own, placed = points[part], along[part, way]
        least = certain * best - 1e-9
        first, last = own[placed >= low[group, way] + least], own[placed <= high[group, way] - least]
        apart = first[:, None] - last
        best = max(best, math.sqrt((apart**2).sum(axis=2).max(initial=0)))
    return best
