"""A saved model for one new patient: from images to a page, and the calculator (see ``docs/predict.md``).

Names are loaded on first use.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
