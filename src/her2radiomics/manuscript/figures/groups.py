"""Markers by group: points, boxes and stars, one frame per marker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import mpl, pd, sns
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript import style
from her2radiomics.manuscript.fields import By, Partitions, Summaries, Variances
from her2radiomics.manuscript.figures.beeswarm import offsets
from her2radiomics.manuscript.figures.groups_sheet import Sheet
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.members import Members, column_name, members, scope
from her2radiomics.manuscript.figures.registry import Drawing, FramedOptions, figure
from her2radiomics.manuscript.palettes import tint
from her2radiomics.manuscript.stars import LEGEND, stars
from her2radiomics.statistics import compare_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOX_FROM = 5  # values below which a box would say more than is known
HALF_BOX, HALF_SWARM = 0.28, 0.36  # of the distance between two groups
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class GroupsOptions(FramedOptions):
    """Markers or immune cells by group: points, boxes and p values."""

    kind: Literal["groups"]
    columns: tuple[str, ...] = Field(min_length=1, description="Continuous columns, one frame each, in order.")
    by: By = "label"
    partitions: Partitions = ()
    annotation: Literal["stars", "p", "both", "none"] = Field(
        "p", description="What is printed of the test above the groups."
    )
    summaries: Summaries
    variances: Variances = "welch"
    log: tuple[str, ...] = Field((), description="Columns drawn on a logarithmic axis.")
    across: int | None = Field(None, description="Frames side by side; without it as suits the width.", ge=1)
    letters: bool = Field(False, description="Letter the frames A, B, C, … at their upper left.")
    note: bool = Field(True, description="Explain boxes, stars and tests below the frames.")


class _Compared(NamedTuple):
    """One marker: its values by group, and the test."""

    column: str
    values: pd.Series
    group: pd.Series
    test: str
    statistic: float
    p: float


@figure(
    GroupsOptions,
    needs=("participants",),
    caption="Each point is a patient; boxes give median and quartiles.",
    example="""
        figure_6_immune_cells:
          kind: groups
          title: Markers and immune cells by outcome
          columns: [cea, cd8, cd4]
          log: [cea]
    """,
)
def draw(inputs: FigureInputs, options: GroupsOptions) -> Drawing:
    """Draw every patient as a point over the box of its group, and the test's stars on a bracket."""
    cohort = members(inputs, options.by, options.partitions)
    compared = [_compare(cohort, column, options) for column in options.columns]
    headings = {name: column_name(inputs, name) for name in options.columns}
    named = {name: heading for name, (heading, _) in headings.items()}
    if options.letters:
        named = dict(zip(options.columns, LETTERS, strict=False))
    sheet = Sheet(
        cohort.names,
        _notes(compared, cohort, options, named),
        len(compared),
        width=options.width_mm,
        tall=options.height_mm,
        across=options.across,
        letters=options.letters,
    )
    fig = style.new_figure(options.width_mm, sheet.height)
    parts = []
    for place, item in enumerate(compared):
        axes = sheet.axes(fig, place)
        name, unit = headings[item.column]
        style.vertical_label(axes, f"{name} ({unit})" if unit else name, sheet.tall)
        parts.append(_frame(axes, item, cohort, options))
        sheet.name_groups(axes, item.group, cohort.names)
        if options.letters:
            x, y = -sheet.margin / sheet.wide, 1 + style.mm(2.0) / sheet.tall
            bold: dict[str, Any] = {"fontweight": "bold", "fontsize": style.large() + 1}
            axes.text(x, y, LETTERS[place], transform=axes.transAxes, **bold)
    sheet.write(fig, cohort.names)
    data = pd.concat(parts, ignore_index=True)
    data.insert(3, "label", data["group"].map(cohort.names).fillna(""))
    return Drawing(fig, data, scope(inputs, options.partitions, int((cohort.group != "").sum())))


def _compare(cohort: Members, column: str, options: GroupsOptions) -> _Compared:
    """The column's values and the test that :func:`~her2radiomics.statistics.compare_groups` chooses."""
    values = cohort.numbers(column)
    known = values.notna() & (cohort.group != "")
    values, group = values[known], cohort.group[known]
    if column in options.log:
        text = cohort.text(column)
        cohort.refuse(text, (cohort.numbers(column) <= 0), "a number above 0, for a logarithmic axis")
    present = [key for key in cohort.names if (group == key).any()]
    if len(present) < 2:
        return _Compared(column, values, group, "none: fewer than two groups have values", math.nan, math.nan)
    kind = {"mean": "normal", "median": "skewed"}.get(options.summaries.get(column, ""), "continuous")
    table = compare_groups(
        pd.DataFrame({"marker": values}),
        pd.Series(pd.Categorical(group, categories=present, ordered=True), index=values.index),
        {"marker": kind},  # type: ignore[dict-item]
        variances=options.variances,
    ).table.iloc[0]
    return _Compared(column, values, group, str(table["test"]), float(table["statistic"]), float(table["p"]))


def _frame(axes: Axes, item: _Compared, cohort: Members, options: GroupsOptions) -> pd.DataFrame:
    """Boxes, points and bracket of one marker; returns what was drawn."""
    keys = list(cohort.names)
    colours = dict(zip(keys, (style.line_of(key, keys).colour for key in keys), strict=True))
    _scale(axes, logarithmic=item.column in options.log)
    size = item.group.value_counts()
    boxed = [key for key in keys if size.get(key, 0) >= BOX_FROM]
    _boxes(axes, item, boxed, colours)
    axes.set(xlabel="", xlim=(-0.5, len(keys) - 0.5))
    points = {"what": "point", "column": item.column, "group": item.group, "patient_id": item.values.index}
    tables = [pd.DataFrame(points | {"value": item.values}).reset_index(drop=True)]
    for place, key in enumerate(keys):
        mine = item.values[item.group == key]
        if mine.empty:
            continue
        shift = offsets(np.log(mine) if item.column in options.log else mine.to_numpy()) * HALF_SWARM
        dots: dict[str, Any] = {"s": 6, "color": colours[key], "edgecolor": "white", "linewidth": 0.25}
        axes.scatter(place + shift, mine, alpha=0.8, zorder=3, clip_on=False, **dots)
        if key not in boxed:
            axes.plot([place - HALF_BOX, place + HALF_BOX], [mine.median()] * 2, color=style.INK, zorder=5)
        tables.append(_summary(item, key, mine, cohort))
    _bracket(axes, item, options, len(keys))
    test = {"what": "test", "column": item.column, "group": "", "test": item.test}
    numbers = {"statistic": item.statistic, "p": item.p, "stars": stars(item.p)}
    return pd.concat([*tables, pd.DataFrame([test | numbers])], ignore_index=True)


def _scale(axes: Axes, *, logarithmic: bool) -> None:
    """Few round ticks, and plain numbers on a logarithmic axis."""
    if not logarithmic:
        axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())


def _boxes(axes: Axes, item: _Compared, boxed: list[str], colours: dict[str, str]) -> None:
    """A box for each group that has values enough, at the group's place."""
    shown = item.group.isin(boxed)
    group = pd.Categorical(item.group[shown], categories=list(colours))
    sns.boxplot(
        x=group,
        y=item.values[shown].to_numpy(),
        hue=group,
        dodge=False,
        palette={key: tint(colour, 0.3) for key, colour in colours.items()},
        saturation=1,
        legend=False,
        showfliers=False,
        width=2 * HALF_BOX,
        linewidth=0.8,
        linecolor=style.INK,
        boxprops={"zorder": 2},
        whiskerprops={"zorder": 2},
        medianprops={"linewidth": 1.8, "zorder": 5},
        vert=None,  # the orientation is matplotlib's default; its older name is deprecated
        ax=axes,
    )


def _summary(item: _Compared, key: str, mine: pd.Series, cohort: Members) -> pd.DataFrame:
    """Numbers of one box; quartiles as R's type 7, whiskers to the last value within 1.5 times their distance."""
    low, middle, high = mine.quantile([0.25, 0.5, 0.75])
    reach = 1.5 * (high - low)
    row = {
        "what": "box",
        "column": item.column,
        "group": key,
        "n": len(mine),
        "missing": int((cohort.group == key).sum()) - len(mine),
        "q1": low,
        "median": middle,
        "q3": high,
        "whisker_low": mine[mine >= low - reach].min(),
        "whisker_high": mine[mine <= high + reach].max(),
        "mean": mine.mean(),
        "sd": mine.std(ddof=1),
    }
    return pd.DataFrame([row]).astype({"n": "Int64", "missing": "Int64"})


def _bracket(axes: Axes, item: _Compared, options: GroupsOptions, groups: int) -> None:
    """The bracket over the groups with the test's stars or p, above the highest point."""
    axes.margins(y=0.06)
    axes.autoscale(axis="y")
    if options.annotation == "none":
        return
    if math.isnan(item.p):
        text = "not tested"
    else:
        number, marks = fmt.p_equals(item.p), stars(item.p)
        text = {"stars": marks, "p": number, "both": f"{marks}, {number}"}[options.annotation]
    low, high, last, across = 0.96, 0.98, groups - 1, axes.get_xaxis_transform()
    line: dict[str, Any] = {"color": style.INK, "linewidth": 0.7, "clip_on": False}
    axes.plot([0, 0, last, last], [low, high, high, low], transform=across, **line)
    shift, size = (-1.5, style.large()) if set(text) == {"*"} else (1.0, style.small())
    where: dict[str, Any] = {"xycoords": across, "textcoords": "offset points", "fontsize": size}
    axes.annotate(text, (last / 2, high), (0, shift), ha="center", va="bottom", **where)
    bottom, top = axes.get_ylim()
    room = 0.09
    if item.column in options.log:
        bottom, top = math.log10(bottom), math.log10(top)
        axes.set_ylim(10**bottom, 10 ** (top + (top - bottom) * room))
    else:
        axes.set_ylim(0.0 if (item.values >= 0).all() else bottom, top + (top - bottom) * room)


def _notes(compared: list[_Compared], cohort: Members, options: GroupsOptions, named: dict[str, str]) -> list[str]:
    """What boxes, points and stars are, and which tests gave them."""
    if not options.note:
        return []
    said = "Boxes: median and quartiles; whiskers: to the last value within 1.5 × IQR; points: patients."
    sizes = [int((item.group == key).sum()) for item in compared for key in cohort.names]
    if any(0 < size < BOX_FROM for size in sizes):
        said += f" Groups of fewer than {BOX_FROM} values: the median alone."
    lines = [said]
    tested = [item for item in compared if not math.isnan(item.p)]
    if tested and options.annotation != "none":
        by_test: dict[str, list[str]] = {}
        for item in tested:
            by_test.setdefault(_short(item.test), []).append(named[item.column])
        several = "; ".join(f"{test}: {', '.join(names)}" for test, names in by_test.items())
        which = several if len(by_test) > 1 else next(iter(by_test))
        lines.append(f"{LEGEND}. {which}." if options.annotation != "p" else f"{which}.")
    others = [item for item in compared if math.isnan(item.p)]
    if others and options.annotation != "none":
        why = [f"{named[item.column]} ({item.test.removeprefix('none: ')})" for item in others]
        lines.append(f"Not tested: {', '.join(why)}.")
    missing = {item.column: int((cohort.group != "").sum()) - len(item.values) for item in compared}
    if any(missing.values()):
        empty = [f"{named[name]} {count}" for name, count in missing.items() if count]
        lines.append(f"Missing values: {', '.join(empty)}.")
    return lines


def _short(test: str) -> str:
    """The test's name without its variant: the CSV has it in full."""
    return test.split(" (")[0].split(", ")[0]
