"""HTML templates of a package: one way to set Jinja up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from her2radiomics.core.libraries import jinja2

if TYPE_CHECKING:
    pass


@cache
def environment(*packages: str) -> jinja2.Environment:
    """Templates in ``her2radiomics/<package>/templates``: everything is escaped, an unknown name is an error.

    Of several packages the first that has a template gives it.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(f"her2radiomics.{package}") for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
