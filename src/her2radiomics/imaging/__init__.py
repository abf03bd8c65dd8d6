"""Reading and checking images and masks; regions of interest in millimetres.

Nothing heavy is imported before it is used: SimpleITK and numpy load with the first image.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
