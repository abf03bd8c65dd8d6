"""Refreshing and checking a manuscript that authors edited."""

import io
import re
import shutil
import subprocess
import zipfile
from copy import deepcopy
from dataclasses import replace

import pytest
from article_run import AUC, make_run, manuscript
from docx import Document

from her2radiomics.article.check import agrees, check
from her2radiomics.article.document import Paragraph, Words
from her2radiomics.article.edited import DocumentError, read_document
from her2radiomics.article.refresh import refresh
from her2radiomics.core.files import file_hash
from her2radiomics.manuscript.tables.word_parts import element, qualified, run, text_of, zipped


@pytest.fixture
def old(tmp_path):
    return make_run(tmp_path / "old" / "a_study")


@pytest.fixture
def new(tmp_path):
    return make_run(tmp_path / "new" / "a_study", auc="0.655", colour="black")


def of(folder):
    return folder / "manuscript" / "manuscript.docx"


def paragraph(document, start):
    return next(found for found in document.paragraphs if text_of(found._p).startswith(start))


def controls(document, tag):
    return [
        found
        for found in document.element.body.iter(qualified("w:sdt"))
        if found.find(f"{qualified('w:sdtPr')}/{qualified('w:tag')}").get(qualified("w:val")) == tag
    ]


def written(document, place):
    document.save(str(place))
    return place


def filled(document):
    """The author's parts written, as Word does it: the text replaced, the mark of a placeholder gone."""
    for number in (1, 2):
        (control,) = controls(document, f"author.{number}")
        next(control.iter(qualified("w:t"))).text = "Much is known."
        flag = control.find(f"{qualified('w:sdtPr')}/{qualified('w:showingPlcHdr')}")
        flag.getparent().remove(flag)
    return document


def edited(old, place):
    """A copy with the author's words, a comment, formatting, a tracked insertion and a tracked deletion."""
    document = filled(Document(str(of(old))))
    text = paragraph(document, "In the test set")
    text.runs[0].text = "In the patients of the second hospital the AUC was "
    text.runs[0].bold = True
    document.add_comment([text.runs[0]], "Is this so?", author="A. Reader")
    (deleted,) = controls(document, "delong.p")
    gone = element("w:del", id=901, author="A", date="2026-01-01T00:00:00Z")
    deleted.addprevious(gone)
    gone.append(deleted)
    for part in deleted.iter(qualified("w:t")):
        part.tag = qualified("w:delText")
    inserted = element("w:ins", id=902, author="A", date="2026-01-01T00:00:00Z")
    inserted.extend([run("Again: "), deepcopy(controls(document, AUC)[0])])
    paragraph(document, "Tests of")._p.append(inserted)
    return written(document, place)


def test_a_copy_takes_the_runs_numbers_and_keeps_the_authors_words(old, new, tmp_path):
    path = edited(old, tmp_path / "my_edited.docx")
    before = file_hash(path)
    done = refresh(path, new, tmp_path / "copy.docx")
    assert file_hash(path) == before
    made = Document(str(tmp_path / "copy.docx"))
    sentence = paragraph(made, "In the patients of the second hospital the AUC was 0.655")
    assert sentence.runs[0].bold and "coefficient −0.52" in text_of(sentence._p)
    assert text_of(paragraph(made, "Tests of")._p).endswith("Again: 0.655")
    assert [comment.text for comment in made.comments] == ["Is this so?"]
    body = made.element.body
    assert len(list(body.iter(qualified("w:ins")))) == 1
    assert "".join(part.text for part in body.iter(qualified("w:delText"))) == "<0.001"
    assert "Background: Much is known." in [text_of(found._p) for found in made.paragraphs]
    assert done.numbers == [("0.812", "0.655")] * 4
    assert done.tables == ["Table 1: 1 cells and notes"] and done.figures == ["Figure 1"]
    assert made.tables[0].cell(3, 1).text == "0.655 (0.7–0.9)"
    assert done.notes == ["delong.p: the author took this number out of the document, or its control."]


def test_the_copys_pictures_are_the_runs(old, new, tmp_path):
    document = Document(str(of(old)))
    document.inline_shapes[0].width = document.inline_shapes[0].width // 2
    refresh(written(document, tmp_path / "a.docx"), new)
    made = Document(str(tmp_path / "a.refreshed.docx"))
    shape = made.inline_shapes[0]
    identifier = shape._inline.graphic.graphicData.pic.blipFill.blip.embed
    assert made.part.related_parts[identifier].blob == (new / "figures" / "figure_1_flow.png").read_bytes()
    assert shape.width / shape.height == pytest.approx(1.5, rel=0.01)
    assert shape.width == document.inline_shapes[0].width
    grey = made.inline_shapes[1]._inline.graphic.graphicData.pic.blipFill.blip.embed
    assert made.part.related_parts[grey].blob == (old / "figures" / "figure_s2_roc.png").read_bytes()


def test_a_refreshed_copy_agrees_and_stays_as_it_is(old, new, tmp_path):
    path = edited(old, tmp_path / "e.docx")
    assert not agrees(check(path, new))
    refresh(path, new, tmp_path / "one.docx")
    findings = check(tmp_path / "one.docx", new)
    assert agrees(findings) and [finding.kind for finding in findings] == ["note"]
    again = refresh(tmp_path / "one.docx", new, tmp_path / "two.docx")
    assert (again.numbers, again.tables, again.figures) == ([], [], [])
    first, second = (read_document(tmp_path / f"{name}.docx") for name in ("one", "two"))
    assert first.parts["word/document.xml"] == second.parts["word/document.xml"]


def test_check_lists_what_no_longer_agrees(old, new):
    findings = check(of(old), new)
    numbers = [str(finding) for finding in findings if finding.kind == "number"]
    assert len(numbers) == 3
    assert (
        numbers[1]
        == f"number: Results, “In the test set the AUC was 0.812 …”: found '0.812', the run has '0.655' ({AUC})."
    )
    assert [(f.where, f.message) for f in findings if f.kind == "table"] == [
        ("Table 1, row 4, column 2", "found '0.812 (0.7–0.9)', the run has '0.655 (0.7–0.9)'.")
    ]
    assert [f.where for f in findings if f.kind == "figure"] == ["Figure 1"]
    assert [f.message for f in findings if f.kind == "for the author"] == [
        "[why the study was done] is still to be written.",
        "[what the results mean] is still to be written.",
    ]
    kinds = {finding.kind for finding in check(of(old), old)}
    assert kinds == {"for the author"}, "what was just written agrees with its run"


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("We saw 17 patients of 3.5 years (p < 0.05) and 12%.", ["17", "3.5", "0.05", "12"]),
        ("Of 36/43, −1.5 and 1,023 mm.", ["36", "43", "1.5", "1,023"]),
        ("HER2, T2, Ki-67, DCE3, IBSI-1, p53, 3D and T2WI; BI-RADS 4, IHC 2+, immunohistochemistry 2+, grade 3.", []),
        ("Tables 2 and 3, Figures S1–S3, Fig. 2b, Section 2.4 and [1, 3–5]; in 2018 (doi: 10.1148/radiol.2020).", []),
        ("The 8th edition, 2-D, ICC(2,1), the 10th percentile and χ2.", []),
        ("See https://x.org/12 for it.", []),
    ],
)
def test_numbers_that_are_bound_to_nothing(old, tmp_path, words, numbers):
    document = filled(Document(str(of(old))))
    paragraph(document, "Tests of").add_run(f" {words}")
    findings = check(written(document, tmp_path / "a.docx"), old)
    assert [re.match(r"'(.+?)' in", f.message)[1] for f in findings if f.kind == "bound to nothing"] == numbers
    assert agrees(findings) == (not numbers)


def test_the_authors_own_numbers_can_be_marked(old, tmp_path):
    document = filled(Document(str(of(old))))
    paragraph(document, "Tests of").add_run(" at 3 T", style="Number of the Author")
    assert agrees(check(written(document, tmp_path / "a.docx"), old))


def test_a_control_that_is_gone_is_named_and_its_typed_number_listed(old, tmp_path):
    document = filled(Document(str(of(old))))
    (control,) = controls(document, "delong.p")
    control.addprevious(run("<0.001"))
    control.getparent().remove(control)
    findings = check(written(document, tmp_path / "a.docx"), old)
    assert [(f.kind, f.message) for f in findings if f.kind == "note"] == [
        ("note", "delong.p: the author took this number out of the document, or its control.")
    ]
    assert [f.message.split(" in ")[0] for f in findings if f.kind == "bound to nothing"] == ["'0.001'"]


def test_words_of_a_table_stay_and_its_numbers_are_the_runs(old, new, tmp_path):
    document = Document(str(of(old)))
    table = document.tables[0]
    table.cell(2, 0).paragraphs[0].runs[0].text = "Klinisch"
    table.cell(3, 2).paragraphs[0].runs[0].text = "0.04"
    done = refresh(written(document, tmp_path / "a.docx"), new, tmp_path / "b.docx")
    made = Document(str(tmp_path / "b.docx")).tables[0]
    assert [made.cell(2, 0).text, made.cell(3, 1).text, made.cell(3, 2).text] == [
        "Klinisch",
        "0.655 (0.7–0.9)",
        "<0.001",
    ]
    assert done.notes == ["Table 1: row 4, column 3: '0.04' of the author was replaced by '<0.001'."]


def test_a_table_with_other_rows_is_replaced_with_its_comments(old, tmp_path):
    longer = make_run(tmp_path / "longer" / "a_study", rows=("Clinical", "Radiomics", "Nomogram"))
    document = Document(str(of(old)))
    document.add_comment([document.tables[0].cell(2, 1).paragraphs[0].runs[0]], "Check", author="B")
    path = written(document, tmp_path / "a.docx")
    assert any("found 4 rows, the run's table has 5" in f.message for f in check(path, longer))
    done = refresh(path, longer, tmp_path / "b.docx")
    made = Document(str(tmp_path / "b.docx"))
    assert len(made.tables[0].rows) == 5 and made.tables[0].cell(4, 0).text == "Nomogram"
    assert [comment.text for comment in made.comments] == ["Check"]
    assert len(list(made.element.body.iter(qualified("w:commentReference")))) == 1
    assert "1 comments stand at its first cell now" in done.notes[0]
    assert agrees(tuple(f for f in check(tmp_path / "b.docx", longer) if f.kind != "for the author"))


def test_a_table_to_which_the_author_added_a_row_stays_and_is_named(old, new, tmp_path):
    document = Document(str(of(old)))
    document.tables[0].add_row()
    done = refresh(written(document, tmp_path / "a.docx"), new, tmp_path / "b.docx")
    assert any("stays as it is" in note and "table_3_performance" in note for note in done.notes)
    assert Document(str(tmp_path / "b.docx")).tables[0].cell(3, 1).text == "0.812 (0.7–0.9)"
    assert not agrees(check(tmp_path / "b.docx", new))


def test_a_run_that_lacks_a_table_a_figure_or_a_number_says_so(old, tmp_path):
    text = manuscript()
    less = replace(
        text, body=[block for block in text.body if block.id in ("methods", "statistics", "tests")], supplement=()
    )
    fewer = make_run(tmp_path / "fewer" / "a_study", text=less)
    messages = [str(finding) for finding in check(of(old), fewer)]
    assert any("the run no longer has the table 'table_3_performance'" in message for message in messages)
    assert any("the run no longer has the figure 'figure_1_flow'" in message for message in messages)
    assert any("'<0.001' (delong.p) is a number that the run no longer has" in message for message in messages)
    done = refresh(of(old), fewer, tmp_path / "b.docx")
    assert sum("any more; it stays as it is" in note for note in done.notes) == 7
    assert Document(str(tmp_path / "b.docx")).tables[0].cell(3, 1).text == "0.812 (0.7–0.9)"


def test_a_run_with_more_says_what_to_copy(old, tmp_path):
    text = manuscript()
    body = [block for block in text.body if block.id != "auc"]
    less = make_run(tmp_path / "less" / "a_study", text=replace(text, body=body, supplement=()))
    notes = [f.message for f in check(of(less), old) if f.kind == "note"]
    assert notes[0].startswith("Table S1 of the run ('table_s1_more') is a table that this document does not have")


def test_nothing_is_overwritten(old, new, tmp_path):
    path = edited(old, tmp_path / "a.docx")
    for target in (path, of(new)):
        with pytest.raises(DocumentError, match="nothing is overwritten"):
            refresh(path, new, target)


def with_part(path, target, **parts):
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    target.write_bytes(zipped(found | {name.replace("__", "/"): content for name, content in parts.items()}))
    return target


def test_bad_input_is_refused_by_name(old, tmp_path):
    def said(path, folder=old):
        with pytest.raises(DocumentError) as caught:
            check(path, folder)
        assert str(path if folder is old else folder) in str(caught.value)
        return str(caught.value)

    assert "no file" in said(tmp_path / "absent.docx")
    (tmp_path / "a.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "old Word" in said(tmp_path / "a.doc")
    (tmp_path / "text.docx").write_text("words", encoding="utf-8")
    assert "no whole zip" in said(tmp_path / "text.docx")
    (tmp_path / "cut.docx").write_bytes(of(old).read_bytes()[:5000])
    assert "no whole zip" in said(tmp_path / "cut.docx")
    (tmp_path / "sheet.docx").write_bytes(zipped({"xl/workbook.xml": b"<a/>"}))
    assert "without word/document.xml" in said(tmp_path / "sheet.docx")
    assert "macros" in said(with_part(of(old), tmp_path / "m.docm", **{"word__vbaProject.bin": b"x"}))
    broken = with_part(of(old), tmp_path / "broken.docx", **{"word__document.xml": b"<w:document"})
    assert "broken part word/document.xml" in said(broken)
    stranger = tmp_path / "stranger.docx"
    Document().save(str(stranger))
    assert "no mark of a run" in said(stranger)
    other = make_run(tmp_path / "other" / "another_study", text=manuscript(run="another_study"))
    assert "run 'another_study', expected one of 'a_study'" in said(of(other))
    assert agrees(tuple(f for f in check(of(other), old, other_run=True) if f.kind != "for the author"))
    assert "no such folder" in said(of(old), tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no manuscript of the run" in said(of(old), tmp_path / "empty")


def test_entities_of_a_foreign_file_are_not_opened(old, tmp_path):
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    document = of(old)
    with zipfile.ZipFile(document) as archive:
        text = archive.read("word/document.xml").decode()
    text = re.sub(
        r"<w:document",
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]><w:document',
        text,
        count=1,
    )
    text = text.replace("Statistical analysis</w:t>", "Statistical &x;</w:t>", 1)
    path = with_part(document, tmp_path / "x.docx", **{"word__document.xml": text.encode()})
    refresh(path, old, tmp_path / "y.docx")
    with zipfile.ZipFile(tmp_path / "y.docx") as archive:
        assert b"secret</w:t>" not in archive.read("word/document.xml")


def test_a_superscript_in_a_number_stays_one(old, tmp_path):
    text = manuscript()
    sizes = [Paragraph("size", (Words("Volume "), replace_text(text, "42 mm²")))]
    one = make_run(tmp_path / "one" / "a_study", text=replace(text, body=sizes, supplement=()))
    two_text = [Paragraph("size", (Words("Volume "), replace_text(text, "3·10⁻⁵ mm²")))]
    two = make_run(tmp_path / "two" / "a_study", text=replace(text, body=two_text, supplement=()))
    refresh(of(one), two, tmp_path / "b.docx")
    found = paragraph(Document(str(tmp_path / "b.docx")), "Volume")
    assert text_of(found._p) == "Volume 3·10−5 mm2"
    raised = [
        text_of(part)
        for part in found._p.iter(qualified("w:r"))
        if part.find(f".//{qualified('w:vertAlign')}") is not None
    ]
    assert raised == ["−5", "2"]
    assert agrees(tuple(f for f in check(tmp_path / "b.docx", two) if f.kind != "for the author"))


def replace_text(text, shown):
    found = next(part for _, part in text.runs() if getattr(part, "key", "") == AUC)
    return replace(found, key="volume", text=shown)


def test_bytes_are_the_same_every_time(old, new, tmp_path):
    for name in "ab":
        refresh(of(old), new, tmp_path / f"{name}.docx")
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()
    assert io.BytesIO((tmp_path / "a.docx").read_bytes()).read(2) == b"PK"


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_a_document_that_libreoffice_saved_is_still_bound(old, new, tmp_path):
    """LibreOffice 7.4 drops tags of content controls and alternative texts of tables; bookmarks and the mark stay."""
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    form = "docx:Office Open XML Text"
    command = ["soffice", profile, "--headless", "--convert-to", form, "--outdir", str(tmp_path), str(of(old))]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    saved = tmp_path / "manuscript.docx"
    assert {finding.kind for finding in check(saved, old)} == {"for the author"}
    done = refresh(saved, new, tmp_path / "copy.docx")
    assert done.numbers == [("0.812", "0.655")] * 3 and done.figures == ["Figure 1"] and done.notes == []
    assert {finding.kind for finding in check(tmp_path / "copy.docx", new)} == {"for the author"}
