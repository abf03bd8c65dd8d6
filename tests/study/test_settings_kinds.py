"""Settings of a kind that is not right give the right plan, or an error that names file, place and remedy."""

from __future__ import annotations

import pytest
from settings_kinds import FILES, KINDS, PAGE, SAME, comparable, section
from small_study import RUN, small_project

from her2radiomics.core.errors import StudyError
from her2radiomics.study.config import read_config
from her2radiomics.study.plan import Plan


def planned(project):
    return Plan(read_config(project.folder / "config.yaml"), project.folder / "workflow")


@pytest.mark.parametrize("kind", KINDS, ids=[each.what for each in KINDS])
def test_a_kind(tmp_path, kind):
    project = small_project(tmp_path / "p")
    if kind.also:
        kind.also(project)
    right = comparable(planned(project))
    path = project.folder / FILES[kind.file]
    changed = kind.change(path.read_text(encoding="utf-8"))
    path.write_text(changed, encoding="utf-8", errors="surrogateescape")
    if kind.outcome == SAME:
        assert comparable(planned(project)) == right
        return
    with pytest.raises(StudyError) as caught:
        planned(project)
    said = str(caught.value)
    for words in kind.words:
        assert words in said, said
    assert any(name in said for name in (path.name, "config.yaml", "workflow/", RUN, str(project.folder))), said


def test_there_are_enough_kinds_and_the_page_lists_them():
    assert len(KINDS) >= 20
    assert section() in PAGE.read_text(encoding="utf-8"), "run 'python tests/study/settings_kinds.py'"
