"""Figures: the numbers drawn, against scikit-learn, dcurves and hand calculation; labels that never overlap."""

from __future__ import annotations

import dataclasses
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figure_inputs import BETA, INTERCEPT, make_inputs, said, settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from her2radiomics.core.errors import CaseError, TableError
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures import FigureInputs, draw
from her2radiomics.manuscript.figures.labels import BETWEEN, HANDLE, feature_label, legend_grid
from her2radiomics.manuscript.figures.nomogram_axes import (
    CLEAR,
    NomogramAxis,
    Tick,
    read_axes,
    stagger,
    thin,
    with_levels,
)
from her2radiomics.manuscript.figures.roc import roc_points, sensitivity_band


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


def predictions(inputs: FigureInputs, model: str, partition: str) -> pd.DataFrame:
    table = pd.read_csv(inputs.path("predictions", model))
    return table[table["partition"] == partition]


@pytest.mark.parametrize("ties", [False, True])
def test_roc_points_are_those_of_scikit_learn(ties: bool):
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 60)
    score = rng.normal(label, 1.0).round(1 if ties else 12)
    false, true, cut = roc_points(label, score)
    expected = roc_curve(label, score, drop_intermediate=False)
    for ours, theirs in zip((false, true, cut), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_roc_figure_draws_those_points_and_the_locked_threshold(inputs: FigureInputs):
    from sklearn.metrics import auc, roc_curve

    data = draw(settings("roc"), inputs).data
    performance = pd.read_csv(inputs.path("performance"))
    for model in ("clinical", "radiomics", "nomogram"):
        rows = predictions(inputs, model, "testing")
        curve = data[(data["model"] == model) & (data["what"] == "curve")]
        false, true, _ = roc_curve(rows["label"], rows["probability"], drop_intermediate=False)
        np.testing.assert_allclose(curve["false_positive_rate"], false, atol=1e-12)
        np.testing.assert_allclose(curve["true_positive_rate"], true, atol=1e-12)
        measured = performance[(performance["model"] == model) & (performance["partition"] == "testing")].iloc[0]
        area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
        assert area == pytest.approx(measured["auc"], abs=1e-9)  # the legend's AUC is the area of the curve drawn
        mark = data[(data["model"] == model) & (data["what"] == "locked_threshold")].iloc[0]
        assert mark["true_positive_rate"] == pytest.approx(measured["sensitivity"])
        assert mark["false_positive_rate"] == pytest.approx(1 - measured["specificity"])


def test_roc_legend_prints_auc_and_interval(inputs: FigureInputs):
    performance = (
        pd.read_csv(inputs.path("performance")).query("model == 'nomogram' and partition == 'testing'").iloc[0]
    )
    legend = draw(settings("roc"), inputs).figure.axes[0].get_legend()
    printed = [text.get_text().replace("\u00a0", " ") for text in legend.get_texts()]
    assert f"Nomogram, {performance.auc:.3f} ({performance.auc_low:.3f}–{performance.auc_high:.3f})" in printed


def test_lasso_of_a_model_without_one_says_so(inputs: FigureInputs, tmp_path: Path):
    (tmp_path / "path.csv").write_text("lambda,term,coefficient\n")
    (tmp_path / "cv.csv").write_text("lambda,mean_error,se,n_features,min,one_se\n")
    none = dataclasses.replace(
        inputs, lasso_path={"radiomics": tmp_path / "path.csv"}, lasso_cv={"radiomics": tmp_path / "cv.csv"}
    )
    assert any("no LASSO" in t.get_text() for t in draw(settings("lasso"), none).figure.texts)


def test_roc_band_covers_the_curve_and_narrows_with_patients(inputs: FigureInputs):
    """At 600 patients a side, normal theory: sensitivity s at a fixed specificity has SD ≥ √(s(1 − s)/600)."""
    rng = np.random.default_rng(7)
    label = np.repeat([0, 1], 600)
    score = rng.normal(label * 1.5, 1.0)
    places, low, high = sensitivity_band(label, score, seed=1, resamples=400)
    false, true, _ = roc_points(label, score)
    drawn = np.interp(places, false, true)
    assert (low <= drawn + 1e-9).all() and (drawn <= high + 1e-9).all()
    middle = drawn[10]
    width = 2 * 1.96 * np.sqrt(middle * (1 - middle) / 600)
    assert width < high[10] - low[10] < 2 * width
    again = sensitivity_band(label, score, seed=1, resamples=400)
    np.testing.assert_array_equal(again[1], low)
    data = draw(settings("roc", band="nomogram"), inputs).data
    band = data[data["what"] == "band"]
    assert set(band["model"]) == {"nomogram"} and len(band) == 51
    with pytest.raises(ValueError, match="'other' is not among the models"):
        settings("roc", band="other")


def test_roc_of_one_class_is_refused(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("predictions", "clinical")).assign(label=1)
    table.to_csv(tmp_path / "p.csv", index=False)
    one = dataclasses.replace(inputs, predictions={"clinical": tmp_path / "p.csv"})
    with pytest.raises(TableError, match="only label 1 in partition 'testing'; expected patients of both outcomes"):
        draw(settings("roc", models=["clinical"]), one)


def test_decision_curve_is_that_of_dcurves(inputs: FigureInputs):
    from dcurves import dca

    data = draw(settings("decision_curve"), inputs).data.set_index(["strategy", "threshold"])["net_benefit"]
    rows = predictions(inputs, "nomogram", "testing")
    grid = np.arange(1, 100) / 100
    expected = dca(data=rows[["label", "probability"]], outcome="label", modelnames=["probability"], thresholds=grid)
    for theirs, ours in (("probability", "nomogram"), ("all", "treat_all"), ("none", "treat_none")):
        table = expected[expected["model"] == theirs]
        for threshold, benefit in zip(table["threshold"], table["net_benefit"], strict=True):
            if round(threshold, 2) in (0.0, 1.0):
                continue
            assert data[(ours, round(threshold, 2))] == pytest.approx(benefit, abs=1e-9)


def test_calibration_draws_the_curves_and_counts_everybody(inputs: FigureInputs):
    data = draw(settings("calibration", partition="training"), inputs).data
    source = pd.read_csv(inputs.path("calibration", "nomogram")).query("partition == 'training'")
    drawn = data[data["curve"].isin(["apparent", "bias_corrected"])]
    np.testing.assert_allclose(drawn["observed"], source["observed"], atol=1e-12)
    rows = predictions(inputs, "nomogram", "training")
    for outcome in (0, 1):
        counted = data.loc[data["curve"] == f"histogram_label_{outcome}", "patients"].sum()
        assert counted == (rows["label"] == outcome).sum()


def test_calibration_without_a_curve_says_so_and_an_unknown_curve_is_refused(inputs: FigureInputs, tmp_path: Path):
    source = pd.read_csv(inputs.path("calibration", "nomogram"))
    file = tmp_path / "calibration.csv"
    other = dataclasses.replace(inputs, calibration={"nomogram": file})
    source.iloc[:0].to_csv(file, index=False)
    drawing = draw(settings("calibration"), other)
    assert any(t.get_text().startswith("No curve") for t in drawing.figure.axes[0].texts)
    assert drawing.data["patients"].sum() == 65
    source.assign(curve="smooth").to_csv(file, index=False)
    with pytest.raises(TableError, match="column 'curve': found 'smooth'; expected one of apparent"):
        draw(settings("calibration"), other)


def test_rad_score_is_sorted_and_its_threshold_is_the_logit(inputs: FigureInputs):
    data = draw(settings("rad_score"), inputs).data
    assert len(data) == 68 and data["score"].is_monotonic_increasing
    # in the made study the probability is the logistic of the score, and the threshold 0.55
    assert data["threshold_on_score"].unique() == pytest.approx([np.log(0.55 / 0.45)])


def test_rad_score_threshold_where_the_score_is_no_log_odds(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("predictions", "radiomics"))
    table["score"] = 2 * table["score"] + 1
    table.to_csv(tmp_path / "p.csv", index=False)
    other = dataclasses.replace(inputs, predictions={"radiomics": tmp_path / "p.csv"})
    data = draw(settings("rad_score"), other).data
    cut = data["threshold_on_score"].iloc[0]
    assert ((data["score"] >= cut) == (data["probability"] >= 0.55)).all()


def test_feature_weights_are_sorted_named_and_marked(inputs: FigureInputs):
    data = draw(settings("feature_weights"), inputs).data
    assert list(data["beta"].abs()) == sorted(data["beta"].abs(), reverse=True)
    assert "intercept" not in set(data["term"])
    assert data["label"].iloc[1] == "DWI · wavelet LH, first-order 90th percentile"
    assert list(data.loc[data["forced"], "sequence"]) == ["DCE2"]


def test_features_are_named_by_sequence_region_image_type_and_feature(inputs: FigureInputs):
    with_region = feature_label("DWI__ring_3mm_slice__original_glcm_Imc1", inputs.study, region=True)
    assert with_region == "DWI · ring 3mm slice · original, GLCM informational measure of correlation 1"
    assert feature_label("ki67", inputs.study) == "Ki-67"


def test_an_empty_model_says_so(inputs: FigureInputs, tmp_path: Path):
    (tmp_path / "c.csv").write_text("term,beta\nintercept,0.4\n")
    empty = dataclasses.replace(inputs, coefficients={"radiomics": tmp_path / "c.csv"})
    drawing = draw(settings("feature_weights"), empty)
    assert drawing.data.empty
    assert any("no feature was selected" in t.get_text() for t in drawing.figure.texts)


def test_flow_must_add_up(inputs: FigureInputs, tmp_path: Path):
    drawing = draw(settings("flow"), inputs)
    printed = {t.get_text().replace("\u00a0", " ") for t in drawing.figure.axes[0].texts}
    assert {"Excluded (n = 19)", "Training", "n = 68", "Testing", "n = 65"} <= printed
    table = pd.read_csv(inputs.path("flow"))
    table.loc[2, "excluded"] = 7
    table.to_csv(tmp_path / "flow.csv", index=False)
    with pytest.raises(TableError, match="140 remaining after 'Fewer than 4 cycles.*expected 141"):
        draw(settings("flow"), dataclasses.replace(inputs, flow=tmp_path / "flow.csv"))


def test_workflow_prints_the_selection_and_the_counts(inputs: FigureInputs):
    data = draw(settings("workflow"), inputs).data
    chain = data[data["features"].notna()]
    assert list(chain["features"]) == [3375, 2140, 236, 7, 8]
    names = ["Extracted", "ICC(2,1) > 0.75", "F test, p < 0.05", "LASSO, 10-fold CV, λ min", "Forced retention"]
    assert list(chain["text"]) == names
    text = set(data["text"])
    assert "3375 features in all" in text
    # whose selection it is, and the partitions in one line
    assert f"Model: {inputs.study.models['radiomics']}" in text
    study = inputs.study
    assert {f"{study.partitions[key]}: {note}" for key, note in study.partition_notes.items()} <= text
    plain = dataclasses.replace(inputs, study=study.model_copy(update={"partition_notes": {}}))
    in_one_line = f"Sets of patients: {', '.join(study.partitions.values())}"
    assert in_one_line in set(draw(settings("workflow"), plain).data["text"])
    picture = draw(settings("workflow"), inputs).figure
    assert sum(len(axes.images) for axes in picture.axes) == 6  # three sequences of one patient, plain and outlined
    assert re.search(r"Testing: AUC 0\.\d\d", said(draw(settings("workflow"), inputs)))
    assert not any(
        axes.images for axes in draw(settings("workflow"), dataclasses.replace(inputs, images=())).figure.axes
    )
    without = draw(settings("workflow", model=None), inputs).data
    assert without["features"].isna().all()
    assert not without["text"].str.startswith("Model: ").any()


def test_lasso_draws_both_penalties(inputs: FigureInputs):
    drawing = draw(settings("lasso"), inputs)
    cv = pd.read_csv(inputs.path("lasso_cv", "radiomics"))
    for mark in ("min", "one_se"):
        at = np.log(cv.loc[cv[mark], "lambda"].iloc[0])
        for axes in drawing.figure.axes[:2]:
            assert any(np.allclose(line.get_xdata(), at) for line in axes.lines if len(line.get_xdata()) == 2)
    assert set(drawing.data["panel"]) == {"path", "cross_validation"}


@pytest.mark.parametrize("width", [60, 84, 174])
def test_nomogram_tick_labels_never_overlap(inputs: FigureInputs, width: int):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw(settings("nomogram", width_mm=width), inputs).figure
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [t for t in figure.axes[0].texts if t.get_gid() == "tick_label"]
    names = [t for t in figure.axes[0].texts if t.get_fontweight() == "bold"]
    boxes = {t: t.get_window_extent(canvas.get_renderer()) for t in [*labels, *names]}
    assert len(labels) > 20
    for a, b in combinations(boxes, 2):
        assert not boxes[a].overlaps(boxes[b]), (a.get_text(), b.get_text())


@pytest.mark.parametrize("width", [84, 174])
def test_nomogram_ticks_are_drawn_in_order_and_every_level_is_printed(inputs: FigureInputs, width: int):
    drawing = draw(settings("nomogram", width_mm=width), inputs)
    ticks = drawing.data[drawing.data["what"] == "tick"]
    for _, axis in ticks.groupby("axis"):
        assert axis["position"].is_monotonic_increasing
    printed = [t for t in drawing.figure.axes[0].texts if t.get_gid() == "tick_label"]
    assert {"< 20%", "≥ 20%", "Regular", "Irregular"} <= {t.get_text() for t in printed}
    points = [t for t in printed if t.get_position()[1] == printed[0].get_position()[1]]
    places = [t.get_position()[0] for t in points]
    assert places == sorted(places) and points[0].get_text() == "0" and points[-1].get_text() == "100"


def test_nomogram_example_adds_up_to_the_models_prediction(inputs: FigureInputs):
    """Points by hand: 100 / (9 · 1.1) a unit of the linear predictor, which starts at Rad-score −4."""
    drawing = draw(settings("nomogram"), inputs)
    example = drawing.data[drawing.data["what"] == "example"].set_index("axis")
    patient = example["value"].iloc[0]
    people = pd.read_csv(inputs.path("participants")).set_index("patient_id").loc[patient]
    score = pd.read_csv(inputs.path("predictions", "radiomics")).set_index("patient_id").loc[patient, "score"]
    unit = 100 / (9 * BETA["radiomics"])
    expected = {
        "radiomics": (score + 4) * BETA["radiomics"] * unit,
        "ki67": BETA["ki67"] * unit * (people["ki67"] == "high"),
        "shape": BETA["shape"] * unit * (people["shape"] == "irregular"),
    }
    for axis, points in expected.items():
        assert example.loc[axis, "position"] == pytest.approx(points, abs=1e-6)
    total = sum(round(points) for points in expected.values())
    assert example.loc["total_points", "position"] == total
    linear = INTERCEPT - 4 * BETA["radiomics"] + total / unit
    assert example.loc["probability", "label"] == f"{1 / (1 + np.exp(-linear)):.2f}"


def test_nomogram_that_disagrees_with_its_model_is_refused(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("nomogram", "nomogram"))
    table.loc[table["axis"] == "probability", "position"] += 5
    table.to_csv(tmp_path / "n.csv", index=False)
    shifted = dataclasses.replace(inputs, nomogram={"nomogram": tmp_path / "n.csv"})
    with pytest.raises(TableError, match="expected the model's own"):
        draw(settings("nomogram"), shifted)
    assert len(draw(settings("nomogram", example="none"), shifted).data)


def test_nomogram_example_may_be_named(inputs: FigureInputs):
    data = draw(settings("nomogram", example="P003"), inputs).data
    assert set(data.loc[data["what"] == "example", "value"]) == {"P003"}
    with pytest.raises(TableError, match="patient P999: found no such patient"):
        draw(settings("nomogram", example="P999"), inputs)


def test_nomogram_of_an_empty_model_says_so(inputs: FigureInputs, tmp_path: Path):
    (tmp_path / "n.csv").write_text("axis,label,value,position\n")
    empty = dataclasses.replace(inputs, nomogram={"nomogram": tmp_path / "n.csv"})
    assert any("no predictor" in t.get_text() for t in draw(settings("nomogram"), empty).figure.texts)


def test_nomogram_names_predictors_as_the_protocol_says(inputs: FigureInputs):
    study = inputs.study.model_copy(update={"columns": {}})
    bare = dataclasses.replace(inputs, study=study)
    for labels, name in (({}, "Radiomics score"), ({"radiomics": "Rad-score"}, "Rad-score")):
        drawn = draw(settings("nomogram", labels=labels), bare).figure.axes[0].texts
        assert name in {t.get_text() for t in drawn}


def test_ordinal_axis_has_its_levels_for_ticks():
    """An ordinal column enters as 0, 1, 2; statistics draws 0, 0.5, 1, 1.5, 2 and the printed axis the levels."""
    ticks = tuple(Tick(f"{v:g}", f"{v:g}", 10 * v) for v in (0, 0.5, 1, 1.5, 2))
    axis = with_levels(NomogramAxis("stage", ticks), {"I": "Stage I", "II": "Stage II", "III": "Stage III"})
    assert [(t.label, t.value, t.position) for t in axis.ticks] == [
        ("Stage I", "I", 0),
        ("Stage II", "II", 10),
        ("Stage III", "III", 20),
    ]
    assert axis.position_of("II", "Stage II") == 10 and axis.values is None


LABELS = st.lists(st.tuples(st.floats(0, 130), st.floats(1, 30)), min_size=2, max_size=12)


@given(LABELS)
@hypothesis_settings(max_examples=200, deadline=None)
def test_labels_on_one_line_stay_clear_of_each_other(labels: list[tuple[float, float]]):
    labels = sorted(labels)
    places, widths = [p for p, _ in labels], [w for _, w in labels]

    def clear(a: int, b: int) -> bool:
        return places[b] - places[a] >= (widths[a] + widths[b]) / 2 + CLEAR - 1e-9

    chosen = thin(places, widths)
    assert chosen and all(clear(a, b) for a, b in combinations(chosen, 2))
    lines = stagger(places, widths)
    assert len(lines) == len(labels)
    for a, b in combinations(range(len(labels)), 2):
        assert lines[a] != lines[b] or clear(a, b)


def test_sequences_show_the_largest_slice_in_millimetres(inputs: FigureInputs):
    drawing = draw(settings("sequences"), inputs)
    data = drawing.data
    assert "".join(dict.fromkeys(data["panel"])) == "".join(sorted(set(data["panel"])))  # a letter a patient
    # an ellipse of 24 × 20 mm: π · 12 · 10 mm², to the voxel size (at most 1.6 mm)
    assert data["tumour_area_mm2"].to_numpy() == pytest.approx(np.pi * 120, rel=0.06)
    assert data["field_mm"].to_numpy() == pytest.approx(2 * 24, abs=2 * 1.6)
    for axes in drawing.figure.axes:
        assert abs(np.diff(axes.get_xlim())[0]) == pytest.approx(data["field_mm"].iloc[0])


def test_sequences_ring_and_errors_name_the_patient(inputs: FigureInputs, tmp_path: Path):
    rings = [i.model_copy(update={"regions": ["tumour_slice", "ring_3mm_slice"]}) for i in inputs.images[:3:2]]
    data = draw(settings("sequences"), dataclasses.replace(inputs, images=rings)).data
    # π · (15 · 13 − 12 · 10) mm²: the ring round an ellipse, nearly an ellipse itself; voxels of 0.75 and 0.9 mm
    assert data["ring_3mm_slice_area_mm2"].to_numpy() == pytest.approx(np.pi * 75, rel=0.12)
    gone: Any = inputs.images[0].model_copy(update={"image": tmp_path / "gone.nii.gz"})
    with pytest.raises(CaseError, match="patient P001, sequence T2FS"):
        draw(settings("sequences"), dataclasses.replace(inputs, images=[gone]))


def test_text_is_measured_as_it_is_drawn():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.in_style():
        figure = style.new_figure(100, 20)
        text = figure.text(0, 0.5, "Probability of pCR ≥ 0.5", fontsize=7)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = text.get_window_extent(canvas.get_renderer()).width / figure.dpi * 25.4
    assert style.text_width("Probability of pCR ≥ 0.5", 7) == pytest.approx(drawn, rel=0.04)
    lines = style.wrap(f"one two {style.keep('(n = 3)')}", style.text_width("one two", 7) + 0.1, 7)
    assert lines == ["one two", style.keep("(n = 3)")]
    assert style.wrap("at 1.5 T", 1, 7) == ["at", "1.5\u00a0T"]  # a number keeps its unit


def test_bands_of_several_models(inputs: FigureInputs):
    data = draw(settings("roc", band=["nomogram", "clinical"]), inputs).data
    band = data[data["what"] == "band"]
    assert set(band["model"]) == {"nomogram", "clinical"} and len(band) == 2 * 51
    alone = draw(settings("roc", band="clinical"), inputs).data
    np.testing.assert_array_equal(
        band.loc[band["model"] == "clinical", "low"], alone.loc[alone["what"] == "band", "low"]
    )


@pytest.mark.parametrize("part", ["path", "cross_validation"])
def test_lasso_may_be_drawn_in_parts(inputs: FigureInputs, part: str):
    whole, one = draw(settings("lasso"), inputs), draw(settings("lasso", part=part), inputs)
    expected = whole.data[whole.data["panel"] == part].dropna(axis=1, how="all").reset_index(drop=True)
    pd.testing.assert_frame_equal(one.data, expected, check_dtype=False)
    cv = pd.read_csv(inputs.path("lasso_cv", "radiomics"))
    marked = {float(line.get_xdata()[0]) for line in one.figure.axes[0].lines if len(line.get_xdata()) == 2}
    chosen = np.log(cv.loc[cv["min"] | cv["one_se"], "lambda"])
    assert all(any(np.isclose(x, mark) for mark in marked) for x in chosen)


def test_only_the_largest_weights_are_drawn_where_asked(inputs: FigureInputs):
    drawing = draw(settings("feature_weights", most=3), inputs)
    assert drawing.data["beta"].tolist() == [1.934, -1.522, 0.871]
    assert any("3 of 8\u00a0features" in text.get_text() for text in drawing.figure.texts)


def test_narrow_flow_stacks_its_partitions(inputs: FigureInputs, tmp_path: Path):
    table = pd.read_csv(inputs.path("flow"))
    split = table[table["partition"] == "testing"].assign(partition="external", remaining=20, events=5)
    table.loc[table["partition"] == "testing", ["remaining", "events"]] = [45, 20]
    pd.concat([table, split]).to_csv(tmp_path / "flow.csv", index=False)
    three = dataclasses.replace(inputs, flow=tmp_path / "flow.csv")

    def rows(width: int) -> int:
        texts = draw(settings("flow", width_mm=width), three).figure.axes[0].texts
        names = ("Training", "Testing", "external")
        return len({t.get_position()[1] for t in texts if t.get_text().startswith(names)})

    assert rows(174) == 1 and rows(84) == 3


@pytest.mark.parametrize("kind", ["roc", "decision_curve", "calibration"])
def test_long_names_stay_on_a_narrow_figure(inputs: FigureInputs, kind: str):
    """In a column of 55 mm, a third of a page, a legend breaks its lines instead of leaving the page."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    names = {"clinical": "Clinical-imaging model", "radiomics": "Radiomics of all three sequences", "nomogram": "R"}
    long = dataclasses.replace(inputs, study=inputs.study.model_copy(update={"models": names}))
    options = settings(kind, band=["radiomics"]) if kind == "roc" else settings(kind)
    figure = draw(options.model_copy(update={"width_mm": 55.0}), long).figure
    with style.in_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in texts]
    for text, box in boxes:
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1, text
    if kind == "roc":
        lines = next(text for text, _ in boxes if text.startswith("Radiomics of all")).split("\n")
        assert len(lines) == 2 and re.fullmatch(r"0\.\d{3}\u00a0\(.*\)", lines[1])  # AUC and interval stay together


def test_a_legend_has_as_many_columns_as_its_own_labels_allow():
    """Columns are as wide as their longest label, not as the longest of all, and are filled from the left."""
    short, long = "a", "m" * 20
    assert legend_grid([short] * 4, 84) == (4, 1)
    wide = style.text_width(long, 7.0)
    room = wide + style.text_width(short, 7.0) + 2 * HANDLE + BETWEEN + 2.0
    assert legend_grid([long, long, short, short], room + 0.1) == (2, 2)
    assert legend_grid([long, long, short, short], room - 0.1) == (1, 4)
    assert legend_grid([long, short, long, short], room + 0.1) == (1, 4)
    assert legend_grid(["a\nb", "c"], 200) == (1, 3)  # lines, where a label needs two


def test_sequences_of_several_patients_fill_the_width(inputs: FigureInputs):
    """Three rows of three sequences: outlined images at the right of the plain ones, one letter a patient."""
    rows = ["Training", "Test", "External evaluation (later in time)"]
    images = [image.model_copy(update={"row": row}) for row in rows for image in inputs.images[:3]]
    drawing = draw(settings("sequences"), dataclasses.replace(inputs, images=images))
    data = drawing.data
    assert "".join(data["panel"]) == "A" * 6 + "B" * 6 + "C" * 6
    letters = [t.get_text() for axes in drawing.figure.axes for t in axes.texts if len(t.get_text()) == 1]
    assert letters == ["A", "B", "C"]
    assert list(data["outlined"]) == [0, 1] * 9
    assert list(data["row"]) == [row for row in rows for _ in range(6)]
    assert len(set(data["sequence"].iloc[:6])) == 3
    edges = [axes.get_position() for axes in drawing.figure.axes]
    assert min(edge.x0 for edge in edges) < 0.1 and max(edge.x1 for edge in edges) > 0.98
    assert drawing.figure.get_size_inches()[1] / style.MM < 110
    said = [text.get_text() for text in drawing.figure.texts]
    assert any(text.endswith("evaluation\n(later\u00a0in\u00a0time)") for text in said)  # brackets stay whole


def test_no_two_models_of_a_figure_share_a_colour():
    """Eleven models outnumber the seven colours: the first and the eighth would look alike."""
    known = [f"model_{number}" for number in range(11)]
    with style.in_style():
        assert style.order_for(["model_1", "model_2"], known) == known
        drawn = ["model_0", "model_7", "model_10"]
        assert style.order_for(drawn, known) == drawn
        assert len({style.line_of(name, drawn).colour for name in drawn}) == 3
        assert style.order_for(known, known) == known  # no order could tell them all apart by colour


def test_numbers_of_a_scale_have_the_same_decimals(tmp_path: Path):
    rows = [(name, str(v), str(v), 10.0 * v) for name in ("points", "total_points") for v in (0, 10)]
    rows += [("probability", "0.1", "0.1", 0.0), ("probability", "0.9", "0.9", 100.0)]
    rows += [("adc", label, label, 100 * float(label)) for label in ("0.9", "1", "1.1")]
    rows += [("shape", "Regular", "regular", 0.0), ("shape", "Irregular", "irregular", 30.0)]
    axes = read_axes(pd.DataFrame(rows, columns=["axis", "label", "value", "position"]), tmp_path / "nomogram.csv")
    assert [[tick.label for tick in axis.ticks] for axis in axes[1:3]] == [
        ["0.9", "1.0", "1.1"],
        ["Regular", "Irregular"],
    ]
    assert axes[1].position_of("1", "1.00") == 100


def test_bars_of_many_features_stop_at_a_page(inputs: FigureInputs, tmp_path: Path):
    table = inputs.table("coefficients", "radiomics")
    many = pd.concat([table.head(1)] + [table.tail(1)] * 39, ignore_index=True)
    many["term"] = [many["term"][0], *(f"DWI__tumour_slice__wavelet-LH_glcm_Imc{n}" for n in range(39))]
    many["beta"] = [0.0, *np.linspace(1, 0.1, 39)]
    many.to_csv(tmp_path / "many.csv", index=False)
    crowded = dataclasses.replace(inputs, coefficients={"radiomics": tmp_path / "many.csv"})
    for width in (84, 174):
        drawing = draw(settings("feature_weights", width_mm=width, most=40), crowded)
        assert style.size(drawing.figure)[1] <= 190
        assert drawing.data["beta"].tolist() == sorted(many["beta"], reverse=True)[: len(drawing.data)]
        assert f"largest {len(drawing.data)} of 39" in drawing.heading
