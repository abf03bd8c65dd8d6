"""Figures on the page: numbering, composed figures linked and their panels shown, captions and descriptions."""

from __future__ import annotations

import pandas as pd
import pytest
from report_run import SVG, describe, protocol

from her2radiomics.core.errors import StudyError
from her2radiomics.report.figures import figures
from her2radiomics.study.descriptions import read_run_info

CURVES = {"time": "age", "event": "tic"}
ITEMS = [
    {"id": "figure_s10_external", "kind": "flow", "title": "External test set"},
    {"id": "figure_s2b_more", "kind": "flow", "title": "More, b"},
    {"id": "figure_s2a_more", "kind": "flow", "title": "More, a"},
    {"id": "figure_3_nomogram", "kind": "nomogram", "title": "Nomogram", "model": "nomogram"},
    {"id": "figure_2_survival", "kind": "composed", "title": "Survival", "panels": ["figure_2b_os", "figure_2a_pfs"]},
    {"id": "figure_2a_pfs", "kind": "kaplan_meier", "title": "Progression-free survival", **CURVES},
    {"id": "figure_2b_os", "kind": "kaplan_meier", "title": "Overall survival", **CURVES},
    {
        "id": "figure_10_both",
        "kind": "composed",
        "title": "Both",
        "panels": ["figure_10a_flow", "figure_3_nomogram"],
        "caption": "Two of them.",
    },
    {"id": "figure_10a_flow", "kind": "flow", "title": "Flow"},
]  # fmt: skip


@pytest.fixture
def made(tmp_path):
    (tmp_path / "figures").mkdir()
    for item in ITEMS:
        for end in ("svg", "csv"):
            (tmp_path / "figures" / f"{item['id']}.{end}").write_text(SVG.format(item["title"]), encoding="utf-8")
    info = read_run_info(describe(simulated=False, protocol=protocol() | {"figures": ITEMS}))
    return tmp_path, info


def shown(made):
    folder, info = made
    return {figure.number: figure for figure in figures(folder, info, pd.DataFrame())}


def test_numbered_figures_come_first_then_supplementary_ones(made):
    assert list(shown(made)) == ["2", "3", "10", "S2", "S10"]
    assert [panel.title for panel in shown(made)["S2"].panels] == ["More, a", "More, b"]


def test_composed_figures_are_linked_and_their_panels_shown_with_its_letters(made):
    survival = shown(made)["2"]
    assert [(panel.letter, panel.title) for panel in survival.panels] == [
        ("A", "Overall survival"),  # the composed figure puts it first
        ("B", "Progression-free survival"),
    ]
    assert survival.title == "Survival"
    assert [link.href for link in survival.files] == ["figures/figure_2_survival.svg", "figures/figure_2_survival.csv"]
    pictures = sum(len(figure.panels) for figure in shown(made).values())
    assert pictures == sum(item["kind"] != "composed" for item in ITEMS)


def test_panels_have_the_letters_of_their_ids_where_the_composed_figure_prints_those(made):
    folder, info = made
    items = [item | {"letters": "id"} if item["id"] == "figure_2_survival" else item for item in ITEMS]
    info = read_run_info(describe(simulated=False, protocol=protocol() | {"figures": items}))
    assert [(panel.letter, panel.title) for panel in shown((folder, info))["2"].panels] == [
        ("A", "Progression-free survival"),
        ("B", "Overall survival"),
    ]


def test_a_composed_figure_says_where_panels_of_another_number_stand(made):
    both = shown(made)["10"]
    assert [panel.title for panel in both.panels] == ["Flow"]
    assert both.caption == "Two of them. Shown under their own numbers: Nomogram (Figure 3)."


def test_a_composed_figure_that_was_not_drawn_is_named(made):
    for path in (made[0] / "figures").glob("figure_2_survival.*"):
        path.unlink()
    with pytest.raises(StudyError, match="figure_2_survival.svg: no such file; expected the figure"):
        shown(made)
