"""Judge all models on every partition, and set the paper's numbers beside them."""

import pandas as pd

from her2radiomics.core.tables import write_table
from her2radiomics.engine.jobs.modelling import feature_counts
from her2radiomics.engine.script import logged, settings_from
from her2radiomics.evaluation.performance import EvaluationSettings, evaluate
from her2radiomics.manuscript.tables import PublishedNumber, published_table
from her2radiomics.modelling import load_model


def main(snakemake):
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    models = dict(zip(params.models, map(load_model, files.models), strict=True))
    predictions = {
        # the last bit decides who lies at the threshold, and pandas' own parser may miss it
        name: pd.read_csv(file, dtype={"patient_id": str}, float_precision="round_trip")
        for name, file in zip(params.models, files.predictions, strict=True)
    }
    thresholds = {name: model.threshold for name, model in models.items()}
    validation = {
        name: pd.read_csv(file, float_precision="round_trip")
        for name, file in zip(params.models, files.validations, strict=True)
    }
    settings = settings_from(EvaluationSettings, params.evaluation)
    judged = evaluate(predictions, thresholds, settings, seed=params.seed, validation=validation)
    numbers = [settings_from(PublishedNumber, number) for number in params.published]
    published = published_table(
        numbers,
        judged.performance,
        judged.extra,
        judged.delong,
        counts=feature_counts(params.models, files.selections, files.features),
        simulated=params.simulated,
    )
    for table, path in (
        (judged.performance, output.performance),
        (judged.extra, output.extra),
        (judged.delong, output.delong),
        (published, output.published),
    ):
        write_table(table, path, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
