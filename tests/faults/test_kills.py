"""Jobs and Snakemake itself killed, once or many times, and started again."""

from __future__ import annotations

import random
import time

import pytest
from trials import COHORT, EXTRACTION, RUN, Trial, kill, wait_for

SEED = 20250715
KILLS = 12


def count(jobs: dict[str, int], rule: str) -> int:
    return sum(number for name, number in jobs.items() if name.startswith(rule))


def extracting(trial: Trial):
    """Whether a case is being computed, and by whom."""
    return trial.jobs_of("extract") if list((trial.folder / EXTRACTION / ".cases").glob(".writing-*")) else []


def test_a_killed_extraction_is_tried_again_within_the_run(imaged, undisturbed):
    """A case of its batch may have been finished: it comes from the store."""
    run = imaged.start(cores=1)
    wait_for(lambda: len(imaged.cases()) >= 1 and extracting(imaged), run)
    before = imaged.cases()
    for process in imaged.jobs_of("extract"):
        kill(process)
    assert run.wait(600) == 0, imaged.printed()
    assert "Trying to restart job" in imaged.printed()
    assert {name: imaged.cases()[name] for name in before} == before
    assert imaged.results() == undisturbed.results()
    # what the killed job was writing is still there; the next run that does anything clears it away
    (imaged.folder / RUN / "cohort/grey_levels.svg").unlink()
    imaged.snakemake()
    assert imaged.unfinished() == []


def test_another_killed_job_stops_the_run_and_the_next_goes_on(imaged, undisturbed):
    run = imaged.start(cores=1)
    wait_for(lambda: imaged.jobs_of("merge"), run)
    for process in imaged.jobs_of("merge"):
        kill(process)
    assert run.wait(600) != 0
    assert imaged.jobs() == {"merge": 1, "grey_levels": 1, "extracted": 1, "extraction_page": 1, "all": 1}
    imaged.snakemake()
    assert imaged.results() == undisturbed.results()


@pytest.mark.quick_fault
def test_snakemake_killed_once_leaves_a_job_that_runs_on_beside_its_successor(imaged, undisturbed):
    """Nobody waits for the orphan: both write the same cases and tables, and both are whole."""
    run = imaged.start(cores=1)
    wait_for(lambda: extracting(imaged), run)
    kill(run.pid)
    run.wait()
    assert "LockException" in imaged.snakemake(ok=False)
    imaged.resume()
    assert imaged.results() == undisturbed.results()
    assert imaged.jobs() == {}


def test_snakemake_killed_at_random_moments_again_and_again(tmp_path, undisturbed):
    """From nothing to the end, through a dozen kills: no job that was finished is done again."""
    chance = random.Random(SEED)
    trial = Trial.new(tmp_path / "study")
    planned = trial.jobs()
    cases: dict[str, int] = {}
    for _ in range(KILLS):
        if not trial.jobs():
            break
        run = trial.start()
        # a start takes some seconds of planning; then jobs of one to ten seconds
        wait = chance.uniform(0.5, 15.0)
        end = time.monotonic() + wait
        while time.monotonic() < end and run.poll() is None:
            time.sleep(0.05)
        kill(run.pid)
        run.wait()
        trial.snakemake("--unlock")
        left = trial.jobs()
        for rule in planned:
            assert left.get(rule, 0) <= planned[rule], f"{rule} was finished and is planned again"
        planned = left
        found = trial.cases()
        # a case that was kept stays the one that was kept
        assert {name: found.get(name) for name in cases} == cases
        cases = found
    trial.snakemake()
    assert trial.results() == undisturbed.results()
    assert {name: trial.cases()[name] for name in cases} == cases
    wait_for(lambda: not any(trial.jobs_of(name) for name in ("extract", "simulate_patients", "merge")))
    (trial.folder / RUN / "cohort/grey_levels.svg").unlink()
    trial.snakemake()
    assert trial.unfinished() == []
    assert not list(trial.folder.rglob("*.changed*"))
    assert (trial.folder / COHORT).is_dir() and trial.jobs() == {}
