"""Private parts of Snakemake: for which version, whether they are still needed, and that they do what they are for."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import snakemake.api
import snakemake.io
import snakemake.output_index
import snakemake.persistence.file
from forked import python
from packaging.specifiers import SpecifierSet
from snakemake.dag import DAG
from snakemake.exceptions import ChildIOException, CyclicGraphException
from snakemake.io import IOCache, IOFile, flag
from snakemake.output_index import OutputIndex
from snakemake.rules import Rule
from snakemake.scheduling.job_scheduler import JobRateLimiter, JobScheduler

from her2radiomics.core.errors import StudyError
from her2radiomics.engine import patches
from her2radiomics.engine.patches import lookups
from her2radiomics.engine.patches.incomplete import mark
from her2radiomics.engine.patches.scheduling import one_timer
from her2radiomics.engine.patches.slurm import keep_unknown_jobs

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    item.name: importlib.import_module(f"{patches.__name__}.{item.name}")
    for item in pkgutil.iter_modules(patches.__path__)
}


@pytest.mark.parametrize("name", MODULES)
def test_each_is_for_the_installed_version_and_was_reported(name):
    about = MODULES[name].ABOUT
    try:
        found = version(about.distribution)
    except PackageNotFoundError:
        found = None  # installed by make cluster
    assert found is None or found in SpecifierSet(about.versions), "look whether it is still needed, then say so"
    pinned = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"{about.distribution}{about.versions}' in pinned
    assert re.fullmatch(r"https://github\.com/snakemake/[a-z-]+/(issues|pull)/\d+", about.upstream)
    assert "Expected:" in about.report


def test_nothing_else_uses_private_parts():
    """No import of Snakemake outside the patches but its public names, and no attribute with an underscore."""
    public = {"snakemake.logging", "snakemake.utils", "snakemake.exceptions", "snakemake.iocontainers"}
    public |= {"snakemake_interface_logger_plugins.base", "snakemake_interface_logger_plugins.common"}
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk"), ROOT / "Snakefile"]
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "patches":
            continue
        imported = set(re.findall(r"^(?:from|import) (snakemake[\w.]*)", text, re.MULTILINE))
        assert imported <= public, path
        assert not re.search(r"\bworkflow\.(_|dag\b|persistence\b)", text), path


class Waiting:
    """What of Snakemake's scheduler the patch touches: a semaphore whose release begins a round."""

    def __init__(self) -> None:
        self._open_jobs = threading.Semaphore(0)

    def original(self, delay: float) -> None:
        raise AssertionError("the original is replaced")


class TestScheduling:
    def test_snakemake_still_starts_a_timer_for_each_round(self):
        """Without it the patch is no longer needed: remove it."""
        original = inspect.unwrap(JobScheduler._schedule_reevalutation)
        before, scheduler = threading.active_count(), Waiting()
        for _ in range(5):
            original(scheduler, 0.3)
        assert threading.active_count() == before + 5
        for _ in range(5):
            assert scheduler._open_jobs.acquire(timeout=5)

    def test_the_scheduler_waits_with_one_timer_however_many_jobs_end(self):
        class Scheduler(Waiting):
            """Without a limit of jobs a second."""

            _schedule_reevalutation = Waiting.original

        one_timer(Scheduler)
        one_timer(Scheduler)
        scheduler = Scheduler()
        before = threading.active_count()
        for _ in range(50):
            scheduler._schedule_reevalutation(0.2)
        assert threading.active_count() == before + 1
        assert scheduler._open_jobs.acquire(timeout=5), "the round comes all the same"
        assert not scheduler._open_jobs.acquire(timeout=0.4), "and once"
        scheduler._schedule_reevalutation(0.01)
        assert scheduler._open_jobs.acquire(timeout=5), "the next round has a timer again"

    @pytest.mark.parametrize(("started", "queue", "looks"), [(1, False, False), (3, False, True), (1, True, True)])
    def test_the_scheduler_looks_again_only_where_time_can_change_something(self, started, queue, looks):
        """Below the limit of jobs a second the end of a job begins the next round, and a timer would only cost time."""
        assert hasattr(DAG, "has_unfinished_queue_input_jobs")

        class Scheduler(Waiting):
            job_rate_limiter = JobRateLimiter(SimpleNamespace(max_jobs=3, timespan=0.1))
            workflow = SimpleNamespace(dag=SimpleNamespace(has_unfinished_queue_input_jobs=lambda: queue))
            _schedule_reevalutation = Waiting.original

        one_timer(Scheduler)
        scheduler = Scheduler()
        scheduler.job_rate_limiter.register_jobs(started)
        scheduler._schedule_reevalutation(0.1)
        assert scheduler._open_jobs.acquire(timeout=0.5) == looks
        # another delay is another's timer
        scheduler._schedule_reevalutation(0.05)
        assert scheduler._open_jobs.acquire(timeout=5)


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


class TestSlurm:
    """The real thing: ``make test-cluster``."""

    @pytest.mark.parametrize(
        ("answers", "left"),
        [([True], ["running"]), ([False], ["running", "finished"]), ([False, False, True], ["running"])],
    )
    def test_jobs_are_kept_until_slurm_answers(self, answers, left):
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

    def test_the_first_round_comes_before_the_executor_is_set_up(self):
        kind = executor([False])
        keep_unknown_jobs(kind)
        run = kind()
        del run._status_query_calls  # the plugin's thread asks while its constructor still runs

        async def first_round():
            return [job async for job in run.check_active_jobs([])]

        assert asyncio.run(first_round()) == []

    def test_without_the_plugin_nothing_happens(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "snakemake_executor_plugin_slurm", raising=False)
        keep_unknown_jobs()

    def test_the_plugin_still_forgets_its_jobs_in_a_round_without_an_answer(self, monkeypatch):
        """Without it the patch is no longer needed: remove it."""
        plugin = pytest.importorskip("snakemake_executor_plugin_slurm", reason="make cluster installs it")

        async def no_answer(*_):
            return None, None

        monkeypatch.setattr(plugin, "query_job_status", no_answer)
        monkeypatch.setattr(plugin, "get_min_job_age", lambda: 300)
        monkeypatch.setattr(plugin, "is_query_tool_available", lambda _: True)
        settings = SimpleNamespace(init_seconds_before_status_checks=20, status_attempts=2)
        run = SimpleNamespace(
            workflow=SimpleNamespace(executor_settings=settings),
            logger=SimpleNamespace(debug=print, info=print, warning=print),
            run_uuid="run",
            get_status_command=lambda: "squeue",
            status_rate_limiter=asyncio.Semaphore(1),
            _status_query_calls=0,
            _status_query_failures=0,
        )
        running = [SimpleNamespace(external_jobid="7", aux={})]

        async def left(check):
            return [job async for job in check(run, running)]

        check = inspect.unwrap(plugin.Executor.check_active_jobs)
        assert asyncio.run(left(check)) == []
        assert run._status_query_failures == 2
        kind = type("Executor", (), {"check_active_jobs": check})
        keep_unknown_jobs(kind)
        assert asyncio.run(left(kind.check_active_jobs)) == running
        assert "self._status_query_calls += 1" in inspect.getsource(plugin.Executor)


SNAKEFILE = """
workflow_was_prepared = workflow.persistence is not None

include: "{root}/workflow/rules/records.smk"

rule all:
    default_target: True
    input: "results/b.txt"

rule a:
    output: "results/a.txt"
    log: "logs/a.log"
    script: "write.py"

rule b:
    input: "results/a.txt"
    output: "results/b.txt"
    log: "logs/b.log"
    script: "write.py"

onsuccess:
    print("prepared while it was read:", workflow_was_prepared)
"""
SCRIPT = """
from pathlib import Path
from her2radiomics.engine.script import logged
with logged(snakemake):
    Path(snakemake.output[0]).write_text("what the job wrote")
"""


class TestIncomplete:
    @pytest.fixture
    def run(self, tmp_path):
        """Runs Snakemake on two rules whose results are recorded."""
        (tmp_path / "Snakefile").write_text(SNAKEFILE.format(root=ROOT))
        (tmp_path / "write.py").write_text(SCRIPT)

        def snakemake(*words):
            command = [python(), "-m", "snakemake", "--cores", "1", "--rerun-incomplete", *words]
            environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout + done.stderr

        return snakemake

    @pytest.mark.parametrize("backend", ["file", "db"])
    def test_an_edited_result_is_made_again_wherever_snakemake_keeps_its_metadata(self, run, backend, tmp_path):
        options = ("--persistence-backend", backend)
        assert "prepared while it was read: False" in run(*options), "workflow.persistence will do: remove the patch"
        result = tmp_path / "results/a.txt"
        result.write_text("what somebody made of it")
        planned = run(*options, "-n")
        assert "results/a.txt: found 24 of 18 bytes" in planned
        assert re.search(r"^a +1$", planned, re.MULTILINE) and re.search(r"^b +1$", planned, re.MULTILINE)
        assert result.read_text() == "what somebody made of it"
        assert "is kept as results/a.txt.changed" in run(*options)
        assert result.read_text() == "what the job wrote"
        assert (tmp_path / "results/a.txt.changed").read_text() == "what somebody made of it"
        assert "Nothing to be done" in run(*options, "-n")
        assert (tmp_path / ".snakemake/metadata.db").exists() == (backend == "db")

    def test_another_snakemake_is_refused_by_name(self):
        mark(SimpleNamespace(), [])
        with pytest.raises(StudyError, match=r"results/a\.txt.*expected snakemake==9\.27.*make setup"):
            mark(SimpleNamespace(), ["results/a.txt"])


class Known:
    """A job that the graph has."""

    def __init__(self, input: list[Any], output: list[str] | None = None) -> None:
        self.input, self.output = input, output or []
        self.rule = SimpleNamespace(name="makes", lineno=1, snakefile="Snakefile")

    def __lt__(self, other: Any) -> bool:
        return False

    __gt__ = __lt__


class TestLookups:
    """What of Snakemake's index and records the patch touches."""

    def test_a_file_is_looked_up_once_and_a_new_index_looks_again(self):
        lookups.look_once()
        looked: list[str] = []

        class Rule:
            def is_producer(self, file: str) -> bool:
                looked.append(file)
                return True

        rule = Rule()
        for _ in range(2):
            index = OutputIndex([])
            index.match = lambda file: {rule}
            assert [index.match_producers("a"), index.match_producers("a")] == [{rule}, {rule}]
        assert looked == ["a", "a"]

    def test_a_path_without_wildcards_is_compared_as_text(self):
        lookups.look_once()

        class Made:
            def __init__(self, *paths: str) -> None:
                self.paths = [IOFile(path, rule=None) for path in paths]

            def products(self) -> list[Any]:
                return self.paths

            is_producer = Rule.is_producer

        plain, wild = Made("results/a.txt", "results/b.txt"), Made("results/{name}.txt")
        below, other = Made("results/{run}/flow.csv"), Made("logs/{run}/flow.csv", "results/{run}/tables/flow.csv")
        index = OutputIndex([plain, wild, below, other])
        assert index.match_producers("results/r/flow.csv") == {below}
        assert index.match_producers("results/r/tables/flow.csv") == {below, other}
        assert index.match_producers("results/r/overflow.csv") == index.match_producers("flow.csv") == set()
        assert index.match_producers("results/b.txt") == {plain, wild}
        assert index.match_producers("results/c.txt") == {wild}
        assert index.match_producers("results/a.txt.changed") == set()
        same = plain.paths[0].match("results/a.txt")
        assert same and same.groupdict() == {} and plain.paths[0]._regex is None
        assert plain.paths[0].match("results/axtxt") is None
        assert wild.paths[0].match("results/a.txt").groupdict() == {"name": "a"}

    def test_files_are_compared_and_hashed_as_the_texts_that_they_are(self):
        lookups.look_once()
        file, flagged = IOFile("results/a.txt"), IOFile(flag("results/a.txt", "temp"))
        assert file == flagged == "results/a.txt" != IOFile("results/b.txt")
        assert {file: 1}[flagged] == {"results/a.txt": 1}[file] == 1
        one, other = (IOFile(lambda wildcards, name=name: name) for name in "ab")
        assert one == one != other
        stored = flag("results/a.txt", "storage_object", SimpleNamespace())
        assert IOFile(stored).is_storage and not any(item.is_storage for item in (file, flagged, one))

    def test_a_file_is_looked_for_once_as_long_as_snakemake_keeps_its_answers(self, tmp_path):
        lookups.look_once()
        path, cache = tmp_path / "a.txt", IOCache(0)
        file = IOFile(str(path), rule=None)
        file.rule = SimpleNamespace(workflow=SimpleNamespace(iocache=cache))
        assert asyncio.run(file.exists()) is False
        path.touch()
        assert asyncio.run(file.exists()) is False
        cache.clear()
        assert asyncio.run(file.exists()) is True
        cache.deactivate()
        path.unlink()
        assert asyncio.run(file.exists()) is False

    def test_a_known_job_is_gone_over_once_and_a_cycle_is_still_one(self, monkeypatch):
        lookups.look_once()
        gone_over = []

        async def update_(self, job, **more):
            gone_over.append(job)

        monkeypatch.setattr(DAG, "update_", update_)
        monkeypatch.setattr(DAG, "check_periodic_wildcards", lambda *_: None)
        made = Known([IOFile("a")])
        dag = DAG.__new__(DAG)
        dag._dependencies = {made: {}}
        assert asyncio.run(dag.update([made], file=IOFile("b"), visited=set())) is made and gone_over == []
        for file, visited in ((IOFile("a"), set()), (IOFile("b"), {made})):
            with pytest.raises(CyclicGraphException):
                asyncio.run(dag.update([made], file=file, visited=visited))

    @pytest.mark.parametrize(("other", "refused"), [("results/a/b.txt", True), ("results/a.txt", False)])
    def test_an_output_within_anothers_folder_is_still_refused(self, other, refused):
        lookups.look_once()
        jobs = [Known([], [path]) for path in ("results/a", "results/a-b", other)]
        with pytest.raises(ChildIOException) if refused else contextlib.nullcontext():
            DAG.check_directory_outputs(SimpleNamespace(jobs=jobs))

    def test_snakemake_still_compares_files_in_python_and_goes_over_known_jobs(self):
        source = inspect.getsource(snakemake.io)
        assert "def __eq__(self, other):\n        f = other._file" in source and "self._file.__hash__()" in source
        assert "if self in cache:" in source and "parent in self.has_inventory or super()" in source
        assert "_dependencies" not in inspect.getsource(inspect.unwrap(DAG.update)).split("await self.update_(")[0]
        assert "Path(f).absolute()" in inspect.getsource(inspect.unwrap(DAG.check_directory_outputs))

    def test_snakemake_still_keeps_few_records_and_no_rules(self):
        assert "known" not in inspect.getsource(snakemake.output_index)
        assert "lru_cache()\n    def _read_record_cached" in inspect.getsource(snakemake.persistence.file)


def test_the_api_still_has_no_way_to_the_jobs():
    """A new method may give the jobs of a file: use it in place of the private parts."""
    known = """
    archive cleanup_metadata cleanup_shadow conda_cleanup_envs conda_create_envs conda_list_envs
    container_cleanup_images containerize create_report delete_output execute_workflow export_to_cwl
    generate_unit_tests list_changes list_untracked printd3dag printdag printfilegraph printrulegraph
    summary unlock
    """
    assert {name for name in dir(snakemake.api.DAGApi) if not name.startswith("_")} == set(known.split())
