"""Write the page over all runs."""

from her2radiomics.core.files import write_text
from her2radiomics.engine.script import logged
from her2radiomics.report import index, summarise


def main(snakemake):
    runs = [
        summarise(f"results/{info['id']}", info, f"{info['id']}/report.html")
        for info in snakemake.params.runs
    ]
    write_text(index(runs), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
