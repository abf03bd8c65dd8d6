"""Write a run's page, one self-contained file, and beside it the pictures in full size that it links to."""

from pathlib import Path

from her2radiomics.core.files import write_text
from her2radiomics.engine.script import logged
from her2radiomics.report import build_context, gather_pictures, page
from her2radiomics.study.descriptions import read_run_info


def main(snakemake):
    files, output = snakemake.input, snakemake.output
    context = build_context(
        Path(output.report).parent,
        read_run_info(snakemake.params.info),
        overlays=gather_pictures(files.overlays, Path(output.overlays)),
        parameters=files.parameters,
        centres=snakemake.params.centres,
        records=files.software,
        hashed={str(file): file for file in [*files.parameters, *files.models]},
    )
    write_text(page(context), output.report)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
