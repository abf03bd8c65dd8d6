"""The tumour: its place, border, spicules, necrosis and texture, and its effect on the tissue around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.libraries import scipy
from her2radiomics.imaging.fields import Array, smooth_field
from her2radiomics.simulation.anatomy import Grid, Point, Shape
from her2radiomics.simulation.biology import Biology

HALO_MM = 4.0
"""Decay length of enhancement and oedema outside the tumour."""


@dataclass(frozen=True)
class Lesion:
    """A tumour inside a box of the truth grid.

    ``box`` are the slices z, y, x; ``distance`` the signed distance to the border in mm (positive inside, without
    spicules); ``fraction`` the volume fraction of tumour including spicules; ``necrosis`` 0 to 1; ``uptake``,
    ``relaxation`` and ``mobility`` the standardised texture of contrast uptake, T2 and ADC; ``around`` decays
    from 1 at the border to 0 outside.
    """

    box: tuple[slice, slice, slice]
    distance: Array
    fraction: Array
    necrosis: Array
    uptake: Array
    relaxation: Array
    mobility: Array
    around: Array


def place(grid: Grid, shape: Shape, radius_mm: float, random: np.random.Generator) -> Point:
    """Return a centre (z, y, x in mm) in the core that keeps the tumour off skin, muscle and edge.

    The best of 60 random points: points with more than the wanted distance count alike, so that the first wins.
    """
    half = 0.5 * grid.step * np.array(grid.shape)
    points = random.uniform(-1, 1, (60, 3)) * np.array([0.6 * shape.length, 0.0, 0.6 * shape.width])
    lift = random.uniform(0.15, 0.75, 60) * shape.height
    points[:, 1] = shape.chest_wall(points[:, 0], points[:, 2]) - lift
    z, y, x = points.T
    room = np.stack(
        [
            shape.depth(z, y, x) - 1.15 * radius_mm - 3.0,
            lift - 1.15 * radius_mm - 2.0,
            (half - np.abs(points)).min(axis=1) - 1.15 * radius_mm - 2.0,
            20.0 * shape.core(z, y, x),
        ]
    ).min(axis=0)
    return points[int(np.argmax(np.minimum(room, 0.0)))]


def draw_lesion(
    grid: Grid, centre: Point, body: Biology, random: np.random.Generator, *, satellite_of: float = 0.0
) -> Lesion:
    """Draw a tumour around ``centre``.

    ``satellite_of``: radius in mm of a satellite to draw instead: a plain ellipsoid with the same tissue.
    """
    radius = satellite_of or body.radius_mm
    reach = radius * (1.15 * max(body.axes) + 2.2 * body.roughness) + 2.5 * HALO_MM
    box, axes = _box(grid, centre, reach)
    shape = tuple(s.stop - s.start for s in box)
    spacing = (grid.step,) * 3
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    ellipsoid = np.sqrt((z / body.axes[0]) ** 2 + (y / body.axes[1]) ** 2 + (x / body.axes[2]) ** 2)
    border = (radius - ellipsoid).astype(np.float32)
    border += body.roughness * radius * smooth_field(random, shape, spacing, 0.28 * radius)
    border += 0.6 * body.roughness * radius * smooth_field(random, shape, spacing, 0.13 * radius)
    distance = _signed_distance(border, grid.step)

    width = max(body.edge_mm, grid.step)
    fraction = np.clip(distance / width + 0.5, 0.0, 1.0)
    if body.spicules and not satellite_of:
        spikes = _spicules(z, y, x, radius, body.spicules, random)
        fraction = np.maximum(fraction, np.clip(spikes / grid.step + 0.5, 0.0, 1.0))

    uptake = smooth_field(random, shape, spacing, body.texture_mm)
    others = [0.5 * uptake + 0.87 * smooth_field(random, shape, spacing, body.texture_mm) for _ in range(2)]
    return Lesion(
        box=box,
        distance=distance,
        fraction=fraction.astype(np.float32),
        necrosis=_necrosis(distance, body, radius, random, grid.step),
        uptake=uptake,
        relaxation=others[0],
        mobility=others[1],
        around=np.exp(np.minimum(distance, 0.0) / np.float32(HALO_MM)) * (1.0 - fraction),
    )


def _box(grid: Grid, centre: Point, reach: float) -> tuple[tuple[slice, slice, slice], list[NDArray[np.float64]]]:
    """Cut the part of the grid within ``reach`` mm of the centre along every axis; axes relative to the centre."""
    cuts, axes = [], []
    for number in range(3):
        axis = grid.axis(number) - centre[number]
        inside = np.flatnonzero(np.abs(axis) <= reach)
        cuts.append(slice(int(inside[0]), int(inside[-1]) + 1))
        axes.append(axis[inside])
    return (cuts[0], cuts[1], cuts[2]), axes


def _signed_distance(border: Array, step: float) -> Array:
    """Distance in mm to the border of the largest connected piece where ``border`` > 0, its holes filled."""
    inside = solid(border > 0)
    distance = -scipy.ndimage.distance_transform_edt(~inside)
    around = _around(inside)  # nothing outside is nearer than its own border
    distance[around] += scipy.ndimage.distance_transform_edt(inside[around])
    distance -= 0.5 * np.sign(distance)  # the border runs between the voxels
    return (distance * step).astype(np.float32)


def solid(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected piece of a mask with its holes filled (faces connect)."""
    around = _around(mask)
    pieces, number = scipy.ndimage.label(mask[around])
    if number == 0:
        return mask
    largest = pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1
    outside, number = scipy.ndimage.label(np.pad(~largest, 1, constant_values=True))
    filled = np.zeros_like(mask)
    filled[around] = largest if number == 1 else (outside != outside[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return filled


def _around(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Smallest box with everything that is true in a mask and, where the mask goes on, one voxel beyond it."""
    cuts = []
    for axis in range(mask.ndim):
        found = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        cuts.append(slice(max(int(found[0]) - 1, 0), int(found[-1]) + 2) if found.size else slice(0))
    return tuple(cuts)


def _spicules(z: NDArray, y: NDArray, x: NDArray, radius: float, number: int, random: np.random.Generator) -> NDArray:
    """Cones from the tumour outwards: signed distance to their surfaces in mm, positive inside."""
    squared = z**2 + y**2 + x**2
    surface = np.full(np.broadcast_shapes(z.shape, y.shape, x.shape), -1e3)
    for _ in range(number):
        direction = random.standard_normal(3)
        direction /= np.sqrt((direction**2).sum())
        length = radius * random.uniform(1.35, 1.75)
        along = direction[0] * z + direction[1] * y + direction[2] * x
        across = np.sqrt(np.maximum(squared - along**2, 0.0))
        cone = random.uniform(2.0, 3.2) * (1.0 - along / length) - across
        np.maximum(surface, np.where(along > 0, cone, -1e3), out=surface)
    return surface


def _necrosis(distance: Array, body: Biology, radius: float, random: np.random.Generator, step: float) -> Array:
    """Fraction of necrosis: the deepest part of the tumour, of the wanted volume, with a ragged border."""
    depth = distance + 0.35 * radius * smooth_field(random, distance.shape, (step,) * 3, 0.22 * radius)
    inside = depth[distance > 0]
    if not inside.size or body.necrotic_fraction <= 0:
        return np.zeros_like(distance)
    threshold = float(np.quantile(inside, 1.0 - body.necrotic_fraction))
    dead = np.clip((depth - threshold) / 1.5 + 0.5, 0.0, 1.0) * (distance > 0)
    return dead.astype(np.float32)
