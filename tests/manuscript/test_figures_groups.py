"""Markers by group: the tests are those of scipy, the boxes those of numpy, and odd groups are said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_inputs import make_inputs, said, settings

from her2radiomics.core.errors import TableError
from her2radiomics.manuscript.figures import Drawing, FigureInputs, draw
from her2radiomics.manuscript.figures.beeswarm import offsets
from her2radiomics.manuscript.stars import stars


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


def groups(inputs: FigureInputs, **options: Any) -> Drawing:
    return draw(settings("groups", **options), inputs)


def test_the_test_is_scipys_and_stars_follow_from_p(inputs: FigureInputs):
    """CEA is log-normal: Mann–Whitney; CD8 is normal: Welch, as Shapiro–Wilk at 0.05 decides in every group."""
    from scipy.stats import mannwhitneyu, shapiro, ttest_ind

    people = pd.read_csv(inputs.path("participants"))
    data = groups(inputs).data
    found = data[data["what"] == "test"].set_index("column")
    for column in ("cea", "cd8", "cd4"):
        samples = [people.loc[people["label"] == label, column].dropna() for label in (0, 1)]
        normal = all(shapiro(sample).pvalue > 0.05 for sample in samples)
        if normal:
            p = ttest_ind(*samples, equal_var=False).pvalue
        else:
            p = mannwhitneyu(*samples, method="asymptotic", use_continuity=True).pvalue
        assert found.loc[column, "p"] == pytest.approx(p, rel=1e-9)
        assert ("Welch" in found.loc[column, "test"]) == normal
        assert found.loc[column, "stars"] == stars(p)
    assert "Mann" in found.loc["cea", "test"] and "Welch" in found.loc["cd8", "test"]
    assert "Mann–Whitney U test: CEA" in " ".join(said(groups(inputs)).split())


def test_boxes_are_the_quartiles_and_points_the_patients(inputs: FigureInputs):
    people = pd.read_csv(inputs.path("participants"))
    drawing = groups(inputs, columns=["cd8"])
    data = drawing.data
    points = data[data["what"] == "point"]
    assert sorted(points["value"]) == sorted(people["cd8"])
    drawn = np.concatenate([c.get_offsets() for c in drawing.figure.axes[0].collections])
    assert sorted(drawn[:, 1]) == sorted(people["cd8"])
    for place, label in enumerate((0, 1)):
        values = people.loc[people["label"] == label, "cd8"]
        box = data[(data["what"] == "box") & (data["group"] == str(label))].iloc[0]
        assert [box["q1"], box["median"], box["q3"]] == pytest.approx(list(np.quantile(values, [0.25, 0.5, 0.75])))
        reach = 1.5 * (box["q3"] - box["q1"])
        assert box["whisker_high"] == values[values <= box["q3"] + reach].max()
        # the box on paper is the box in the table: its median line stands at the group's place
        lines = [
            line
            for line in drawing.figure.axes[0].lines
            if len(line.get_ydata()) == 2 and np.allclose(line.get_ydata(), box["median"])
        ]
        assert any(np.mean(line.get_xdata()) == pytest.approx(place) for line in lines)


def test_three_groups_get_one_test_and_empty_ones_are_counted(inputs: FigureInputs):
    from scipy.stats import kruskal

    people = pd.read_csv(inputs.path("participants"))
    drawing = groups(inputs, columns=["cea"], by="grade", annotation="p", summaries={"cea": "median"})
    p = kruskal(*(people.loc[people["grade"] == g, "cea"].dropna() for g in ("I", "II", "III"))).pvalue
    found = drawing.data[drawing.data["what"] == "test"].iloc[0]
    assert found["p"] == pytest.approx(p, rel=1e-9)
    assert f"p = {p:.3f}" in said(drawing)
    labels = [t.get_text() for t in drawing.figure.axes[0].get_xticklabels()]
    assert labels[-1].endswith("0") and "Grade IV" in said(drawing) + "".join(
        t.get_text() for axes in drawing.figure.axes if axes.get_legend() for t in axes.get_legend().get_texts()
    )


def test_groups_that_cannot_be_tested_say_so(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("participants"), dtype=str, keep_default_na=False)
    table.loc[table["label"] == "1", "cea"] = ""
    table["cd4"] = "5"
    table.to_csv(tmp_path / "p.csv", index=False)
    odd = dataclasses.replace(inputs, participants=tmp_path / "p.csv")
    words = said(groups(odd, columns=["cea", "cd4"]))
    assert words.count("not tested") == 2
    assert "CEA (fewer than two groups have values)" in words.replace("\n", " ")
    few = table.groupby("label").head(3)
    few.to_csv(tmp_path / "p.csv", index=False)
    drawing = groups(odd, columns=["cd8"])
    assert "the median alone" in said(drawing).replace("\n", " ")
    assert not drawing.figure.axes[0].patches  # no box


def test_a_logarithm_of_nothing_is_refused(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("participants"), dtype=str, keep_default_na=False)
    table.loc[12, "cea"] = "0"
    table.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(TableError, match="patient P013, column 'cea': found '0'; expected a number above 0"):
        groups(dataclasses.replace(inputs, participants=tmp_path / "p.csv"))


def test_offsets_are_the_same_every_time_and_stay_in_the_outline():
    values = np.random.default_rng(4).normal(0, 1, 400)
    once = offsets(values)
    np.testing.assert_array_equal(once, offsets(values))
    assert np.abs(once).max() <= 1
    tails = np.abs(values) > 2
    assert np.abs(once[tails]).max() < 0.3 < np.abs(once[~tails]).max()
    assert offsets([1.0]).tolist() == [0.0]
    assert len(set(offsets([2.0] * 5))) == 5  # equal values lie beside each other


@pytest.mark.parametrize(
    ("p", "marks"), [(0.0009, "***"), (0.001, "**"), (0.01, "*"), (0.049, "*"), (0.05, "ns"), (float("nan"), "")]
)
def test_stars(p: float, marks: str):
    assert stars(p) == marks
