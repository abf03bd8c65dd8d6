"""Compute some repetitions of an analysis of evidence."""

from her2radiomics.core.tables import write
from her2radiomics.engine.jobs.evidence import analysis_from, study_from
from her2radiomics.engine.script import logged


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    study = study_from(params.about, files.participants, files.features, params.others)
    first, last = params.repetitions
    rows = analysis_from(params.analysis).run(study, first, last)
    write("evidence_batch", rows, snakemake.output.evidence_batch, simulated=study.about.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
