"""The methods section, written out from a protocol: what was done, with what settings, and what it left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.formatting import level, listing
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.report import analysis_words, extraction_words, selection_words, stated_words
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
        Methods("Patients", (*stated_words.patients(info), *_patients(info, flow, partitions))),
        Methods("Pathology", stated_words.pathology(info)),
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
    lines += stated_words.injection(info)
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
    for name, model in info.specs.items():
        if model.kind == "radiomics" or getattr(model, "features", None) is not None:
            chains.setdefault(model.feature_steps(), []).append(name)
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


class _Names:
    """Printed names of a run, as sentences on its models need them."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info

    def label(self, model: str) -> str:
        return self.info.model_label(model)

    def model(self, name: str) -> str:
        return model_phrase(self.info.model_label(name))

    def column(self, name: str) -> str:
        return lower_first(self.info.column_label(name))

    def sequences(self, names: Sequence[str]) -> list[str]:
        known = self.info.get("sequences", {}) if self.info.extracted else {}
        return [self.info.sequence_label(name) for name in (names or known)] if known else []


def _models(info: RunInfo) -> tuple[str, ...]:
    lines, told = [], set()
    for alike in _alike(info.specs):
        lines.append(_together(info, alike))
        told |= set(alike)
    lines = [model_sentence(info, name) for name in info.specs if name not in told] + lines
    if any(model.likelihood == "auto" for model in info.specs.values()):
        lines.append("Where the data were separated, Firth's penalised likelihood was used.")
    return (" ".join(lines),)


def _alike(models: Mapping[str, ModelSettings]) -> list[list[str]]:
    """Models told together: three or more of a kind that differ in nothing but what they are made from."""
    groups: dict[str, list[str]] = {}
    for name, model in models.items():
        if model.several("", 0):
            rest = model.model_dump_json(exclude={"sequences", "steps", "of"})
            groups.setdefault(rest, []).append(name)
    return [names for names in groups.values() if len(names) > 2]


def _together(info: RunInfo, names: Sequence[str]) -> str:
    """One sentence for models of a kind, each with what it is made from."""
    first, printed = info.specs[names[0]], _Names(info)
    parts = []
    for name in names:
        made, label = listing(info.specs[name].made_from(printed)), info.model_label(name)
        parts.append(label if made in ("", label) else f"{label} ({made})")
    return first.several(listing(parts), len(names)) + _marks(info, first, several=True)


def _marks(info: RunInfo, model: ModelSettings, *, several: bool = False) -> str:
    """Firth's likelihood where it was asked for, and columns that are known too late."""
    was, used = ("They were", "They used") if several else ("It was", "It used")
    text = f" {was} fitted by Firth's penalised likelihood." if model.likelihood == "firth" else ""
    if model.allow_unavailable:
        stage = STAGES[info.get("prediction_at", "before_treatment")]
        text += f" {used} characteristics that are not known {stage}."
    return text


def model_sentence(info: RunInfo, name: str) -> str:
    """Return what a model is, in a sentence."""
    model, printed = info.specs[name], _Names(info)
    return model.sentence(upper_first(printed.model(name)), printed) + _marks(info, model)


def _evaluation(info: RunInfo) -> tuple[str, ...]:
    settings = info.protocol["evaluation"]
    method = settings.get("ci_method", "delong")
    how = {
        "delong": "by DeLong's method",
        "bootstrap": f"as percentiles of {settings.get('bootstrap', 1000)} bootstrap resamples",
        "delong_logit": "by DeLong's method on the logit scale",
        "binomial_exact": "by the exact binomial method (Clopper–Pearson, x = AUC · n), with DeLong's beside it",
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
    folds = sorted({model.reported_folds for model in info.specs.values()} - {0})
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
