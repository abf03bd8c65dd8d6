"""The worked example of a nomogram: one patient read off the axes."""

from __future__ import annotations

from dataclasses import dataclass

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import level_label, predictor_label
from her2radiomics.manuscript.figures.nomogram_axes import PROBABILITY, TOTAL, NomogramAxis, number

UNSURE = (0.1, 0.9)  # probabilities that are neither low nor high
SEPARATED = 0.2  # the share of such patients below which a model is degenerate
ON_PAPER = 0.02  # the most by which whole points may move the probability; else points have a decimal
AGREEMENT = 0.005  # the most by which a probability read off the nomogram may differ from the model's


@dataclass(frozen=True)
class Reading:
    """One predictor of the example patient: its value as printed, and its points."""

    axis: str
    printed: str
    points: float


@dataclass(frozen=True)
class Example:
    """The example patient: the readings, what they add up to on paper, and the model's own probability.

    Points are read to the nearest whole one, as with a ruler, or to a tenth where that moves the probability, so that
    the printed sum is the sum of what is printed.
    """

    patient_id: str
    readings: tuple[Reading, ...]
    read_total: float
    read_probability: float
    model_probability: float
    digits: int = 0

    def text(self, inputs: FigureInputs) -> str:
        """The example in words."""
        study = inputs.study
        parts = [
            f"{predictor_label(r.axis, study)}: {style.keep(f'{r.printed} → {points_text(r.points, self.digits)}')}"
            for r in self.readings
        ]
        return (
            f"patient {self.patient_id}. {'; '.join(parts)}. Total "
            f"{style.keep(points_text(self.read_total, self.digits))} → "
            f"probability of {study.positive} {self.read_probability:.2f} "
            f"(computed by the model: {self.model_probability:.2f})."
        )


def work_example(
    axes: list[NomogramAxis], inputs: FigureInputs, *, model: str, patient: str, scores: dict[str, str]
) -> Example | None:
    """Read one patient off the axes.

    Parameters
    ----------
    axes
        The nomogram's axes.
    inputs
        Participants, and the predictions of ``model`` and of the models whose scores are predictors.
    model
        The nomogram's model.
    patient
        A patient's identifier, or ``typical``: of the first partition's patients whose values all lie on the axes, the one
        whose probability is nearest 0.5.
    scores
        Predictors that are another model's score, with that model.

    Raises
    ------
    TableError
        The named patient cannot be read off the axes, or the nomogram disagrees with the model's own prediction.
    """
    predictors = axes[1:-2]
    predicted = inputs.table("predictions", model)
    first = next((p for p in inputs.study.partitions if p in set(predicted["partition"])), None)
    column, wanted = ("partition", first) if patient == "typical" else ("patient_id", patient)
    pool = predicted[predicted[column] == wanted]
    values = _values(predictors, inputs, scores)
    read = {
        row["patient_id"]: (found, float(row["probability"]))
        for _, row in pool.iterrows()
        if (found := _read(row["patient_id"], predictors, values, inputs)) is not None
    }
    if not read:
        if patient == "typical":
            return None
        raise TableError(
            file=inputs.path("predictions", model),
            patient=patient,
            found="no such patient, or values that are missing or off the nomogram's axes",
            expected="a patient whose every predictor can be read",
            remedy="Name another patient as the nomogram's example, or 'typical'.",
        )
    chosen = min(sorted(read), key=lambda p: abs(read[p][1] - 0.5))
    readings, expected = read[chosen]
    by_name = {axis.name: axis for axis in axes}
    total = sum(reading.points for reading in readings)
    probability = by_name[PROBABILITY].value_at(total)
    if abs(probability - expected) > AGREEMENT:
        raise TableError(
            file=inputs.path("nomogram", model),
            patient=chosen,
            found=f"a probability of {probability:.4f} at {total:.2f} points on the axis '{TOTAL}'",
            expected=f"the model's own {expected:.4f}",
            remedy="Make the nomogram and the predictions from the same model.",
        )
    for digits in (0, 1):
        on_paper = sum(round(reading.points, digits) for reading in readings)
        at_sum = by_name[PROBABILITY].value_at(on_paper)
        if abs(at_sum - expected) <= ON_PAPER:
            break
    return Example(chosen, tuple(readings), on_paper, at_sum, expected, digits)


def points_text(points: float, digits: int) -> str:
    """``51 points``, ``1 point``, ``1.4 points``."""
    text = f"{points:.{digits}f}"
    return f"{text} point{'' if text == '1' else 's'}"


def separation(inputs: FigureInputs, model: str) -> str:
    """A sentence where few patients of the first partition have a probability that is neither low nor high; else nothing."""
    predicted = inputs.table("predictions", model)
    first = next((p for p in inputs.study.partitions if p in set(predicted["partition"])), "")
    probability = predicted.loc[predicted["partition"] == first, "probability"]
    between = int(probability.between(*UNSURE).sum())
    if not len(probability) or between >= SEPARATED * len(probability):
        return ""
    low, high = UNSURE
    name = inputs.study.partitions[first]
    return (
        f"This model nearly separates the outcomes: in {between} of {len(probability)} patients of {name} the probability "
        f"lies between {low} and {high}. Such a nomogram is not to be relied on for other patients."
    )


def _values(predictors: list[NomogramAxis], inputs: FigureInputs, scores: dict[str, str]) -> dict[str, pd.Series]:
    """Each predictor's values by patient: another model's score, or a column of the participants."""
    values: dict[str, pd.Series] = {}
    for axis in predictors:
        model = scores.get(axis.name, axis.name if axis.name in inputs.predictions else None)
        name, column = ("participants", axis.name) if model is None else ("predictions", "score")
        table = inputs.table(name, model)
        if column not in table.columns:
            raise TableError(
                file=inputs.path("participants"),
                column=axis.name,
                found=f"the columns {', '.join(table.columns)}",
                expected="the nomogram's predictor among them",
                remedy="Name the model whose score it is under the figure's 'scores'.",
            )
        values[axis.name] = table.drop_duplicates("patient_id").set_index("patient_id")[column]
    return values


def _read(
    patient: str, predictors: list[NomogramAxis], values: dict[str, pd.Series], inputs: FigureInputs
) -> list[Reading] | None:
    readings = []
    for axis in predictors:
        value = str(values[axis.name].get(patient, ""))
        known = number(value)
        level = f"{known:.0f}" if known is not None and known == int(known) else value
        printed = level_label(axis.name, level, inputs.study)
        points = axis.position_of(level, printed)
        if points is None:
            return None
        if axis.values is not None and known is not None:
            printed = (f"{known:.0f}" if known == int(known) else f"{known:.2f}").replace("-", "−")
        elif printed == level:
            printed = next(t.label for t in axis.ticks if t.position == points)
        readings.append(Reading(axis.name, printed, points))
    return readings
