"""scikit-learn's base classes: imported as quickly as other libraries, and not noted, since to inherit is no use of it."""

from typing import TYPE_CHECKING

from her2radiomics.core import libraries

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
else:
    base = libraries._imported("sklearn.base")
    BaseEstimator, ClassifierMixin, TransformerMixin = base.BaseEstimator, base.ClassifierMixin, base.TransformerMixin

__all__ = ["BaseEstimator", "ClassifierMixin", "TransformerMixin"]
