"""The pages themselves: templates filled with a context."""

from __future__ import annotations

from collections.abc import Sequence

from her2radiomics.report.context import ReportContext, RunSummary
from her2radiomics.templates import environment


def page(context: ReportContext) -> str:
    """Return a run's page: one HTML document that loads nothing; its links lead to files beside it."""
    return environment("report").get_template("page.html").render(c=context)


def index(runs: Sequence[RunSummary]) -> str:
    """Return the index over all runs, in their order."""
    return environment("report").get_template("index.html").render(runs=runs)
