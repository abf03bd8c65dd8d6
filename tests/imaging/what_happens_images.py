"""What happens when an image differs from a right one by one thing: every kind and what comes of it.

The makers of the files (``kinds_of_headers.py``, ``kinds_of_dicom.py``) fill the one list; the tests read it, and
``docs/what_happens_when.md`` prints it. After a change:

    .venv/bin/python tests/imaging/what_happens_images.py
"""

from __future__ import annotations

from pathlib import Path

import kinds_of_dicom
import kinds_of_headers
from kinds import KINDS, REFUSED, SAME, WARNED

MAKERS = (kinds_of_headers, kinds_of_dicom)
PAGE = Path(__file__).parents[2] / "docs" / "what_happens_when.md"
START, END = ("<!-- images: made by `python tests/imaging/what_happens_images.py` -->\n", "<!-- end of images -->\n")


def section() -> str:
    """The section of the page."""
    lines = [
        "## Images\n",
        "An image that differs from a right one by one thing. What is refused excludes the patient and says what to do; a "
        "warning is in `qc.csv` and on the page of quality control. Each line is a test: "
        "[tests/imaging](../tests/imaging/what_happens_images.py) makes the files.\n",
    ]
    for form, kinds in KINDS.items():
        lines += [f"### {form}\n", "| the image has | and then | the words |\n|---|---|---|"]
        order = {SAME: 0, WARNED: 1, REFUSED: 2}
        for each in sorted(kinds, key=lambda each: order[each.outcome]):
            lines.append(f"| {each.what} | {each.outcome} | {each.words and f'*… {each.words} …*'} |")
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with this section made anew."""
    before, rest = text.split(START)
    return f"{before}{START}\n{section()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
