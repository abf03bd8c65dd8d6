"""Snakemake submitting a project's jobs to the test cluster, while a test does harm to them."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
from slurm import Cluster, processes, wait_for
from workflow_run import Project

# the profile as users have it, but for waits that suit jobs of seconds
OPTIONS = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10")
JOB = re.compile(r"has been submitted with SLURM jobid (\d+)")


class Submitted:
    """A run of Snakemake in the background."""

    def __init__(self, project: Project, cluster: Cluster, *words: str) -> None:
        self.project, self.cluster = project, cluster
        self.log = project.folder / "submitted.log"
        command = [sys.executable, "-m", "snakemake", *OPTIONS, *words]
        # jobs come after those of earlier tests: the cluster is one for all
        self.earlier = {job["id"] for job in cluster.jobs()}
        with self.log.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=project.folder,
                env=os.environ | {"LC_ALL": "C.UTF-8", "TZ": "America/Lima"},
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Submitted:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and its jobs, where the test did not come to its end."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        left = [job["id"] for job in self.jobs() if job["state"] in ("RUNNING", "PENDING")]
        if left:
            subprocess.run(["scancel", *left], check=True)

    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def jobs(self, state: str = "", rule: str = "") -> list[dict[str, str]]:
        """This run's jobs in Slurm, by state and rule or group."""
        return [
            job
            for job in self.cluster.jobs()
            if job["id"] not in self.earlier
            and job["state"] == (state or job["state"])
            and kind(job) == (rule or kind(job))
        ]

    def still_running(self) -> None:
        assert self.process.poll() is None, f"Snakemake ended before:\n{self.printed()[-4000:]}"

    def wait_for_jobs(self, number: int, state: str, rule: str, seconds: float = 600) -> list[dict[str, str]]:
        """Wait until so many jobs of a rule are in a state, and return them."""

        def there() -> bool:
            self.still_running()
            return len(self.jobs(state, rule)) >= number

        wait_for(f"{number} jobs of {rule} {state}", there, seconds)
        return self.jobs(state, rule)

    def scripts(self, name: str) -> list[psutil.Process]:
        """Running processes of a rule's script."""
        found = []
        for process in processes(self.cluster.folder):
            with contextlib.suppress(psutil.Error):
                if process.cmdline()[-1:] and process.cmdline()[-1].endswith(f".{name}.py"):
                    found.append(process)
        return found

    def wait_for_script(self, name: str, seconds: float = 600) -> None:
        """Wait until a node computes: its job has its step from the controller."""

        def there() -> bool:
            self.still_running()
            return bool(self.scripts(name))

        wait_for(f"a running {name}.py", there, seconds)

    def kill_script(self, name: str, seconds: float = 600) -> str:
        """Kill -9 a running script, as the kernel does when memory runs out; the id of its job in Slurm."""
        found: list[str] = []

        def killed() -> bool:
            self.still_running()
            for process in self.scripts(name)[:1]:
                with contextlib.suppress(psutil.Error):
                    job = process.environ()["SLURM_JOB_ID"]
                    process.kill()
                    found.append(job)
            return bool(found)

        wait_for(f"a running {name}.py", killed, seconds)
        return found[0]

    def finish(self, seconds: float) -> None:
        """Wait for its end, which must be a good one."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        assert code == 0, f"Snakemake: {code} after {seconds:.0f} s\n{self.printed()[-6000:]}\n{self.jobs()}"


def kind(job: dict[str, str]) -> str:
    """Rule or group of a job: Slurm's comment is ``rule_<name>_…``, and the batches of ``simulate`` are numbered rules."""
    return job["comment"].split("_")[1]


def attempts(jobs: list[dict[str, str]]) -> Counter[str]:
    """How often each rule with its wildcards was submitted."""
    return Counter(job["comment"] for job in jobs)


def megabytes(memory: str) -> int:
    """Slurm's ``1500M`` or ``3G`` in MB."""
    return int(float(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]])


def results(project: Project) -> dict[str, str]:
    """Hashes of all results, without what a killed job was writing: it has no result's name, and nothing reads it."""
    return {path: value for path, value in project.hashes().items() if not Path(path).name.startswith(".writing-")}
