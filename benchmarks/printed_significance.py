"""How often each significance that the papers print comes out in simulated cohorts of the published size.

    .venv/bin/python benchmarks/printed_significance.py [--seeds 30] [--size published] [--studies STUDY …]

For every seed the participants of a cohort are drawn, without images, and enrolled; the clinical models are fitted on the
training rows, and the tables that need no features are made, all as a run of the workflow does. Every p value, odds ratio
and set of kept terms that the protocol lists as published is looked up and judged by the rules of the table of published
numbers. Since one paper chose its terms on all patients of the split, regressions are also made on training and test rows
together. Writes a row a claim: what is printed, and in how many seeds ours agreed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from her2radiomics.cohort.enrolment import enrol
from her2radiomics.cohort.limits import FailedCases
from her2radiomics.core.files import write_text
from her2radiomics.core.layout import Layout
from her2radiomics.core.settings import read_yaml
from her2radiomics.core.tables import write
from her2radiomics.engine.jobs.modelling import report_tables
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.published import PublishedNumber, Results, quantities
from her2radiomics.manuscript.published.comparison import item, judge, printed
from her2radiomics.manuscript.tables import Outcome, TableInputs
from her2radiomics.manuscript.tables.text import to_csv
from her2radiomics.modelling import build_model, from_dict, model_table, to_dict
from her2radiomics.study.plan import Plan
from her2radiomics.study.run import Run

ROOT = Path(__file__).resolve().parent.parent
REGRESSIONS = ("univariate", "multivariate", "coefficients")
CLAIMS = ("p", "smallest_p", "logrank_p", "regression_p", "odds_ratio", "terms_kept")
OF_MODELS = ("regression_p", "odds_ratio", "terms_kept")
TRAINING, TOGETHER = ("training",), ("training", "testing")

Agreements = Counter[tuple[tuple[str, ...], str]]
"""Rows that were fitted on and agreement → number of seeds."""


def planned(seed: int, size: str, studies: Sequence[str]) -> Plan:
    """The plan of these studies with this seed."""
    runs = [{"study": study} for study in studies]
    return Plan({**read_yaml(ROOT / "config.yaml"), "seed": seed, "size": size, "runs": runs}, ROOT / "workflow")


def enrolled(run: Run) -> pd.DataFrame:
    """The participants of a run: nobody's images failed."""
    protocol = run.protocol
    people, _ = enrol(
        run.dataset.data.participants,
        None,
        columns=protocol.columns,
        label=protocol.label,
        partition=run.partition.to_dict(),
        exclusions=protocol.exclusions,
        failed_cases=FailedCases(),
        file="participants.tsv",
    )
    return people


def write_models(run: Run, people: pd.DataFrame, partitions: Sequence[str], layout: Layout) -> list[str]:
    """Fit the clinical models on the rows of these partitions, and write their regressions."""
    rows = people[people["partition"].isin(partitions)]
    table = model_table(None, rows, run.protocol.columns)
    fitted = [name for name, spec in run.protocol.models.items() if spec.kind == "clinical"]
    for name in fitted:
        model = build_model(name, run.protocol.models, run.protocol.columns, second_reader=None, seed=1)
        model.fit(table, rows.set_index("patient_id")["label"])
        content = to_dict(model, centres=[], extraction=None, simulated=True)
        for contract, made in report_tables(model.fit_report(), from_dict(content)).items():
            write(contract, made, layout.path(contract, model=name), simulated=True)
    return fitted


def write_tables(run: Run, people: pd.DataFrame, fitted: Sequence[str], layout: Layout) -> None:
    """Make the tables that need participants and regressions alone."""
    protocol = run.protocol
    paths = {name: layout.path("partition_participants", partition=name) for name in run.partitions}
    for name, path in paths.items():
        write("partition_participants", people[people["partition"] == name], path, simulated=True)
    regressions = {kind: {name: layout.path(kind, model=name) for name in fitted} for kind in REGRESSIONS}
    inputs = TableInputs(
        columns=protocol.columns,
        partitions={name: protocol.partition_label(name) for name in run.partitions},
        models={name: protocol.model_label(name) for name in protocol.models},
        simulated=True,
        outcome=Outcome(protocol.label.positive, protocol.label.positive, protocol.label.negative),
        participants=paths,
        univariate=regressions["univariate"],
        multivariate=regressions["multivariate"],
        coefficients=regressions["coefficients"],
    )
    for options in protocol.tables:
        if set(options.needs()) <= {"participants", *REGRESSIONS}:
            write_text(to_csv(options.make(inputs)), layout.path("table", table=options.id))


def judged(run: Run) -> Iterator[tuple[PublishedNumber, tuple[str, ...], str, str]]:
    """Every claim of the protocol: the rows it was judged on, whether it agrees, and our own number as text."""
    people = enrolled(run)
    with tempfile.TemporaryDirectory() as folder:
        for rows in (TRAINING, TOGETHER):
            layout = Layout(Path(folder, "+".join(rows)))
            fitted = write_models(run, people, rows, layout)
            if rows == TRAINING:
                write_tables(run, people, fitted, layout)
            results = Results(layout.folder, Names(run.protocol.columns))
            for number in run.published:
                if number.quantity in (CLAIMS if rows == TRAINING else OF_MODELS):
                    ours = results.find(number)
                    yield number, rows, judge(number, ours, quantities()[number.quantity].rule), ours.text


def frequencies(seeds: Sequence[int], size: str, studies: Sequence[str]) -> dict[tuple[str, ...], Agreements]:
    """Study, claim, place and printed text to how many seeds agree or differ, for each choice of rows."""
    found: dict[tuple[str, ...], Agreements] = {}
    for seed in seeds:
        for run in planned(seed, size, studies).runs.values():
            names = Names(run.protocol.columns)
            for number, rows, agreement, _ in judged(run):
                what = ": ".join(filter(None, (quantities()[number.quantity].label, item(number, names))))
                key = (run.id, what, number.source, printed(number, names))
                found.setdefault(key, Counter())[rows, agreement] += 1
    return found


def share(counts: Agreements, rows: tuple[str, ...]) -> str:
    """In how many of the seeds ours agrees; empty where no seed makes the number."""
    own = {agreement: n for (fitted_on, agreement), n in counts.items() if fitted_on == rows}
    return f"{own.get('agrees', 0)} of {sum(own.values())}" if {"agrees", "differs"} & set(own) else ""


def main() -> None:
    """Write the table in Markdown."""
    parser = argparse.ArgumentParser(description="How often printed significances come out in simulated cohorts.")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--size", default="published")
    parser.add_argument(
        "--studies", nargs="+", default=[run["study"] for run in read_yaml(ROOT / "config.yaml")["runs"]]
    )
    asked = parser.parse_args()
    headings = ("study", "claim", "printed in", "printed", "comes out", "on training and test rows")
    print(f"| {' | '.join(headings)} |\n|---|---|---|---|--:|--:|")
    for key, counts in frequencies(range(1, asked.seeds + 1), asked.size, asked.studies).items():
        made = [share(counts, rows) for rows in (TRAINING, TOGETHER)]
        if any(made):
            print(f"| {' | '.join((*key, *made))} |")


if __name__ == "__main__":
    main()
