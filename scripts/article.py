"""Write a run's manuscript for Word and LaTeX, its numbers and references, and what is not as the journal asks."""

import json
from pathlib import Path

from her2radiomics.article.files import contents
from her2radiomics.article.journals import read_journal
from her2radiomics.article.numbers import checked, places_csv, to_csv
from her2radiomics.article.text import write
from her2radiomics.core import software
from her2radiomics.core.files import whole_file
from her2radiomics.core.spreadsheets import for_people
from her2radiomics.engine.script import logged
from her2radiomics.extraction import read_parameters
from her2radiomics.report.facts import printed_settings
from her2radiomics.study.descriptions import read_run_info


def main(snakemake):
    files, params, output = snakemake.input, snakemake.params, snakemake.output
    folder = Path(output.docx).parents[1]
    info = read_run_info(params.info)
    manuscript = write(folder, info, parameters=files.parameters, records=files.software, spelling=params.spelling)
    profile, style = files.journal
    made = contents(manuscript, folder, read_journal(profile), style)
    print(made["journal_notes"].decode(), end="")
    settings = printed_settings(
        info,
        {Path(path).stem: read_parameters(path) for path in files.parameters},
        software.read_records(files.software),
    )
    made["manuscript_places"] = places_csv(manuscript).encode()
    made["numbers"] = for_people(to_csv(manuscript))
    made["manuscript_settings"] = (json.dumps(settings, indent=1, ensure_ascii=False) + "\n").encode()
    for name, content in made.items():
        with whole_file(output[name]) as temporary:
            temporary.write_bytes(content)
    for line in checked(manuscript, folder):
        print(line)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
