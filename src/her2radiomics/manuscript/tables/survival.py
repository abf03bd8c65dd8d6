"""Survival by group: Kaplan–Meier estimates, the log-rank test and Cox regression."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.events import counted, in_words
from her2radiomics.manuscript.fields import Event, EventLevel, Time
from her2radiomics.manuscript.tables.grouping import OUTCOME, Group, GroupedOptions, any_of, grouped
from her2radiomics.manuscript.tables.inputs import TableInputs, known
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.statistics import cox, kaplan_meier, logrank, potential_follow_up

NOT_REACHED = "not reached"
REFERENCE = "1 (reference)"


class Endpoint(Settings):
    """A follow-up time with its event."""

    label: str = Field(description="Name as printed: Overall survival.", min_length=1)
    time: Time
    event: Event
    event_level: EventLevel = None


class SurvivalTable(GroupedOptions):
    """Survival by group: events, medians, survival at given times, log-rank test and Cox regression."""

    kind: Literal["survival"]
    endpoints: tuple[Endpoint, ...] = Field(min_length=1, description="Follow-up times, in order.")
    reference: str | None = Field(
        None,
        description="Group that hazard ratios compare with: a partition, 1 or 0 of the label (0 by default), or a "
        "level of the column (the first by default).",
    )
    times: tuple[float, ...] = Field(
        (), description="Follow-up times, in the unit of the time column, at which survival is given."
    )
    follow_up: bool = Field(
        False, description="Give the median potential follow-up of each group, by the reverse Kaplan–Meier method."
    )

    def columns_used(self) -> tuple[str, ...]:
        """Times, events and group."""
        return (*(n for item in self.endpoints for n in (item.time, item.event)), *super().columns_used())


@table(
    SurvivalTable,
    needs=("participants",),
    example="""
        table_s2_survival:
          kind: survival
          title: Survival by outcome
          endpoints: [{label: Overall survival, time: os_months, event: os_event}]
          times: [12, 36]
    """,
)
def make(inputs: TableInputs, options: SurvivalTable) -> Table:
    """Describe and compare follow-up by group, a section per endpoint and a row per group.

    Patients without time or event are left out, endpoint by endpoint, and counted below the table.

    Raises
    ------
    SettingsError
        An unknown partition, column or group, a time that is not continuous, or an event level that is not declared.
    TableError
        A participants file that lacks a column, or a negative follow-up time.
    """
    for endpoint in options.endpoints:
        check_endpoint(endpoint, inputs, options.id)
    patients, groups = grouped(inputs, options)
    groups = _ordered(groups, options)
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
    if options.follow_up:
        notes.insert(
            0, "Follow-up: potential follow-up by the reverse Kaplan–Meier method, which events do not shorten."
        )
    notes = [*_footnotes(len(groups)), *notes]
    return options.table(inputs, rows, "Endpoint and group", headings, notes, first=["endpoint", "group"])


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
    value, _ = counted(endpoint.event, event.levels, endpoint.event_level, table)
    if event.levels:
        known(value, event.levels, f"level of '{endpoint.event}'")
    elif not _is_number(value):
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

    def refuse(values: pd.Series, wrong: pd.Series, expected: str, remedy: str) -> None:
        if wrong.any():
            raise TableError(
                file=inputs.file("participants", str(patients.loc[wrong, "partition"].iloc[0])),
                patient=str(patients.index[wrong][0]),
                column=str(values.name),
                found=f"{values[wrong].iloc[0]:g}",
                expected=expected,
                remedy=remedy,
            )

    refuse(time, time < 0, "a follow-up time of 0 or more", "Correct the cell, or leave it empty.")
    levels = inputs.columns[endpoint.event].levels
    value, label = counted(endpoint.event, levels, endpoint.event_level, options.id)
    if not levels and endpoint.event_level is None:
        refuse(
            event,
            event.notna() & ~event.isin([0, 1]),
            "0 or 1, since no event_level is named",
            "Name the value of the event (event_level), or correct the cell.",
        )
    member, complete = any_of(groups), (time.notna() & event.notna()).to_numpy(dtype=bool)
    followed = complete & member
    here = [group for group in groups if (followed & group.members).any()]
    notes = [f"{endpoint.label}: events are '{label}'."] if label else []
    if len(levels) > 2:
        notes = [f"{endpoint.label}: events are {in_words(value, levels)}."]
    if lost := int((member & ~complete).sum()):
        notes.append(f"{endpoint.label}: {lost} patients without follow-up are left out.")
    if not here:
        return [*notes, f"{endpoint.label}: no patient with follow-up."]
    key = np.select([group.members for group in here], [group.key for group in here], "")
    frame = pd.DataFrame(
        {
            "time": time[followed].to_numpy(dtype=float),
            "event": (event[followed] == (value if levels else float(value))).to_numpy(int),
            "group": pd.Categorical(key[followed], [group.key for group in here]),
        }
    )
    followed_up = (frame["time"], frame["event"], frame["group"])
    curves = kaplan_meier(*followed_up, inputs.level)
    medians = curves.medians.set_index("group")
    potential = potential_follow_up(*followed_up, inputs.level).medians.set_index("group")
    at: dict[str, dict[str, str]] = {group.key: {} for group in here}
    for row in curves.at(options.times).itertuples() if options.times else ():
        at[row.group][_key(row.time)] = fmt.interval(100 * row.survival, 100 * row.low, 100 * row.high, 1)
    hazards, why = _hazards(frame, inputs.level, endpoint.label)
    notes += why
    p = logrank(*followed_up).p if len(here) > 1 and frame["event"].any() else float("nan")
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
        rows.add(group.label, 1, cells=cells | at[group.key] | hazards.get(group.key, {}))
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
    try:
        found = cox(frame[["group"]], frame["time"], frame["event"], {"group": keys}, level)
    except ValueError:
        return none, [f"{label}: no hazard ratio, since nobody had the event, or the groups were not at risk together."]
    notes = []
    if found.method == "firth":
        notes.append(
            f"{label}: the events leave maximum likelihood without a solution (a group without events, or one that comes "
            "first throughout); hazard ratios are Firth's, with profile intervals and likelihood-ratio p."
        )
    fit = found.table.set_index("term")
    cells = {keys[0]: {"hazard_ratio": REFERENCE, "cox_p": ""}}
    for key in keys[1:]:
        row = fit.loc[f"group[{key}]"]
        ratio = fmt.ratio_interval(row["hazard_ratio"], row["ci_low"], row["ci_high"])
        cells[key] = {"hazard_ratio": ratio, "cox_p": fmt.p_value(float(row["p"]))}
    return cells, notes


def _footnotes(groups: int) -> list[str]:
    lines = [
        "CI: confidence interval. Kaplan–Meier estimates; intervals of survival and of its median are on the "
        "log(−log) scale."
    ]
    if groups > 1:
        lines.append(
            "Groups were compared by the log-rank test; hazard ratios are from Cox regression on the group alone, with "
            "Efron's method for ties and Wald intervals and p."
        )
    return lines
