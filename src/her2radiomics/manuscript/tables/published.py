"""What the paper prints beside what the run gives, a section a place in the paper."""

from __future__ import annotations

from her2radiomics.core.tables import read
from her2radiomics.manuscript.published.settings import quantities
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import PublishedNumbersTable

HEADINGS = (
    Heading("model", "Model"),
    Heading("partition", "Partition"),
    Heading("published", "Published"),
    Heading("reproduced", "This run"),
    Heading("agreement", "Agreement"),
)


@table("published", needs=("published",))
def make(inputs: TableInputs, options: PublishedNumbersTable) -> Table:
    """Print ``published.csv``; agreement is that of the file, and the rules are named below."""
    numbers, kinds = read("published", inputs.file("published")), quantities()
    rows = Rows()
    for place, group in numbers.groupby("place", sort=False):
        rows.add(str(place), section=True)
        for _, row in group.iterrows():
            kind = kinds.get(row["quantity"])
            label = kind.label if kind else row["quantity"].replace("_", " ")
            models = [inputs.models.get(name, name) for name in row["model"].split(" vs ")]
            text = f"{label}, {row['item']}" if row["item"] else label
            cells = {
                "quantity": text,
                "place": str(place),
                "model": " vs ".join(models),
                "partition": inputs.partitions.get(row["partition"], row["partition"]),
                "published": row["published_text"],
                "reproduced": row["reproduced_text"] or "–",
                "agreement": row["agreement"],
            }
            rows.add(text, 1, cells=cells)
    if not rows.labels:
        rows.add("The paper prints nothing that is compared", cells={})
    used = numbers[numbers["agreement"] != "not made in this run"]
    rules = [f"{rule[0].upper()}{rule[1:]}." for rule in dict.fromkeys(used["rule"])]
    return Table(
        title=options.title,
        data=rows.frame(["quantity", "place", *(heading.key for heading in HEADINGS)]),
        stub="Quantity",
        labels=tuple(rows.labels),
        headings=HEADINGS,
        footnotes=(
            *(["Agreement is judged by rules. " + " ".join(rules)] if rules else []),
            *options.footnotes,
        ),
        simulated=inputs.simulated,
    )
