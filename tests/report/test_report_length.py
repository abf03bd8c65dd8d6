"""What a reader sees when a report opens is short: details are folded away, and a sentence is said once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from report_run import build, build_context, describe

from her2radiomics.report import page

spec = importlib.util.spec_from_file_location(
    "report_words", Path(__file__).resolve().parents[2] / "benchmarks/report_words.py"
)
report_words = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report_words)


def test_words_are_counted_by_whether_they_are_folded():
    words = report_words.Words(
        "<p>Seen at once.</p><details><summary>A heading</summary><p>Folded away.</p></details><nav>Menu</nav>"
    )
    assert words.seen == ["Seen", "at", "once.", "A", "heading"] and words.folded == ["Folded", "away."]


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder, arguments = build(tmp_path_factory.mktemp("long"))
    return report_words.Words(page(build_context(folder, describe(), **arguments)))


def test_a_report_opens_with_few_words(words):
    """Three models, four tables and three figures: a study of eleven models and ten tables opens with 5000 to 7000."""
    assert len(words.seen) < 2500
    assert len(words.folded) > len(words.seen)


def test_a_sentence_is_seen_twice_at_most(words):
    """Footnotes of tables are printed with each table, since a table is taken from the page alone."""
    assert max(words.repeated().values(), default=0) <= 2, words.repeated()
