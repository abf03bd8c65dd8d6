"""The manuscript of a run: its text, with every number bound to the cell it comes from, and its Word and LaTeX files."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
