"""Parts of the page that are read from one file each: flow, partitions, printed tables, published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from her2radiomics.core.columns import STAGES
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.formatting import listing
from her2radiomics.manuscript.tables.html import fragment_of
from her2radiomics.manuscript.tables.model import SIMULATED_NOTE
from her2radiomics.manuscript.tables.text import true_minus
from her2radiomics.report.context import FlowStep, Grid, Link, PartitionSummary, Published, PublishedRow, ReportTable
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import model_phrase

AGREEMENT = {"agrees": "agree", "differs": "differ", "not made in this run": "could not be compared"}


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
            info.protocol.partition_label(name), int(rows.loc[name, "remaining"]), int(rows.loc[name, "events"])
        )
        for name in info.partitions
    )


def flow_steps(flow: pd.DataFrame, info: RunInfo, performance: pd.DataFrame) -> tuple[FlowStep, ...]:
    """``flow.csv`` in words: registered, excluded, failed, then included (the sum of the partitions) by partition.

    Below a partition stand its patients whom the primary model could not predict, from ``performance.csv``.
    """
    steps, partitions, unpredicted = [], [], []
    primary = info.protocol.primary_model
    predicted = performance[performance["model"] == primary].set_index("partition")["n"]
    for _, row in flow.iterrows():
        step, remaining = str(row["step"]), int(row["remaining"])
        if step == "partition":
            label = info.protocol.partition_label(str(row["partition"]))
            partitions.append(FlowStep(step, label, None, remaining))
            left = int(predicted.get(row["partition"], remaining))
            if left < remaining:
                text = f"{label}: no prediction by {model_phrase(info.protocol.model_label(primary))}"
                unpredicted.append(FlowStep("unpredicted", text, remaining - left, left))
        elif step == "registered":
            steps.append(FlowStep(step, "Registered", None, remaining))
        else:
            reason = str(row["reason"])
            text = f"Features could not be extracted: {reason}" if step == "failed" else reason
            steps.append(FlowStep(step, text, int(row["excluded"]), remaining))
    included = sum(step.remaining for step in partitions)
    return (*steps, FlowStep("included", "Included", None, included), *partitions, *unpredicted)


def predictors(info: RunInfo, people: Mapping[str, pd.DataFrame]) -> Grid:
    """Participants columns that models try: unit or levels, when they are known, missing values in each set."""
    protocol = info.protocol
    tried = dict.fromkeys(column for model in protocol.models.values() for column in getattr(model, "candidates", ()))
    rows = []
    for name in tried:
        column = protocol.columns[name]
        levels = ", ".join(column.levels.values()) or column.unit or "number"
        cut = f" (cut-off {column.cut:g})" if column.cut is not None else ""
        missing = [str(int((table[name].isna() | (table[name].astype(str) == "")).sum())) for table in people.values()]
        rows.append((column.label, f"{levels}{cut}", STAGES[column.available_at], *missing))
    where = [f"Missing, {protocol.partition_label(partition)}" for partition in people]
    return Grid(("Predictor", "Unit or levels", "Known", *where), tuple(rows))


def printed_table(folder: Path, name: str) -> ReportTable:
    """A rendered table of the protocol, by its id.

    Raises
    ------
    StudyError
        It was not rendered.
    """
    page = Layout(folder).path("table", "html", table=name)
    if not page.is_file():
        raise StudyError(f"{page}: no such file; expected a table of the protocol. Make it before the report.")
    forms = (("docx", "Word"), ("tex", "LaTeX"), ("html", "HTML"), ("csv", "CSV"))
    links = (Link(label, contract("table").below(end, table=name)) for end, label in forms)
    files = tuple(link for link in links if (folder / link.href).is_file())
    fragment = fragment_of(page.read_text(encoding="utf-8"))
    return ReportTable(fragment.replace(f"<li>{SIMULATED_NOTE}</li>", ""), files)  # the page says it once, on top


def file_links(folder: Path, names: Sequence[str], **which: str) -> tuple[Link, ...]:
    """Links to those of the contracts' files that exist."""
    paths = [contract(name).below(**which) for name in names]
    return tuple(Link(Path(path).name, path) for path in paths if (folder / path).is_file())


def published(table: pd.DataFrame, folder: Path, info: RunInfo) -> Published | None:
    """``published.csv`` as printed, by the place in the paper; nothing where the paper prints nothing."""
    if table.empty:
        return None
    names = {name: info.protocol.model_label(name) for name in info.protocol.models}
    places: dict[str, list[PublishedRow]] = {}
    for row in table.to_dict("records"):
        models = [names.get(name, name) for name in str(row["model"]).split(" vs ") if name]
        places.setdefault(row["place"], []).append(
            PublishedRow(
                row["label"],
                row["item"],
                " vs ".join(models),
                info.protocol.partition_label(row["partition"]) if row["partition"] else "",
                true_minus(row["published_text"]),
                true_minus(row["reproduced_text"]),
                f"{row['n']:.0f}" if row["n"] == row["n"] else "",
                row["agreement"],
            )
        )
    counts = table["agreement"].value_counts()
    parts = [f"{counts[name]} {words_}" for name, words_ in AGREEMENT.items() if counts.get(name)]
    used = table[table["agreement"] != "not made in this run"]
    rules = {rule: listing(list(dict.fromkeys(labels))) for rule, labels in used.groupby("rule", sort=False)["label"]}
    whole = [item.id for item in info.protocol.tables if item.kind == "published"]
    files = [contract("table").below(end, table=name) for name in whole for end in ("docx", "tex", "html")]
    return Published(
        f"Of {len(table)} printed numbers and statements {listing(parts)}",
        tuple((place, tuple(rows)) for place, rows in places.items()),
        tuple(f"{names_}: {rule}." for rule, names_ in rules.items()),
        tuple(
            Link(Path(file).name, file) for file in [*files, contract("published").path] if (folder / file).is_file()
        ),
    )
