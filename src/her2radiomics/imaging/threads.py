"""One ITK thread: jobs run side by side, and nothing may depend on how many cores there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from her2radiomics.core.libraries import sitk


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block every ITK filter runs on one thread."""
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
