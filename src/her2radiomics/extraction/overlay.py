"""Quality-control overlays: regions outlined on the image, one small PNG a patient and sequence.

On the left the slice with the largest tumour area of the first reader that has a mask, on the right
magnified slices through the tumour. Axial slices show the patient's right on the left, sagittal ones the
anterior side.

A pixel of an outline keeps the grey below it: its palette index is the grey's and a multiple of the number of greys, one for
each colour. So a viewer can show the same picture without outlines. The PNG's text :data:`LAYERS` says how many greys there
are, and which slice lies where.
"""

from __future__ import annotations

import io
import json
import math
import struct
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import putchunk

from her2radiomics.cohort.manifest import BREAST, ManifestRow
from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import isal_zlib, sitk
from her2radiomics.extraction.loading import Row, load_case
from her2radiomics.extraction.outlines import LoadedCase
from her2radiomics.imaging import make_region
from her2radiomics.imaging.regions import parse_region

PANEL = 240  # height of the picture's panels in pixels
WIDEST = 320
HEADER = 34  # of one line of text and the legend
LINE = 15
TILES = (2, 3)  # rows and columns of magnified slices
MARGIN_MM = 8.0  # around the regions in a magnified slice
LARGEST_FILE = 60_000  # bytes: thousands of overlays stay browsable
GREYS = (64, 48, 32, 24, 16)  # the first of which the file is small enough
SIGNATURE = b"\x89PNG\r\n\x1a\n"
UP = 2  # PNG's number of the filter that stores differences from the line above
# Okabe and Ito's colours, distinguishable with colour-vision deficiency
FIRST_COLOUR, OTHER_COLOUR, RING_COLOUR = (230, 159, 0), (86, 180, 233), (0, 158, 115)
COLOURS = (FIRST_COLOUR, OTHER_COLOUR, RING_COLOUR)
COLOUR = 256  # greys of a picture while it is drawn; a multiple of it is the number of the outline's colour, from 1
#: Text of the PNG, as JSON: ``greys``, ``slices`` (number of the slice from 1, left, top, width, height in pixels), ``of``.
LAYERS = "layers"
_Place = tuple[int, int, int, int, int]


@dataclass
class _Layers:
    """Voxel arrays ``(z, y, x)`` to draw: the image, tumour outlines by reader, rings of the first of them."""

    image: np.ndarray
    tumours: dict[str, np.ndarray]
    rings: list[np.ndarray]
    radii: list[str]
    spacing: tuple[float, float, float]  # (x, y, z) in mm
    window: tuple[float, float]


def draw_overlay(
    rows: Sequence[Row],
    regions: Sequence[str],
    path: str | Path,
    *,
    simulated: bool = False,
    case: LoadedCase | None = None,
) -> None:
    """Write the overlay of one patient's sequence as PNG (below 60 kB, the same bytes for the same input).

    Parameters
    ----------
    rows
        Manifest rows of the patient and sequence, as for :func:`~her2radiomics.extraction.case.extract_case`.
    regions
        The protocol's region names; rings are drawn of the first reader that has a mask.
    path
        Where to write. A case that cannot be read yields a picture of the reason.
    simulated
        Whether the header says that the images are simulated.
    case
        The case where it is in memory already (``CaseResult.case``); else it is read.
    """
    case = case or load_case(rows)
    layers = _layers(case, regions)
    if layers is None:
        reason = next((str(problem) for problem in case.problems.values()), "no mask")
        draw_reason(rows[0], reason, path, simulated=simulated)
        return
    picture, places = _picture(layers, _title(rows[0], simulated), case)
    _write(_encode_small(picture, {"slices": places, "of": len(layers.image)}), path)


def draw_reason(row: Row, reason: str, path: str | Path, *, simulated: bool = False) -> None:
    """Write a picture of why there is no picture, as PNG: its patient and sequence (of a manifest's row), and the reason."""
    lines = [_title(row, simulated), "", *textwrap.wrap(reason, 74)]
    picture = Image.new("L", (2 * PANEL, max(PANEL, 20 + 16 * len(lines))), 20)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((8, 8 + 16 * number), line, fill=235, font=_font())
    _write(_encode(np.asarray(picture), GREYS[0]), path)


def _title(row: Row, simulated: bool) -> str:
    item = ManifestRow.of(row)
    return f"{item.patient_id}  {item.sequence}" + ("  (simulated)" if simulated else "")


def _write(data: bytes, path: str | Path) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _layers(case: LoadedCase, regions: Sequence[str]) -> _Layers | None:
    """Arrays to draw, turned so that the patient stands or lies as radiologists expect."""
    if case.image is None or not case.masks:
        return None
    turn, spacing = _orientation(case.image)
    image = turn(sitk.GetArrayViewFromImage(case.image))
    tumours = {reader: turn(sitk.GetArrayViewFromImage(mask)) != 0 for reader, mask in case.masks.items()}
    reader, first = next(iter(case.masks.items()))
    rings, radii = [], []
    for name in regions:
        radius = parse_region(name).radius_mm
        if radius is not None:
            try:
                ring = make_region(first, name, case.breast, case.levels.get(reader))
                rings.append(turn(sitk.GetArrayFromImage(ring)) != 0)
            except CaseError:
                continue  # qc.csv says why there is none; the tumour is still worth a look
            radii.append(f"{radius:g}")
    # the window of the slices drawn, robust to a few bright vessels
    drawn = next(iter(tumours.values())).any(axis=(1, 2))
    low, high = np.percentile(image[drawn], (1.0, 99.9))
    return _Layers(
        image, tumours, rings, list(dict.fromkeys(radii)), spacing, (float(low), float(max(high, low + 1e-9)))
    )


def _orientation(image: sitk.Image):  # type: ignore[no-untyped-def]
    """A function that flips and transposes slices for display, and the spacing that goes with it.

    Image axes point along the columns of the direction matrix in the patient's (left, posterior, superior)
    frame.
    """
    direction = np.reshape(image.GetDirection(), (3, 3))
    main = np.abs(direction).argmax(axis=0)
    # columns run to the patient's left or back, rows to the back or feet
    transpose = main[0] == 2 or main[1] == 0
    signs = [direction[main[axis], axis] * (-1 if main[axis] == 2 else 1) for axis in (0, 1)]
    flips = tuple(2 - axis for axis in (0, 1) if signs[axis] < 0)
    x, y, z = image.GetSpacing()

    def turn(voxels: np.ndarray) -> np.ndarray:
        voxels = np.flip(voxels, flips) if flips else voxels
        return voxels.swapaxes(1, 2) if transpose else voxels

    return turn, ((y, x, z) if transpose else (x, y, z))


def _picture(layers: _Layers, title: str, case: LoadedCase) -> tuple[np.ndarray, list[_Place]]:
    """The whole picture in greys and colours: header, largest slice, magnified slices; and the places of its slices."""
    first = next(iter(layers.tumours.values()))
    areas = np.count_nonzero(first, axis=(1, 2))
    largest = case.levels.get(next(iter(layers.tumours)), int(areas.argmax()))
    everything = (slice(0, first.shape[1]), slice(0, first.shape[2]))
    main = _panel(layers, largest, everything, (PANEL, WIDEST))
    tiles, places = _tiles(layers, areas)
    body = np.concatenate([main, np.zeros((PANEL, 2), np.uint16), tiles], axis=1)
    readers = list(layers.tumours)
    legend = [(f"reader {readers[0]}", 0)]
    legend += [(f"reader {', '.join(readers[1:])}", 1)] if readers[1:] else []
    legend += [(f"ring {', '.join(layers.radii)} mm", 2)] if layers.rings else []
    note = f"slice {largest + 1} of {len(areas)}"
    if case.problems:
        note += f"   reader {', '.join(case.problems)}: failed"
    drawn = ", ".join(name for name in case.resampled if name != BREAST)
    whose = [f"reader {drawn}"] * bool(drawn) + [BREAST] * (BREAST in case.resampled)
    said = [f"MASK RESAMPLED onto the image: {' and '.join(whose)}"] if whose else []
    said += [f"image: {case.steps}"] if case.steps else []
    lines = [f"{title}   {note}", *said]
    header = _header(body.shape[1], lines, legend)
    below, right = header.shape[0], main.shape[1] + 2
    places = [(number, left + right, top + below, wide, high) for number, left, top, wide, high in places]
    return np.concatenate([header, body]), [(largest + 1, 0, below, main.shape[1], main.shape[0]), *places]


def _tiles(layers: _Layers, areas: np.ndarray) -> tuple[np.ndarray, list[_Place]]:
    """Magnified slices, evenly spread over the slices that hold tumour of any reader, or a ring."""
    union = np.logical_or.reduce([*layers.tumours.values(), *layers.rings])
    slices = np.flatnonzero(union.any(axis=(1, 2)))
    within = union[slices[0] : slices[-1] + 1].any(axis=0)
    rows, columns = (np.flatnonzero(within.any(axis=axis)) for axis in (1, 0))
    x, y, _ = layers.spacing
    window = _square(rows, columns, (y, x), union.shape[1:])
    if len(slices) == 1:
        alone = _panel(layers, int(slices[0]), window, (PANEL, WIDEST))
        return alone, [(int(slices[0]) + 1, 0, 0, alone.shape[1], alone.shape[0])]
    down, across = TILES
    chosen = slices[np.unique(np.linspace(0, len(slices) - 1, down * across).round().astype(int))]
    height = (PANEL - 2) // down
    panels = [_panel(layers, int(index), window, (height, height)) for index in chosen]
    shapes = [panel.shape for panel in panels]
    panels = [np.pad(p, ((0, height - p.shape[0]), (0, height - p.shape[1]))) for p in panels]
    across = min(across, math.ceil(len(panels) / down))
    places = [
        (int(index) + 1, number % across * (height + 1), number // across * (height + 2), wide, high)
        for number, (index, (high, wide)) in enumerate(zip(chosen, shapes, strict=True))
    ]
    panels += [np.zeros((height, height), np.uint16)] * (down * across - len(panels))
    gap = np.zeros((height, 1), np.uint16)
    lines = []
    for line in range(down):
        strip = [part for p in panels[line * across : (line + 1) * across] for part in (p, gap)]
        lines.append(np.concatenate(strip, axis=1))
    stacked = np.concatenate([lines[0], np.zeros((2, lines[0].shape[1]), np.uint16), *lines[1:]])
    return np.pad(stacked, ((0, PANEL - stacked.shape[0]), (0, 0))), places


def _square(
    rows: np.ndarray, columns: np.ndarray, steps: tuple[float, float], shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """A window around the regions, as wide as high in mm where the image allows."""
    spans = [(found[-1] - found[0] + 1) * step for found, step in zip((rows, columns), steps, strict=True)]
    side = max(spans) + 2 * MARGIN_MM
    window = []
    for found, step, length in zip((rows, columns), steps, shape, strict=True):
        half = math.ceil(side / step / 2)
        middle = (int(found[0]) + int(found[-1])) // 2
        window.append(slice(max(0, middle - half), min(length, middle + half + 1)))
    return window[0], window[1]


def _panel(layers: _Layers, index: int, window: tuple[slice, slice], limit: tuple[int, int]) -> np.ndarray:
    """One slice in greys with outlines in colours, at most ``limit`` (height, width) pixels large."""
    low, high = layers.window
    view = layers.image[index][window].astype(float)
    scaled = (np.clip((view - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
    x, y, _ = layers.spacing
    height_mm, width_mm = view.shape[0] * y, view.shape[1] * x
    zoom = min(limit[0] / height_mm, limit[1] / width_mm)
    size = (max(1, round(width_mm * zoom)), max(1, round(height_mm * zoom)))
    panel = np.asarray(Image.fromarray(scaled).resize(size, Image.Resampling.BICUBIC)).astype(np.uint16)

    # voxel under each pixel's centre
    nearest = [
        ((np.arange(n) + 0.5) * (length / n)).astype(int) for n, length in zip(size[::-1], view.shape, strict=True)
    ]

    def outline(voxels: np.ndarray, colour: int) -> None:
        if voxels.any():
            inside = voxels[window].take(nearest[0], axis=0).take(nearest[1], axis=1)
            edge = np.flatnonzero(inside != _eroded(inside))
            panel.flat[edge] = panel.flat[edge] % COLOUR + COLOUR * (1 + colour)

    first = next(iter(layers.tumours.values()))
    for ring in layers.rings:
        if ring[index].any():
            outline(ring[index] | first[index], 2)
    for number, tumour in reversed(list(enumerate(layers.tumours.values()))):
        outline(tumour[index], min(number, 1))
    if size[1] < limit[0] and limit[0] == PANEL:
        panel = np.pad(panel, ((0, limit[0] - size[1]), (0, 0)))
    return panel


def _eroded(inside: np.ndarray) -> np.ndarray:
    """Pixels whose four neighbours are inside too; the picture's edge counts as inside."""
    inner = inside.copy()
    inner[1:] &= inside[:-1]
    inner[:-1] &= inside[1:]
    inner[:, 1:] &= inside[:, :-1]
    inner[:, :-1] &= inside[:, 1:]
    return inner


def _header(width: int, lines: Sequence[str], legend: Sequence[tuple[str, int]]) -> np.ndarray:
    """Lines of text, then the legend line, in greys and colours."""
    below = LINE * (len(lines) - 1)
    strip = Image.new("L", (width, HEADER + below), 0)
    draw = ImageDraw.Draw(strip)
    font = _font()
    for number, line in enumerate(lines):
        draw.text((4, 1 + LINE * number), line, fill=235, font=font)
    places = []
    left = 4.0
    for name, colour in legend:
        places.append((int(left), colour))
        draw.text((left + 14, below + 16), name, fill=235, font=font)
        left += 14 + draw.textlength(name, font=font) + 14
    header = np.asarray(strip).astype(np.uint16)
    for start, colour in places:
        header[below + 22 : below + 25, start : start + 10] = COLOUR * (1 + colour)
    return header


def _encode_small(picture: np.ndarray, layers: dict[str, Any]) -> bytes:
    """PNG bytes, fewer than :data:`LARGEST_FILE`, with the most greys of which that is so."""
    for greys in GREYS:
        encoded = _encode(picture, greys, {"greys": greys, **layers})
        if len(encoded) < LARGEST_FILE:
            break
    return encoded


def _encode(picture: np.ndarray, greys: int, layers: dict[str, Any] | None = None) -> bytes:
    """PNG bytes with a palette of greys and, for each of them, the outlines' colours; no time stamps.

    Pillow stores the indices of a palette as they are; differences from the line above take less space, and with ISA-L a
    tenth of the time.
    """
    colours, shades = np.divmod(np.arange(COLOUR * (1 + len(COLOURS))), COLOUR)
    indices = (shades * greys // COLOUR + greys * colours).astype(np.uint8).take(picture)
    lines = np.full((len(indices), 1 + indices.shape[1]), UP, np.uint8)
    lines[:, 1:] = indices
    lines[1:, 1:] -= indices[:-1]
    ramp = [round(level * 255 / (greys - 1)) for level in range(greys)]
    palette = [part for level in ramp for part in (level,) * 3] + [p for c in COLOURS for p in c * greys]
    buffer = io.BytesIO(SIGNATURE)
    buffer.seek(0, io.SEEK_END)
    putchunk(buffer, b"IHDR", struct.pack(">2I5B", *indices.shape[::-1], 8, 3, 0, 0, 0))
    putchunk(buffer, b"PLTE", bytes(palette))
    if layers:
        putchunk(buffer, b"tEXt", f"{LAYERS}\0{json.dumps(layers, separators=(',', ':'))}".encode("latin-1"))
    putchunk(buffer, b"IDAT", isal_zlib.compress(lines, 1))
    putchunk(buffer, b"IEND")
    return buffer.getvalue()


@cache
def _font() -> Any:
    """DejaVu Sans as matplotlib brings it: Pillow's own font has no ×, – or σ. Found without importing matplotlib."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.submodule_search_locations is not None
    fonts = Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / "DejaVuSans.ttf"), 11)
