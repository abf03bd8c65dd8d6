"""Take over a feature table that the user brought."""

import shutil

from her2radiomics.core.files import whole_file
from her2radiomics.engine.script import logged


def main(snakemake):
    with whole_file(snakemake.output[0]) as temporary:
        shutil.copyfile(snakemake.input[0], temporary)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
