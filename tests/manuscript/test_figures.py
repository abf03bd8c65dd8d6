"""Figures: every kind draws, files are the same bytes in every process, bad input is refused by name."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import zlib
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from figure_inputs import make_inputs, settings

from her2radiomics import __version__
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.settings import Settings, read_yaml, validate
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures import (
    KINDS,
    FigureInputError,
    FigureInputs,
    FigureSettings,
    StudyText,
    draw,
    render,
)
from her2radiomics.manuscript.palettes import PALETTES


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


@pytest.mark.parametrize(("width", "points"), [(84, 8), (174, 8), (84, 10)])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_inside_its_printed_width(inputs: FigureInputs, kind: str, width: int, points: float):
    """At one and two columns no text leaves the page or meets another, and none is below 7 pt (8.75 of 10)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    drawing = draw(settings(kind, width_mm=width, font_size=points), inputs)
    figure = drawing.figure
    assert figure.get_size_inches()[0] / style.MM == pytest.approx(width)
    assert figure.get_size_inches()[1] / style.MM <= 240  # a page
    assert len(drawing.data)
    with style.in_style(drawing.look):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        page = figure.bbox
        unseen = {id(label) for axes in figure.axes for label in _ticks_out_of_view(axes)}
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes: list[tuple[str, Any]] = []
        for text in texts:
            if id(text) in unseen:
                continue
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= page.x0 - 1 and box.x1 <= page.x1 + 1, text.get_text()
            assert box.y0 >= page.y0 - 1 and box.y1 <= page.y1 + 1, text.get_text()
            assert text.get_fontsize() >= points * 7 / 8, text.get_text()
            assert not re.search(r"(?<![\w.])-(?=\d)", text.get_text()), text.get_text()  # a minus is no hyphen
            boxes.append((text.get_text(), box.padded(-1)))
        for (here, one), (there, other) in combinations(boxes, 2):
            assert here == there or not one.overlaps(other), (here, there)
    assert sum(t.get_text() == style.SIMULATED for t in texts) == 1


def _ticks_out_of_view(axes: Any) -> list[Any]:
    """Tick labels that matplotlib keeps but does not draw: beyond the limits, or of invisible axes."""
    if not axes.axison:
        return [*axes.get_xticklabels(), *axes.get_yticklabels()]
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
            if not low - 1e-9 <= place <= high + 1e-9:
                found.append(label)
    return found


def test_the_mark_and_the_column_of_simulated_data_follow_the_study(inputs: FigureInputs, tmp_path: Path):
    real = dataclasses.replace(inputs, study=inputs.study.model_copy(update={"simulated": False}))
    for study, marked in ((inputs, 1), (real, 0)):
        files = render(settings("roc"), study, tmp_path / f"figure_{marked}")
        assert set(pd.read_csv(files[3])["simulated"]) == {marked}
        texts = {t.get_text() for t in draw(settings("roc"), study).figure.texts}
        assert (style.SIMULATED in texts) == bool(marked)


RENDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from figure_inputs import make_inputs, settings
from her2radiomics.manuscript.figures import KINDS, render
inputs = make_inputs(Path(sys.argv[2]) / "study", images=True)
for kind in KINDS:
    render(settings(kind, width_mm=84), inputs, Path(sys.argv[2]) / f"figure_{kind}", {"input": "0f1e"})
"""


def test_bytes_are_the_same_in_two_processes(tmp_path: Path):
    """Another process, another hash seed, another folder, a hostile matplotlibrc: the same files."""
    hashes, here = [], str(Path(__file__).parents[1])
    folders = {seed: tmp_path / seed for seed in ("1", "2")}
    running = []
    for seed, folder in folders.items():
        folder.mkdir()
        rc = folder / "matplotlibrc"
        rc.write_text(f"font.size: {10 * int(seed)}\nlines.linewidth: {seed}\nsvg.fonttype: none\n")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "MATPLOTLIBRC": str(rc), "TZ": f"UTC-{seed}"}
        running.append(subprocess.Popen([sys.executable, "-c", RENDER, here, str(folder)], env=environment))
    assert [process.wait() for process in running] == [0, 0]
    for folder in folders.values():
        files = sorted(folder.glob("figure_*"))
        assert len(files) == 4 * len(KINDS)
        hashes.append({f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files})
    assert hashes[0] == hashes[1]


def test_files_say_what_made_them_and_carry_no_date(inputs: FigureInputs, tmp_path: Path):
    from PIL import Image

    svg, pdf, png, csv = render(settings("roc"), inputs, tmp_path / "new" / "figure_1_roc", {"protocol": "ab12"})
    said = json.loads(Image.open(png).text["Description"])
    assert said["protocol"] == "ab12" and said["simulated"] == "true" and said["figure"] == "figure_1_roc"
    assert said["software"] == f"her2radiomics {__version__}" and said["study"] == inputs.study.title
    for text in (svg.read_text(encoding="utf-8"), pdf.read_bytes().decode("latin-1")):
        assert said["software"] in html.unescape(text) and "ab12" in text and inputs.study.title in text
    assert Image.open(png).info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert "ab12" in svg.read_text(encoding="utf-8") and "<dc:date>" not in svg.read_text(encoding="utf-8")
    content = pdf.read_bytes()
    assert b"CreationDate" not in content and b"FontFile2" in content  # TrueType, embedded
    assert b"/Type3" not in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    fonts = [font for font in map(zlib.decompress, streams) if font.startswith(b"\0\1\0\0")]
    for font in fonts:  # the table of contents: no table of layout, which takes longer than the figure
        assert b"glyf" in font[:400] and not any(table in font[:400] for table in (b"GSUB", b"GPOS", b"GDEF"))
    assert fonts
    assert Image.open(png).mode == "RGB"
    assert not re.search(r"<text[ >]", svg.read_text(encoding="utf-8"))  # letters are outlines
    assert csv.read_text(encoding="utf-8").count("\r") == 0
    assert sorted(p.name for p in svg.parent.iterdir()) == sorted(p.name for p in (svg, pdf, png, csv))


def test_needs_name_the_inputs_and_models():
    nomogram = settings("nomogram", scores={"rad_score": "radiomics"})
    assert nomogram.needs() == ("nomogram", "predictions", "participants")
    assert nomogram.models_needed("nomogram") == ("nomogram",)
    assert nomogram.models_needed("predictions") == ("nomogram", "radiomics")
    assert settings("nomogram", example="none").needs() == ("nomogram",)
    assert settings("flow").needs() == ("flow",) and settings("flow").models_needed("flow") == ()
    assert settings("roc").models_needed("predictions") == ("clinical", "radiomics", "nomogram")


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_input_is_named(inputs: FigureInputs, kind: str):
    bare = FigureInputs(study=inputs.study)
    needs = "|".join(settings(kind).needs())
    with pytest.raises(FigureInputError, match=f"'({needs})'.*expected"):
        draw(settings(kind), bare)


def test_a_missing_file_and_a_missing_column_are_named(inputs: FigureInputs, tmp_path: Path):
    gone = dataclasses.replace(inputs, flow=tmp_path / "flow.csv")
    with pytest.raises(FigureInputError, match=r"flow\.csv: found no such file"):
        draw(settings("flow"), gone)
    (tmp_path / "flow.csv").write_text("step,reason\nregistered,\n")
    with pytest.raises(TableError, match="column 'partition'.*also partition, excluded, remaining, events"):
        draw(settings("flow"), gone)


def test_wrong_predictions_are_refused_with_the_patient(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("predictions", "clinical"))
    table.loc[70, "probability"] = 1.2
    table.to_csv(tmp_path / "p.csv", index=False)
    wrong = dataclasses.replace(inputs, predictions={**inputs.predictions, "clinical": tmp_path / "p.csv"})
    with pytest.raises(TableError, match="patient P071, column 'probability': found '1.2'"):
        draw(settings("roc"), wrong)
    with pytest.raises(TableError, match="expected patients of 'external'"):
        draw(settings("roc", partition="external"), inputs)


class Figures(Settings):
    figures: list[FigureSettings]


def test_settings_refuse_what_they_do_not_know():
    good = {"id": "figure_5b_roc_training", "kind": "roc", "title": "t", "models": ["a"], "partition": "training"}
    for name in (good["id"], "figure_s1_roc_external", "figure_s12b_roc"):
        assert validate(Figures, {"figures": [good | {"id": name}]}, "protocol.yaml").figures[0].id == name
    for change, said in (
        ({"modles": ["a"]}, "unknown key.*modles.*did you mean 'models'"),
        ({"id": "roc_training"}, "figure_"),
        ({"kind": "rock"}, "roc"),
        ({"width_mm": 20}, "60"),
        ({"palette": "rainbow"}, "'okabe_ito', 'jama'"),
        ({"font_size": 6}, "8"),
        ({"band": "b"}, "'b' is not among the models a"),
        ({"kind": "flow", "height_mm": 50}, "height_mm"),
    ):
        with pytest.raises(SettingsError, match=f"(?s){said}"):
            validate(Figures, {"figures": [{**good, **change}]}, "protocol.yaml")


def test_study_text_refuses_unknown_keys():
    with pytest.raises(SettingsError, match="simulate"):
        validate(StudyText, {"simulate": True}, "study")


DOCS = Path(__file__).parents[2] / "docs/figures.md"


def test_the_documented_palettes_are_those_that_there_are():
    text = DOCS.read_text(encoding="utf-8")
    for palette in PALETTES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{palette.name}`"))
        assert f"| {palette.distinct}" in row and ("not colour-blind safe" in row) != (palette.distinct >= 4)


def test_the_documented_list_of_the_papers_items_is_that_of_the_protocols(root: Path):
    """Every figure and table of a protocol is named in docs/figures.md, itself or by the figure that it is a panel of."""
    section = DOCS.read_text(encoding="utf-8").split("## The papers' figures and tables")[1].split("\n## ")[0]
    named: dict[str, set[str]] = {}
    study = ""
    for line in section.splitlines():
        if not line.startswith("| ") or line.startswith("| study"):
            continue
        first, _, ours = (cell.strip() for cell in line.strip("|").split("|"))
        study = first.strip("`") or study
        named.setdefault(study, set()).update(re.findall(r"`((?:figure|table)_\w+)`", ours))
    files = sorted((root / "workflow" / "studies").glob("*.yaml"))
    assert set(named) == {file.stem for file in files}
    for file in files:
        protocol = read_yaml(file)
        panels = {name for item in protocol["figures"].values() for name in item.get("panels", ())}
        items = set(protocol["figures"]) | set(protocol["tables"])
        assert named[file.stem] <= items, file.stem
        assert items - panels <= named[file.stem], file.stem
