"""The pages of the results: one self-contained page a run, and an index over all runs.

:func:`~her2radiomics.report.gather.build_context` gathers what a run has made,
:func:`~her2radiomics.report.pages.page` writes it as one HTML page that loads nothing,
:func:`~her2radiomics.report.gather.summarise` and :func:`~her2radiomics.report.pages.index` make the index.

Names are loaded on first use, so that planning, which needs few words of a page, does not load how it is made.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
