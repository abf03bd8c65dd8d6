"""What happens when a table differs from a right one by one thing: every kind and what comes of it.

The makers of the tables (``kinds_of_files.py``, ``kinds_of_patients.py``, ``kinds_of_predictions.py``) fill the one list;
the tests read it, and ``docs/what_happens_when.md`` prints it. After a change:

    .venv/bin/python tests/cohort/what_happens_tables.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import kinds_of_files
import kinds_of_patients
import kinds_of_predictions
from table_kinds import FORMS, KINDS, LEAVE, REFUSED, SAID, SAME

MAKERS = (kinds_of_files, kinds_of_patients, kinds_of_predictions)
PAGE = Path(__file__).parents[2] / "docs" / "what_happens_when.md"
START = "<!-- tables: made by `python tests/cohort/what_happens_tables.py` -->\n"
END = "<!-- end of tables -->\n"


def section() -> str:
    """The section of the page."""
    lines = [
        "## Tables\n",
        "A table that differs from a right one by one thing: participants, brought features, manifest, prediction. What is "
        "refused names the file, the row as a spreadsheet numbers it, the patient, the column and what to do, all mistakes "
        "at once; what is said is said at planning and in the report. Each line is a test: "
        "[tests/cohort](../tests/cohort/what_happens_tables.py) makes the files.\n",
    ]
    for form in FORMS:
        lines += [f"### {form[0].upper()}{form[1:]}\n", "| the table has | and then | the words |\n|---|---|---|"]
        kinds = [each for each in KINDS if each.form == form]
        for each in sorted(kinds, key=lambda each: [SAME, SAID, LEAVE, REFUSED].index(each.outcome)):
            words = each.words.replace("|", "\\|")
            lines.append(f"| {each.what} | {each.outcome} | {words and f'*… {words} …*'} |")
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with this section made anew."""
    if START not in text:
        return f"{text.rstrip()}\n\n{START}\n{section()}\n{END}"
    before, rest = text.split(START)
    return f"{before}{START}\n{section()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
