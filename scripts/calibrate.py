"""Resample one model on its training rows: calibration, optimism, cross-validation."""

from her2radiomics.core.tables import read
from her2radiomics.engine.jobs.modelling import columns_from, training_rows, unfitted
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evaluation.validation import resample


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    columns = columns_from(params.columns)
    table, labels, features, _ = training_rows(
        files.partition_participants, files.partition_features, columns
    )
    model = unfitted(snakemake.wildcards.model, params.models, columns, features, params.seed).fit(
        table, labels
    )
    tables = resample(
        model,
        table,
        labels,
        read("predictions", files.predictions),
        settings_from(EvaluationSettings, params.evaluation),
        seed=params.seed,
    )
    write_tables(tables, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
