"""What the start of a job costs: seconds of CPU and on the clock for each script, and for planning.

    .venv/bin/python benchmarks/start.py [--tree FOLDER …] [--repeat 5]

For each checkout of the project (this one, or those named), all with the packages of this environment:

- *imports*: a Python that does what the script's own import statements say, and ends. The least of the repeats.
- *jobs*: the study's own jobs on a small simulated cohort, by Snakemake on one core. Libraries are imported on first use,
  so that only a whole job shows what it pays for; it also holds the work itself, which differs by job. CPU of all processes
  of a script, as a hook in each of them notes at its end. The least of the repeats for each job, summed over a script.
- *commands*: ``her2radiomics --help`` and ``her2radiomics new study --help``, as a shell asks for completions.
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
from trial import ROOT, copy_of_workflow, run, snakemake, table

#: Loaded by every Python below: takes the other checkouts away that the environment knows; notes a script's name, CPU and
#: time on the clock when it ends.
HOOK = """
import atexit, json, os, sys, time
ours = os.environ["START_TREE"] + "/src"
sys.path[:] = [path for path in sys.path if path == ours or not os.path.isdir(path + "/her2radiomics")]
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


def import_times(tree: Path, hook: Path) -> dict[str, tuple[float, float]]:
    """Script to CPU and time of its imports; ``python`` alone under an empty name."""
    variables = {"PYTHONPATH": f"{tree / 'src'}:{hook}", "START_TREE": str(tree)}
    code = {"": ""} | {path.stem: imports_of(path) for path in sorted((tree / "scripts").glob("*.py"))}
    used = {name: run([sys.executable, "-c", text], tree, variables) for name, text in code.items()}
    return {name: (item.cpu, item.wall) for name, item in used.items()}


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


def job_times(folder: Path, tree: Path, hook: Path) -> dict[str, tuple[float, float]]:
    """Script and log of each job to its CPU and time."""
    shutil.rmtree(folder, ignore_errors=True)
    study_of(folder, tree)
    spent = folder / "spent"
    spent.mkdir()
    variables = {
        "PYTHONPATH": f"{tree / 'src'}:{hook}",
        "HER2RADIOMICS_HOOKS": str(hook),
        "START_TREE": str(tree),
        "START_FOLDER": str(spent),
    }
    snakemake(folder, "--cores", "1", environment=variables)
    jobs = [json.loads(path.read_text(encoding="utf-8")) for path in spent.glob("*.json")]
    return {f"{job['script']} {job['log']}": (job["cpu"], job["wall"]) for job in jobs}


def plan_times(folder: Path, tree: Path, hook: Path) -> tuple[float, float]:
    """CPU and time of a dry run."""
    variables = {"PYTHONPATH": f"{tree / 'src'}:{hook}", "START_TREE": str(tree)}
    used = snakemake(folder, "-n", "--quiet", "all", environment=variables)
    return used.cpu, used.wall


def command_times(tree: Path, hook: Path) -> dict[str, tuple[float, float]]:
    """CPU and time of the command's help: what it pays before it does anything."""
    variables = {"PYTHONPATH": f"{tree / 'src'}:{hook}", "START_TREE": str(tree)}
    code = "import sys; from her2radiomics.cli.app import main; sys.argv[1:] = {}; main()"
    words = {"her2radiomics --help": ["--help"], "her2radiomics new study --help": ["new", "study", "--help"]}
    used = {name: run([sys.executable, "-c", code.format(given)], tree, variables) for name, given in words.items()}
    return {name: (item.cpu, item.wall) for name, item in used.items()}


def measure(tree: Path, folder: Path, hook: Path) -> dict[str, dict[str, tuple[float, float]]]:
    """All of it, once: what is measured to its parts."""
    imports = import_times(tree, hook)
    jobs = job_times(folder / "study", tree, hook)
    config = yaml.safe_load((tree / "config.yaml").read_text(encoding="utf-8"))
    whole = copy_of_workflow(folder / "whole", config, tree)
    plans = {"config.yaml": plan_times(whole, tree, hook), "finished study": plan_times(folder / "study", tree, hook)}
    return {"imports": imports, "jobs": jobs, "commands": command_times(tree, hook), "planning": plans}


def least(measured: list[dict[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """The least of the repeats for each part, jobs of one script together."""
    sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for part in sorted(set.intersection(*map(set, measured))):
        cpu, wall = (min(values) for values in zip(*(one[part] for one in measured), strict=True))
        name = part.split(" logs/")[0] or "(python)"
        sums[name] = sums[name][0] + cpu, sums[name][1] + wall
    return sums


def main() -> None:
    """Measure every tree in turn, and print a table for each of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, nargs="+", default=[ROOT], help="checkouts of the project")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    trees = {tree.name: tree.resolve() for tree in options.tree}
    measured: dict[str, list[dict[str, dict[str, tuple[float, float]]]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        hook = Path(temporary) / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        for _ in range(options.repeat):  # in turn, since the machine may do other work
            for name, tree in trees.items():
                measured[name].append(measure(tree, Path(temporary) / name, hook))
    for title in ("imports", "jobs", "commands", "planning"):
        found = {name: least([one[title] for one in every]) for name, every in measured.items()}
        header = [title, *(f"{name}: {what} s" for name in trees for what in ("CPU", "clock"))]
        parts = sorted(set.union(*(set(parts) for parts in found.values())))
        rows = [
            [part, *(f"{value:.2f}" for name in trees for value in found[name].get(part, (0.0, 0.0)))] for part in parts
        ]
        sums = [sum(pair[place] for pair in found[name].values()) for name in trees for place in (0, 1)]
        print(f"\n{title}\n\n{table(header, [*rows, ['**all**', *(f'{value:.2f}' for value in sums)]])}", flush=True)


if __name__ == "__main__":
    main()
