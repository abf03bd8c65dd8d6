"""Settings that differ from right ones by one thing: the list of kinds, and what comes of each.

The tests read it, and ``docs/what_happens_when.md`` prints it. After a change:

    .venv/bin/python tests/study/settings_kinds.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))
from workflow_run import Project

SAME, REFUSED = "read as it is meant", "refused"
PAGE = Path(__file__).parents[2] / "docs" / "what_happens_when.md"
START = "<!-- settings: made by `python tests/study/settings_kinds.py` -->\n"
END = "<!-- end of settings -->\n"
FILES = {"config": "config.yaml", "study": "workflow/studies/small.yaml", "cohort": "workflow/cohorts/mine.yaml"}
Change = Callable[[str], str]


@dataclass(frozen=True)
class Kind:
    """One thing that is otherwise: in which file, what becomes of its text, and what is said.

    ``words`` are what an error says, besides the file; ``also`` is done to the project's other files first.
    """

    what: str
    file: str
    change: Change
    outcome: str = REFUSED
    words: tuple[str, ...] = ()
    also: Callable[[Project], None] | None = None


def swap(old: str, new: str) -> Change:
    """Replace a text that is there."""

    def changed(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return changed


def add(line: str) -> Change:
    """Add a line at the end."""
    return lambda text: f"{text}{line}\n"


def answers(project: Project) -> None:
    """A column of answers, declared with its levels in quotes."""
    path = project.folder / "data/clinical.csv"
    heading, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{heading},node", *(f"{row},{'yes' if i % 3 else 'no'}" for i, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    study = project.folder / FILES["study"]
    content = yaml.safe_load(study.read_text(encoding="utf-8"))
    content["columns"]["node"] = {"label": "Node", "kind": "categorical", "levels": {"no": "No", "yes": "Yes"}}
    study.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def codes(project: Project) -> None:
    """The same with codes that have leading zeros."""
    answers(project)
    path = project.folder / "data/clinical.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",yes", ",01").replace(",no\n", ",00\n"), encoding="utf-8")
    study = project.folder / FILES["study"]
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("'no': 'No'", "'00': 'No'").replace("'yes': 'Yes'", "'01': 'Yes'"), encoding="utf-8")


KINDS: tuple[Kind, ...] = (
    # YAML
    Kind(
        "`no` and `yes` as levels without quotes",
        "study",
        lambda t: t.replace("'no'", "no").replace("'yes'", "yes"),
        SAME,
        also=answers,
    ),
    Kind(
        "codes `00` and `01` as levels without quotes",
        "study",
        lambda t: t.replace("'00'", "00").replace("'01'", "01"),
        SAME,
        also=codes,
    ),
    Kind("`On` as a printed name", "study", swap("positive: pCR", "positive: On"), SAME),
    Kind("a number as a printed name", "study", swap("label: Age", "label: 1.50"), SAME),
    Kind("a date as a title", "study", swap("title: Small study", "title: 2019-01-01"), SAME),
    Kind("a comment in another script", "study", add("# größer als 中文"), SAME),
    Kind("a file that begins with a byte-order mark", "study", lambda t: "\ufeff" + t, SAME),
    Kind(
        "a level `true` without quotes",
        "study",
        swap("low: low", "true: low"),
        words=("found the truth value true", "quotes: 'true'"),
    ),
    Kind("a key given twice in the study", "study", add("title: Again"), words=("line", "'title' is given twice")),
    Kind("a key given twice in the cohort", "cohort", add("title: Again"), words=("line", "'title' is given twice")),
    Kind(
        "`runs` given twice in config.yaml",
        "config",
        add("runs: [{study: nat_response}]"),
        words=("line", "'runs' is given twice"),
    ),
    Kind(
        "a key given twice further down",
        "study",
        swap("unit: years", "unit: years\n    unit: months"),
        words=("line", "'unit' is given twice"),
    ),
    Kind("a tab that indents", "study", swap("  age:", "\tage:"), words=("line", "not valid YAML")),
    Kind("a bracket that is not closed", "config", add("failed_cases: {count: 2"), words=("line", "not valid YAML")),
    Kind(
        "a colon in a text without quotes",
        "study",
        swap("title: Small study", "title: Small: study"),
        words=("line", "not valid YAML"),
    ),
    Kind("a list where a mapping belongs", "study", lambda t: "- title\n", words=("expected a mapping",)),
    Kind("an empty file", "study", lambda t: "", words=("expected a mapping",)),
    Kind(
        "letters in another encoding (Windows-1252)",
        "study",
        swap("Small study", "Gr\udcf6\udcdfe"),
        words=("not valid YAML",),
    ),
    # keys and values
    Kind("a key with a slip of the pen", "study", swap("question:", "qestion:"), words=("did you mean 'question'?",)),
    Kind("a key that belongs to another section", "cohort", add("seed: 3"), words=("unknown key 'seed'",)),
    Kind(
        "a missing key", "study", swap("primary_model: radiomics\n", ""), words=("the key 'primary_model' is missing",)
    ),
    Kind("a word where a number belongs", "config", swap("seed: 7", "seed: seven"), words=("'seed': found 'seven'",)),
    Kind("a number outside what is possible", "config", add("failed_cases: {share: 5}"), words=("failed_cases.share",)),
    Kind(
        "a model that nobody declared",
        "study",
        swap("primary_model: radiomics", "primary_model: radiomic"),
        words=("'radiomic' is not declared; did you mean 'radiomics'?",),
    ),
    Kind(
        "a selection step that does not exist",
        "study",
        swap("step: z_score", "step: zscore"),
        words=("zscore", "z_score"),
    ),
    Kind(
        "a column called as the results call theirs (`label`)",
        "study",
        swap("  age:", "  label:"),
        words=("'label', a name that the results use",),
    ),
    Kind(
        "a column called `partition`",
        "study",
        swap("  age:", "  partition:"),
        words=("'partition', a name that the results use",),
    ),
    Kind(
        "a column called as a model",
        "study",
        swap("  age:", "  radiomics:"),
        words=("models.radiomics: found a column of the same name",),
    ),
    Kind("a centre that no patient belongs to", "study", swap("- south", "- sout"), words=("sout",)),
    Kind(
        "one level where two are needed",
        "study",
        swap("    levels:\n      low: low\n      high: high\n", "    levels:\n      low: low\n"),
        words=("at least two levels",),
    ),
    # files and folders
    Kind(
        "a study that is not there",
        "config",
        swap("study: small", "study: smal"),
        words=("no such file", "Did you mean 'small'?"),
    ),
    Kind(
        "a cohort that is not there",
        "config",
        swap("cohort: mine", "cohort: mina"),
        words=("no such file", "Did you mean 'mine'?"),
    ),
    Kind("a folder that is not there", "config", swap("/data", "/daten"), words=("there is no folder", "data.mine")),
    Kind(
        "data for a cohort that has no file",
        "config",
        swap("data:\n", "data:\n  other: /tmp\n"),
        words=("data.other: there is no cohort file",),
    ),
    Kind(
        "a table that is not there", "cohort", swap("clinical.csv", "klinik.csv"), words=("klinik.csv", "no such file")
    ),
    Kind("a path out of the data's folder", "cohort", swap("clinical.csv", "../clinical.csv"), words=("without '..'",)),
    Kind("braces in the path of a table", "cohort", swap("clinical.csv", "{v2}/clinical.csv"), words=("{v2}",)),
    Kind(
        "a run listed twice",
        "config",
        swap("runs:\n", "runs:\n- {study: small, cohort: mine}\n"),
        words=("listed twice",),
    ),
    # features
    Kind(
        "features of which some have no stated time",
        "cohort",
        swap("'*': before_treatment", "f1: before_treatment"),
        words=("available_at does not say when 'f2'",),
    ),
    Kind(
        "features known after the prediction",
        "cohort",
        swap("'*': before_treatment", "'*': after_surgery"),
        words=("known only after_surgery", "features.drop"),
    ),
    Kind(
        "a model of image features without a feature table",
        "cohort",
        lambda t: t[: t.index("features:\n")],
        words=("needs a 'features' section",),
    ),
)


def section() -> str:
    """The section of the page."""
    lines = [
        "## Settings\n",
        "A file of settings that differs from a right one by one thing. What is refused names the file, the line or the "
        "key, and what to do; all mistakes of a file at once. Each line is a test: "
        "[tests/study](../tests/study/settings_kinds.py) makes the files.\n",
        "| the settings have | and then | the words |\n|---|---|---|",
    ]
    for each in sorted(KINDS, key=lambda each: [SAME, REFUSED].index(each.outcome)):
        words = " … ".join(each.words).replace("|", "\\|")
        lines.append(f"| {each.what} | {each.outcome} | {words and f'*… {words} …*'} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with this section made anew."""
    if START not in text:
        return f"{text.rstrip()}\n\n{START}\n{section()}\n{END}"
    before, rest = text.split(START)
    return f"{before}{START}\n{section()}\n{END}{rest.split(END)[1]}"


def comparable(plan: Any) -> tuple:
    """What a plan decides, but for printed names: who trains, which values, which features."""
    (run,) = plan.runs.values()
    features = run.dataset.data.features
    return (
        run.partition.to_dict(),
        run.labels.to_dict(),
        {name: tuple(column.levels) for name, column in run.protocol.columns.items()},
        None if features is None else features.to_csv(),
        sorted(run.targets("all")),
    )


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
