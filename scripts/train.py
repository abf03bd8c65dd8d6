"""Fit one model on the training partition, and write all that prediction and the manuscript need of it."""

from pathlib import Path

from her2radiomics import modelling
from her2radiomics.core.tables import write_table
from her2radiomics.engine.jobs.modelling import (
    columns_from,
    extraction_hashes,
    report_tables,
    training_rows,
    unfitted,
)
from her2radiomics.engine.script import logged


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    columns = columns_from(params.columns)
    table, labels, features, people = training_rows(files.participants, files.features, columns)
    model = unfitted(snakemake.wildcards.model, params.models, columns, features, params.seed).fit(
        table, labels
    )
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    content = modelling.to_dict(
        model, centres=sorted(set(people["centre"])), extraction=extraction, simulated=params.simulated
    )
    modelling.save_model(content, snakemake.output.model_json)
    tables = report_tables(model.fit_report(), modelling.from_dict(content))
    for name, written in tables.items():
        write_table(
            written, Path(snakemake.output.model_json).with_name(f"{name}.csv"), simulated=params.simulated
        )


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
