"""What an import writes, and what it says: nothing is overwritten that differs, unless the user asks for it."""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import own_mark, room_for


@dataclass
class Outcome:
    """What an import did.

    Attributes
    ----------
    said
        Sentences on what was found and done.
    refused
        Patients, series or masks that could not be used, each with the reason.
    next
        What to do next, as one sentence with the command.
    """

    said: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    next: str = ""


@dataclass
class Target:
    """The folder that is written to.

    Attributes
    ----------
    folder
        All paths are relative to it.
    force
        Whether a file that is there with another content is replaced.
    dry_run
        Whether nothing is written, and only said what would be.
    project
        Folder of the project, into whose cohort files new ones go; into ``folder`` without it.
    written, unchanged
        Paths of files that were (or would be) written, and of those that were there already with the same content.
    """

    folder: Path
    force: bool = False
    dry_run: bool = False
    project: Path | None = None
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def put(self, name: str, write: Callable[[Path], object], *, update: bool = False) -> None:
        """Write a file by a function of its path, whole or not at all; ``update`` replaces what an import wrote.

        Raises
        ------
        StudyError
            The file is there with another content, and neither ``update`` nor ``force`` is given.
        """
        path = self.folder / name
        if self.dry_run:
            self.written.append(name)
            return
        temporary = path.with_name(f"{own_mark()}{path.name}")
        try:
            with room_for(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                write(temporary)
                if path.is_file() and filecmp.cmp(temporary, path, shallow=False):
                    self.unchanged.append(name)
                    return
                if path.exists() and not (self.force or update):
                    raise would_overwrite(path)
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self.written.append(name)

    def text(self, name: str, content: str, *, update: bool = False) -> None:
        """Write a text file, as :meth:`put`."""
        self.put(name, lambda path: path.write_text(content, encoding="utf-8", newline="\n"), update=update)

    def refuse_existing(self, *names: str) -> None:
        """Refuse files that are there, before any work is done for them.

        Raises
        ------
        StudyError
            One is there, and ``force`` is not given.
        """
        for name in names:
            if (self.folder / name).exists() and not self.force:
                raise would_overwrite(self.folder / name)

    def in_words(self) -> list[str]:
        """How many files were written, how many stayed, and where; files are listed where nothing is written."""
        verb = "would write" if self.dry_run else "wrote"
        said = [f"{verb} {len(self.written)} file{'s' * (len(self.written) != 1)} into {self.folder}"]
        if self.dry_run:
            said += [f"  {name}" for name in self.written]
        if self.unchanged:
            said.append(f"{len(self.unchanged)} files are there already with the same content")
        return said


def would_overwrite(path: Path) -> StudyError:
    """The error of a file that is there already."""
    return StudyError(
        f"{path}: found a file of this name with another content; expected none. Move it away, or replace it with --force."
    )
