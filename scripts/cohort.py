"""Apply the exclusions, leave out patients without features, and write participants and flow."""

from her2radiomics.cohort.enrolment import enrol
from her2radiomics.core.columns import Column
from her2radiomics.core.tables import read_table, write_table
from her2radiomics.engine.script import logged, settings_from
from her2radiomics.study.config import FailedCases


def main(snakemake):
    params = snakemake.params
    participants, flow = enrol(
        read_table(snakemake.input.participants),
        read_table(snakemake.input.qc) if snakemake.input.qc else None,
        columns={name: settings_from(Column, column) for name, column in params.columns.items()},
        label=params.label,
        partition=params.partition,
        exclusions=params.exclusions,
        failed_cases=settings_from(FailedCases, params.failed_cases),
        file=snakemake.input.participants,
    )
    write_table(participants, snakemake.output.participants, simulated=params.simulated)
    write_table(flow, snakemake.output.flow, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
