"""A mend of Snakemake's scheduler: one timer at a time, not one more for every job that ended."""

from __future__ import annotations

import functools
import threading
from typing import Any


def one_timer(scheduler: type[Any] | None = None) -> None:
    """Let at most one timer of the scheduler wait for each delay.

    Version 9 limits the jobs that start in a second (``--max-jobs-per-timespan``, 100 by default) and, to look again
    when the second is over, starts a timer after each round in which jobs are still to be run. The end of a timer
    starts a round, and so does the end of a job, so that every job that ends adds one more timer that comes again each
    second until the last job has begun: with 18 jobs the engine took a tenth of a core, with hundreds it takes all of one.

    Parameters
    ----------
    scheduler
        Class of the scheduler; Snakemake's by default.
    """
    if scheduler is None:
        from snakemake.scheduling.job_scheduler import JobScheduler

        scheduler = JobScheduler
    schedule = getattr(scheduler, "_schedule_reevalutation", None)
    if schedule is None or hasattr(schedule, "__wrapped__"):
        return

    @functools.wraps(schedule)
    def schedule_once(self: Any, delay: float) -> None:
        waiting = self.__dict__.setdefault("_waiting_delays", set())
        if delay in waiting:
            return

        def look_again() -> None:
            # first, since the round that begins now may ask for the next timer at once
            waiting.discard(delay)
            self._open_jobs.release()

        waiting.add(delay)
        threading.Timer(delay, look_again).start()

    scheduler._schedule_reevalutation = schedule_once
