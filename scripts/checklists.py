"""Fill the reporting checklists from a run's settings and results."""

from pathlib import Path

from her2radiomics.checklists.files import contents
from her2radiomics.checklists.settings import ChecklistRun
from her2radiomics.core.files import whole_file
from her2radiomics.engine.script import logged, settings_from


def main(snakemake):
    run = settings_from(ChecklistRun, snakemake.params.run)
    made = contents(snakemake.input.checklists, run, Path(snakemake.params.folder))
    for ending, content in made.items():
        with whole_file(snakemake.output[ending]) as temporary:
            temporary.write_bytes(content)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
