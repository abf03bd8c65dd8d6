"""The command ``her2radiomics``: its parts are found, so that a part is added by a module of its own.

Every module of this package that has a ``register(app)`` adds its commands when the command starts. Modules import the
packages that do the work lazily, so that ``--help`` and completion stay quick.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

from her2radiomics import cli
from her2radiomics.core.errors import CaseError, StudyError

#: Groups of the help page, in its order.
DATA, STUDY, RUN, MODEL = "Your data", "Your study", "Running", "Using a model"


def application() -> typer.Typer:
    """The command with all its parts."""
    app = typer.Typer(
        name="her2radiomics",
        help="Reproducible MRI radiomics studies: from a hospital's folders to a report, from a model to the next patient.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in sorted(pkgutil.iter_modules(cli.__path__), key=lambda found: found.name):
        register = getattr(importlib.import_module(f"{cli.__name__}.{module.name}"), "register", None)
        if register is not None:
            register(app)
    return app


def main() -> None:
    """Run the command; what is wrong with the input ends with one clear message and exit code 1."""
    try:
        application()()
    except (StudyError, CaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
