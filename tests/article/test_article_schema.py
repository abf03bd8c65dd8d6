"""Children of Word's properties stand in the order of the schema (ECMA-376, Part 1, wml.xsd): others Word may refuse."""

import zipfile

import pytest
from article_run import make_run
from docx.oxml.ns import qn
from lxml import etree

ORDER = {
    "w:pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd snapToGrid "
    "spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment textboxTightWrap outlineLvl "
    "divId cnfStyle rPr sectPr pPrChange",
    "w:rPr": "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid "
    "vanish webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang",
    "w:tblPr": "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing tblInd "
    "tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription",
    "w:tcPr": "cnfStyle tcW gridSpan hMerge vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign hideMark",
    "w:tcBorders": "top start left bottom end right insideH insideV",
    "w:sdtPr": "rPr alias tag id lock placeholder temporary showingPlcHdr",
    "w:sectPr": "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType "
    "pgNumType cols formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid",
    "w:style": "name aliases basedOn next link autoRedefine hidden uiPriority semiHidden unhideWhenUsed qFormat locked "
    "personal personalCompose personalReply rsid pPr rPr tblPr trPr tcPr tblStylePr",
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Documents of the profile that uses most, and the table alone, which is set smaller in one of them."""
    found = {}
    for name in ("frontiers", "bmc"):
        run = make_run(tmp_path_factory.mktemp("run") / name / "a_study", journal=name)
        for path in (run / "manuscript" / "manuscript.docx", run / "tables" / "table_3_performance.docx"):
            with zipfile.ZipFile(path) as archive:
                for part in ("document", "styles", "numbering"):
                    if f"word/{part}.xml" in archive.namelist():
                        found[name, path.name, part] = etree.fromstring(archive.read(f"word/{part}.xml"))
    return found


@pytest.mark.parametrize("name", ORDER)
def test_children_are_in_order(parts, name):
    order = [qn(f"w:{child}") for child in ORDER[name].split()]
    seen = 0
    for where, tree in parts.items():
        for found in tree.iter(qn(name)):
            children = [child.tag for child in found if child.tag in order]
            assert len(children) == len(found), (where, [child.tag for child in found if child.tag not in order])
            assert children == sorted(children, key=order.index), (where, etree.tostring(found)[:600])
            seen += 1
    assert seen


def test_identifiers_are_unique(parts):
    for (_, _, part), tree in parts.items():
        if part == "document":
            starts = [found.get(qn("w:id")) for found in tree.iter(qn("w:bookmarkStart"))]
            ends = [found.get(qn("w:id")) for found in tree.iter(qn("w:bookmarkEnd"))]
            names = [found.get(qn("w:name")) for found in tree.iter(qn("w:bookmarkStart"))]
            assert len(set(starts)) == len(starts) and sorted(starts) == sorted(ends) and len(set(names)) == len(names)
