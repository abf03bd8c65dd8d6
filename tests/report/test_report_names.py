"""No page and no table prints an identifier of the protocol where it has a printed name, nor a hyphen for a minus."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_run import TABLES, build, build_context, describe
from table_run import COLUMNS

from her2radiomics.report import page
from her2radiomics.report.names import names_of
from her2radiomics.study.descriptions import read_run_info

HYPHEN_AS_MINUS = re.compile(r"(?<![\w.)–-])-(?=\d)")
FILE = re.compile(r"\S+/\S+\.(nii\.gz|nrrd|csv)")
UNREAD = ("script", "style", "svg", "code")


class Seen(HTMLParser):
    """The texts that a page shows, without those of links to files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        link = tag == "a" and not dict(attrs).get("href", "#").startswith("#")
        if tag in UNREAD or link:
            self.inside.append(tag)
        self.texts += [value for name, value in attrs if name in ("alt", "aria-label") and value]

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.texts.append(data)


def identifiers(info) -> set[str]:
    """Names that are internal: those whose printed name is another, and that are no English word."""
    names = names_of(info)
    known = {**names.models, **names.sequences, **names.groups}
    known |= {name: column.label for name, column in names.columns.items()}
    known |= {region: names.region(region) for item in info.protocol.sequences.values() for region in item.regions}
    return {name for name, printed in known.items() if re.search(r"[_\d]", name) and name != printed}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, arguments = build(tmp_path_factory.mktemp("named"))
    return folder, page(build_context(folder, describe(), **arguments))


def test_pages_and_tables_print_no_identifier(made):
    folder, html = made
    internal = identifiers(read_run_info(describe()))
    assert {"ki67", "DCE2", "T2FS", "tumour_slice"} <= internal and set(COLUMNS) & internal
    pages = [html, *((folder / "tables" / f"{item['id']}.html").read_text(encoding="utf-8") for item in TABLES)]
    for text in (text for content in pages for text in Seen(content).texts):
        words = [] if FILE.fullmatch(text) else re.findall(r"\w+", text)
        found = [word for word in words if word in internal or "__" in word]
        assert not found, (found, text)


def test_a_printed_number_has_a_minus_sign_and_a_csv_a_hyphen(made):
    folder, html = made
    texts = Seen(html).texts
    assert any(re.search(r"−\d", text) for text in texts)
    assert not [text for text in texts if HYPHEN_AS_MINUS.search(text)]
    assert not [path.name for path in Path(folder / "tables").glob("*.csv") if "−" in path.read_text(encoding="utf-8")]
