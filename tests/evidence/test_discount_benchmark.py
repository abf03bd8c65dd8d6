"""The benchmark of the discount: the protocols' own chains, the same bytes for any number of processes, and a real table."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest
from evidence.test_discount_calibration import made_up
from workflow_run import ROOT

from her2radiomics.core.settings import read_yaml
from her2radiomics.evidence.discount import chain_of, coverage, read_chains
from her2radiomics.evidence.discount.calibration import Form, area_of, left_out_scores, width
from her2radiomics.modelling.settings import parse_models


def loaded(name):
    """A benchmark as a module; a process of the pool finds its functions by this name."""
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", ROOT / f"benchmarks/{name}.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


discount, form_benchmark = loaded("discount"), loaded("discount_form")


def write_made_up(folder, name="made_up", patients=60, seed=0):
    """A table as radMLBench has them: three of thirty features tell of the outcome."""
    random = np.random.default_rng(seed)
    labels = (np.arange(patients) % 3 == 0).astype(int)
    values = random.normal(size=(patients, 30))
    values[:, :3] += labels[:, None]
    table = pd.DataFrame(values, columns=[f"f{number:02d}" for number in range(30)])
    folder.mkdir(exist_ok=True)
    table.assign(ID=[f"P{n}" for n in range(patients)], Target=labels).to_csv(folder / f"{name}.csv.gz", index=False)


def test_the_shipped_chains_are_those_of_the_protocols():
    now = {name: chain for name, (chain, _, _) in discount.chains().items()}
    assert read_chains() == now, "the benchmark's chains changed: run it again"


def test_a_protocols_model_is_recognised_by_its_steps():
    for study, (_, model, _) in discount.chains().items():
        models = parse_models(read_yaml(ROOT / f"workflow/studies/{study}.yaml")["models"])
        assert chain_of(model) == study
        assert all(chain_of(model) == "" for model in models.values() if model.kind != "radiomics")
        assert chain_of(model.model_copy(update={"steps": model.steps[:-1]})) == ""


def test_only_what_looks_at_no_outcome_makes_the_orders_equal():
    assert [name for name, chain in read_chains().items() if chain.equal_orders] == ["her2_peritumoral"]


@pytest.mark.parametrize(("patients", "share"), [(51, 0.37), (90, 0.84), (144, 0.16), (293, 0.5)])
def test_a_drawn_study_has_a_papers_sizes_and_each_patient_once(patients, share):
    labels = (np.arange(patients) < round(patients * share)).astype(int)
    for seed in range(20):
        parts = discount.draw(labels, np.random.default_rng(seed))
        assert sorted(np.concatenate(parts)) == list(range(patients))
        training, testing, new = map(len, parts)
        assert new >= 0.3 * patients and testing <= 65 and testing <= (training + testing) / 2
        assert training + testing >= min(100, int(0.7 * patients)) - 1
        for part in parts:  # stratified
            assert labels[part].mean() == pytest.approx(share, abs=1.5 / len(part))


def test_the_same_bytes_for_any_number_of_processes_and_after_a_stop(tmp_path):
    folder = tmp_path / "tables"
    for seed, name in enumerate(("one", "two")):
        write_made_up(folder, name, seed=seed)
    tables = [
        discount.run(folder, ["one", "two"], 3, processes, 3, tmp_path / f"kept_{processes}") for processes in (1, 2)
    ]
    assert tables[0].to_csv() == tables[1].to_csv()
    assert len(tables[0]) == 2 * 3 * 8 and tables[0]["cross_validated"].notna().sum() == 2 * 8
    kept = sorted((tmp_path / "kept_1").iterdir())
    kept[0].unlink()
    times = [path.stat().st_mtime_ns for path in kept[1:]]
    assert discount.run(folder, ["one", "two"], 3, 1, 3, tmp_path / "kept_1").to_csv() == tables[0].to_csv()
    assert [path.stat().st_mtime_ns for path in kept[1:]] == times, "finished batches are not run again"
    for table in tables:
        discount.compressed(table, tmp_path / "table.csv.gz")
    assert pd.read_csv(tmp_path / "table.csv.gz").shape == tables[0].shape


def test_a_table_that_is_not_there_is_left_out_with_the_reason(tmp_path, capsys):
    write_made_up(tmp_path / "tables", "one")
    found = discount.run(tmp_path / "tables", ["absent", "one"], 1, 1, 2, tmp_path / "kept")
    assert set(found["dataset"]) == {"one"}
    assert f"absent: left out, found no {tmp_path / 'tables' / 'absent.csv.gz'}" in capsys.readouterr().out


def test_new_patients_change_nothing_that_is_learnt(tmp_path):
    write_made_up(tmp_path, patients=80)
    features, labels = discount.read_table(tmp_path / "made_up.csv.gz")
    parts = discount.draw(labels, np.random.default_rng(1))
    spoilt = features.copy()
    spoilt.iloc[parts[2]] = 1e3
    test_spoilt = features.copy()
    test_spoilt.iloc[parts[1]] = features.iloc[parts[1]].to_numpy()[::-1] * 3
    for name, (_, model, published) in discount.chains().items():
        for order, steps in (
            ("leak_safe", ((), model.steps)),
            ("as_published", (published.on_all, published.on_training)),
        ):
            before, after = (
                discount.areas_of(model, *steps, table, labels, parts, 7, False) for table in (features, spoilt)
            )
            assert {k: before[k] for k in ("kept", "apparent", "test")} == {
                k: after[k] for k in ("kept", "apparent", "test")
            }, (name, order)
            after = discount.areas_of(model, *steps, test_spoilt, labels, parts, 7, False)
            if order == "leak_safe":  # nor do test patients
                assert (before["kept"], before["apparent"], before["new"]) == (
                    after["kept"],
                    after["apparent"],
                    after["new"],
                )


def test_one_repetition_of_a_real_table(real_data):
    path = real_data / "radmlbench/HNSCC.csv.gz"
    if not path.is_file():
        pytest.skip(f"found no {path}")
    features, labels = discount.read_table(path)
    rows = pd.DataFrame(discount.repetition("HNSCC", features, labels, 1, False))
    shipped = discount.read_benchmark()
    mine = shipped[(shipped["dataset"] == "HNSCC") & (shipped["repetition"] == 1)].reset_index(drop=True)
    assert rows[mine.columns].drop(columns="cross_validated").equals(mine.drop(columns="cross_validated"))
    for chain, model, published in discount.chains().values():
        if chain.equal_orders:
            parts = discount.draw(labels, np.random.default_rng(4))
            one, other = (
                discount.areas_of(model, *steps, features, labels, parts, 7, False)
                for steps in (((), model.steps), (published.on_all, published.on_training))
            )
            assert one == pytest.approx(other, nan_ok=True)


def test_a_form_is_chosen_without_the_left_out_data_set(monkeypatch):
    """Of one form it is the usual coverage; a form that suits a data set alone is not chosen for it."""
    table = made_up(datasets=12, repetitions=3)
    monkeypatch.setattr(form_benchmark, "FORMS", (Form(),))
    names = ["chain", "order", "dataset"]
    once = form_benchmark.form_chosen_anew(table).drop(columns="form").sort_values(names, ignore_index=True)
    pd.testing.assert_frame_equal(once, coverage(table).sort_values(names, ignore_index=True)[once.columns])
    rows, form = dict(form_benchmark.grouped(table))["a", "leak_safe"], Form(("n",), 2.0, 0.2)
    scores = {one: form_benchmark.interval_score(form_benchmark.Rows.of(table, one), one) for one in (Form(), form)}
    assert scores[Form()] == pytest.approx(by_hand(rows), rel=1e-12)
    monkeypatch.setattr(form_benchmark, "FORMS", tuple(scores))
    asked = []
    monkeypatch.setattr(
        form_benchmark, "interval_score", lambda rows, form, level: asked.append(set(rows.dataset)) or 0.0
    )
    form_benchmark.form_chosen_anew(table)
    assert len(asked) == 12 * 2 and all(len(others) == 11 for others in asked)


def by_hand(rows) -> float:
    """Mean interval score: width, and 20 times what lies beyond an end of the 90% interval; a data set at a time."""
    found = left_out_scores(rows)
    wide = width(found, 0.9)
    each: dict[str, list[float]] = {}
    for name, expected, error, score, new in zip(*found.to_numpy().T, rows.new, strict=True):
        low, high = (float(area_of(expected + side * wide * abs(error) / score)) for side in (-1, 1))
        seen = float(area_of(new))
        each.setdefault(name, []).append(high - low + 20 * max(low - seen, seen - high, 0))
    return float(np.mean([np.mean(values) for values in each.values()]))


def test_the_page_has_the_numbers_of_the_shipped_table(root):
    page = (root / "docs/discount.md").read_text(encoding="utf-8").splitlines()
    lines = [line for part in discount.summary() for line in part.splitlines() if line]
    assert len(lines) > 60 and not [line for line in lines if line not in page], "benchmarks/discount.py --summary"
