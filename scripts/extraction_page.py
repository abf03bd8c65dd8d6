"""Write the page of a run that ends with the extraction, and beside it the pictures in full size that it links to."""

from pathlib import Path

from her2radiomics.cohort.enrolment import extracted_in_words
from her2radiomics.core.files import write_text
from her2radiomics.core.tables import read
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.names import Names
from her2radiomics.report import gather_pictures
from her2radiomics.report.extraction_page import extraction_context
from her2radiomics.report.pages import extraction_page


def main(snakemake):
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    context = extraction_context(
        Path(output.extraction_page).parent,
        snakemake.wildcards.run,
        params.title,
        extracted_in_words(read("qc", files.qc), params.patients, reader=params.reader),
        simulated=params.simulated,
        overlays=gather_pictures(files.overlays, Path(output.overlays)),
        centres=params.centres,
        names=Names(sequences=params.sequences),
    )
    write_text(extraction_page(context), output.extraction_page)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
