"""A made cohort of features and clinical columns, and a chain of selection, for the tests of models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2radiomics.core.columns import Column

N = 100  # training rows
CHAIN = [
    {"step": "min_max"},
    {"step": "icc_filter", "form": "ICC2,1", "threshold": 0.75},
    {"step": "univariate", "test": "f_classif", "p": 0.05},
    {"step": "lasso", "family": "gaussian", "folds": 10, "rule": "min"},
    {"step": "forced_retention", "by": "sequence"},
]
COLUMNS = {
    "age": Column(label="Age", kind="continuous", unit="years"),
    "ki67": Column(label="Ki-67", kind="categorical", cut=20, levels={"low": "< 20 %", "high": "≥ 20 %"}),
    "stage": Column(label="Stage", kind="ordinal", levels={"I": "I", "II": "II", "III": "III"}),
    "tic": Column(label="TIC", kind="categorical", levels={"a": "A", "b": "B", "c": "C"}),
}


def cohort(n: int = 200, per_sequence: int = 60, seed: int = 0, signal: float = 1.0):
    """Features with a planted signal in T2FS and DWI, a second reader of 30 patients, clinical columns, labels."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(n, 12))
    names = [f"{s}__tumour_slice__f{i:02d}" for s in ("T2FS", "DWI", "DCE2") for i in range(per_sequence)]
    weights = random.normal(size=(12, len(names))) * (random.random((12, len(names))) < 0.3)
    values = hidden @ weights + random.normal(size=(n, len(names)))
    values[:, [0, 1, per_sequence]] += 2 * hidden[:, [0, 0, 1]]
    ids = [f"P{i:03d}" for i in range(n)]
    features = pd.DataFrame(values * 50 + 200, index=ids, columns=names)
    noise = random.normal(size=(30, len(names))) * random.uniform(0, 2, len(names)) * 50
    second = features.iloc[:30] + noise
    clinical = pd.DataFrame(
        {
            "age": random.normal(50, 10, n),
            "ki67": random.choice(["low", "high"], n),
            "stage": random.choice(["I", "II", "III"], n),
            "tic": random.choice(["a", "b", "c"], n),
        },
        index=ids,
    )
    logit = signal * (1.5 * hidden[:, 0] + 1.5 * hidden[:, 1] + 2 * (clinical["ki67"] == "high").to_numpy() - 1)
    labels = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return features, second, clinical, labels
