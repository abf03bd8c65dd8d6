"""Public statistics: pure functions on arrays and tables, checked against R (see ``docs/statistics.md``).

Names are loaded when they are first used, so that a script pays only for what it calls.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
