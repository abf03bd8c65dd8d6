"""The breast without its tumour: skin, fat with septa, fibroglandular tissue, vessels, chest wall, lung."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2radiomics.imaging.fields import Array, smooth_field
from her2radiomics.simulation.biology import Biology
from her2radiomics.simulation.settings import FieldOfView

Point = NDArray[np.float64]

MUSCLE_MM, FASCIA_MM, RIB_CAGE_MM = 9.0, 1.5, 13.0
"""Thickness of the pectoral muscle, of the fat behind it, and of the rib cage before the lung."""
GLAND_EDGE = 0.55
"""Width of the transition from fat to gland, in units of the potential that decides between them."""


@dataclass(frozen=True)
class Grid:
    """The cubes on which the truth is drawn: shape z, y, x; edge in mm; the origin of space is the field's centre."""

    shape: tuple[int, int, int]
    step: float

    @classmethod
    def of(cls, view: FieldOfView) -> Grid:
        """Return the grid that fills a field of view."""
        x, y, z = (max(round(extent / view.truth_grid_mm), 8) for extent in view.extent_mm)
        return cls((z, y, x), view.truth_grid_mm)

    def axis(self, number: int) -> NDArray[np.float64]:
        """Centres of the cubes along z (0), y (1) or x (2), in mm."""
        n = self.shape[number]
        return np.asarray((np.arange(n) - (n - 1) / 2) * self.step, dtype=np.float64)


@dataclass(frozen=True)
class Shape:
    """The outer shape: half axes of the breast, the chest wall's place and curvature, in mm; side −1 or 1."""

    width: float
    height: float
    length: float
    wall: float
    side: int

    def chest_wall(self, z: NDArray, x: NDArray) -> NDArray:
        """Front of the pectoral muscle (y, mm); it recedes towards the side and, less, up and down."""
        return self.wall + (self.side * x + 0.3 * self.width) ** 2 / 260.0 + z**2 / 500.0

    def depth(self, z: NDArray, y: NDArray, x: NDArray) -> NDArray:
        """Distance below the skin's surface in mm, to first order; negative outside the body."""
        behind = y - self.chest_wall(z, x)
        nipple = 6.0 * np.exp(-(((x**2 + z**2) / 5.0**2) ** 2))
        p = (x / self.width, np.minimum(behind, 0.0) / (self.height + nipple), z / self.length)
        radius = np.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2)
        slope = np.sqrt((p[0] / self.width) ** 2 + (p[1] / self.height) ** 2 + (p[2] / self.length) ** 2)
        breast = (1.0 - radius) * radius / np.maximum(slope, 1e-6)
        torso = behind + 11.0  # fat in front of the muscle beside the breast
        return np.maximum(breast, torso)

    def core(self, z: NDArray, y: NDArray, x: NDArray) -> NDArray:
        """Place inside the fibroglandular core: 1 at its centre, 0 at its edge, negative outside."""
        forward = (y - self.chest_wall(z, x) + 0.42 * self.height) / (0.52 * self.height)
        return 1.0 - np.sqrt((x / (0.74 * self.width)) ** 2 + forward**2 + (z / (0.80 * self.length)) ** 2)


@dataclass(frozen=True)
class Breast:
    """Volume fractions on the truth grid (float32, 0 to 1); vessels as flat indices with their fractions."""

    shape: Shape
    tissues: dict[str, Array]  # fat, gland, skin, muscle, rib_cage
    vessel_index: NDArray[np.int64]
    vessel_fraction: Array
    body: NDArray[np.bool_]  # inside the skin's surface and in front of the chest wall


def outer_shape(view: FieldOfView, body: Biology, random: np.random.Generator) -> Shape:
    """Fit a breast into the field of view."""
    x, y, z = view.extent_mm
    scale = body.breast_scale
    return Shape(
        width=min(0.47 * x, 66.0) * scale,
        height=min(0.66 * y, 84.0) * scale,
        length=min(0.80 * z, 62.0) * scale,
        wall=0.20 * y,
        side=1 if random.uniform() < 0.5 else -1,
    )


def draw_breast(grid: Grid, shape: Shape, body: Biology, tumour: Point, random: np.random.Generator) -> Breast:
    """Draw the healthy tissue; ``tumour`` (z, y, x in mm) is where a feeding vessel leads."""
    spacing = (grid.step,) * 3
    z, y, x = (grid.axis(i).astype(np.float32) for i in range(3))
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
    coarse = smooth_field(random, grid.shape, spacing, (9.0, 14.0, 9.0))
    fine = smooth_field(random, grid.shape, spacing, (1.6, 2.4, 1.6))

    wall = shape.chest_wall(z, x)
    behind = y - wall
    depth = shape.depth(z, y, x)
    depth += np.float32(0.8) * coarse
    breast_side = _ramp(-behind, grid.step)
    under_skin = _ramp(depth - np.float32(body.skin_mm), grid.step) * breast_side
    skin = _ramp(depth, grid.step)
    skin *= breast_side
    skin -= under_skin

    gland = shape.core(z, y, x)
    gland *= 1.25
    coarse *= 0.45
    gland += coarse
    del coarse
    _add(gland, 0.40, smooth_field(random, grid.shape, spacing, (4.0, 7.0, 4.0)))
    _add(gland, 0.30, fine)
    thin = (slice(None, None, 2),) * 3
    eligible = gland[thin][(depth[thin] > 6.0) & (behind[thin] < -3.0)]
    threshold = float(np.quantile(eligible, 1.0 - body.density)) if eligible.size else 0.0
    gland -= threshold - 0.5 * GLAND_EDGE
    gland /= GLAND_EDGE
    np.clip(gland, 0.0, 1.0, out=gland)
    front = (depth > 0) & (behind < 0)
    depth -= 5.0  # no gland within 5 mm of the skin, nor 2 mm of the muscle
    depth /= 5.0
    gland *= np.clip(depth, 0.0, 1.0, out=depth)
    del depth
    behind += 2.0
    behind /= -4.0
    gland *= np.clip(behind, 0.0, 1.0, out=behind)
    del behind

    septa = _septa(smooth_field(random, grid.shape, spacing, (5.0, 8.0, 5.0)))
    septa *= 1.0 - gland
    gland += septa
    del septa
    gland *= under_skin
    fat = under_skin
    fat -= gland
    np.clip(fat, 0.0, 1.0, out=fat)

    rear = (slice(None), slice(max(int(np.searchsorted(y.ravel(), wall.min())) - 1, 0), None))
    muscle, ribs = np.zeros_like(fat), np.zeros_like(fat)
    muscle[rear], fascia, ribs[rear] = _chest_wall(y[:, rear[1]] - wall, z, x, grid.step)
    fat[rear] += fascia
    fine *= 0.07
    fine += 1.0
    for tissue in (fat, gland, muscle):
        tissue *= fine
    index, fraction = _vessels(grid, shape, tumour, random)
    return Breast(
        shape=shape,
        tissues={"fat": fat, "gland": gland, "skin": skin, "muscle": muscle, "rib_cage": ribs},
        vessel_index=index,
        vessel_fraction=fraction,
        body=front,
    )


def _add(total: Array, weight: float, part: Array) -> None:
    """Add weight × part to total, in place."""
    total += np.float32(weight) * part


def _septa(field: Array) -> Array:
    """Thin sheets where a smooth field crosses zero: Cooper's ligaments. Works in place."""
    np.multiply(field, field, out=field)
    field *= -1.0 / 0.09**2
    np.maximum(field, -12.0, out=field)
    np.exp(field, out=field)
    field *= 0.55
    return field


def _ramp(distance: Array, step: float) -> Array:
    """Volume fraction of a cube whose centre lies ``distance`` mm inside a surface."""
    fraction = distance / np.float32(step)
    fraction += np.float32(0.5)
    return np.clip(fraction, 0.0, 1.0, out=fraction)


def _chest_wall(behind: Array, z: Array, x: Array, step: float) -> tuple[Array, Array, Array]:
    """Fractions of muscle, of the fat behind it, and of the rib cage; what lies deeper is lung."""
    ends = np.cumsum([0.0, MUSCLE_MM, FASCIA_MM, RIB_CAGE_MM])
    front, muscle_end, fascia_end, lung = (_ramp(behind - np.float32(end), step) for end in ends)
    ribs = np.float32(2 * np.pi / 24.0) * (z + np.float32(0.35) * x)
    bone = np.float32(0.72) + np.float32(0.28) * np.cos(ribs)
    return front - muscle_end, muscle_end - fascia_end, (fascia_end - lung) * bone


def _vessels(grid: Grid, shape: Shape, tumour: Point, random: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Tubes along quadratic Bézier curves: superficial veins, one to the tumour, one behind the chest wall."""
    curves: list[tuple[Point, float]] = []
    for number in range(4):
        angle = random.uniform(0, 2 * np.pi)
        start = np.array([np.sin(angle) * 0.7 * shape.length, 0.0, np.cos(angle) * 0.8 * shape.width])
        start[1] = shape.chest_wall(start[0], start[2]) - 4.0
        lift = random.uniform(0.55, 0.85)
        end = np.array([0.25, 0.0, 0.25]) * start + random.normal(0, 4, 3)
        end[1] = shape.wall - lift * shape.height
        if number == 0:
            end = tumour + random.normal(0, 2, 3)
        middle = 0.5 * (start + end) * np.array([1.25, 1.0, 1.25]) + random.normal(0, 7, 3)
        curves.append((_bezier(start, middle, end), random.uniform(0.7, 1.1)))
    medial = -shape.side * 0.42 * grid.shape[2] * grid.step
    half = 0.5 * grid.shape[0] * grid.step
    ends = np.array([[-half, 0.0, medial], [0.0, 0.0, medial + random.normal(0, 2)], [half, 0.0, medial]])
    ends[:, 1] = shape.chest_wall(ends[:, 0], ends[:, 2]) + MUSCLE_MM + 3.0  # internal mammary vessel
    curves.append((_bezier(*ends), 1.2))

    reach = np.arange(-3, 4)
    offsets = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
    origin = np.array([grid.axis(i)[0] for i in range(3)])
    indices, values = [], []
    for points, radius in curves:
        position = (points - origin) / grid.step
        cell = np.rint(position).astype(int)[:, None, :] + offsets[None, :, :]
        squared = ((cell - position[:, None, :]) ** 2).sum(axis=2) * grid.step**2
        inside = np.all((cell >= 0) & (cell < np.array(grid.shape)), axis=2) & (squared < 6.25 * radius**2)
        indices.append(np.ravel_multi_index(tuple(cell[inside].T), grid.shape))
        values.append(np.exp(-squared[inside] / (2 * radius**2)))
    index, place = np.unique(np.concatenate(indices), return_inverse=True)
    fraction = np.zeros(len(index))
    np.maximum.at(fraction, place, np.concatenate(values))
    return index, fraction.astype(np.float32)


def _bezier(start: Point, middle: Point, end: Point) -> Point:
    """Points of a winding quadratic Bézier curve, about 0.8 mm apart."""
    length = float(np.linalg.norm(middle - start) + np.linalg.norm(end - middle))
    t = np.linspace(0, 1, int(1.25 * length) + 2)[:, None]
    winding = 1.5 * np.sin(np.pi * t) * np.sin(length / 7.0 * t + np.array([0.0, 2.0, 4.0]))
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end + winding
