"""What a protocol's ``figures:`` section may say: the options of all kinds, found in the modules beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2radiomics.manuscript import figures
from her2radiomics.manuscript.figures import composed
from her2radiomics.manuscript.figures.registry import KINDS, FigureOptions

KINDS.discover(figures.__name__, figures.__path__)

if TYPE_CHECKING:
    FigureSettings = FigureOptions
else:
    composed.SingleFigure = KINDS.union(without=["composed"])  # found there when the settings are first used
    FigureSettings = KINDS.union()
