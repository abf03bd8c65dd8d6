"""Changing words in an edited Word file, and nothing else: formatting, comments and tracked changes stay."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from her2radiomics.manuscript.tables.word_parts import element, live_texts, qualified, text_of

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def set_text(place: Any, fresh: Sequence[Any]) -> bool:
    """Put the text of fresh runs in the place of an element's; whether that changed it.

    The first run that is not deleted keeps its formatting and its place, also inside a tracked insertion; where the fresh
    text has a superscript, its runs follow with that formatting and their own.
    """
    text = "".join(map(text_of, fresh))
    old = list(live_texts(place))
    if "".join(found.text or "" for found in old) == text:
        return False
    if not old:
        paragraph = place if place.tag == qualified("w:p") else next(place.iter(qualified("w:p")), place)
        paragraph.extend(map(deepcopy, fresh))
        return True
    for found in old:
        found.text = ""
    raised = any(True for made in fresh for _ in made.iter(qualified("w:vertAlign")))
    first, home = old[0], old[0].getparent()
    first.set(_SPACE, "preserve")
    if not raised:
        first.text = text
        return True
    formatting = home.find(qualified("w:rPr"))
    at = home
    for made in fresh:
        more = deepcopy(made)
        if formatting is not None:
            _format(more, formatting)
        at.addnext(more)
        at = more
    bare = {qualified("w:t"), qualified("w:rPr")}
    for emptied in {found.getparent() for found in old}:
        if {part.tag for part in emptied} <= bare:
            emptied.getparent().remove(emptied)
    return True


def _format(made: Any, formatting: Any) -> None:
    """Format a fresh run as another was, but for its own superscript."""
    raised = qualified("w:vertAlign")
    own = made.find(qualified("w:rPr"))
    merged = deepcopy(formatting)
    for part in merged.findall(raised):
        merged.remove(part)
    if own is not None:
        merged.extend(own.findall(raised))
        made.remove(own)
    made.insert(0, merged)


def tagged(control: Any, tag: str) -> None:
    """Give a content control its tag again where a program dropped it."""
    properties = control.find(qualified("w:sdtPr"))
    if properties is not None and properties.find(qualified("w:tag")) is None:
        properties.insert(0, element("w:tag", val=tag))


def filled(control: Any) -> None:
    """A content control is no longer a placeholder."""
    for flag in control.findall(f"{qualified('w:sdtPr')}/{qualified('w:showingPlcHdr')}"):
        flag.getparent().remove(flag)


def move_comments(old: Any, new: Any) -> int:
    """Anchor the comments of an old table at the first cell of the new one; how many there are."""
    anchors = [
        part
        for part in old.iter(
            qualified("w:commentRangeStart"), qualified("w:commentRangeEnd"), qualified("w:commentReference")
        )
    ]
    paragraph = next(new.iter(qualified("w:p")))
    moved = 0
    for anchor in anchors:
        if anchor.tag == qualified("w:commentReference"):
            paragraph.append(element("w:r", deepcopy(anchor)))
            moved += 1
        else:
            paragraph.append(deepcopy(anchor))
    return moved
