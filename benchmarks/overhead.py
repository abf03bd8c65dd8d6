"""CPU time of the extraction stage that is spent outside feature computation, as a share of the whole stage.

    .venv/bin/python benchmarks/overhead.py [--study nat_response …] [--size published] [--patients-per-job 4 16 32]
                                            [--cores 2] [--folder DIR]

A simulated cohort's images are made first, by the workflow's own rules, and are not counted. Then the merged feature
table is made from nothing for each number of patients per job. The whole is the CPU time (user and system)
of Snakemake and every process below it. Feature computation is the CPU time inside ``extract_case`` (reading image
and masks, checks, filters, features), taken in each job, without the modules that are imported meanwhile: a hook
which Python loads at its start times that function, and every import. All else is listed apart: the overlays
(pictures of every case, drawn in the same job), imports, hashes of the images, and the rest: the interpreter's start, files,
the engine, the merging.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from trial import Used, copy_of_workflow, snakemake, table

#: Loaded by every Python below; times three functions of a job and all imports, and writes a line when a job ends.
HOOK = """
import atexit, importlib._bootstrap, json, os, sys, time
TIMED = {"her2radiomics.extraction.case": "extract_case", "her2radiomics.extraction.overlay": "draw_overlay",
         "her2radiomics.engine.jobs.case_store": "case_key"}
SPENT, DEPTH, DONE = dict.fromkeys([*TIMED.values(), "imports"], 0.0), [0], set()
load = importlib._bootstrap._find_and_load

def timed(function):
    name = function.__name__

    def call(*arguments, **named):
        start, imports = time.process_time(), SPENT["imports"]
        try:
            return function(*arguments, **named)
        finally:
            SPENT[name] += time.process_time() - start - (SPENT["imports"] - imports)
    return call

def find_and_load(name, import_):
    start, DEPTH[0] = time.process_time(), DEPTH[0] + 1
    try:
        module = load(name, import_)
    finally:
        DEPTH[0] -= 1
        if not DEPTH[0]:
            SPENT["imports"] += time.process_time() - start
    if name in TIMED and name not in DONE:
        DONE.add(name)
        setattr(module, TIMED[name], timed(getattr(module, TIMED[name])))
    return module

def tell():
    if "her2radiomics.engine.jobs.case_store" in sys.modules:
        content = json.dumps(SPENT | {"process": time.process_time()})
        with open(os.path.join(os.environ["OVERHEAD_FOLDER"], f"{os.getpid()}.json"), "w") as stream:
            stream.write(content)

importlib._bootstrap._find_and_load = find_and_load
atexit.register(tell)
"""


def main() -> None:
    """Make the images, extract for each number of patients per job, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        hook, spent = Path(temporary) / "hook", Path(temporary) / "spent"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        folder = options.folder or Path(temporary) / "project"
        config = {"size": options.size, "runs": [{"study": study} for study in options.study]}
        copy_of_workflow(folder, config | {"patients_per_job": options.patients_per_job[0]})
        targets = [f"results/{study}/features/cohort.parquet" for study in options.study]
        cores = ("--cores", str(options.cores))
        images = snakemake(folder, *cores, "--omit-from", "extract", "--", *targets)
        print(f"images: {images.wall:.1f} s, CPU {images.cpu:.1f} s\n", flush=True)
        rows = []
        for number in options.patients_per_job:
            copy_of_workflow(folder, config | {"patients_per_job": number})
            for made in folder.glob("results/cohorts/*/extraction"):
                shutil.rmtree(made)
            for study in options.study:
                shutil.rmtree(folder / "results" / study, ignore_errors=True)
            shutil.rmtree(spent, ignore_errors=True)
            spent.mkdir()
            path = os.pathsep.join([str(hook), *filter(None, [os.environ.get("PYTHONPATH")])])
            variables = {"PYTHONPATH": path, "HER2RADIOMICS_HOOKS": str(hook), "OVERHEAD_FOLDER": str(spent)}
            used = snakemake(folder, *cores, *targets, environment=variables)
            rows.append(_row(number, used, spent))
            print(table(HEADER, rows), flush=True)


HEADER = [
    "patients per job",
    "jobs",
    "wall s",
    "CPU s",
    "features",
    "imports in jobs",
    "hashes",
    "overlays",
    "rest of jobs",
    "engine and merging",
    "outside features",
    "outside features and overlays",
]


def _row(number: int, used: Used, spent: Path) -> list[str]:
    jobs = [json.loads(path.read_text()) for path in sorted(spent.glob("*.json"))]
    sums: Counter[str] = Counter()
    for job in jobs:
        sums.update(job)
    features = sums["extract_case"]
    # imports inside the timed functions were taken out of them
    rest = sums["process"] - features - sums["imports"] - sums["case_key"] - sums["draw_overlay"]
    seconds = [
        used.wall,
        used.cpu,
        features,
        sums["imports"],
        sums["case_key"],
        sums["draw_overlay"],
        rest,
        used.cpu - sums["process"],
    ]
    shares = [1 - features / used.cpu, 1 - (features + sums["draw_overlay"]) / used.cpu]
    shown = [f"{value:.1f}" for value in seconds] + [f"{100 * share:.1f} %" for share in shares]
    return [str(number), str(len(jobs)), *shown]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", nargs="+", default=["nat_response"], help="protocols in workflow/studies")
    parser.add_argument("--size", default="published", choices=["demo", "published"])
    parser.add_argument("--patients-per-job", type=int, nargs="+", default=[4, 16, 32])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the project here, with its images")
    return parser.parse_args()


if __name__ == "__main__":
    main()
