"""The discount: what a reported test AUC is expected to be in new patients (see ``docs/discount.md``).

Names are loaded on first use.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
