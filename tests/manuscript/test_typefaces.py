"""Fonts of figures: packaged, of the machine where characters ask for it, or refused by name; text of SVGs."""

from __future__ import annotations

from pathlib import Path

import pytest
from figure_inputs import make_inputs, settings

from her2radiomics.manuscript import style, typefaces
from her2radiomics.manuscript.figures import draw, render
from her2radiomics.manuscript.typefaces import FontError, families_for

CHINESE = "完全缓解"


@pytest.fixture(autouse=True)
def forgotten():
    """What a test says of the machine's fonts is forgotten after it."""
    yield
    families_for.cache_clear()


def test_the_packaged_font_is_taken_before_the_systems():
    from matplotlib.font_manager import findfont

    assert typefaces.characters_of("Liberation Sans")
    assert Path(findfont("Liberation Sans")).parent == typefaces.PACKAGED
    assert (typefaces.PACKAGED / "OFL.txt").read_text(encoding="utf-8").count("SIL OPEN FONT LICENSE")


def test_every_character_of_the_style_is_in_the_usual_fonts():
    assert families_for("λ β σ ρ − – ≥ → × ± · µ é ü", "Liberation Sans") == ("Liberation Sans", "DejaVu Sans")


def test_chinese_is_drawn_by_a_font_that_has_it(monkeypatch: pytest.MonkeyPatch):
    has = typefaces.characters_of
    made = frozenset(map(ord, CHINESE))
    monkeypatch.setattr(typefaces, "characters_of", lambda name: made if name == "SimHei" else has(name))
    families_for.cache_clear()
    assert families_for(CHINESE, "Liberation Sans")[-1] == "SimHei"


def test_chinese_is_refused_by_name_where_no_font_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(typefaces, "WIDE", ())
    families_for.cache_clear()
    with pytest.raises(FontError, match=r"完全缓解.*完 \(U\+5B8C\).*fonts-noto-cjk"):
        draw(settings("flow"), make_inputs(tmp_path, positive=CHINESE))


def test_a_font_that_is_not_installed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    has = typefaces.characters_of
    monkeypatch.setattr(typefaces, "characters_of", lambda n: frozenset() if n == "Helvetica" else has(n))
    families_for.cache_clear()
    with pytest.raises(FontError, match="'Helvetica'.*font_family.*liberation_sans"):
        draw(settings("flow", font_family="helvetica"), make_inputs(tmp_path))


@pytest.mark.parametrize("kept", ["text", "outlines"])
def test_text_of_an_svg_can_be_edited(tmp_path: Path, kept: str):
    inputs = make_inputs(tmp_path / "in", svg_text=kept)
    svg = render(settings("flow"), inputs, tmp_path / "figure")[0].read_text(encoding="utf-8")
    assert ("<text" in svg and "Liberation Sans" in svg) == (kept == "text")
    assert style.SIMULATED in svg.replace("<!--", "")
