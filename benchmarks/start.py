"""What the start of a job costs: seconds of CPU and on the clock for each script, and for planning.

    .venv/bin/python benchmarks/start.py [--tree FOLDER …] [--repeat 5]

For each checkout of the project (this one, or those named), all with the packages of this environment:

- *imports*: a Python that does what the script's own import statements say, and ends. The least of the repeats.
- *jobs*: the study's own jobs on a small simulated cohort, by Snakemake on one core. Libraries are imported on first use,
  so that only a whole job shows what it pays for; it also holds the work itself, which differs by job. CPU of all processes
  of a script, as a hook in each of them notes at its end. The least of the repeats for each job, summed over a script.
- *planning*: ``snakemake -n`` of all studies in ``config.yaml``, and of the finished study. The least of the repeats.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import yaml
from trial import ROOT, Used, copy_of_workflow, run, snakemake, table

#: Loaded by every Python below: notes a script's name, CPU and time on the clock when it ends.
HOOK = """
import atexit, json, os, sys, time
def tell():
    file = os.path.basename(sys.argv[0]) if sys.argv else ""
    if os.sep + "scripts" + os.sep in (sys.argv or [""])[0] and file.startswith("tmp"):
        log = sys.modules["__main__"].snakemake.log[0]
        used = sum(os.times()[:4])
        with open(os.path.join(os.environ["START_FOLDER"], f"{os.getpid()}.json"), "w") as stream:
            json.dump({"script": file.split(".")[1], "log": log, "cpu": used, "wall": time.time() - BEGUN}, stream)
BEGUN = time.time()
atexit.register(tell)
"""
STUDY = {"seed": 7, "size": "demo", "runs": [{"study": "nat_response"}], "patients_per_job": 8}
#: (positive, negative) patients of each centre: enough for every step, and little work beside the starts.
COUNTS = {"centre_1": (9, 7), "centre_2": (4, 3)}


def imports_of(script: Path) -> str:
    """The import statements at the top of a script."""
    found = ast.parse(script.read_text(encoding="utf-8")).body
    return "\n".join(ast.unparse(item) for item in found if isinstance(item, ast.Import | ast.ImportFrom))


def least(measured: list[Used]) -> tuple[float, float]:
    """Least CPU and least time on the clock."""
    return min(used.cpu for used in measured), min(used.wall for used in measured)


def import_times(tree: Path, repeat: int) -> dict[str, tuple[float, float]]:
    """Script to CPU and time of its imports; ``python`` alone under an empty name."""
    variables = {"PYTHONPATH": str(tree / "src")}
    code = {"": ""} | {path.stem: imports_of(path) for path in sorted((tree / "scripts").glob("*.py"))}
    return {
        name: least([run([sys.executable, "-c", text], tree, variables) for _ in range(repeat)])
        for name, text in code.items()
    }


def study_of(folder: Path, tree: Path) -> Path:
    """The study with a cohort as small as it can be."""
    copy_of_workflow(folder, STUDY, tree)
    protocol = folder / "workflow/studies/nat_response.yaml"
    content = yaml.safe_load(protocol.read_text(encoding="utf-8"))
    for centre, (positive, negative) in COUNTS.items():
        counts = content["simulation"]["centres"][centre]["counts"]
        counts["demo"] = {"positive": positive, "negative": negative}
    protocol.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder


def job_times(folder: Path, tree: Path, hook: Path, repeat: int) -> dict[str, tuple[float, float]]:
    """Script to CPU and time of all its jobs."""
    every: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(repeat):
        shutil.rmtree(folder, ignore_errors=True)
        study_of(folder, tree)
        spent = folder / "spent"
        spent.mkdir()
        variables = {"PYTHONPATH": f"{tree / 'src'}:{hook}", "START_FOLDER": str(spent)}
        snakemake(folder, "--cores", "1", environment=variables)
        for path in spent.glob("*.json"):
            job = json.loads(path.read_text(encoding="utf-8"))
            every[job["script"]][job["log"]].append((job["cpu"], job["wall"]))
    return {
        script: (
            sum(min(cpu for cpu, _ in jobs) for jobs in by_log.values()),
            sum(min(wall for _, wall in jobs) for jobs in by_log.values()),
        )
        for script, by_log in sorted(every.items())
    }


def plan_times(folder: Path, tree: Path, repeat: int) -> tuple[float, float]:
    """CPU and time of a dry run."""
    variables = {"PYTHONPATH": str(tree / "src")}
    return least([snakemake(folder, "-n", "--quiet", "all", environment=variables) for _ in range(repeat)])


def main() -> None:
    """Measure every tree, and print a table for each of the three."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tree", type=Path, nargs="+", default=[ROOT], help="checkouts of the project")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    trees = [tree.resolve() for tree in options.tree]
    imports, jobs, plans = {}, {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        hook = Path(temporary) / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        for number, tree in enumerate(trees):
            folder = Path(temporary) / f"study{number}"
            imports[tree] = import_times(tree, options.repeat)
            jobs[tree] = job_times(folder, tree, hook, options.repeat)
            config = yaml.safe_load((tree / "config.yaml").read_text(encoding="utf-8"))
            config["runs"] = [run for run in config["runs"] if run.get("cohort", "simulated") == "simulated"]
            whole = copy_of_workflow(Path(temporary) / f"whole{number}", config, tree)
            plans[tree] = {
                "config.yaml": plan_times(whole, tree, options.repeat),
                "finished study": plan_times(folder, tree, options.repeat),
            }
    names = [tree.name for tree in trees]
    for title, measured in (("imports", imports), ("jobs", jobs), ("planning", plans)):
        print(f"\n{title}\n")
        header = [title, *(f"{name}: {what} s" for name in names for what in ("CPU", "clock"))]
        rows = [
            [key or "(python)", *(f"{value:.2f}" for tree in trees for value in measured[tree].get(key, ()))]
            for key in measured[trees[-1]]
        ]
        sums = [sum(pair[part] for pair in measured[tree].values()) for tree in trees for part in (0, 1)]
        print(table(header, [*rows, ["**all**", *(f"{value:.2f}" for value in sums)]]), flush=True)


if __name__ == "__main__":
    main()
