"""From what a hospital or a collection has (DICOM folders, masks, boxes, tables) to images, masks and a manifest.

Each part is a function that returns an :class:`~her2radiomics.importing.outcome.Outcome`: what was written or would be, what
was refused and why, and what to do next. Formats are read by :mod:`her2radiomics.imaging`, tables by
:mod:`her2radiomics.core.brought`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
