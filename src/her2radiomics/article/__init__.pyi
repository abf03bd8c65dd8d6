from . import check as check
from . import refresh as refresh

__all__ = ["check", "refresh"]
