"""All figures of a run are one job's: each is asked for by name, a bad one costs no other, a changed one is drawn alone."""

from __future__ import annotations

import pytest
from small_study import RUN, small_project

FIGURES = f"results/{RUN}/figures"
JOB = f"figures_models_{RUN}"
NO_FONT_HAS_IT = "\U00013000"


def roc(partition, **more):
    return {"kind": "roc", "title": f"ROC, {partition}", "models": ["clinical"], "partition": partition} | more


@pytest.mark.workflow
def test_a_bad_figure_a_mended_one_and_a_changed_one(tmp_path):
    bad = roc("testing", panel_letter=NO_FONT_HAS_IT)
    figures = {"figure_1_roc": roc("training"), "figure_2_roc": bad}
    project = small_project(tmp_path / "p", study={"figures": figures})
    project.fresh = True  # as a user starts it
    target = f"{FIGURES}/figure_1_roc.pdf"
    drawn = [project.folder / FIGURES / f"figure_{number}_roc.svg" for number in (1, 2)]

    printed = project.snakemake(target, ok=False)
    assert "PiecesError: 1 of 2 figures could not be made. The other 1 are kept in" in printed
    assert "figure_2_roc: FontError" in printed and JOB in printed
    (kept,) = (project.folder / f"results/{RUN}/.finished").rglob("*.svg")
    first = kept.read_bytes()

    project.change("studies/small.yaml", {"figures": {"figure_2_roc": {"panel_letter": "b"}}})
    assert project.jobs(target) == {JOB: 1}
    project.snakemake(target)
    assert drawn[0].read_bytes() == first and drawn[1].is_file()
    assert drawn[0].stat().st_ino == kept.stat().st_ino, "from the store"
    assert project.jobs(target) == {}

    second = drawn[1].stat().st_ino
    project.change("studies/small.yaml", {"figures": {"figure_1_roc": {"title": "Another title"}}})
    assert project.jobs(target) == {JOB: 1}
    project.snakemake(target)
    assert b"Another title" in drawn[0].read_bytes()
    assert drawn[1].stat().st_ino == second, "from the store"
