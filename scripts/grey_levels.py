"""Draw the grey levels of every region: SVG, PDF, PNG, and the CSV of the numbers drawn."""

from pathlib import Path

from her2radiomics.core.tables import read
from her2radiomics.engine.jobs.manuscript import made_from
from her2radiomics.engine.script import logged, settings_from
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.grey_levels import GreyLevelText, draw_grey_levels
from her2radiomics.manuscript.figures.render import write


def main(snakemake):
    text = settings_from(GreyLevelText, snakemake.params.text)
    with style.in_style():
        drawing = draw_grey_levels(read("qc", snakemake.input.qc), text)
    about = {"title": f"Grey levels. {text.title}", "simulated": str(text.simulated).lower()}
    stem = Path(snakemake.output.svg).with_suffix("")
    write(drawing, stem, about | made_from([snakemake.input.qc]), simulated=text.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
