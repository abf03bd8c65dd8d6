"""Kaplan–Meier curves by group, with the numbers at risk under the axis and the log-rank test."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.events import counted, in_words
from her2radiomics.manuscript.fields import Event, EventLevel, Partitions, Time
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.members import column_name, members, scope
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure
from her2radiomics.statistics import cox, kaplan_meier, logrank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from her2radiomics.statistics import KaplanMeier

MONTHS = (1, 2, 3, 6, 12, 24, 36, 60, 120)


class KaplanMeierOptions(FramedOptions):
    """Survival by group with its band, censoring ticks, log-rank p, numbers at risk and medians."""

    kind: Literal["kaplan_meier"]
    time: Time
    event: Event
    event_level: EventLevel = None
    by: str = Field(
        "label", description="'label', 'partition', a participants column with levels, or empty: one curve."
    )
    partitions: Partitions = ()
    endpoint: str = Field("", description="Label of the vertical axis; without it the time column's name.")
    level: float = Field(0.95, description="Level of the intervals.", gt=0.5, lt=1)
    band: bool = Field(True, description="Draw the pointwise interval (log-log scale).")
    until: float | None = Field(None, description="Follow-up time at which the axis ends.", gt=0)
    step: float | None = Field(
        None, description="Distance of the times at which the numbers at risk are printed.", gt=0
    )

    def columns_used(self) -> tuple[str, ...]:
        """Time, event and group."""
        return (self.time, self.event, *super().columns_used())


class _Curves(NamedTuple):
    """What is drawn: the estimate, its groups' printed names by key, and the test in words and numbers."""

    estimate: KaplanMeier
    names: dict[str, str]
    test: str
    numbers: dict[str, float]


@figure(
    KaplanMeierOptions,
    needs=("participants",),
    caption="Steps with pointwise confidence bands, a tick at each censored patient; numbers at risk below.",
    example="""
        figure_2a_progression: {kind: kaplan_meier, title: Progression-free survival, time: pfs_months, event: pfs}
        figure_2b_overall:
          kind: kaplan_meier
          title: Overall survival, test patients
          time: os_months
          event: os
          by: grade
          partitions: [testing]
          until: 60
          step: 12
    """,
)
def draw(inputs: FigureInputs, options: KaplanMeierOptions) -> Drawing:
    """Draw survival as steps with censoring ticks, the log-rank p, numbers at risk, and medians in words."""
    cohort = members(inputs, options.by, options.partitions)
    time = cohort.numbers(options.time, least=0)
    event = cohort.text(options.event)
    known = time.notna() & (event != "") & (cohort.group != "")
    name, unit = column_name(inputs, options.time)
    if not known.any():
        said = f"{name}: no patient with a known time, event and group."
        return options.message(said, pd.DataFrame({"what": ["message"], "label": [said]}))
    levels = inputs.study.levels.get(options.event, {})
    value, label = counted(options.event, levels, options.event_level, "figure")
    if options.event_level is None and not levels:
        cohort.refuse(event, ~event.isin(["", "0", "1"]), "0 or 1, or event_level in the figure's settings")
    seen = event[known] == value
    table = _estimate(time[known], seen, cohort.group[known], cohort.names, options)
    lost = int((~known).sum())
    ratios = _ratios(time[known], seen, cohort.group[known], table.names, options.level)
    notes = [*_medians(table, unit, options.level), *ratios, *_absences(table, cohort.names)]
    if label:
        notes.append(f"Events counted: {in_words(value, levels)}")
    if lost:
        notes.append(f"Left out: {lost} patient{'s' * (lost > 1)} without follow-up or group")
    look = {key: style.line_of(key, list(cohort.names)) for key in table.names}
    sheet = _Sheet(options, table.names, notes)
    fig = style.new_figure(options.width_mm, sheet.height)
    axes = style.place(fig, sheet.left, style.head(), sheet.wide, sheet.tall)
    last = options.until or float(time[known].max()) or 1.0
    ticks = time_ticks(last, unit, sheet.wide, options.step)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else last
    if options.until is None and last - ticks[-1] > 0.5 * step:  # the axis ends at a tick, with its numbers at risk
        ticks.append(round(ticks[-1] + step, 9))
    end = max(last, ticks[-1]) if options.until is None else last
    axes.set(xlim=(0, end), ylim=(0, 1.02), yticks=style.FIFTHS, xlabel=f"Time ({unit})" if unit else "Time")
    axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    style.vertical_label(axes, options.endpoint or name, sheet.tall)
    _curves(axes, table, look, options)
    _test(axes, table, end)
    risk = table.estimate.at_risk(ticks)
    sheet.write(fig, risk, ticks, end, look, table.names)
    return Drawing(fig, _data(table, risk), scope(inputs, options.partitions, int(known.sum())))


def _estimate(
    time: pd.Series, seen: pd.Series, group: pd.Series, names: dict[str, str], options: KaplanMeierOptions
) -> _Curves:
    present = [key for key in names if (group == key).any()]
    of = pd.Categorical(group, categories=present, ordered=True)
    estimate = kaplan_meier(time, seen.astype(int), of, level=options.level)
    printed = {key: names[key] for key in present}
    if len(present) < 2:
        return _Curves(estimate, printed, "", {})
    if not seen.any():
        return _Curves(estimate, printed, "No event: log-rank test not possible", {})
    test = logrank(time, seen.astype(int), of)
    numbers = {"statistic": test.statistic, "df": test.df, "p": test.p}
    return _Curves(estimate, printed, f"Log-rank {fmt.p_equals(test.p)}", numbers)


def time_ticks(last: float, unit: str, wide: float, step: float | None) -> list[float]:
    """Times from 0 at which numbers at risk are printed, at least one number's width apart.

    Months come in quarters, halves and whole years, other units in 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    last
        Last time drawn.
    unit
        Unit of the times.
    wide
        Width of the axis in mm.
    step
        Distance in units of time, where the figure names it.
    """
    most = max(int(wide // style.mm(7.5)), 2)
    if step is None:
        decimal = (base * 10.0**power for power in count(-6) for base in (1, 2, 5))
        steps = (*MONTHS, *(year * 12.0 for year in (20, 50, 100))) if unit.startswith("month") else decimal
        step = next((s for s in steps if last / s <= most), last / most)
        if unit.startswith("month") and last < 2:
            step = last / 2
    return [round(step * place, 9) for place in range(math.floor(last / step + 1e-9) + 1)]


def _curves(axes: Axes, table: _Curves, look: dict[str, style.Line], options: KaplanMeierOptions) -> None:
    for key, rows in table.estimate.table.groupby("group", sort=False):
        colour, dash = look[str(key)]
        if options.band and rows[["low", "high"]].notna().any(axis=None):
            time, low, high = rows[["time", "low", "high"]].ffill().to_numpy().T
            alpha = 0.13 if len(table.names) < 3 else 0.08
            axes.fill_between(time, low, high, step="post", color=colour, alpha=alpha, linewidth=0, zorder=1)
        axes.step(rows["time"], rows["survival"], where="post", color=colour, linestyle=dash, zorder=3)
        lost = rows[(rows["censored"] > 0) & (rows["time"] <= axes.get_xlim()[1])]
        ticks: dict[str, Any] = {
            "linestyle": "",
            "marker": "|",
            "markersize": 4.5,
            "markeredgewidth": 0.8,
            "color": colour,
        }
        axes.plot(lost["time"], lost["survival"], **ticks, zorder=4, clip_on=False)


def _test(axes: Axes, table: _Curves, end: float) -> None:
    """The test in the corner that the curves leave free: below at the left, or above at the right."""
    if not table.test:
        return
    curves = table.estimate.table
    early, late = curves[curves["time"] <= 0.6 * end], curves[curves["time"] >= 0.4 * end]
    below = early["low"].fillna(early["survival"]).min()
    before = curves[curves["time"] < 0.4 * end].groupby("group")["high"].last().max()
    above = max(late["high"].fillna(late["survival"]).max(), before if before == before else 0.0)
    high = below < 0.16 and (above != above or above < 0.86)
    x, ha, va = (0.98, "right", "top") if high else (0.03, "left", "bottom")
    beneath = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    place: dict[str, Any] = {"transform": axes.transAxes, "ha": ha, "va": va, "zorder": 5}
    axes.text(x, x, table.test, fontsize=style.small(), bbox=beneath, **place)


def _medians(table: _Curves, unit: str, level: float) -> list[str]:
    """Events and median of each group, in words."""
    lines = []
    for row in table.estimate.medians.itertuples():
        text = f"{table.names[str(row.group)]}: {style.keep(f'{row.events} event' + 's' * (row.events != 1))}, median "
        if math.isfinite(row.median):
            digits = fmt.digits_for([row.median])
            low, high = (
                fmt.fixed(value, digits) if math.isfinite(value) else "not reached" for value in (row.low, row.high)
            )
            ends = f"{low}–{high}" if math.isfinite(row.high) else f"{low} to {high}"
            interval = style.keep(f"{fmt.level(level).replace(' ', '')} CI {ends}")
            text += style.keep(f"{fmt.fixed(row.median, digits)} {unit}".strip()) + f" ({interval})"
        else:
            text += "not reached"
        lines.append(text)
    return lines


def _ratios(time: pd.Series, seen: pd.Series, group: pd.Series, names: dict[str, str], level: float) -> list[str]:
    """Hazard ratio of each group against the first by Cox regression; none where the likelihood has no maximum."""
    keys = list(names)
    if len(keys) < 2:
        return []
    try:
        frame = pd.DataFrame({"group": group.astype(str)})
        found = cox(frame, time, seen.astype(int), {"group": keys}, level)
    except ValueError:
        return []
    if found.method != "ml":
        return []
    rows = found.table.set_index("term")
    lines = []
    for key in keys[1:]:
        row = rows.loc[f"group[{key}]"]
        ratio = fmt.ratio(row["hazard_ratio"])
        ends = f"{fmt.level(level).replace(' ', '')} CI {fmt.ratio(row['ci_low'])}–{fmt.ratio(row['ci_high'])}"
        lines.append(f"Hazard ratio, {names[key]} vs {names[keys[0]]}: {style.keep(f'{ratio} ({ends})')}")
    return lines


def _absences(table: _Curves, names: dict[str, str]) -> list[str]:
    lines = [f"{name}: no patient with follow-up" for key, name in names.items() if key not in table.names]
    if lines and len(table.names) == 1:
        lines.append("One group alone: no log-rank test")
    return lines


class _Sheet:
    """Where axes, numbers at risk and notes stand, in mm from the upper left corner."""

    def __init__(self, options: KaplanMeierOptions, names: dict[str, str], notes: list[str]) -> None:
        width = options.width_mm
        self.row = style.line_height(style.small()) * 1.08
        self.mark = style.mm(5.0)  # the sample of a curve before its group's name
        room = max(0.28 * width - self.mark, style.mm(9.0))
        self.names = {key: style.wrap(name, room, style.small()) for key, name in names.items()}
        longest = max(style.text_width(line, style.small()) for lines in self.names.values() for line in lines)
        self.left = max(style.mm(14.0), 1.5 + self.mark + longest + style.mm(4.0))
        self.wide = width - self.left - style.mm(4.0)
        self.tall = options.height_mm or min(self.wide * 0.78, 80.0)
        self.notes = [Paragraph(note) for note in notes]
        self.risk = style.head() + self.tall + style.mm(9.2)
        lines = sum(len(lines) for lines in self.names.values())
        self.below = self.risk + self.row * (lines + 1) + style.mm(1.5)
        self.height = self.below + text_height(self.notes, width - 3.0) + 1.5

    def write(
        self,
        fig: Figure,
        risk: pd.DataFrame,
        ticks: list[float],
        end: float,
        look: dict[str, style.Line],
        names: dict[str, str],
    ) -> None:
        """Numbers at risk under their times, each row after a sample of its curve; then the notes."""
        canvas = page(fig, self.risk, self.height - self.risk)
        small: dict[str, Any] = {"fontsize": style.small(), "va": "center_baseline"}
        canvas.text(1.5, self.risk + self.row / 2, "Number at risk", **small)
        y = self.risk + self.row
        for key, row in zip(names, risk.to_numpy(), strict=True):
            lines = self.names[key]
            middle = y + self.row * len(lines) / 2
            colour, dash = look[key]
            canvas.plot([1.5, self.mark], [middle, middle], color=colour, linestyle=dash, linewidth=1.2)
            for place, line in enumerate(lines):
                canvas.text(1.5 + self.mark, y + self.row * (place + 0.5), line, **small)
            for tick, number in zip(ticks, row, strict=True):
                canvas.text(self.left + self.wide * tick / end, middle, f"{number}", ha="center", **small)
            y += self.row * len(lines)
        write(canvas, 1.5, self.below, style.size(fig)[0] - 3.0, self.notes)


def _data(table: _Curves, risk: pd.DataFrame) -> pd.DataFrame:
    """Curves, numbers at risk, medians and test, one below the other."""
    counts = risk.rename_axis("group").reset_index().melt("group", var_name="time", value_name="at_risk")
    parts: list[tuple[str, Any]] = [
        ("curve", table.estimate.table),
        ("at_risk", counts),
        ("median", table.estimate.medians),
    ]
    if table.numbers:
        parts.append(("log_rank", pd.DataFrame([table.numbers])))
    data = pd.concat([part.assign(what=what) for what, part in parts], ignore_index=True)
    data["label"] = data["group"].map(table.names).fillna("")
    first = ["what", "group", "label", "time"]
    whole = ["at_risk", "events", "censored", "n", *(["df"] if table.numbers else [])]
    data[whole] = data[whole].astype("Int64")
    return data[[*first, *(name for name in data.columns if name not in first)]]
