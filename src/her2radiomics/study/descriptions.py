"""What figures, tables and pages print about a run: names, counts and lines, all from its protocol and cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from her2radiomics.cohort.partitions import DESCRIPTIONS
from her2radiomics.core.columns import level_labels
from her2radiomics.core.settings import dump
from her2radiomics.extraction import Parameters, read_parameters
from her2radiomics.modelling.chain import NUMBERS, NUMBERS_SHORT
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.modelling.steps import STEPS
from her2radiomics.study.config import Config
from her2radiomics.study.plan import Run

CLASS_LABELS = {
    "shape": "Shape",
    "shape2D": "Shape 2-D",
    "firstorder": "First-order",
    "glcm": "GLCM",
    "glrlm": "GLRLM",
    "glszm": "GLSZM",
    "gldm": "GLDM",
    "ngtdm": "NGTDM",
}
IMAGE_TYPE_LABELS = {
    "original": "original",
    "square": "square",
    "squareroot": "square root",
    "logarithm": "logarithm",
    "exponential": "exponential",
    "gradient": "gradient",
    "lbp-2D": "LBP 2-D",
}
STEP_LABELS = {
    NUMBERS: NUMBERS_SHORT,
    **{name: step.about.short for name, step in STEPS.items()},
    **{name: settings.about.label for name, settings in ESTIMATORS.items()},
}
INTERVALS = {
    "delong": "DeLong",
    "delong_logit": "DeLong, logit scale",
    "binomial_exact": "exact binomial",
    "bootstrap": "bootstrap",
}

parameters_of = cache(read_parameters)


def region_label(region: str) -> str:
    """A region of interest in words."""
    kind, shape = region.rsplit("_", 1)
    where = "whole volume" if shape == "volume" else "largest slice"
    what = (
        "Tumour"
        if kind == "tumour"
        else f"{kind.removeprefix('ring_').removesuffix('mm')} mm peritumoural ring"
    )
    return f"{what}, {where}"


def image_type_label(name: str) -> str:
    """An image type of PyRadiomics in words: ``log-sigma-3-0-mm-3D`` is ``LoG σ 3 mm``."""
    if name.startswith("log-sigma-"):
        whole, part, *_ = name.removeprefix("log-sigma-").split("-")
        return f"LoG σ {whole if part == '0' else f'{whole}.{part}'} mm"
    return IMAGE_TYPE_LABELS.get(name, name.replace("-", " "))


def study_text(run: Run, extraction: Path) -> dict[str, Any]:
    """Everything that the manuscript prints about a run and that stands in no table of results.

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
    parameters = {
        name: parameters_of(extraction / f"{item.parameters}.yaml") for name, item in sequences.items()
    }
    return {
        "title": protocol.title,
        "simulated": run.dataset.simulated,
        "positive": protocol.label.positive,
        "negative": protocol.label.negative,
        "partitions": {
            name: protocol.partition_labels.get(name, name.capitalize()) for name in run.partitions
        },
        "models": {name: protocol.model_label(name) for name in protocol.models},
        "sequences": {name: item.label for name, item in sequences.items()},
        "columns": {name: column.heading for name, column in protocol.columns.items()},
        "units": {name: column.unit for name, column in protocol.columns.items() if column.unit},
        "palette": protocol.palette,
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
        "image_types": list(dict.fromkeys(_image_types(parameters))),
        "evaluation": evaluation_lines(run),
    }


def grey_level_text(run: Run) -> dict[str, Any]:
    """Names for the figure of grey levels, as :class:`her2radiomics.manuscript.figures.grey_levels.GreyLevelText`.

    Patients are drawn by partition, or by centre where the run ends before there are partitions.
    """
    protocol = run.protocol
    centre = dict(zip(run.participants["patient_id"], run.participants["centre"], strict=True))
    if run.partitions:
        groups = {name: protocol.partition_labels.get(name, name.capitalize()) for name in run.partitions}
        group_of = run.partition.to_dict()
    else:
        groups = {name: protocol.centres.get(name, name) for name in sorted(set(centre.values()))}
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
    """A run in words, with the keys of :class:`her2radiomics.report.info.RunInfo`."""
    cohort = run.dataset.cohort
    return {
        "id": run.id,
        "study": run.request.study,
        "variant": run.request.variant,
        "cohort": run.request.cohort,
        "cohort_title": cohort.title,
        "cohort_description": cohort.description,
        "cohort_citation": cohort.citation,
        "cohort_licence": cohort.licence,
        "departures": list(cohort.departures),
        "simulated": run.dataset.simulated,
        "extracted": run.extracted,
        "reference_reader": run.dataset.readers.reference,
        "partitions": run.partitions,
        "seed": seed,
        "protocol": run.protocol.model_dump(
            mode="json", exclude={"simulation", "published", "published_tables"}
        ),
    }


def evaluation_lines(run: Run) -> list[str]:
    """How the models are judged, a line each."""
    settings = run.protocol.evaluation
    return [
        f"AUC with {settings.level:.0%} interval ({INTERVALS[settings.ci_method]}), DeLong test",
        "Sensitivity, specificity and accuracy at the threshold locked on training (Youden)",
        "Calibration and decision curves",
        f"Split of the patients: {DESCRIPTIONS[run.protocol.partitions.kind]}",
    ]


def _feature_counts(run: Run) -> dict[str, int]:
    """Features of each sequence, or of the table that the user brought."""
    if run.dataset.data.features is not None:
        return {
            "Feature table brought by the user": run.dataset.data.features.shape[1] - 2
        }  # patient and reader
    return {name: item.features * len(item.regions) for name, item in run.protocol.sequences.items()}


def _by_class(parameters: dict[str, Parameters]) -> dict[str, int]:
    """Features of the original image in each class; where sequences differ, the larger number."""
    counts: dict[str, int] = {}
    for item in parameters.values():
        found = Counter(name.split("_")[1] for name in item.feature_names if name.startswith("original_"))
        for name, count in found.items():
            counts[CLASS_LABELS.get(name, name)] = max(count, counts.get(CLASS_LABELS.get(name, name), 0))
    return counts


def _image_types(parameters: dict[str, Parameters]) -> list[str]:
    names = [name for item in parameters.values() for name in item.image_names]
    waves = [name.removeprefix("wavelet-") for name in dict.fromkeys(names) if name.startswith("wavelet-")]
    labels = []
    for name in names:
        wavelet = name.startswith("wavelet-")
        labels.append(f"wavelet ({', '.join(waves)})" if wavelet else image_type_label(name))
    return labels
