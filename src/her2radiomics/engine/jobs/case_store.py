"""Finished cases kept by what they were made from, so that no case is ever extracted twice.

A job extracts several patients, and the workflow engine deletes a job's outputs before it runs again: one replaced mask,
one added patient, or a job killed half way would cost the whole batch. So each finished case is also kept in a folder
named by a hash of all that decides about it. The store may be deleted at any time; nothing but time is lost.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from her2radiomics.core import software
from her2radiomics.core.files import file_hash, own_mark, room_for

#: Another number when what a finished case's folder holds is another.
CASE_FORMAT = 5
#: The modules that decide a value or a picture; a test compares them with those that a case imports.
COMPUTING = {
    "core": "seeds",
    "imaging": "boxes checks diffusion extent fields formats kinetics labels perturbation perturbation_settings placing "
    "planes preprocessing preprocessing_settings reading regions segmentations threads",
    "extraction": "case classes engine filters firstorder laplacian loading measuring neighbours options outlines overlay "
    "parameters perturbing plausibility quality regions regridding shape texture",
}
#: Lists a case's files and their hashes, so that one that was cut or edited in the store is computed again.
CONTENTS = ".sha256"


def case_key(files: Iterable[str | Path], settings: Mapping[str, Any]) -> str:
    """Hash (40 hexadecimal digits) of everything that a case depends on.

    Parameters
    ----------
    files
        Images, masks and parameter files; of a folder the files in it count, of a path that is not there its name.
    settings
        Manifest rows, regions and whatever else decides about the result, as plain data.
    """
    return content_key(files, settings, _code())


def content_key(files: Iterable[str | Path], settings: Mapping[str, Any], code: str) -> str:
    """Hash (40 hexadecimal digits) of files, settings and of the code that makes something from them."""
    digest = sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(code.encode())
    for path in map(Path, files):
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            digest.update(f"\0{file}\0".encode())
            digest.update(_content(file))
    return digest.hexdigest()[:40]


def _content(file: Path) -> bytes:
    """Hash of a file's bytes; of nothing where it cannot be read (the extraction then says why)."""
    if file.exists() and not file.is_file():  # a pipe or device has no end
        return sha256().digest()
    try:
        return bytes.fromhex(file_hash(file))
    except OSError as error:
        return sha256(type(error).__name__.encode()).digest()


def computing_files() -> list[Path]:
    """Files of the modules that decide a value or a picture."""
    root = Path(__file__).parents[2]
    places = [root / package / name for package, names in COMPUTING.items() for name in names.split()]
    found = [sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")] for place in places]
    return [file for files in found for file in files]


@cache
def _code() -> str:
    """Hash of the format, the modules that make a case, and the versions of what they call."""
    digest = sha256(f"{CASE_FORMAT}\n".encode())
    for path in computing_files():
        digest.update(path.read_bytes())
    for name, version in software.versions("extraction", "overlays").items():
        if name != "her2radiomics":  # whose modules are hashed above
            digest.update(f"{name} {version}\n".encode())
    return digest.hexdigest()


class CaseStore:
    """Folders of finished cases below a folder, which is made when the first case is."""

    def __init__(self, folder: str | Path) -> None:
        """Keep the folder."""
        self.folder = Path(folder)

    def find(self, key: str) -> Path | None:
        """The folder of the case with this key, or ``None``; what was cut or edited there is removed."""
        found = self.folder / key
        if not found.is_dir():
            return None
        try:
            listed = (found / CONTENTS).read_text(encoding="utf-8")
            if listed == _listing(found):
                return found
        except OSError:
            pass
        shutil.rmtree(found, ignore_errors=True)
        return None

    def scratch(self, key: str) -> Path:
        """An empty folder to write the case's files into, seen by nobody until :meth:`keep`."""
        made = self.folder / f"{own_mark()}{key}"
        shutil.rmtree(made, ignore_errors=True)
        with room_for(made):
            made.mkdir(parents=True)
        return made

    def keep(self, scratch: Path, key: str) -> Path:
        """Move a finished case to its place in one step; a case that another job kept first stays."""
        place = self.folder / key
        with room_for(place):
            (scratch / CONTENTS).write_text(_listing(scratch), encoding="utf-8")
        try:
            scratch.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            shutil.rmtree(scratch)
        return place


def _listing(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.name != CONTENTS)
    return "".join(f"{file_hash(file)}  {file.name}\n" for file in files)
