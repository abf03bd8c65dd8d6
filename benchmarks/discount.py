"""How much of a reported test AUC new patients see: the studies' chains on public radiomics tables, split again and again.

    .venv/bin/python benchmarks/discount.py FOLDER [--repetitions 10] [--processes 2] [--tables NAME …]   # the benchmark
    .venv/bin/python benchmarks/discount.py --draw       # the figure of docs/discount.md
    .venv/bin/python benchmarks/discount.py --summary    # its tables
    .venv/bin/python benchmarks/discount.py FOLDER --profile Keek2020            # what dominates

``FOLDER`` holds the tables of radMLBench as they are distributed: gzipped CSV with the columns ``ID``, ``Target`` (0/1) and
features; a table that is not there is left out and named. Nothing of them is kept but counts and AUCs.

In each repetition a study is drawn from a table: n patients, of whom 33 to 65 are its test set; the rest of the table are
new patients that the study never sees. Draws are stratified by the outcome. Each protocol's chain is run twice: leak-safe
(every step is fitted on training rows), and as published (what ``evidence.as_published`` of the protocol has ``on_all`` is
fitted on training and test rows together). Of each model the AUC is taken on the training rows (apparent), in 5-fold
cross-validation of what is fitted on training rows (every ``--cross-validate``-th repetition), on the test set, and on the
new patients.

A repetition is a function of the table's name, the seed and its number, so that the result has the same bytes for any
number of processes. Finished batches are kept in ``build/discount`` and are not run again.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import io
import json
import pstats
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from her2radiomics.core.files import whole_file, write_text
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.evidence.discount import ORDERS, Chain, coverage, expected_auc, read_benchmark, read_chains
from her2radiomics.evidence.discount.calibration import LEVEL, extrapolation, grouped, reported
from her2radiomics.evidence.discount.calibration import judged as judged_by
from her2radiomics.evidence.published import PublishedOrder
from her2radiomics.manuscript import style
from her2radiomics.modelling import build_model, cross_validated_scores
from her2radiomics.modelling.base import SelectionStep, Training
from her2radiomics.modelling.chain import fit_chain
from her2radiomics.modelling.models.radiomics import RadiomicsSpec
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.settings import ModelSettings, parse_models
from her2radiomics.statistics import auc

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src/her2radiomics/evidence/discount"
PICTURE = ROOT / "docs/images/discount/test_and_new.png"
STUDIES = ("nat_response", "her2_equivocal", "her2_peritumoral", "her2_nomogram")
SEED = 20261128
COLUMNS = (
    *("dataset", "repetition", "n", "events", "features", "test_n", "test_events", "new_n", "new_events"),
    *("chain", "order", "kept", "apparent", "cross_validated", "test", "new"),
)
#: Patients of a test set, fewest and most, as in the four papers; the smallest study that is drawn where a table allows it.
TEST, SMALLEST = (33, 65), 100
#: Share of a table's patients that stay new.
NEW = 0.3
FOLDS = 5
#: Features that the calibration is fitted with, to predict data sets with more.
FEWER = 986
#: The study of figure and tables.
TYPICAL = {"n": 150, "events": 60, "features": 800, "test_n": 45}
BATCH = 2


@cache
def chains() -> dict[str, tuple[Chain, RadiomicsSpec, PublishedOrder]]:
    """The chain of each protocol's first radiomics model, the model, and its order as published."""
    found = {}
    for study in STUDIES:
        protocol = read_yaml(ROOT / f"workflow/studies/{study}.yaml")
        models = parse_models(protocol["models"])
        name, model = next((name, model) for name, model in models.items() if isinstance(model, RadiomicsSpec))
        published = validate(PublishedOrder, protocol["evidence"]["as_published"][name], study)
        model = model.model_copy(update={"sequences": (), "regions": ()})
        found[study] = (Chain.of(study, model, published), model, published)
    return found


def read_table(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Features, patients × columns, and the outcome."""
    table = pd.read_csv(path)
    labels = table["Target"].to_numpy(dtype=int)
    features = table.drop(columns=["ID", "Target"]).astype(float)
    features.index = [f"P{number:04d}" for number in range(len(table))]  # IDs may occur twice
    return features, labels


def draw(labels: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the training set, the test set and the new patients, stratified by label."""
    most = int(len(labels) * (1 - NEW))
    size = int(random.integers(min(SMALLEST, most), most + 1))
    test = min(int(random.integers(TEST[0], TEST[1] + 1)), size // (2 if size >= SMALLEST else 3))
    order = [random.permutation(np.flatnonzero(labels == value)) for value in (0, 1)]
    events = round(size * float(labels.mean()))
    in_test = round(test * events / size)
    counts = ((size - events, test - in_test), (events, in_test))
    parts = [(rows[: n - t], rows[n - t : n], rows[n:]) for rows, (n, t) in zip(order, counts, strict=True)]
    training, testing, new = (np.sort(np.concatenate(part)) for part in zip(*parts, strict=True))
    return training, testing, new


def repetition(
    name: str, features: pd.DataFrame, labels: np.ndarray, number: int, crossed: bool
) -> Iterator[dict[str, Any]]:
    """Rows of one repetition, one for each chain and order."""
    random = np.random.default_rng([SEED, zlib.crc32(name.encode()), number])
    training, testing, new = draw(labels, random)
    seed = int(random.integers(2**31))
    drawn = {
        "dataset": name,
        "repetition": number,
        "n": len(training) + len(testing),
        "events": int(labels[training].sum() + labels[testing].sum()),
        "features": features.shape[1],
        "test_n": len(testing),
        "test_events": int(labels[testing].sum()),
        "new_n": len(new),
        "new_events": int(labels[new].sum()),
    }
    for study, (chain, model, published) in chains().items():
        for order in ORDERS:
            if order == ORDERS[0] or not chain.equal_orders:
                first, later = ((), model.steps) if order == ORDERS[0] else (published.on_all, published.on_training)
                areas = areas_of(model, first, later, features, labels, (training, testing, new), seed, crossed)
            yield {**drawn, "chain": study, "order": order, **areas}


def areas_of(
    model: RadiomicsSpec,
    first: Sequence[SelectionStep],
    later: Sequence[SelectionStep],
    features: pd.DataFrame,
    labels: np.ndarray,
    parts: Sequence[np.ndarray],
    seed: int,
    crossed: bool,
) -> dict[str, Any]:
    """Run a chain on a study: its ``first`` steps on all patients, training and test, the ``later`` on training rows."""
    if first:
        together = np.sort(np.concatenate(parts[:2]))
        fitted, _ = fit_chain(first, features.iloc[together], labels[together], Training(seed))
        features = fitted.transform(features)
    return judged({"model": model.model_copy(update={"steps": tuple(later)})}, features, labels, parts, seed, crossed)


def judged(
    spec: Mapping[str, ModelSettings],
    features: pd.DataFrame,
    labels: np.ndarray,
    parts: Sequence[np.ndarray],
    seed: int,
    crossed: bool,
) -> dict[str, Any]:
    """AUCs of a model that is fitted on the first of ``parts``, and how many features it kept."""
    if features.shape[1] == 0:
        return {"kept": 0, "apparent": 0.5, "cross_validated": 0.5 if crossed else np.nan, "test": 0.5, "new": 0.5}
    model = build_model("model", spec, {}, seed=seed)
    table, known = features.iloc[parts[0]], labels[parts[0]]
    held = np.nan
    if crossed:
        scores = cross_validated_scores(model, table, known, folds=FOLDS, seed=seed)
        fold = patient_folds(table.index.to_numpy(), known, FOLDS, seed)
        held = np.mean([auc(known[fold == one], scores[fold == one]) for one in np.unique(fold)])
    model.fit(table, known)
    areas = [round(auc(labels[rows], model.decision_function(features.iloc[rows])), 5) for rows in parts]
    names = ("apparent", "test", "new")
    return {"kept": len(model.fitted_.table.columns), "cross_validated": round(float(held), 5)} | dict(
        zip(names, areas, strict=True)
    )


def batch(path: Path, numbers: Sequence[int], every: int, out: Path) -> float:
    """Run repetitions of a table into a file; CPU seconds."""
    start = time.process_time()
    features, labels = read_table(path)
    name = path.name.removesuffix(".csv.gz")
    rows = [row for one in numbers for row in repetition(name, features, labels, one, one % every == 0)]
    write_text(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"), out)
    return time.process_time() - start


def run(folder: Path, names: Sequence[str], repetitions: int, processes: int, every: int, kept: Path) -> pd.DataFrame:
    """The rows of all tables, in the order of dataset, repetition, chain and order."""
    jobs = {}
    for name in names:
        path = folder / f"{name}.csv.gz"
        if not path.is_file():
            print(f"{name}: left out, found no {path}", flush=True)
            continue
        for start in range(0, repetitions, BATCH):
            numbers = range(start, min(start + BATCH, repetitions))
            jobs[kept / f"{name}_{SEED}_{numbers[0]}_{numbers[-1]}_{every}.csv"] = (path, numbers)
    waiting = {out: job for out, job in jobs.items() if not out.is_file()}
    waiting = dict(
        sorted(waiting.items(), key=lambda item: item[1][1][0])
    )  # every table early, so that an end is foreseen
    print(f"{len(jobs) - len(waiting)} of {len(jobs)} batches are there; {len(waiting)} to run", flush=True)
    used, start = 0.0, time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        futures = {pool.submit(batch, path, numbers, every, out): out for out, (path, numbers) in waiting.items()}
        for done, future in enumerate(as_completed(futures), start=1):
            if future.exception():
                pool.shutdown(cancel_futures=True)
            used += future.result()
            wall = time.monotonic() - start
            print(f"{done}/{len(waiting)} {futures[future].stem}: {used:.0f} CPU s, {wall:.0f} s", flush=True)
    return pd.concat([pd.read_csv(out) for out in jobs], ignore_index=True)[list(COLUMNS)]


def profile(path: Path) -> None:
    """Print what one repetition of a table spends its time on."""
    features, labels = read_table(path)
    next(repetition(path.name, features, labels, 1, False))  # imports
    with cProfile.Profile() as profiler:
        list(repetition(path.name.removesuffix(".csv.gz"), features, labels, 1, False))
    printed = io.StringIO()
    pstats.Stats(profiler, stream=printed).sort_stats("tottime").print_stats(12)
    print(printed.getvalue())


def compressed(table: pd.DataFrame, path: Path) -> None:
    """Write a table as gzipped CSV without a time in it."""
    with whole_file(path) as writing, Path(writing).open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(table.to_csv(index=False, lineterminator="\n").encode())


def picture(stem: Path) -> None:
    """Draw test AUC against AUC in new patients for each chain and order, with the calibration of a typical study."""
    table = reported(read_benchmark())
    grid = np.linspace(0.3, 1.0, 71)
    side, gap, left, top = 34.0, 5.0, 16.0, 8.0
    with style.in_style():
        figure = style.new_figure(left + 4 * (side + gap), top + 2 * (side + gap + 4) + 4)
        for place, (order, chain) in enumerate((order, chain) for order in ORDERS for chain in read_chains()):
            row, column = divmod(place, 4)
            axes = style.place(figure, left + column * (side + gap), top + row * (side + gap + 4), side, side)
            mine = table[(table["chain"] == chain) & (table["order"] == order)]
            axes.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8)
            axes.scatter(mine["test"], mine["new"], s=2, linewidths=0, alpha=0.35, color=style.MUTED, rasterized=True)
            found = [expected_auc(float(area), **TYPICAL, chain=chain, order=order) for area in grid]
            x, middle, low, high = np.array([(f.reported, f.expected, f.low, f.high) for f in found]).T
            axes.fill_between(x, low, high, color=style.colours()[0], alpha=0.25, linewidth=0)
            axes.plot(x, middle, color=style.colours()[0])
            axes.set(xlim=(0.3, 1), ylim=(0.3, 1), xticks=(0.4, 0.6, 0.8, 1.0), yticks=(0.4, 0.6, 0.8, 1.0))
            axes.set_title(f"{chain}\n{order.replace('_', ' ')}", fontsize=style.small(), loc="left", pad=2)
            axes.tick_params(labelleft=column == 0, labelbottom=row == 1)
        figure.supxlabel("AUC in the test set, as a study would report it", fontsize=style.base())
        figure.supylabel("AUC in new patients", fontsize=style.base())
        style.choose_fonts(figure)
        stem.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(stem.with_suffix(".png")) as writing:
            figure.savefig(writing, format="png", dpi=200, metadata={"Software": "her2radiomics"})


def each_table(values: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Means over data sets of the means of each, by chain and order."""
    return values.groupby([table["chain"], table["order"], table["dataset"]]).mean().groupby(level=[0, 1]).mean()


def summary() -> Iterator[str]:
    """The tables of docs/discount.md as lines, from the shipped result table."""
    everything = read_benchmark()
    table, seen = reported(everything), coverage(read_benchmark())
    names = ("apparent", "cross_validated", "test", "new")
    means = {name: each_table(table[name], table) for name in names}
    empty = each_table((everything["kept"] == 0).astype(float), everything)
    yield "| chain | order | kept nothing | apparent | cross-validated | test | new patients | test less new |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for key in [(chain, order) for chain in read_chains() for order in ORDERS]:
        areas = [means[name][key] for name in names]
        cells = " | ".join(f"{round(area, 3) + 0.0:.3f}" for area in (*areas, areas[2] - areas[3]))
        yield f"| `{key[0]}` | {key[1].replace('_', ' ')} | {empty[key]:.0%} | {cells} |"
    yield ""
    crossed = table.dropna(subset="cross_validated")
    yield "| order | apparent | cross-validated | test |\n|---|--:|--:|--:|"
    for order in ORDERS:
        part = crossed[crossed["order"] == order]
        missed = [each_table((part[name] - part["new"]).abs(), part).mean() for name in names[:3]]
        yield f"| {order.replace('_', ' ')} | " + " | ".join(f"{value:.3f}" for value in missed) + " |"
    yield ""
    yield "| chain | order | covered | data sets covered in under half | expected is off by | reported is off by |"
    yield "|---|---|--:|--:|--:|--:|"
    for key in [(chain, order) for chain in read_chains() for order in ORDERS]:
        part = seen[(seen["chain"] == key[0]) & (seen["order"] == key[1])]
        off = [part[name].mean() for name in ("missed", "missed_as_reported")]
        few = int((part["covered"] < 0.5).sum())
        words = f"{part['covered'].mean():.0%} | {few} of {len(part)} | {off[0]:.3f} | {off[1]:.3f}"
        yield f"| `{key[0]}` | {key[1].replace('_', ' ')} | {words} |"
    yield ""
    more = extrapolation(everything, FEWER)
    off = [more[name].mean() for name in ("missed", "missed_as_reported")]
    yield "| fitted on | predicted | covered | expected is off by | reported is off by |\n|---|---|--:|--:|--:|"
    few = everything.groupby("dataset")["features"].first() <= FEWER
    words = f"{few.sum()} data sets of up to {FEWER} features | {(~few).sum()} of more"
    yield f"| {words} | {more['covered'].mean():.0%} | {off[0]:.3f} | {off[1]:.3f} |"
    yield ""
    yield "| chain | order | 0.70 reported | 0.80 reported | 0.90 reported |\n|---|---|--:|--:|--:|"
    for chain, order in [(chain, order) for chain in read_chains() for order in ORDERS]:
        found = [expected_auc(area, **TYPICAL, chain=chain, order=order) for area in (0.7, 0.8, 0.9)]
        cells = [f"{f.expected:.2f} ({f.low:.2f}–{f.high:.2f})" if not f.unsupported else "no support" for f in found]
        yield f"| `{chain}` | {order.replace('_', ' ')} | " + " | ".join(cells) + " |"
    yield ""
    yield "| data set | n | features | smaller class | reported | expected | in new patients | covered |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    first = everything.groupby("dataset").first()
    for name, part in seen.groupby("dataset"):
        drawn = first.loc[name]
        patients, share = drawn["n"] + drawn["new_n"], (drawn["events"] + drawn["new_events"])
        areas = " | ".join(f"{part[column].mean():.2f}" for column in ("reported", "expected", "observed"))
        smaller = min(share, patients - share) / patients
        yield f"| {name} | {patients} | {drawn['features']:,} | {smaller:.0%} | {areas} | {part['covered'].mean():.0%} |"


def judge(path: Path) -> Iterator[str]:
    """Lines on a result table of other data sets: what the shipped calibration says of them."""
    fitted = dict(grouped(read_benchmark()))
    found = pd.concat(judged_by(rows, fitted[key], LEVEL) for key, rows in grouped(pd.read_csv(path)))
    yield "| data set | reported | expected | in new patients | covered |\n|---|--:|--:|--:|--:|"
    for name, part in found.groupby("dataset"):
        areas = " | ".join(f"{part[column].mean():.2f}" for column in ("reported", "expected", "observed"))
        yield f"| {name} | {areas} | {part['covered'].mean():.0%} |"
    off = " and ".join(f"{found[name].mean():.2f}" for name in ("missed", "missed_as_reported"))
    yield f"\ncovered {found['covered'].mean():.0%}; expected and reported are off by {off}"


def main() -> None:
    """Run the benchmark into the package, or draw, or profile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--cross-validate", type=int, default=1, metavar="EVERY")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--tables", nargs="+", help="names of tables; without it those of the benchmark")
    parser.add_argument("--out", type=Path, default=PACKAGE)
    parser.add_argument("--kept", type=Path, default=ROOT / "build/discount")
    parser.add_argument("--profile", metavar="TABLE")
    parser.add_argument("--draw", action="store_true", help="the figure of docs/discount.md")
    parser.add_argument("--summary", action="store_true", help="the tables of docs/discount.md")
    parser.add_argument("--judge", type=Path, metavar="TABLE", help="a result table of other data sets (--out)")
    said = parser.parse_args()
    if said.summary or said.judge:
        print("\n".join(judge(said.judge) if said.judge else summary()))
        return
    if said.draw:
        picture(PICTURE)
        return
    if said.folder is None:
        parser.error("found no folder of tables; expected one, --draw, --summary or --judge")
    if said.profile:
        profile(said.folder / f"{said.profile}.csv.gz")
        return
    names = said.tables or sorted(path.name.removesuffix(".csv.gz") for path in said.folder.glob("*.csv.gz"))
    found = run(said.folder, names, said.repetitions, said.processes, said.cross_validate, said.kept)
    compressed(found, said.out / "table.csv.gz")
    said_of = {study: chain.to_dict() for study, (chain, _, _) in chains().items()}
    write_text(json.dumps(said_of, indent=1, ensure_ascii=False) + "\n", said.out / "chains.json")
    print(found.groupby(["chain", "order"])[["apparent", "cross_validated", "test", "new"]].mean().round(3))


if __name__ == "__main__":
    main()
