"""Fill the reporting checklists from what a run knows and has made."""

from pathlib import Path

from her2radiomics.checklists.files import contents
from her2radiomics.core.files import whole_file
from her2radiomics.engine.script import logged


def main(snakemake):
    made = contents(snakemake.input.checklists, snakemake.params.run, Path(snakemake.params.folder))
    for ending, content in made.items():
        with whole_file(snakemake.output[ending]) as temporary:
            temporary.write_bytes(content)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
