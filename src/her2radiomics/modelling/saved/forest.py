"""A random forest as plain arrays: saved as numbers, and predicted by our own traversal.

No pickle: a forest is, for each tree, the children, feature, threshold and share of label 1 of its nodes. The traversal
follows scikit-learn's to the last bit: values are rounded to 32 bits, go left at or below a threshold, and the trees'
shares are added up in their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.modelling.saved.rules import FeaturePredictor, Rule

LEAF = -1


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree; all arrays have shape (nodes,), the root first.

    ``left`` and ``right`` are the numbers of a node's children, −1 in a leaf; a row goes left when its value of
    ``feature`` (the place among the forest's inputs) is at or below ``threshold``; ``value`` is the share of label 1.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Share of label 1 in each row's leaf; ``values`` are 32-bit numbers, shape (rows, inputs)."""
        node = np.zeros(len(values), dtype=int)
        rows = np.arange(len(values))
        while True:
            inner = self.left[node] != LEAF
            if not inner.any():
                return np.asarray(self.value[node])
            at, who = node[inner], rows[inner]
            low = values[who, self.feature[at]] <= self.threshold[at]
            node[inner] = np.where(low, self.left[at], self.right[at])

    def to_dict(self) -> dict[str, list]:
        """Plain lists; the feature and threshold of a leaf mean nothing and are 0."""
        leaf = self.left == LEAF
        return {
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "feature": np.where(leaf, 0, self.feature).tolist(),
            "threshold": np.where(leaf, 0.0, self.threshold).tolist(),
            "value": self.value.tolist(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, list]) -> Tree:
        """From the lists of :meth:`to_dict`.

        Raises
        ------
        ValueError
            The arrays are of different lengths, or a child lies outside the tree or before its parent.
        """
        left, right, feature = (np.asarray(content[key], dtype=int) for key in ("left", "right", "feature"))
        threshold, value = (np.asarray(content[key], dtype=float) for key in ("threshold", "value"))
        nodes = np.arange(left.size)
        inner = left != LEAF
        if len({array.shape for array in (left, right, feature, threshold, value)}) > 1 or not left.size:
            raise ValueError("a tree's arrays are of different lengths or empty")
        children = np.stack([left, right])[:, inner]
        # a child after its parent: no loop can be hidden in a file
        if inner.any() and not ((children > nodes[inner]) & (children < left.size)).all():
            raise ValueError("a tree's children lie outside the tree")
        return cls(left, right, feature, threshold, value)


@dataclass(frozen=True, eq=False)
class ForestRule(Rule):
    """The mean of the trees' shares of label 1.

    ``predictors`` are the inputs, in the order of the trees' ``feature``, with coefficient 1: their contribution is the
    scaled value.
    """

    name: str
    predictors: tuple[FeaturePredictor, ...]
    trees: tuple[Tree, ...]

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        """Mean share of label 1 over the trees, shape (rows,)."""
        columns = [predictor.contribution(table) for predictor in self.predictors]
        values = np.asarray(np.column_stack(columns), dtype=np.float32)
        total = np.zeros(len(values))
        for tree in self.trees:
            total += tree.predict(values)
        total /= len(self.trees)
        return total

    def score(self, table: pd.DataFrame) -> np.ndarray:
        """Log-odds of ``(T p + ½) / (T + 1)`` for ``T`` trees: finite where all trees agree, and in the order of p."""
        count = len(self.trees)
        return np.asarray(scipy.special.logit((count * self.probability(table) + 0.5) / (count + 1)), dtype=float)


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as grown, and the out-of-bag share of label 1 of each training row, shape (rows,) (NaN: in every bag)."""

    trees: tuple[Tree, ...]
    out_of_bag: np.ndarray
