"""Every command, YAML block and piece of Python in README and docs is one that the present programs take."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
from fnmatch import fnmatch
from functools import cache
from itertools import chain
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import click
import jsonschema
import pytest
import yaml

from her2radiomics.cli import reference
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.importing.rules import RuleSet
from her2radiomics.study import schemas

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^( *)```(\w*)([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:\A|\n\n)((?:    .*\n|\n(?=    ))+)")
#: Titles of blocks that are of no folder of the project.
TITLED = {"my_paper.yaml": "audit"}
OWN_PROGRAMS = ("her2radiomics", "snakemake", "make", "python")


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, information and text of every block of a page; a block that is only indented has no language."""
    text = page.read_text(encoding="utf-8")
    fenced = [(found[2], found[3].strip(), dedent(found[4])) for found in BLOCK.finditer(text)]
    return fenced + [("", "", dedent(found[1])) for found in INDENTED.finditer(BLOCK.sub("", text))]


def lines_of(page: Path) -> list[str]:
    """Every line of a page that calls a program of ours, without its comment."""
    code = "\n".join(text for language, _, text in blocks(page) if language in ("", "sh", "bash", "text"))
    spans = re.findall(r"`([^`\n]+)`", BLOCK.sub("", page.read_text(encoding="utf-8")))
    found = []
    for line in chain(re.sub(r"\\\n\s*", "", code).splitlines(), (span for span in spans if " " in span)):
        line = re.sub(r"^(\w+=\S+ )*(\.venv/bin/)?", "", line.strip())
        if line.split(" ")[0] in OWN_PROGRAMS and "…" not in line and not line.endswith('"'):
            found.append(line)
    return found


COMMANDS = sorted({(line, page.name) for page in PAGES for line in lines_of(page)})


@pytest.mark.parametrize(("line", "page"), COMMANDS, ids=[f"{page}: {line}" for line, page in COMMANDS])
def test_a_command_is_one_that_its_program_takes(line: str, page: str):
    program, *words = shlex.split(line, comments=True)
    {"her2radiomics": ours, "snakemake": snakemake, "make": make, "python": python}[program](words)


def ours(words: list[str]) -> None:
    """Walk to the command and parse its words; a line of text may name a command alone."""
    command = reference._root()
    while getattr(command, "commands", None):
        if not words or words[0] in ("--help", "--install-completion", "--show-completion"):
            return
        name, *words = words
        assert name in command.commands, f"found no command {name}; expected one of {', '.join(command.commands)}"
        command = command.commands[name]
    if not words:
        return
    context = click.Context(command)
    parsed, _, _ = command.make_parser(context).parse_args(words)
    lacking = [item.name for item in command.params if item.required and not parsed.get(item.name)]
    assert not lacking or all(word.startswith("-") for word in words), f"{lacking} must be given"


def snakemake(words: list[str]) -> None:
    """The words are Snakemake's; a target is a rule's name, or a file of a shipped study that its protocol has."""
    from snakemake.cli import get_argument_parser

    arguments = get_argument_parser().parse_args(words)
    for target in arguments.targets:
        if "/" not in target:
            assert target in rules(), target
            continue
        _, run, kind, file = target.split("/")
        assert Path(file).stem in read_yaml(ROOT / f"workflow/studies/{run}.yaml")[kind], target
    assert all((ROOT / profile).is_dir() for profile in arguments.profile or ())


@cache
def rules() -> set[str]:
    texts = [
        path.read_text(encoding="utf-8") for path in (ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk"))
    ]
    return set(re.findall(r"^rule (\w+):", "\n".join(texts), re.MULTILINE))


def make(words: list[str]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name = word.split("=")[0]
        assert re.search(rf"^{re.escape(name)}( \?=|:)" if "=" not in word else rf"\b{name}\b", text, re.MULTILINE), (
            word
        )


def python(words: list[str]) -> None:
    """A module that exists, or a file that is there; of tests every path."""
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1]), words[1]
        words = [word for word in words[2:] if word.startswith(("tests", "benchmarks", "workflow"))]
    elif words[0] == "-c":
        return ast.parse(words[1]) and None
    paths = [word for word in words if word.endswith((".py", ".yaml")) and "/" in word]
    assert paths or not words or words[0].startswith("-"), words
    assert all((ROOT / path.split("::")[0]).exists() for path in paths if not path.startswith("my_")), paths


def of_language(wanted: str) -> list[tuple[str, str, str]]:
    """Page, information and text of all blocks of a language."""
    return [(page.name, info, text) for page in PAGES for language, info, text in blocks(page) if language == wanted]


def documents() -> list[tuple[str, str, str]]:
    """Name for the test, schema or kind, and text; a block that goes on where the last one ended is joined to it."""
    joined: list[list[str]] = []
    for number, (page, info, text) in enumerate(of_language("yaml")):
        title = re.fullmatch(r'title="(\S+)"', info)
        assert title, f"{page}, block {number}: found '{info}'; expected title=\"<file>\", which says what it is of"
        if joined and joined[-1][0].startswith(page) and joined[-1][1] == title[1] and title[1] in TITLED:
            joined[-1][2] += indent(text, "  ") if text.startswith("- ") else text
        else:
            joined.append([f"{page}: {number}", title[1], text])
    return [(name, _schema(title), text) for name, title, text in joined]


def _schema(title: str) -> str:
    fits = [
        name for name, (_, patterns) in schemas.MODELS.items() if any(fnmatch(title, pattern) for pattern in patterns)
    ]
    return fits[0] if fits else TITLED.get(title, "rules")


@pytest.mark.parametrize(("kind", "text"), [item[1:] for item in documents()], ids=[item[0] for item in documents()])
def test_a_yaml_block_fits_its_schema(kind: str, text: str):
    """Blocks are parts of files: no key must be there, but none may be wrong."""
    content = yaml.safe_load(text)
    if kind == "rules":
        validate(RuleSet, content, "docs")
        return
    held(content, kind)
    if kind == "cohort" and "protocol" in content:
        held(content["protocol"], "protocol")


def held(content: dict, kind: str) -> None:
    jsonschema.Draft202012Validator(_of_parts(schemas.editor_schema(kind))).validate(content)


def _of_parts(node: Any) -> Any:
    """A schema without what says that a key must be there."""
    if isinstance(node, list):
        return [_of_parts(item) for item in node if not isinstance(item, dict) or set(item) != {"required"}]
    if not isinstance(node, dict):
        return node
    kept = {key: _of_parts(value) for key, value in node.items() if not (key == "required" and isinstance(value, list))}
    return {key: value for key, value in kept.items() if not (key == "anyOf" and value == [])}


def test_a_wrong_key_in_a_block_is_found():
    with pytest.raises(jsonschema.ValidationError, match="sed"):
        held({"sed": 1, "runs": [{"study": "nat_response"}]}, "config")


MADE = ("python.md", "CONTRIBUTING.md")  # of docstrings; followed by tests/test_contributing.py
PYTHON = [(page, text) for page, _, text in of_language("python") if page not in MADE]
PYTHON += [(page, text) for page, _, text in of_language("") if text.startswith("from her2radiomics")]


@pytest.mark.parametrize(("page", "text"), PYTHON, ids=[f"{page} {number}" for number, (page, _) in enumerate(PYTHON)])
def test_python_parses_and_its_names_are_there(page: str, text: str):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, name.name) for name in node.names)


#: Pages that quote measurements, and those that say how they were measured.
QUOTING = "index tutorial external_centre leakage reader_agreement harmonisation thresholds small_test_sets".split()
MEASURING = "modelling simulation real_data extraction statistics scale protocol".split()
#: Sums of quoted numbers: 0.53 + 0.13, 0.73 - 0.12, 0.79 - 2 * 0.06.
WORKED_OUT = {"0.66", "0.61", "0.67"}


@pytest.mark.parametrize("page", QUOTING)
def test_quoted_numbers_are_those_of_the_page_that_measured_them(page: str):
    text, *sources = ((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in (page, *MEASURING))
    numbers = set(re.findall(r"(?<![\d.])(?:\d\.\d{2,3}|\d+%)(?![\d.]*\d)", BLOCK.sub("", text)))
    rounded = {
        f"{float(number):.2f}" for source in sources for number in re.findall(r"(?<![\d.])\d\.\d{3}(?!\d)", source)
    }
    printed = {number for number in numbers if any(number in source for source in sources)}
    assert not numbers - printed - rounded - WORKED_OUT


def test_runs_in_blocks_name_studies_variants_and_cohorts_that_are_there():
    for name, kind, text in documents():
        own = {"node_status", "two_hospitals"} if name.startswith("own_study") else set()
        for run in yaml.safe_load(text).get("runs", ()) if kind == "config" else ():
            study, cohort = (
                ROOT / f"workflow/{part}.yaml"
                for part in (f"studies/{run['study']}", f"cohorts/{run.get('cohort', 'simulated')}")
            )
            assert run["study"] in own or "variant" not in run or run["variant"] in read_yaml(study)["variants"], name
            assert {run["study"], run.get("cohort")} & own or (study.is_file() and cohort.is_file()), name
