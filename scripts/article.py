"""Write a run's manuscript for Word and LaTeX, its references, and what is not as the journal asks."""

from pathlib import Path

from her2radiomics.article.text import write

from her2radiomics.article.files import contents
from her2radiomics.article.journals import read_journal
from her2radiomics.core.files import whole_file
from her2radiomics.engine.script import logged
from her2radiomics.study.descriptions import read_run_info


def main(snakemake):
    files, output = snakemake.input, snakemake.output
    folder = Path(output.docx).parents[1]
    info = read_run_info(snakemake.params.info)
    manuscript = write(
        folder, info, parameters=files.parameters, records=files.software, spelling=snakemake.params.spelling
    )
    profile, style = files.journal
    made = contents(manuscript, folder, read_journal(profile), style)
    print(made["journal_notes"].decode(), end="")
    for name, content in made.items():
        with whole_file(output[name]) as temporary:
            temporary.write_bytes(content)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
