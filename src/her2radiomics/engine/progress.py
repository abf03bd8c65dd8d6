"""How far a run is and how long it will still take: one line a finished job.

    [ 37/142]  26 %  0:41 gone, about 1:52 left   features: patient C1_003, sequence DWI

Errors, warnings and dry runs look as Snakemake prints them.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from logging import INFO, LogRecord

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# said once a job by the progress line
REPLACED = {
    LogEvent.JOB_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.PROGRESS,
    LogEvent.SHELLCMD,
    LogEvent.RESOURCES_INFO,
    LogEvent.RUN_INFO,
    LogEvent.WORKFLOW_STARTED,
}


class Progress:
    """Counts jobs and estimates the time left.

    The time left is the sum, over the jobs still to do, of the mean duration of finished jobs of the same rule (of
    all jobs where none has finished), divided by how many jobs have been running side by side.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock."""
        self._clock = clock
        self._begun = clock()
        self._left: Counter[str] = Counter()
        self._total = 0
        self._done = 0
        self._running: dict[int, tuple[str, str, float]] = {}
        self._durations: dict[str, list[float]] = defaultdict(list)

    def plan(self, stats: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule, as Snakemake announces it."""
        self._total = int(stats.get("total", 0))
        self._left = Counter({rule: int(count) for rule, count in stats.items() if rule != "total"})
        self._begun = self._clock()

    def start(self, job: int, rule: str, what: str) -> None:
        """Note that a job has begun."""
        self._running[job] = (rule, what, self._clock())

    def finish(self, job: int) -> str | None:
        """Note that a job has ended and return its line."""
        if job not in self._running:
            return None
        rule, what, begun = self._running.pop(job)
        now = self._clock()
        self._durations[rule].append(now - begun)
        self._left[rule] -= 1
        self._done += 1
        total = max(self._total, self._done)
        width = len(str(total))
        left = self.seconds_left()
        ahead = "" if left is None or self._done == total else f", about {clock_time(left)} left"
        share = 100 * self._done // total
        return f"[{self._done:>{width}}/{total}] {share:>3} %  {clock_time(now - self._begun)} gone{ahead}   {what}"

    def seconds_left(self) -> float | None:
        """Seconds until the end, or ``None`` before the first job has ended."""
        durations = [value for values in self._durations.values() for value in values]
        elapsed = self._clock() - self._begun
        if not durations or elapsed <= 0:
            return None
        overall = sum(durations) / len(durations)
        means = {rule: sum(values) / len(values) for rule, values in self._durations.items()}
        ahead = sum(count * means.get(rule, overall) for rule, count in self._left.items() if count > 0)
        side_by_side = max(1.0, sum(durations) / elapsed)
        return ahead / side_by_side


def clock_time(seconds: float) -> str:
    """``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class ProgressHandler(LogHandlerBase):
    """Keeps account of the jobs and prints a line when one ends."""

    def __post_init__(self) -> None:
        """Take Snakemake's own filter and formatter for everything that is not progress."""
        settings = self.common_settings
        self.progress = Progress()
        self.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
        self.addFilter(
            DefaultFilter(
                settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
            )
        )

    def emit(self, record: LogRecord) -> None:
        """Print the record, or count it."""
        try:
            line = self._line(record)
            if line:
                print(line, file=sys.stdout if self.common_settings.stdout else sys.stderr, flush=True)
        except Exception:
            self.handleError(record)

    def _line(self, record: LogRecord) -> str | None:
        event = getattr(record, "event", None)
        if self.common_settings.dryrun:
            return self.format(record)
        if event == LogEvent.RUN_INFO:
            self.progress.plan(record.stats)  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_INFO:
            what = record.rule_msg or _rule_and_wildcards(record)  # type: ignore[attr-defined]
            self.progress.start(record.jobid, record.rule_name, what)  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_FINISHED:
            return self.progress.finish(record.job_id)  # type: ignore[attr-defined]
        if event in REPLACED or (event is None and record.levelno == INFO and _chatter(record.getMessage())):
            return None
        return self.format(record)

    # what Snakemake asks of a handler: it writes to the terminal alone, with Snakemake's filter and formatter
    writes_to_stream = has_filter = has_formatter = True
    writes_to_file = needs_rulegraph = False


def _rule_and_wildcards(record: LogRecord) -> str:
    wildcards = getattr(record, "wildcards", None) or {}
    return " ".join([record.rule_name, *map(str, wildcards.values())])  # type: ignore[attr-defined]


def _chatter(message: str) -> bool:
    """Snakemake's running commentary, of no use beside a progress line."""
    return message.startswith(("Select jobs to execute", "Execute ", "Building DAG", "Using shell", "Touching "))
