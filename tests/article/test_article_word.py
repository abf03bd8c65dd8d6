"""The Word file of a manuscript: what Word lists, refers to and binds; the same bytes every time."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
from article_run import AUC, JOURNALS, make_run, manuscript
from docx import Document
from docx.enum.text import WD_TAB_ALIGNMENT

from her2radiomics.article.document import CrossReference, Heading, Paragraph, TableBlock, Words
from her2radiomics.article.files import contents
from her2radiomics.article.journals import Journal, read_journal, warnings_of
from her2radiomics.article.numbering import bookmark_of, macros, places, tag_of
from her2radiomics.core.errors import StudyError
from her2radiomics.manuscript.tables.model import Heading as Column
from her2radiomics.manuscript.tables.model import RowLabel, Table
from her2radiomics.manuscript.tables.word import to_docx as table_to_docx
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
    with pytest.raises(StudyError, match="two blocks named 'methods'"):
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


def wide_table(columns: int) -> Table:
    headings = tuple(Column(f"c{place}", f"Column {place}") for place in range(columns))
    data = pd.DataFrame({heading.key: ["0.812 (0.70–0.90)", "<0.001ᵃ"] for heading in headings})
    return Table("Wide", data, "Row", (RowLabel("One"), RowLabel("Two")), headings)


@pytest.mark.parametrize(("columns", "upright", "small"), [(3, True, False), (5, True, True), (12, False, False)])
def test_a_table_that_is_too_wide_is_set_smaller_or_on_a_page_across(tmp_path, columns, upright, small):
    text = manuscript()
    body = [*text.body, Paragraph("after", (Words("After."),))]
    folder = make_run(tmp_path / "a_study")
    path = folder / "tables" / "table_3_performance.docx"
    path.write_bytes(table_to_docx(wide_table(columns), "3"))
    made = contents(replace(text, body=body), folder, PLAIN, JOURNALS / "numbered.csl")
    document = Document(io.BytesIO(made["docx"]))
    wide = [section for section in document.sections if section.page_width > section.page_height]
    assert len(wide) == (0 if upright else 1)
    table = document.tables[0]
    sizes = {size.get(qualified("w:val")) for size in table._tbl.iter(qualified("w:sz"))} - {"12", "6", "4"}
    assert sizes == ({"16"} if small else set())
    width = sum(column.width.mm for column in table.columns)
    assert width <= (171 if upright else 258)
    assert document.sections[-1].page_width < document.sections[-1].page_height


def test_columns_of_numbers_are_aligned_at_the_decimal_point():
    table = Document(io.BytesIO(table_to_docx(wide_table(2), "S2"))).tables[0]
    stops = [table.cell(row, 1).paragraphs[0].paragraph_format.tab_stops for row in (1, 2)]
    assert [[stop.alignment for stop in found] for found in stops] == [[WD_TAB_ALIGNMENT.DECIMAL]] * 2
    assert stops[0][0].position == stops[1][0].position
    raised = [run.text for run in table.cell(2, 1).paragraphs[0].runs if run.font.superscript]
    assert raised == ["a"] and table.cell(2, 1).text == "<0.001a"
    assert table.rows[0]._tr.trPr.find(qualified("w:tblHeader")) is not None


def test_a_tables_own_file_has_a_caption_that_word_lists():
    document = Document(io.BytesIO(table_to_docx(wide_table(2), "S2b")))
    caption = document.paragraphs[0]
    assert caption.style.name == "Caption" and text_of(caption._p) == "Table S2b. Wide"
    assert [code.text.strip() for code in caption._p.iter(qualified("w:instrText"))] == [r"SEQ Table_S \* ARABIC \r 2"]
    assert document.tables[0].cell(1, 1).paragraphs[0].style.name == "Table Text"
