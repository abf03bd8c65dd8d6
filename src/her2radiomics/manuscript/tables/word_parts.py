"""Parts of a Word file for which python-docx has no function: runs, fields, bookmarks, content controls, styles, packing."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from her2radiomics.core.archives import ZIP_TIME
from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.formatting import MARKS
from her2radiomics.manuscript.tables.text import true_minus

if TYPE_CHECKING:
    from docx.document import Document

# a document must carry a date of making; a fixed one keeps the bytes the same
_DATE = datetime(2000, 1, 1)
#: Styles that tables use; a document that takes a table over has them too.
TABLE, TABLE_TEXT, TABLE_NOTE, CAPTION = "Journal Table", "Table Text", "Table Note", "Caption"
_SUPERSCRIPTS = {
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789−+", strict=True)),
    **dict(zip(MARKS, "abcdefghij", strict=True)),
}
_RAISED = re.compile(f"([{''.join(_SUPERSCRIPTS)}]+)")
#: Characters that Word's XML cannot hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def qualified(name: str) -> str:
    """A name with its namespace, as lxml has it: ``w:p``."""
    return str(docx.oxml.ns.qn(name))


def element(name: str, /, *children: Any, **attributes: Any) -> Any:
    """An element with attributes of Word's namespace: ``element("w:tag", val="x")``."""
    made = docx.oxml.OxmlElement(name)
    for key, value in attributes.items():
        made.set(qualified(f"w:{key}"), str(value))
    made.extend(children)
    return made


def run(text: str, *properties: Any) -> Any:
    """A run of text as it stands, with its properties; a line break where the text has one."""
    made = element("w:r", *([element("w:rPr", *properties)] if properties else []))
    for place, line in enumerate(_UNPRINTABLE.sub("\ufffd", text).split("\n")):
        made.extend([element("w:br")] if place else [])
        part = element("w:t")
        part.text = line
        part.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.append(part)
    return made


def runs(text: str, **style: bool) -> list[Any]:
    """Runs of a printed text: true minus signs, and letters and digits in superscript in place of Unicode's own.

    ``style`` are properties by name: ``bold``, ``italic``, ``superscript``.
    """
    found = []
    for part in _RAISED.split(true_minus(text)):
        raised = style.get("superscript") or _RAISED.fullmatch(part)
        properties = [element("w:b")] * bool(style.get("bold")) + [element("w:i")] * bool(style.get("italic"))
        properties += [element("w:vertAlign", val="superscript")] if raised else []
        if part:
            plain = "".join(_SUPERSCRIPTS.get(letter, letter) for letter in part) if raised else part
            found.append(run(plain, *properties))
    return found


def styled(text: str, style: str) -> Any:
    """A run in a character style, by the style's identifier."""
    return run(text, element("w:rStyle", val=style))


def field(instruction: str, shown: str) -> list[Any]:
    """Runs of a field with the text that it shows until Word computes it anew."""
    code = element("w:instrText")
    code.text = f" {instruction} "
    code.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    parts = [element("w:fldChar", fldCharType=kind) for kind in ("begin", "separate", "end")]
    begin, separate, end = (element("w:r", part) for part in parts)
    return [begin, element("w:r", code), separate, run(shown), end]


def numbered(label: str, number: str, *, counted: bool = False) -> list[Any]:
    """``Table 2``, ``Table S3`` or ``Figure 5b`` as a caption has it, so that Word's own lists of tables find it.

    The number is that given, unless it is ``counted``: then Word counts it by its place when it updates its fields.
    """
    prefix, count, letter = re.fullmatch(r"(\D*)(\d*)(.*)", number).groups()  # type: ignore[union-attr]
    name = f"{label}_{prefix}" if prefix else label
    instruction = rf"SEQ {name} \* ARABIC" + ("" if counted else rf" \r {count}")
    made = [run(f"{label} {prefix}"), *(field(instruction, count) if count else [])]
    return [*made, *([run(letter)] if letter else [])]


def bookmarked(name: str, number: int, inside: list[Any]) -> list[Any]:
    """What is inside, between the ends of a bookmark."""
    return [element("w:bookmarkStart", id=number, name=name), *inside, element("w:bookmarkEnd", id=number)]


def control(tag: str, alias: str, number: int, inside: list[Any], *, placeholder: bool = False) -> Any:
    """A content control in a line of text; ``placeholder`` ones are replaced as a whole by what is typed."""
    properties = element(
        "w:sdtPr",
        element("w:alias", val=alias[:64]),
        element("w:tag", val=tag),
        element("w:id", val=number),
        *([element("w:showingPlcHdr")] if placeholder else []),
    )
    return element("w:sdt", properties, element("w:sdtContent", *inside))


def set_type(style: Any, family: str, points: float, *, bold: bool = False, italic: bool = False) -> None:
    """Give a style a typeface in black, whatever the theme says."""
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for key in list(fonts.attrib):
        del fonts.attrib[key]
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qualified(f"w:{script}"), family)
    style.font.size, style.font.bold, style.font.italic = docx.shared.Pt(points), bold, italic
    style.font.color.rgb = docx.shared.RGBColor(0, 0, 0)


def add_table_styles(document: Document, family: str, points: float) -> None:
    """Add the styles of tables: the table's own, of its cells and notes, and of its caption."""
    styles, kinds = document.styles, docx.enum.style.WD_STYLE_TYPE
    table: Any = styles.add_style(TABLE, kinds.TABLE)
    table.base_style = styles["Normal Table"]
    sides = [
        element("w:tblCellMar", *(element(f"w:{side}", w=85, type="dxa") for side in ("left", "right"))),
        element("w:tblBorders", *(element(f"w:{side}", val="single", sz=12, space=0) for side in ("top", "bottom"))),
    ]
    table.element.append(element("w:tblPr", *reversed(sides)))
    for name, size in ((TABLE_TEXT, points), (TABLE_NOTE, points - 1.5)):
        style: Any = styles.add_style(name, kinds.PARAGRAPH)
        style.base_style, style.quick_style = styles["Normal"], True
        set_type(style, family, size)
        style.paragraph_format.space_before, style.paragraph_format.space_after = docx.shared.Pt(1), docx.shared.Pt(2)
        style.paragraph_format.line_spacing = 1.0
    caption: Any = styles[CAPTION]
    set_type(caption, family, points)
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = docx.shared.Pt(6), docx.shared.Pt(4)
    caption.paragraph_format.line_spacing = 1.0


def fix_properties(document: Document, title: str, language: str = "en-GB") -> None:
    """Set the document's properties to what its content says, with a fixed date."""
    properties = document.core_properties
    properties.author = properties.last_modified_by = "her2radiomics"
    # the core properties hold at most 255 characters
    properties.title = _UNPRINTABLE.sub("\ufffd", title)[:255]
    properties.comments, properties.language, properties.revision = "", language, 1
    properties.created = properties.modified = _DATE


def packed(document: Document, more: Mapping[str, bytes] | None = None) -> bytes:
    """The document's file with ``more`` parts, the same bytes every time: zip entries carry the time of saving."""
    buffer = io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as source:
        return zipped({name: source.read(name) for name in source.namelist()} | dict(more or {}))


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """Parts of a document as a zip file with sorted names and a fixed date; readers expect the content types first."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(parts, key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, date_time=ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, parts[name])
    return made.getvalue()


def live_texts(parent: Any) -> Iterator[Any]:
    """Every ``w:t`` below an element that no tracked deletion took away."""
    gone = {qualified("w:del"), qualified("w:moveFrom")}
    for text in parent.iter(qualified("w:t")):
        if gone.isdisjoint(above.tag for above in text.iterancestors()):
            yield text


def text_of(parent: Any) -> str:
    """The text below an element, without what is deleted in tracked changes."""
    return "".join(text.text or "" for text in live_texts(parent))
