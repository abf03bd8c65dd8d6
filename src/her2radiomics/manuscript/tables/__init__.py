"""Tables of the manuscript: each kind is made once, then written as CSV, HTML, LaTeX and Word.

A protocol's ``tables:`` section is a list of :data:`~her2radiomics.manuscript.tables.settings.TableSettings`, and
:func:`~her2radiomics.manuscript.tables.render.render` makes one of them from the files of a run.
"""

from her2radiomics.manuscript.tables.inputs import Outcome, TableInputs
from her2radiomics.manuscript.tables.render import make, models_needed, needs, render
from her2radiomics.manuscript.tables.settings import TableBase, TableSettings

__all__ = [
    "Outcome",
    "TableBase",
    "TableInputs",
    "TableSettings",
    "make",
    "models_needed",
    "needs",
    "render",
]
