"""Where the frames of markers by group stand, with their groups' names, the legend and the notes, in mm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2radiomics.core.libraries import mpl, pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.boxes import Paragraph, page, text_height, write
from her2radiomics.manuscript.palettes import tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Sheet:
    """Where the frames, their groups' names and the notes stand, in mm."""

    def __init__(
        self,
        names: dict[str, str],
        notes: list[str],
        count: int,
        *,
        width: float,
        tall: float | None,
        across: int | None,
        letters: bool,
    ) -> None:
        """Lay out ``count`` frames, as many side by side as the width and the groups allow where nothing else is said."""
        most = min(count, max(int(width // style.mm(33.0 + 4.0 * max(len(names) - 2, 0))), 1))
        rows = -(-count // (across or most))
        self.across = across or -(-count // rows)
        self.margin = style.mm(14.0)
        self.each = width / self.across
        self.wide = self.each - self.margin - 2.0
        self.tall = tall or min(max(self.wide * 1.3, 35.0), 55.0)
        slot = self.wide / len(names) - 0.8
        wrapped = {key: style.wrap(name, slot, style.small()) for key, name in names.items()}
        fits = all(style.text_width(line, style.small()) <= slot for lines in wrapped.values() for line in lines)
        self.ticks = wrapped if fits else None  # names that are too long go to a legend
        line = style.line_height(style.small())
        lines = max(map(len, wrapped.values())) if fits else 0
        self.gap = style.mm(5.0) if letters else style.mm(3.0)
        self.foot = (lines + 1) * line + style.mm(2.5)
        self.top = style.head() + (style.mm(3.5) if letters else 0.0)
        self.step = self.tall + self.foot + self.gap
        self.under = self.top + rows * self.step - self.gap
        self.notes = [Paragraph(note) for note in notes]
        self.legend = 0.0
        if not fits:
            widest = max(style.text_width(name, style.small()) for name in names.values()) + style.mm(7.0)
            self.ncols = max(1, min(len(names), int((width - 2.0) // widest)))
            self.legend = -(-len(names) // self.ncols) * style.mm(3.7) + 1.5
        self.height = self.under + self.legend + text_height(self.notes, width - 3.0) + 1.5

    def axes(self, fig: Figure, place: int) -> Axes:
        """The frame of the marker at this place."""
        x, y = place % self.across, place // self.across
        return style.place(fig, x * self.each + self.margin, self.top + y * self.step, self.wide, self.tall)

    def name_groups(self, axes: Axes, group: pd.Series, names: dict[str, str]) -> None:
        """Group names, where they fit, and the number of values under each box."""
        counts = [int((group == key).sum()) for key in names]
        slot = self.wide / len(names) - 0.8
        roomy = all(style.text_width(f"n = {count}", style.small()) <= slot for count in counts)
        labels = []
        lines = max(map(len, self.ticks.values())) if self.ticks else 0
        for key, count in zip(names, counts, strict=True):
            said = list(self.ticks[key]) if self.ticks else []
            number = f"n = {count}" if roomy else f"{count}"
            labels.append("\n".join([*said, *[""] * (lines - len(said)), number]))
        if not roomy:  # the letter stands once, left of the numbers
            x, y = -1.0 / self.wide, -(3 * axes.figure.dpi / 72) / axes.bbox.height
            where: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "top"}
            axes.text(x, y, "\n" * lines + "n", fontsize=style.small(), **where)
        axes.set_xticks(range(len(names)), labels=labels)
        axes.tick_params(axis="x", length=0, pad=3)

    def write(self, fig: Figure, names: dict[str, str]) -> None:
        """The legend of groups whose names do not fit under their boxes, and the notes."""
        canvas = page(fig, self.under, self.height - self.under)
        if not self.ticks:
            fills = (tint(style.line_of(key, list(names)).colour, 0.3) for key in names)
            handles = [
                mpl.patches.Patch(facecolor=fill, edgecolor=style.INK, label=name)
                for fill, name in zip(fills, names.values(), strict=True)
            ]
            where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0}
            canvas.legend(handles=handles, ncols=self.ncols, handlelength=1.4, **where)
        write(canvas, 1.5, self.under + self.legend, style.size(fig)[0] - 3.0, self.notes)
