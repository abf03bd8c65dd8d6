"""The pages themselves: templates filled with a context.

The page's policy names its own script by its hash: no other script runs, even if one came in with a text.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256

from markupsafe import Markup

from her2radiomics.core.templates import environment
from her2radiomics.report.context import ReportContext, RunSummary


def page(context: ReportContext) -> str:
    """Return a run's page: one HTML document that loads nothing; its links lead to files beside it."""
    templates = environment("report")
    script = templates.get_template("script.js").render()
    digest = base64.b64encode(sha256(script.encode()).digest()).decode("ascii")
    # both are our own text, and the policy's quotation marks must stay
    shown = {"script": Markup(script), "script_source": Markup(f"'sha256-{digest}'")}
    return templates.get_template("page.html").render(c=context, p=context.info.protocol, **shown)


def index(runs: Sequence[RunSummary]) -> str:
    """Return the index over all runs, in their order; it has no script."""
    return environment("report").get_template("index.html").render(runs=runs, script_source=Markup("'none'"))
