"""How often the planted signal is found: outcomes redrawn on features that were extracted once.

    .venv/bin/python benchmarks/planted_signal.py [RUN] [REDRAWS]

Reads a finished simulated run (``nat_response`` by default), redraws every patient's outcome from the planted truth
(strength 0: from nothing), refits the Rad-score on the training set and judges it on the test set.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from her2radiomics.core.settings import read_yaml
from her2radiomics.modelling import build_model, reader_rows, second_reader_table
from her2radiomics.statistics import auc
from her2radiomics.study.plan import Plan

ROOT = Path(__file__).resolve().parent.parent


def main(name: str = "nat_response", redraws: int = 30) -> None:
    """Print one row a strength."""
    run = Plan(read_yaml(ROOT / "config.yaml"), ROOT / "workflow").runs[name]
    planted = run.protocol.simulation.strength
    features = pd.read_parquet(ROOT / run.folder / "features/cohort.parquet")
    truth = pd.read_csv(ROOT / run.dataset.folder / "truth.tsv", sep="\t", index_col="patient_id")
    people = pd.read_csv(ROOT / run.folder / "cohort/participants.csv", index_col="patient_id")
    readers = run.dataset.readers
    table = reader_rows(features, readers.reference).set_index("patient_id").drop(columns="reader")
    table = table.loc[people.index]
    radiomics = next(key for key, spec in run.protocol.models.items() if spec.kind == "radiomics")
    pairs = second_reader_table(features, readers.compared, readers.reference)
    model = build_model(radiomics, run.protocol.models, {}, second_reader=pairs, seed=1)
    rows = {part: people.index[people["partition"] == part] for part in ("training", "testing")}
    score = truth.loc[people.index, "linear_score"] / planted
    print(f"{name}: {len(rows['training'])} train, {len(rows['testing'])} test, {redraws} redraws")
    print("| strength | testing AUC, mean (SD) | above 0.5 |\n|---|---|---|")
    for strength in (0.0, planted):
        random = np.random.default_rng(0)
        found = []
        for _ in range(redraws):
            chance = strength * score + random.logistic(size=len(score))
            labels = pd.Series(0, index=people.index)
            for members in rows.values():  # the published counts hold in every redraw
                events = int(people.loc[members, "label"].sum())
                labels[chance[members].nlargest(events).index] = 1
            fitted = model.fit(table.loc[rows["training"]], labels[rows["training"]])
            found.append(auc(labels[rows["testing"]], fitted.decision_function(table.loc[rows["testing"]])))
        above = np.mean(np.array(found) > 0.5)
        print(f"| {strength:g} | {np.mean(found):.2f} ({np.std(found):.2f}) | {above:.0%} |")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
