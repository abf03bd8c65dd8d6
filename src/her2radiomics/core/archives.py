"""Several files as one ZIP, with the same bytes for the same files: sorted names, no time, no owner."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import whole_file

#: The first time that a ZIP can hold; what the bytes are has no part in when they were written.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
#: Compressed already: packed once more they would hardly be smaller.
_PACKED = frozenset({".png", ".docx", ".webp", ".tiff"})


def write_zip(files: Iterable[str | Path], target: str | Path, folder: str) -> None:
    """Pack files under their own names below ``folder``.

    Parameters
    ----------
    files
        Files to pack; their order makes no difference.
    target
        The archive; it is whole or not there.
    folder
        The folder that unpacking makes.

    Raises
    ------
    StudyError
        A file is missing, or two have one name.
    """
    named: dict[str, Path] = {}
    for path in map(Path, files):
        if path.name in named:
            raise StudyError(
                f"{target}: found two files named {path.name}; expected different names. Rename one of them."
            )
        if not path.is_file():
            raise StudyError(f"{path}: no such file; expected it, to pack it into {target}. Make it again.")
        named[path.name] = path
    with whole_file(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, path in sorted(named.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", date_time=ZIP_TIME)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=6)
