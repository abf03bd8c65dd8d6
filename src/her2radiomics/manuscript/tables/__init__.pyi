from .inputs import Outcome, TableInputs
from .registry import TableOptions
from .render import render
from .settings import KINDS, TableSettings

__all__ = ["KINDS", "Outcome", "TableInputs", "TableOptions", "TableSettings", "render"]
