"""Resample one model on its training rows: calibration, optimism, cross-validation."""

import pandas as pd

from her2radiomics.core.tables import write_table
from her2radiomics.engine.jobs.modelling import columns_from, training_rows, unfitted
from her2radiomics.engine.script import logged, settings_from
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evaluation.validation import resample


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    columns = columns_from(params.columns)
    table, labels, features, _ = training_rows(files.participants, files.features, columns)
    model = unfitted(snakemake.wildcards.model, params.models, columns, features, params.seed).fit(
        table, labels
    )
    tables = resample(
        model,
        table,
        labels,
        pd.read_csv(files.predictions, dtype={"patient_id": str}, float_precision="round_trip"),
        settings_from(EvaluationSettings, params.evaluation),
        seed=params.seed,
    )
    for name, written in tables.items():
        write_table(written, snakemake.output[name], simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
