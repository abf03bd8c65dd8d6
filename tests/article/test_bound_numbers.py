"""Numbers that remember their cells: marks in texts, settings, cells printed again, sentences of steps and models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from contract_tables import save
from pydantic import TypeAdapter
from report_run import describe, protocol

from her2radiomics.core.bound import NUMBER, BoundFloat, BoundInt, Source, bind, bind_text, pieces, plain
from her2radiomics.manuscript.cells import Cells, combined, reprint, shown
from her2radiomics.modelling.steps import STEPS, Step
from her2radiomics.report.facts import Facts
from her2radiomics.study.descriptions import read_run_info


def test_numbers_stand_apart_from_names():
    source = Source("a.csv", (), "x")
    for name in ("HER2", "T2WI", "Ki-67", "3-D", "10⁻³", "8th", "CA15", "ICC(2,1)", "b800", "1-SE"):
        assert plain(bind_text(name, source)) == name and bind_text(name, source) == name, name
    marked = bind_text("3.0 T, 5 phases of 60 s from 2024-09-01, 7 of 10 (2 to 30 %)", source)
    assert [text for kind, text, _ in pieces(marked) if kind == "n"] == [
        "3.0",
        "5",
        "60",
        "2024-09-01",
        "7",
        "10",
        "2",
        "30",
    ]


def test_settings_remember_their_path():
    bound = bind(
        {"a": {"level": 0.95, "n": 3, "label": "Phase 2", "kind": "x 1"}},
        Source("s.json", (), ""),
        frozenset({"label"}),
    )
    found = [
        source
        for text in (f"{100 * bound['a']['level']:g}%", str(bound["a"]["n"]), bound["a"]["label"])
        for *_, source in pieces(text)
        if source
    ]
    assert [(source.column, source.rounding) for source in found] == [
        ("a.level", "times 100; format g"),
        ("a.n", "format"),
        ("a.label", "number 1"),
    ]
    assert bound["a"]["kind"] == "x 1"


def test_cells_are_printed_again(tmp_path):
    save(
        "performance",
        pd.DataFrame(
            {
                "model": ["a", "a"],
                "partition": ["training", "testing"],
                "n": [42, 30],
                "events": [26, 12],
                "auc": [0.954, 0.7],
            }
        ),
        tmp_path / "tables/performance.csv",
    )
    cells = Cells(tmp_path)
    n, events = (cells.cell("performance", name, model="a", partition="training") for name in ("n", "events"))
    smaller = combined("smaller class", events, n)
    assert int(smaller) == 16
    for number, how, digits, printed in (
        (cells.cell("performance", "auc", model="a", partition="training"), "fixed", (2,), "0.95"),
        (cells.over("sum", "performance", "n"), "fixed", (0,), "72"),
        (cells.over("count", "performance", "n"), "fixed", (0,), "2"),
        (combined("quotient", smaller, n), "fixed", (2,), "0.38"),
    ):
        ((_, text, source),) = pieces(shown(number, how, *digits))
        assert text == printed == reprint(tmp_path, source)
    assert cells.cell("performance", "auc", model="nobody") != cells.cell("performance", "auc", model="nobody")


def test_bound_numbers_are_numbers():
    source = Source("a.csv", (), "x")
    assert BoundInt(3, source) + 1 == 4 and BoundFloat(0.5, source) < 1 and float(2 * BoundFloat(0.5, source)) == 1
    assert plain(f"{BoundFloat(0.694, source):.0%}") == "69%"


def test_steps_and_models_print_their_settings_bound():
    steps = TypeAdapter(list[Step]).validate_python(
        [
            {"step": "variance", "threshold": 0.1},
            {"step": "min_max"},
            {"step": "z_score"},
            {"step": "icc_filter", "threshold": 0.8, "minimum_patients": 12},
            {"step": "univariate", "k": 20},
            {"step": "univariate", "test": "f_classif", "p": 0.05, "k": None},
            {"step": "redundancy", "method": "spearman"},
            {"step": "lasso", "rule": "1se", "family": "binomial"},
            {"step": "recursive_elimination", "k": 5},
            {"step": "mrmr", "k": 7},
            {"step": "elastic_net", "alpha": 0.3},
            {"step": "stability_selection", "q": 6},
            {"step": "stability_selection", "alpha": 0.5, "q": None, "penalty": 0.2},
            {"step": "combat", "unseen": "adapt", "covariates": ["age"]},
            {"step": "forced_retention"},
        ]
    )
    assert {step.about.name for step in steps} == set(STEPS)
    bound = [bind(step, Source("s.json", (), "steps"), frozenset()) for step in steps]
    texts = [step.sentence(bound[:place]) for place, step in enumerate(bound)]
    content = protocol()
    content["models"] |= {
        name: {"kind": "radiomics", "steps": [], "estimator": {"kind": name}} for name in ("ridge", "random_forest")
    } | {
        "lasso": {"kind": "multivariate", "of": ["radiomics"], "selection": {"by": "lasso", "folds": 5}},
        "backward": {"kind": "multivariate", "of": ["radiomics"], "selection": {"by": "backward"}},
    }
    info = read_run_info(describe(protocol=content))
    facts = Facts(info, Cells(Path("nowhere")), {}, {})
    texts += [model.sentence("It", facts.names) for model in facts.protocol.models.values()]
    texts += [model.several("a, b and c", facts.counts["models"]) for model in facts.protocol.models.values()]
    for text in texts:
        words = "".join(part for kind, part, _ in pieces(text) if kind == "")
        assert NUMBER.findall(words) == [], text
    assert sum(kind == "n" for text in texts for kind, _, _ in pieces(text)) > 20
