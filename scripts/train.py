"""Fit one model on the training partition, and write all that prediction and the manuscript need of it."""

from her2radiomics import modelling
from her2radiomics.engine.jobs.modelling import (
    columns_from,
    extraction_hashes,
    report_tables,
    training_rows,
    unfitted,
)
from her2radiomics.engine.script import logged, write_tables


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    columns = columns_from(params.columns)
    table, labels, features, people = training_rows(
        files.partition_participants, files.partition_features, columns
    )
    model = unfitted(snakemake.wildcards.model, params.models, columns, features, params.seed).fit(
        table, labels
    )
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    content = modelling.to_dict(
        model, centres=sorted(set(people["centre"])), extraction=extraction, simulated=params.simulated
    )
    modelling.save_model(content, snakemake.output.model)
    tables = report_tables(model.fit_report(), modelling.from_dict(content))
    write_tables(tables, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
