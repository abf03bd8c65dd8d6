"""Numbers that a paper prints, as a protocol has them: its own list, and the tables that the audit file transcribes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from her2radiomics.audit.means import parse_mean_sd
from her2radiomics.audit.model_tables import PrintedPerformance, PrintedRegression, limits
from her2radiomics.audit.paper import read_audit
from her2radiomics.audit.tables import PrintedRow, PrintedTable
from her2radiomics.extraction import read_parameters
from her2radiomics.manuscript.published import PublishedNumber
from her2radiomics.manuscript.published.settings import PublishedTable
from her2radiomics.manuscript.tables.inputs import known
from her2radiomics.study.protocol import Protocol


def printed_numbers(protocol: Protocol, audit: Path) -> list[PublishedNumber]:
    """Every number that the paper prints: the transcribed tables first, then the protocol's own list.

    Parameters
    ----------
    protocol
        The protocol.
    audit
        The study's audit file.

    Raises
    ------
    SettingsError
        A table, row, level or group that the audit file or the protocol does not have, with the nearest name.
    """
    if not protocol.published_tables:
        return list(protocol.published)
    paper = {table.id: table for table in read_audit(audit).tables}
    numbers: list[PublishedNumber] = []
    for link in protocol.published_tables:
        table = paper[known(link.audit, paper, f"published_tables: table of {audit.name}")]
        make: Any = {"characteristics": _characteristics, "regression": _regression, "performance": _performance}
        numbers += make[table.kind](table, link, protocol)
    return [*numbers, *protocol.published]


def check_published_features(protocol: Protocol, numbers: Sequence[PublishedNumber], extraction: Path) -> None:
    """Refuse a published feature that our set does not hold.

    Parameters
    ----------
    protocol
        The protocol.
    numbers
        Its published numbers.
    extraction
        The folder of the PyRadiomics parameter files.
    """
    named = [name for number in numbers if number.quantity == "features_kept" for name in number.names]
    held: set[str] = set()
    for sequence, item in protocol.sequences.items() if named else ():
        features = read_parameters(extraction / f"{item.parameters}.yaml").feature_names
        held |= {f"{sequence}__{region}__{feature}" for region in item.regions for feature in features}
    for name in named:
        known(name, sorted(held), "published features_kept: feature")


def _characteristics(table: PrintedTable, link: PublishedTable, protocol: Protocol) -> Iterator[PublishedNumber]:
    known(link.table, [item.id for item in protocol.tables], f"published_tables {link.audit}: table")
    groups = {name: link.groups.get(name, name) for name in table.groups}
    for row in table.rows:
        name = _ours(row.name, link, {c: item.label for c, item in protocol.columns.items()} | {"outcome": "Outcome"})
        if not name:
            continue
        base = {"table": link.table, "row": name, "source": table.place}
        for quantity, text in (("statistic", row.statistic), ("p", row.p)):
            if text:
                yield PublishedNumber.model_validate({**base, "quantity": quantity, "value": text})
        for position, (printed, n) in enumerate(table.groups.items()):
            own = {**base, "group": groups[printed], "n": n}
            if row.mean_sd is not None:
                mean, sd = (text.strip() for text in parse_texts(row.mean_sd[position]))
                yield PublishedNumber.model_validate({**own, "quantity": "mean", "value": mean, "sd": sd})
                yield PublishedNumber.model_validate({**own, "quantity": "sd", "value": sd})
            for level, cells in (row.levels or {}).items():
                key = _level(name, level, row, link, protocol)
                count = table.parse_cell(cells[position]).count
                yield PublishedNumber.model_validate({**own, "quantity": "count", "level": key, "value": count})


def parse_texts(text: str) -> tuple[str, str]:
    """Mean and SD as printed."""
    parsed = parse_mean_sd(text, 2)
    return parsed.mean.text, parsed.sd.text


def _level(column: str, printed: str, row: PrintedRow, link: PublishedTable, protocol: Protocol) -> str:
    """Our key of a printed level: mapped, or called alike."""
    if column == "outcome":
        levels = {"1": protocol.label.positive, "0": protocol.label.negative}
    else:
        levels = protocol.columns[column].levels
    mapped = link.levels.get(column, {}).get(printed)
    if mapped is not None:
        return known(mapped, levels, f"published_tables {link.audit}, {row.name}: level")
    for key, label in levels.items():
        if printed.casefold() in (key.casefold(), label.casefold()):
            return key
    return known(printed, levels, f"published_tables {link.audit}, {row.name}: level")


def _regression(table: PrintedRegression, link: PublishedTable, protocol: Protocol) -> Iterator[PublishedNumber]:
    known(link.model, protocol.models, f"published_tables {link.audit}: model")
    for row in table.rows:
        term = link.rows.get(row.name, row.name)
        base = {"model": link.model, "block": link.block, "term": term, "source": table.place}
        low, high = limits(row.ci) if row.ci else (None, None)
        for name, text in row.printed.items():
            if name == "ci":
                continue
            ends = {"low": low, "high": high} if name == "odds_ratio" else {}
            quantity = "regression_p" if name == "p" else name
            yield PublishedNumber.model_validate({**base, "quantity": quantity, "value": text, **ends})


def _performance(table: PrintedPerformance, link: PublishedTable, protocol: Protocol) -> Iterator[PublishedNumber]:
    for row in table.rows:
        model = _ours(row.model, link, {name: protocol.model_label(name) for name in protocol.models})
        base = {
            "model": model,
            "partition": link.groups.get(row.partition, row.partition),
            "source": row.place or table.place,
        }
        low, high = limits(row.ci) if row.ci else (None, None)
        for name, text in row.printed.items():
            if name != "ci":
                ends = {"low": low, "high": high} if name == "auc" else {}
                yield PublishedNumber.model_validate({**base, "quantity": name, "value": text, **ends})


def _ours(printed: str, link: PublishedTable, labels: Mapping[str, str]) -> str:
    """Our name of a printed row: mapped, or called alike; empty where it is mapped to nothing."""
    if printed in link.rows:
        ours = link.rows[printed]
        return known(ours, labels, f"published_tables {link.audit}: row") if ours else ""
    for key, label in labels.items():
        if printed.casefold() in (key.casefold(), label.casefold()):
            return key
    return known(printed, labels, f"published_tables {link.audit}: row")
