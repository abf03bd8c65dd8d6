"""Palettes: contrast on white, and distance as seen with and without red and green cones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from her2radiomics.manuscript.palettes import APART, PALETTES, Palette, tint

# Machado, Oliveira, Fernandes, IEEE Trans Vis Comput Graph 2009;15:1291, table of severity 1.0, for linear RGB
SIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(colour: str, sight: str) -> np.ndarray:
    """CIELAB of a colour as seen."""
    from skimage.color import rgb2lab

    light = np.clip(SIGHT[sight] @ linear(colour), 0, 1)
    rgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return rgb2lab(rgb.reshape(1, 1, 3)).ravel()


def nearest(colours: tuple[str, ...], sight: str) -> float:
    """CIEDE2000 of the two colours that are hardest to tell apart."""
    from skimage.color import deltaE_ciede2000

    pairs = combinations([seen(colour, sight) for colour in colours], 2)
    return min(float(deltaE_ciede2000(a, b)) for a, b in pairs)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_distinct_is_measured(palette: Palette):
    """The leading colours that all three kinds of sight keep apart are as many as the palette says, and no more."""

    def apart(count: int) -> bool:
        return all(nearest(palette.colours[:count], sight) >= APART for sight in SIGHT)

    assert apart(palette.distinct)
    assert palette.distinct == len(palette.colours) or not apart(palette.distinct + 1)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_lines_stand_out_on_white(palette: Palette):
    """WCAG 2.2, 1.4.11: 3 to 1 for every series."""
    contrast = [1.05 / (linear(colour) @ LUMINANCE + 0.05) for colour in palette.colours]
    assert min(contrast) >= 3


def test_the_default_is_safe_and_the_one_that_is_not_says_so():
    """Four series are to be told apart without red or green cones."""
    assert PALETTES["okabe_ito"].distinct == 7
    unsafe = [name for name, palette in PALETTES.items() if palette.distinct < 4]
    assert unsafe == ["lancet"]
    # its red and green: CIEDE2000 6.9 without green cones
    assert nearest(PALETTES["lancet"].colours[1:3], "deuteranopia") == pytest.approx(6.9, abs=0.1)


def test_tint():
    assert tint("#0072B2", 1.0) == "#0072b2" and tint("#0072B2", 0.0) == "#ffffff"
    assert tint("#000000", 0.5) == "#808080"
