"""The pages themselves: templates filled with a context."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from her2radiomics.report.context import ReportContext, RunSummary

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("her2radiomics.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def page(context: ReportContext) -> str:
    """Return a run's page: one HTML document that loads nothing; its links lead to files beside it."""
    return _environment().get_template("page.html").render(c=context)


def index(runs: Sequence[RunSummary]) -> str:
    """Return the index over all runs, in their order."""
    return _environment().get_template("index.html").render(runs=runs)
