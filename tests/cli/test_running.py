"""Snakemake is called in the project's folder, and how far a study is is read from its results and log."""

from __future__ import annotations

import pytest
from commands import call, refused
from small_study import RUN, planned, small_project
from test_commands import her2radiomics

from her2radiomics.engine import running
from her2radiomics.engine.status import read_log, status_of
from her2radiomics.study.project import Project

LOG = """Building DAG of jobs...
Job stats:
job         count
--------  -------
cohort          1
train           2
total           4

Select jobs to execute...
Execute 2 jobs...
[Sat Nov 28 15:37:13 2026]
Job 3: cohort: small--default--mine
Reason: Missing output files: results/small--default--mine/cohort/participants.csv
[Sat Nov 28 15:37:13 2026]
Job 5: model radiomics: small--default--mine
Reason: Missing output files: results/small--default--mine/models/radiomics/model.json
[Sat Nov 28 15:37:15 2026]
Finished jobid: 3 (Rule: cohort)
1 of 4 steps (25%) done
Execute 1 jobs...
[Sat Nov 28 15:37:16 2026]
rule index:
    output: results/index.html
    jobid: 7
[Sat Nov 28 15:37:17 2026]
Error in rule train:
    message: model radiomics: small--default--mine
    jobid: 5
    output: results/small--default--mine/models/radiomics/model.json
    log: logs/small--default--mine/train_radiomics.log (check log file(s) for error details)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = small_project(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


def test_a_log_tells_finished_running_and_failed_jobs():
    log = read_log(LOG)
    assert (log.done, log.total) == (1, 4)
    assert [job.what for job in log.running.values()] == ["index"]
    (failed,) = log.failed.values()
    assert failed.what == "model radiomics: small--default--mine"
    assert failed.log == "logs/small--default--mine/train_radiomics.log"
    assert failed.of([RUN]) and not failed.of(["small--default--min"])


def test_a_job_that_is_tried_again_is_running():
    log = read_log(LOG + "[Sat]\nJob 5: model radiomics: small--default--mine\nReason: Forced\n")
    assert not log.failed and "5" in log.running


def test_status_before_during_and_after_a_run(project):
    plan = planned(project)
    assert status_of(plan).startswith("No run has begun jobs here.")
    logs = project.folder / ".snakemake/log"
    logs.mkdir(parents=True)
    (logs / "2026-11-28T153702.1.snakemake.log").write_text(LOG, encoding="utf-8")
    (logs / "2026-11-28T153703.1.snakemake.log").write_text("This was a dry-run\n", encoding="utf-8")
    (project.folder / ".snakemake/locks").mkdir()
    (project.folder / ".snakemake/locks/0.output.lock").touch()
    report = project.folder / f"results/{RUN}/report.html"
    report.parent.mkdir(parents=True)
    report.touch()
    running_now = call("status").output
    assert "A run is going on: 1 of 4 jobs done, 1 failed" in running_now
    files = len(set(plan.runs[RUN].targets("all")))
    assert f"{RUN}: 1 of {files} files are there, {files - 1} left, 1 failed" in running_now
    assert (
        "failed: model radiomics: small--default--mine (see logs/small--default--mine/train_radiomics.log)"
        in running_now
    )
    (project.folder / ".snakemake/locks/0.output.lock").unlink()
    assert "No run is going on. The last one: 1 of 4 jobs done" in call("status").output


def test_run_says_its_command_and_lists_jobs(project):
    done = her2radiomics("run", "-n", "--cores", "1", cwd=project.folder / "workflow")
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith("$ ") and first.endswith("snakemake --cores 1 -n")
    assert "Next: her2radiomics run" in done.stdout and "train" in done.stdout


def test_resume_unlocks_then_runs(project, monkeypatch):
    started = []
    monkeypatch.setattr(running.subprocess, "Popen", lambda words, cwd: started.append((words[1:], cwd)) or _Done())
    (project.folder / "configs").mkdir()
    (project.folder / "configs/mine.yaml").write_text("runs: []\n", encoding="utf-8")
    assert call("resume", "figures", "--study", "mine", "--cores", "3").exit_code == 0
    words = ["--configfile", "configs/mine.yaml", "--replace-workflow-config"]
    (unlock, run), folders = zip(*started, strict=True)
    assert [part[-len(unlock) + 2 :] for part in (unlock,)] and unlock[-6:] == ["--cores", "1", "--unlock", *words]
    assert run[-6:] == ["--cores", "3", "figures", *words]
    assert set(folders) == {project.folder}


class _Done:
    """A process that ended well."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def wait(self):
        return 0


def test_a_run_that_fails_passes_its_exit_code_on(project, monkeypatch):
    monkeypatch.setattr(_Done, "wait", lambda self: 3)
    monkeypatch.setattr(running.subprocess, "Popen", lambda words, cwd: _Done())
    done = call("run")
    assert done.exit_code == 3 and "exit code 3" in done.output


def test_open_prints_the_path_of_the_report(project):
    assert "Call: her2radiomics run" in refused("open")
    report = project.folder / f"results/{RUN}/report.html"
    report.parent.mkdir(parents=True)
    report.touch()
    assert call("open").output.strip() == str(report)
    assert f"its runs are {RUN}" in refused("open", "other")


def test_a_study_without_configuration_is_refused_with_those_that_have_one(project):
    (project.folder / "configs").mkdir()
    (project.folder / "configs/mine.yaml").write_text("runs: []\n", encoding="utf-8")
    assert "There are configurations of mine" in refused("run", "--study", "yours")


def test_the_folder_of_the_installation_is_taken_elsewhere(tmp_path, root):
    assert Project.find(start=tmp_path).folder == root
