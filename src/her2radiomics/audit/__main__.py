"""Command line: ``python -m her2radiomics.audit my_paper.yaml [--output folder]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.audit.files import write
from her2radiomics.audit.paper import audit, read_audit
from her2radiomics.audit.render import headline
from her2radiomics.core.errors import StudyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit one paper: print the findings, or write them as CSV, HTML and Word; a bad file exits 1 with one error."""
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.audit",
        description="Arithmetic checks on the numbers that a paper prints. No data are needed; see docs/audit.md.",
    )
    parser.add_argument("paper", type=Path, help="audit file (YAML) with the numbers as printed")
    parser.add_argument("--output", type=Path, help="folder for audit.csv, audit.html and audit.docx (default: print)")
    parser.add_argument("--all", action="store_true", help="print what is consistent, too")
    options = parser.parse_args(arguments)

    try:
        paper = read_audit(options.paper)
        rows = audit(paper)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.output is not None:
        for path in write(paper, rows, options.output / "audit"):
            print(path)
    else:
        for row in rows:
            if options.all or row.verdict != "consistent":
                print(f"{row.verdict}: {row.claim} ({row.place})\n  {row.arithmetic}")
    print(f"{headline(rows)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
