"""Refits of a model on resamples of its training patients, beside its ``model.json``."""

from her2radiomics.core.files import file_hash
from her2radiomics.engine.jobs.evidence import all_batches, refits_of
from her2radiomics.engine.script import logged
from her2radiomics.modelling.saved.model_file import save_model


def main(snakemake):
    rows, model = all_batches(snakemake.input.batches), snakemake.wildcards.model
    content = refits_of(snakemake.params.about, model, rows, file_hash(snakemake.input.model))
    save_model(content, snakemake.output.instability_rules)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
