"""How far the studies of a configuration are: read from results and Snakemake's own log, without a lock.

Nothing is asked of the process that runs, so that this works beside it, from another machine that sees the folder, and
after a kill. A cluster's jobs are in the log of the process that submitted them.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from her2radiomics.engine.progress import clock_time
from her2radiomics.study.plan import Plan
from her2radiomics.study.run import Run

LOGS, LOCKS = Path(".snakemake/log"), Path(".snakemake/locks")
_JOB = re.compile(r"\s*Job (\d+): (.*)")
_RULE = re.compile(r"\s*(?:local)?(?:rule|checkpoint) (\S+):")
_ID, _LOG = re.compile(r"\s+jobid: (\d+)"), re.compile(r"\s+log: (\S+?),? ")
_ERROR, _DONE = re.compile(r"\s*Error in (?:rule|group) (\S+?):"), re.compile(r"\s*Finished jobid: (\d+)")
_STEPS = re.compile(r"(\d+) of (\d+) steps")
SHOWN = 8


@dataclass
class Job:
    """A job that the log names: what it does, why (with the files that it makes), and its log where it failed."""

    what: str
    reason: str = ""
    log: str = ""

    def of(self, names: Iterable[str]) -> bool:
        """Whether it works for one of the runs or data sets of these names."""
        return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", f"{self.what} {self.reason}") for name in names)


@dataclass
class Log:
    """What the log of one call of Snakemake says of its jobs so far."""

    done: int = 0
    total: int = 0
    running: dict[str, Job] = field(default_factory=dict)
    failed: dict[str, Job] = field(default_factory=dict)
    age: float = 0.0


def read_log(text: str) -> Log:
    """The jobs of a log: begun, finished and failed; a failed job that was begun again is running."""
    log, rule, failing = Log(), "", None
    known: dict[str, Job] = {}
    stats = re.search(r"^total\s+(\d+)", text, re.M)
    log.total = int(stats[1]) if stats else 0
    for line in text.splitlines():
        if found := _JOB.match(line):
            known[found[1]] = log.running[found[1]] = Job(found[2])
            log.failed.pop(found[1], None)
            failing, rule = None, ""
        elif line.strip().startswith("Reason: ") and known:
            [*known.values()][-1].reason = line
        elif found := _ERROR.match(line):
            failing, rule = Job(found[1]), ""
        elif found := _RULE.match(line):
            rule = found[1]
        elif (found := _ID.match(line)) and failing is not None:
            log.running.pop(found[1], None)
            failing = log.failed[found[1]] = known.get(found[1], failing)
        elif (found := _ID.match(line)) and rule:
            known[found[1]] = log.running[found[1]] = Job(rule)
            rule = ""
        elif (found := _LOG.match(line)) and failing is not None:
            failing.log = failing.log or found[1]
        elif found := _DONE.match(line):
            log.running.pop(found[1], None)
        elif found := _STEPS.match(line):
            log.done, log.total = int(found[1]), int(found[2])
    return log


def latest_log(folder: Path = LOGS) -> Log | None:
    """The log of the newest call that began jobs; ``None`` where none did."""
    for path in sorted(folder.glob("*.snakemake.log"), reverse=True):
        text = path.read_text(encoding="utf-8", errors="replace")
        if re.search(r"^Execute \d+ jobs", text, re.M):
            log = read_log(text)
            log.age = max(0.0, time.time() - path.stat().st_mtime)
            return log
    return None


def going_on() -> bool:
    """Whether Snakemake holds its lock on the results; after a kill it stays."""
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def status_of(plan: Plan) -> str:
    """What is done, running, failed and left of each run; to be called in the project's folder."""
    log, active = latest_log(), going_on()
    lines = [_overall(log, active)]
    for run in plan.runs.values():
        lines += _of(run, log or Log(), active)
    lines += [f"{name}: refused. {error}" for name, error in plan.refused.items()]
    return "\n".join(lines)


def _overall(log: Log | None, active: bool) -> str:
    if log is None:
        return "No run has begun jobs here."
    jobs = f"{log.done} of {log.total} jobs done, {len(log.failed)} failed"
    said = f"its log was last written {clock_time(log.age)} ago"
    if active:
        return f"A run is going on: {jobs}; {said}. If it was killed: her2radiomics resume."
    return f"No run is going on. The last one: {jobs}; {said}."


def _of(run: Run, log: Log, active: bool) -> list[str]:
    files = list(dict.fromkeys(run.targets("all")))
    there = sum(os.path.lexists(path) for path in files)
    names = (run.id, run.dataset.id)
    running = [job.what for job in log.running.values() if active and job.of(names)]
    failed = [job for job in log.failed.values() if job.of(names)]
    state = "done" if there == len(files) else f"{len(files) - there} left"
    counts = "".join(f", {len(jobs)} {what}" for what, jobs in (("running", running), ("failed", failed)) if jobs)
    lines = [f"{run.id}: {there} of {len(files)} files are there, {state}{counts}"]
    shown = [f"  running: {what}" for what in running]
    shown += [f"  failed: {job.what}{f' (see {job.log})' if job.log else ''}" for job in failed]
    return [*lines, *shown[:SHOWN], *[f"  and {len(shown) - SHOWN} more"] * (len(shown) > SHOWN)]
