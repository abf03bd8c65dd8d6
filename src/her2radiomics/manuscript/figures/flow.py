"""Recruitment flow: registered, excluded with reasons, not analysable, partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.boxes import Box, Paragraph, arrow, draw_box, height_of, page
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.labels import predictor_label
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = ("registered", "excluded", "failed", "partition")
GAP = 5.0  # mm between one box and the next


class FlowOptions(FigureOptions):
    """Patients registered, excluded with reasons and analysed, by partition."""

    kind: Literal["flow"]
    registered: str = Field("Patients assessed for eligibility", description="Text of the first box.")
    inclusion: bool = Field(True, description="List the protocol's inclusion criteria in the first box.")
    excluded: str = Field("Excluded", description="Heading of the box of exclusions.")
    failed: str = Field("Not analysable", description="Heading of the box of failures.")
    included: str = Field("Patients analysed", description="Text of the box before the partitions.")
    model: str | None = Field(
        None, description="Model whose patients without a prediction are counted in each partition's box."
    )

    def needs(self) -> tuple[str, ...]:
        """Predictions only where a model is named."""
        return super().needs() if self.model else ("flow",)


@figure(
    FlowOptions,
    needs=("flow", "not_predicted"),
    caption="Patients registered, excluded with reason, and included, by set.",
    example="figure_1_flow: {kind: flow, title: Recruitment flow}",
)
def draw(inputs: FigureInputs, options: FlowOptions) -> Drawing:
    """Draw ``flow.csv`` as a CONSORT-like diagram."""
    table = inputs.table("flow")
    _check(table, inputs)
    rows = {step: table[table["step"] == step] for step in STEPS}
    width = options.width_mm
    trunk = min(0.46 * width, 62.0)
    beside = width / 2 - trunk / 2 - 7.0  # room beside a trunk in the middle of the page
    side = beside if beside >= 40.0 else width - trunk - 9.0
    left = (width - trunk) / 2 if beside >= 40.0 else 2.0
    partitions = rows["partition"]
    analysed, events = int(partitions["remaining"].sum()), partitions["events"].sum(min_count=len(partitions))

    losses = [(options.excluded, rows["excluded"]), (options.failed, rows["failed"])]
    boxes = [_losses(heading, part) for heading, part in losses if part["excluded"].sum() > 0]
    registered = _n(rows["registered"]["remaining"].iloc[0])
    first = [Paragraph(f"{options.registered} {registered}", size=style.base())]
    if options.inclusion:
        first += [Paragraph(criterion, bullet=True) for criterion in inputs.study.inclusion]
    last = [Paragraph(f"{options.included} {_n(analysed)}", size=style.base())]
    last += _outcomes(analysed, events, inputs)
    missed = _not_predicted(inputs, options.model)
    ends = [_partition(row, inputs, missed) for _, row in partitions.iterrows()]
    each = min((width - 4.0 - GAP * (len(partitions) - 1)) / max(len(partitions), 1), 62.0)
    stacked = each < style.mm(34.0)  # too narrow for their text: one below the other
    if stacked:
        each = min(width - left - 4.0 - 2 * GAP, 90.0)
        room = sum(height_of(end, each) + GAP for end in ends) - 2 * GAP
    else:
        room = tall_ends = max(height_of(end, each) for end in ends)
    lost = sum(height_of(box, side) + GAP for box in boxes)
    total = style.head() + height_of(first, trunk) + lost + height_of(last, trunk) + 3 * GAP + room + 2.0
    fig = style.new_figure(width, total)
    axes = page(fig)
    box = draw_box(axes, left, style.head(), trunk, first, centre=len(first) == 1)
    x, y = box.bottom
    start = (x, y)
    for paragraphs in boxes:
        loss = draw_box(axes, left + trunk + 5.0, y + GAP / 2, side, paragraphs, face=style.WASH)
        middle = loss.y + loss.height / 2
        arrow(axes, (x, middle), (loss.x, middle))
        y += loss.height + GAP
    end = draw_box(axes, left, y + GAP, trunk, last, centre=True)
    arrow(axes, start, end.top)
    if stacked:
        x, y = left + GAP, end.bottom[1] + GAP
        for paragraphs in ends:
            box = draw_box(axes, left + 2 * GAP, y, each, paragraphs)
            middle = box.y + box.height / 2
            arrow(axes, (x, end.bottom[1]), (x, middle), (box.x, middle))
            y += box.height + GAP
    else:
        _side_by_side(axes, end, ends, each, tall_ends, width)
    return Drawing(fig, table)


def _side_by_side(axes: Axes, end: Box, ends: list[list[Paragraph]], each: float, tall: float, width: float) -> None:
    """The partitions' boxes in a row under the box of all who were analysed."""
    row_width = each * len(ends) + GAP * (len(ends) - 1)
    from_left = min(max(end.bottom[0] - row_width / 2, 2.0), width - 2.0 - row_width)
    fork = end.bottom[1] + GAP
    for place, paragraphs in enumerate(ends):
        spot = from_left + place * (each + GAP)
        middle = spot + each / 2
        if abs(middle - end.bottom[0]) < 1.0:  # no jog of a hair's breadth
            middle = end.bottom[0]
        arrow(axes, end.bottom, (end.bottom[0], fork), (middle, fork), (middle, fork + GAP))
        draw_box(axes, spot, fork + GAP, each, paragraphs, height=tall, centre=True)


def _check(table: pd.DataFrame, inputs: FigureInputs) -> None:
    """Refuse a flow that does not add up: such a figure would be wrong in print."""

    def refuse(found: str, expected: str, column: str) -> None:
        raise TableError(
            file=inputs.path("flow"),
            column=column,
            found=found,
            expected=expected,
            remedy="Run the step that writes the flow again.",
        )

    unknown = sorted(set(table["step"]) - set(STEPS))
    if unknown:
        refuse(f"the step '{unknown[0]}'", f"one of {', '.join(STEPS)}", "step")
    counts = table["step"].value_counts()
    if counts.get("registered", 0) != 1 or counts.get("partition", 0) < 1:
        refuse("no single row 'registered', or no row 'partition'", "one 'registered' and a row per partition", "step")
    left = int(table.loc[table["step"] == "registered", "remaining"].iloc[0])
    for _, row in table[table["step"].isin(["excluded", "failed"])].iterrows():
        left -= int(row["excluded"])
        if left != int(row["remaining"]):
            refuse(f"{int(row['remaining'])} remaining after '{row['reason']}'", f"{left}", "remaining")
    analysed = int(table.loc[table["step"] == "partition", "remaining"].sum())
    if analysed != left:
        refuse(f"partitions of {analysed} patients together", f"the {left} who remain", "remaining")


def _n(count: float) -> str:
    return style.keep(f"(n = {int(count)})")


def _losses(heading: str, rows: pd.DataFrame) -> list[Paragraph]:
    rows = rows[rows["excluded"] > 0]
    total = int(rows["excluded"].sum())
    reasons = [Paragraph(f"{r['reason']} {_n(r['excluded'])}", bullet=True) for _, r in rows.iterrows()]
    return [Paragraph(f"{heading} {_n(total)}", bold=True), *reasons]


def _not_predicted(inputs: FigureInputs, model: str | None) -> dict[str, str]:
    """Partition to the number of patients whom the model could not predict, with the columns that kept it from it."""
    if model is None:
        return {}
    table = inputs.table("not_predicted", model)
    names = {
        part: ", ".join(dict.fromkeys(predictor_label(c, inputs.study) for c in rows["column"]))
        for part, rows in table.groupby("partition")
    }
    counts = table.groupby("partition")["patient_id"].nunique()
    label = inputs.study.models.get(model, model)
    return {str(part): f"Not predicted by {label}: {count} ({names[part]})" for part, count in counts.items()}


def _outcomes(n: int, events: float, inputs: FigureInputs) -> list[Paragraph]:
    if events != events:  # not given
        return []
    study = inputs.study
    sides = ((study.positive, int(events)), (study.negative, n - int(events)))
    return [Paragraph(style.keep(f"{name}: {count}")) for name, count in sides]


def _partition(row: pd.Series, inputs: FigureInputs, missed: dict[str, str]) -> list[Paragraph]:
    study, n = inputs.study, int(row["remaining"])
    name = study.partitions.get(row["partition"], row["partition"])
    note = study.partition_notes.get(row["partition"], "")
    head = [Paragraph(name, bold=True, size=style.base()), Paragraph(f"n = {n}", bold=True, size=style.base())]
    last = [Paragraph(missed[row["partition"]])] if row["partition"] in missed else []
    return [*head, *([Paragraph(note)] if note else []), *_outcomes(n, row["events"], inputs), *last]
