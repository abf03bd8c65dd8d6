"""The command that predicts: new patients' files to a page, a JSON file and a row of a table each."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from her2radiomics.cohort.identity import identity_in_identifier
from her2radiomics.cohort.recoding import map_column
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.tables import PATIENT_ID
from her2radiomics.core.brought.likeness import did_you_mean
from her2radiomics.core.derivation import with_sources
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.files import file_hash, write_text
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import load
from her2radiomics.core.spreadsheets import safe_frame
from her2radiomics.modelling.saved.application import NONE, read_features, read_people
from her2radiomics.modelling.saved.fitted import FittedModel
from her2radiomics.modelling.saved.model_file import load_model
from her2radiomics.modelling.saved.refits import Refits
from her2radiomics.modelling.tables import reader_rows
from her2radiomics.prediction.images import Measured, feature_table, find_new_images, measure
from her2radiomics.prediction.measuring import measuring_of
from her2radiomics.prediction.page import patient_page, patients_page
from her2radiomics.prediction.predicting import as_table, model_card, predict_patients
from her2radiomics.prediction.refitted import refits_beside
from her2radiomics.prediction.results import ModelCard, Patient

TABLE = "predictions.csv"
#: The page over the pages of the patients; no identifier begins with an underscore.
INDEX = "_patients.html"
NAMED = 5


@dataclass(frozen=True)
class Request:
    """What is to be predicted from.

    Attributes
    ----------
    model
        ``model.json``, or the folder that holds it.
    images, features
        Images (:func:`~her2radiomics.prediction.images.find_new_images`) or a feature table: one of them, where the model
        uses features.
    clinical
        Clinical table, where the model uses clinical columns.
    cohort
        Cohort file whose identifier and ``columns`` map the clinical table.
    reader
        Whose outlines or rows are used; training's by default.
    pages
        Whether each patient has a page.
    """

    model: Path
    images: Path | None = None
    features: Path | None = None
    clinical: Path | None = None
    cohort: Path | None = None
    reader: str = ""
    pages: bool = True


@dataclass
class Answer:
    """Every patient's result, and remarks on the input."""

    model: FittedModel
    patients: list[Patient]
    notes: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Patient]:
        """Patients without a prediction."""
        return [patient for patient in self.patients if patient.status == "failed"]


def model_file(path: Path) -> Path:
    """The model's file: itself, or ``model.json`` in a folder."""
    return path / "model.json" if path.is_dir() else path


def read_clinical(
    path: Path | None, cohort: Path | None, model: FittedModel, features: pd.DataFrame | None, notes: list[str]
) -> pd.DataFrame:
    """The clinical table in the model's columns, as text; without one, the patients of the features.

    Raises
    ------
    StudyError
        The cohort file or the table cannot be read in one way, or lacks a column that the cohort file maps.
    """
    needed = with_sources(set(model.columns), model.columns)
    if path is None:
        return read_people(NONE, features)
    if cohort is None:
        return read_people(path, features, needed, notes)
    settings = load(Cohort, cohort)
    sources = {name: source for name, source in settings.columns.items() if name in needed}
    theirs = {source.source or name for name, source in sources.items()}
    key = settings.participants[0].id if settings.participants else "patient_id"
    people = read_people(path, features, needed | theirs, notes, identifier=key)
    mapped = people.copy()
    for name, source in sources.items():
        heading = source.source or name
        if source.value is not None:
            mapped[name] = source.value
            continue
        if heading not in people:
            raise TableError(
                file=path,
                column=heading,
                found=f"the columns {', '.join(map(str, people.columns[:6]))} …",
                expected=f"the column that {cohort.name} takes for '{name}'",
                remedy="Add it, or correct the cohort file.",
            )
        mapped[name], _, _ = map_column(people[heading], name, source, heading=heading, file=str(path))
    return mapped


def predict(request: Request, folder: Path) -> Answer:
    """Predict new patients, and write everything that is said of them into a folder.

    Parameters
    ----------
    request
        What from.
    folder
        For ``predictions.csv`` and of each patient ``<patient>.json``, ``<patient>.html`` and ``<patient>/<sequence>.png``.

    Raises
    ------
    StudyError
        The model or an input as a whole cannot be used; what is wrong with one patient is that patient's result.
    """
    path = model_file(request.model)
    model = load_model(path)
    notes: list[str] = []
    card = model_card(model, file_hash(path))
    refits = refits_beside(path, card.sha256, notes)
    if model.sequences and (request.images is None) == (request.features is None):
        raise StudyError(
            f"model '{model.name}': found {'both' if request.images else 'neither'} --images and --features, expected one "
            f"of them: the model uses features of {', '.join(sorted(s or 'a brought table' for s in model.sequences))}."
        )
    measured: dict[str, Measured] = {}
    hashes: Mapping[str, str] = {}
    features = None
    if request.images is not None:
        measuring = measuring_of(model)
        hashes = measuring.hashes()
        manifest, root, said = find_new_images(request.images, measuring)
        notes += said
        pictured = list(dict.fromkeys(manifest["patient_id"]))
        measured = measure(
            manifest, root, measuring, pictured, folder, reader=request.reader, simulated=model.content["simulated"]
        )
        features = feature_table(measured)
    elif request.features is not None and model.sequences:
        features = _read_features(request.features, model, refits, notes)
        reader = request.reader or (model.content.get("measuring") or {}).get("reader", "1")
        features = reader_rows(features, reader).drop(columns="reader", errors="ignore")
    known = features if features is not None and len(features) else None
    people = _people(request, model, known, measured, notes).astype({"patient_id": str})
    failed = _without_features(people, features, measured, card)
    asked = people if features is None else people[people["patient_id"].isin(known_names(known))]
    done = predict_patients(model, known, asked, card, extraction=hashes, refits=refits) if len(asked) else []
    found = failed | {patient.patient_id: patient for patient in done}
    if features is not None:
        alone = [name for name in people["patient_id"] if name not in found]
        if alone:
            more = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
            notes.append(f"the clinical table's {', '.join(alone[:NAMED])}{more}: no image or features; left out")
    patients = [_with_images(found[name], measured.get(name, Measured())) for name in sorted(found)]
    answer = Answer(model, patients, notes)
    _write(answer, folder, pages=request.pages)
    return answer


def _read_features(path: Path, model: FittedModel, refits: Refits | None, notes: list[str]) -> pd.DataFrame:
    """Features that the model uses, and those of its refits where the table holds them as numbers."""
    needed = [item.name for item in model.rule.features()]
    if refits is not None:
        said: list[str] = []
        with contextlib.suppress(TableError):  # a cell that the model itself does not read costs no prediction
            found = read_features(path, list(dict.fromkeys([*needed, *refits.features()])), said)
            assert found is not None
            notes += said
            return found
    found = read_features(path, needed, notes)
    assert found is not None
    return found


def _people(
    request: Request,
    model: FittedModel,
    features: pd.DataFrame | None,
    measured: Mapping[str, Measured],
    notes: list[str],
) -> pd.DataFrame:
    """The patients and their clinical columns."""
    if request.clinical is None and model.columns:
        raise StudyError(
            f"model '{model.name}': found no clinical table, expected one with {', '.join(model.columns)} (--clinical)."
        )
    if request.clinical is None and measured:
        return pd.DataFrame({"patient_id": list(measured)})
    people = read_clinical(request.clinical, request.cohort, model, features, notes)
    source = request.clinical or request.features or ""
    for name in people["patient_id"].astype(str):
        if not PATIENT_ID.fullmatch(name):
            raise TableError(
                file=source,
                patient=name,
                column="patient_id",
                found=f"'{name}'",
                expected="letters, digits, '_', '-' and '.', beginning with a letter or digit: result files have this name",
                remedy="Rename the patient.",
            )
    twice = people["patient_id"][people["patient_id"].duplicated()]
    if len(twice):
        raise TableError(
            file=source,
            patient=str(twice.iloc[0]),
            found="more than one row",
            expected="one row per patient",
            remedy="Keep one of them.",
        )
    return people


def known_names(features: pd.DataFrame | None) -> set[str]:
    """Patients of a feature table."""
    return set() if features is None else set(features["patient_id"].astype(str))


def _without_features(
    people: pd.DataFrame, features: pd.DataFrame | None, measured: Mapping[str, Measured], card: ModelCard
) -> dict[str, Patient]:
    """Patients whose images failed, and those with images or features whom the clinical table lacks."""
    reasons = {name: images.reason for name, images in measured.items() if images.reason}
    told = list(people["patient_id"])
    for name in [*measured, *sorted(known_names(features))]:
        if name not in told:
            near = did_you_mean([name], told)
            reasons.setdefault(name, f"found no row in the clinical table, expected one. {near}".strip())
    return {name: Patient(patient_id=name, status="failed", reason=why, model=card) for name, why in reasons.items()}


def _with_images(patient: Patient, images: Measured) -> Patient:
    """The same with quality control, pictures and a remark on the identifier."""
    doubt = identity_in_identifier(patient.patient_id)
    notes = [f"The identifier holds {doubt}: results may only go to those who may know the patient."] if doubt else []
    return patient.model_copy(update={"quality": images.quality, "overlays": images.overlays, "notes": notes})


def _write(answer: Answer, folder: Path, *, pages: bool) -> None:
    table = as_table(answer.patients)
    write_text(safe_frame(table).to_csv(index=False, lineterminator="\n"), folder / TABLE)
    for patient in answer.patients:
        write_text(patient.model_dump_json(indent=1) + "\n", folder / f"{patient.patient_id}.json")
        if pages:
            write_text(patient_page(patient, answer.model, folder), folder / f"{patient.patient_id}.html")
    if pages and answer.patients:
        write_text(patients_page(answer.patients, TABLE), folder / INDEX)


def in_words(patient: Patient) -> str:
    """One line on a patient."""
    told = patient.prediction
    if told is None:
        return f"{patient.patient_id}: no prediction"
    text = f"{patient.patient_id}: {told.class_name}, probability {told.probability:.3f}"
    if told.interval:
        text += f" ({told.interval.low:.3f} to {told.interval.high:.3f})"
    return text + (f"; {len(told.outside)} values outside the range of training" if told.outside else "")


def intended(request: Request) -> list[str]:
    """What :func:`predict` would do, without reading an image."""
    model = load_model(model_file(request.model))
    said = [f"model '{model.name}' ({model.label}): {len(model.rule.predictors)} predictors"]
    if request.images is not None:
        measuring = measuring_of(model)
        manifest, _, notes = find_new_images(request.images, measuring)
        for patient, rows in manifest.groupby("patient_id"):
            found = dict.fromkeys(rows["sequence"])
            lacking = [name for name in measuring.needed if name not in found]
            said.append(
                f"would extract {patient}: {', '.join(found)}" + (f"; lacks {', '.join(lacking)}" if lacking else "")
            )
        said += [f"note: {note}" for note in notes]
    return said
