"""Apply all models to every partition, draw their calibration there, and judge them."""

from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from her2radiomics.core.columns import columns_from, read_participants
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import write_text
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read
from her2radiomics.engine.jobs.modelling import extraction_hashes, features_of, read_refits
from her2radiomics.engine.jobs.pieces import Piece, make_pieces
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.evaluation.performance import evaluate
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evaluation.validation import with_observed
from her2radiomics.modelling import load_model
from her2radiomics.prediction import calculator_page


def rows_of(params, files):
    """Participants and features of each partition: what any of the models uses."""
    models, columns = [], columns_from(params.columns)
    for path in files.models:
        with suppress(StudyError):  # said where that model predicts, and costs no other one its predictions
            models.append(load_model(path))
    return [
        (read_participants(participants, columns), features_of(models, features, params.reader))
        for participants, features in zip(files.participants, files.features, strict=True)
    ]


def predict(params, files, rows, model_file, refits, outputs, folder):
    model = load_model(model_file)
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    parts, obstacles = [], []
    for people, table in rows():
        who = people[["patient_id", "partition", "label"]]
        predicted = model.predict(table, people, extraction=extraction, incomplete="omit")
        parts.append(who.merge(predicted, on="patient_id"))
        obstacles.append(who.merge(model.obstacles(table, people), on="patient_id").drop(columns="label"))
    predictions, settings = pd.concat(parts), settings_from(EvaluationSettings, params.calibration)
    training = read_refits(refits)["calibration"]
    made = {
        "predictions": predictions,
        "not_predicted": pd.concat(obstacles),
        "calibration": with_observed(training, predictions, settings, seed=params.seed, persons=params.persons),
    }
    places = {name: folder / Path(path).name for name, path in outputs.items()}
    write_tables(made, places, simulated=params.simulated)
    write_text(calculator_page(model), places["calculator"])


def judge(params, files, predictions, outputs, folder):
    def of_models(name, paths):
        return {model: read(name, path) for model, path in zip(params.models, paths, strict=True)}

    judged = evaluate(
        of_models("predictions", predictions),
        {name: load_model(path).threshold for name, path in zip(params.models, files.models, strict=True)},
        settings_from(EvaluationSettings, params.evaluation),
        seed=params.seed,
        validation=of_models("validation", files.validations),
        persons=params.persons,
    )
    tables = {"performance": judged.performance, "performance_extra": judged.extra, "delong": judged.delong}
    places = {name: folder / Path(path).name for name, path in outputs.items()}
    write_tables(tables, places, simulated=params.simulated)


def main(snakemake):
    params, files = snakemake.params, snakemake.input
    shared = [params.columns, params.sequences, params.calibration, params.reader, params.persons, params.seed]
    rows, sources = cache(partial(rows_of, params, files)), [*files.parameters, *files.participants, *files.features]
    pieces, predictions = [], []
    for name, model, refits in zip(params.models, files.models, files.refits, strict=True):
        written = snakemake.output[f"predictions_of_{name}"]
        outputs = dict(zip(params.predicted, written, strict=False))  # the last is the record of the software
        predictions.append(outputs["predictions"])
        make = partial(predict, params, files, rows, model, refits, outputs)
        settings = [shared, params.simulated]
        pieces.append(Piece(f"predict_{name}", written, [model, refits, *sources], settings, make))
    if not make_pieces(pieces, "models' predictions", snakemake):
        return
    written = snakemake.output.judged
    make = partial(judge, params, files, predictions, dict(zip(params.judged, written, strict=False)))
    settings = [params.models, params.evaluation, params.persons, params.seed, params.simulated]
    read_from = [*files.models, *predictions, *files.validations]
    make_pieces([Piece("performance", written, read_from, settings, make)], "comparisons of models", snakemake)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
