"""Apply a trained model to every partition, and draw its calibration there."""

import pandas as pd

from her2radiomics.core.columns import columns_from, read_participants
from her2radiomics.core.files import write_text
from her2radiomics.engine.jobs.modelling import extraction_hashes, features_of, read_refits
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evaluation.validation import with_observed
from her2radiomics.modelling import load_model
from her2radiomics.prediction import calculator_page


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    model, columns = load_model(files.model), columns_from(params.columns)
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    parts, obstacles = [], []
    for participants, features in zip(files.participants, files.features, strict=True):
        people = read_participants(participants, columns)
        table, who = features_of(model, features, params.reader), people[["patient_id", "partition", "label"]]
        predicted = model.predict(table, people, extraction=extraction, incomplete="omit")
        parts.append(who.merge(predicted, on="patient_id"))
        obstacles.append(who.merge(model.obstacles(table, people), on="patient_id").drop(columns="label"))
    predictions, settings = pd.concat(parts), settings_from(EvaluationSettings, params.evaluation)
    training = read_refits(files.refits)["calibration"]
    made = {
        "predictions": predictions,
        "not_predicted": pd.concat(obstacles),
        "calibration": with_observed(training, predictions, settings, seed=params.seed, persons=params.persons),
    }
    write_tables(made, snakemake.output, simulated=params.simulated)
    write_text(calculator_page(model), snakemake.output.calculator)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
