"""Write a run's page: one self-contained file."""

from pathlib import Path

from her2radiomics.report import build_context, page
from her2radiomics.script import logged, write_text


def main(snakemake):
    files = snakemake.input
    context = build_context(
        Path(snakemake.output[0]).parent,
        snakemake.params.info,
        overlays=[picture for folder in files.overlays for picture in sorted(Path(folder).rglob("*.png"))],
        parameters=files.parameters,
        centres=snakemake.params.centres,
        hashed={str(file): file for file in [*files.parameters, *files.models]},
    )
    write_text(page(context), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
