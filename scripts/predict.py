"""Apply a trained model to every partition."""

import pandas as pd

from her2radiomics.columns import read_typed
from her2radiomics.modelling import load_model
from her2radiomics.modelling_job import columns_from, extraction_hashes, features_of
from her2radiomics.script import logged, write_table


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    model, columns = load_model(files.model), columns_from(params.columns)
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    parts, obstacles = [], []
    for participants, features in zip(files.participants, files.features, strict=True):
        people = read_typed(participants, columns)
        table, who = features_of(model, features), people[["patient_id", "partition", "label"]]
        predicted = model.predict(table, people, extraction=extraction, incomplete="omit")
        parts.append(who.merge(predicted, on="patient_id"))
        obstacles.append(who.merge(model.obstacles(table, people), on="patient_id").drop(columns="label"))
    write_table(pd.concat(parts), snakemake.output.predictions, simulated=params.simulated)
    write_table(pd.concat(obstacles), snakemake.output.not_predicted, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
