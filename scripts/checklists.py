"""Fill the reporting checklists from what a run knows and has made."""

from pathlib import Path

from her2radiomics.checklists.files import contents
from her2radiomics.script import logged


def main(snakemake):
    made = contents(snakemake.input.checklists, snakemake.params.run, Path(snakemake.params.folder))
    for ending, content in made.items():
        target = Path(snakemake.output[ending])
        temporary = target.with_name(f".{target.name}.partial")
        temporary.write_bytes(content)
        temporary.replace(target)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
