"""The methods section, written out from a protocol: what was done, with what settings, and what it left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.formatting import level, listing
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.report import analysis_words, extraction_words, selection_words
from her2radiomics.report.context import Methods, PartitionSummary
from her2radiomics.report.info import RunInfo
from her2radiomics.report.references import references
from her2radiomics.report.words import interval_method, lower_first, model_phrase, upper_first

STAGES = {
    "before_treatment": "before treatment",
    "during_treatment": "during treatment",
    "after_surgery": "after surgery",
    "follow_up": "during follow-up",
}


def methods(
    info: RunInfo,
    *,
    flow: pd.DataFrame,
    partitions: Sequence[PartitionSummary],
    parameters: Mapping[str, Mapping[str, Any]],
    selection: Mapping[str, pd.DataFrame],
    reproducibility: Mapping[str, pd.DataFrame],
    versions: Sequence[tuple[str, str]],
) -> tuple[Methods, ...]:
    """Write the methods section.

    Parameters
    ----------
    info
        The run.
    flow
        ``flow.csv``.
    partitions
        The partitions' sizes.
    parameters
        Content of each PyRadiomics parameter file, by its name without ending.
    selection, reproducibility
        ``selection.csv`` and ``reproducibility.csv`` by model, as far as there are rows.
    versions
        Software and versions.
    """
    parts = [
        Methods("Patients", _patients(info, flow, partitions)),
        Methods("Imaging", _imaging(info)),
        Methods("Regions of interest", extraction_words.regions(info)),
        Methods("Feature extraction", extraction_words.extraction(info, parameters)),
        Methods("Reproducibility", selection_words.reproducibility(info, reproducibility)),
        Methods("Feature selection", _by_chain(info, selection)),
        Methods("Models", _models(info)),
        Methods("Evaluation", _evaluation(info)),
        Methods("Statistics", analysis_words.statistics(info)),
        Methods("Software", (_software(versions, info),)),
        Methods("References for the methods", references(info), numbered=True),
    ]
    return tuple(part for part in parts if part.paragraphs)


def _patients(info: RunInfo, flow: pd.DataFrame, partitions: Sequence[PartitionSummary]) -> tuple[str, ...]:
    label = info.protocol["label"]
    registered = int(flow.loc[flow["step"] == "registered", "remaining"].iloc[0])
    included = int(flow.loc[flow["step"] == "partition", "remaining"].sum())
    what = "simulated patients" if info.simulated else "patients"
    text = f"Of {registered} {what}, {included} were included."
    for step, title in (
        ("excluded", "excluded"),
        ("failed", "left out because features could not be extracted"),
    ):
        rows = flow[flow["step"] == step]
        if len(rows):
            reasons = [f"{lower_first(row['reason'])} ({int(row['excluded'])})" for _, row in rows.iterrows()]
            count = int(rows["excluded"].sum())
            text += f" {count} {'was' if count == 1 else 'were'} {title}: {'; '.join(reasons)}."
    sizes = "; ".join(
        f"{lower_first(part.label) if place else part.label}: {part.n} patients ({part.events} {label['positive']})"
        for place, part in enumerate(partitions)
    )
    definition = label["definition"].strip().rstrip(".")
    return (
        text,
        f"The outcome was {label['positive']} against {label['negative']}: {definition}. "
        f"Predictions are meant to be made {STAGES[info.get('prediction_at', 'before_treatment')]}.",
        f"{_split(info)} {sizes}.",
    )


def _split(info: RunInfo) -> str:
    settings = info.protocol["partitions"]
    kind = settings["kind"]
    if kind == "given":
        return "The partitions were fixed by the participants table."
    if kind == "centre":
        names = info.get("centres", {})
        roles: list[str] = []
        for part, title in (("training", "training"), ("testing", "test"), ("external", "external test")):
            centres = [names.get(c, "all other centres" if c == "*" else c) for c in settings.get(part) or []]
            if centres:
                whose = "those of" if roles else "patients of"
                roles.append(f"{whose} {listing(centres)} formed the {title} partition")
        return f"Whole centres were held out (geographic validation): {listing(roles)}."
    share = settings["training"]
    size = f"{share:.0%}" if share < 1 else f"{share:.0f}"
    how = "stratified by outcome" if settings.get("stratified", True) else "without stratification"
    text = f"A random {size} of the patients formed the training partition, {how}, and the rest the test partition."
    if settings.get("external_from"):
        text += f" Patients examined from {settings['external_from']} on formed the external (temporal) test partition."
    if settings.get("external_centres"):
        centres = [info.get("centres", {}).get(name, name) for name in settings["external_centres"]]
        text += f" The external (geographic) test partition held the patients of: {'; '.join(centres)}."
    return text


def _imaging(info: RunInfo) -> tuple[str, ...]:
    acquired = [line.rstrip(".") for line in info.get("acquisition", [])]
    lines = [f"Acquisition: {'; '.join(acquired)}."] if acquired else []
    sequences = [
        f"{item['description']} ({item['label']})" if item.get("description") else item["label"]
        for item in info.get("sequences", {}).values()
    ]
    if sequences and info.extracted:
        lines.append(f"Analysed were {listing(sequences)}.")
    return (" ".join(lines),) if lines else ()


def _by_chain(info: RunInfo, selection: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """One paragraph for all models on image features that share their steps."""
    chains: dict[tuple[SelectionStep, ...], list[str]] = {}
    for name, model in info.models.items():
        if model["kind"] == "radiomics" or model.get("features") is not None:
            chains.setdefault(info.steps(name), []).append(name)
    paragraphs = []
    for steps, names in chains.items():
        who = (
            "" if len(chains) == 1 else f"For {listing([model_phrase(info.model_label(n)) for n in names])}, "
        )
        counts = selection.get(names[0]) if len(names) == 1 else None
        said = selection_words.chain(steps, counts)
        paragraphs.append(who + (lower_first(said) if who else said))
    if paragraphs:
        paragraphs.append(
            "Everything that learns from data was fitted on the training partition only, and again inside each "
            "fold or resample where a whole model was resampled."
        )
    return tuple(paragraphs)


def _models(info: RunInfo) -> tuple[str, ...]:
    lines, told = [], set()
    for alike in _alike(info):
        lines.append(_together(info, alike))
        told |= set(alike)
    lines = [model_sentence(info, name) for name in info.models if name not in told] + lines
    if any(_method(model) == "auto" for model in info.models.values()):
        lines.append("Where the data were separated, Firth's penalised likelihood was used.")
    return (" ".join(lines),)


def _alike(info: RunInfo) -> list[list[str]]:
    """Models told together: three or more of a kind that differ in nothing but what they are made from."""
    groups: dict[str, list[str]] = {}
    for name, model in info.models.items():
        if model["kind"] in ("radiomics", "combined"):
            rest = {key: value for key, value in model.items() if key not in ("sequences", "steps", "of")}
            groups.setdefault(json.dumps(rest, sort_keys=True), []).append(name)
    return [names for names in groups.values() if len(names) > 2]


def _together(info: RunInfo, names: Sequence[str]) -> str:
    """One sentence for models of a kind, each with what it is made from."""
    first = info.models[names[0]]
    parts = []
    for name in names:
        model = info.models[name]
        if first["kind"] == "radiomics":
            sources = [info.sequence_label(s) for s in model.get("sequences") or info.get("sequences", {})]
        else:
            sources = [info.model_label(part) for part in model["of"]]
        made = listing(sources)
        label = info.model_label(name)
        parts.append(label if made in ("", label) or not info.extracted else f"{label} ({made})")
    if first["kind"] == "radiomics":
        text = (
            f"Each of {len(names)} radiomics models was {_estimator(first)} on features selected from those of its own "
            f"sequences, with {_score(first)} as its Rad-score: {listing(parts)}."
        )
    else:
        text = (
            f"Each of {len(names)} combined models was a logistic regression on the scores and kept predictors of other "
            f"models: {listing(parts)}."
        )
    return text + _marks(info, first, several=True)


def _marks(info: RunInfo, model: Mapping[str, Any], *, several: bool = False) -> str:
    """Firth's likelihood where it was asked for, and columns that are known too late."""
    was, used = ("They were", "They used") if several else ("It was", "It used")
    text = f" {was} fitted by Firth's penalised likelihood." if _method(model) == "firth" else ""
    if model.get("allow_unavailable"):
        stage = STAGES[info.get("prediction_at", "before_treatment")]
        text += f" {used} characteristics that are not known {stage}."
    return text


def _method(model: Mapping[str, Any]) -> str:
    return model.get("estimator", model).get("method", "auto")


def model_sentence(info: RunInfo, name: str) -> str:
    """Return what a model is, in a sentence."""
    model = info.models[name]
    who = upper_first(model_phrase(info.model_label(name)))
    if model["kind"] == "radiomics":
        sequences = [info.sequence_label(s) for s in model.get("sequences") or info.get("sequences", {})]
        source = f"those of {listing(sequences)}" if sequences and info.extracted else "the image features"
        text = f"{who} was {_estimator(model)} on features selected from {source}, with {_score(model)} as the Rad-score."
    elif model["kind"] == "clinical":
        names = [lower_first(info.column_label(column)) for column in model["candidates"]]
        kept = {
            "enter": "those that passed entered one multivariate logistic regression",
            "backward": "those that passed entered a multivariate logistic regression with backward elimination",
            "significant": "those that passed entered one multivariate logistic regression, whose predictors with "
            f"p < {model.get('p_keep', 0.05):g} were kept and refitted",
        }.get(model.get("keep", "backward"), "those that passed were fitted together")
        text = (
            f"{who} was a logistic regression on clinical and imaging characteristics. Candidates were "
            f"{listing(names)}; each was tested by univariate logistic regression (p < {model.get('p_enter', 0.05):g}), "
            f"and {kept}."
        )
        if model.get("keep") == "all":
            text = (
                f"{who} was a logistic regression on {listing(names)}: its terms were fixed beforehand, and none was "
                "screened."
            )
        text += _missing(model)
    elif model["kind"] == "multivariate":
        text = f"{who} was a logistic regression on {_blocks(info, model)}, {_selected(model)}."
        text += _missing(model)
    else:
        parts = [model_phrase(info.model_label(part)) for part in model["of"]]
        text = f"{who} was a logistic regression that combined {listing(parts)}: their scores and kept predictors."
    return text + _marks(info, model)


def _folds(model: Mapping[str, Any]) -> int:
    return int(model.get("estimator", model).get("folds", 0))


def _estimator(model: Mapping[str, Any]) -> str:
    settings = model.get("estimator") or {"kind": "logistic"}
    return {
        "logistic": "a logistic regression",
        "ridge": "a logistic regression with a ridge penalty chosen by cross-validation inside the training partition",
        "elastic_net_logistic": "a logistic regression with an elastic-net penalty chosen by cross-validation inside the "
        "training partition",
        "linear_svm": "a linear support vector machine, with probabilities by Platt scaling of held-out decision values,",
        "random_forest": f"a random forest of {settings.get('trees', 500)} trees",
    }[settings["kind"]]


def _score(model: Mapping[str, Any]) -> str:
    kind = (model.get("estimator") or {"kind": "logistic"})["kind"]
    return (
        "the log-odds of its smoothed share of votes" if kind == "random_forest" else "its linear predictor"
    )


def _blocks(info: RunInfo, model: Mapping[str, Any]) -> str:
    """What a multivariate model selects among."""
    parts = []
    if model.get("features") is not None:
        names = model["features"].get("sequences") or info.get("sequences", {})
        sequences = [info.sequence_label(name) for name in names]
        parts.append(
            f"the features of {listing(sequences)} after their own steps"
            if sequences and info.extracted
            else "the image features after their own steps"
        )
    if model.get("of"):
        parts.append(f"the Rad-scores of {listing([model_phrase(info.model_label(n)) for n in model['of']])}")
    if model.get("candidates"):
        parts.append(listing([lower_first(info.column_label(column)) for column in model["candidates"]]))
    return ", and ".join(parts)


def _selected(model: Mapping[str, Any]) -> str:
    how = model.get("selection") or {"by": "lasso"}
    if how["by"] == "backward":
        return (
            f"screened together by univariate regressions (p < {how.get('p_enter', 0.05):g}) and backward elimination "
            f"(p < {how.get('p_keep', 0.05):g})"
        )
    family = "logistic" if how.get("family", "binomial") == "binomial" else "least-squares"
    rule = "the smallest error" if how.get("rule", "min") == "min" else "one standard error of the smallest"
    return (
        f"selected together by a {family} LASSO with the penalty at {rule} in {how.get('folds', 10)}-fold "
        "cross-validation, and refitted without penalty"
    )


def _missing(model: Mapping[str, Any]) -> str:
    if model.get("missing") == "complete_case":
        return " Patients with a missing candidate were left out."
    if model.get("missing"):
        return " Missing values were filled with the training median or most frequent level."
    return ""


def _evaluation(info: RunInfo) -> tuple[str, ...]:
    settings = info.protocol["evaluation"]
    method = settings.get("ci_method", "delong")
    how = {
        "delong": "by DeLong's method",
        "bootstrap": f"as percentiles of {settings.get('bootstrap', 1000)} bootstrap resamples",
        "binomial_exact": "by the exact binomial method (Clopper–Pearson, x = AUC · n)",
    }.get(method, f"({interval_method(method)})")
    curves = []
    if settings.get("calibration_bootstrap"):
        curves.append(
            f"corrected for optimism by {settings['calibration_bootstrap']} bootstrap refits of the final regression"
        )
    if settings.get("pipeline_bootstrap"):
        curves.append(f"by {settings['pipeline_bootstrap']} refits of the whole pipeline, selection included")
    corrected = f" and {', and '.join(curves)}" if curves else ""
    honest = (
        " The same refits corrected AUC, Brier score, calibration intercept and slope (performance_extra.csv)."
        if curves
        else ""
    )
    folds = sorted({_folds(model) for model in info.models.values()} - {0})
    if folds:
        honest += (
            f" Results of {listing([f'{number}-fold' for number in folds])} cross-validation, stratified by outcome, are "
            "given for the final estimator on the selected predictors and for the whole pipeline."
        )
    pairs = [
        listing([model_phrase(info.model_label(n)) for n in pair]) for pair in settings.get("comparisons", [])
    ]
    if pairs:
        honest += (
            f" Net reclassification, integrated discrimination and the difference of net benefit compared "
            f"{'; '.join(pairs)}."
        )
    band = " with a bootstrap band" if settings.get("calibration_bootstrap") else ""
    return (
        "Discrimination was measured by the area under the receiver operating characteristic curve (AUC) with its "
        f"{level(settings.get('level', 0.95))} confidence interval, {how}. Models were compared by DeLong's test, "
        "with Holm's correction. Sensitivity, specificity, predictive values and accuracy were computed at the threshold "
        "that maximised Youden's index on the training partition, which was kept for all others.",
        f"Calibration of the training partition is shown as the apparent curve{corrected}; other partitions show the "
        f"observed curve{band}, and nothing was refitted on them. Goodness of fit was tested by Hosmer and Lemeshow's test "
        f"({settings.get('hosmer_lemeshow_groups', 10)} groups of risk). Clinical usefulness was judged by decision curves. "
        f"Values on the training partition are apparent.{honest}",
    )


def _software(versions: Sequence[tuple[str, str]], info: RunInfo) -> str:
    items = listing([f"{name} {version}" for name, version in versions])
    return f"Analyses were performed with {items}. All random steps used the seed {info.seed}."
