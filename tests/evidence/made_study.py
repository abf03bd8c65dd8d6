"""A made study for tests of evidence: two or more centres, noise features, some of them with a planted signal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2radiomics.core.columns import columns_from
from her2radiomics.evidence.published import PublishedOrder
from her2radiomics.evidence.study import About, EvidenceStudy
from her2radiomics.modelling.settings import parse_models

STEPS = [
    {"step": "z_score"},
    {"step": "univariate", "test": "f_classif", "p": 0.2},
    {"step": "lasso", "family": "gaussian", "folds": 5, "rule": "min"},
]
MODELS = {
    "radiomics": {"kind": "radiomics", "steps": STEPS, "estimator": {"kind": "logistic", "method": "auto"}},
    "clinical": {"kind": "clinical", "candidates": ["age", "status"], "keep": "all"},
    "combined": {"kind": "combined", "of": ["radiomics", "clinical"]},
}
COLUMNS = {
    "age": {"label": "Age", "unit": "years", "kind": "continuous"},
    "status": {
        "label": "Menopausal status",
        "kind": "categorical",
        "levels": {"premenopausal": "Premenopausal", "postmenopausal": "Postmenopausal"},
    },
}


def made_study(
    seed: int = 1,
    n: int = 90,
    features: int = 20,
    signal: float = 1.5,
    *,
    centres: int = 2,
    second_reader: bool = False,
    models: dict | None = None,
    primary: str = "combined",
    published: dict | None = None,
    partitions: dict | None = None,
) -> EvidenceStudy:
    """A study of ``n`` patients: centre 1 (the larger) trains, the others test; ``signal`` shifts the first two features."""
    random = np.random.default_rng(seed)
    names = [f"P{number:03d}" for number in range(n)]
    label = np.arange(n) // 2 % 2
    values = random.normal(size=(n, features))
    values[:, :2] += signal * label[:, None]
    centre = np.where(np.arange(n) < n * 2 // 3, 1, 2 + (np.arange(n) % max(centres - 1, 1)))
    people = pd.DataFrame(
        {
            "patient_id": names,
            "centre": [f"centre_{number}" for number in centre],
            "partition": np.where(centre == 1, "training", "testing"),
            "label": label,
            "age": 50 + 8 * random.normal(size=n),
            "status": np.where(random.random(n) < 0.5, "premenopausal", "postmenopausal"),
        }
    )
    columns = [f"T1__tumour_volume__f{number:02d}" for number in range(features)]
    table = pd.DataFrame(values, columns=columns)
    table.insert(0, "patient_id", names)
    table.insert(1, "reader", "1")
    if second_reader:
        again = table.assign(reader="2")
        again[columns] += 0.3 * random.normal(size=(n, features))
        table = pd.concat([table, again], ignore_index=True)
    about = About(
        models=parse_models(models or MODELS),
        columns=columns_from(COLUMNS),
        primary=primary,
        partitions=partitions or {"kind": "centre", "training": ["centre_1"], "testing": ["*"]},
        seed=seed,
        second_reader=second_reader,
        published={name: PublishedOrder(**order) for name, order in (published or {}).items()},
        title="A made study",
        labels={"radiomics": "Radiomics", "clinical": "Clinical", "combined": "Combined"},
        partition_labels={"training": "Training set", "testing": "Test set"},
        simulated=True,
    )
    return EvidenceStudy(about=about, people=people, features=table)
