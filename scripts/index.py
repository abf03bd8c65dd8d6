"""Write the page over all runs."""

from pathlib import Path

from her2radiomics.core.files import write_text
from her2radiomics.core.layout import path_of
from her2radiomics.engine.script import logged
from her2radiomics.report import index, summarise
from her2radiomics.study.descriptions import read_run_info


def main(snakemake):
    here = Path(path_of("index")).parent  # the page's own place, wherever it is written by hand
    runs = []
    for info in map(read_run_info, snakemake.params.runs):
        page = Path(path_of("report", run=info.id))
        runs.append(summarise(page.parent, info, page.relative_to(here).as_posix()))
    write_text(index(runs), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
