"""Calibration of one model: bias-corrected on training rows, observed on the other partitions."""

import pandas as pd

from her2radiomics.evaluation import EvaluationSettings
from her2radiomics.modelling_job import calibrate, columns_from, training_rows, unfitted
from her2radiomics.script import logged, settings_from, write_table


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    columns = columns_from(params.columns)
    table, labels, features, _ = training_rows(files.participants, files.features, columns)
    model = unfitted(snakemake.wildcards.model, params.models, columns, features, params.seed).fit(
        table, labels
    )
    rows = calibrate(
        model,
        table,
        labels,
        pd.read_csv(files.predictions, dtype={"patient_id": str}),
        settings_from(EvaluationSettings, params.evaluation),
        seed=params.seed,
    )
    write_table(rows, snakemake.output[0], simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
