"""Small studies on which faults are tried, and the means to cause them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workflow_run import Project, small_cohort

from her2radiomics.core.files import MARK

COHORT = "results/cohorts/simulated_nat_response"
EXTRACTION = f"{COHORT}/extraction/features_1125_2d.tumour_slice/DWI"
RUN = "results/nat_response"
#: One sequence of six patients: what a fault does to a job does not depend on how many jobs there are.
STUDY = {
    "sequences": {"T2FS": None, "DCE2": None},
    "published": None,
    "published_tables": None,
    "models": {"radiomics": {"sequences": ["DWI"]}},
    "simulation": {"sequences": {"T2FS": None, "DCE2": None}},
}
PATIENCE_S = 120.0


class Trial(Project):
    """A project whose Snakemake can be left to itself, watched and killed."""

    fresh = True

    @classmethod
    def new(cls, folder: Path, **config: object) -> Trial:
        """A project in which nothing has been made."""
        runs = [{"study": "nat_response", "until": "extraction"}]
        made = cls(folder, {"seed": 7, "patients_per_job": 2, "runs": runs} | config)
        made.change("studies/nat_response.yaml", small_cohort(training=(2, 2), testing=(1, 1)))
        made.change("studies/nat_response.yaml", STUDY)
        return made

    @classmethod
    def copy_of(cls, other: Trial, folder: Path, *, without: tuple[str, ...] = ()) -> Trial:
        """Another project as far as this one is, but for some of its files and folders."""
        shutil.copytree(other.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("log"))
        copy = cls.__new__(cls)
        copy.folder = folder
        for name in without:
            for path in sorted(folder.glob(name)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return copy

    def start(self, *words: str, cores: int = 2) -> subprocess.Popen[str]:
        """Snakemake in the background, in a process group of its own; its words go to a file."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *words]
        with (self.folder / "printed.txt").open("a", encoding="utf-8") as stream:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=stream, stderr=stream, text=True, start_new_session=True
            )

    def resume(self, *words: str, cores: int = 2) -> str:
        """The documented way on after Snakemake itself was killed."""
        self.snakemake("--unlock")
        return self.snakemake(*words, cores=cores)

    def printed(self) -> str:
        """What Snakemake in the background printed."""
        return (self.folder / "printed.txt").read_text(encoding="utf-8")

    def results(self) -> dict[str, str]:
        """Hash of every result, but for what was set aside."""
        return {path: value for path, value in self.hashes().items() if ".changed" not in path}

    def unfinished(self) -> list[str]:
        """Files and folders that somebody was writing."""
        found = [*(self.folder / "results").rglob(".*"), *(self.folder / ".snakemake/written").rglob(".*")]
        return sorted(str(path.relative_to(self.folder)) for path in found if MARK.match(path.name))

    def cases(self) -> dict[str, int]:
        """Finished cases in the store, each with the time (ns) at which it was written: another one was made again."""
        stores = (self.folder / COHORT).rglob(".cases/*")
        return {path.name: path.stat().st_mtime_ns for path in stores if not path.name.startswith(".")}

    def batch_log(self, number: int) -> str:
        """What the last job that extracted this batch wrote."""
        (path,) = (self.folder / "logs").rglob(f"DWI/batch_{number:04d}.log")
        return path.read_text(encoding="utf-8")

    def jobs_of(self, script: str) -> list[int]:
        """Processes of this project that run a script (their children have the same command line)."""
        return [
            process
            for process, words in processes()
            if f"{script}.py" in words and working_folder(process) == self.folder.resolve()
        ]


def processes() -> Iterator[tuple[int, str]]:
    """Number and command line of every process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def working_folder(process: int) -> Path | None:
    """Where a process works; none when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cwd").resolve(strict=True)
    return None


def wait_for(what: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Look again and again until something is so, for at most two minutes or until a process ends."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        assert process is None or process.poll() is None, "the run ended before it came to that"
        time.sleep(0.002)


def kill(process: int) -> None:
    """End a process so that it can do nothing about it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
