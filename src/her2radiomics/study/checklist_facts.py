"""Facts of a run before it starts: from its protocol, cohort, partitions and parameter files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from her2radiomics.checklists.settings import Fact
from her2radiomics.cohort.partitions import DESCRIPTIONS, RandomPartition
from her2radiomics.core.contracts import TRAINING
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.extraction import Parameters
from her2radiomics.extraction.names import CLASSES, IMAGE_TYPES, INTERPOLATORS, region_label
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.manuscript.tables.baseline import BaselineTable
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.modelling.models.clinical import ClinicalSpec
from her2radiomics.modelling.models.multivariate import MultivariateSpec
from her2radiomics.report.words import lower_first
from her2radiomics.study.config import Config
from her2radiomics.study.descriptions import parameters_of
from her2radiomics.study.run import Run

MISSING = {
    "impute": "missing clinical values are replaced by the training median or most frequent level, and their numbers are "
    "reported",
    "complete_case": "patients with a missing clinical value are left out of the model",
}
#: What this workflow never does; checklists that ask for it say so.
NEVER = {
    "deep_learning": False,
    "nuclear_imaging": False,
    "computed_tomography": False,
    "brain_imaging": False,
    "distance_zones": False,
    "published_signature": False,
}


def static_facts(run: Run, config: Config, extraction: Path) -> dict[str, Fact]:
    """Facts as plain data: truth values, numbers, texts and lists of texts.

    Parameters
    ----------
    run
        The run.
    config
        The configuration, for the seed.
    extraction
        The folder of the PyRadiomics parameter files.
    """
    protocol, cohort = run.protocol, run.dataset.cohort
    models = list(protocol.models.values())
    kinds = {model.kind for model in models}
    clinical = [model for model in models if isinstance(model, ClinicalSpec | MultivariateSpec)]
    final = [model.final_label for model in models]
    stated = protocol.reporting
    return {
        **NEVER,
        "simulated": run.dataset.simulated,
        "question": protocol.question,
        "outcome": protocol.label.definition.rstrip("."),
        "positive": protocol.label.positive,
        "negative": protocol.label.negative,
        "cohort_title": cohort.title,
        "cohort_citation": cohort.citation,
        "cohort_licence": cohort.licence,
        "public_images": bool(cohort.licence) and not run.dataset.simulated and run.extracted,
        "exclusions": list(protocol.exclusions.values()),
        "inclusion": list(protocol.inclusion),
        "reference_words": "The readers' consensus"
        if run.dataset.readers.reference == "consensus"
        else f"Masks of reader {run.dataset.readers.reference}",
        "stated": not run.dataset.simulated,
        **{f"{name}_stated": getattr(stated, name) for name in ("design", "ethics", "enrolment", "sample_size")},
        **{f"{name}_stated": getattr(stated, name) for name in ("readers", "blinding", "software", "injection")},
        "pathology_stated": " ".join(f"{text.rstrip('.')}." for text in stated.pathology),
        "editions_stated": "; ".join(f"{name}: {edition}" for name, edition in stated.editions.items()),
        "excluded": int((run.participants["exclude_reason"] != "").sum()),
        "software_words": f"The software was {stated.software}." if stated.software else "",
        "acquisition": ". ".join(line.rstrip(".") for line in protocol.acquisition),
        "delineation": ". ".join(line.rstrip(".") for line in protocol.delineation),
        "columns": len(protocol.columns),
        "candidates": len({name for model in clinical for name in model.candidates}),
        "models": [protocol.model_label(name) for name in protocol.models],
        "primary_model": protocol.model_label(protocol.primary_model),
        "clinical": "clinical" in kinds,
        "radiomics": "radiomics" in kinds or any(model.feature_steps() for model in models),
        "combined": bool(kinds & {"combined", "multivariate"}),
        "estimators": list(dict.fromkeys(map(lower_first, final))),
        "classical": ESTIMATORS["logistic"].about.label in final,
        "figure_kinds": sorted({str(item.kind) for item in protocol.figures}),
        "missing_words": "; ".join(MISSING[how] for how in sorted({model.missing for model in clinical})),
        "baseline_by_partition": any(
            isinstance(item, BaselineTable) and item.by == "partition" for item in protocol.tables
        ),
        "level": f"{protocol.evaluation.level:.0%}",
        "ci_method": INTERVALS[protocol.evaluation.ci_method].short,
        "bootstrap": protocol.evaluation.bootstrap,
        "calibration_bootstrap": protocol.evaluation.calibration_bootstrap,
        "optimism_words": "correction for optimism by bootstrap refits"
        if protocol.evaluation.calibration_bootstrap or protocol.evaluation.pipeline_bootstrap
        else "no correction for optimism",
        "assumptions": len(protocol.assumptions),
        "contradictions": len(protocol.contradictions),
        "seed": config.seed,
        **_partitions(run),
        **_steps(run),
        **extraction_facts(run, extraction),
    }


def _steps(run: Run) -> dict[str, Fact]:
    models = run.protocol.models.values()
    kinds = list(dict.fromkeys(step.about for model in models for step in model.feature_steps()))
    scaling = [kind.short for kind in kinds if kind.role == "scaling"]
    return {
        "steps": [kind.name for kind in kinds],
        "step_words": ", ".join(kind.short for kind in kinds),
        "reduced": any(kind.reduces for kind in kinds),
        "scaling_words": " and ".join(scaling) or "no scaling of features",
        "harmonised": any(kind.role == "harmonisation" for kind in kinds),
    }


def _partitions(run: Run) -> dict[str, Fact]:
    """Who tests: patients of the training centres, of other centres, or later ones of the same centres.

    Patients held out by date are of the training centres, whatever name their period has: they count as no other centre.
    """
    protocol, settings = run.protocol, run.protocol.partitions
    included = run.participants[run.participants["exclude_reason"] == ""].set_index("patient_id")
    centre = included["centre"].reindex(run.partition.index)
    trained = set(centre[run.partition == TRAINING])
    later = settings.external_from if isinstance(settings, RandomPartition) else None
    elsewhere = set(settings.external_centres) if isinstance(settings, RandomPartition) else set(centre) - trained
    by_date = (run.partition == "external") & ~centre.isin(elsewhere) & (later is not None)
    tests = centre[(run.partition != TRAINING) & ~by_date]
    others = sorted(set(tests) - trained)
    words = []
    for name in run.partitions:
        if name == TRAINING:
            continue
        here = run.partition == name
        own = set(centre[here & ~by_date])
        apart = len(own - trained)
        who = [f"{apart} other centre{'s' if apart > 1 else ''}"] if apart else []
        who += ["the training centres"] if own & trained else []
        who += [f"the same hospital, examined from {later} on (temporal)"] if by_date[here].any() else []
        words.append(f"{protocol.partition_label(name)}: patients of {' and of '.join(who)}")
    split = DESCRIPTIONS[settings.kind]
    if isinstance(settings, RandomPartition):
        split += f", with later patients (from {later}) as a temporal test set" if by_date.any() else ""
        split += ", with other centres as an external test set" if elsewhere & set(tests) else ""
    places = centre[~by_date]
    tested = bool((run.partition != TRAINING).any())
    sizes = [
        f"{protocol.partition_label(name)} {int((run.partition == name).sum())} "
        f"({int(run.labels[run.partition == name].sum())} {protocol.label.positive})"
        for name in run.partitions
    ]
    alike = run.dataset.data.alike
    together = ", all rows of a person together" if run.shared_persons else ""
    return {
        "partition_words": split + together,
        "size_words": "; ".join(sizes),
        "parted_by_person": tested and not alike,
        "partition_missing": alike or "There is no test set.",
        "tested": tested,
        "tested_within": bool(set(tests) & trained) or bool(by_date.any()),
        "tested_elsewhere": bool(others),
        "other_centres": len(others),
        "temporal": bool(by_date.any()),
        "testing_words": "; ".join(words) + "." if words else "",
        "centres": places.nunique(),
        "centre_words": f"{places.nunique()} centre{'s' if places.nunique() > 1 else ''}",
        # one hospital whose periods are separated is not called by the name of a period
        "centre_names": [protocol.centre_label(name) for name in sorted(set(places))]
        if places.nunique() > 1 or not by_date.any()
        else ["one hospital"],
    }


def extraction_facts(run: Run, folder: Path) -> dict[str, Fact]:
    """How features are made; everything is empty where the user brought a feature table."""
    sequences = list(run.protocol.sequences.values()) if run.extracted else []
    files = [parameters_of(folder / f"{item.parameters}.yaml") for item in sequences]
    done = [item.preprocessing for item in sequences]
    used = [_sequences_of(run, name) for name in run.protocol.models]
    several = any(len(names) > 1 for names in used)
    brought = run.dataset.data.features
    total = sum(item.features * len(item.regions) for item in sequences)
    return {
        "extracted": run.extracted,
        "sequences": [item.label for item in sequences],
        "sequence_words": "; ".join(f"{item.label}: {item.description or item.label}" for item in sequences),
        "uniparametric": len(sequences) == 1 or (several and any(len(names) == 1 for names in used)),
        "regions": list(dict.fromkeys(region_label(region) for item in sequences for region in item.regions)),
        "readers": ", ".join(sorted(set(run.dataset.data.manifest["reader"]))) if run.extracted else "",
        "features_total": total if brought is None else brought.shape[1] - 2,  # patient and reader
        "image_types": list(dict.fromkeys(IMAGE_TYPES[kind].long for file in files for kind in file.image_types)),
        "feature_classes": list(dict.fromkeys(CLASSES[kind].long for file in files for kind in file.feature_classes)),
        **_processing(done, files),
        **(_texture([file.settings for file in files]) if files else dict.fromkeys(TEXTURE_WORDS, "")),
    }


def _sequences_of(run: Run, name: str) -> set[str]:
    """Sequences whose features enter a model, through its parts too."""
    model, known = run.protocol.models[name], set(run.protocol.sequences)
    parts = [_sequences_of(run, part) for part in getattr(model, "of", ())]
    own = set(model.block.sequences) or known if model.block else set()
    return own.union(*parts)


def _processing(done: list[Preprocessing], files: list[Parameters]) -> dict[str, Fact]:
    """What is done to images before extraction, as truth values and in words; no word where nothing is extracted."""
    each = [file.settings["resampledPixelSpacing"] for file in files]
    spacing = _each(" × ".join(f"{side:g}" if side else "unchanged" for side in sides) for sides in each if sides)
    corrected = any(item.n4 for item in done)
    normalised = any(file.settings["normalize"] for file in files) or any(item.normalise for item in done)
    steps = sorted({item.summary() for item in done if item.summary()})
    resampling = "Voxels were not resampled."
    if any(item.resample for item in done):
        resampling = "Resampled as the protocol's preprocessing says."
    if spacing:
        how = {INTERPOLATORS[file.settings["interpolator"]] for file in files}
        resampling = (
            f"Resampled to {spacing} mm, {' and '.join(sorted(how))} interpolation of the image "
            "and nearest-neighbour of the mask, on PyRadiomics' grid (aligned by the corner, cut to the region)."
        )
    words = {
        "preprocessing_words": f"Images were preprocessed: {'; '.join(steps)}."
        if steps
        else "Images were not preprocessed before extraction.",
        "normalisation_words": f"Intensities are {'' if normalised else 'not '}normalised.",
        "bias_words": "N4 bias field correction." if corrected else "No correction of non-uniformity.",
        "resampling_words": resampling,
    }
    return {
        "normalised": normalised,
        "resampled": bool(spacing) or any(item.resample for item in done),
        "bias_corrected": corrected,
        **(words if done else dict.fromkeys(words, "")),
    }


def _each(values: Iterable[Any]) -> str:
    """Different values in words; empty ones are left out."""
    return " and ".join(sorted({str(value) for value in values if value is not None}))


_TEXTURE = "discretisation resegmentation first_bin aggregation weighting symmetry distance alpha"
TEXTURE_WORDS = [f"{name}_words" for name in _TEXTURE.split()]


def _texture(settings: list[Mapping[str, Any]]) -> dict[str, str]:
    """Texture settings in words."""

    def each(key: str) -> str:
        return _each(item.get(key) for item in settings)

    planes = sorted({bool(item["force2D"]) for item in settings})
    where = " and ".join("in 4 directions in the slice" if flat else "in 13 directions in 3-D" for flat in planes)
    symmetric = sorted({bool(item["symmetricalGLCM"]) for item in settings}, reverse=True)
    symmetry = " and ".join("symmetric" if value else "asymmetric" for value in symmetric)
    counts, ranges, weighted = each("binCount"), each("resegmentRange"), each("weightingNorm")
    words = (
        f"Fixed number of bins {counts}." if counts else f"Fixed bin width {each('binWidth')}.",
        f"Re-segmented to {ranges}." if ranges else "No re-segmentation.",
        "Bin edges are multiples of the bin width; the first bin starts at or below the lowest intensity.",
        f"Co-occurrence and run-length features are computed {where} and averaged.",
        f"Distances weighted by {weighted}." if weighted else "No weighting of distances.",
        f"Co-occurrence matrices are {symmetry}.",
        f"Chebyshev distance {_each(', '.join(map(str, item['distances'])) for item in settings)}.",
        f"Coarseness {each('gldm_a')}.",
    )
    return dict(zip(TEXTURE_WORDS, words, strict=True))
