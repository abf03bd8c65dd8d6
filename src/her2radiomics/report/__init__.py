"""The pages of the results: one self-contained page a run, and an index over all runs.

:func:`~her2radiomics.report.gather.build_context` gathers what a run has made,
:func:`~her2radiomics.report.pages.page` writes it as one HTML page that loads nothing,
:func:`~her2radiomics.report.gather.summarise` and :func:`~her2radiomics.report.pages.index` make the index.
"""

from her2radiomics.report.context import ReportContext, RunSummary
from her2radiomics.report.gather import build_context, summarise
from her2radiomics.report.info import RunInfo
from her2radiomics.report.pages import index, page
from her2radiomics.report.quality import gather_pictures

__all__ = ["ReportContext", "RunInfo", "RunSummary", "build_context", "gather_pictures", "index", "page", "summarise"]
