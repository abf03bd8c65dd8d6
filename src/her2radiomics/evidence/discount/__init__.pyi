from .calibration import Calibration as Calibration
from .calibration import coverage as coverage
from .calibration import read_benchmark as read_benchmark
from .chains import ORDERS as ORDERS
from .chains import Chain as Chain
from .chains import chain_of as chain_of
from .chains import read_chains as read_chains
from .expected import ExpectedAuc as ExpectedAuc
from .expected import expected_auc as expected_auc
from .support import Support as Support
from .support import shipped_support as shipped_support

__all__ = [
    "ORDERS",
    "Calibration",
    "Chain",
    "ExpectedAuc",
    "Support",
    "chain_of",
    "coverage",
    "expected_auc",
    "read_benchmark",
    "read_chains",
    "shipped_support",
]
