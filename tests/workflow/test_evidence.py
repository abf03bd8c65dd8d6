"""The target ``evidence``: made by its own rules from a finished run, the same bytes for any number of cores."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape

import pytest
from small_study import RUN, small_project

from her2radiomics.core.layout import Layout
from her2radiomics.evidence.analyses import ANALYSES

#: Few repetitions of three analyses; the others are tested in tests/evidence.
FEW = {"permutation": {"permutations": 20, "folds": 3}, "splits": {"splits": 20}, "instability": {"resamples": 20}}
#: Script to a result that it makes.
MADE_BY = {
    "evidence_batch": "evidence/splits/batch_0001.parquet",
    "evidence_analysis": "evidence/splits.csv",
    "evidence_rules": "models/radiomics/instability.json",
    "evidence_page": "evidence.html",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The evidence of a small study on a brought feature table, by two cores."""
    analyses = dict.fromkeys(ANALYSES) | FEW
    project = small_project(tmp_path_factory.mktemp("evidence") / "two", {"evidence": {"analyses": analyses}})
    project.printed = project.snakemake("evidence")
    return project


@pytest.mark.workflow
class TestEvidence:
    def test_all_files_are_made_and_nothing_of_the_manuscript(self, made):
        layout = Layout(made.folder / "results" / RUN)
        findings, summary = layout.read("evidence_findings"), layout.read("evidence_summary")
        assert set(findings["analysis"]) == set(summary["analysis"]) == set(FEW)
        for name in FEW:
            rows = layout.read("evidence_repetitions", analysis=name)
            assert sorted(set(rows["repetition"])) == list(range(rows["repetition"].max() + 1))
        assert "Small study: evidence" in layout.path("evidence_page").read_text(encoding="utf-8")
        assert not layout.path("report").exists()

    def test_one_core_gives_the_same_bytes(self, made, tmp_path):
        project = small_project(tmp_path / "one")
        shutil.copytree(made.folder / "workflow", project.folder / "workflow", dirs_exist_ok=True)
        project.snakemake("evidence", cores=1)
        first, second = (p.folder / "results" / RUN for p in (made, project))
        files = [*first.glob("evidence*/**/*.*"), first / "evidence.html"]
        assert len(files) > 10
        for file in files:
            assert file.read_bytes() == (second / file.relative_to(first)).read_bytes(), file

    def test_every_script_can_be_run_by_hand(self, made):
        """The same bytes, written apart: no result changes."""
        rules = (made.folder / "workflow/rules/evidence.smk").read_text(encoding="utf-8")
        assert set(MADE_BY) == set(re.findall(r"scripts/(\w+)\.py", rules))
        before = made.hashes()
        for script, path in MADE_BY.items():
            command = [sys.executable, "-m", "her2radiomics.engine.rerun", f"results/{RUN}/{path}"]
            done = subprocess.run(command, cwd=made.folder, capture_output=True, encoding="utf-8")
            first, *rest = done.stdout.splitlines()
            assert done.returncode == 0 and f"/{script}.py" in first, done.stdout + done.stderr
            compared = [line for line in rest if line.startswith("results/")]
            assert f"results/{RUN}/{path}: as the finished one" in compared
            assert all(line.endswith(": as the finished one") for line in compared), compared
        assert made.hashes() == before

    def test_an_interrupted_analysis_goes_on_where_it_stopped(self, made):
        """Repetitions that were computed are not computed again."""
        folder = made.folder / "results" / RUN
        for name in ("evidence/splits/batch_0001.parquet", "evidence/splits.csv", "evidence.html"):
            (folder / name).unlink()
        jobs = made.jobs("evidence")
        assert jobs == {"evidence_batch": 1, "evidence_analysis": 1, "evidence_page": 1, "evidence": 1}
        made.snakemake("evidence")

    def test_the_report_has_a_section_where_the_evidence_was_made(self, made):
        made.snakemake("report")
        page = unescape((made.folder / "results" / RUN / "report.html").read_text(encoding="utf-8"))
        assert '<section id="evidence"' in page and "The study's own split" in page
