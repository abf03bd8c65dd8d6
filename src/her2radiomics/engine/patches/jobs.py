"""The jobs that Snakemake plans: which will run, and which one makes a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.cli import parse_config
from snakemake.iocontainers import Snakemake
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/issues/13",
    """\
The API gives no way to the jobs of a workflow (see also issues 1884 and 2742).

Two uses: (1) `onstart` wants the outputs of the jobs that are about to run, to rename results that were edited by hand;
`workflow.dag.needrun_jobs()` has them and is not documented. (2) Somebody wants to run one job's script in a debugger, in
the same process: that needs the job of a file with its input, output, params, wildcards, resources, log and config, as the
script would get them. `DAGApi` executes, prints and deletes, but returns nothing; what works is `WorkflowApi._workflow`,
then `_prepare_dag()`, `_build_dag()`, `dag.jobs` and `snakemake.iocontainers.Snakemake`.

Expected: a documented `DAGApi.jobs()` with `needrun`, and a documented way from a job to its `Snakemake` object.
""",
)


def outputs_to_make(workflow: Any) -> set[str]:
    """Files that the jobs about to run will make; for ``onstart``."""
    return {str(path) for job in workflow.dag.needrun_jobs() for path in job.output}


@contextlib.contextmanager
def planned(targets: set[str], config: Sequence[str] = ()) -> Iterator[list[Any]]:
    """Read the Snakefile of the current folder and plan all jobs that the targets need, finished or not.

    Nothing is run, locked or deleted. Jobs may be asked for what their script gets while the context is open.

    Parameters
    ----------
    targets
        Files; none means those of the default rule.
    config
        Settings laid over ``config.yaml``, as for ``--config``: ``key=value``.

    Yields
    ------
    list
        Snakemake's jobs.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        No rule makes a target, or a file that one needs is neither there nor made by a rule.
    """
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)) as api:
        workflow = api.workflow(
            ResourceSettings(cores=1), ConfigSettings(config=parse_config(config)), snakefile=Path("Snakefile")
        )
        workflow.dag(DAGSettings(targets=targets, force_incomplete=True))
        engine = workflow._workflow
        engine._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True, nolock=True)
        engine._build_dag()
        yield list(engine.dag.jobs)


def handed_over(job: Any) -> Snakemake:
    """What a job's script gets as ``snakemake``."""
    rule = job.rule
    return Snakemake(
        job.input,
        job.output,
        job.params,
        job.wildcards,
        job.threads,
        job.resources,
        job.log,
        rule.workflow.globals["config"],
        rule.name,
        None,
        str(Path(script_of(job)).parent),
    )


def script_of(job: Any) -> str:
    """Path of the script of a job's rule; empty where it has none."""
    return str(Path(str(job.rule.basedir), job.rule.script).resolve()) if job.rule.script else ""
