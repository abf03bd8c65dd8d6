"""Figures of few patients, of models that predict different patients, and thresholds that a protocol states."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_inputs import make_inputs, said, settings

from her2radiomics.manuscript.figures import FigureInputs, draw


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


def _with_outcomes(inputs: FigureInputs, folder: Path, positive: int, negative: int) -> FigureInputs:
    """The study with so many test patients of each outcome."""
    paths = {}
    for model, path in inputs.predictions.items():
        table = pd.read_csv(path)
        test = table["partition"] == "testing"
        kept = pd.concat([table[test & (table["label"] == y)].head(n) for y, n in ((1, positive), (0, negative))])
        paths[model] = folder / f"{model}.csv"
        pd.concat([table[~test], kept]).to_csv(paths[model], index=False)
    return dataclasses.replace(inputs, predictions=paths)


def test_decision_curves_keep_to_the_protocols_thresholds(inputs: FigureInputs):
    study = inputs.study.model_copy(update={"thresholds": [0.2, 0.5, 0.75]})
    drawing = draw(settings("decision_curve"), dataclasses.replace(inputs, study=study))
    assert drawing.data["threshold"].agg(["min", "max"]).tolist() == [0.2, 0.75]
    assert drawing.figure.axes[0].get_xlim() == (0.2, 0.75)


def test_decision_curves_are_refused_or_smoothed_at_few_patients(inputs: FigureInputs, tmp_path: Path):
    """Below 10 of an outcome no curve; below 50 the mean over 5 points of percentage, symmetric at the ends."""
    few = draw(settings("decision_curve"), _with_outcomes(inputs, tmp_path, 9, 20))
    assert few.data["drawn"].isna().all() and "9 patients of the rarer outcome" in " ".join(said(few).split())
    data = draw(settings("decision_curve"), _with_outcomes(inputs, tmp_path, 20, 20)).data
    rows = data[data["strategy"] == "nomogram"].reset_index(drop=True)
    assert rows["drawn"][50] == pytest.approx(rows["net_benefit"][48:53].mean())
    assert rows["drawn"][1] == pytest.approx(rows["net_benefit"][0:3].mean())
    assert (
        data.loc[data["strategy"] == "treat_all", "drawn"] == data.loc[data["strategy"] == "treat_all", "net_benefit"]
    ).all()


def test_decision_curves_compare_models_on_the_patients_of_all(inputs: FigureInputs, tmp_path: Path):
    short = pd.read_csv(inputs.path("predictions", "clinical"))
    gone = short[short["partition"] == "testing"]["patient_id"].head(5)
    short[~short["patient_id"].isin(gone)].to_csv(tmp_path / "clinical.csv", index=False)
    paths = {**inputs.predictions, "clinical": tmp_path / "clinical.csv"}
    fewer = dataclasses.replace(inputs, predictions=paths)
    data = draw(settings("decision_curve"), fewer).data
    assert set(data["n"]) == {60}
    rows = pd.read_csv(inputs.path("predictions", "nomogram")).query("partition == 'testing'")
    rows = rows[~rows["patient_id"].isin(gone)]
    zero = data[(data["threshold"] == 0) & (data["strategy"] != "treat_none")]["net_benefit"]
    assert np.allclose(zero, rows["label"].mean())
    assert "n = 60" in said(draw(settings("roc"), fewer)) and "n = 65" in said(draw(settings("roc"), fewer))
