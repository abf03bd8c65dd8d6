"""Run Snakemake on a copy of the workflow with another config: the same Snakefile, rules and scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from forked import python

from her2radiomics.core.settings import overlay, read_yaml

ROOT = Path(__file__).resolve().parent.parent
LINKED = ("Snakefile", "scripts", "src", "envs", "profiles")
EXEMPT = ("provenance",)  # the only results that may differ between two runs of the same input
# changes of a study: resampling is the same code in any number of rounds
FEW_ROUNDS = {"evaluation": {"bootstrap": 100, "calibration_bootstrap": 10, "pipeline_bootstrap": 4}}


class Project:
    """A folder with the workflow in it and a config of its own."""

    #: Whether Snakemake and its jobs start as new processes, not as forks of one that has the libraries loaded.
    fresh = False

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "workflow", folder / "workflow")
        self.configure(config)

    def configure(self, config: dict[str, Any]) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def change(self, file: str, changes: dict[str, Any]) -> None:
        """Lay changes over a study or cohort file of the copy."""
        path = self.folder / "workflow" / file
        content = read_yaml(path) if path.exists() else {}
        text = yaml.safe_dump(overlay(content, changes), sort_keys=False, allow_unicode=True)
        path.write_text(text, encoding="utf-8")

    def snakemake(self, *words: str, cores: int = 2, ok: bool = True) -> str:
        """Run Snakemake and return what it printed."""
        start = sys.executable if self.fresh else python()
        command = [start, "-m", "snakemake", "--cores", str(cores), *words]
        # a locale and time zone of its own, so that no result may depend on the machine's
        environment = os.environ | {"LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8")
        printed = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, f"exit {done.returncode} of {' '.join(command)}:\n{printed}\n{self.logs()}"
        return printed

    def jobs(self, *words: str) -> dict[str, int]:
        """Rule to number of jobs that would run."""
        counts = {}
        printed = self.snakemake("--quiet", "rules", "-n", *words)  # -n ends the words of --quiet
        for line in printed.splitlines():
            parts = line.split()
            if len(parts) == 2 and parts[1].isdigit() and parts[0] != "total":
                counts[parts[0]] = int(parts[1])
        return counts

    def forget(self, folder: str) -> None:
        """Take files as the user's own: nobody knows what a job wrote there, so they may be replaced like a user's."""
        shutil.rmtree(self.folder / ".snakemake/written" / folder)

    def logs(self) -> str:
        """What failed jobs wrote."""
        texts = [(path, path.read_text(encoding="utf-8")) for path in sorted((self.folder / "logs").rglob("*.log"))]
        return "\n".join(f"--- {path.name}\n{text}" for path, text in texts if text.strip())[-4000:]

    def hashes(self) -> dict[str, str]:
        """Every result by its path, but for the exempt ones."""
        results = self.folder / "results"
        return {
            path.relative_to(results).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in sorted(results.rglob("*"))
            if path.is_file() and ("software" in path.parts or not set(EXEMPT) & set(path.relative_to(results).parts))
        }


def small_cohort(training: tuple[int, int], testing: tuple[int, int]) -> dict[str, Any]:
    """Changes that make a study's simulated cohort as small as (positive, negative) patients per centre."""
    counts = {
        name: {"counts": {"demo": {"positive": positive, "negative": negative}}}
        for name, (positive, negative) in (("centre_1", training), ("centre_2", testing))
    }
    return {"simulation": {"centres": counts}}
