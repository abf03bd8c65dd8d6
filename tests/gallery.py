"""Pictures of the gallery (``docs/kinds.md``): the first example of every kind of figure, from the tests' made study.

    python tests/gallery.py        # draws docs/images/kinds

``tests/manuscript/test_gallery.py`` draws them again and compares.
"""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from figure_inputs import make_inputs, settings
from PIL import Image

from her2radiomics.manuscript import figures, style
from her2radiomics.study import reference

FOLDER = Path(__file__).resolve().parents[1] / "docs" / reference.PICTURES
DPI = 110


def picture(kind: str, study: figures.FigureInputs) -> bytes:
    """The picture of a kind as a small PNG file."""
    drawing = figures.draw(settings(kind), study)
    buffer, small = io.BytesIO(), io.BytesIO()
    with style.in_style(drawing.look):
        drawing.figure.savefig(buffer, format="png", dpi=DPI)
    with Image.open(buffer) as drawn:
        drawn.convert("RGB").quantize(32, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        inputs = make_inputs(Path(temporary), images=True)
        for name in figures.KINDS:
            (FOLDER / f"{name}.png").write_bytes(picture(name, inputs))
