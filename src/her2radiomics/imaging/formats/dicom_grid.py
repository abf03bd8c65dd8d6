"""How the images of a DICOM series lie to each other: one rectangular grid, or what stands against it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging.formats.dicom_frames import TELLING, Frame
from her2radiomics.imaging.planes import PLANES

GAP_TOLERANCE = 0.01  # of the slice spacing: DICOM positions are rounded to some micrometres
SAME_PLACE_MM = 1e-3
TILT = 1e-3  # mm across per mm along: 0.06 degrees, or a row of cosines with three digits
SAME_AXES = 1e-3  # cosines
DOUBTED = 0.01  # relative difference of SpacingBetweenSlices to the positions that is warned about
WIDE_GAP = 1.5  # distance of slices over their thickness that is warned about
#: How marks end whose values are not printed: words, directions, and times of the day, which may tell who was examined.
NO_NUMBER = ("Type", "AcquisitionTime", "ContentTime", "DateTime", "Component", "Orientation")
SPLIT = (
    "Write each volume to a separate file (python -m her2radiomics.imaging SERIES FOLDER{by}) and name the one that is "
    "meant in the manifest."
)
APART = "Put each into a folder of its own."


class Grid(NamedTuple):
    """Frames in the order of their positions, and the geometry of the volume that they make; what is doubtful."""

    frames: list[Frame]
    spacing: tuple[float, float, float]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    doubts: list[str]


def grid_of(frames: Sequence[Frame], folder: Path) -> Grid:
    """Place the images of one series.

    Raises
    ------
    CaseError
        They have several orientations, sizes or spacings, lie at one position, apart unevenly, or shifted.
    """
    _check_alike(frames, folder)
    row, column = frames[0].axes
    row = row / np.linalg.norm(row)  # some files write cosines of four digits
    column = column - (column @ row) * row
    column /= np.linalg.norm(column)
    axes, normal = np.stack([row, column]), np.cross(row, column)
    places = np.array([frame.position for frame in frames])
    depths = places @ normal
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order])
    ordered = [frames[index] for index in order]
    if len(steps) and steps.min() < SAME_PLACE_MM:
        raise _at_one_place(ordered, steps, folder)
    step, doubts = _through_plane(ordered, steps, folder)
    if len(steps):
        _check_line((places[order] - places[order[0]]) @ axes.T, depths[order] - depths[order[0]], folder)
    direction = tuple(float(part) for part in np.column_stack([*axes, normal]).ravel())
    origin = tuple(float(part) for part in ordered[0].position)
    return Grid(ordered, (*ordered[0].spacing, step), origin, direction, doubts)


def _check_alike(frames: Sequence[Frame], folder: Path) -> None:
    """Refuse localisers among slices, and images of several orientations, sizes or pixel spacings."""
    first = frames[0]
    scouts = sum("LOCALIZER" in frame.marks["ImageType"] + frame.marks["FrameType"] for frame in frames)
    if 0 < scouts < len(frames):
        remedy = "Move the localiser into a folder of its own."
        raise _refusal(folder, f"{scouts} localiser images among {len(frames)}", "the slices of one series", remedy)
    groups: list[list[Frame]] = []
    for frame in frames:
        like = [group for group in groups if np.abs(group[0].axes - frame.axes).max() <= SAME_AXES]
        if like:
            like[0].append(frame)
        else:
            groups.append([frame])
    if len(groups) > 1:
        views = ", ".join(f"{len(group)} {_view(group[0])}" for group in groups[:4])
        raise _refusal(
            folder, f"images of {len(groups)} orientations in one series ({views})", "one orientation", APART
        )
    sizes = Counter(f"{frame.size[0]}×{frame.size[1]}" for frame in frames)
    if len(sizes) > 1:
        found = f"images of {len(sizes)} sizes in one series ({', '.join(sizes)})"
        raise _refusal(folder, found, "slices of one size", APART)
    if any(not np.allclose(frame.spacing, first.spacing, rtol=1e-4, atol=0) for frame in frames):
        spacings = sorted({f"{frame.spacing[0]:g}×{frame.spacing[1]:g}" for frame in frames})
        found = f"images of {len(spacings)} pixel spacings in one series ({', '.join(spacings)} mm)"
        raise _refusal(folder, found, "one pixel spacing", APART)


def _view(frame: Frame) -> str:
    return PLANES[int(np.abs(np.cross(*frame.axes)).argmax())]


def volumes_told_by(frames: Sequence[Frame]) -> tuple[str, ...] | None:
    """Marks that tell the volumes of a series apart: none where it holds one volume, ``None`` where nothing does."""
    depths = np.array([frame.position for frame in frames]) @ np.cross(*frames[0].axes)
    order = np.argsort(depths, kind="stable")
    steps = np.diff(depths[order])
    if not len(steps) or steps.min() >= SAME_PLACE_MM:
        return ()
    return _telling([frames[index] for index in order], _levels(steps)) or None


def _levels(steps: np.ndarray) -> np.ndarray:
    """The number of each image's position, from the distances of images in their order."""
    return np.concatenate([[0], np.cumsum(steps >= SAME_PLACE_MM)])


def _telling(frames: Sequence[Frame], levels: np.ndarray) -> tuple[str, ...]:
    """The first mark, or pair of marks, with a value for each volume; empty where there is none."""
    candidates = [name for name in TELLING if name != "SOPInstanceUID" and len({f.marks[name] for f in frames}) > 1]
    for names in (*((name,) for name in candidates), *itertools.combinations(candidates, 2)):
        told = [tuple(frame.marks[name] for name in names) for frame in frames]
        apart = len(set(zip(told, levels.tolist(), strict=True))) == len(frames)
        if apart and len(set(told)) == np.bincount(levels).max():  # a value a volume, not a value an image
            return names
    return ()


def _at_one_place(frames: list[Frame], steps: np.ndarray, folder: Path) -> CaseError:
    """The error of images at one position, with what tells them apart."""
    levels = _levels(steps)
    found = f"{len(frames)} images at {levels[-1] + 1} positions in one series"
    copies = len(frames) - len({(frame.marks["SOPInstanceUID"], frame.number) for frame in frames})
    if copies and all(frame.marks["SOPInstanceUID"] for frame in frames):
        return _refusal(
            folder, f"{found}: {copies} of them are copies of others", "one image per position", "Delete the copies."
        )
    names = _telling(frames, levels)
    if names:
        values = sorted({frame.marks[names[0]] for frame in frames}, key=in_order)
        count = len({tuple(frame.marks[name] for name in names) for frame in frames})
        shown = f" ({', '.join(values[:6])}{', …' * (len(values) > 6)})"
        by, plain = " and ".join(names), len(names) == 1 and is_printed(names[0])
        found += f", told apart by {by}{shown if plain else f' ({count} values)'}"
        return _refusal(
            folder, found, "one image per position", SPLIT.format(by="".join(f" --by {name}" for name in names))
        )
    return _refusal(
        folder, f"{found}, and nothing that tells them apart", "one image per position", "Export the series again."
    )


def in_order(value: str) -> tuple[float, str]:
    """Key by which values of marks are sorted: numbers by size, then texts."""
    try:
        return float(value), ""
    except ValueError:
        return np.inf, value


def is_printed(mark: str) -> bool:
    """Whether a mark's values may be printed."""
    return not mark.endswith(NO_NUMBER)


def _through_plane(frames: list[Frame], steps: np.ndarray, folder: Path) -> tuple[float, list[str]]:
    """Distance of the slices in mm, and what stands against it."""
    first = frames[0]
    if not len(steps):
        known = [size for size in (first.between, first.thickness) if np.isfinite(size) and size > 0]
        if not known:
            found = "one slice without a thickness (SliceThickness, SpacingBetweenSlices)"
            raise _refusal(folder, found, "a thickness in mm", "Name the folder of the whole series.")
        said = f"one slice; SpacingBetweenSlices says {known[0]:g} mm, which was taken, SliceThickness {known[-1]:g} mm"
        return float(known[0]), [said] * (abs(known[0] - known[-1]) > DOUBTED * known[0])
    typical = float(np.median(steps))
    wrong = np.flatnonzero(np.abs(steps - typical) > GAP_TOLERANCE * typical + SAME_PLACE_MM)
    if len(wrong):
        found = f"slices {steps.min():.4g} to {steps.max():.4g} mm apart"
        remedy = "Look for missing files in the folder."
        if len(wrong) == 1 and steps[wrong[0]] > typical:
            found += f", with one gap, between slices {wrong[0] + 1} and {wrong[0] + 2} of {len(frames)}"
            remedy = (
                "Look for missing files in the folder; where these are two slabs, put each into a folder of its own."
            )
        raise _refusal(folder, found, "evenly spaced slices", remedy)
    step = float(steps.sum() / len(steps))
    doubts, apart = [], f"slices lie {step:.4g} mm apart by their positions"
    if first.between > 0 and abs(first.between - step) > DOUBTED * step:
        doubts.append(f"{apart}, which was taken; SpacingBetweenSlices says {first.between:g}")
    elif first.thickness > 0 and step > WIDE_GAP * first.thickness:
        doubts.append(f"{apart} but are {first.thickness:g} mm thick: is every second one missing?")
    return step, doubts


def _check_line(across: np.ndarray, along: np.ndarray, folder: Path) -> None:
    """Refuse slices whose first voxels do not lie on one line across them (mm within the plane, mm from the first slice)."""
    allowed = TILT * along[:, None] + 10 * SAME_PLACE_MM
    if np.all(np.abs(across) <= allowed):
        return
    slope = across[-1] / along[-1]
    tilt = np.degrees(np.arctan(np.linalg.norm(slope)))
    straight = np.all(np.abs(across - along[:, None] * slope) <= allowed)
    shift = np.linalg.norm(across, axis=1).max()
    raise _refusal(
        folder,
        f"a tilted stack: slices are shifted along their plane, at {tilt:.3g} degrees"
        if straight
        else f"slices that are shifted against each other along their plane, by up to {shift:.4g} mm",
        "slices that lie straight above each other",
        "Resample the series onto a rectangular grid (dcm2niix does so for a gantry tilt) and look at the result.",
    )


def _refusal(folder: Path, found: str, expected: str, remedy: str) -> CaseError:
    return CaseError(found=found, expected=expected, remedy=remedy, file=folder)
