"""Rad-score by outcome, confusion matrices, clustered features, stability and cross-validated curves: the numbers drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_inputs import WEIGHTS, make_inputs, said, settings
from pydantic import ValidationError

from her2radiomics.manuscript.figures import FigureInputs, draw


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"))


def words(drawing) -> str:
    return " ".join(said(drawing).split())


def test_scores_are_tested_between_outcomes_as_scipy_does(inputs: FigureInputs):
    from scipy.stats import mannwhitneyu

    data = draw(settings("score_groups"), inputs).data
    assert len(data) == 133
    for _, rows in data.groupby("partition"):
        samples = (rows.loc[rows["label"] == label, "score"] for label in (0, 1))
        expected = mannwhitneyu(*samples, method="asymptotic", use_continuity=True).pvalue
        assert rows["p"].unique() == pytest.approx(expected, rel=1e-9)
    # logit of the threshold of the probability, 0.55
    assert data["threshold_on_score"].unique() == pytest.approx(np.log(0.55 / 0.45))


def test_confusion_matrix_is_sklearns_and_rates_are_its_fractions(inputs: FigureInputs):
    from sklearn.metrics import confusion_matrix

    drawing = draw(settings("confusion"), inputs)
    rows = pd.read_csv(inputs.path("predictions", "radiomics")).query("partition == 'testing'")
    (tn, fp), (fn, tp) = confusion_matrix(rows["label"], rows["probability"] >= 0.55)
    found = drawing.data.set_index(["label", "predicted"])["n"]
    assert found.loc[[(1, 1), (1, 0), (0, 1), (0, 0)]].tolist() == [tp, fn, fp, tn]
    text = words(drawing)
    assert f"PPV {100 * tp / (tp + fp):.0f}% ({tp}/{tp + fp}; 95% CI 55–84)" in text
    assert f"NPV {100 * tn / (tn + fn):.0f}% ({tn}/{tn + fn})" in text


def test_clustered_features_are_z_scores_in_scipys_order(inputs: FigureInputs):
    from scipy.cluster.hierarchy import leaves_list, linkage

    data = draw(settings("clustermap"), inputs).data
    table = pd.read_parquet(inputs.path("partition_features", "training")).set_index("patient_id")
    z = ((table[list(WEIGHTS)] - table[list(WEIGHTS)].mean()) / table[list(WEIGHTS)].std(ddof=1)).T
    order = leaves_list(linkage(z.to_numpy(), "average", metric="correlation"))
    assert list(dict.fromkeys(data["feature"])) == [z.index[i] for i in order]
    drawn = data.pivot(index="feature", columns="patient_id", values="z").loc[z.index, z.columns]
    np.testing.assert_allclose(drawn, z, atol=1e-9)


def test_stability_shows_the_models_variables_and_the_most_frequent_others(inputs: FigureInputs):
    drawing = draw(settings("stability", most=9), inputs)
    assert drawing.data["kept"].tolist() == sorted(drawing.data["kept"], reverse=True)
    assert (drawing.data["in_model"] == "no").sum() == 1
    text = words(drawing)
    assert "92%" in text  # 37 of 40
    assert "40 refits are too few to judge stability; at least 50 are advised" in text


def test_a_model_without_refits_says_so(inputs: FigureInputs, tmp_path: Path):
    pd.read_csv(inputs.path("kept", "radiomics")).iloc[:0].to_csv(tmp_path / "kept.csv", index=False)
    drawing = draw(settings("stability"), dataclasses.replace(inputs, kept={"radiomics": tmp_path / "kept.csv"}))
    assert "no bootstrap refit" in words(drawing)


def test_the_cross_validated_curve_is_that_of_held_out_predictions(inputs: FigureInputs):
    from sklearn.metrics import auc, roc_auc_score

    options = settings("roc", models=["nomogram"], partition="training", cross_validated="nomogram")
    assert {"held_out", "performance_extra"} <= set(options.needs())
    drawing = draw(options, inputs)
    curve = drawing.data[drawing.data["what"] == "cross_validated"]
    held = pd.read_csv(inputs.path("held_out", "nomogram"))
    area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
    assert area == pytest.approx(roc_auc_score(held["label"], held["probability"]))
    assert "Nomogram, cross-validated, 0.780 (0.670–0.890)" in words(drawing)
    path = inputs.path("performance_extra")
    extra = pd.read_csv(path)
    extra.loc[extra["measure"] == "auc_cross_validated_pooled", ["value", "low", "high"]] = np.nan
    extra.to_csv(path, index=False)
    drawing = draw(options, inputs)
    assert not (drawing.data["what"] == "cross_validated").any()
    assert "cross-validated" not in " ".join(words(drawing))
    with pytest.raises(ValidationError, match="patients of 'training' are cross-validated"):
        settings("roc", models=["nomogram"], partition="testing", cross_validated="nomogram")
