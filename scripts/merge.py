"""Join the cases to the cohort's feature table and quality-control table; no image may be there twice."""

from her2radiomics.cohort.same_images import refuse_same_voxels
from her2radiomics.core.tables import write
from her2radiomics.engine.script import logged
from her2radiomics.extraction.tables import CohortFeatures, merge_qc


def main(snakemake):
    sequences = snakemake.params.sequences
    features = CohortFeatures(snakemake.input.features, sequences)
    write("features", features.blocks(), snakemake.output.features)
    quality = merge_qc(snakemake.input.qc, sequences)
    if snakemake.params.models:  # of an extraction alone quality control warns
        refuse_same_voxels(quality, snakemake.params.persons)
    write("qc", quality, snakemake.output.qc, simulated=snakemake.params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
