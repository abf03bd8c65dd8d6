"""Hold an extraction to the limit of failed cases, and write the sentence that says who was extracted."""

from her2radiomics.cohort.enrolment import extracted_in_words, refuse_many_failed
from her2radiomics.cohort.limits import FailedCases
from her2radiomics.core.files import write_text
from her2radiomics.core.tables import read
from her2radiomics.engine.script import logged, settings_from


def main(snakemake):
    params = snakemake.params
    qc = read("qc", snakemake.input.qc)
    limits = settings_from(FailedCases, params.failed_cases)
    refuse_many_failed(qc, params.patients, limits, reader=params.reader)
    write_text(f"{extracted_in_words(qc, params.patients, reader=params.reader)}\n", snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
