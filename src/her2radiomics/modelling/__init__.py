"""Leak-safe models: selection steps, Rad-scores, clinical and combined models, ``model.json`` (see ``docs/modelling.md``).

Names are loaded on first use, so that a script pays only for what it calls.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
