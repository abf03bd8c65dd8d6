"""A simulated volume like a breast, with a tumour in it, for the tests of extraction."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def breast_like(seed: int, shape=(18, 47, 54), spacing=(0.7, 0.8, 2.2), kind=np.int16, centre=(0.5, 0.5, 0.5)):
    """A smooth noisy volume with a bright, lobed lesion; odd and even sides, values far from multiples of
    25."""
    generator = np.random.default_rng(seed)
    noise = sitk.GetImageFromArray(generator.normal(0, 1, shape))
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 1.5))
    grid = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    middle = [fraction * (n - 1) for fraction, n in zip(centre, shape, strict=True)]
    steps = spacing[::-1]
    distance = np.sqrt(sum(((g - m) * s) ** 2 for g, m, s in zip(grid, middle, steps, strict=True)))
    lesion = distance + 4 * smooth / smooth.std() < 9
    voxels = 180 + 60 * smooth / smooth.std() + 140 * lesion + generator.normal(0, 9, shape)
    image = sitk.GetImageFromArray(np.clip(voxels, 0, 650).astype(kind))
    image.SetSpacing(spacing)
    image.SetOrigin((-31.7, 12.3, 5.5))
    mask = sitk.GetImageFromArray(lesion.astype(np.uint8))
    mask.CopyInformation(image)
    return image, mask
