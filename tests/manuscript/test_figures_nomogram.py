"""Nomograms: the example is the patient nearest 0.5, and one that nearly separates its patients says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from figure_inputs import expit, make_inputs, said, settings

from her2radiomics.manuscript.figures import FigureInputs, draw
from her2radiomics.manuscript.figures.nomogram_axes import NomogramAxis, Tick, ends_only, zoomed
from her2radiomics.manuscript.figures.nomogram_example import points_text


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


def test_the_example_is_the_patient_nearest_one_half(inputs: FigureInputs):
    data = draw(settings("nomogram"), inputs).data
    patient = data.loc[data["what"] == "example", "value"].iloc[0]
    people = pd.read_csv(inputs.path("predictions", "nomogram")).query("partition == 'training'")
    distance = (people.set_index("patient_id")["probability"] - 0.5).abs()
    assert distance[patient] == distance.min() < 0.05


def test_a_model_that_nearly_separates_says_so(inputs: FigureInputs, tmp_path: Path):
    drawing = draw(settings("nomogram"), inputs)
    assert "nearly separates" not in said(drawing)
    table = pd.read_csv(inputs.path("predictions", "nomogram"))
    table["probability"] = expit(20 * table["score"])
    table.to_csv(tmp_path / "nomogram.csv", index=False)
    between = table.query("partition == 'training'")["probability"].between(0.1, 0.9).sum()
    paths = {**inputs.predictions, "nomogram": tmp_path / "nomogram.csv"}
    steep = dataclasses.replace(inputs, predictions=paths, nomogram=_steep(inputs, tmp_path))
    words = " ".join(said(draw(settings("nomogram"), steep)).split())
    assert f"in {between} of 68 patients of Training the probability lies between 0.1 and 0.9" in words


def _steep(inputs: FigureInputs, folder: Path) -> dict[str, Path]:
    """The nomogram of twenty times its coefficients: probabilities lie close around one total."""
    table = pd.read_csv(inputs.path("nomogram", "nomogram"))
    rows = table["axis"] == "probability"
    at_half = table.loc[rows & (table["value"] == "0.5"), "position"].iloc[0]
    table.loc[rows, "position"] = at_half + (table.loc[rows, "position"] - at_half) / 20
    table.to_csv(folder / "axes.csv", index=False)
    return {"nomogram": folder / "axes.csv"}


def test_total_points_are_drawn_where_the_probability_changes():
    """Totals 0 to 180 with probabilities from 62.3 to 66.1: ticks every 0.5 from 62 to 66.5."""
    total = NomogramAxis("total_points", tuple(Tick(str(t), str(t), float(t)) for t in range(0, 181, 20)))
    steep = NomogramAxis("probability", (Tick("0.01", "0.01", 62.3), Tick("0.99", "0.99", 66.1)))
    found = zoomed(total, steep)
    assert [t.label for t in found.ticks] == [
        "62.0",
        "62.5",
        "63.0",
        "63.5",
        "64.0",
        "64.5",
        "65.0",
        "65.5",
        "66.0",
        "66.5",
    ]
    wide = NomogramAxis("probability", (Tick("0.01", "0.01", 20.0), Tick("0.99", "0.99", 150.0)))
    assert zoomed(total, wide) is total


def test_a_scale_of_few_points_is_labelled_at_its_ends_and_said_in_words(inputs: FigureInputs, tmp_path: Path):
    """Without a decimal, 1.4 points would be read as 1, and the example's sum would miss the model's probability."""
    assert (
        points_text(1.0, 0) == "1 point" and points_text(1.0, 1) == "1.0 points" and points_text(51.0, 0) == "51 points"
    )
    scale = NomogramAxis("adc", tuple(Tick(f"{v:.2f}", str(v), p) for v, p in ((0.75, 0.0), (1.0, 1.2), (1.2, 2.3))))
    assert [tick.label for tick in ends_only(scale).ticks] == ["0.75", "1.20"]
    table = pd.read_csv(inputs.path("nomogram", "nomogram"))
    mine = table["axis"] == "radiomics"
    table.loc[mine, "position"] *= 4 / table.loc[mine, "position"].max()
    table.to_csv(tmp_path / "narrow.csv", index=False)
    narrow = dataclasses.replace(inputs, nomogram={"nomogram": tmp_path / "narrow.csv"})
    words = " ".join(said(draw(settings("nomogram", example="none"), narrow)).split())
    assert "changes the total by at most 4.0 points over its range" in words
    assert "changes the total" not in said(draw(settings("nomogram"), inputs))
