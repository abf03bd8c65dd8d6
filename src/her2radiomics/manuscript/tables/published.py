"""What the paper prints beside what the run gives, a section a place in the paper."""

from __future__ import annotations

from typing import Literal

from her2radiomics.core.tables import read
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table

HEADINGS = (
    Heading("model", "Model"),
    Heading("partition", "Set"),
    Heading("published", "Published"),
    Heading("reproduced", "This run"),
    Heading("agreement", "Agreement"),
)


class PublishedNumbersTable(TableOptions):
    """What the paper prints beside what the run gives, by the place in the paper."""

    kind: Literal["published"]


@table(
    PublishedNumbersTable,
    needs=("published",),
    example="""
        table_s7_published: {kind: published, title: Printed numbers beside those of this run}
    """,
)
def make(inputs: TableInputs, options: PublishedNumbersTable) -> Table:
    """Print ``published.csv``; agreement is that of the file, and the rules are named below."""
    numbers = read("published", inputs.file("published"))
    rows = Rows()
    for place, group in numbers.groupby("place", sort=False):
        rows.add(str(place), section=True)
        for _, row in group.iterrows():
            models = map(inputs.names.model, row["model"].split(" vs "))
            text = ", ".join(filter(None, (row["label"], row["item"])))
            cells = {
                "quantity": text,
                "place": str(place),
                "model": " vs ".join(models),
                "partition": inputs.names.group(row["partition"]),
                "published": row["published_text"],
                "reproduced": row["reproduced_text"] or "–",
                "agreement": row["agreement"],
            }
            rows.add(text, 1, cells=cells)
    if not rows.labels:
        rows.add("The paper prints nothing that is compared", cells={})
    used = numbers[numbers["agreement"] != "not made in this run"]
    rules = [f"{rule[0].upper()}{rule[1:]}." for rule in dict.fromkeys(used["rule"])]
    notes = ["Agreement is judged by rules. " + " ".join(rules)] if rules else []
    return options.table(inputs, rows, "Quantity", HEADINGS, notes, first=["quantity", "place"])
