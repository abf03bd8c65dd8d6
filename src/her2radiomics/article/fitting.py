"""Tables that are a little wider than an upright page are set in smaller type, so that few pages are turned."""

from __future__ import annotations

from typing import Any

from her2radiomics.manuscript.tables.word_parts import element, qualified

#: Half points of the smaller type, and how much narrower columns may become with it (10 pt to 8 pt, and some air).
_SMALL, _NARROWER = 16, 0.7


def fit(table: Any, room: int) -> bool:
    """Whether a table fits an upright page; one that is a little too wide is made smaller.

    Parameters
    ----------
    table
        The table's element.
    room
        Width of the text in twentieths of a point.
    """
    columns = list(table.iter(qualified("w:gridCol")))
    width = sum(int(column.get(qualified("w:w"))) for column in columns)
    share = room / width
    if share >= 1:
        return True
    if share < _NARROWER:
        return False
    sizes = [*columns, *table.iter(qualified("w:tcW"))]
    for sized, name in [
        *((part, "w:w") for part in sizes),
        *((tab, "w:pos") for tab in table.iter(qualified("w:tab"))),
    ]:
        if sized.get(qualified(name)) is not None:
            sized.set(qualified(name), str(round(int(sized.get(qualified(name))) * share)))
    for paragraph in table.iter(qualified("w:p")):  # of empty cells too, which would keep their rows tall
        paragraph.get_or_add_pPr().append(element("w:rPr", element("w:sz", val=_SMALL)))
    for run in table.iter(qualified("w:r")):
        properties, size = run.get_or_add_rPr(), element("w:sz", val=_SMALL)
        raised = properties.find(qualified("w:vertAlign"))
        properties.append(size) if raised is None else raised.addprevious(size)
    return True
