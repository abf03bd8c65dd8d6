"""Quality control without any file's name: in a cohort of study numbers a path may hold what the number hides."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.errors import CaseError

if TYPE_CHECKING:
    from her2radiomics.extraction.case import CaseResult

#: Fields of a quality-control row that may name a file.
TEXTS = ("image", "mask", "reason")
HIDDEN = "…"
# a folder called 'images' tells nothing
_PLAIN = re.compile(r"[a-z]+|.{1,2}")


def without_files(result: CaseResult, names: Mapping[str, str], root: str | Path) -> None:
    """Replace the paths in a case's quality control and problems by what they are.

    Parameters
    ----------
    result
        The case; changed in place.
    names
        Path to what is printed instead (``P017 T2FS image``).
    root
        Folder of the data set, which the texts already lack.
    """
    hide = _Hider(names, root)
    for row in result.qc:
        row.update({name: hide(row[name]) for name in TEXTS})
    if result.case is not None:
        result.case.problems = {name: hide.error(error) for name, error in result.case.problems.items()}


class _Hider:
    """Paths, longest first, then the single names they are made of, for texts that hold a part of a path."""

    def __init__(self, names: Mapping[str, str], root: str | Path) -> None:
        folder = str(root).rstrip(os.sep) + os.sep
        whole: dict[str, str] = {}
        parts: set[str] = set()
        for path, name in names.items():
            short = path.removeprefix(folder)
            whole |= {path: name, os.path.realpath(path): name, short: name, Path(path).name: name}
            for part in Path(short).parts:
                parts |= {part, part.split(".")[0]}
        self.whole = sorted(whole.items(), key=lambda item: (-len(item[0]), item[0]))
        said = {word for name in names.values() for word in name.split()}
        single = sorted((p for p in parts - said if not _PLAIN.fullmatch(p)), key=lambda p: (-len(p), p))
        self.parts = (
            re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, single))})[\w.-]*") if single else None
        )

    def __call__(self, text: str) -> str:
        for path, name in self.whole:
            text = text.replace(path, name)
        return self.parts.sub(HIDDEN, text) if self.parts else text

    def error(self, error: CaseError) -> CaseError:
        shown = {name: self(getattr(error, name)) for name in ("found", "expected", "remedy", "file")}
        where = {name: getattr(error, name) for name in ("patient", "sequence", "reader", "region")}
        return CaseError(**shown, **where)
