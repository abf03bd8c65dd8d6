"""The pictures of README and tutorial are those of the present protocol, code and simulator: drawn again and compared."""

from __future__ import annotations

import importlib.util
import io

import numpy as np
import pytest
from PIL import Image
from workflow_run import ROOT

spec = importlib.util.spec_from_file_location("readme_pictures", ROOT / "benchmarks/readme_pictures.py")
readme_pictures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(readme_pictures)
RENEW = "Run the demo, then .venv/bin/python benchmarks/readme_pictures.py, and correct the tutorial's numbers."


def differing(one: Image.Image, other: Image.Image) -> int:
    """Pixels whose grey level differs by more than a quarter of the range: another digit has about a hundred."""
    assert one.size == other.size, f"found a picture of {one.size}, drawn anew it is {other.size}. {RENEW}"
    grey = [np.asarray(image.convert("L"), dtype=int) for image in (one, other)]
    return int((np.abs(grey[0] - grey[1]) > 64).sum())


@pytest.mark.parametrize("name", readme_pictures.PICTURES)
def test_the_pictures_are_those_of_the_present_code(name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    drawn = Image.open(io.BytesIO(readme_pictures.picture(name, tmp_path)))
    with Image.open(readme_pictures.IMAGES / readme_pictures.PICTURES[name]) as stored:
        assert differing(stored, drawn) < 25, RENEW


def test_another_digit_is_seen():
    page = Image.new("L", (60, 40), "white")
    one, other = page.copy(), page.copy()
    from PIL import ImageDraw, ImageFont

    font = ImageFont.truetype(str(next((ROOT / "src").rglob("LiberationSans-Regular.ttf"))), 28)
    ImageDraw.Draw(one).text((5, 2), "0.73", font=font)
    ImageDraw.Draw(other).text((5, 2), "0.72", font=font)
    assert differing(one, other) > 25


def test_readme_and_tutorial_show_these_pictures():
    readme, tutorial = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/tutorial.md"))
    assert all(
        f"docs/images/{file}" in readme or f"images/{file}" in tutorial for file in readme_pictures.PICTURES.values()
    )
    assert readme.count("docs/images/") == 1 and len(readme.splitlines()) <= 45
    stored = {path.name for path in readme_pictures.IMAGES.iterdir() if path.is_file()}
    assert stored == set(readme_pictures.PICTURES.values())
