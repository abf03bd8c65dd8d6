"""The reference page of all commands, made from the application itself: ``python -m her2radiomics.cli.reference``.

A test fails when the page drifts.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from her2radiomics.cli.app import application

PAGE = Path("docs/commands.md")
NAME = "her2radiomics"
HEAD = f"""# Commands

<!-- Made by `python -m her2radiomics.cli.reference` from the commands themselves: do not edit. -->

`{NAME}` lies in `.venv/bin` after `make setup`. It works in the project's folder and the folders below it. Every
command has `--help`; one that writes shows what it would write (`--dry-run`) and replaces nothing without `--force`.
What is wrong with the input ends with one message and exit code 1. A study made by `new study` has a configuration of
its own in `configs/`, which `--study NAME` takes in place of `config.yaml`. Snakemake may always be called instead:
`run` and `resume` print the command that they call.

Completion of commands and options by the Tab key, for bash, zsh, fish and PowerShell: `{NAME} --install-completion`,
then open a new shell; `{NAME} --show-completion` prints what would be installed.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([HEAD, *(part for name, command in _commands(_root(), NAME) for part in _section(name, command))])


def _root() -> Any:
    return typer.main.get_command(application())


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Full name and command, groups' members after each other in the order of their names."""
    for own, command in sorted(group.commands.items()):
        if getattr(command, "commands", None):
            yield from _commands(command, f"{name} {own}")
        else:
            yield f"{name} {own}", command


def _section(name: str, command: Any) -> list[str]:
    about, examples = _help(command)
    lines = [f"## `{name}`\n", f"{about}\n"]
    if examples:
        lines.append("```sh\n" + "\n".join(examples) + "\n```\n")
    rows = [_row(item) for item in command.params if item.name != "help"]
    return [*lines, "| argument or option | meaning |\n|---|---|", *rows, ""]


def _help(command: Any) -> tuple[str, list[str]]:
    """What a command says of itself, and its example lines."""
    text = inspect.cleandoc(command.help or "").replace("\b", "").replace("\f", "")
    lines = [line.strip() for line in text.splitlines()]
    examples = [line for line in lines if line.startswith(f"{NAME} ")]
    others = [line for line in lines if not line.startswith(f"{NAME} ") and line not in ("Examples", "--------")]
    return re.sub(r"\s+", " ", " ".join(others)).strip(), examples


def _row(item: Any) -> str:
    words = f" {item.metavar}" if item.metavar else ""
    names = ", ".join(f"`{name}{words}`" for name in (*item.opts, *item.secondary_opts) if name.startswith("-"))
    called = names or f"`{str(item.metavar or item.name).strip('[]').upper()}`"
    notes = ["required"] * bool(item.required) + ["repeatable"] * bool(item.multiple and "repeatable" not in item.help)
    default = item.default
    if default not in (None, False, "", [], ()) and not callable(default) and not item.required:
        notes.append(f"default `{default}`")
    said = (item.help or "").replace("|", "\\|")
    more = f" ({', '.join(notes)})" if notes else ""
    return f"| {called} | {said}{more} |"


def main() -> None:
    """Write the page below the current folder."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
