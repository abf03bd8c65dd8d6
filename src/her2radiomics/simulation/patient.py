"""One patient's images and masks on disk."""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.errors import CaseError
from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import isal_zlib, sitk
from her2radiomics.core.seeds import stream
from her2radiomics.imaging.fields import apply_axes
from her2radiomics.simulation.acquisition import Protocol, Sampling, apparent_diffusion, compose, measure, sampling
from her2radiomics.simulation.anatomy import Breast, Grid, draw_breast, outer_shape
from her2radiomics.simulation.biology import Biology
from her2radiomics.simulation.enrolment import find, image_path, mask_path, read_twice
from her2radiomics.simulation.lesion import Lesion, draw_lesion, place
from her2radiomics.simulation.readers import outline
from her2radiomics.simulation.settings import SimulationSettings

SHIFT_SD_MM = 0.6
"""Movement of the patient between sequences, along each axis."""
NIFTI_HEADER = 352
"""Bytes before the voxels in a NIfTI-1 file without extensions."""
COMPRESSION = 1
"""ISA-L's level: files 2% larger than those of zlib, which SimpleITK would use, in a twentieth of its time."""


def simulate_patient(
    settings: SimulationSettings,
    *,
    size: str,
    seed: int,
    patient_id: str,
    folder: str | Path,
    strength: float | None = None,
) -> None:
    """Write a patient's images and masks below ``folder``, as the roster's manifest names them.

    The bytes depend on the settings, size, seed and patient alone: not on other patients, processes or threads,
    nor on ``strength``, which is taken only so that callers may pass on what they passed to ``roster``.
    Each file is written under a temporary name and renamed.

    Raises
    ------
    SettingsError
        Unknown size or patient, or an excluded one.
    CaseError
        A reader's outline came out empty: the readers' errors are larger than the tumour.
    """
    person = find(settings, size=size, seed=seed, patient_id=patient_id)
    centre, body = settings.centres[person.centre], person.body
    view = settings.sizes[size]
    grid = Grid.of(view)
    random = stream(seed, patient_id, "anatomy")
    shape = outer_shape(view, body, random)
    position = place(grid, shape, body.radius_mm, random)
    breast = draw_breast(grid, shape, body, position, stream(seed, patient_id, "tissue"))
    lesion = draw_lesion(grid, position, body, stream(seed, patient_id, "lesion"))
    lesions = [lesion]
    if body.satellite:
        lesions.append(_satellite(grid, position, body, stream(seed, patient_id, "satellite")))

    twice = patient_id in read_twice(settings, size=size, seed=seed)
    lattices: dict[str, Sampling] = {}
    for family in {sequence.family for sequence in settings.sequences.values()}:
        voxel, shift = centre.voxels[family], np.zeros(3)
        if family != "dce":  # the dynamic series is what the others are off from
            shift = SHIFT_SD_MM * stream(seed, patient_id, f"shift {family}").standard_normal(3)
        lattices[family] = sampling(
            grid, voxel.in_plane_mm * view.voxel_factor, voxel.slice_mm * view.voxel_factor, shift
        )
    for name, sequence in settings.sequences.items():
        protocol, lattice = Protocol(sequence, centre, body), lattices[sequence.family]
        gain = centre.gain * body.gain
        noise = stream(seed, patient_id, f"scan {name}")

        def scan(b_value: float) -> NDArray[np.float32]:
            volume = compose(protocol, breast, lesions, b_value)  # noqa: B023 - called in this turn only
            coil = stream(seed, patient_id, f"coil {sequence.family}")  # noqa: B023
            return measure(volume, lattice, centre, sequence.family, gain, coil, noise)  # noqa: B023

        image = scan(sequence.b_value)
        if sequence.kind == "adc":
            image = apparent_diffusion(scan(0.0), image, sequence.b_value, 300.0 * gain)
        _write(image, lattice, Path(folder) / image_path(patient_id, name))
        for reader in settings.readers.who(twice) if sequence.outlined else []:
            random = stream(seed, patient_id, f"reader {reader} {name}")
            mask = outline(lesion, lattice, settings.readers, random, settings.readers.error_scale(reader))
            if not mask.any():
                raise CaseError(
                    patient=patient_id,
                    sequence=name,
                    reader=reader,
                    found="an empty outline",
                    expected="at least one voxel",
                    remedy="Lower contour_sd_mm and offset_sd_mm of the simulated readers, or enlarge the tumours.",
                )
            _write(mask, lattice, Path(folder) / mask_path(patient_id, name, reader))
        if settings.breast_masks:
            _write(_breast_mask(breast, lattice), lattice, Path(folder) / mask_path(patient_id, name, "breast"))


def _satellite(grid: Grid, position: NDArray, body: Biology, random: np.random.Generator) -> Lesion:
    """Draw a second, small lesion of the same tissue, towards the middle of the field."""
    radius = random.uniform(3.0, 4.5)
    direction = -position / max(float(np.sqrt((position**2).sum())), 1.0) + 0.7 * random.standard_normal(3)
    direction /= np.sqrt((direction**2).sum())
    centre = position + direction * (1.5 * body.radius_mm + radius + 4.0)
    half = 0.5 * grid.step * np.array(grid.shape) - radius - 3.0
    return draw_lesion(grid, np.clip(centre, -half, half), body, random, satellite_of=radius)


def _breast_mask(breast: Breast, lattice: Sampling) -> NDArray[np.uint8]:
    """Voxels at least half inside the body, in front of the chest wall."""
    return (apply_axes(breast.body.astype(np.float32), lattice.weights) >= 0.5).astype(np.uint8)


def _write(volume: NDArray, lattice: Sampling, path: Path) -> None:
    """Write a NIfTI file; intensities become 16-bit integers, masks stay 8-bit."""
    if volume.dtype != np.uint8:
        volume = np.rint(volume)
        volume = np.clip(volume, 0, 32767, out=volume).astype(np.int16)
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing(lattice.spacing)
    image.SetOrigin(lattice.origin)
    with whole_file(path) as temporary:
        plain = temporary.with_suffix("")
        try:
            sitk.WriteImage(image, str(plain))
            content = plain.read_bytes()
        finally:
            plain.unlink(missing_ok=True)
        # SimpleITK says nothing when the disk is full
        if len(content) != NIFTI_HEADER + volume.nbytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        temporary.write_bytes(isal_zlib.compress(content, COMPRESSION, zlib.MAX_WBITS | 16))
