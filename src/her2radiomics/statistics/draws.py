"""Rows of bootstrap resamples: drawn one by one, or all of a person together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.statistics._check import as_seed, as_whole

#: Row numbers of each resample: of one length, or of several where persons are drawn.
Resamples = Sequence[NDArray[np.intp]] | NDArray[np.intp]


def draw_rows(n: int, iterations: int, seed: int | None, clusters: ArrayLike | None = None) -> Resamples:
    """Row numbers of bootstrap resamples, a list of them for each.

    Parameters
    ----------
    n
        Rows; each resample has as many.
    iterations, seed
        Number of resamples and their seed.
    clusters
        Who each row is of, shape (n,): whole clusters are drawn, as many as there are, so that resamples differ in length
        (Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). By default a row is a cluster.
    """
    random, iterations = np.random.default_rng(as_seed(seed)), as_whole(iterations, "iterations", 1)
    names = np.arange(n) if clusters is None else np.asarray(clusters).astype(str)
    if names.shape != (n,):
        raise ValueError(f"clusters: found shape {names.shape}, expected ({n},), one per row.")
    found, member = np.unique(names, return_inverse=True)
    if found.size == n:
        return random.integers(0, n, (iterations, n))
    rows = [np.flatnonzero(member == number) for number in range(found.size)]
    drawn = random.integers(0, found.size, (iterations, found.size))
    return [np.concatenate([rows[number] for number in numbers]) for numbers in drawn]
