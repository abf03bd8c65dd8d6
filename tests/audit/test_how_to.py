"""The how-to page: its blocks are one file, the file is audited by the command it names, and prints what the page shows."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "audit_a_paper.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def paper(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "my_paper.yaml"
    path.write_text("\n".join(re.findall(r"```yaml[^\n]*\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    return path


def test_the_pages_file_gives_the_pages_verdicts(page, paper):
    command = [sys.executable, "-m", "her2radiomics.audit", str(paper)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    wrong = re.findall(r"(?m)^inconsistent: .*\n  .*$", made)
    assert "\n".join(wrong) == shown.strip()
    assert re.search(r"\d+ checks: \d+ consistent, 4 inconsistent", made)


def test_every_kind_of_table_is_shown(page):
    assert {"regression", "performance"} == set(re.findall(r"kind: (\w+)", page))
    assert {"levels:", "mean_sd:", "median:"} <= set(re.findall(r"(?:levels|mean_sd|median):", page))
