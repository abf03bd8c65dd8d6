"""A limit on the memory of a job, so that one enormous image costs one case and not the machine."""

from __future__ import annotations

import re

try:
    import resource
except ImportError:  # no such limits on this system
    resource = None  # type: ignore[assignment]

# What C++, ITK, numpy and NRRD say when they get no memory; by the time an error arrives here it may be text in another's.
# The NIfTI library says no more than that it failed: under a limit, and once a file's length was checked, that is memory.
_SAID = re.compile(
    r"bad_alloc|alloc\w* (?:memory|failed)|(?:fail\w*|unable|could ?n[o']t) (?:to )?alloc|"
    r"Memory\w*Error|nifti_image_load failed",
    re.IGNORECASE,
)
_limit_mb: int | None = None


class OutOfMemory(BaseException):
    """The job's memory is used up: like KeyboardInterrupt no fault of what was going on, and for no handler of those."""


def limit_memory(megabytes: int) -> bool:
    """Refuse this process more than so many MB (10⁶ bytes) of data; whether the system can.

    The kernel then answers a request for memory with an error, rather than killing the process or its neighbours.
    """
    global _limit_mb
    if resource is None or megabytes <= 0:
        return False
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * 10**6
    try:
        resource.setrlimit(
            resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    except (OSError, ValueError):
        return False
    _limit_mb = megabytes
    return True


def raise_if_out(error: BaseException) -> None:
    """Raise :class:`OutOfMemory` when an error is, or was caused by, a refusal of memory under a limit set here.

    Without a limit nothing is raised: then it is the machine's memory, or a header that promises too much.
    """
    if _limit_mb is None:
        return
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or _SAID.search(f"{type(cause).__name__}: {cause}"):
            raise OutOfMemory(f"more memory than {_limit_mb} MB") from error
        cause = cause.__cause__ or cause.__context__
