"""The trap of harmonising a whole table before it is split: the AUC of shuffled labels.

    HER2RADIOMICS_DATA=/path/to/data .venv/bin/python benchmarks/harmonisation_trap.py [SHUFFLES]

On the I-SPY 1 radiomics table (``ispy1_radiomics``), and on simulated sites, labels are shuffled again and again. Each time
a model (the ten best features by F, logistic regression) is judged by five-fold cross-validation: without harmonisation,
with ComBat of the whole table before the folds are made, and with ComBat inside the model, learned on each fold's training
rows. The folds are dealt within sites. Shuffled labels cannot be predicted: what is above 0.5 by more than the standard
error of the mean leaked.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from her2radiomics.modelling import build_model
from her2radiomics.modelling.harmonisation import fit_combat
from her2radiomics.modelling.settings import parse_models
from her2radiomics.statistics import auc

FOLDS, BEST = 5, 10
WAYS = {
    "no harmonisation": (None, None),
    "whole table first, label kept": ("label", None),
    "whole table first, label not used": ("plain", None),
    "inside the model": (None, {"step": "combat", "unseen": "pass_through"}),
    "inside the model, preserve_label": (None, {"step": "combat", "unseen": "pass_through", "preserve_label": True}),
}


def real_sites(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Features of I-SPY 1 with their ``centre``, patients × columns, and HER2 as label."""
    features = pd.read_csv(folder / "ispy1_captk_radiomics.csv", index_col="ID").drop(columns="Target_HRpos")
    clinical = pd.read_csv(folder / "ispy1_clinical_outcome.csv", index_col="ID")
    known = clinical[["site", "Her2MostPos"]].dropna()
    table = features.join(known, how="inner").rename(columns={"site": "centre"})
    table = table[table["centre"].map(table["centre"].value_counts()) > 1]
    return table.drop(columns="Her2MostPos"), table["Her2MostPos"].astype(int)


def simulated_sites(seed: int = 0, features: int = 200) -> tuple[pd.DataFrame, pd.Series]:
    """Two sites of 20 and 12 patients and eighteen of 4, each with its own locations and scales."""
    random = np.random.default_rng(seed)
    sizes = (20, 12, *[4] * 18)
    centre = np.repeat([f"site {number:02d}" for number in range(1, 21)], sizes)
    hidden = random.normal(size=(len(centre), 6))
    values = hidden @ random.normal(size=(6, features)) + random.normal(size=(len(centre), features))
    for name in np.unique(centre):
        rows = centre == name
        values[rows] = values[rows] * np.exp(random.normal(0, 0.2, features)) + random.normal(0, 2, features)
    ids = [f"S{number:03d}" for number in range(len(centre))]
    table = pd.DataFrame(values, index=ids, columns=[f"f{number:03d}" for number in range(features)])
    return table.assign(centre=centre), pd.Series((np.arange(len(ids)) % 3 == 0).astype(int), index=ids)


def whole_table(X: pd.DataFrame, labels: np.ndarray | None) -> pd.DataFrame:
    """Harmonise all rows together, as packages do; ``labels`` are kept as a covariate where given."""
    values = X.drop(columns="centre").to_numpy(dtype=float)
    design = np.empty((len(X), 0)) if labels is None else labels[:, None].astype(float)
    fit = fit_combat(values, X["centre"].to_numpy(), design)
    place = np.searchsorted(fit.centres, X["centre"].to_numpy())
    expected = fit.mean + design @ fit.weights
    adjusted = (values - expected - (fit.pooled * fit.gamma)[place]) / np.sqrt(fit.delta)[place] + expected
    return pd.DataFrame(adjusted, index=X.index, columns=X.columns.drop("centre")).assign(centre=X["centre"])


def site_folds(centre: np.ndarray, seed: int) -> np.ndarray:
    """Deal the patients of each site to the folds, so that two or more train; sites of fewer than three stay together."""
    random = np.random.default_rng(seed)
    fold, start = np.empty(len(centre), dtype=int), 0
    for name in np.unique(centre):
        rows = random.permutation(np.flatnonzero(centre == name))
        fold[rows] = (start + (np.arange(len(rows)) if len(rows) > 2 else 0)) % FOLDS
        start += len(rows)
    return fold


def cross_validated_auc(X: pd.DataFrame, labels: np.ndarray, steps: list[dict], seed: int) -> float:
    """Mean AUC over the folds."""
    specs = parse_models({"m": {"kind": "radiomics", "steps": steps}})
    fold = site_folds(X["centre"].to_numpy(), seed)
    found = []
    for number in np.unique(fold):
        test = fold == number
        model = build_model("m", specs, {}, seed=seed).fit(X[~test], labels[~test])
        found.append(auc(labels[test], model.decision_function(X[test])))
    return float(np.mean(found))


def null_auc(X: pd.DataFrame, y: pd.Series, way: str, shuffles: int, seed: int = 0) -> np.ndarray:
    """Cross-validated AUC of shuffled labels in one of :data:`WAYS`, shape (shuffles,)."""
    before, step = WAYS[way]
    select = {"step": "univariate", "k": BEST}
    found = []
    for number in range(shuffles):
        labels = np.random.default_rng([seed, number]).permutation(y.to_numpy())
        table = X if before is None else whole_table(X, labels if before == "label" else None)
        steps = [select] if step is None else [step, select]
        found.append(cross_validated_auc(table, labels, steps, seed + number))
    return np.array(found)


def main(shuffles: int = 100) -> None:
    """Print a table for each cohort, one row a way."""
    cohorts = {"simulated": simulated_sites()}
    folder = Path(os.environ.get("HER2RADIOMICS_DATA", "")) / "ispy1_radiomics"
    if folder.is_dir():
        cohorts["I-SPY 1, HER2"] = real_sites(folder)
    for name, (X, y) in cohorts.items():
        sites = X["centre"].value_counts()
        print(
            f"\n{name}: {len(X)} patients, {X.shape[1] - 1} features, {len(sites)} sites of {sites.min()} to {sites.max()}, "
            f"{int(y.sum())} positive, {shuffles} shuffles\n"
        )
        print("| ComBat | mean AUC of shuffled labels | standard error |\n|---|---|---|")
        for way in WAYS:
            found = null_auc(X, y, way, shuffles)
            print(f"| {way} | {found.mean():.3f} | {found.std(ddof=1) / shuffles**0.5:.3f} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
