"""The analyses of evidence: one file each, found by looking into this folder.

A file holds a subclass of :class:`~her2radiomics.evidence.analysis.Analysis` with the analysis' settings, its repetitions,
their summary, the rules of its findings and its figure, decorated by ``@analysis``. Protocol, rules, page and reference
pages know the analysis from there.
"""

from typing import TYPE_CHECKING

from her2radiomics.evidence.analysis import ANALYSES, Analysis

ANALYSES.discover(__name__, __path__)
if TYPE_CHECKING:
    AnyAnalysis = Analysis
else:
    AnyAnalysis = ANALYSES.union()

__all__ = ["ANALYSES", "AnyAnalysis"]
