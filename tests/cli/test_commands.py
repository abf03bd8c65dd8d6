"""The command starts quickly, every part has help with an example in ASCII, and its page is made from it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from her2radiomics.cli import reference

HEAVY = ("numpy", "pandas", "pydantic", "scipy", "SimpleITK", "snakemake", "yaml", "jinja2")


def her2radiomics(*words: str, cwd=None) -> subprocess.CompletedProcess:
    """The command in a separate process, in the locale of continuous integration."""
    code = "import sys; from her2radiomics.cli.app import main; sys.argv[0] = 'her2radiomics'; main()"
    environment = os.environ | {"LC_ALL": "C", "COLUMNS": "100"}
    environment.pop("PYTHONUTF8", None)
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False)


def names() -> list[str]:
    return [name.removeprefix("her2radiomics ") for name, _ in reference._commands(reference._root(), "her2radiomics")]


def test_page_of_commands_has_not_drifted(root):
    assert (root / reference.PAGE).read_text(encoding="utf-8") == reference.page(), (
        "run 'python -m her2radiomics.cli.reference'"
    )


@pytest.mark.parametrize("name", names())
def test_every_command_has_an_example_and_described_options(name):
    commands = dict(reference._commands(reference._root(), "her2radiomics"))
    command = commands[f"her2radiomics {name}"]
    about, examples = reference._help(command)
    assert about.isascii() and about.endswith(".")
    assert examples and all(line.startswith(f"her2radiomics {name}") for line in examples)
    for item in command.params:
        assert item.help and item.help.isascii(), item.name


def test_help_in_an_ascii_locale():
    done = her2radiomics("--help")
    assert done.returncode == 0 and "new" in done.stdout and "status" in done.stdout, done.stderr


def test_what_is_wrong_is_one_message_and_exit_code_1(tmp_path):
    done = her2radiomics("check", "--study", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_help_loads_no_heavy_library():
    code = f"""
import sys
from her2radiomics.cli.app import application
application()
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
