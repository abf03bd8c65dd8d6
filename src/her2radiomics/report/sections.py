"""Parts of the page that are read from one file each: flow, partitions, printed tables, published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.tables.html import fragment_of
from her2radiomics.report import words
from her2radiomics.report.context import FlowStep, Link, PartitionSummary, PublishedRow, ReportTable
from her2radiomics.report.info import RunInfo


def partition_summaries(flow: pd.DataFrame, info: RunInfo) -> tuple[PartitionSummary, ...]:
    """Sizes of the run's partitions, from ``flow.csv``."""
    rows = flow[flow["step"] == "partition"].set_index("partition")
    absent = [name for name in info.partitions if name not in rows.index]
    if absent:
        raise StudyError(
            f"flow.csv: found the partitions {', '.join(map(str, rows.index)) or 'none'}, expected '{absent[0]}' too. "
            "Make the cohort again."
        )
    return tuple(
        PartitionSummary(
            info.protocol.partition_label(name),
            int(rows.loc[name, "remaining"]),
            int(rows.loc[name, "events"]),
        )
        for name in info.partitions
    )


def flow_steps(flow: pd.DataFrame, info: RunInfo) -> tuple[FlowStep, ...]:
    """``flow.csv`` in words: registered, excluded, failed, then included (the sum of the partitions) by partition."""
    steps, partitions = [], []
    for _, row in flow.iterrows():
        step, remaining = str(row["step"]), int(row["remaining"])
        if step == "partition":
            partitions.append(
                FlowStep(step, info.protocol.partition_label(str(row["partition"])), None, remaining)
            )
        elif step == "registered":
            steps.append(FlowStep(step, "Registered", None, remaining))
        else:
            reason = str(row["reason"])
            text = f"Features could not be extracted: {reason}" if step == "failed" else reason
            steps.append(FlowStep(step, text, int(row["excluded"]), remaining))
    included = sum(step.remaining for step in partitions)
    return (*steps, FlowStep("included", "Included", None, included), *partitions)


def printed_table(folder: Path, name: str) -> ReportTable:
    """A rendered table of the protocol, by its id.

    Raises
    ------
    StudyError
        It was not rendered.
    """
    page = Layout(folder).path("table", "html", table=name)
    if not page.is_file():
        raise StudyError(
            f"{page}: no such file; expected a table of the protocol. Make it before the report."
        )
    forms = (("docx", "Word"), ("tex", "LaTeX"), ("html", "HTML"), ("csv", "CSV"))
    links = (Link(label, contract("table").below(end, table=name)) for end, label in forms)
    files = tuple(link for link in links if (folder / link.href).is_file())
    return ReportTable(fragment_of(page.read_text(encoding="utf-8")), files)


def file_links(folder: Path, names: Sequence[str], **which: str) -> tuple[Link, ...]:
    """Links to those of the contracts' files that exist."""
    paths = [contract(name).below(**which) for name in names]
    return tuple(Link(Path(path).name, path) for path in paths if (folder / path).is_file())


def published_rows(folder: Path, info: RunInfo) -> tuple[PublishedRow, ...]:
    """``published.csv`` as printed, each number with its place in the paper.

    Raises
    ------
    StudyError
        The file does not hold the protocol's published numbers.
    """
    numbers, protocol = info.protocol.published, info.protocol
    if not numbers:
        return ()
    table = Layout(folder).read("published")
    if len(table) != len(numbers):
        raise StudyError(
            f"published.csv: found {len(table)} rows, expected the {len(numbers)} published numbers of the protocol. "
            "Evaluate the run again."
        )
    rows = []
    for (_, row), number in zip(table.iterrows(), numbers, strict=True):
        quantity = str(row["quantity"])
        models = [protocol.model_label(name) for name in (number.model, number.versus) if name]
        rows.append(
            PublishedRow(
                words.quantity_label(quantity, info),
                " vs ".join(models),
                protocol.partition_label(number.partition) if number.partition else "",
                words.printed(quantity, row["published"], row["published_low"], row["published_high"]),
                words.printed(quantity, row["reproduced"], row["low"], row["high"]),
                "" if row["n"] != row["n"] else f"{row['n']:.0f}",
                number.source,
            )
        )
    return tuple(rows)
