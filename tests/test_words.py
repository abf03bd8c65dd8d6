"""Words that nobody uses in a journal of radiology: a list, held against code, documentation and protocols."""

from __future__ import annotations

import re
import subprocess

import pytest

#: What is written to what a reader expects.
INSTEAD = {
    r"\bat hand\b": "available",
    r"\bborne\b": "accepted",
    r"\bmend(s|ed|ing)?\b": "correct",
    r"\bstand-in\b|\bstands? in (for|their)\b": "replacement, replaces",
    r"\bstands? (beside|alone|sideways|open)\b": "is beside, is in one file",
    r"\bhangs? on\b": "depends on",
    r"\b(is|are|was|were) told\b(?! apart)": "is given, is said",
    r"\b(at|in|through) the door\b": "when it is read",
    r"\boutside world\b": "name what is meant",
    r"\b(step|texture|performance|patients) says? (little|nothing)\b": "removes nothing, is not informative",
    r"\bmatter of luck\b": "chance",
    r"\bchosen on training\b": "chosen in training",
    r"\bbeyond the paper\b": "not part of the published study",
    r"\bexternal validation \(later": "temporal test set",
    r"\b(training|test) partitions?\b": "training set, test set",
    r"\b(multivariate|univariate) (logistic|regression)": "multivariable, univariable",
    # printed names of levels, not their keys
    r"(?-i:: (Burr|Blur|Lump|Inflow|Outflow|Wash-out|Rough|Unclear|Uneven)[,}])": "the term of BI-RADS 2013",
    r"\bthose who prefer\b": "with",
    r"\bcosts its patient\b": "excludes the patient",
}
KINDS = ("*.py", "*.md", "*.yaml", "*.smk", "*.html", "*.csv", "Makefile", "Snakefile")


@pytest.fixture(scope="module")
def texts(root) -> dict[str, str]:
    """File to content; two tests list the words themselves."""
    listed = subprocess.run(["git", "ls-files", *KINDS], cwd=root, capture_output=True, encoding="utf-8", check=True)
    names = set(listed.stdout.split()) - {"tests/test_words.py", "tests/report/test_report_trust.py"}
    return {name: (root / name).read_text(encoding="utf-8") for name in sorted(names)}


@pytest.mark.parametrize("pattern", INSTEAD)
def test_words_are_those_of_a_journal(texts, pattern):
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts.items()
        if re.search(pattern, text, re.IGNORECASE)
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, f"say {INSTEAD[pattern]}:\n" + "\n".join(found)
