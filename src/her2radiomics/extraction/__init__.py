"""Features of one image's regions, quality-control rows, and the merging of cases into one table.

``extract_features`` is the public function; ``extract_case`` is what the workflow runs for one patient and
sequence. Both load on first use, so that importing this package costs nothing.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
