"""Apply a trained model to every partition."""

import pandas as pd

from her2radiomics.columns import read_typed
from her2radiomics.modelling import load_model
from her2radiomics.modelling_job import columns_from, extraction_hashes
from her2radiomics.script import logged, write_table


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    model, columns = load_model(files.model), columns_from(params.columns)
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    parts = []
    for participants, features in zip(files.participants, files.features, strict=True):
        people = read_typed(participants, columns)
        predicted = model.predict(pd.read_parquet(features), people, extraction=extraction, incomplete="omit")
        parts.append(people[["patient_id", "partition", "label"]].merge(predicted, on="patient_id"))
    write_table(pd.concat(parts), snakemake.output[0], simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
