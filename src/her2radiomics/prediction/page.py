"""A patient's page: one HTML document that loads nothing, from what is said of the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from her2radiomics.core.templates import environment
from her2radiomics.modelling.saved.rules import FeaturePredictor
from her2radiomics.prediction.drawing import marks_of, sheet_of
from her2radiomics.prediction.results import Patient, Prediction, Value
from her2radiomics.prediction.words import GIVEN, number, percent
from her2radiomics.report.embed import data_uri

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Share of training patients who are nearer, from which on a patient is called unlike them.
UNLIKE = 0.95


@dataclass(frozen=True)
class Row:
    """A predictor as printed; ``bar`` is the start, the width and whether it points to the negative class, in hundredths."""

    label: str
    printed: str
    filled: bool
    beyond: bool
    inner: bool
    contribution: str
    points: str
    bar: tuple[float, float, bool] | None


def patient_page(patient: Patient, model: FittedModel, folder: Path) -> str:
    """The page.

    Parameters
    ----------
    patient
        What is said of the patient.
    model
        The model.
    folder
        Where the pictures are that ``patient.overlays`` names.
    """
    told = patient.prediction
    pictures = [
        (name, data_uri((folder / path).read_bytes(), "image/png")) for name, path in sorted(patient.overlays.items())
    ]
    shown: dict[str, object] = {
        "p": patient,
        "pictures": pictures,
        "given": GIVEN,
        "number": number,
        "percent": percent,
    }
    if told is not None:
        points = {value.predictor: value.points for value in told.values if value.points is not None}
        sheet = sheet_of(model) if told.total_points is not None else None
        shown |= {
            "cautions": _cautions(patient, told),
            "rows": _rows(told),
            "sums": _sums(told),
            "nearness": _nearness(told),
            "sheet": sheet,
            "scaled_axes": any(isinstance(p, FeaturePredictor) for p in model.rule.predictors),
            "marks": marks_of(sheet, points, told.total_points) if sheet and told.total_points is not None else {},
            "no_nomogram": "The model has no nomogram: it is no sum of at most 15 terms of which one has an effect.",
        }
    page = environment("prediction", "report").get_template("patient.html")
    return page.render(**shown, script_source=Markup("'none'"))


def patients_page(patients: Sequence[Patient], table: str) -> str:
    """The page over the pages of several patients, in their order; ``table`` is the file with all numbers."""
    rows = [(patient, _cautions(patient, patient.prediction) if patient.prediction else []) for patient in patients]
    page = environment("prediction", "report").get_template("patients.html")
    return page.render(
        model=patients[0].model,
        patients=rows,
        failed=sum(patient.prediction is None for patient in patients),
        table=table,
        percent=percent,
        script_source=Markup("'none'"),
    )


def _rows(told: Prediction) -> list[Row]:
    beyond = {item.predictor for item in told.outside}
    widest = max((abs(value.contribution) for value in told.values if value.contribution is not None), default=0.0)
    return [
        Row(
            value.label,
            value.printed,
            value.filled,
            value.predictor in beyond,
            bool(value.within),
            "" if value.contribution is None else _signed(value.contribution, 3),
            "" if value.points is None else f"{value.points:.1f}".replace("-", "−"),
            _bar(value, widest),
        )
        for value in told.values
    ]


def _bar(value: Value, widest: float) -> tuple[float, float, bool] | None:
    if value.contribution is None or not widest:
        return None
    size = 50.0 * abs(value.contribution) / widest
    return (50.0 - size if value.contribution < 0 else 50.0, size, value.contribution < 0)


def _signed(value: float, digits: int) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.{digits}f}"


def _sums(told: Prediction) -> str:
    """What the contributions add up to."""
    own = [value.contribution for value in told.values if not value.within]
    if told.baseline is None or any(value is None for value in own):
        return "The model is no sum of terms, so that nothing exact can be said of what drove it."
    total = sum(value for value in own if value is not None)
    text = (
        "A contribution is the coefficient times the difference of the value from the mean of training. "
        f"Score at the mean {_signed(told.baseline, 3)}, contributions together {_signed(total, 3)}: "
        f"score {_signed(told.score, 3)}."
    )
    inner = " Indented: what the score itself is made of." if any(value.within for value in told.values) else ""
    return text + inner


def _nearness(told: Prediction) -> str:
    if not told.values:
        return "The model has no predictor: it says the same of everybody."
    if told.likeness is None:
        return "The model's file keeps nothing by which the patient could be compared with those of training."
    share = told.likeness.share
    who = "no training patient is as far" if share >= 1 else f"{100 * share:.0f}% of training patients are nearer to it"
    return f"Mahalanobis distance of the predictors from the training mean: {told.likeness.distance:.2f}; {who}."


def _cautions(patient: Patient, told: Prediction) -> list[str]:
    said = list(patient.notes)
    if told.outside:
        names = "; ".join(
            f"{item.label} {number(item.value)} (training {number(item.low)} to {number(item.high)})"
            for item in told.outside
        )
        said.append(f"Outside the range of training: {names}.")
    filled = [value.label for value in told.values if value.filled]
    if filled:
        said.append(f"Not given, and filled from training: {'; '.join(filled)}.")
    if told.likeness is not None and told.likeness.share >= UNLIKE:
        said.append("The patient's predictors are unlike those of nearly all training patients.")
    if told.interval is not None and told.interval.low < told.threshold <= told.interval.high:
        said.append("The interval holds the threshold: the class is uncertain.")
    again = told.refitted
    if again is not None and again.low is not None and again.high is not None:
        if again.low < told.threshold <= again.high:
            said.append("Refits of the model on resamples of its training patients do not agree on the class.")
    warned = [
        f"{row['sequence']}, {str(row['region']).replace('_', ' ')}"
        for row in patient.quality
        if row["status"] == "warned"
    ]
    if warned:
        said.append(f"Quality control has remarks on {'; '.join(warned)}.")
    return said
