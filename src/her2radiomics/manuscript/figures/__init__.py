"""Figures by kind: a protocol names the kind and its options, the registry draws it.

A new kind is a module here, with an options class and a function under
:func:`~her2radiomics.manuscript.figures.registry.figure`; see :mod:`her2radiomics.manuscript.kinds`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
