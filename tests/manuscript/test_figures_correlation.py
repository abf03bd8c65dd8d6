"""Heat maps of rank correlation: the numbers are those of ranks by hand, on the patients in whom both are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_inputs import make_inputs, said, settings

from her2radiomics.core.errors import TableError
from her2radiomics.manuscript.figures import FigureInputs, draw


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


def by_hand(a: pd.Series, b: pd.Series) -> tuple[int, float]:
    """Pearson's correlation of mid-ranks (Spearman, Am J Psychol 1904;15:72), over rows where both are known."""
    known = a.notna() & b.notna()
    return int(known.sum()), float(np.corrcoef(a[known].rank(), b[known].rank())[0, 1])


def test_rho_and_the_number_of_patients_by_hand(inputs: FigureInputs):
    people = pd.read_csv(inputs.path("participants")).set_index("patient_id")
    scores = pd.read_csv(inputs.path("predictions", "radiomics")).set_index("patient_id")["score"]
    values = {
        "CEA": people["cea"],
        "CD8+ T cells": people["cd8"],
        "Histological grade": people["grade"].map({"I": 0, "II": 1, "III": 2}).astype(float),
        "Rad-score": scores.reindex(people.index),
    }
    drawing = draw(settings("correlation", columns=["cea", "cd8", "grade"]), inputs)
    assert len(drawing.data) == 6
    for row in drawing.data.itertuples():
        n, rho = by_hand(values[row.first], values[row.second])
        assert row.n == n and row.rho == pytest.approx(rho, abs=1e-12)
        assert 0 <= row.p <= 1
    assert "n = 130 to 133" in said(drawing).replace("\n", " ")
    printed = {t.get_text() for t in drawing.figure.axes[0].texts}
    assert printed == {f"{rho:.2f}".replace("-", "−") for rho in drawing.data["rho"]}


def test_the_cells_are_at_their_rows_and_columns(inputs: FigureInputs):
    drawing = draw(settings("correlation", columns=["cea", "cd8", "cd4"], models=[]), inputs)
    axes = drawing.figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["CEA  1", "CD8+ T cells  2", "CD4+ T cells  3"]
    cells = axes.collections[0].get_array()
    rho = drawing.data.set_index(["first", "second"])["rho"]
    assert cells[1, 0] == pytest.approx(rho["CEA", "CD8+ T cells"])
    assert cells[2, 0] == pytest.approx(rho["CEA", "CD4+ T cells"])
    assert cells[2, 1] == pytest.approx(rho["CD8+ T cells", "CD4+ T cells"])
    assert np.ma.count(cells) == 3  # the lower half alone


def test_a_partition_and_values_that_do_not_vary(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("participants"), dtype=str, keep_default_na=False)
    table["cd4"] = "5"
    table.to_csv(tmp_path / "p.csv", index=False)
    odd = dataclasses.replace(inputs, participants=tmp_path / "p.csv")
    drawing = draw(settings("correlation", columns=["cd8", "cd4"], partitions=["testing"]), odd)
    assert "Testing, n = 65" in said(drawing)
    data = drawing.data.set_index(["first", "second"])
    assert np.isnan(data.loc[("CD8+ T cells", "CD4+ T cells"), "rho"])
    assert data["n"].tolist() == [65, 65, 65]


def test_one_variable_and_unknown_levels_are_refused(inputs: FigureInputs, tmp_path: Path):
    with pytest.raises(ValueError, match="fewer than two in all"):
        settings("correlation", columns=["cea"], models=[])
    table = pd.read_csv(inputs.path("participants"), dtype=str, keep_default_na=False)
    table.loc[4, "grade"] = "V"
    table.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(TableError, match="patient P005, column 'grade': found 'V'; expected one of I, II"):
        draw(settings("correlation"), dataclasses.replace(inputs, participants=tmp_path / "p.csv"))
