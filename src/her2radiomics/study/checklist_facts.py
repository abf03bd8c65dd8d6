"""What a run knows about itself before it starts: from its protocol, cohort, partitions and parameter files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from her2radiomics.cohort.partitions import DESCRIPTIONS
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.report.extraction_words import CLASSES, IMAGE_TYPES, INTERPOLATORS
from her2radiomics.report.words import lower_first
from her2radiomics.study.config import Config
from her2radiomics.study.descriptions import INTERVALS, parameters_of, region_label
from her2radiomics.study.plan import Run

#: What this workflow never does; checklists that ask for it know so.
NEVER = {
    "deep_learning": False,
    "nuclear_imaging": False,
    "computed_tomography": False,
    "brain_imaging": False,
    "distance_zones": False,
    "published_signature": False,
}


def static_facts(run: Run, config: Config, extraction: Path) -> dict[str, Any]:
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
    kinds = {model.kind for model in protocol.models.values()}
    final = [model.final_label for model in protocol.models.values()]
    stated = protocol.reporting
    columns = protocol.columns
    figures = [item.kind for item in protocol.figures]
    candidates = {name for model in protocol.models.values() for name in getattr(model, "candidates", ())}
    missing = sorted({str(model.missing) for model in protocol.models.values() if hasattr(model, "missing")})
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
        "reference_reader": run.dataset.readers.reference,
        "stated": not run.dataset.simulated,
        **{
            f"{name}_stated": getattr(stated, name)
            for name in ("design", "ethics", "enrolment", "sample_size")
        },
        **{
            f"{name}_stated": getattr(stated, name)
            for name in ("readers", "blinding", "software", "injection")
        },
        "pathology_stated": " ".join(stated.pathology),
        "editions_stated": "; ".join(f"{name}: {edition}" for name, edition in stated.editions.items()),
        "excluded": int((run.participants["exclude_reason"] != "").sum()),
        "acquisition": "; ".join(protocol.acquisition),
        "delineation": "; ".join(protocol.delineation),
        "columns": len(columns),
        "candidates": len(candidates),
        "models": [protocol.model_label(name) for name in protocol.models],
        "primary_model": protocol.model_label(protocol.primary_model),
        "clinical": "clinical" in kinds,
        "radiomics": "radiomics" in kinds or any(m.feature_steps() for m in protocol.models.values()),
        "combined": bool(kinds & {"combined", "multivariate"}),
        "estimators": list(dict.fromkeys(lower_first(label) for label in final)),
        "classical": ESTIMATORS["logistic"].about.label in final,
        "figure_kinds": sorted(set(map(str, figures))),
        "missing_words": "; ".join({"impute": _IMPUTE, "complete_case": _COMPLETE}[name] for name in missing),
        "baseline_by_partition": any(
            item.kind == "baseline" and getattr(item, "by", "partition") == "partition"
            for item in protocol.tables
        ),
        "level": f"{protocol.evaluation.level:.0%}",
        "ci_method": INTERVALS[protocol.evaluation.ci_method],
        "bootstrap": protocol.evaluation.bootstrap,
        "calibration_bootstrap": protocol.evaluation.calibration_bootstrap,
        "assumptions": len(protocol.assumptions),
        "contradictions": len(protocol.contradictions),
        "seed": config.seed,
        **_partitions(run),
        **_steps(run),
        **extraction_facts(run, extraction),
    }


_IMPUTE = "missing clinical values become the training median or most frequent level, and are reported"
_COMPLETE = "patients with a missing clinical value are left out of the model"


def _steps(run: Run) -> dict[str, Any]:
    models = run.protocol.models.values()
    kinds = list(dict.fromkeys(step.about for model in models for step in model.feature_steps()))
    scaling = [kind.short for kind in kinds if kind.role == "scaling"]
    return {
        "steps": [kind.name for kind in kinds],
        "step_words": ", ".join(kind.short for kind in kinds),
        "reduced": any(kind.reduces for kind in kinds),
        "scaling_words": " and ".join(scaling) or "Features are not scaled",
        "harmonised": any(kind.role == "harmonisation" for kind in kinds),
    }


def _partitions(run: Run) -> dict[str, Any]:
    """Who tests: patients of the training centres, of other centres, or later ones."""
    included = run.participants[run.participants["exclude_reason"] == ""].set_index("patient_id")
    centre = included["centre"].reindex(run.partition.index)
    trained = set(centre[run.partition == "training"])
    tests = centre[run.partition.isin(["testing", "external"])]
    elsewhere = sorted(set(tests) - trained)
    settings = run.protocol.partitions
    later = getattr(settings, "external_from", None)
    labels, names = run.protocol.partition_labels, run.protocol.centres
    words = []
    for name in run.partitions:
        if name == "training":
            continue
        own = set(centre[run.partition == name])
        where = "other centres than" if not own & trained else "the centres of"
        words.append(f"{labels.get(name, name.capitalize())}: patients of {where} training")
    if later:
        words.append(f"the external patients were examined from {later} on")
    sizes = [
        f"{labels.get(name, name)} {int((run.partition == name).sum())} "
        f"({int(run.labels[run.partition == name].sum())} {run.protocol.label.positive})"
        for name in run.partitions
    ]
    every = sorted(set(centre))
    return {
        "partition_words": DESCRIPTIONS[settings.kind],
        "size_words": "; ".join(sizes),
        "tested": not tests.empty,
        "tested_within": bool(set(tests) & trained),
        "tested_elsewhere": bool(elsewhere),
        "other_centres": len(elsewhere),
        "temporal": later is not None,
        "testing_words": "; ".join(words) + "." if words else "",
        "centres": len(every),
        "centre_names": [names.get(name, name) for name in every],
    }


def extraction_facts(run: Run, folder: Path) -> dict[str, Any]:
    """How features are made; everything is empty where the user brought a feature table."""
    sequences = run.protocol.sequences if run.extracted else {}
    files = {name: parameters_of(folder / f"{item.parameters}.yaml") for name, item in sequences.items()}
    settings = [item.settings for item in files.values()]
    done = [item.preprocessing for item in sequences.values()]
    single = Counter(
        len(getattr(model, "sequences", ()))
        for model in run.protocol.models.values()
        if model.kind == "radiomics"
    )
    spacing = sorted({str(s["resampledPixelSpacing"]) for s in settings if s.get("resampledPixelSpacing")})
    resampled = bool(spacing) or any(item.resample for item in done)
    normalised = any(s.get("normalize") for s in settings) or any(item.normalise for item in done)
    interpolators = {
        INTERPOLATORS.get(str(s.get("interpolator")), str(s.get("interpolator"))) for s in settings
    }
    brought = run.dataset.data.features
    total = sum(item.features * len(item.regions) for item in sequences.values())
    return {
        "extracted": run.extracted,
        "sequences": [item.label for item in sequences.values()],
        "sequence_words": "; ".join(f"{i.label}: {i.description or i.label}" for i in sequences.values()),
        "uniparametric": len(sequences) == 1 or (single[1] > 0 and len(single) > 1),
        "regions": list(dict.fromkeys(region_label(r) for item in sequences.values() for r in item.regions)),
        "readers": ", ".join(sorted(set(run.dataset.data.manifest["reader"]))) if run.extracted else "",
        "features_total": total if run.extracted else (0 if brought is None else brought.shape[1] - 2),
        "image_types": list(
            dict.fromkeys(IMAGE_TYPES.get(k, k) for p in files.values() for k in p.image_types)
        ),
        "feature_classes": list(
            dict.fromkeys(CLASSES.get(k, k) for p in files.values() for k in p.feature_classes)
        ),
        "normalised": bool(normalised),
        "resampled": resampled,
        "bias_corrected": any(item.n4 for item in done),
        **(
            _processing(done, spacing, resampled, bool(normalised), interpolators)
            if run.extracted
            else NO_WORDS
        ),
        **_texture(settings),
    }


NO_WORDS = dict.fromkeys(("preprocessing_words", "normalisation_words", "bias_words", "resampling_words"), "")


def _processing(
    done: list[Any], spacing: list[str], resampled: bool, normalised: bool, interpolators: set[str]
) -> dict[str, str]:
    """What is done to images before extraction, in words."""
    steps = sorted({item.summary() for item in done if item.summary()})
    corrected = any(item.n4 for item in done)
    return {
        "preprocessing_words": f"Done to images: {'; '.join(steps)}."
        if steps
        else "Images are used as they are.",
        "normalisation_words": "Intensities are normalised."
        if normalised
        else "Intensities are not normalised.",
        "bias_words": "N4 bias field correction." if corrected else "No correction of non-uniformity.",
        "resampling_words": _resampling(spacing, resampled, interpolators),
    }


def _resampling(spacing: list[str], resampled: bool, interpolators: set[str]) -> str:
    if spacing:
        return (
            f"Resampled to {' and '.join(spacing)} mm, {' and '.join(sorted(interpolators))} interpolation of the image "
            "and nearest-neighbour of the mask, on PyRadiomics' grid (aligned by the corner, cut to the region)."
        )
    return "Resampled as the protocol's preprocessing says." if resampled else "Voxels are not resampled."


def _texture(settings: list[Any]) -> dict[str, str]:
    """Texture settings in words; PyRadiomics' defaults where a parameter file says nothing."""
    if not settings:
        names = (
            "discretisation",
            "resegmentation",
            "first_bin",
            "aggregation",
            "weighting",
            "symmetry",
            "distance",
        )
        return {f"{name}_words": "" for name in (*names, "alpha")}

    def distinct(key: str, default: Any) -> str:
        return " and ".join(sorted({str(item.get(key, default)) for item in settings}))

    counts = sorted({str(item["binCount"]) for item in settings if item.get("binCount")})
    width = f"Fixed bin width {distinct('binWidth', 25)}."
    ranges = sorted({str(item["resegmentRange"]) for item in settings if item.get("resegmentRange")})
    planes = {bool(item.get("force2D", False)) for item in settings}
    where = " and ".join(
        {False: "in 13 directions in 3-D", True: "in 4 directions in the slice"}[p] for p in sorted(planes)
    )
    symmetric = sorted({bool(item.get("symmetricalGLCM", True)) for item in settings}, reverse=True)
    symmetry = " and ".join("symmetric" if value else "asymmetric" for value in symmetric)
    distances = " and ".join(sorted({", ".join(map(str, item.get("distances", [1]))) for item in settings}))
    weighted = sorted({str(item["weightingNorm"]) for item in settings if item.get("weightingNorm")})
    return {
        "discretisation_words": f"Fixed number of bins {' and '.join(counts)}." if counts else width,
        "resegmentation_words": f"Re-segmented to {' and '.join(ranges)}."
        if ranges
        else "No re-segmentation.",
        "first_bin_words": "Bin edges are multiples of the bin width; the first bin starts at or below the lowest "
        "intensity.",
        "aggregation_words": f"Co-occurrence and run-length features are computed {where} and averaged.",
        "weighting_words": f"Distances weighted by {' and '.join(weighted)}."
        if weighted
        else "No weighting of distances.",
        "symmetry_words": f"Co-occurrence matrices are {symmetry}.",
        "distance_words": f"Chebyshev distance {distances}.",
        "alpha_words": f"Coarseness {distinct('gldm_a', 0)}.",
    }
