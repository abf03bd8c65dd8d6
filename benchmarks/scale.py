"""Time and memory of planning, of a run with nothing to do, and of merging, as cohorts grow.

    .venv/bin/python benchmarks/scale.py [--factor 1 10 100] [--studies …] [--parts plan merge] [--folder DIR]
                                         [--patients-per-job N] [--until extraction]

For each factor the four published cohorts are laid out on disk that many times over, as brought data lie
(``participants.tsv``, ``images.tsv``, an empty file for every image and mask), all four studies in one configuration.

``plan`` measures, each in a process of its own: reading the Snakefile alone (what every job on a cluster does),
``snakemake -n`` on the fresh folder, and a call with nothing to do. For the last, every file that the plan names is
made empty, Snakemake's own ``--touch`` records its metadata, and the jobs' own records are written, so that code,
parameters and inputs of every job, and the time of every image, are compared as in a real folder. ``merge`` writes
batches of random features of the protocols' widths, merges the study with the most of them, and splits the result into
its partitions.
"""

from __future__ import annotations

import argparse
import compileall
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trial import ROOT, Used, copy_of_workflow, run, snakemake, table

STUDIES = ("nat_response", "her2_equivocal", "her2_peritumoral", "her2_nomogram")
SEED = 20250715
#: ``--touch`` waits a tenth of a second after each job, which thousands of jobs need not.
TOUCH = """
import sys
from snakemake.executors import touch
touch.Executor.SLEEPING_TIME = 0
from snakemake.cli import main
sys.exit(main([*sys.argv[1:]]))
"""

#: What jobs leave in ``.snakemake/written``: their outputs, and size and time of every image that they read.
RECORDS = """
import yaml
from pathlib import Path
from her2radiomics.study.plan import Plan
from her2radiomics.engine.file_records import Watch, write_records
plan = Plan(yaml.safe_load(Path("config.yaml").read_text()), Path("workflow"))
for run in plan.runs.values():
    manifest = run.dataset.data.manifest
    everything = sorted({path for name in ("image", "mask") for path in manifest[name] if path})
    names = ("batch_features", "batch_qc", "batch_overlays")
    for made in zip(*map(run.batches, names)):
        *_, sequence, batch = made[-1].removesuffix(".overlays").split("/")
        rows = [row for name in run.dataset.batches[batch] for row in run.dataset.case_rows(name, sequence)]
        read = Watch(path for row in rows for path in (row["image"], row["mask"]) if path).stamps
        write_records(made, unlisted=read)
    if run.request.until == "report":
        write_records(run.files("crate"), unlisted=Watch(everything).stamps)
"""


def lay_out(folder: Path, study: str, factor: int) -> int:
    """A published cohort ``factor`` times over, as a user's own data; the number of included patients."""
    import pandas as pd

    from her2radiomics.core.settings import read_yaml, validate
    from her2radiomics.simulation import roster
    from her2radiomics.study.protocol import Protocol

    protocol = validate(Protocol, read_yaml(Path("workflow/studies") / f"{study}.yaml"), study)
    assert protocol.simulation is not None
    made = roster(protocol.simulation, size="published", seed=SEED)
    participants, manifest = [], []
    for copy in range(factor):
        people, images = made.participants.astype(str), made.manifest.astype(str)
        old, new = people["patient_id"], people["patient_id"] + f"-{copy:03d}"
        participants.append(people.assign(patient_id=new))
        images = images.assign(patient_id=images["patient_id"] + f"-{copy:03d}")
        for name in ("image", "mask"):
            images[name] = [
                f"{Path(path).parts[0]}/{patient}/{Path(path).name}" if path else ""
                for path, patient in zip(images[name], images["patient_id"], strict=True)
            ]
        manifest.append(images)
        assert len(old) == len(new)
    everyone, rows = pd.concat(participants), pd.concat(manifest)
    folder.mkdir(parents=True)
    everyone.to_csv(folder / "participants.tsv", sep="\t", index=False)
    rows.to_csv(folder / "images.tsv", sep="\t", index=False)
    files = {path for name in ("image", "mask") for path in rows[name] if path}
    for parent in sorted({Path(path).parent for path in files}):
        (folder / parent).mkdir(parents=True)
    for path in files:
        (folder / path).touch()
    return int((everyone["exclude_reason"] == "").sum())


def project(folder: Path, studies: list[str], factor: int, options: argparse.Namespace) -> int:
    """The copy of the workflow, and the cohorts beside it; the number of patients."""
    config: dict[str, Any] = {
        "runs": [{"study": study, "cohort": f"brought_{study}", "until": options.until} for study in studies],
        "data": {f"brought_{study}": str(folder / "data" / study) for study in studies},
    }
    if options.patients_per_job:
        config["patients_per_job"] = options.patients_per_job
    copy_of_workflow(folder / "project", config)
    for study in studies:
        cohort = folder / "project/workflow/cohorts" / f"brought_{study}.yaml"
        cohort.write_text(f"title: {study}, {factor} times\nkind: tables\n", encoding="utf-8")
    return sum(lay_out(folder / "data" / study, study, factor) for study in studies)


def plan_rows(folder: Path, patients: int) -> Iterator[list[str]]:
    """Measure reading, planning and a run with nothing to do."""
    yield _row("read the Snakefile", patients, snakemake(folder, "--list-rules"))
    fresh = snakemake(folder, "-n", "--quiet")
    yield _row("plan (-n), fresh folder", patients, fresh)
    for file in _outputs(folder):
        path = folder / file
        if path.suffix in ("", ".overlays"):  # the only outputs that are folders
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    touched = run([sys.executable, "-c", TOUCH, "--touch", "--forceall", "--cores", "1"], folder)
    print(f"    (--touch: {touched.cpu:.0f} CPU s)", flush=True)
    run([sys.executable, "-c", RECORDS], folder)
    yield _row("plan (-n), everything there", patients, snakemake(folder, "-n", "--quiet"))
    nothing = snakemake(folder, "--cores", "1")
    if "Nothing to be done" not in nothing.printed:
        sys.exit(f"the second call found something to do:\n{nothing.printed[-2000:]}")
    yield _row("run with nothing to do", patients, nothing)


def _outputs(folder: Path) -> list[str]:
    """Every file that the plan makes, from Snakemake's own list."""
    printed = snakemake(folder, "--summary", "--cores", "1").printed
    rows = [line.split("\t") for line in printed.splitlines() if line.count("\t") >= 5]
    return [row[0] for row in rows if row[0] != "output_file"]


#: Runs a script of the workflow by itself, with what Snakemake would give it.
SCRIPT = """
import json, runpy, sys
from glob import glob
from types import SimpleNamespace

class Given(SimpleNamespace):
    def __iter__(self):
        for value in vars(self).values():
            yield from [value] if isinstance(value, str) else value

script, content = sys.argv[1], json.loads(sys.argv[2])
content["input"] |= {name: sorted(glob(pattern)) for name, pattern in content.pop("glob", {}).items()}
given = {name: Given(**value) if isinstance(value, dict) else value for name, value in content.items()}
runpy.run_path(script, init_globals={"snakemake": SimpleNamespace(**given)})
"""


def write_batches(folder: Path, study: str, factor: int, size: int) -> dict[str, Any]:
    """Batches as rule ``extract`` writes them, with random features of the protocol's width; sizes for the table."""
    import numpy as np
    import pandas as pd

    from her2radiomics.core.settings import read_yaml, validate
    from her2radiomics.extraction import QC_COLUMNS, read_parameters
    from her2radiomics.simulation import roster
    from her2radiomics.study.protocol import Protocol

    protocol = validate(Protocol, read_yaml(Path("workflow/studies") / f"{study}.yaml"), study)
    assert protocol.simulation is not None
    made = roster(protocol.simulation, size="published", seed=SEED)
    included = sorted(made.participants.loc[made.participants["exclude_reason"].fillna("") == "", "patient_id"])
    masks = made.manifest[made.manifest["region"].astype(str) == "tumour"]
    readers = {key: sorted(map(str, rows["reader"])) for key, rows in masks.groupby(["patient_id", "sequence"])}
    patients = sorted((f"{patient}-{copy:03d}", patient) for patient in included for copy in range(factor))
    pool = np.random.default_rng(SEED)
    rows = cells = 0
    for sequence, settings in protocol.sequences.items():
        names = read_parameters(Path("workflow/extraction") / f"{settings.parameters}.yaml").feature_names
        header = [f"{sequence}__{region}__{name}" for region in settings.regions for name in names]
        # a few hundred different rows: writing and reading take as long, making them does not
        texts = [",".join(map(repr, row.tolist())) for row in pool.standard_normal((256, len(header)))]
        target = folder / sequence
        target.mkdir(parents=True)
        for number, start in enumerate(range(0, len(patients), size), start=1):
            batch = [
                (name, reader)
                for name, patient in patients[start : start + size]
                for reader in readers[patient, sequence]
            ]
            lines = [f"{name},{reader},{texts[(start + i) % 256]}" for i, (name, reader) in enumerate(batch)]
            text = "\n".join([",".join(["patient_id", "reader", *header]), *lines, ""])
            (target / f"batch_{number:04d}.features.csv").write_text(text, encoding="utf-8")
            quality = [
                dict.fromkeys(QC_COLUMNS, "1.5")
                | {"patient_id": name, "reader": reader, "sequence": sequence, "region": region}
                | {"image": f"images/{name}/{sequence}.nii.gz", "mask": f"masks/{name}/{sequence}_{reader}.nii.gz"}
                | {"status": "extracted", "reason": "", "size": "352×352×120", "spacing_mm": "0.8×0.8×1.5"}
                for name, reader in batch
                for region in settings.regions
            ]
            table_ = pd.DataFrame(quality, columns=list(QC_COLUMNS))
            table_.to_csv(target / f"batch_{number:04d}.qc.csv", index=False)
            cells += len(batch) * len(header)
        rows = max(rows, sum(len(readers[patient, sequence]) for _, patient in patients))
    third = len(patients) // 3
    people = pd.DataFrame(patients, columns=["patient_id", "source"])
    people = people.assign(partition=["testing"] * third + ["training"] * (len(patients) - third))
    people.to_csv(folder / "participants.csv", index=False)
    return {"sequences": list(protocol.sequences), "rows": rows, "cells": cells, "patients": len(patients)}


def merge_rows(folder: Path, study: str, factor: int, size: int) -> Iterator[list[str]]:
    """Measure merging one study's batches, and splitting the merged table."""
    import json

    written = write_batches(folder, study, factor, size)
    merged, scripts = folder / "cohort.parquet", Path.cwd() / "scripts"
    job = {
        "input": {},
        "glob": {name: f"{folder}/*/*.{name}.csv" for name in ("features", "qc")},
        "params": {"sequences": written["sequences"], "simulated": False},
        "output": {"features": str(merged), "qc": str(folder / "qc.csv")},
        "log": str(folder / "merge.log"),
    }
    used = run([sys.executable, "-c", SCRIPT, scripts / "merge.py", json.dumps(job)], folder)
    gigabytes = written["cells"] * 8 / 1e9
    yield _row(f"merge {study} ({gigabytes:.2f} GB of numbers)", written["patients"], used)
    for partition in ("training", "testing"):
        job = {
            "input": {"participants": str(folder / "participants.csv"), "features": str(merged)},
            "wildcards": {"partition": partition},
            "output": {"participants": str(folder / "p.csv"), "features": str(folder / "p.parquet")},
            "log": str(folder / "partition.log"),
        }
        used = run([sys.executable, "-c", SCRIPT, scripts / "partition.py", json.dumps(job)], folder)
        yield _row(f"its {partition} rows", written["patients"], used)


HEADER = ["", "patients", "wall s", "CPU s", "peak MB"]


def _row(name: str, patients: int, used: Used) -> list[str]:
    row = [name, str(patients), f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.megabytes:.0f}"]
    print("    " + "  ".join(row), flush=True)
    return row


def main() -> None:
    """Measure every factor, and print one table."""
    options = _options()
    compileall.compile_dir(ROOT / "src", quiet=1)  # as any run but the first finds it
    rows = []
    for factor in options.factor:
        with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
            folder = Path(temporary)
            if "plan" in options.parts:
                patients = project(folder, options.studies, factor, options)
                rows += [[f"{factor} ×", *row] for row in plan_rows(folder / "project", patients)]
                shutil.rmtree(folder / "data")
                shutil.rmtree(folder / "project")
            if "merge" in options.parts:
                size = options.patients_per_job or 16
                found = merge_rows(folder / "merge", options.merged, factor, size)
                rows += [[f"{factor} ×", *row] for row in found]
    print(table(["size", *HEADER], rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factor", type=int, nargs="+", default=[1, 10], help="times the published sizes")
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), choices=STUDIES)
    parser.add_argument("--merged", default="her2_peritumoral", choices=STUDIES, help="the study that is merged")
    parser.add_argument("--parts", nargs="+", default=["plan", "merge"], choices=["plan", "merge"])
    parser.add_argument("--patients-per-job", type=int, help="other than the default of config.yaml")
    parser.add_argument("--until", default="report", choices=["report", "extraction"])
    parser.add_argument("--folder", type=Path, help="where to lay out the data, in a folder that is removed again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
