"""Time and memory of evidence: refits of the whole pipeline, and every analysis of a study.

    python benchmarks/evidence.py nat_response              # a finished run in results/
    python benchmarks/evidence.py nat_response --refits 1000 --processes 2

Refits are bootstrap resamples of the training set, all of the study's main models on each. An analysis is timed on a few of
its repetitions, and its time is that of all of them in CPU seconds; the workflow divides them among its cores.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import yaml

from her2radiomics.core.contracts import TRAINING
from her2radiomics.engine.jobs.evidence import study_from
from her2radiomics.evidence.study import EvidenceStudy
from her2radiomics.study import evidence_files
from her2radiomics.study.plan import Plan


def study_of(name: str) -> tuple[EvidenceStudy, dict]:
    """A finished run as its evidence jobs see it, and its analyses."""
    plan = Plan(yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8")), Path("workflow"))
    run = plan.runs[name]
    seed = plan.config.seed
    made = {key: evidence_files.analyses(run)[key] for key in evidence_files.made(run, seed)}
    return study_from(evidence_files.parameters(run, seed), run.path("participants"), run.path("features")), made


def refit(name: str, first: int, last: int) -> float:
    """CPU seconds of some bootstrap refits."""
    study, _ = study_of(name)
    training = study.rows(TRAINING)
    study.fit(training)  # libraries and tables are read
    start = time.process_time()
    for index in range(first, last):
        study.fit(study.random("benchmark", index).choice(training, len(training)))
    return time.process_time() - start


def main() -> None:
    """Print the times of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="name of a finished run in results/")
    parser.add_argument("--refits", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3, help="repetitions of each analysis that are timed")
    words = parser.parse_args()
    ends = np.linspace(0, words.refits, words.processes + 1).astype(int)
    start = time.monotonic()
    with ProcessPoolExecutor(words.processes) as pool:
        spent = list(pool.map(refit, [words.run] * words.processes, ends[:-1], ends[1:]))
    wall = time.monotonic() - start
    print(
        f"{words.refits} refits of the whole pipeline: {sum(spent):.1f} CPU s, {wall:.1f} s with {words.processes} processes"
    )
    study, analyses = study_of(words.run)
    study.fit(study.rows(TRAINING))
    whole = 0.0
    for name, analysis in analyses.items():
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


if __name__ == "__main__":
    main()
