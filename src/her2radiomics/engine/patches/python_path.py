"""The Python of the environment may lie in any folder: its path is quoted in the commands that Snakemake makes of it."""

from __future__ import annotations

import functools
import shlex
from typing import Any

import snakemake.api  # noqa: F401  Snakemake's modules import each other, and only in this order
from snakemake.executors.local import Executor
from snakemake.script import PythonScript

from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/issues/2645",
    """\
A path to Python with a space breaks every `script:`.

`PythonScript.execute_script` runs "{py_exec} {fname:q}": the script's path is quoted, that of Python is not. In a checkout
below "OneDrive - Hospital" with its own .venv no job starts ("/usr/bin/bash: ... No such file or directory", exit 127).
`Executor.get_python_executable`, which begins the commands of spawned jobs, is not quoted either.

Expected: {py_exec:q}, and shlex.quote(sys.executable).
""",
)


def quote_python(script: type[Any] = PythonScript, executor: type[Any] = Executor) -> None:
    """Quote the path of Python in the commands of scripts and of spawned jobs.

    Parameters
    ----------
    script, executor
        Snakemake's classes.
    """
    run, name = script._execute_cmd, executor.get_python_executable
    if hasattr(run, "__wrapped__"):
        return

    @functools.wraps(run)
    def quoted(self: Any, command: str, **values: Any) -> Any:
        if "py_exec" in values:
            values["py_exec"] = shlex.quote(values["py_exec"])
        return run(self, command, **values)

    @functools.wraps(name)
    def quoted_name(self: Any) -> str:
        return shlex.quote(name(self))

    script._execute_cmd, executor.get_python_executable = quoted, quoted_name
