"""Time and memory of evidence: refits of the whole pipeline, and every analysis of a study.

    python benchmarks/evidence.py nat_response                                   # a finished run in results/
    python benchmarks/evidence.py nat_response --size published --refits 1000    # no run and no image is needed

Refits are bootstrap resamples of the training set: the primary model and its parts, or all models (``--all``). An analysis
is timed on a few of its repetitions, and its time is that of all of them in CPU seconds; the workflow divides them among its
cores.

With ``--size`` the patients are those of the simulated cohort of that size, and their features are made: as many as the
protocol asks for, read as often as the cohort says, correlated as those of the demo's images are. ``FACTORS`` latent factors
of falling variance, one of which differs between the outcomes, make blocks of near-copies, on scales from 0.01 to 10,000.
Analyses that read other extractions are left out then.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from her2radiomics.core.columns import type_table
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.settings import read_yaml
from her2radiomics.engine.jobs.evidence import study_from
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.study import EvidenceStudy
from her2radiomics.modelling.threads import one_thread
from her2radiomics.study import evidence_files
from her2radiomics.study.plan import Plan
from her2radiomics.study.run import Run

FACTORS, BLOCK, SIGNAL = 60, 10, 0.6


def study_of(name: str, size: str | None) -> tuple[EvidenceStudy, dict[str, Analysis]]:
    """A study as its evidence jobs see it, and its analyses: a finished run, or made features of a size."""
    content = read_yaml(Path("config.yaml"))
    plan = Plan(content if size is None else {**content, "size": size, "runs": [{"study": name}]}, Path("workflow"))
    run, seed = plan.runs[name], plan.config.seed
    found = {key: evidence_files.analyses(run)[key] for key in evidence_files.made(run, seed)}
    if size is None:
        return study_from(evidence_files.parameters(run, seed), run.path("participants"), run.path("features")), found
    facts = evidence_files.facts(run, seed)
    people = facts.people.set_index("patient_id")
    typed = type_table(people, facts.about.columns, file=run.path("participants"))
    people = people[["centre", "partition", "label"]].join(typed).reset_index()
    study = EvidenceStudy(about=facts.about, people=people, features=features(run, people))
    return study, {key: analysis for key, analysis in found.items() if not analysis.others(facts)}


def features(run: Run, people: pd.DataFrame) -> pd.DataFrame:
    """Made features of every patient and reader of a run: ``patient_id, reader``, then the protocol's number of columns."""
    random = np.random.default_rng(1)
    names = [
        f"{sequence}__{region}__feature_{number:04d}"
        for sequence, item in run.protocol.sequences.items()
        for region in item.regions
        for number in range(item.features)
    ]
    factors = random.standard_normal((len(people), FACTORS))
    factors[:, 1] += SIGNAL * people["label"].to_numpy()
    blocks = np.repeat(random.standard_normal((FACTORS, -(-len(names) // BLOCK))), BLOCK, axis=1)[:, : len(names)]
    loadings = blocks + random.uniform(0.02, 0.4, len(names)) * random.standard_normal(blocks.shape)
    loadings *= np.arange(1, FACTORS + 1)[:, None] ** -0.625
    loadings /= np.sqrt(np.square(loadings).sum(axis=0))
    noise, scale = 10 ** random.uniform(-1.3, 0, len(names)), 10 ** random.uniform(-2, 4, len(names))
    manifest, place = run.dataset.data.manifest, people["patient_id"].reset_index(drop=True)
    tables = []
    for reader, patients in manifest.groupby("reader")["patient_id"]:
        known = place.isin(patients).to_numpy()
        values = factors[known] @ loadings + noise * random.standard_normal((known.sum(), len(names)))
        who = pd.DataFrame({"patient_id": place[known].to_numpy(), "reader": reader})
        tables.append(pd.concat([who, pd.DataFrame(values * scale, columns=names)], axis=1))
    return pd.concat(tables, ignore_index=True)


def refit(name: str, size: str | None, first: int, last: int, every: bool) -> tuple[float, float]:
    """CPU seconds of some bootstrap refits, and the process's peak of memory in MB."""
    study, _ = study_of(name, size)
    training, models = study.rows(TRAINING), list(study.about.models) if every else study.main
    study.fit(training, models=models)  # libraries and tables are read
    start = time.process_time()
    with one_thread():  # as a batch of repetitions
        for index in range(first, last):
            study.fit(study.random("benchmark", index).choice(training, len(training)), models=models)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def refits(words: argparse.Namespace) -> None:
    """Print time and memory of refits."""
    ends = np.linspace(0, words.refits, words.processes + 1).astype(int)
    jobs = [(words.run, words.size, int(a), int(b), words.all) for a, b in pairwise(ends)]
    start = time.monotonic()
    with ProcessPoolExecutor(words.processes) as pool:
        spent, memory = zip(*pool.map(refit, *zip(*jobs, strict=True)), strict=True)
    print(
        f"{words.run}, {words.refits} refits of {'all models' if words.all else 'the primary model and its parts'}: "
        f"{sum(spent):.1f} CPU s, {sum(spent) / words.refits:.3f} each; {time.monotonic() - start:.1f} s with "
        f"{words.processes} processes, starts included; largest process {max(memory):.0f} MB"
    )


def analyses(words: argparse.Namespace) -> None:
    """Print the time of every analysis."""
    study, found = study_of(words.run, words.size)
    study.fit(study.rows(TRAINING))
    whole = 0.0
    for name, analysis in found.items():
        total = analysis.repetitions(study)
        chosen = sorted({int(place) for place in np.linspace(0, total - 1, words.repetitions)})
        start = time.process_time()
        for index in chosen:
            list(analysis.repeat(study, index))
        each = (time.process_time() - start) / len(chosen)
        whole += each * total
        jobs = len(analysis.batches(study))
        print(f"{name:16} {total:6d} repetitions, {jobs:3d} jobs, {each:7.3f} s each, {each * total:8.1f} CPU s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"all analyses: {whole:.0f} CPU s; peak memory of one job {peak:.0f} MB")


def main() -> None:
    """Print the times of a study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="name of a finished run in results/; with --size of a study")
    parser.add_argument("--size", choices=("demo", "published"), help="patients of this size with made features")
    parser.add_argument("--refits", type=int, default=100)
    parser.add_argument("--all", action="store_true", help="refit all models")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--repetitions", type=int, default=3, help="repetitions of each analysis that are timed; 0: none"
    )
    words = parser.parse_args()
    refits(words)
    if words.repetitions:
        analyses(words)


if __name__ == "__main__":
    main()
