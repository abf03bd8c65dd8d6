"""Snakemake's scheduler looks for jobs to start when something can have changed, not every second."""

from __future__ import annotations

import functools
import threading
from typing import Any

import snakemake.api  # noqa: F401  Snakemake's modules import each other, and only in this order
from snakemake.scheduling.job_scheduler import JobScheduler

from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/pull/3744",
    """\
Every finished job adds a timer that starts a scheduling round each second until the last job has begun.

`JobScheduler.schedule` ends each round with `_schedule_reevalutation(self.job_rate_limiter.timespan)`, which starts a
`threading.Timer`. The round that a finished job starts adds one, too, and each timer's round adds its successor, so that
there are as many timers as jobs have finished. With the default limit (100 jobs a second) nothing can have changed when
they end. A round computes params and resources of all ready jobs.

Seen with: 18 ready jobs of about 20 s on two cores: 38 s of CPU in the main process in a run of 400 s; 5 s with one timer.
Expected: at most one timer for each delay, and none while `get_free_jobs()` is above 0: the next finished job starts a
round anyway. (A timer for queue input has to stay.)
""",
)


def one_timer(scheduler: type[Any] = JobScheduler) -> None:
    """Let at most one timer of the scheduler wait for each delay, and none where time alone changes nothing.

    Version 9 limits the jobs that start in a second (``--max-jobs-per-timespan``, 100 by default) and, to look again
    when the second is over, starts a timer after each round in which jobs are still to be run. The end of a timer
    starts a round, and so does the end of a job, so that every job that ends adds one more timer that comes again each
    second until the last job has begun: with 18 jobs the engine took a tenth of a core, with hundreds it takes all of one.
    A round computes the parameters of every job that could start, 0.2 s with a hundred of them. Only where the limit is
    reached can a job start because a second has passed; else it waits for another to end, and that begins a round anyway.

    Parameters
    ----------
    scheduler
        Class of the scheduler.
    """
    schedule = getattr(scheduler, "_schedule_reevalutation", None)
    if schedule is None or hasattr(schedule, "__wrapped__"):
        return

    @functools.wraps(schedule)
    def schedule_once(self: Any, delay: float) -> None:
        waiting = self.__dict__.setdefault("_waiting_delays", set())
        if delay in waiting or _limit_is_far(self, delay):
            return

        def look_again() -> None:
            # first, since the round that begins now may ask for the next timer at once
            waiting.discard(delay)
            self._open_jobs.release()

        waiting.add(delay)
        threading.Timer(delay, look_again).start()

    scheduler._schedule_reevalutation = schedule_once


def _limit_is_far(scheduler: Any, delay: float) -> bool:
    """Whether the timer is that of the limit of jobs a second, and more may start in this second."""
    limiter = getattr(scheduler, "job_rate_limiter", None)
    if limiter is None or delay != limiter.timespan or limiter.get_free_jobs() == 0:
        return False
    # files that arrive while the workflow runs are looked for by a timer too
    return not scheduler.workflow.dag.has_unfinished_queue_input_jobs()
