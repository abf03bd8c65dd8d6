"""The executor keeps its jobs while Slurm does not answer (the real thing: ``make test-cluster``)."""

from __future__ import annotations

import asyncio

import pytest

from her2radiomics.engine.patches.slurm import keep_unknown_jobs


def executor(answers):
    """An executor whose rounds of queries are answered or not, which reports and forgets as the plugin does."""

    class Executor:
        def __init__(self):
            self._status_query_calls = 0
            self._answers = iter(answers)

        async def check_active_jobs(self, active_jobs):
            if next(self._answers):
                self._status_query_calls += 1
                for job in active_jobs:
                    if job != "finished":
                        yield job

    return Executor


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ([True], ["running"]),
        ([False], ["running", "finished"]),
        ([False, False, True], ["running"]),
    ],
)
def test_jobs_are_kept_until_slurm_answers(answers, left):
    kind = executor(answers)
    keep_unknown_jobs(kind)
    keep_unknown_jobs(kind)  # a Snakefile may be parsed twice
    run = kind()

    async def rounds():
        jobs = ["running", "finished"]
        for _ in answers:
            jobs = [job async for job in run.check_active_jobs(jobs)]
        return jobs

    assert asyncio.run(rounds()) == left


def test_the_first_round_comes_before_the_executor_is_set_up():
    kind = executor([False])
    keep_unknown_jobs(kind)
    run = kind()
    del run._status_query_calls  # the plugin's thread asks while its constructor still runs

    async def first_round():
        return [job async for job in run.check_active_jobs([])]

    assert asyncio.run(first_round()) == []


def test_without_the_plugin_nothing_happens(monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "snakemake_executor_plugin_slurm", raising=False)
    keep_unknown_jobs()


def test_the_plugin_counts_its_answers_where_the_mend_looks():
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm", reason="make cluster installs it")
    import inspect

    source = inspect.getsource(plugin.Executor)
    assert "self._status_query_calls = 0" in source
    assert "self._status_query_calls += 1" in source
