"""The gallery's pictures are those of the present drawing code, one for every kind of figure."""

from __future__ import annotations

import io
import re
from pathlib import Path

import gallery
import numpy as np
import pytest
from figure_inputs import make_inputs
from PIL import Image

from her2radiomics.manuscript import figures


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> figures.FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_picture_of_a_kind_is_what_its_lines_draw(study: figures.FigureInputs, kind: str):
    drawn = Image.open(io.BytesIO(gallery.picture(kind, study)))
    with Image.open(gallery.FOLDER / f"{kind}.png") as stored:
        assert stored.size == drawn.size, "run 'python tests/gallery.py'"
        grey = [np.asarray(image.convert("L"), dtype=int) for image in (stored, drawn)]
    # a digit of the smallest type has some 20 dark pixels at this size
    assert (np.abs(grey[0] - grey[1]) > 64).sum() < 12, "run 'python tests/gallery.py'"


def test_the_page_shows_every_kind_and_no_other_picture_is_kept(root: Path):
    page = (root / "docs/kinds.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\((\S+)\)", page)
    stored = [path.relative_to(root / "docs").as_posix() for path in gallery.FOLDER.iterdir()]
    assert sorted(shown) == sorted(stored) == sorted(f"images/kinds/{kind}.png" for kind in figures.KINDS)
