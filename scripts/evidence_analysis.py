"""Gather all repetitions of an analysis of evidence; sum them up, say what they show, and draw them."""

from pathlib import Path

from her2radiomics.core.tables import assemble
from her2radiomics.engine.jobs.evidence import all_batches, analysis_from, study_from
from her2radiomics.engine.script import logged, write_tables
from her2radiomics.evidence.drawing import write_figure
from her2radiomics.evidence.findings import as_table


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    study = study_from(params.about, files.participants, files.features, params.others)
    analysis = analysis_from(params.analysis)
    rows = analysis.wanted(all_batches(files.batches))
    summary = assemble("evidence_analysis", list(analysis.summarise(rows, study)))
    made = {
        "evidence_repetitions": rows,
        "evidence_analysis": summary,
        "evidence_analysis_findings": as_table(analysis.findings(summary, study)),
    }
    write_tables(made, snakemake.output, simulated=study.about.simulated)
    write_figure(analysis, rows, summary, study, Path(snakemake.output.svg).with_suffix(""))


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
