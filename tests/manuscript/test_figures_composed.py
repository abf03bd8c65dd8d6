"""Composed figures: native panels in line, letters in order, one table; and what a protocol may not compose."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from figure_inputs import ADAPTER, make_inputs, settings
from matplotlib.backends.backend_agg import FigureCanvasAgg

from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures import KINDS, FigureInputs, draw, render, with_panels

MODELS = ["clinical", "radiomics", "nomogram"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


def composed(kinds: list[str], **options: Any) -> Any:
    singles = [settings(kind) for kind in kinds]
    start = {"id": "figure_5_composed", "kind": "composed", "title": "t", "panels": [s.id for s in singles]}
    return with_panels([*singles, ADAPTER.validate_python(start | options)])[-1]


def frames(figure: Any) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height in mm of each panel's frame, from the figure's upper left corner."""
    width, height = style.size(figure)
    found = []
    for part in figure.subfigs:
        box = part.axes[0].get_window_extent()
        whole = figure.bbox
        x, y = box.x0 / whole.width * width, (whole.height - box.y1) / whole.height * height
        found.append((x, y, box.width / whole.width * width, box.height / whole.height * height))
    return found


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"composed"}))
def test_every_kind_draws_the_same_as_a_panel(inputs: FigureInputs, kind: str):
    """The same texts, in the same places on the page in millimetres, as in the figure of its own."""
    from matplotlib.text import Text

    def texts(figure: Any, below: float) -> list[tuple[str, float, float]]:
        FigureCanvasAgg(figure).draw()
        seen = FigureCanvasAgg(figure).get_renderer()
        found = []
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip() and text.get_text() != style.SIMULATED:
                box = text.get_window_extent(seen)
                mm = figure.dpi * style.MM
                found.append((text.get_text(), box.x0 / mm, (figure.bbox.y1 - box.y1) / mm - below))
        return sorted(found)

    alone = settings(kind, width_mm=174, panel_letter="")
    whole = composed([kind], columns=1, letters="none")
    with style.in_style():
        single = texts(draw(alone, inputs).figure, 0.0)
        panel = texts(draw(whole, inputs).figure, 6.0)  # under the mark of simulated data
    assert [text for text, _, _ in panel] == [text for text, _, _ in single]
    for (text, *here), (_, *there) in zip(panel, single, strict=True):
        assert here == pytest.approx(there, abs=0.5), text  # hinting moves letters by a dot, a quarter of a mm


def test_frames_of_a_row_are_in_line(inputs: FigureInputs):
    """ROC (square), decision curve and Rad-score (with a legend above): same top, same height, even columns."""
    drawing = draw(composed(["roc", "decision_curve", "rad_score"], columns=3), inputs)
    placed = frames(drawing.figure)
    for here, there in pairwise(placed):
        assert here[1] == pytest.approx(there[1], abs=0.01)
        assert here[3] == pytest.approx(there[3], abs=0.01)
    assert placed[0][2] == pytest.approx(placed[0][3], abs=0.05)  # still square
    steps = [there[0] - here[0] for here, there in pairwise(placed)]
    assert steps == pytest.approx([(174 - 8) / 3 + 4] * 2, abs=0.01)


def test_long_labels_of_axes_are_broken_inside_their_panels(inputs: FigureInputs):
    """A long outcome in three columns: every text of a panel lies in the panel, and none meets another."""
    study = inputs.study.model_copy(update={"positive": "Target-positive", "negative": "Target-negative"})
    whole = composed(["roc", "calibration", "decision_curve"], columns=3)
    with style.in_style():
        figure = draw(whole, dataclasses.replace(inputs, study=study)).figure
        seen = FigureCanvasAgg(figure).get_renderer()
        broken = 0
        for part in figure.subfigs:
            labels = [axes.xaxis.label for axes in part.axes if "Target" in axes.get_xlabel()]
            for label in labels:
                box = label.get_window_extent(seen)
                assert box.x0 >= part.bbox.x0 - 1 and box.x1 <= part.bbox.x1 + 1, label.get_text()
                legends = [item.get_window_extent(seen) for axes in part.axes if (item := axes.get_legend())]
                assert not any(box.overlaps(legend) for legend in legends)
                broken += "\n" in label.get_text()
    assert broken == 2


def test_columns_are_in_line(inputs: FigureInputs):
    placed = frames(draw(composed(["roc", "calibration", "decision_curve", "kaplan_meier"], columns=2), inputs).figure)
    assert placed[0][0] == pytest.approx(placed[2][0], abs=0.01)


@pytest.mark.parametrize(("letters", "expected"), [("upper", "ABC"), ("lower", "abc"), ("none", "")])
def test_letters_stand_at_the_panels_upper_left(inputs: FigureInputs, letters: str, expected: str):
    figure = draw(composed(["roc", "rad_score", "feature_weights"], letters=letters), inputs).figure
    seen = FigureCanvasAgg(figure).get_renderer()
    printed, places = "", []
    for part in figure.subfigs:
        for text in part.texts:
            if len(text.get_text()) == 1 and text.get_fontweight() == "bold":
                printed += text.get_text()
                box = text.get_window_extent(seen)
                places.append((box.x0 - part.bbox.x0, part.bbox.y1 - box.y1))
    assert printed == expected
    assert all(abs(a - b) < 2 for here, there in pairwise(places) for a, b in zip(here, there, strict=True))  # dots


def test_the_table_is_the_panels_tables(inputs: FigureInputs):
    whole = draw(composed(["roc", "lasso"]), inputs).data
    assert whole[["panel", "figure"]].drop_duplicates().to_numpy().tolist() == [
        ["A", "figure_1_roc"],
        ["B", "figure_1_lasso"],
    ]
    for letter, kind in (("A", "roc"), ("B", "lasso")):
        alone = draw(settings(kind), inputs).data.rename(columns={"panel": "part"})
        mine = whole[whole["panel"] == letter][list(alone.columns)].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, alone, check_dtype=False)


def test_panels_stay_vectors_and_are_marked_once(inputs: FigureInputs, tmp_path: Path):
    svg, pdf, _, csv = render(composed(["kaplan_meier", "groups"]), inputs, tmp_path / "figure_5_composed")
    text = svg.read_text(encoding="utf-8")
    assert "<image" not in text and b"/Subtype /Image" not in pdf.read_bytes()
    assert len(re.findall("<!-- Simulated data -->", text)) == 1
    assert set(pd.read_csv(csv)["simulated"]) == {1}


def test_needs_are_those_of_the_panels():
    whole = composed(["roc", "lasso", "nomogram"])
    wanted = {"predictions", "performance", "lasso_path", "lasso_cv", "nomogram", "participants"}
    assert set(whole.needs()) == wanted
    assert whole.models_needed("lasso_path") == ("radiomics",)
    assert whole.models_needed("predictions") == tuple(MODELS)


def test_a_page_that_is_too_low_makes_frames_lower_and_then_warns(inputs: FigureInputs):
    kinds = ["roc", "decision_curve"]
    tall = draw(composed(kinds), inputs)
    low = draw(composed(kinds, page_mm=90), inputs)
    assert style.size(low.figure)[1] <= 90 < style.size(tall.figure)[1]
    assert frames(low.figure)[0][3] < frames(tall.figure)[0][3]
    # what does not fit is a result's doing (a nomogram with many predictors): drawn, and said
    with pytest.warns(UserWarning, match="found panels of .* mm in all; expected at most 60 mm"):
        over = draw(composed(kinds, page_mm=60), inputs)
    assert 60 < style.size(over.figure)[1] < style.size(low.figure)[1]
    assert list(over.data["panel"].unique()) == ["A", "B"]


def test_a_wide_panel_has_a_row_to_itself(inputs: FigureInputs):
    whole = composed(["nomogram", "roc", "decision_curve"], wide=["figure_1_nomogram"])
    assert whole.rows() == [["figure_1_nomogram"], ["figure_1_roc", "figure_1_decision_curve"]]
    parts = draw(whole, inputs).figure.subfigs
    assert [style.size(part)[0] for part in parts] == pytest.approx([174, 85, 85])


def test_palette_of_the_whole_goes_before_the_panels(inputs: FigureInputs):
    from matplotlib.colors import to_hex

    def first_line(**options: Any) -> str:
        part = draw(composed(["kaplan_meier"], **options), inputs).figure.subfigs[0]
        return to_hex(part.axes[0].lines[0].get_color()).upper()

    assert first_line() == "#0072B2"
    assert first_line(palette="jama") == "#374E55"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"panels": ["figure_1_rocc"]}, "figure_5_composed.panels: 'figure_1_rocc'.*did you mean 'figure_1_roc'"),
        ({"panels": ["figure_1_roc", "figure_1_roc"]}, "named twice"),
        ({"panels": ["figure_1_roc"], "wide": ["figure_1_lasso"]}, "'figure_1_lasso' is not among the panels"),
        ({"panels": ["figure_1_roc"], "columns": 4, "width_mm": 84}, "at least 40 mm"),
        ({"panels": ["figure_5_composed"]}, "not a figure of its own"),
    ],
)
def test_what_cannot_be_composed_is_refused(change: dict[str, Any], said: str):
    start = {"id": "figure_5_composed", "kind": "composed", "title": "t"}
    with pytest.raises(ValueError, match=said):
        with_panels([settings("roc"), ADAPTER.validate_python(start | change)])


def test_a_protocol_resolves_its_composed_figures_and_checks_their_names():
    from her2radiomics.core.errors import SettingsError
    from her2radiomics.core.settings import read_yaml, validate
    from her2radiomics.study.protocol import Protocol

    content = read_yaml(Path(__file__).parents[2] / "workflow/studies/nat_response.yaml")
    pair = {"kind": "composed", "title": "ROC", "panels": ["figure_5b_roc_training", "figure_5c_roc_testing"]}
    content["figures"]["figure_s1_roc"] = pair
    whole = next(f for f in validate(Protocol, content, "p.yaml").figures if f.id == "figure_s1_roc")
    assert [item.id for item in whole.figures] == pair["panels"]
    # plain data and back: what the rule hands to its script
    again = ADAPTER.validate_python(whole.model_dump(mode="json"))
    assert again == whole
    for change, said in (
        ({"panels": ["figure_5b_roc"]}, "did you mean 'figure_5b_roc_training'"),
        ({"kind": "kaplan_meier", "time": "pfs", "event": "pfs", "panels": None}, "'pfs' is not declared"),
        ({"kind": "groups", "columns": ["ki67"], "partitions": ["tests"], "panels": None}, "'tests'"),
    ):
        wrong = {k: v for k, v in (pair | change).items() if v is not None}
        content["figures"]["figure_s1_roc"] = wrong
        with pytest.raises(SettingsError, match=said):
            validate(Protocol, content, "p.yaml")


def test_the_rule_is_given_the_files_of_all_panels(tmp_path: Path):
    import shutil

    import yaml

    from her2radiomics.core.settings import read_yaml
    from her2radiomics.study import manuscript_inputs as wiring
    from her2radiomics.study.plan import Plan

    workflow = tmp_path / "workflow"
    shutil.copytree(Path(__file__).parents[2] / "workflow", workflow)
    protocol = workflow / "studies/nat_response.yaml"
    content = read_yaml(protocol)
    panels = ["figure_5b_roc_training", "figure_5d_calibration_training", "figure_2_sequences"]
    content["figures"]["figure_5_all"] = {"kind": "composed", "title": "All", "panels": panels}
    protocol.write_text(yaml.safe_dump(content, sort_keys=False))
    run = next(iter(Plan({"runs": [{"study": "nat_response"}]}, workflow).runs.values()))
    whole = next(item for item in run.protocol.figures if item.id == "figure_5_all")
    models = {f"results/nat_response/models/{name}/predictions.csv" for name in MODELS}
    assert set(wiring.paths_in(wiring.figure_inputs(run, whole))) == models | {
        "results/nat_response/tables/performance.csv",
        "results/nat_response/tables/performance_extra.csv",
        "results/nat_response/models/nomogram/calibration.csv",
        "results/nat_response/models/nomogram/held_out.csv",
    }
    assert list(wiring.example_cases(run, whole)) == ["training", "testing"]
    assert "results/nat_response/figures/figure_5_all.svg" in run.targets("figures")


def test_letters_may_be_those_of_the_panels_ids(inputs: FigureInputs):
    singles = [
        settings(kind).model_copy(update={"id": name})
        for kind, name in (("roc", "figure_5b_roc"), ("rad_score", "figure_5d_score"))
    ]
    content = {"id": "figure_5_whole", "kind": "composed", "title": "t", "letters": "id"}
    whole = ADAPTER.validate_python(content | {"panels": [item.id for item in singles]})
    drawing = draw(with_panels([*singles, whole])[-1], inputs)
    assert list(dict.fromkeys(drawing.data["panel"])) == ["B", "D"]
    assert whole.panel_letters == {"figure_5b_roc": "B", "figure_5d_score": "D"}


def test_decision_curves_of_the_same_models_are_named_once(inputs: FigureInputs):
    """By the last panel that draws curves; models of other panels, and a panel alone, keep their own legend."""
    start = {"kind": "decision_curve", "title": "t", "models": MODELS}
    panels = [
        ADAPTER.validate_python(start | {"id": "figure_5a_training", "partition": "training"}),
        ADAPTER.validate_python(start | {"id": "figure_5b_testing", "partition": "testing"}),
        ADAPTER.validate_python(start | {"id": "figure_5c_one", "partition": "testing", "models": MODELS[:1]}),
    ]
    whole = {"id": "figure_5_use", "kind": "composed", "title": "t", "panels": [panel.id for panel in panels]}
    drawing = draw(with_panels([*panels, ADAPTER.validate_python(whole)])[-1], inputs)
    legends = [any(axes.get_legend() for axes in part.axes) for part in drawing.figure.subfigs]
    assert legends == [False, True, True]
    assert any(axes.get_legend() for axes in draw(panels[0], inputs).figure.axes)
