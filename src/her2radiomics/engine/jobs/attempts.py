"""One case that needs too much memory, or crashes a library, costs that case: retried with more, then set aside by name.

A job of several cases has some attempts, each with more memory than the one before. At the first all cases are computed in
the job's own process, which costs nothing. A case that is refused memory there is lost to this attempt alone: the others
are finished and kept, then the job fails and names it. When the process itself dies (killed by the kernel, or by an error
in compiled code), nobody can say which case did it; so at later attempts each case, and only those that are not in the store
yet, runs in a separate process. What the last attempt cannot do either is recorded as failed, with the reason.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import room_for
from her2radiomics.core.memory import OutOfMemory, limit_memory

#: Memory (MB) of a job that is not its cases': the workflow engine's own process on a cluster's node.
MARGIN_MB = 200
#: Signals that end a process because of what it did; others come from outside and are nobody's fault.
FATAL = frozenset({"SIGKILL", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL"})
# exit codes of a case's own process
DONE, INCOMPLETE, REFUSED, RAISED = 0, 10, 11, 12


class LostCasesError(StudyError):
    """Some cases of a batch could not be computed at this attempt; the others are kept."""


class LostCase(Exception):
    """One case could not be computed at this attempt; the text says what was found."""


@dataclass(frozen=True)
class Attempt:
    """Which attempt at a job this is (from 1), of how many, and the memory (MB) that the job was given (``None``: all)."""

    number: int = 1
    of: int = 1
    memory_mb: int | None = None

    @property
    def last(self) -> bool:
        """Whether no other attempt follows."""
        return self.number >= self.of

    def begin(self) -> None:
        """Limit this process, and those that it starts, to the memory of the attempt."""
        if self.memory_mb is not None:
            limit_memory(self.memory_mb - MARGIN_MB)

    def run(self, make: Callable[[], bool]) -> bool:
        """Compute one case; whether all of it succeeded.

        Raises
        ------
        LostCase
            The case was refused memory, or its process died.
        """
        try:
            return make() if self.number == 1 else _in_own_process(make)
        except OutOfMemory:
            given = "there is" if self.memory_mb is None else f"{self.memory_mb - MARGIN_MB} MB"
            raise LostCase(f"more memory needed than {given}") from None

    def __str__(self) -> str:
        """In words."""
        return f"attempt {self.number} of {self.of}"


def _in_own_process(make: Callable[[], bool]) -> bool:
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = RAISED
        try:
            with room_for(Path.cwd() / "results"):
                code = DONE if make() else INCOMPLETE
        except OutOfMemory:
            code = REFUSED
        except StudyError as error:  # in words, for the parent to raise
            os.write(writing, f"{error}".encode())
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # nothing of the parent's is to be cleaned up twice
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code in (DONE, INCOMPLETE):
        return code == DONE
    if code == REFUSED:
        raise OutOfMemory
    if said:
        raise StudyError(said)
    if code < 0:
        name = signal.Signals(-code).name
        if name in FATAL:
            hint = ", as the kernel does when memory runs out" if name == "SIGKILL" else ""
            raise LostCase(f"a process that was ended by {name}{hint}")
    raise RuntimeError(f"the process of a case ended with exit code {code}; see above")
