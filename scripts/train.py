"""Fit one model on the training set and resample it there; write all that prediction and the manuscript need of it."""

from her2radiomics import modelling
from her2radiomics.cohort.readers import Readers
from her2radiomics.core.columns import columns_from
from her2radiomics.engine.jobs.modelling import extraction_hashes, report_tables, training_rows, unfitted, write_refits
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evaluation.validation import resample
from her2radiomics.modelling.parts import SharedFits
from her2radiomics.modelling.saved.about import About
from her2radiomics.modelling.saved.fitted import sequences_of
from her2radiomics.prediction import Measuring


def main(snakemake):
    params, files, name = snakemake.params, snakemake.input, snakemake.wildcards.model
    columns, readers = columns_from(params.columns), settings_from(Readers, params.readers)
    table, labels, features, people = training_rows(
        files.partition_participants, files.partition_features, columns, readers
    )
    model = unfitted(name, params.models, columns, features, readers, params.seed, files.parts, params.persons)
    model.fit(table, labels)
    extraction = extraction_hashes(params.sequences, files.parameters) or None
    measuring = Measuring.of(params.sequences, files.parameters, sequences_of(model.rule_), readers.reference)
    content = modelling.to_dict(
        model,
        centres=sorted(set(people["centre"])),
        extraction=extraction,
        simulated=params.simulated,
        about=settings_from(About, params.about),
        measuring=measuring and measuring.model_dump(mode="json"),
    )
    modelling.save_model(content, snakemake.output.model)
    fits = SharedFits() if params.is_part else None
    if fits is not None:
        fits.keep(model.fitted_.part(), table.index, labels, report=True)
    settings = settings_from(EvaluationSettings, params.evaluation)
    resampled = resample(model, table, labels, settings, seed=params.seed, keep=fits)
    write_refits(snakemake.output.refits, resampled.pop("calibration"), fits)
    tables = report_tables(model.fit_report(), modelling.from_dict(content)) | resampled
    write_tables(tables, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
