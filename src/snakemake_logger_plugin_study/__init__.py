"""Progress that a person can follow: a Snakemake logger that prints one line a finished job.

    [ 37/142]  26 %  0:41 gone, about 1:52 left   features: patient C1_003, sequence DWI

Chosen by ``logger: study`` in the default profile. Errors, warnings and dry runs look as Snakemake prints them.
"""

from __future__ import annotations

import sys
from logging import INFO, LogRecord

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_study.progress import Progress

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


class LogHandler(LogHandlerBase):
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

    @property
    def writes_to_stream(self) -> bool:
        """It writes to the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It writes no file."""
        return False

    @property
    def has_filter(self) -> bool:
        """It brings Snakemake's filter."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It brings Snakemake's formatter."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It does not draw the graph."""
        return False


def _rule_and_wildcards(record: LogRecord) -> str:
    wildcards = getattr(record, "wildcards", None) or {}
    return " ".join([record.rule_name, *map(str, wildcards.values())])  # type: ignore[attr-defined]


def _chatter(message: str) -> bool:
    """Snakemake's running commentary, of no use beside a progress line."""
    return message.startswith(
        ("Select jobs to execute", "Execute ", "Building DAG", "Using shell", "Touching ")
    )
