"""Describe a run as an RO-Crate: what went in, what came out, and their hashes."""

import json
from pathlib import Path

from her2radiomics.core import software
from her2radiomics.core.files import write_text
from her2radiomics.engine.script import logged
from her2radiomics.record.crate import COPIES, CrateInputs, copy_files, hash_list, metadata
from her2radiomics.record.provenance import commit, commit_date


def main(snakemake):
    given = snakemake.params
    output = snakemake.output
    folder = Path(output.crate).parent
    copies = copy_files(given.copies, given.texts, Path(output.workflow_copies))
    write_text(hash_list(given.data, Path(given.root), snakemake.threads, given.names), output.input_hashes)
    # outside a checkout there is no date but the run's own
    date = commit_date() or json.loads(Path(snakemake.input.record).read_text(encoding="utf-8"))["finished"]
    crate = CrateInputs(
        folder=folder,
        outputs=[str(Path(file).relative_to(given.folder)) for file in given.outputs],
        copies=[f"{COPIES}/{name}" for name in copies],
        commit=commit(),
        date=date,
        versions=software.versions(),
        **given.about,
    )
    write_text(metadata(crate), output.crate)


with logged(snakemake, snakemake.params.data):  # noqa: F821
    main(snakemake)  # noqa: F821
