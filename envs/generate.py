"""Write the conda environment file from the one lock file; ``--check`` only compares.

The pins stay those of ``requirements.lock``: conda gives the interpreter and the compiler, pip the packages.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
TARGET = ROOT / "envs" / "study.yaml"
PIN = re.compile(r"^(?P<pin>[A-Za-z0-9._-]+==[^ \\;]+)(?P<marker> *;[^\\]*)?")


def pins(lock: str) -> list[str]:
    """Return ``name==version ; marker`` for each package of a lock file, in its order."""
    found = []
    for line in lock.splitlines():
        match = PIN.match(line)
        if match:
            marker = (match["marker"] or "").strip(" ;")
            found.append(match["pin"] + (f" ; {marker}" if marker else ""))
    return found


def environment(lock: str) -> str:
    """Return the text of the conda environment file."""
    lines = [
        "# Made from requirements.lock by envs/generate.py: do not edit.",
        "name: her2radiomics",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        "  - python =3.11",
        "  - pip",
        "  - c-compiler # PyRadiomics compiles its matrices",
        "  - pip:",
    ]
    quoted = ["      - " + (f'"{pin}"' if ";" in pin else pin) for pin in pins(lock)]
    return "\n".join([*lines, *quoted]) + "\n"


def main() -> int:
    """Write the file, or compare it with ``--check``."""
    text = environment(LOCK.read_text(encoding="utf-8"))
    if "--check" in sys.argv[1:]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("envs/study.yaml differs from requirements.lock: run 'make envs'.", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
