"""PyRadiomics' grey level co-occurrence class, with its dearest sums done another way.

Nearly half of an extraction's time is this class's, and most of that lies in five sums: the maximal correlation
coefficient, the two marginal distributions along the diagonals, and the two high moments of the cluster features.
Their definitions are PyRadiomics'; the values agree to rounding (``tests/extraction/test_cooccurrence.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

# below this coefficient PyRadiomics' value is the root of a rounding error, or left out of the mean where it is negative
LEAST_CORRELATION = 1e-3


class FasterCooccurrence:
    """Goes before PyRadiomics' ``RadiomicsGLCM`` in the bases of a class; for one region, not voxel by voxel.

    ``P_glcm`` is (1, levels, levels, angles): the levels that occur, each angle's probabilities adding up to 1.
    """

    coefficients: dict[str, Any]
    P_glcm: np.ndarray
    symmetricalGLCM: bool

    def _calculateCoefficients(self) -> None:
        joint, found = self.P_glcm, self.coefficients
        levels = found["grayLevels"]
        column, row = levels[:, None], levels[None, :]
        eps = np.spacing(1)
        found["eps"] = eps
        found["i"], found["j"] = column.astype(float), row.astype(float)
        found["kValuesSum"] = np.arange(2, 2 * found["Ng"] + 1, dtype=float)
        found["kValuesDiff"] = np.arange(found["Ng"], dtype=float)
        found["px"], found["py"] = joint.sum(2, keepdims=True), joint.sum(1, keepdims=True)
        for name, level in (("ux", found["i"]), ("uy", found["j"])):
            found[name] = (level[None, :, :, None] * joint).sum((1, 2), keepdims=True)
        found["pxAddy"] = _by_index(joint, column + row - 2, len(found["kValuesSum"]))
        found["pxSuby"] = _by_index(joint, abs(column - row), len(found["kValuesDiff"]))
        found["HXY"] = -(joint * np.log2(joint + eps)).sum((1, 2))

    def getClusterProminenceFeatureValue(self) -> np.ndarray:
        """Fourth moment of the sum of a pair's levels; mean over the angles."""
        return self._cluster(4)

    def getClusterShadeFeatureValue(self) -> np.ndarray:
        """Third moment of the sum of a pair's levels; mean over the angles."""
        return self._cluster(3)

    def _cluster(self, power: int) -> np.ndarray:
        found = self.coefficients
        centre = (found["ux"] + found["uy"])[:, 0]
        apart = found["kValuesSum"][None, :, None] - centre
        moment: np.ndarray = np.nanmean((found["pxAddy"] * apart**power).sum(1), 1)
        return moment

    def getMCCFeatureValue(self) -> Any:
        r"""Maximal correlation coefficient, mean over the angles.

        It is the root of the second eigenvalue of
        :math:`Q_{ij} = \sum_k p_{ik} p_{jk} / (p_x(i)\,p_y(k) + \epsilon)`. Of a symmetrical matrix this is the second
        largest absolute eigenvalue of :math:`p_{ij} / \sqrt{p_x(i)\,p_y(j) + \epsilon}`, up to the square of
        :math:`\epsilon / (p_x p_y)`: one symmetric eigenvalue problem in place of a sum over every level.
        """
        found = self.coefficients
        joint = self.P_glcm
        if self.symmetricalGLCM and joint.shape[1] > 1 and np.isfinite(joint).all():
            balanced = joint / np.sqrt(found["px"] * found["py"] + found["eps"])
            size = np.abs(np.linalg.eigvalsh(np.moveaxis(balanced, 3, 1)))
            second = np.sort(size)[..., -2]
            if second.min() > LEAST_CORRELATION:
                return second.mean(1)
        return super().getMCCFeatureValue()  # type: ignore[misc]


def _by_index(joint: np.ndarray, index: np.ndarray, length: int) -> np.ndarray:
    """Sum (1, levels, levels, angles) over the pairs of levels of the same index: (1, length, angles)."""
    angles = joint.shape[3]
    place = (index[..., None] * angles + np.arange(angles)).ravel()
    return np.bincount(place, joint.ravel(), length * angles).reshape(1, length, angles)
