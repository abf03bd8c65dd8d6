"""What protocols ask of figures beyond their kind: inclusion criteria, an order of sequences, a Hosmer–Lemeshow p."""

from __future__ import annotations

import dataclasses

import pytest
from figure_inputs import make_inputs, settings
from matplotlib.text import Text

from her2radiomics.manuscript.figures import draw
from her2radiomics.statistics import hosmer_lemeshow


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


def test_inclusion_criteria_stand_in_the_first_box(inputs):
    study = inputs.study.model_copy(update={"inclusion": ["Women of 18 years or more", "Core needle biopsy"]})
    given = dataclasses.replace(inputs, study=study)
    said = words(draw(settings("flow"), given).figure)
    assert "Women of 18 years or more" in said and "Core needle biopsy" in said
    assert "Core needle biopsy" not in words(draw(settings("flow", inclusion=False), given).figure)


def test_sequences_are_drawn_in_the_order_asked_for(inputs):
    usual = draw(settings("sequences"), inputs).data["sequence"].tolist()
    names = list(dict.fromkeys(usual))
    asked = draw(settings("sequences", order=names[::-1]), inputs).data["sequence"].tolist()
    assert list(dict.fromkeys(asked)) == names[::-1] and sorted(asked) == sorted(usual)
    last = draw(settings("sequences", order=[names[-1]]), inputs).data["sequence"].tolist()
    assert list(dict.fromkeys(last)) == [names[-1], *names[:-1]]


def test_the_p_of_hosmer_and_lemeshow_is_that_of_the_predictions(inputs):
    options = settings("calibration", hosmer_lemeshow_groups=5, model="nomogram", partition="testing")
    shown = inputs.predictions_of("nomogram", "testing")
    p = hosmer_lemeshow(shown["label"], shown["probability"], 5, fitted=False).p
    assert f"Hosmer–Lemeshow p = {p:.3f}" in words(draw(options, inputs).figure).replace("\u00a0", " ")


def test_patients_without_a_prediction_are_counted_in_the_flow(inputs):
    said = words(draw(settings("flow", model="nomogram"), inputs).figure).replace("\u00a0", " ")
    assert "Not predicted by Nomogram: 2 (Ki-67)" in said
    assert "Not predicted" not in words(draw(settings("flow"), inputs).figure)
