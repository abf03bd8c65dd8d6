"""The methods section, written out from a protocol: what was done, with what settings, and what it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from her2radiomics.cohort.partitions import REST, CentrePartition, GivenPartition
from her2radiomics.core import software
from her2radiomics.core.columns import STAGES, known_at
from her2radiomics.core.libraries import pd
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.extraction import Parameters
from her2radiomics.manuscript.formatting import level, listing
from her2radiomics.manuscript.tables.delong import DelongTable
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.report import analysis_words, extraction_words, selection_words, stated_words
from her2radiomics.report.context import Methods, PartitionSummary
from her2radiomics.report.info import RunInfo
from her2radiomics.report.references import references
from her2radiomics.report.words import lower_first, model_phrase, upper_first

if TYPE_CHECKING:
    from her2radiomics.study.protocol import Protocol


def methods(
    info: RunInfo,
    *,
    flow: pd.DataFrame,
    partitions: Sequence[PartitionSummary],
    parameters: Mapping[str, Parameters],
    selection: Mapping[str, pd.DataFrame],
    reproducibility: Mapping[str, pd.DataFrame],
    measured: pd.DataFrame,
    used: Mapping[str, str],
    refits: Mapping[str, str],
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
        Each PyRadiomics parameter file, by its name without ending.
    selection, reproducibility
        ``selection.csv`` and ``reproducibility.csv`` by model, as far as there are rows.
    measured
        ``measured.csv``.
    used
        Distributions that the run's jobs used, and their versions.
    refits
        Bootstrap refits that could be used, in words, of ``final`` regressions and of the whole ``pipeline``.
    """
    parts = [
        Methods("Patients", (*stated_words.patients(info), *_patients(info, flow, partitions))),
        Methods("Pathology", stated_words.pathology(info)),
        Methods("Imaging", _imaging(info)),
        Methods("Regions of interest", extraction_words.regions(info)),
        Methods("Measurements", extraction_words.measured(info, measured)),
        Methods("Feature extraction", extraction_words.extraction(info, parameters)),
        Methods("Reproducibility", selection_words.reproducibility(info, reproducibility)),
        Methods("Feature selection", _by_chain(info, selection)),
        Methods("Models", _models(info)),
        Methods("Evaluation", _evaluation(info.protocol, refits)),
        Methods("Statistics", analysis_words.statistics(info)),
        Methods("Software", (_software(used, info),)),
        Methods("References for the methods", references(info, used), numbered=True),
    ]
    return tuple(part for part in parts if part.paragraphs)


def _patients(info: RunInfo, flow: pd.DataFrame, partitions: Sequence[PartitionSummary]) -> tuple[str, ...]:
    label = info.protocol.label
    registered = int(flow.loc[flow["step"] == "registered", "remaining"].iloc[0])
    included = int(flow.loc[flow["step"] == "partition", "remaining"].sum())
    what = "simulated patients" if info.simulated else "patients"
    text = f"Of {registered} {what}, {included} were included."
    for step, title in (("excluded", "excluded"), ("failed", "left out because features could not be extracted")):
        rows = flow[flow["step"] == step]
        if len(rows):
            reasons = [f"{lower_first(row['reason'])} ({int(row['excluded'])})" for _, row in rows.iterrows()]
            count = int(rows["excluded"].sum())
            text += f" {count} {'was' if count == 1 else 'were'} {title}: {'; '.join(reasons)}."
    sizes = "; ".join(
        f"{lower_first(part.label) if place else part.label}: {part.n} patients ({part.events} {label.positive})"
        for place, part in enumerate(partitions)
    )
    return (
        text,
        f"The outcome was {label.positive} vs {label.negative}: {label.definition.strip().rstrip('.')}. "
        f"The intended time of prediction was {STAGES[info.protocol.prediction_at]}.",
        f"{_split(info.protocol)} {sizes}.",
    )


def _split(protocol: Protocol) -> str:
    settings = protocol.partitions
    if isinstance(settings, GivenPartition):
        return "Training and test sets were given by the participants table."
    if isinstance(settings, CentrePartition):
        roles: list[str] = []
        for held, title in (
            (settings.training, "training"),
            (settings.testing, "test"),
            (settings.external, "external test"),
        ):
            centres = ["all other centres" if name == REST else protocol.centre_label(name) for name in held]
            if centres:
                roles.append(f"the {title} set comprised patients of {listing(centres)}")
        return f"Sets were formed by centre (geographic validation): {listing(roles)}."
    share = settings.training
    size = f"{share:.0%}" if share < 1 else f"{share:.0f}"
    how = ", stratified by outcome," if settings.stratified else ""
    unit = "" if share < 1 else " patients"
    text = f"Patients were randomly assigned{how} to the training set ({size}{unit}) or the test set."
    if settings.external_from:
        text += f" Patients examined from {settings.external_from} on formed a temporal test set."
    if settings.external_centres:
        centres = [protocol.centre_label(name) for name in settings.external_centres]
        text += f" The external test set comprised patients of {listing(centres)}."
    return text


def _imaging(info: RunInfo) -> tuple[str, ...]:
    acquired = [line.rstrip(".") for line in info.protocol.acquisition]
    lines = [f"{'. '.join(map(upper_first, acquired))}."] if acquired else []
    lines += stated_words.injection(info)
    sequences = [
        f"{item.description} ({item.label})" if item.description else item.label
        for item in info.protocol.sequences.values()
    ]
    if sequences and info.extracted:
        lines.append(f"We analysed {listing(sequences)}.")
    return (" ".join(lines),) if lines else ()


def _by_chain(info: RunInfo, selection: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """One paragraph for all models on image features that share their steps."""
    chains: dict[tuple[SelectionStep, ...], list[str]] = {}
    for name, model in info.protocol.models.items():
        if model.block:
            chains.setdefault(model.feature_steps(), []).append(name)
    paragraphs = []
    for steps, names in chains.items():
        who = "" if len(chains) == 1 else f"For {_phrases(info.protocol, names)}, "
        counts = selection.get(names[0]) if len(names) == 1 else None
        said = selection_words.chain(steps, counts)
        paragraphs.append(who + (lower_first(said) if who else said))
    if paragraphs:
        paragraphs.append(
            "All data-driven steps were fitted on the training set only and repeated in every fold or bootstrap sample of "
            "the whole pipeline."
        )
    return tuple(paragraphs)


def _phrases(protocol: Protocol, names: Iterable[str]) -> str:
    """``the clinical model and the nomogram``."""
    return listing([model_phrase(protocol.model_label(name)) for name in names])


class _Names:
    """Printed names of a run, as sentences on its models need them."""

    def __init__(self, info: RunInfo) -> None:
        self.info, self.label = info, info.protocol.model_label

    def model(self, name: str) -> str:
        return model_phrase(self.label(name))

    def column(self, name: str) -> str:
        return lower_first(self.info.protocol.column_label(name))

    def sequences(self, names: Sequence[str]) -> list[str]:
        known = self.info.protocol.sequences if self.info.extracted else {}
        return [self.info.protocol.sequence_label(name) for name in (names or known)] if known else []


def _models(info: RunInfo) -> tuple[str, ...]:
    models = info.protocol.models
    alike = _alike(models)
    told = set(chain.from_iterable(alike))
    lines = [model_sentence(info, name) for name in models if name not in told]
    lines += [_together(info, names) for names in alike]
    if any(model.likelihood == "auto" for model in models.values()):
        lines.append("When separation occurred, Firth's penalised likelihood was used.")
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
    models, printed = info.protocol.models, _Names(info)
    parts = []
    for name in names:
        made, label = listing(models[name].made_from(printed)), printed.label(name)
        parts.append(label if made in ("", label) else f"{label} ({made})")
    first = models[names[0]]
    return first.several(listing(parts), len(names)) + _marks(info.protocol, first, several=True)


def _marks(protocol: Protocol, model: ModelSettings, *, several: bool = False) -> str:
    """Firth's likelihood where it was asked for, and candidates that are known too late."""
    was = "They were" if several else "It was"
    text = f" {was} fitted by Firth's penalised likelihood." if model.likelihood == "firth" else ""
    columns, asked = protocol.columns, protocol.prediction_at
    tried = [columns[name] for name in getattr(model, "candidates", ())]
    late = [column.label for column in tried if not known_at(column.available_at, asked)]
    if late:
        text += f" Candidates not known {STAGES[asked]}: {listing(late)}."
    return text


def model_sentence(info: RunInfo, name: str) -> str:
    """Return what a model is, in a sentence."""
    model, printed = info.protocol.models[name], _Names(info)
    return model.sentence(upper_first(printed.model(name)), printed) + _marks(info.protocol, model)


def usable_refits(extra: pd.DataFrame) -> dict[str, str]:
    """How many bootstrap refits could be used: ``55 to 100 usable``, from ``performance_extra.csv``."""
    found = {}
    for kind, name in (("final", "refits_final"), ("pipeline", "refits")):
        counts = extra.loc[extra["measure"] == name, "value"].dropna()
        if len(counts):
            low, high = int(counts.min()), int(counts.max())
            found[kind] = f" ({low if low == high else f'{low} to {high}, depending on the model,'} usable)"
    return found


def _evaluation(protocol: Protocol, refits: Mapping[str, str]) -> tuple[str, ...]:
    settings = protocol.evaluation
    how = INTERVALS[settings.ci_method].sentence.format(bootstrap=settings.bootstrap)
    curves = []
    if settings.calibration_bootstrap:
        curves.append(
            f"corrected for optimism by {settings.calibration_bootstrap} bootstrap refits of the final regression"
            f"{refits.get('final', '')}"
        )
    if settings.pipeline_bootstrap:
        curves.append(
            f"by {settings.pipeline_bootstrap} refits of the whole pipeline, selection included{refits.get('pipeline', '')}"
        )
    corrected = f" and {', and '.join(curves)}" if curves else ""
    honest = (
        " Optimism-corrected AUC, Brier score, calibration intercept and slope are given in performance_extra.csv."
        if curves
        else ""
    )
    folds = sorted({model.reported_folds for model in protocol.models.values()} - {0})
    if folds:
        honest += (
            f" The whole pipeline and the final estimator were also evaluated by "
            f"{listing([f'{number}-fold' for number in folds])} cross-validation, stratified by outcome."
        )
    pairs = [_phrases(protocol, pair) for pair in settings.comparisons]
    if pairs:
        honest += (
            f" Net reclassification improvement, integrated discrimination improvement and the difference in net benefit "
            f"were computed for {'; '.join(pairs)}."
        )
    printed = [item.adjusted for item in protocol.tables if isinstance(item, DelongTable)]
    holm = ", with Holm's correction over the comparisons within each set of patients"
    if printed and not any(printed):
        holm = ", without correction for the number of comparisons; p values after Holm's correction are in delong.csv"
    band = " with a bootstrap band" if settings.calibration_bootstrap else ""
    at = listing([f"{100 * threshold:g}%" for threshold in settings.net_benefit_thresholds])
    benefit = (
        f" Net benefit was compared with treating all and treating none at threshold probabilities of {at}." * bool(at)
    )
    return (
        "Discrimination was measured by the area under the receiver operating characteristic curve (AUC) with its "
        f"{level(settings.level)} confidence interval, {how}. Models were compared by DeLong's test{holm}. "
        "Sensitivity, specificity and accuracy were computed at the threshold that "
        "maximised Youden's index in the training set; this threshold was applied unchanged to the other sets.",
        "Calibration was assessed by intercept and slope, the observed-to-expected ratio, the integrated calibration "
        "index, calibration curves and the Hosmer–Lemeshow test (in performance_extra.csv). Training calibration is shown "
        f"apparent{corrected}; the other sets show the observed curve{band}, without refitting. Clinical usefulness was "
        f"assessed by decision curves.{benefit} Training values are apparent.{honest}",
    )


def _software(used: Mapping[str, str], info: RunInfo) -> str:
    items = listing([f"{name} {version}" for name, version in software.printed(used)])
    return f"Analyses were performed with {items}. All random steps used the seed {info.seed}."
