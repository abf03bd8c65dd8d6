"""The selection steps of a radiomics model: one file per step, found by looking into this folder.

A file holds a subclass of :class:`~her2radiomics.modelling.base.SelectionStep` with the step's settings, its fit and its
words, decorated by ``@selection_step``. Protocols, chains, report, figures, checklists
and reference pages know the step from there.
"""

from typing import TYPE_CHECKING

from her2radiomics.modelling.base import STEPS, SelectionStep

STEPS.discover(__name__, __path__)
if TYPE_CHECKING:
    Step = SelectionStep
else:
    Step = STEPS.union()

__all__ = ["STEPS", "Step"]
