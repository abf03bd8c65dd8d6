"""A numbered figure of several panels, each drawn by its own kind into its own part of the page."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputError, FigureInputs
from her2radiomics.manuscript.figures.registry import (
    Drawing,
    FigureOptions,
    FramedOptions,
    SquareOptions,
    WideOptions,
    figure,
)
from her2radiomics.manuscript.palettes import PALETTES

if TYPE_CHECKING:
    SingleFigure = FigureOptions  # at run time one of all other kinds: the package names it when it has found them

BETWEEN, UNDER = 4.0, 3.0  # mm between panels of a row, and between rows
LOWEST = 24.0  # mm: frames are not made lower to fit the page
ROUNDS = 6
OWN_LETTER = re.compile(r"figure_s?\d+([a-z])_")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ComposedOptions(WideOptions):
    """Several figures of the protocol as panels of one numbered figure, in rows."""

    kind: Literal["composed"]
    panels: tuple[str, ...] = Field(
        min_length=1, max_length=26, description="Ids of other figures of the protocol, row by row."
    )
    columns: int = Field(2, description="Panels side by side.", ge=1, le=4)
    wide: tuple[str, ...] = Field((), description="Panels that have a row to themselves.")
    letters: Literal["upper", "lower", "id", "none"] = Field(
        "upper", description="Letters of the panels: in order, or `id`: that of the panel's own id, figure_5d_… → D."
    )
    page_mm: float = Field(
        222.0,
        description="Height in mm that leaves space on the page for the caption: frames are made lower until the panels "
        "fit, or as low as they can be read.",
        ge=60,
        le=240,
    )
    figures: tuple[SingleFigure, ...] = Field(
        (), description="Settings of the panels: filled in from the protocol's figures of these ids."
    )

    @property
    def panel_letters(self) -> dict[str, str]:
        """Letter of each panel, in the order of the panels."""
        letters = LETTERS.lower() if self.letters == "lower" else LETTERS
        if self.letters != "id":
            return dict(zip(self.panels, letters, strict=False))
        own = {name: OWN_LETTER.match(name) for name in self.panels}
        return {name: found[1].upper() if found else "" for name, found in own.items()}

    @model_validator(mode="after")
    def _panels_fit(self) -> ComposedOptions:
        if len(set(self.panels)) < len(self.panels):
            raise ValueError("panels: a figure is named twice")
        astray = [name for name in self.wide if name not in self.panels]
        if astray:
            raise ValueError(f"wide: '{astray[0]}' is not among the panels {', '.join(self.panels)}")
        if self.width_mm / self.columns < 40:
            raise ValueError(
                f"columns: {self.columns} panels of {self.width_mm / self.columns:.0f} mm; expected at least 40 mm each"
            )
        return self

    def models_needed(self, need: str) -> tuple[str, ...]:
        """Models of all panels that read ``need``."""
        those = [item for item in self.figures if need in item.needs()]
        return tuple(dict.fromkeys(model for item in those for model in item.models_needed(need)))

    def needs(self) -> tuple[str, ...]:
        """What any panel reads."""
        return tuple(dict.fromkeys(need for item in self.figures for need in item.needs()))

    def columns_used(self) -> tuple[str, ...]:
        """Columns of all panels."""
        return tuple(dict.fromkeys(name for item in self.figures for name in item.columns_used()))

    def rows(self) -> list[list[str]]:
        """Panels row by row."""
        rows: list[list[str]] = [[]]
        for name in self.panels:
            if name in self.wide:
                rows += [[name], []]
            elif len(rows[-1]) == self.columns:
                rows.append([name])
            else:
                rows[-1].append(name)
        return [row for row in rows if row]


def with_panels(figures: Sequence[Any]) -> list[Any]:
    """The figures of a protocol, with the composed ones given the settings of their panels.

    Raises
    ------
    ValueError
        A panel is no figure of the protocol, or itself composed.
    """
    singles = {item.id: item for item in figures if not isinstance(item, ComposedOptions)}
    found = []
    for item in figures:
        if isinstance(item, ComposedOptions):
            for name in item.panels:
                if name not in singles:
                    near = difflib.get_close_matches(name, singles, n=1)
                    advice = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(singles)}"
                    raise ValueError(
                        f"{item.id}.panels: '{name}' is not a figure of its own in this protocol; {advice}"
                    )
            item = item.model_copy(update={"figures": tuple(singles[name] for name in item.panels)})
        found.append(item)
    return found


@dataclass
class _Panel:
    """One panel while the page is laid out: its settings, look, letter, place and measured size in mm."""

    settings: FigureOptions
    look: style.Look
    letter: str
    row: int
    left: float
    height: float = 0.0
    stale: bool = True
    # where its height can be set: from the panel's upper edge to the frame, and the frame's height
    frame: tuple[float, float] | None = None

    def draw(self, inputs: FigureInputs) -> Drawing:
        """Draw the panel, alone or where :func:`style.inside` puts it."""
        with style.in_style(self.look):
            return self.settings.make(inputs)

    def measure(self, inputs: FigureInputs) -> None:
        """Draw the panel alone, to learn its size; once for each height of its frame."""
        if not self.stale:
            return
        self.stale = False
        alone = self.draw(inputs).figure
        self.height = style.size(alone)[1]
        framed = isinstance(self.settings, FramedOptions) and alone.axes
        self.frame = style.frame(alone, alone.axes[0]) if framed else None

    def reframe(self, height: float) -> None:
        """Give the frame another height."""
        self.stale = True
        self.settings = self.settings.model_copy(update={"height_mm": height})


@figure(
    ComposedOptions,
    caption="Panels are shown separately below; the composed figure can be downloaded.",
    example="""
        figure_4a_score: {kind: rad_score, title: Rad-score by patient, model: radiomics, partition: training}
        figure_4b_decision: {kind: decision_curve, title: Decision curves, models: [clinical, nomogram], partition: testing}
        figure_4_score:
          kind: composed
          title: The score and its use
          panels: [figure_4a_score, figure_4b_decision]
          columns: 1
          page_mm: 240
    """,
)
def draw(inputs: FigureInputs, options: ComposedOptions) -> Drawing:
    """Draw every panel as a part of one page: letters and frames of a row in line, vectors left vectors."""
    if tuple(item.id for item in options.figures) != options.panels:
        raise FigureInputError(
            f"{options.id}: found no settings of its panels; expected those of {', '.join(options.panels)}. "
            "Put the protocol's figures together with with_panels()."
        )
    panels = _laid_out(options, inputs)
    tops, height = _fitted(panels, inputs, options, style.mm(6.0) if inputs.study.simulated else 0.0)
    sheet = style.new_figure(options.width_mm, height)
    tables = []
    for panel in panels:
        drop = _frame_top(panels, panel.row) - panel.frame[0] if panel.frame else 0.0
        with style.inside(style.Cell(sheet, panel.left, tops[panel.row], drop)):
            # what a kind calls its own panels becomes a part
            table = panel.draw(inputs).data.rename(columns={"panel": "part"})
        table.insert(0, "figure", panel.settings.id)
        table.insert(0, "panel", panel.letter)
        tables.append(table)
    return Drawing(sheet, pd.concat(tables, ignore_index=True))


def _laid_out(options: ComposedOptions, inputs: FigureInputs) -> list[_Panel]:
    """The panels at their widths, with their letters, the whole's size of type, and its palette unless it names none."""
    letters = iter(options.panel_letters.values())
    settings = {item.id: item for item in options.figures}
    each = (options.width_mm - BETWEEN * (options.columns - 1)) / options.columns
    panels = []
    for place, row in enumerate(options.rows()):
        for across, (name, letter) in enumerate(zip(row, letters, strict=False)):
            width = options.width_mm if name in options.wide else each
            change = {"width_mm": width, "panel_letter": "" if options.letters == "none" else letter}
            item = settings[name].model_copy(update=change)
            palette = PALETTES[options.palette or item.palette or inputs.study.palette]
            look = replace(style.look(), palette=palette)
            panels.append(_Panel(item, look, letter, place, across * (each + BETWEEN)))
    legends = {panel.settings.legend_of(inputs): panel for panel in panels}  # the last of those with the same legend
    for panel in panels:
        if (key := panel.settings.legend_of(inputs)) is not None and legends[key] is not panel:
            panel.settings = panel.settings.model_copy(update={"legend": False})
    return panels


def _fitted(
    panels: list[_Panel], inputs: FigureInputs, options: ComposedOptions, top: float
) -> tuple[list[float], float]:
    """Bring the frames of each row to one height, lower where the page asks for it; rows' tops and the height.

    How high panels are depends on the results (a nomogram has an axis a predictor), so that no protocol can promise that
    they fit: with the lowest frames the figure becomes higher than the page, and a warning says what would help.
    """
    for panel in panels:
        panel.measure(inputs)
    wanted = {row: _common_height(list(those)) for row, those in _by_row(panels)}
    for _ in range(ROUNDS):
        for panel in panels:
            if panel.frame and wanted[panel.row] and panel.frame[1] != wanted[panel.row]:
                panel.reframe(wanted[panel.row])
            panel.measure(inputs)
        tops, height = _stacked(panels, top)
        excess = height - options.page_mm
        lower = [row for row, frame in wanted.items() if frame > LOWEST]
        if excess <= 0:
            return tops, height
        if not lower:
            break
        for row in lower:
            wanted[row] = max(wanted[row] - excess / len(lower) - 0.01, LOWEST)
    warnings.warn(
        f"{options.id}: found panels of {height:.0f} mm in all; expected at most {options.page_mm:.0f} mm, so the figure is "
        "higher than the page. Give it more columns or fewer panels, or draw its panels one by one.",
        stacklevel=2,
    )
    return tops, height


def _by_row(panels: list[_Panel]) -> Iterator[tuple[int, list[_Panel]]]:
    for row in range(panels[-1].row + 1):
        yield row, [panel for panel in panels if panel.row == row]


def _common_height(row: list[_Panel]) -> float:
    """Height in mm of a row's frames: that of the smallest square one, which cannot grow, or of the tallest."""
    square = [p.frame[1] for p in row if p.frame and isinstance(p.settings, SquareOptions)]
    return min(square) if square else max((p.frame[1] for p in row if p.frame), default=0.0)


def _frame_top(panels: list[_Panel], row: int) -> float:
    """Distance in mm from a row's upper edge to its frames: that of the panel with most above its frame."""
    return max((p.frame[0] for p in panels if p.row == row and p.frame), default=0.0)


def _stacked(panels: list[_Panel], top: float) -> tuple[list[float], float]:
    """Tops of the rows in mm, and the height of the page."""
    tops = []
    for row, those in _by_row(panels):
        tops.append(top)
        drops = (_frame_top(panels, row) - p.frame[0] if p.frame else 0.0 for p in those)
        top += max(p.height + drop for p, drop in zip(those, drops, strict=True)) + UNDER
    return tops, top - UNDER
