"""Snakemake's Slurm executor keeps its jobs when Slurm does not answer."""

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator
from typing import Any

from her2radiomics.engine.patches import Patch

PLUGIN = "snakemake_executor_plugin_slurm"
ABOUT = Patch(
    "snakemake-executor-plugin-slurm",
    "==2.8.0",
    "https://github.com/snakemake/snakemake-executor-plugin-slurm/issues/207",
    """\
With 2.8.0 Snakemake still waits for ever after Slurm did not answer for one round of status queries.

`Executor.check_active_jobs` has to yield every job that still runs. When all `status_attempts` queries of a round fail (the
controller is restarted, the accounting database is busy), `status_of_jobs` is None and nothing is yielded: the interface
takes all jobs for finished, and neither success nor failure is ever reported.

Seen with: slurmctld killed in a run and started again 40 s later.
Expected: a round without an answer yields all `active_jobs`, so that they are asked about in the next one.
""",
)


def keep_unknown_jobs(executor: type[Any] | None = None) -> None:
    """Let the executor keep its jobs while Slurm does not answer.

    Version 2.8.0 forgets all running jobs when every query of a round fails (the controller is restarted, the
    accounting database is busy), and then waits for ever.

    Parameters
    ----------
    executor
        Class of the executor; the plugin's by default. Nothing is done where the plugin is not loaded.
    """
    if executor is None:
        executor = getattr(sys.modules.get(PLUGIN), "Executor", None)
    if executor is None or hasattr(executor.check_active_jobs, "__wrapped__"):
        return
    check = executor.check_active_jobs

    @functools.wraps(check)
    async def check_or_keep(self: Any, active_jobs: list[Any]) -> AsyncIterator[Any]:
        # the executor counts the answered queries; its first round, without jobs, comes before it has begun to count
        answers = getattr(self, "_status_query_calls", 0)
        async for job in check(self, active_jobs):
            yield job
        if getattr(self, "_status_query_calls", 0) == answers:
            for job in active_jobs:
                yield job

    executor.check_active_jobs = check_or_keep
