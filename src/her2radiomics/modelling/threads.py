"""Linear algebra on one thread: the last bit of a sum must not depend on the machine's cores."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from her2radiomics.core.libraries import threadpoolctl

#: Limits of this process, the outermost block's, and how many modules were loaded when the libraries were last looked up.
_limits: list[ExitStack] = []
_loaded = [0]


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block BLAS and OpenMP run on one thread.

    A block within another looks the libraries up again only where a module was imported since: that takes milliseconds, and
    thousands of refits follow one another.
    """
    with ExitStack() as stack:
        if not _limits:
            _limits.append(stack)
            stack.callback(_limits.clear)
            _loaded[0] = 0
        if len(sys.modules) != _loaded[0]:
            _limits[0].enter_context(threadpoolctl.threadpool_limits(limits=1))
            _loaded[0] = len(sys.modules)
        yield
