"""Write a run's page, one self-contained file, and beside it the pictures in full size that it links to."""

import os
import shutil
from pathlib import Path

from her2radiomics.core.files import whole_folder, write_text
from her2radiomics.engine.script import logged
from her2radiomics.report import build_context, page
from her2radiomics.study.descriptions import read_run_info


def gather(folders, target):
    """The batches' pictures under one name for any size of batch: hard links where the disk can, else copies."""
    found = [picture for folder in folders for picture in sorted(Path(folder).rglob("*.png"))]
    with whole_folder(target) as folder:
        for picture in found:
            place = folder / picture.parent.name / picture.name
            place.parent.mkdir(exist_ok=True)
            try:
                os.link(picture, place)
            except OSError:
                shutil.copyfile(picture, place)
    return [target / picture.parent.name / picture.name for picture in found]


def main(snakemake):
    files, output = snakemake.input, snakemake.output
    context = build_context(
        Path(output.report).parent,
        read_run_info(snakemake.params.info),
        overlays=gather(files.overlays, Path(output.overlays)),
        parameters=files.parameters,
        centres=snakemake.params.centres,
        records=files.software,
        hashed={str(file): file for file in [*files.parameters, *files.models]},
    )
    write_text(page(context), output.report)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
