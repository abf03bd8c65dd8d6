"""Survival by group: Kaplan–Meier estimates, the log-rank test and Cox regression."""

from __future__ import annotations

import math
from typing import Any

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.grouping import OUTCOME, Group, groups_of
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, known, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import Endpoint, SurvivalTable
from her2radiomics.statistics import cox, follow_up, kaplan_meier, logrank

NOT_REACHED = "not reached"
REFERENCE = "1 (reference)"


@table("survival", needs=("participants",))
def make(inputs: TableInputs, options: SurvivalTable) -> Table:
    """Describe and compare follow-up by group, a section an endpoint and a row a group.

    Patients without time or event are left out, endpoint by endpoint, and counted below the table.

    Raises
    ------
    SettingsError
        An unknown partition, column or group, a time that is not continuous, or an event level that is not declared.
    TableError
        A participants file that lacks a column, or a negative follow-up time.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    for endpoint in options.endpoints:
        check_endpoint(endpoint, inputs, options.id)
    extra = [] if options.by in ("partition", OUTCOME) else [options.by]
    used = [column for endpoint in options.endpoints for column in (endpoint.time, endpoint.event)]
    patients = read_participants(inputs, partitions, [*used, *extra])
    groups = _ordered(groups_of(patients, inputs, options.by, partitions, options.id), options)
    rows, notes = Rows(), []
    for endpoint in options.endpoints:
        rows.add(endpoint.label, section=True, cells={})
        notes += _add(rows, patients, groups, endpoint, inputs, options)
    units = {inputs.columns[endpoint.time].unit for endpoint in options.endpoints}
    unit = f" {next(iter(units))}" if len(units) == 1 and units != {""} else ""
    level = fmt.level(inputs.level)
    headings = [
        Heading("n", "Patients"),
        *(
            [Heading("follow_up", f"Median follow-up{',' if unit else ''}{unit} ({level} CI)")]
            if options.follow_up
            else []
        ),
        Heading("events", "Events"),
        Heading("median", f"Median{',' if unit else ''}{unit} ({level} CI)"),
        *(Heading(_key(time), f"At {time:g}{unit}, % ({level} CI)") for time in options.times),
    ]
    if len(groups) > 1:
        headings += [
            Heading("hazard_ratio", f"Hazard ratio ({level} CI)"),
            Heading("cox_p", "p (Cox)"),
            Heading("logrank_p", "p (log-rank)"),
        ]
    return Table(
        title=options.title,
        data=rows.frame(["endpoint", "group", *(heading.key for heading in headings)]),
        stub="Endpoint and group",
        labels=tuple(rows.labels),
        headings=tuple(headings),
        footnotes=(*_footnotes(options, len(groups), notes), *options.footnotes),
        simulated=inputs.simulated,
    )


def _key(time: float) -> str:
    return f"survival_at_{time:g}"


def check_endpoint(endpoint: Endpoint, inputs: TableInputs, table: str) -> None:
    """Refuse a time that is not continuous, and an event level that its column does not have."""
    time = inputs.columns[known(endpoint.time, inputs.columns, "participants column")]
    event = inputs.columns[known(endpoint.event, inputs.columns, "participants column")]
    if time.kind != "continuous":
        raise SettingsError(
            f"{table}: found the time '{endpoint.time}', a column with levels; expected a continuous one."
        )
    if event.levels:
        known(endpoint.event_level, event.levels, f"level of '{endpoint.event}'")
    elif not _is_number(endpoint.event_level):
        raise SettingsError(
            f"{table}: found event_level '{endpoint.event_level}' of '{endpoint.event}', a continuous column; "
            "expected a number."
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _ordered(groups: list[Group], options: SurvivalTable) -> list[Group]:
    """Groups with the reference first: the one named, the label's 0, or the first."""
    prefix = "" if options.by == "partition" else f"{options.by}_"
    keys = {group.key.removeprefix(prefix): group for group in groups}
    wanted = options.reference
    if wanted is None and options.by == OUTCOME and "0" in keys:
        wanted = "0"
    if wanted is None:
        return groups
    first = keys[known(wanted, keys, f"group of {options.id} (with patients)")]
    return [first, *(group for group in groups if group is not first)]


def event_seen(values: pd.Series, column: Column, level: str) -> pd.Series:
    """Whether the event was seen, by the level that says so."""
    return values == (level if column.levels else float(level))


def _add(
    rows: Rows,
    patients: pd.DataFrame,
    groups: list[Group],
    endpoint: Endpoint,
    inputs: TableInputs,
    options: SurvivalTable,
) -> list[str]:
    """Add an endpoint's rows; return its footnotes."""
    time, event = patients[endpoint.time], patients[endpoint.event]
    if (time < 0).any():
        raise TableError(
            file=inputs.file("participants", str(patients.loc[time < 0, "partition"].iloc[0])),
            patient=str(patients.index[time < 0][0]),
            column=endpoint.time,
            found=f"{time[time < 0].iloc[0]:g}",
            expected="a follow-up time of 0 or more",
            remedy="Correct the cell, or leave it empty.",
        )
    code = pd.Series(None, index=range(len(patients)), dtype=object)
    for group in groups:
        code[group.members] = group.key
    complete = (time.notna() & event.notna()).to_numpy(dtype=bool)
    followed = complete & code.notna().to_numpy(dtype=bool)
    here = [group for group in groups if (followed & group.members).any()]
    notes = []
    if lost := int((code.notna().to_numpy(dtype=bool) & ~complete).sum()):
        notes.append(f"{endpoint.label}: {lost} patients without follow-up are left out.")
    if not here:
        return [*notes, f"{endpoint.label}: no patient with follow-up."]
    frame = pd.DataFrame(
        {
            "time": time[followed].to_numpy(dtype=float),
            "event": event_seen(
                event[followed], inputs.columns[endpoint.event], endpoint.event_level
            ).to_numpy(int),
            "group": pd.Categorical(code[followed], [group.key for group in here]),
        }
    )
    curves = kaplan_meier(frame["time"], frame["event"], frame["group"], inputs.level)
    medians = curves.medians.set_index("group")
    potential = follow_up(frame["time"], frame["event"], frame["group"], inputs.level).medians.set_index(
        "group"
    )
    at = curves.at(list(options.times)).set_index(["group", "time"]) if options.times else None
    hazards, why = _hazards(frame, inputs.level, endpoint.label)
    notes += why
    tested = len(here) > 1 and frame["event"].any()
    p = logrank(frame["time"], frame["event"], frame["group"]).p if tested else float("nan")
    for place, group in enumerate(here):
        median = medians.loc[group.key]
        cells: dict[str, Any] = {
            "endpoint": endpoint.label,
            "group": group.label,
            "n": str(int(median["n"])),
            "events": str(int(median["events"])),
            "median": _median(median["median"], median["low"], median["high"]),
            "follow_up": _median(*potential.loc[group.key, ["median", "low", "high"]]),
            "logrank_p": fmt.p_value(p) if place == 0 else "",
        }
        for value in options.times:
            assert at is not None
            row = at.loc[(group.key, float(value))]
            cells[_key(value)] = fmt.interval(100 * row["survival"], 100 * row["low"], 100 * row["high"], 1)
        rows.add(group.label, 1, cells=cells | hazards.get(group.key, {}))
    return notes


def _median(value: float, low: float, high: float) -> str:
    """A median with its interval; what is not reached is said."""
    estimate, *bounds = (NOT_REACHED if math.isinf(v) else fmt.fixed(v, 1) for v in (value, low, high))
    if math.isnan(low) or math.isnan(high) or (math.isinf(value) and math.isinf(low)):
        return estimate
    return f"{estimate} ({bounds[0]}–{bounds[1]})"


def _hazards(frame: pd.DataFrame, level: float, label: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Hazard ratio and p of each group against the first, and why there is none."""
    keys = list(frame["group"].cat.categories)
    if len(keys) < 2:
        return {}, []
    none = {key: {"hazard_ratio": fmt.NOT_AVAILABLE, "cox_p": fmt.NOT_AVAILABLE} for key in keys}
    if (frame.groupby("group", observed=True)["event"].sum() == 0).any():
        return none, [f"{label}: no hazard ratio, since a group has no event."]
    try:
        fit = cox(frame[["group"]], frame["time"], frame["event"], {"group": keys}, level).table
    except ValueError:
        return none, [f"{label}: no hazard ratio, since the partial likelihood has no maximum."]
    fit = fit.set_index("term")
    cells = {keys[0]: {"hazard_ratio": REFERENCE, "cox_p": ""}}
    for key in keys[1:]:
        row = fit.loc[f"group[{key}]"]
        ratio = fmt.ratio_interval(row["hazard_ratio"], row["ci_low"], row["ci_high"])
        cells[key] = {"hazard_ratio": ratio, "cox_p": fmt.p_value(float(row["p"]))}
    return cells, []


def _footnotes(options: SurvivalTable, groups: int, notes: list[str]) -> list[str]:
    lines = [
        "CI: confidence interval. Kaplan–Meier estimates; intervals of survival and of its median are on the "
        "log(−log) scale."
    ]
    if groups > 1:
        lines.append(
            "Groups were compared by the log-rank test; hazard ratios are from Cox regression on the group alone, with "
            "Efron's method for ties and Wald intervals and p."
        )
    if options.follow_up:
        lines.append(
            "Follow-up: potential follow-up by the reverse Kaplan–Meier method, which events do not shorten."
        )
    return [*lines, *notes]
