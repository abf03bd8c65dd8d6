"""What the jobs of the workflow share: logging, file records, patches of Snakemake, its command line."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
