"""DeLong's tests between models: a row a comparison, or a matrix of p values."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import DelongTable

if TYPE_CHECKING:
    from pathlib import Path


@table("delong", needs=("delong",))
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
    build = _pairs if options.layout == "pairs" else _matrix
    rows, keys, headings, stub = build(inputs, table, path, models, partitions, options.adjusted)
    notes = ["DeLong's test for paired receiver operating characteristic curves."]
    if options.layout == "pairs":
        notes.append("Difference: AUC of the first model less that of the second.")
    else:
        below = ", below it adjusted (Holm)" if options.adjusted else ""
        notes.append(f"p values; above the diagonal unadjusted{below}.")
    if options.adjusted and options.layout == "pairs":
        notes.append("Adjusted p: Holm's correction within the partition.")
    if TRAINING in partitions:
        notes.append(
            "Tests on the training partition are apparent: the models were fitted to these patients."
        )
    return Table(
        title=options.title,
        data=rows.frame([*keys, *(heading.key for heading in headings)]),
        stub=stub,
        labels=tuple(rows.labels),
        headings=tuple(headings),
        footnotes=(*notes, *options.footnotes),
        simulated=inputs.simulated,
    )


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


def _pairs(
    inputs: TableInputs,
    table: pd.DataFrame,
    path: Path,
    models: list[str],
    partitions: list[str],
    adjusted: bool,
) -> tuple[Rows, list[str], list[Heading], str]:
    rows = Rows()
    for partition in partitions:
        rows.add(inputs.partitions[partition], section=True)
        for a, b in combinations(models, 2):
            row = comparison(table, partition, a, b, path)
            label = f"{inputs.models[a]} vs {inputs.models[b]}"
            cells = {
                "partition": inputs.partitions[partition],
                "comparison": label,
                "n": f"{row['n']:.0f}",
                "aucs": f"{fmt.fixed(row['auc_a'], 3)} vs {fmt.fixed(row['auc_b'], 3)}",
                "difference": fmt.fixed(row["difference"], 3),
                "z": fmt.fixed(row["z"], 3),
                "p": fmt.p_value(row["p"]),
                "p_holm": fmt.p_value(row["p_holm"]),
            }
            rows.add(label, 1, cells=cells)
    headings = [
        Heading("n", "n"),
        Heading("aucs", "AUC"),
        Heading("difference", "Difference"),
        Heading("z", "Z"),
        Heading("p", "p"),
    ]
    if adjusted:
        headings.append(Heading("p_holm", "Adjusted p"))
    return rows, ["partition", "comparison"], headings, "Comparison"


def _matrix(
    inputs: TableInputs,
    table: pd.DataFrame,
    path: Path,
    models: list[str],
    partitions: list[str],
    adjusted: bool,
) -> tuple[Rows, list[str], list[Heading], str]:
    rows = Rows()
    for partition in partitions:
        rows.add(inputs.partitions[partition], section=True)
        for i, a in enumerate(models):
            cells = {"partition": inputs.partitions[partition], "model": inputs.models[a]}
            for j, b in enumerate(models):
                if i == j:
                    cells[f"vs_{b}"] = fmt.NOT_AVAILABLE
                elif i < j:
                    cells[f"vs_{b}"] = fmt.p_value(comparison(table, partition, a, b, path)["p"])
                elif adjusted:
                    cells[f"vs_{b}"] = fmt.p_value(comparison(table, partition, b, a, path)["p_holm"])
            rows.add(inputs.models[a], 1, cells=cells)
    headings = [Heading(f"vs_{model}", inputs.models[model]) for model in models]
    return rows, ["partition", "model"], headings, "Model"
