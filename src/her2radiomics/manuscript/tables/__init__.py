"""Tables by kind: each is made once, then written as CSV, HTML, LaTeX and Word.

A new kind is a module here, with an options class and a function under
:func:`~her2radiomics.manuscript.tables.registry.table`; see :mod:`her2radiomics.manuscript.kinds`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
