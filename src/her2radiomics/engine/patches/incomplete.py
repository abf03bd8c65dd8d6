"""Results are marked as incomplete before Snakemake decides what is to be made, whatever keeps its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from snakemake.io import IOFile

from her2radiomics.core.errors import StudyError
from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/pull/4012",
    """\
A Snakefile cannot mark a result as incomplete.

A workflow that keeps checksums of its results finds, while the Snakefile is read, that a file was cut or edited. It wants
Snakemake to make the file again, as if its job had been interrupted. `workflow.persistence` has all that is needed
(`started`), but is None until the DAG is prepared, when the Snakefile has been read; `onstart` comes after the DAG. A
`FilePersistence` of one's own marks the file where nobody looks once `--persistence-backend db` is chosen.

Expected: `workflow.persistence` exists before the Snakefile is read, or there is a hook between `_prepare_dag` and
`_build_dag`, or a function to mark files, such as the opposite of `--cleanup-metadata`.
""",
)


def mark(workflow: Any, paths: Sequence[str]) -> None:
    """Let Snakemake take results for incomplete: it makes them again (``rerun-incomplete``), and a dry run shows that.

    Where the marks are kept (files or a database) is known once Snakemake prepares its graph of jobs, after the
    Snakefile is read; they are made then.

    Parameters
    ----------
    workflow
        Snakemake's workflow, while the Snakefile is read.
    paths
        Results that are there.

    Raises
    ------
    StudyError
        This Snakemake prepares its jobs in another way.
    """
    if not paths:
        return
    prepare = getattr(workflow, "_prepare_dag", None)
    if prepare is None:
        raise StudyError(
            f"results were changed since their jobs made them ({', '.join(paths[:3])} …): found a Snakemake in which they "
            f"cannot be marked; expected snakemake{ABOUT.versions}. Install the locked version (make setup), or delete "
            "these files."
        )

    def prepare_and_mark(*given: Any, **named: Any) -> None:
        prepare(*given, **named)
        workflow.persistence.started(SimpleNamespace(output=[IOFile(path) for path in paths]))

    workflow._prepare_dag = prepare_and_mark
