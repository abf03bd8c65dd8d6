"""Extract some patients' images of one sequence: features, quality control, overlays. A bad case is recorded, not raised."""

from pathlib import Path

from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.extraction import Extraction, Files
from her2radiomics.engine.script import logged


def main(snakemake, cases):
    params, output, resources = snakemake.params, snakemake.output, snakemake.resources
    job = Extraction(
        cases,
        sequence=snakemake.wildcards.sequence,
        parameters=Path(snakemake.input.parameters),
        regions=params.regions,
        features=params.features,
        options=params.options,
        simulated=params.simulated,
        root=params.root,
        numbered=params.numbered,
    )
    # run by hand, the script shares its process with Snakemake's plan
    memory = None if getattr(snakemake, "by_hand", False) else resources.get("mem_mb")
    attempt = Attempt(resources.attempt, params.attempts, memory)
    computed = job.run(attempt, features=output.batch_features, qc=output.batch_qc, overlays=output.batch_overlays)
    print(f"{len(computed)} of {len(cases)} cases were computed ({', '.join(computed) or 'all were in the store'})")


cases = {patient: Files.of(content) for patient, content in snakemake.params.cases.items()}  # noqa: F821
# the images of a brought cohort are no inputs of the rule
with logged(snakemake, [path for files in cases.values() for path in files.paths()]):  # noqa: F821
    main(snakemake, cases)  # noqa: F821
