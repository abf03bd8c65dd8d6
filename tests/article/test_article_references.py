"""References in a journal's style, as BibTeX and RIS; the LaTeX file compiles."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from article_run import JOURNALS, REFERENCES, make_run, manuscript
from PIL import Image

from her2radiomics.article.document import Cite, Paragraph
from her2radiomics.article.references import reference_list, to_bibtex, to_csl, to_ris
from her2radiomics.core.errors import StudyError

HOLM = "Holm S. A simple sequentially rejective multiple test procedure."


@pytest.mark.parametrize(
    ("style", "citation", "holm"),
    [
        ("numbered", "[1,2]", f"{HOLM} Scand J Stat. 1979;6:65–70."),
        ("frontiers", "(1, 2)", f"{HOLM} Scand J Stat (1979) 6:65–70."),
        ("rsna", "(1,2)", f"{HOLM} Scand J Stat 1979;6:65–70."),
    ],
)
def test_styles(style, citation, holm):
    made = reference_list(manuscript(), JOURNALS / f"{style}.csl")
    assert made.citations[("Efron_1993", "holm_1979")] == citation
    assert made.printed["holm_1979"] == holm
    assert made.printed["Efron_1993"].endswith("New York: Chapman and Hall; 1993.")


def test_references_are_numbered_by_first_citation_and_none_is_lost():
    made = reference_list(manuscript(), JOURNALS / "numbered.csl")
    assert list(made.entries) == ["holm_1979", "Efron_1993", "nobody_cites"]
    assert (made.number("holm_1979"), made.number("nobody_cites")) == (1, 3)
    assert "The R Core Team" in made.printed["nobody_cites"]


def test_three_numbers_in_a_row_are_a_range():
    entries = {f"k{n}": {**REFERENCES["holm_1979"], "id": f"k{n}"} for n in range(1, 6)}
    body = [Paragraph("p", (Cite(tuple(entries)), Cite(("k1", "k2", "k3", "k5"))))]
    made = reference_list(replace(manuscript(), abstract=[], body=body, references=entries), JOURNALS / "numbered.csl")
    assert list(made.citations.values()) == ["[1–5]", "[1–3,5]"]


def test_a_citation_without_an_entry_is_named():
    text = replace(manuscript(), body=[Paragraph("p", (Cite(("unknown_2000",)),))], supplement=())
    with pytest.raises(StudyError, match="citation of 'unknown_2000'"):
        reference_list(text, JOURNALS / "numbered.csl")


def test_bibtex_keeps_every_key_and_escapes():
    text = to_bibtex(REFERENCES)
    assert re.findall(r"^@(\w+)\{(\w+),", text, re.MULTILINE) == [
        ("article", "holm_1979"),
        ("book", "Efron_1993"),
        ("misc", "nobody_cites"),
    ]
    assert r"{{An introduction to the bootstrap \& more}}" in text
    assert "author = {Efron, B. and Tibshirani, R. J.}" in text and "pages = {65--70}" in text
    assert "url = {https://www.r-project.org/a_b}" in text and "author = {{The R Core Team}}" in text


def test_ris_and_csl_keep_every_key():
    assert re.findall(r"^ID  - (\S+)\r$", to_ris(REFERENCES), re.MULTILINE) == list(REFERENCES)
    assert "SP  - 65\r\nEP  - 70" in to_ris(REFERENCES) and to_ris(REFERENCES).count("ER  - ") == 3
    assert all(f'"id": "{key}"' in to_csl(REFERENCES) for key in REFERENCES)


def test_numbers_are_macros(tmp_path):
    folder = make_run(tmp_path / "a_study") / "manuscript"
    text = (folder / "manuscript.tex").read_text(encoding="utf-8")
    assert r"\newcommand{\numPerformanceRadiomicsTestingAuc}{0.812}" in text
    assert r"the AUC was \numPerformanceRadiomicsTestingAuc{}" in text
    assert r"\newcommand{\numCoefficientX}{$-$0.52}" in text
    assert text.count("0.812") == 3, "in its macro and in the two tables"
    assert r"Table~\ref{run:table_3_performance}" in text and r"\label{run:table_3_performance}" in text
    assert r"\includegraphics[width=50.8mm]{../figures/figure_1_flow.pdf}" in text
    assert r"\renewcommand{\thetable}{3}" not in text


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
@pytest.mark.parametrize("journal", ["plain", "frontiers"])
def test_latex_compiles_without_a_warning_of_references(tmp_path, journal):
    run = make_run(tmp_path / "a_study", journal=journal)
    for picture in (run / "figures").glob("*.png"):
        Image.open(picture).save(picture.with_suffix(".pdf"))
    for _ in range(2):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "manuscript.tex"],
            cwd=run / "manuscript",
            capture_output=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    log = (run / "manuscript" / "manuscript.log").read_text(encoding="latin-1")
    assert not re.search(
        r"undefined|multiply defined|Rerun to get|Missing character|Overfull \\hbox \((?:[5-9]\d|\d{3})", log
    )


@pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("pdftotext")), reason="pdflatex or poppler-utils is not installed"
)
def test_a_table_of_many_rows_goes_on_over_pages(tmp_path):
    rows = tuple(f"Row number{place}_of_many_rows" for place in range(120))
    run = make_run(tmp_path / "a_study", rows=rows)
    for picture in (run / "figures").glob("*.png"):
        Image.open(picture).save(picture.with_suffix(".pdf"))
    for _ in range(3):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "manuscript.tex"]
        subprocess.run(command, cwd=run / "manuscript", check=True, capture_output=True, timeout=180)
    text = subprocess.run(
        ["pdftotext", "-layout", "manuscript.pdf", "-"], cwd=run / "manuscript", capture_output=True
    ).stdout.decode()
    assert [f"number{place}_" for place in range(120) if f"number{place}_" not in text] == []
    assert text.count("AUC (95% CI)") >= 3, "the heading is repeated"
    assert "see Table 1, Figure 1, Table S1" in " ".join(text.split())
