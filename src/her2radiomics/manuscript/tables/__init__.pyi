from .inputs import Outcome, TableInputs
from .published import PublishedNumber, published_table
from .registry import TableOptions
from .render import render
from .settings import KINDS, TableSettings

__all__ = [
    "KINDS",
    "Outcome",
    "PublishedNumber",
    "TableInputs",
    "TableOptions",
    "TableSettings",
    "published_table",
    "render",
]
