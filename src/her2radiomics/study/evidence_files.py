"""What a run tells its evidence: its settings, its analyses and their batches, and the files of both."""

from __future__ import annotations

from typing import Any

from her2radiomics.core.contracts import PARTITIONS
from her2radiomics.core.layout import path_of
from her2radiomics.core.settings import dump
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.study import About, Facts
from her2radiomics.study.run import Run


def about(run: Run, seed: int) -> About:
    """A run as its evidence sees it before its patients are read."""
    protocol = run.protocol
    return About(
        models=protocol.models,
        columns=protocol.columns,
        primary=protocol.primary_model,
        partitions=protocol.partitions,
        readers=run.dataset.readers,
        seed=seed,
        persons=run.shared_persons,
        level=protocol.evaluation.level,
        second_reader=_second_reader(run),
        extracted=run.extracted,
        simulated=run.dataset.simulated,
        published=protocol.evidence.as_published,
        others={name: shadow.reextraction for name, shadow in run.shadows.items() if shadow.reextraction},
        title=protocol.title,
        labels={name: protocol.model_label(name) for name in protocol.models},
        partition_labels={name: protocol.partition_label(name) for name in PARTITIONS},
        centre_labels={name: protocol.centre_label(name) for name in sorted(set(run.participants["centre"]))},
        sequence_labels={name: protocol.sequence_label(name) for name in protocol.sequences},
        outcomes=(protocol.label.negative, protocol.label.positive),
    )


def facts(run: Run, seed: int) -> Facts:
    """What planning knows of a run's patients: those who fail later are among them."""
    people = run.participants[run.participants["patient_id"].isin(run.labels.index)]
    own = people["patient_id"]
    people = people.assign(partition=own.map(run.partition), label=own.map(run.labels).astype(int))
    return Facts(about=about(run, seed), people=people)


def analyses(run: Run) -> dict[str, Analysis]:
    """A run's analyses in their order on the page."""
    return run.protocol.evidence.in_order()


def made(run: Run, seed: int) -> list[str]:
    """Names of the analyses that the run has what they need for."""
    known = facts(run, seed)
    return [name for name, analysis in analyses(run).items() if not analysis.obstacle(known)]


def obstacles(run: Run, seed: int) -> dict[str, str]:
    """Analyses that are left out, and why."""
    known = facts(run, seed)
    found = {name: analysis.obstacle(known) for name, analysis in analyses(run).items()}
    return {name: why for name, why in found.items() if why}


def batches(run: Run, name: str, seed: int) -> list[str]:
    """Paths of the batches of an analysis, its own and those that it reads."""
    known, every = facts(run, seed), analyses(run)
    return [
        path_of("evidence_batch", run=run.id, analysis=source, batch=batch)
        for source in (name, *every[name].reads)
        for batch in every[source].batches(known)
    ]


def others(run: Run, name: str, seed: int) -> dict[str, str]:
    """Name of each other extraction that an analysis reads to its feature table."""
    tables = run.shadow_features()
    return {other: tables[other] for other in analyses(run)[name].others(facts(run, seed))}


def instability_rules(run: Run, seed: int) -> list[str]:
    """Path of the primary model's refits, where the analysis that makes them is made."""
    if "instability" not in made(run, seed):
        return []
    return [path_of("instability_rules", run=run.id, model=run.protocol.primary_model)]


def repetitions(run: Run, name: str, batch: str, seed: int) -> tuple[int, int]:
    """First repetition of a batch, and the one behind its last."""
    return analyses(run)[name].batches(facts(run, seed))[batch]


def parameters(run: Run, seed: int) -> dict[str, Any]:
    """What every evidence job is given of the run."""
    return dict(dump(about(run, seed)))


def _second_reader(run: Run) -> bool:
    """Whether any patient was outlined by both of the readers who are compared."""
    table = run.dataset.data.manifest if run.extracted else run.dataset.data.features
    if table is None or "reader" not in table:
        return False
    return set(run.dataset.readers.compared) <= set(table["reader"].astype(str))
