"""Snakemake uses all cores of the machine where nobody says how many."""

from __future__ import annotations

from typing import Any

from snakemake.utils import available_cpu_count

from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/issues/312",
    """\
A workflow cannot say that it uses all cores where the command line says nothing.

A workflow profile with `cores: all` overrules the `cores` of a profile that is given by `--profile`, where `cores` sizes
group jobs, so it is no default. `snakemake --unlock` alone fails as well once the Snakefile reads `workflow.cores`
(issue 530).

Seen with: `snakemake` in a folder with a Snakefile: "cores have to be specified for local execution".
Expected: a directive of the Snakefile, or a key of the profile that only counts where nothing else is said.
""",
)


def all_by_default(workflow: Any) -> None:
    """Give the workflow all cores, where neither cores nor jobs of a cluster were asked for.

    Parameters
    ----------
    workflow
        Snakemake's workflow, while the Snakefile is read.
    """
    settings = workflow.resource_settings
    if settings.cores is None and settings.nodes is None:
        settings.cores = available_cpu_count()
        workflow.global_resources["_cores"] = settings.cores
