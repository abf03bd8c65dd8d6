"""The null: outcomes and clinical columns redrawn on features that were extracted once.

    .venv/bin/python benchmarks/null.py RUN [RUN …] [--redraws 200] [--processes 2] [--models MODEL …]
                                        [--config '{size: published}']

For every finished run and every redraw, outcomes are permuted among the patients of a centre, and so, independently, are
their rows of clinical columns; the partition is made anew as the protocol says, and every model of the protocol is
fitted on the training rows and judged on the others. Whatever the features hold, an honest pipeline's mean AUC on
unseen rows is then 0.5 within its Monte-Carlo error (the SD over the redraws divided by the root of their number).

Writes one row per model and partition: mean AUC, its Monte-Carlo error, the SD over redraws, and the share of models that
kept nothing. Exits with 1 where a mean lies more than three Monte-Carlo errors from 0.5 on unseen rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from her2radiomics.cohort.partitions import assign
from her2radiomics.core.columns import read_participants
from her2radiomics.core.settings import overlay, read_yaml
from her2radiomics.core.tables import read
from her2radiomics.modelling import build_model, model_table, second_reader_table
from her2radiomics.statistics import auc
from her2radiomics.study.plan import Plan
from her2radiomics.study.run import Run

SEED = 20261121


@cache
def plan(changes: str) -> Plan:
    """The project's plan with the same changes of config.yaml as the runs were made with."""
    return Plan(overlay(read_yaml("config.yaml"), yaml.safe_load(changes) or {}), Path("workflow"))


@cache
def tables(name: str, changes: str) -> tuple[Run, pd.DataFrame, pd.DataFrame, Any]:
    """A finished run, its participants indexed by patient, its features, and the second reader's."""
    run = plan(changes).runs[name]
    people = read_participants(run.path("participants"), run.protocol.columns)
    features = read("features", run.path("features"))
    readers = run.dataset.readers
    return run, people, features, second_reader_table(features, readers.compared, readers.reference)


def redrawn(people: pd.DataFrame, columns: list[str], random: np.random.Generator) -> pd.DataFrame:
    """Participants with outcomes and clinical rows permuted, apart from one another, within each centre."""
    table = people.copy()
    for members in people.groupby("centre").indices.values():
        for names in (["label"], columns):
            source = people.iloc[random.permutation(members)][names]
            table.loc[table.index[members], names] = source.to_numpy()
    return table.astype(people.dtypes.to_dict())


def one(name: str, changes: str, models: tuple[str, ...], redraw: int) -> list[dict[str, Any]]:
    """AUC of each model on every partition of one redraw."""
    run, people, features, second = tables(name, changes)
    columns = [column for column in run.protocol.columns if column in people]
    random = np.random.default_rng([SEED, redraw])
    drawn = redrawn(people, columns, random)
    labels = drawn.set_index("patient_id")["label"].astype(int)
    # the participants table may hold a date or a partition that the protocol asks for
    where = run.dataset.data.participants
    part = assign(
        where[where["patient_id"].isin(labels.index)], labels, run.protocol.partitions, seed=redraw, file=name
    )
    table = model_table(features, drawn, run.protocol.columns, run.dataset.readers.reference)
    rows = []
    for model_name in [model for model in run.protocol.models if model in (models or run.protocol.models)]:
        model = build_model(model_name, run.protocol.models, run.protocol.columns, second_reader=second, seed=redraw)
        training = part.index[part == "training"]
        model.fit(table.loc[training], labels[training])
        for partition in dict.fromkeys(part):
            members = part.index[part == partition]
            known = members[model.rule_.predictable(table.loc[members])]
            if labels[known].nunique() == 2:
                scores = model.decision_function(table.loc[known])
                area = auc(labels[known], scores)
                rows.append({"model": model_name, "partition": partition, "auc": area, "empty": bool(model.empty_)})
    return rows


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean, Monte-Carlo error, SD and share of empty models by model and partition, in the order given."""
    groups = rows.groupby(["model", "partition"], sort=False)
    table = groups["auc"].agg(redraws="size", mean="mean", sd="std")
    table["error"] = table["sd"] / np.sqrt(table["redraws"])
    table["empty"] = groups["empty"].mean()
    return table.reset_index()


def main() -> None:
    """Print a table a run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--redraws", type=int, default=200)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--config", default="{}", help="what differs from config.yaml, as YAML: {size: published}")
    parser.add_argument("--models", nargs="*", default=[], help="models to refit (default: all of the protocol)")
    parser.add_argument("--output", type=Path, help="CSV file of every redraw")
    options = parser.parse_args()
    off, everything = [], []
    for name in options.runs:
        start = time.perf_counter()
        with ProcessPoolExecutor(options.processes) as pool:
            jobs = [
                pool.submit(one, name, options.config, tuple(options.models), redraw)
                for redraw in range(options.redraws)
            ]
            rows = pd.DataFrame([row for job in jobs for row in job.result()])
        table = summary(rows)
        everything.append(rows.assign(run=name))
        minutes = (time.perf_counter() - start) / 60
        print(f"\n{name}: {options.redraws} redraws, {minutes:.1f} min on {options.processes} processes\n")
        print("| model | partition | mean AUC | Monte-Carlo error | SD | nothing kept |\n|---|---|--:|--:|--:|--:|")
        for row in table.itertuples():
            print(
                f"| {row.model} | {row.partition} | {row.mean:.3f} | {row.error:.3f} | {row.sd:.2f} | {row.empty:.0%} |"
            )
            if row.partition != "training" and abs(row.mean - 0.5) > 3 * max(row.error, 1e-12):
                off.append(f"{name}, {row.model}, {row.partition}: {row.mean:.3f}")
    if options.output:
        pd.concat(everything).to_csv(options.output, index=False)
    if off:
        sys.exit("more than three Monte-Carlo errors from 0.5:\n" + "\n".join(off))


if __name__ == "__main__":
    main()
