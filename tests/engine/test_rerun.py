"""A job's script by hand, on two rules of a folder of its own (a whole study: ``tests/workflow/test_by_hand.py``)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from forked import python

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = """
configfile: "config.yaml"

wildcard_constraints:
    name="two"

rule all:
    default_target: True
    input: "results/two/b.txt", "results/index.txt"

rule a:
    output: text="results/{name}/a.txt", folder=directory("results/{name}/pictures")
    log: "logs/{name}.log"
    threads: 3
    resources: mem_mb=lambda w, attempt: 100 * attempt
    params: factor=config["factor"], rows=lambda w: {w.name: [1, 2.5, None, True]}
    script: "scripts/a.py"

rule b:
    input: first="results/{name}/a.txt", others=["given.txt"]
    output: "results/{name}/b.txt"
    log: "logs/{name}_b.log"
    script: "scripts/b.py"

rule index:
    output: "results/index.txt"
    shell: "touch {output}"
"""
A = """
from pathlib import Path
from her2radiomics.engine.script import logged

def main(snakemake):
    print("the answer is", snakemake.params.factor)
    folder = Path(snakemake.output.folder)
    folder.mkdir()
    (folder / "one.png").write_text("picture")
    Path(snakemake.output.text).write_text("made by a")

with logged(snakemake):
    main(snakemake)
"""
B = """
from pathlib import Path
from her2radiomics.engine.script import logged

with logged(snakemake):
    beside = Path(snakemake.output[0]).with_name("a.txt").read_text()
    Path(snakemake.output[0]).write_text("half of ")
    number = int(Path(snakemake.input.others[0]).read_text())
    Path(snakemake.output[0]).write_text(f"made by b from {beside} and {number}")
"""


class Folder:
    """A workflow of two scripts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in {
            "Snakefile": SNAKEFILE,
            "config.yaml": "factor: 42",
            "scripts/a.py": A,
            "scripts/b.py": B,
            "given.txt": "7",
        }.items():
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_text(text)

    def call(self, module: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(
            [python(), "-m", module, *words],
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            input=typed,
            check=False,
        )

    def rerun(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return self.call("her2radiomics.engine.rerun", *words, typed=typed)

    def state(self) -> dict[str, tuple[int, bytes]]:
        """Results, logs and what is kept about them: path to time of change and bytes."""
        found = [
            path
            for folder in ("results", "logs", ".snakemake/written", ".snakemake/metadata")
            for path in (self.path / folder).rglob("*")
        ]
        return {str(p): (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in found}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("finished"))
    done = folder.call("snakemake", "--cores", "1")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def planned(tmp_path) -> Folder:
    return Folder(tmp_path)


def test_a_finished_result_is_made_apart_and_compared(finished):
    before = finished.state()
    done = finished.rerun("results/two/a.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"rule a: {finished.path}/scripts/a.py",
        "the answer is 42",
        "written below .snakemake/rerun/a:",
        "results/two/a.txt: as the finished one",
        "results/two/pictures: as the finished one",
    ]
    assert finished.state() == before


@pytest.mark.parametrize(
    "name", ["results/two/pictures/one.png", "./results/../results/two/a.txt", "{here}/results/two/a.txt"]
)
def test_a_file_within_an_output_folder_and_other_ways_to_write_a_path(finished, name):
    done = finished.rerun(name.format(here=finished.path))
    assert done.stdout.startswith("rule a: "), done.stderr


def test_settings_as_on_snakemakes_command_line(finished):
    done = finished.rerun("results/two/a.txt", "--config", "factor=43")
    assert "the answer is 43" in done.stdout


def test_the_script_sees_the_other_results_beside_its_own(finished):
    done = finished.rerun("results/two/b.txt")
    assert "results/two/b.txt: as the finished one" in done.stdout, done.stderr
    apart = finished.path / ".snakemake/rerun/b/results/two/b.txt"
    assert apart.read_text() == "made by b from made by a and 7"


def test_an_input_that_was_edited_is_said_and_read(finished):
    edited = finished.path / "results/two/a.txt"
    kept = finished.path / "a.txt"
    edited.rename(kept)
    edited.write_text("edited")
    try:
        done = finished.rerun("results/two/b.txt")
    finally:
        kept.rename(edited)
    assert done.stderr.startswith("ChangedFileError: results/two/a.txt: found 6 of 9 bytes")
    assert "results/two/b.txt: differs from the finished one" in done.stdout


def test_everything_that_would_be_handed_over_is_listed(finished):
    done = finished.rerun("results/two/a.txt", "--list")
    listed = yaml.safe_load(done.stdout)
    assert listed.pop("resources")["mem_mb"] == 100
    assert listed == {
        "script": f"{finished.path}/scripts/a.py",
        "rule": "a",
        "wildcards": {"name": "two"},
        "input": [],
        "output": {"text": "results/two/a.txt", "folder": "results/two/pictures"},
        "params": {"factor": 42, "rows": {"two": [1, 2.5, None, True]}},
        "threads": 1,  # of the one core that a run by hand has
        "log": ["logs/two.log"],
        "config": {"factor": 42},
    }


def test_a_planned_result_is_run_once_its_inputs_are_there(planned):
    missing = planned.rerun("results/two/b.txt")
    assert missing.returncode == 1
    assert missing.stderr == (
        "NoJobError: results/two/a.txt: found no such file; expected what the rule b reads. Make it first: "
        "snakemake --cores 1 results/two/a.txt\n"
    )
    listed = yaml.safe_load(planned.rerun("results/two/b.txt", "--list").stdout)
    assert listed["input"] == {"first": "results/two/a.txt", "others": ["given.txt"]}
    done = planned.rerun("results/two/a.txt")
    assert "results/two/a.txt: new; there is no finished one" in done.stdout
    assert not (planned.path / "results").exists(), "a result is Snakemake's to make"


def test_a_script_that_fails_leaves_the_finished_result(finished, tmp_path):
    given = finished.path / "given.txt"
    before = finished.state()
    given.write_text("seven")
    try:
        done = finished.rerun("results/two/b.txt")
        assert done.returncode == 1
        assert "ValueError: invalid literal for int()" in done.stderr
        assert (finished.path / ".snakemake/rerun/b/results/two/b.txt").read_text() == "half of "
        stopped = finished.rerun("results/two/b.txt", "--pdb", typed="p beside\nq\n")
        assert "(Pdb) 'made by a'" in stopped.stdout
    finally:
        given.write_text("7")
    assert finished.state() == before


def test_a_breakpoint_stops_in_the_script(finished):
    script = finished.path / "scripts/a.py"
    script.write_text(A.replace("    folder = ", "    breakpoint()\n    folder = "))
    try:
        done = finished.rerun("results/two/a.txt", typed="p snakemake.params.factor\nw\nc\n")
        assert "(Pdb) 42" in done.stdout
        assert "scripts/a.py" in done.stdout
        assert "results/two/a.txt: as the finished one" in done.stdout
        left = finished.rerun("results/two/a.txt", typed="q\n")
        assert left.returncode == 1 and "Traceback" not in left.stderr
    finally:
        script.write_text(A)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "results/to/a.txt",
            "found no job that makes it; expected a result of a run in config.yaml, such as\n  results/two/a.txt",
        ),
        ("nonsense", "such as\n  results/index.txt\n  results/two/a.txt\n"),
        ("results/index.txt", "found the rule index, which has no script"),
    ],
)
def test_what_no_script_makes_is_refused_with_near_names(finished, name, said):
    done = finished.rerun(name)
    assert done.returncode == 1
    assert said in done.stderr and done.stderr.startswith("NoJobError: ")


def test_a_folder_without_a_workflow_is_refused(tmp_path):
    command = [python(), "-m", "her2radiomics.engine.rerun", "x"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == (
        f"NoJobError: {tmp_path}: found no Snakefile; expected it here. Change to the project's folder.\n"
    )
