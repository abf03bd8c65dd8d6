"""Apply the exclusions, leave out patients without features, and write participants and flow."""

from her2radiomics.cohort.enrolment import enrol
from her2radiomics.cohort.measured import with_measured
from her2radiomics.cohort.outcome import Label
from her2radiomics.core.columns import Column
from her2radiomics.core.tables import read
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.study.config import FailedCases


def main(snakemake):
    params = snakemake.params
    columns = {name: settings_from(Column, column) for name, column in params.columns.items()}
    batches = [read("batch_measured", path) for path in snakemake.input.measured]
    registered = read("registered", snakemake.input.registered)
    registered, measured = with_measured(registered, batches, columns)
    participants, flow = enrol(
        registered,
        read("qc", snakemake.input.qc) if snakemake.input.qc else None,
        columns=columns,
        label=settings_from(Label, params.label),
        partition=params.partition,
        exclusions=params.exclusions,
        reader=params.reader,
        failed_cases=settings_from(FailedCases, params.failed_cases),
        file=snakemake.input.registered,
    )
    made = {"participants": participants, "flow": flow, "measured": measured}
    write_tables(made, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
