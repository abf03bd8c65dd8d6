"""The Word file of a manuscript: what Word lists, refers to and binds; the same bytes every time."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest
from article_run import AUC, JOURNALS, make_run, manuscript
from docx import Document

from her2radiomics.article.document import CrossReference, Heading, Paragraph, TableBlock, Words
from her2radiomics.article.files import contents
from her2radiomics.article.journals import Journal, read_journal, warnings_of
from her2radiomics.article.numbering import bookmark_of, macros, places, tag_of
from her2radiomics.core.errors import StudyError
from her2radiomics.manuscript.tables.word_parts import qualified, text_of

PLAIN = read_journal(JOURNALS / "plain.yaml")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run") / "a_study")


@pytest.fixture(scope="module")
def document(run):
    return Document(str(run / "manuscript" / "manuscript.docx"))


def paragraphs(document):
    return [(paragraph.style.name, text_of(paragraph._p)) for paragraph in document.paragraphs]


def test_styles_are_words_own(document):
    found = paragraphs(document)
    assert found[0] == ("Title", "Radiomics of a_study")
    assert ("Heading 1", "Abstract") in found and ("Heading 2", "Statistical analysis") in found
    assert ("Body Text", "Background: [why the study was done]") in found
    assert ("Caption", "Table 1. Performance in 42 patients") in found
    assert ("Caption", "Figure 1. Flow of patients; AUC 0.812.") in found
    assert ("Caption", "Table S1. More") in found and ("Caption", "Figure S1. Curves") in found
    assert {table.style.name for table in document.tables} == {"Journal Table"}


def test_cross_references_read_right_and_have_targets(document):
    text = dict(reversed(paragraphs(document)))["Body Text"]
    sentence = next(text for style, text in paragraphs(document) if text.startswith("In the test set"))
    assert "see Table 1, Figure 1, Table S1 and “Statistical analysis”" in sentence
    body = document.element.body
    bookmarks = {mark.get(qualified("w:name")) for mark in body.iter(qualified("w:bookmarkStart"))}
    codes = [code.text for code in body.iter(qualified("w:instrText"))]
    targets = {found[1] for code in codes if (found := re.search(r"REF (\w+)", code))}
    assert len(targets) == 4 and targets <= bookmarks
    assert sum("SEQ Table \\*" in code for code in codes) == 1 and sum("SEQ Table_S" in code for code in codes) == 1
    assert text


def test_every_number_is_a_content_control_with_its_key(document):
    controls = [
        (control.find(f"{qualified('w:sdtPr')}/{qualified('w:tag')}").get(qualified("w:val")), text_of(control))
        for control in document.element.body.iter(qualified("w:sdt"))
    ]
    assert controls.count((AUC, "0.812")) == 3  # abstract, results, caption
    assert ("coefficient.x", "−0.52") in controls and ("delong.p", "<0.001") in controls
    assert [tag for tag, _ in controls if tag.startswith("author.")] == ["author.1", "author.2"]
    identifiers = [
        found.get(qualified("w:val"))
        for found in document.element.body.iter(qualified("w:id"))
        if found.getparent().tag == qualified("w:sdtPr")
    ]
    assert len(identifiers) == len(set(identifiers)) == len(controls)
    aliases = [found.get(qualified("w:val")) for found in document.element.body.iter(qualified("w:alias"))]
    assert "auc (radiomics, testing): tables/performance.csv" in aliases


def test_figures_have_alternative_text_and_their_own_size(document):
    shape = document.inline_shapes[0]
    assert shape._inline.docPr.get("descr") == "Title of figure_1_flow. Figure 1. Flow of patients; AUC 0.812."
    assert shape.width.mm == pytest.approx(600 / 300 * 25.4, abs=0.1)


def test_simulated_patients_are_named_on_every_page(run, document):
    assert all(text_of(section.header._element) == "Simulated patients" for section in document.sections)
    real = contents(replace(manuscript(), simulated=False), run, PLAIN, JOURNALS / "numbered.csl")
    assert text_of(Document(io.BytesIO(real["docx"])).sections[0].header._element) == ""
    assert b"Simulated patients" not in real["tex"]


def test_the_same_input_gives_the_same_bytes(run):
    first, second = (contents(manuscript(), run, PLAIN, JOURNALS / "numbered.csl") for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first["docx"])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01" in archive.read("docProps/core.xml")


@pytest.mark.parametrize("name", sorted(path.stem for path in JOURNALS.glob("*.yaml")))
def test_journals_shape_the_file(run, name):
    journal = read_journal(JOURNALS / f"{name}.yaml")
    made = contents(manuscript(), run, journal, JOURNALS / f"{journal.references}.csl")
    document = Document(io.BytesIO(made["docx"]))
    section = document.sections[0]
    assert (section._sectPr.find(qualified("w:lnNumType")) is not None) == journal.line_numbers
    assert document.styles["Body Text"].paragraph_format.line_spacing == journal.line_spacing
    assert round(section.page_width.mm, 1) == (215.9 if journal.page == "letter" else 210)
    headings = [text for style, text in paragraphs(document) if style == "Heading 1"]
    assert headings[1] == journal.headings.get("Methods", "Methods")
    sentence = next(text for _, text in paragraphs(document) if text.startswith("In the test set"))
    assert ("Section 1.1" in sentence) == journal.numbered_sections
    assert ("(1" in sentence) == (journal.references != "numbered")
    assert (rb"\linenumbers" in made["tex"]) == journal.line_numbers


def test_a_long_abstract_is_a_warning_with_its_count():
    words = Paragraph("long", (Words("word " * 351),))
    bmc = read_journal(JOURNALS / "bmc.yaml")
    assert warnings_of(replace(manuscript(), abstract=(words,)), bmc) == (
        "The abstract has 351 words; BMC allows 350.",
    )
    assert warnings_of(manuscript(), Journal(name="X")) == ()


def test_few_dots_are_a_warning(run):
    journal = Journal.model_validate({"name": "X", "figures": {"dpi": 600}})
    remarks = contents(manuscript(), run, journal, JOURNALS / "numbered.csl")["journal_notes"].decode()
    assert "Figure 1 has 300 dpi as printed; X asks for 600." in remarks


def test_names_fit_word_and_latex():
    long = "coefficient." + "x" * 90
    assert len(tag_of(long)) == 64 and tag_of(long) != tag_of(long + "y") and tag_of(AUC) == AUC
    assert len(bookmark_of("table_" + "x" * 60)) == 40 and bookmark_of("1.2") == "b_1_2"
    assert macros(["auc.test_1"]) == {"auc.test_1": "numAucTestOne"}
    twins = macros(["a.b", "a_b"])
    assert len(set(twins.values())) == 2 and all(name.isalpha() for name in twins.values())


def test_errors_name_what_is_wrong(run, tmp_path):
    lost = replace(manuscript(), body=[Paragraph("p", (CrossReference("table_9"),))])
    with pytest.raises(StudyError, match="p: found a cross-reference to 'table_9'"):
        places(lost, PLAIN)
    with pytest.raises(StudyError, match="two blocks called 'methods'"):
        places(replace(manuscript(), body=[Heading("methods", "A"), Heading("methods", "B")], supplement=()), PLAIN)
    absent = replace(manuscript(), body=[TableBlock("table_9_none", ())], supplement=())
    with pytest.raises(StudyError, match=r"table_9_none.*found no table"):
        contents(absent, run, PLAIN, JOURNALS / "numbered.csl")


@pytest.mark.skipif(
    not (shutil.which("soffice") and shutil.which("pdftotext")), reason="LibreOffice or poppler-utils is not installed"
)
@pytest.mark.parametrize("name", ["plain", "frontiers"])
def test_libreoffice_prints_every_number(tmp_path, name):
    folder = make_run(tmp_path / "a_study", journal=name) / "manuscript"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        str(folder / "manuscript.docx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    printed = subprocess.run(
        ["pdftotext", "-layout", "-enc", "UTF-8", str(tmp_path / "manuscript.pdf"), "-"],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout.decode()
    pages = [page for page in printed.split("\f") if page.strip()]
    assert len(pages) >= 2 and all("Simulated patients" in page for page in pages)
    for text in ("0.812", "<0.001", "−0.52", "Table 1", "Table S1", "Figure S1", "Holm S.", "0.70 (0.61–0.79)"):
        assert text in printed, text
    assert "Error!" not in printed and "Reference source not found" not in printed
