"""Small problems that the tests of the LASSO and of selection solve."""

from __future__ import annotations

import numpy as np
import pandas as pd


def example() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """45 rows × 12 columns of very different scales, a label, and 7 folds of unequal size."""
    n, p = 45, 12
    i, j = np.arange(n)[:, None], np.arange(p)[None, :]
    x = np.sin(1.7 * (i + 1) * (j + 1) + j**2) + 0.5 * np.cos(0.9 * (i + 1) * (1 + j % 3))
    x = x * 10.0 ** (j % 4 - 1) + j
    y = (x[:, 0] * 10 + x[:, 5] - 5 + 1.5 * np.sin(5 * np.arange(n)) > 0.2).astype(float)
    return x, y, np.arange(n) % 7


def wide_problem(copies: bool) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    hidden = random.normal(size=(68, 20))
    x = hidden @ random.normal(size=(20, 300)) + random.normal(size=(68, 300))
    if copies:
        x[:, 100:130] = x[:, :30]
        x[:, 130:160] = -2 * x[:, :30] + 3
        x[:, 160:190] = x[:, :30] * (1 + 1e-7 * random.normal(size=(68, 30)))
    return x, (hidden[:, 0] + random.normal(size=68) > 0).astype(float)


def table(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        values, index=[f"P{i:03d}" for i in range(len(values))], columns=[f"f{i}" for i in range(values.shape[1])]
    )
