"""The simulated cohort: who is in it (``roster``), its files (``simulate_patient``, ``write_tables``).

The model is written down in ``docs/simulation.md``. Everything here is a function of the settings, the size
and the seed; images never depend on the strength of the planted signal.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
