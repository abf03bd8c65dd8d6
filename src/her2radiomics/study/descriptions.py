"""What figures, tables and pages print about a run: names, counts and lines, all from its protocol and cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from her2radiomics.cohort.settings import Cohort
from her2radiomics.core.columns import STAGES, level_labels
from her2radiomics.core.settings import dump, validate
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.extraction import Parameters, read_parameters
from her2radiomics.extraction.names import CLASSES, IMAGE_TYPES, region_label
from her2radiomics.modelling.chain import NUMBERS, NUMBERS_SHORT
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.modelling.steps import STEPS
from her2radiomics.report.info import RunInfo
from her2radiomics.study.config import Config, RunRequest
from her2radiomics.study.protocol import Protocol
from her2radiomics.study.run import Run

STEP_LABELS = {
    NUMBERS: NUMBERS_SHORT,
    **{name: step.about.short for name, step in STEPS.items()},
    **{name: settings.about.label for name, settings in ESTIMATORS.items()},
}
parameters_of = cache(read_parameters)


def study_text(run: Run, extraction: Path) -> dict[str, Any]:
    """Everything that the manuscript prints about a run and that no table of results holds.

    Parameters
    ----------
    run
        The run.
    extraction
        The folder of the PyRadiomics parameter files.

    Returns
    -------
    dict
        Plain data: the keys of :class:`her2radiomics.manuscript.figures.inputs.StudyText`, and the regions of each
        sequence and the level of the intervals.
    """
    protocol = run.protocol
    sequences = protocol.sequences if run.extracted else {}
    parameters = [parameters_of(extraction / f"{item.parameters}.yaml") for item in sequences.values()]
    return {
        "title": protocol.title,
        "simulated": run.dataset.simulated,
        "positive": protocol.label.positive,
        "negative": protocol.label.negative,
        "partitions": {name: protocol.partition_label(name) for name in run.partitions},
        "models": {name: protocol.model_label(name) for name in protocol.models},
        "scores": {name: protocol.score_label(name) for name in protocol.models},
        "sequences": {name: item.label for name, item in sequences.items()},
        "columns": {name: column.heading for name, column in protocol.columns.items()},
        "units": {name: column.unit for name, column in protocol.columns.items() if column.unit},
        "palette": protocol.palette,
        "font_family": protocol.font_family,
        "svg_text": protocol.svg_text,
        "levels": level_labels(protocol.columns),
        "regions": {region: region_label(region) for item in sequences.values() for region in item.regions},
        "regions_by_sequence": {name: list(item.regions) for name, item in sequences.items()},
        "reference_reader": run.dataset.readers.reference,
        "slice_of": {name: item.slice_of for name, item in sequences.items() if item.slice_of},
        "masks_resampled": [name for name, item in sequences.items() if item.preprocessing.resample_mask],
        "level": protocol.evaluation.level,
        "steps": STEP_LABELS,
        "inclusion": list(protocol.inclusion),
        "acquisition": list(protocol.acquisition),
        "delineation": list(protocol.delineation),
        "features_by_sequence": _feature_counts(run),
        "features_by_class": _by_class(parameters),
        "image_types": _image_types(parameters),
        "thresholds": list(protocol.evaluation.net_benefit_thresholds),
        "evaluation": evaluation_lines(run),
    }


def printed_names(run: Run) -> dict[str, dict[str, str]]:
    """Printed names of models, sequences and groups of patients, as :class:`her2radiomics.manuscript.names.Names`."""
    protocol = run.protocol
    return {
        "models": {name: protocol.model_label(name) for name in protocol.models},
        "scores": {name: protocol.score_label(name) for name in protocol.models},
        "sequences": {name: item.label for name, item in protocol.sequences.items()},
        "groups": {name: protocol.partition_label(name) for name in run.partitions}
        | {"1": protocol.label.positive, "0": protocol.label.negative},
    }


def grey_level_text(run: Run) -> dict[str, Any]:
    """Names for the figure of grey levels, as :class:`her2radiomics.manuscript.figures.grey_levels.GreyLevelText`.

    Patients are drawn by partition, or by centre where the run ends before there are partitions.
    """
    protocol = run.protocol
    centre = dict(zip(run.participants["patient_id"], run.participants["centre"], strict=True))
    if run.partitions:
        groups = {name: protocol.partition_label(name) for name in run.partitions}
        group_of = run.partition.to_dict()
    else:
        groups = {name: protocol.centre_label(name) for name in sorted(set(centre.values()))}
        group_of = centre
    return {
        "title": protocol.title,
        "simulated": run.dataset.simulated,
        "sequences": {name: item.label for name, item in protocol.sequences.items()},
        "regions": {r: region_label(r) for item in protocol.sequences.values() for r in item.regions},
        "groups": groups,
        "group_of": {patient: group_of[patient] for patient in run.patients if patient in group_of},
        "reference_reader": run.dataset.readers.reference,
    }


def model_about(run: Run, model: str) -> dict[str, Any]:
    """Whom a model is for and what it says, as plain data for :class:`~her2radiomics.modelling.saved.about.About`."""
    protocol = run.protocol
    return {
        "study": protocol.title,
        "question": protocol.question,
        "label": protocol.model_label(model),
        "positive": protocol.label.positive,
        "negative": protocol.label.negative,
        "outcome": protocol.label.definition,
        "prediction_at": STAGES[protocol.prediction_at],
        "inclusion": list(protocol.inclusion),
        "cohort": run.dataset.cohort.title,
        "centres": dict(protocol.centres),
        "models": {name: protocol.model_label(name) for name in protocol.models[model].parts()},
        "scores": {name: protocol.score_label(name) for name in protocol.models[model].parts()},
    }


def run_description(run: Run, config: Config) -> dict[str, Any]:
    """What was asked for, as the provenance and the crate say it."""
    asked = dump(run.request) | {"id": run.id, "seed": config.seed}
    if run.dataset.simulated:
        assert run.protocol.simulation is not None
        strength = run.protocol.simulation.strength if config.strength is None else config.strength
        asked |= {"size": config.size, "strength": strength}
    return asked


def patients_in_words(names: Sequence[str]) -> str:
    """Who is in a batch, for the progress line."""
    return f"patient {names[0]}" if len(names) == 1 else f"patients {names[0]} to {names[-1]}"


def run_info(run: Run, seed: int) -> dict[str, Any]:
    """What the page of a run is made from, as plain data for :func:`read_run_info`; no path of this machine."""
    return {
        "request": dump(run.request),
        "protocol": run.protocol.model_dump(mode="json", exclude={"simulation", "published", "published_tables"}),
        "cohort": run.dataset.cohort.model_dump(mode="json", exclude={"root", "linked_folders"}),
        "partitions": run.partitions,
        "extracted": run.extracted,
        "reference_reader": run.dataset.readers.reference,
        "seed": seed,
        "notes": list(run.notes),
    }


def read_run_info(content: Mapping[str, Any]) -> RunInfo:
    """Check the data of :func:`run_info`, once for all that reads them.

    Raises
    ------
    SettingsError
        Whatever is wrong with the request, the protocol or the cohort.
    """
    checked = {
        name: validate(model, content[name], name)
        for name, model in (("request", RunRequest), ("protocol", Protocol), ("cohort", Cohort))
    }
    return RunInfo(**{**content, **checked})


def evaluation_lines(run: Run) -> list[str]:
    """How the models are judged, a line each."""
    settings, kinds = run.protocol.evaluation, {figure.kind for figure in run.protocol.figures}
    auc = f"AUC with {settings.level:.0%} CI ({INTERVALS[settings.ci_method].short})"
    curves = [name for kind, name in (("calibration", "calibration"), ("decision_curve", "decision")) if kind in kinds]
    return [
        auc + (", DeLong's test" if len(run.protocol.models) > 1 else ""),
        "Sensitivity, specificity and accuracy at the threshold of Youden's index in training",
        *([f"{' and '.join(curves).capitalize()} curves"] if curves else []),
    ]


def _feature_counts(run: Run) -> dict[str, int]:
    """Features of each sequence, or of the table that the user brought."""
    if run.dataset.data.features is not None:
        return {"Feature table brought by the user": run.dataset.data.features.shape[1] - 2}  # patient and reader
    return {name: item.features * len(item.regions) for name, item in run.protocol.sequences.items()}


def _by_class(parameters: Iterable[Parameters]) -> dict[str, int]:
    """Features of the original image in each class; where sequences differ, the larger number."""
    counts: Counter[str] = Counter()
    for item in parameters:
        counts |= Counter(
            CLASSES[name.split("_")[1]].short for name in item.feature_names if name.startswith("original_")
        )
    return dict(counts)


def _image_types(parameters: Iterable[Parameters]) -> list[str]:
    """Image types of all files, each filter of the Laplacian of Gaussian by its σ."""
    waves: dict[str, None] = {}
    labels: dict[str, None] = {}
    for item in parameters:
        waves |= dict.fromkeys(
            n.removeprefix("wavelet").lstrip("-") for n in item.image_names if n.startswith("wavelet")
        )
        for kind in item.image_types:
            short = IMAGE_TYPES[kind].short
            sigmas = item.of_image(kind).get("sigma", []) if kind == "LoG" else None
            labels |= dict.fromkeys([short] if sigmas is None else [f"{short} σ {sigma:g} mm" for sigma in sigmas])
    return [f"{label} ({', '.join(waves)})" if label == IMAGE_TYPES["Wavelet"].short else label for label in labels]
