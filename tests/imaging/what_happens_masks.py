"""What happens when a mask differs from a right one by one thing: every kind and what comes of it.

The makers of the files (``kinds_of_label_maps.py``, ``kinds_of_segmentations.py``) fill the one list; the tests read it, and
``docs/what_happens_when.md`` prints it. After a change:

    .venv/bin/python tests/imaging/what_happens_masks.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import kinds_of_label_maps
import kinds_of_segmentations
from mask_kinds import FORMS, KINDS, REFUSED, SAME, WARNED

MAKERS = (kinds_of_label_maps, kinds_of_segmentations)
PAGE = Path(__file__).parents[2] / "docs" / "what_happens_when.md"
START = "<!-- masks: made by `python tests/imaging/what_happens_masks.py` -->\n"
END = "<!-- end of masks -->\n"


def section() -> str:
    """The section of the page."""
    lines = [
        "## Masks\n",
        "A mask that differs from a right one by one thing. What is refused costs its reading and says what to do; a "
        "warning is in `qc.csv` and on the page of quality control. Each line is a test: "
        "[tests/imaging](../tests/imaging/what_happens_masks.py) makes the files.\n",
    ]
    for form in FORMS:
        lines += [f"### {form[0].upper()}{form[1:]}\n", "| the mask has | and then | the words |\n|---|---|---|"]
        kinds = [each for each in KINDS if each.form == form]
        for each in sorted(kinds, key=lambda each: [SAME, WARNED, REFUSED].index(each.outcome)):
            lines.append(f"| {each.what} | {each.outcome} | {each.words and f'*… {each.words} …*'} |")
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with this section made anew."""
    before, rest = text.split(START)
    return f"{before}{START}\n{section()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
