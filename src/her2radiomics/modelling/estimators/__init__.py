"""The estimators at the end of a radiomics model: one file each, found by looking into this folder.

A file holds a subclass of :class:`~her2radiomics.modelling.estimator.Estimator` with the estimator's settings, its fit and
its words, decorated by ``@estimator``.
"""

from typing import TYPE_CHECKING

from her2radiomics.modelling.estimator import ESTIMATORS, Estimator

ESTIMATORS.discover(__name__, __path__)
if TYPE_CHECKING:
    AnyEstimator = Estimator
else:
    AnyEstimator = ESTIMATORS.union()

__all__ = ["ESTIMATORS", "AnyEstimator"]
