"""From a configuration to runs: protocol, plan, which files each output is made from, and a study from a cohort file."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
