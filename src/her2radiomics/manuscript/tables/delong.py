"""DeLong's tests between models: a row per comparison, or a matrix of p values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import Models, Partitions
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table
from her2radiomics.statistics import holm

if TYPE_CHECKING:
    from pathlib import Path


class DelongTable(TableOptions):
    """DeLong's tests between models on each partition."""

    kind: Literal["delong"]
    models: Models = ()
    partitions: Partitions = ()
    layout: Literal["pairs", "matrix"] = Field(
        "pairs", description="pairs: a row per comparison; matrix: p values, a row and a column per model."
    )
    adjusted: bool = Field(True, description="Print the p values after Holm's correction, too.")
    nested: bool = Field(
        True, description="Give the likelihood-ratio tests of nested models, on training rows, below the table."
    )


@table(
    DelongTable,
    needs=("delong", "performance_extra"),
    example="""
        table_4_delong: {kind: delong, title: DeLong's tests, partitions: [testing]}
        table_5_delong: {kind: delong, title: DeLong's tests, layout: matrix, adjusted: false}
    """,
)
def make(inputs: TableInputs, options: DelongTable) -> Table:
    """Print ``delong.csv``.

    Raises
    ------
    TableError
        A comparison that the file lacks.
    SettingsError
        An unknown model or partition, or fewer than two models.
    """
    path = inputs.file("delong")
    table = read("delong", path)
    models = chosen(options.models, inputs.models, "model")
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    if len(models) < 2:
        raise SettingsError(f"{options.id}: found {len(models)} model to compare, expected two or more.")
    rows, in_pairs, untested = Rows(), options.layout == "pairs", False
    pairs = list(combinations(models, 2))
    for partition in partitions:
        name = inputs.partitions[partition]
        rows.add(name, section=True)
        found = {pair: comparison(table, partition, *pair, path) for pair in pairs}
        untested |= any(row["p"] != row["p"] for row in found.values())
        corrected = holm([float(row["p"]) for row in found.values()])
        adjusted = dict(zip(pairs, map(float, corrected), strict=True))
        if in_pairs:
            for pair, row in found.items():
                label = " vs ".join(inputs.models[model] for model in pair)
                cells = {"partition": name, "comparison": label, **_pair(row, adjusted[pair])}
                rows.add(label, 1, cells=cells)
            continue
        for i, a in enumerate(models):
            cells = {"partition": name, "model": inputs.models[a], f"vs_{a}": fmt.NOT_AVAILABLE}
            for b in models[i + 1 :]:
                cells[f"vs_{b}"] = fmt.p_value(found[a, b]["p"])
            for b in models[:i] if options.adjusted else ():
                cells[f"vs_{b}"] = fmt.p_value(adjusted[b, a])
            rows.add(inputs.models[a], 1, cells=cells)
    notes = ["DeLong's test for paired receiver operating characteristic curves."]
    if in_pairs:
        labels = {"n": "n", "aucs": "AUC", "difference": "Difference", "z": "Z", "p": "p"}
        labels |= {"p_holm": "Adjusted p"} if options.adjusted else {}
        notes.append("Difference: AUC of the first model less that of the second.")
    else:
        labels = {f"vs_{model}": inputs.models[model] for model in models}
        where = "; above the diagonal unadjusted, below it adjusted." if options.adjusted else ", unadjusted."
        notes.append(f"p values{where}")
    if options.adjusted:
        notes.append(f"Adjusted p: Holm's correction over the {len(pairs)} comparisons of a set in this table.")
    if untested:
        notes.append(
            f"{fmt.NOT_AVAILABLE}: no test, since the AUCs have no variance or a class has fewer than two patients."
        )
    if TRAINING in partitions:
        notes.append("Training comparisons are apparent: the models were fitted to these patients.")
    notes += _nested(inputs, models) if options.nested else []
    first = "comparison" if in_pairs else "model"
    headings = [Heading(key, label) for key, label in labels.items()]
    return options.table(inputs, rows, first.capitalize(), headings, notes, first=["partition", first])


def _nested(inputs: TableInputs, models: Sequence[str]) -> list[str]:
    """A note on the likelihood-ratio tests of each model that holds another's terms, from ``performance_extra.csv``."""
    extra = read("performance_extra", inputs.file("performance_extra"))
    tested = extra[extra["measure"].str.startswith("lr_test_")]  # other measures stand there once for each partition
    values = tested.set_index(["model", "measure"])["value"]
    tests = []
    for larger, smaller in permutations(models, 2):
        if (larger, measure := f"lr_test_vs_{smaller}") in values.index:
            df, p = (values[larger, measure.replace("lr_test", f"lr_test_{what}")] for what in ("df", "p"))
            tests.append(
                f"{inputs.models[larger]} vs {inputs.models[smaller]} χ² {fmt.fixed(values[larger, measure], 2)}, "
                f"df {df:.0f}, {fmt.p_equals(p)}"
            )
    return [f"Likelihood-ratio tests of nested models in training: {'; '.join(tests)}."] if tests else []


def comparison(table: pd.DataFrame, partition: str, a: str, b: str, path: Path | str) -> pd.Series:
    """Return the row that compares ``a`` with ``b``; one the other way round is turned, signs and all."""
    here = table[table["partition"] == partition]
    found = here[(here["model_a"] == a) & (here["model_b"] == b)]
    if len(found) == 1:
        return found.iloc[0]
    turned = here[(here["model_a"] == b) & (here["model_b"] == a)]
    if len(found) == 0 and len(turned) == 1:
        row = turned.iloc[0].copy()
        row["model_a"], row["model_b"] = a, b
        row["auc_a"], row["auc_b"] = turned.iloc[0]["auc_b"], turned.iloc[0]["auc_a"]
        row["difference"], row["z"] = -row["difference"], -row["z"]
        return row
    raise TableError(
        file=path,
        found=f"{len(found) + len(turned)} comparisons of '{a}' with '{b}' on partition '{partition}'",
        expected="one",
        remedy="Make the file again, or correct the models of the table in the protocol.",
    )


def _pair(row: pd.Series, adjusted: float) -> dict[str, str]:
    return {
        "n": f"{row['n']:.0f}",
        "aucs": f"{fmt.fixed(row['auc_a'], 3)} vs {fmt.fixed(row['auc_b'], 3)}",
        "difference": fmt.fixed(row["difference"], 3),
        "z": fmt.fixed(row["z"], 3),
        "p": fmt.p_value(row["p"]),
        "p_holm": fmt.p_value(adjusted),
    }
