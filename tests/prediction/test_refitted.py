"""The interval of refits of a new patient: percentiles by hand, and what is said where they cannot be had."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from prediction.new_patients import MEAN, image_model

from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import file_hash
from her2radiomics.modelling.saved.model_file import load_model, save_model
from her2radiomics.modelling.saved.refits import FILE, read_refits, refits_content
from her2radiomics.prediction.run import Request, predict

OTHER = MEAN.replace("Mean", "Energy")
INTERCEPTS = np.linspace(-5, -3, 41)


def rules(path: Path, extra: int = 0) -> list[dict]:
    """The model's rule with other intercepts; the first ``extra`` of them also use another feature."""
    rule = json.loads(path.read_text(encoding="utf-8"))["rule"]
    more = rule["predictors"][0] | {"name": OTHER, "coefficient": 0.0}
    return [
        rule | {"intercept": float(value), "predictors": [*rule["predictors"], *([more] if place < extra else [])]}
        for place, value in enumerate(INTERCEPTS)
    ]


@pytest.fixture
def asked(tmp_path):
    path = image_model(tmp_path / "model")
    (tmp_path / "features.csv").write_text(f"patient_id,{MEAN}\nA-1,95\n", encoding="utf-8")
    (tmp_path / "clinical.csv").write_text("patient_id,grade\nA-1,II\n", encoding="utf-8")
    return Request(path.parent, features=tmp_path / "features.csv", clinical=tmp_path / "clinical.csv"), path, tmp_path


def keep(path: Path, content: list[dict], sha256: str = "") -> None:
    columns = load_model(path).columns
    save_model(refits_content("bright", content, columns, sha256 or file_hash(path)), path.with_name(FILE))


def test_percentiles_by_hand_on_page_and_file(asked):
    request, path, folder = asked
    keep(path, rules(path))
    (patient,) = predict(request, folder / "to").patients
    # the score is intercept + 2 · (95 − 80) / 10 + 0.5; percentiles 2.5 and 97.5 of 41 equally spaced intercepts: 1 step in
    low, high = (1 / (1 + math.exp(-(intercept + 3.5))) for intercept in (-4.95, -3.05))
    told = patient.prediction.refitted
    assert (told.low, told.high) == pytest.approx((low, high), rel=1e-12) and told.used == 41 and not told.reason
    page = (folder / "to" / "A-1.html").read_text(encoding="utf-8")
    assert f"gave {100 * low:.1f}% to {100 * high:.1f}% for this patient (central 95% of 41 refits)" in page
    assert "do not agree on the class" in page
    assert json.loads((folder / "to" / "A-1.json").read_text(encoding="utf-8"))["prediction"]["refitted"]["low"] == low


def test_without_the_file_nothing_is_said(asked):
    request, _, folder = asked
    (patient,) = predict(request, folder / "to").patients
    assert patient.prediction.refitted is None
    assert "efits of the model" not in (folder / "to" / "A-1.html").read_text(encoding="utf-8")


def test_refits_of_another_model_are_left_out(asked):
    request, path, folder = asked
    keep(path, rules(path), sha256="0" * 64)
    answer = predict(request, folder / "to")
    assert answer.patients[0].prediction.refitted is None and any("another model.json" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("extra", "said"), [(4, ""), (5, "5 of 41 refits use features or columns that were not given")]
)
def test_refits_that_use_what_was_not_given(asked, extra, said):
    """Four of 41 are less than a tenth, five are more."""
    request, path, folder = asked
    keep(path, rules(path, extra))
    (patient,) = predict(request, folder / "to").patients
    told = patient.prediction.refitted
    assert told.reason == said and told.used == 41 - extra and (told.low is None) == bool(said)
    (folder / "features.csv").write_text(f"patient_id,{MEAN},{OTHER}\nA-1,95,7\n", encoding="utf-8")
    (patient,) = predict(request, folder / "again").patients
    assert patient.prediction.refitted.used == 41


def test_a_cell_that_the_model_does_not_read_costs_no_prediction(asked):
    request, path, folder = asked
    keep(path, rules(path, 41))
    (folder / "features.csv").write_text(f"patient_id,{MEAN},{OTHER}\nA-1,95,x\n", encoding="utf-8")
    (patient,) = predict(request, folder / "to").patients
    assert patient.status == "predicted" and patient.prediction.refitted.used == 0
    assert "No interval of refits" in (folder / "to" / "A-1.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["[]", "{", '{"format": "her2radiomics refits", "version": 2}', '{"format": 1}'])
def test_a_broken_file_is_named(asked, text):
    _, path, _ = asked
    path.with_name(FILE).write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"instability\.json: found .* expected refits"):
        read_refits(path.with_name(FILE))
