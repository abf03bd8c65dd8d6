"""A thousand refits of a protocol's radiomics pipeline with permuted labels: time, memory, and the same selection.

    .venv/bin/python benchmarks/modelling.py [--study nat_response] [--refits 1000] [--processes 2] [--compare 20]

A made table of the protocol's sequences replaces a cohort: 68 patients × the features that the protocol asks for,
in correlated blocks as filtered images give them, read twice. Every refit is the whole pipeline (scaling, reader
agreement, univariate filter, LASSO with its cross-validation, forced retention, logistic regression, threshold). The
first refits are done again the plain way, with scikit-learn's scalers, f_classif and coordinate descent, and must
select the same features. The last lines say where the time of a refit goes.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.modelling import build_model
from her2radiomics.modelling.models.radiomics import RadiomicsSpec
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.penalised.gaussian_path import lambda_grid
from her2radiomics.statistics import icc
from her2radiomics.study.protocol import Protocol

ROOT = Path(__file__).resolve().parent.parent
PATIENTS, EVENTS, BLOCK = 68, 42, 15


@cache
def study(name: str) -> tuple[Protocol, str]:
    """The protocol, and the first of its models that has selection steps and uses every sequence."""
    path = ROOT / "workflow/studies" / f"{name}.yaml"
    protocol = validate(Protocol, read_yaml(path), str(path))
    models = {key: spec for key, spec in protocol.models.items() if isinstance(spec, RadiomicsSpec)}
    return protocol, max(models, key=lambda key: len(models[key].sequences) or len(protocol.sequences))


@cache
def tables(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reader 1's and reader 2's features: blocks that share a factor, on scales from 0.01 to 10,000."""
    random = np.random.default_rng(1)
    protocol, _ = study(name)
    names = [
        f"{sequence}__{region}__feature_{i:04d}"
        for sequence, item in protocol.sequences.items()
        for region in item.regions
        for i in range(item.features)
    ]
    blocks = -(-len(names) // BLOCK)
    factors = np.repeat(random.standard_normal((PATIENTS, blocks)), BLOCK, axis=1)[:, : len(names)]
    own = random.standard_normal((PATIENTS, len(names)))
    values = 0.8 * factors + 0.6 * own
    noise = random.uniform(0.1, 1.2, len(names)) * random.standard_normal(values.shape)
    scale = 10 ** random.uniform(-2, 4, len(names))
    patients = [f"P{i:03d}" for i in range(PATIENTS)]
    first = pd.DataFrame(values * scale, index=patients, columns=names)
    return first, pd.DataFrame((values + noise) * scale, index=patients, columns=names)


def labels(refit: int) -> pd.Series:
    """Permuted outcomes: 42 of 68."""
    outcome = np.random.default_rng([7, refit]).permutation(np.arange(PATIENTS) < EVENTS).astype(int)
    return pd.Series(outcome, index=[f"P{i:03d}" for i in range(PATIENTS)])


def fit(name: str, refit: int) -> tuple[list[str], float]:
    """The features selected by the project's pipeline, and the CPU seconds it took."""
    protocol, model = study(name)
    first, second = tables(name)
    start = time.process_time()
    fitted = build_model(model, protocol.models, {}, second_reader=second, seed=refit).fit(first, labels(refit))
    return list(fitted.fitted_.table.columns), time.process_time() - start


def plain(refit: int, agreed: list[str], name: str) -> set[str]:
    """What LASSO keeps by scikit-learn's own pieces, for the chain min-max, f_classif p < 0.05, LASSO (gaussian, min)."""
    from sklearn.feature_selection import f_classif
    from sklearn.linear_model import lasso_path
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    outcome = labels(refit)
    y = outcome.to_numpy(dtype=float)
    table = tables(name)[0][agreed]
    scaled = MinMaxScaler().fit_transform(table)
    chosen = np.flatnonzero(f_classif(scaled, y)[1] < 0.05)
    values = scaled[:, chosen]
    grid = lambda_grid(values, y, 100)
    fold = patient_folds(table.index.to_numpy(), y, 10, refit)
    errors = np.empty((y.size, grid.size))
    for k in np.unique(fold):
        test = fold == k
        scaler = StandardScaler().fit(values[~test])
        mean = y[~test].mean()
        x = scaler.transform(values[~test])
        _, path, _ = lasso_path(x, y[~test] - mean, alphas=grid, tol=1e-9, max_iter=200_000)
        errors[test] = (y[test][:, None] - mean - scaler.transform(values[test]) @ path) ** 2
    sizes = np.array([(fold == k).sum() for k in np.unique(fold)])
    mean_error = np.average(np.stack([errors[fold == k].mean(axis=0) for k in np.unique(fold)]), axis=0, weights=sizes)
    best = int(np.argmax(mean_error <= mean_error.min()))
    x = StandardScaler().fit_transform(values)
    _, path, _ = lasso_path(x, y - y.mean(), alphas=grid, tol=1e-9, max_iter=200_000)
    return {table.columns[chosen[i]] for i in np.flatnonzero(path[:, best])}


def agreed_features(name: str) -> list[str]:
    """Features with ICC(2,1) of at least 0.75 between the readers, one by one by the public function."""
    first, second = tables(name)
    return [column for column in first if icc(np.column_stack([first[column], second[column]])).value >= 0.75]


def main() -> None:
    """Print time, memory, agreement and the profile."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--study", default="nat_response")
    parser.add_argument("--refits", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--compare", type=int, default=20)
    options = parser.parse_args()
    first, _ = tables(options.study)
    model = study(options.study)[1]
    print(f"{options.study}, model {model}: {first.shape[0]} × {first.shape[1]}")
    start = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        results = list(pool.map(fit, [options.study] * options.refits, range(options.refits), chunksize=10))
    elapsed = time.perf_counter() - start
    seconds = np.array([cpu for _, cpu in results])
    kept = np.array([len(names) for names, _ in results])
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{options.refits} refits on {options.processes} processes: {elapsed:.0f} s; CPU a refit: median "
        f"{np.median(seconds):.2f} s, largest {seconds.max():.2f} s; largest process {memory:.0f} MB; "
        f"features kept: median {np.median(kept):.0f}, {kept.min()} to {kept.max()}"
    )
    if options.compare:
        same_selection(options.study, options.compare, results)
    profile = cProfile.Profile()
    profile.runcall(fit, options.study, 0)
    print("\nwhere a refit spends its time")
    pstats.Stats(profile).sort_stats("tottime").print_stats(8)


def same_selection(name: str, count: int, results: list[tuple[list[str], float]]) -> None:
    """Hold the first refits against the plain way; forced retention may add features, nothing may be missing."""
    agreed = agreed_features(name)
    start = time.perf_counter()
    for refit in range(count):
        mine, theirs = set(results[refit][0]), plain(refit, agreed, name)
        added = mine - theirs
        if not theirs <= mine or len(added) > len(study(name)[0].sequences):
            raise SystemExit(f"refit {refit}: {sorted(theirs - mine)} missing, {sorted(added)} added")
    seconds = (time.perf_counter() - start) / count
    print(f"{count} refits the plain scikit-learn way: the same features; {seconds:.1f} s a refit")


if __name__ == "__main__":
    main()
