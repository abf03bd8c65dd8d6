"""The evidence of a run on one page: what holds, what does not, and what cannot be told."""

from pathlib import Path

from her2radiomics.core.files import write_text
from her2radiomics.core.tables import read
from her2radiomics.engine.jobs.evidence import analysis_from, facts_from
from her2radiomics.engine.script import logged, write_tables
from her2radiomics.evidence.findings import together
from her2radiomics.report.evidence_page import evidence_page


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    facts = facts_from(params.about, files.participants)
    analyses = {name: analysis_from(content) for name, content in params.analyses.items()}
    tables = {
        kind: {name: read(kind, file) for name, file in zip(params.made, files[kind], strict=True)}
        for kind in ("evidence_analysis", "evidence_analysis_findings")
    }
    findings = together("evidence_findings", tables["evidence_analysis_findings"], params.obstacles)
    summary = together("evidence_summary", tables["evidence_analysis"])
    made = {"evidence_summary": summary, "evidence_findings": findings}
    write_tables(made, snakemake.output, simulated=facts.about.simulated)
    folder = Path(snakemake.output.evidence_page).parent
    page = evidence_page(folder, snakemake.wildcards.run, facts, analyses, findings, summary, params.obstacles)
    write_text(page, snakemake.output.evidence_page)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
