"""What the workflow leaves in the environment of its jobs, and what it lets into its own."""

from __future__ import annotations

import importlib.machinery
import os
import site
import sys
from pathlib import Path

from her2radiomics.core.errors import StudyError

HOOKS = "HER2RADIOMICS_HOOKS"


def prepare(source: Path, *, cores: int | None) -> list[str]:
    """Set the variables that every job inherits; packages come from the study's environment alone.

    A cluster's module or a user's own folder may hold other versions of the locked packages. Such folders are taken out of
    the search path of this process, which assigns the partitions, and of the jobs.

    Parameters
    ----------
    source
        Folder of the library: jobs in an environment of their own find it by ``PYTHONPATH``.
    cores
        Cores that the workflow was given, for the record of what made a run. Neither this nor the command line is a
        parameter of a job, since another number of cores changes no result.

    Returns
    -------
    list of str
        Folders that are left out.

    Raises
    ------
    StudyError
        A package was imported from such a folder already.
    """
    foreign = _foreign(source)
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder) not in foreign]
    _refuse_imported(foreign)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(source), *_hooks()])
    os.environ["PYTHONNOUSERSITE"] = "1"
    # one thread a job: the same bytes for any number of cores, and no two jobs in each other's way
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ.setdefault("HER2RADIOMICS_COMMAND", " ".join(sys.argv))
    os.environ.setdefault("HER2RADIOMICS_CORES", str(cores or ""))
    return sorted(foreign)


def _foreign(source: Path) -> set[str]:
    """Folders of ``PYTHONPATH`` and of the user's own packages, but for the library's."""
    named = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    own = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    kept = {os.path.realpath(folder) for folder in (str(source), *_hooks())}
    return {os.path.realpath(folder) for folder in (*named, *own) if Path(folder).is_dir()} - kept


def _hooks() -> list[str]:
    """Folders that stay on the path: what measures or disturbs jobs on purpose."""
    return [folder for folder in os.environ.get(HOOKS, "").split(os.pathsep) if folder]


def _refuse_imported(foreign: set[str]) -> None:
    """Refuse what was imported from a foreign folder, where the environment has a package of that name."""
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or not file:
            continue
        place = os.path.realpath(file)
        folder = next((folder for folder in foreign if place.startswith(folder + os.sep)), "")
        if folder and importlib.machinery.PathFinder.find_spec(name):
            raise StudyError(
                f"PYTHONPATH: found another '{name}' in {folder}, which is found before the study's own; expected only "
                "the locked packages. Unset PYTHONPATH (or unload the module that sets it) and run again."
            )
