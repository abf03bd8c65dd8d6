"""TIFF and EPS of figures."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from figure_inputs import make_inputs, settings
from PIL import Image

from her2radiomics.manuscript.figures import render_for_print


@pytest.mark.parametrize("ending", ["tiff", "eps"])
def test_files_for_print_are_the_same_bytes_each_time(tmp_path: Path, ending: str):
    inputs = make_inputs(tmp_path / "in")
    options = settings("roc", models=["nomogram"], partition="training", band="nomogram")
    for name in ("a", "b"):
        render_for_print(options, inputs, tmp_path / f"{name}.{ending}", {"run": "made"})
    first = (tmp_path / f"a.{ending}").read_bytes()
    assert first == (tmp_path / f"b.{ending}").read_bytes()
    if ending == "tiff":
        with Image.open(tmp_path / "a.tiff") as picture:
            assert picture.mode == "RGB" and picture.info["compression"] == "tiff_lzw"
            assert picture.info["dpi"] == (600, 600) and picture.width == pytest.approx(84 / 25.4 * 600, abs=1)
            assert json.loads(picture.tag_v2[270])["run"] == "made"
    else:
        assert first.startswith(b"%!PS-Adobe-3.0 EPSF-3.0") and b"CreationDate" not in first
        assert b"LiberationSans" in first


@pytest.mark.skipif(shutil.which("gs") is None, reason="Ghostscript is not installed")
def test_a_band_in_eps_is_pale(tmp_path: Path):
    inputs = make_inputs(tmp_path / "in")
    options = settings("roc", models=["nomogram"], partition="training", band="nomogram")
    render_for_print(options, inputs, tmp_path / "a.eps")
    command = [
        "gs",
        "-q",
        "-dNOPAUSE",
        "-dBATCH",
        "-dEPSCrop",
        "-sDEVICE=png16m",
        "-r50",
        "-sOutputFile=a.png",
        "a.eps",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).reshape(-1, 3)
    assert (np.abs(pixels.astype(int) - [217, 234, 243]).max(axis=1) < 12).sum() > 200
