"""Write the page over all runs."""

from her2radiomics.report import index, summarise
from her2radiomics.script import logged, write_text


def main(snakemake):
    runs = [
        summarise(f"results/{info['id']}", info, f"{info['id']}/report.html")
        for info in snakemake.params.runs
    ]
    write_text(index(runs), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
