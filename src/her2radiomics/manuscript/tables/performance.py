"""Discrimination, rates at the locked threshold, and calibration, of models on partitions."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from her2radiomics.core.contracts import TRAINING, contract, measures, rates
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import Models, Partitions
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table

if TYPE_CHECKING:
    from pathlib import Path


def _known(measure: str) -> str:
    if measure not in measures():
        near = difflib.get_close_matches(measure, measures(), n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(measures())}."
        raise ValueError(f"found '{measure}', which performance.csv does not hold: {advice}")
    return measure


def _enumerate(schema: dict[str, Any]) -> None:
    schema["enum"] = list(measures())


#: A measure that tables print, checked against the contract of ``performance.csv``.
Measure = Annotated[str, AfterValidator(_known), Field(json_schema_extra=_enumerate)]


class PerformanceTable(TableOptions):
    """Discrimination, rates at the locked threshold and calibration of models on partitions."""

    kind: Literal["performance"]
    models: Models = ()
    partitions: Partitions = ()
    measures: tuple[Measure, ...] = Field(
        ("auc", "sensitivity", "specificity", "accuracy"), min_length=1, description="Columns, in order."
    )
    group_by: Literal["partition", "model"] = Field("partition", description="What heads the groups of rows.")


@table(
    PerformanceTable,
    needs=("performance", "performance_extra"),
    example="""
        table_3_performance: {kind: performance, title: Performance of the models}
        table_s1_calibration:
          kind: performance
          title: Calibration of the nomogram
          models: [nomogram]
          measures: [brier, calibration_intercept, calibration_slope]
          group_by: model
    """,
)
def make(inputs: TableInputs, options: PerformanceTable) -> Table:
    """Print ``performance.csv``: rates come with the fraction of patients that they are.

    Raises
    ------
    TableError
        A model or partition that the file lacks, or a rate that is no fraction of its patients.
    SettingsError
        An unknown model or partition.
    """
    path = inputs.file("performance")
    table = read("performance", path)
    models = chosen(options.models, inputs.models, "model")
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    by_partition = options.group_by == "partition"
    outer, inner = (inputs.partitions, inputs.models) if by_partition else (inputs.models, inputs.partitions)
    rows, used = Rows(), []
    for first in partitions if by_partition else models:
        rows.add(outer[first], section=True)
        for second in models if by_partition else partitions:
            partition, model = (first, second) if by_partition else (second, first)
            row = performance_row(table, model, partition, path)
            used.append(row)
            cells: dict[str, str] = {measure: _measure(row, measure, path) for measure in options.measures}
            cells |= {"model": inputs.models[model], "partition": inputs.partitions[partition]}
            rows.add(inner[second], 1, cells=cells | {"n": f"{row['n']:.0f} ({row['events']:.0f})"})
    headings = (
        Heading("n", "n (events)"),
        *(Heading(measure, heading(measure, inputs.level)) for measure in options.measures),
    )
    stub, notes = "Model" if by_partition else "Set", [*_footnotes(used, options), *_constant(inputs, models)]
    return options.table(inputs, rows, stub, headings, notes, first=["model", "partition"])


def heading(measure: str, level: float) -> str:
    """Heading of a measure: its label or abbreviation, with the interval where ``performance.csv`` has one."""
    performance = contract("performance")
    column = performance.column(measure)
    interval = f" ({fmt.level(level)} CI)" if performance.bounds(measure) else ""
    return f"{column.short or column.label}{interval}"


def performance_row(table: pd.DataFrame, model: str, partition: str, path: Path | str) -> pd.Series:
    """Return the one row of a model on a partition, or say that it is missing or doubled."""
    found = table[(table["model"] == model) & (table["partition"] == partition)]
    if len(found) != 1:
        raise TableError(
            file=path,
            found=f"{len(found)} rows of model '{model}' on partition '{partition}'",
            expected="one",
            remedy="Make the file again, or correct the models and partitions of the table in the protocol.",
        )
    return found.iloc[0]


def fraction(row: pd.Series, measure: str, path: Path | str) -> tuple[int, int] | None:
    """Return the patients that a rate counts: numerator and denominator.

    The denominator of a predictive value, the number of patients called positive or negative, is not in the
    file; it follows from sensitivity and specificity. ``None`` where a rate or its denominator is missing.
    """
    n, events = int(row["n"]), int(row["events"])
    true_positive, true_negative = row["sensitivity"] * events, row["specificity"] * (n - events)
    called = true_positive + (n - events - true_negative)
    parts = {
        "sensitivity": (true_positive, events),
        "specificity": (true_negative, n - events),
        "accuracy": (row["accuracy"] * n, n),
        "ppv": (true_positive, called),
        "npv": (true_negative, n - called),
    }
    count, total = parts[measure]
    if count != count or total != total or round(total) == 0:
        return None
    # rates may be stored with few decimals; further than this from a whole number is no count of patients
    if abs(count - round(count)) > 0.01 or abs(total - round(total)) > 0.01:
        raise TableError(
            file=path,
            column=measure,
            found=f"{row[measure]} of model '{row['model']}' on '{row['partition']}'",
            expected=f"a fraction of {round(total)} patients",
            remedy="Make the file again: rates and numbers of patients do not belong together.",
        )
    return round(count), round(total)


def _measure(row: pd.Series, measure: str, path: Path) -> str:
    if measure == "auc":
        return fmt.auc(row, 3)
    bounds = contract("performance").bounds(measure)
    if bounds:
        low, high = bounds
        return fmt.interval(float(row[measure]), float(row[low]), float(row[high]), 3)
    if measure in rates():
        counted = fraction(row, measure, path)
        return fmt.NOT_AVAILABLE if counted is None else fmt.percent_fraction(*counted)
    return fmt.fixed(float(row[measure]), 3)


def _constant(inputs: TableInputs, models: list[str]) -> list[str]:
    """A note on models that predict one probability, whose rates of 0% and 100% follow from that alone."""
    if inputs.performance_extra is None:
        return []
    extra = read("performance_extra", inputs.performance_extra)
    constant = set(extra.loc[extra["measure"] == "note_constant", "model"])
    labels = [inputs.models[name] for name in models if name in constant]
    if not labels:
        return []
    return [
        f"{fmt.listing(labels)}: one probability for all patients (no predictor was kept), so that the AUC is 0.5 and all "
        "patients are on one side of the threshold."
    ]


def _footnotes(rows: list[pd.Series], options: PerformanceTable) -> list[str]:
    notes = []
    if "auc" in options.measures:
        methods = list(dict.fromkeys(INTERVALS[row["ci_method"]].label for row in rows))
        notes.append(
            "AUC: area under the receiver operating characteristic curve; "
            f"CI: confidence interval, {fmt.listing(methods)}"
            + (", and DeLong's interval." if any(r["ci_method"] == "binomial_exact" for r in rows) else ".")
        )
    if set(rates()) & set(options.measures):
        notes.append(
            "Rates are given with the number of patients, at the threshold that maximised Youden's index in the training "
            "set; it was applied unchanged to the other sets."
        )
    columns = [contract("performance").column(measure) for measure in measures() if measure in options.measures]
    notes += [f"{c.short}: {c.label[0].lower()}{c.label[1:]}." for c in columns if c.short]
    if any(row["partition"] == TRAINING for row in rows):
        notes.append("Training values are apparent: the models were fitted to these patients.")
    return notes
