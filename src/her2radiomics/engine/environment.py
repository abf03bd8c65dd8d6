"""What the workflow leaves in the environment of its jobs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def prepare(source: Path, *, cores: int | None) -> None:
    """Set the variables that every job inherits.

    Parameters
    ----------
    source
        Folder of the library: jobs in an environment of their own find it by ``PYTHONPATH``.
    cores
        Cores that the workflow was given, for the record of what made a run. Neither this nor the command line is a
        parameter of a job, since another number of cores changes no result.
    """
    path = [str(source), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    # one thread a job: the same bytes for any number of cores, and no two jobs in each other's way
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ.setdefault("HER2RADIOMICS_COMMAND", " ".join(sys.argv))
    os.environ.setdefault("HER2RADIOMICS_CORES", str(cores or ""))
