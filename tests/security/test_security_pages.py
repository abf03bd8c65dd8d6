"""What goes out: no text of a user becomes an element, an attribute, a script, a field or a formula.

Pages are rendered twice, with a harmless and with a hostile text put after every text that the templates see;
both must have the same elements with the same attributes. Where Chromium is installed, nothing in the hostile page runs.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from figure_inputs import make_inputs, settings
from pydantic import BaseModel
from report_run import build, build_context, describe

from her2radiomics.audit import render as audit
from her2radiomics.audit.paper import Audit, read_audit
from her2radiomics.audit.paper import audit as check_paper
from her2radiomics.checklists import render as checklists
from her2radiomics.checklists.files import read_checklists
from her2radiomics.checklists.fill import FilledChecklist, FilledItem
from her2radiomics.core import spreadsheets as cells
from her2radiomics.manuscript.figures import render as render_figure
from her2radiomics.manuscript.tables.html import fragment_of, to_html
from her2radiomics.manuscript.tables.model import Heading, RowLabel, Table
from her2radiomics.manuscript.tables.text import to_csv, to_latex
from her2radiomics.manuscript.tables.word import to_docx
from her2radiomics.report import RunSummary, index, page

HOSTILE = (
    "\"'><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "</title></style></script></svg>--><!--<b onclick=alert(1)>{{7*7}}{% raw %}$x^{2}$&lt;\\input{/etc/passwd}"
)
# made by the workflow from no text of a user: a rendered fragment (tested on its own), pictures as data, and kinds
OURS = {"fragment", "picture", "layers", "kind"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def poisoned(value: Any, text: str = HOSTILE) -> Any:
    """The same, with ``text`` after every text in it."""
    if isinstance(value, str):
        return value + text
    if isinstance(value, tuple | list):
        return type(value)(poisoned(item, text) for item in value)
    if isinstance(value, dict):
        return {key: poisoned(item, text) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        changed = {
            item.name: poisoned(getattr(value, item.name), text)
            for item in dataclasses.fields(value)
            if item.name not in OURS
        }
        return dataclasses.replace(value, **changed)  # type: ignore[type-var]
    if isinstance(value, BaseModel):
        return value.model_copy(
            update={name: poisoned(getattr(value, name), text) for name in type(value).model_fields if name not in OURS}
        )
    return value


class Elements(HTMLParser):
    """Tags in order, and the names of each tag's attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {(tag, name) for name, _ in attributes}
        self.addresses += [value or "" for name, value in attributes if name in ("href", "src")]

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        self.texts.append(data)


def same_elements(plain: str, hostile: str) -> Elements:
    """Both pages have the same elements and no other attribute; the text is there, as text."""
    a, b = Elements(plain), Elements(hostile)
    assert a.tags == b.tags
    assert b.attributes <= a.attributes
    assert not [name for _, name in b.attributes if name.startswith("on")]
    assert not [address for address in b.addresses if re.match(r"\s*(javascript|vbscript|file):", address, re.I)]
    assert "document.title='owned'" in "".join(b.texts)
    return b


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder, arguments = build(tmp_path_factory.mktemp("pages"))
    return build_context(folder, describe(), **arguments)


@pytest.fixture(scope="module")
def hostile_page(context) -> str:
    return page(poisoned(context))


def test_the_report(context, hostile_page):
    found = same_elements(page(poisoned(context, "x")), hostile_page)
    assert len(found.tags) > 1000
    # what is trusted as it stands is the fragment of a table's page alone, and the page's own script
    templates = Path(__file__).parents[2] / "src/her2radiomics"
    trusted = {
        (path.name, match)
        for path in templates.rglob("*.html")
        for match in re.findall(r"{{[^}]*safe[^}]*}}", path.read_text(encoding="utf-8"))
    }
    assert trusted == {("page.html", "{{ table.fragment | safe }}"), ("page.html", "{{ fragment | safe }}")}


def test_the_policy_lets_the_pages_own_script_run_and_no_other(hostile_page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', hostile_page)
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", policy) and "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_the_index(context):
    run = RunSummary(
        info=context.info, href="r/report.html", variant="v", headline="h",
        aucs=(("Test", "0.8, n = 3"),), n=3, links=(),
    )  # fmt: skip
    same_elements(index([poisoned(run, "x")]), index([poisoned(run)]))
    assert "script-src 'none'" in index([run])


@pytest.fixture(scope="module")
def audited(root) -> tuple[Audit, list]:
    paper = read_audit(root / "workflow/audits/nat_response.yaml")
    return paper, check_paper(paper)


def test_the_audit(audited):
    paper, rows = audited
    bad_paper = paper.model_copy(
        update={n: poisoned(getattr(paper, n)) for n in ("title", "citation", "source", "beyond_arithmetic")}
    )
    bad_rows = [
        dataclasses.replace(
            row, **{n: poisoned(getattr(row, n)) for n in ("claim", "place", "quote", "arithmetic", "note")}
        )
        for row in rows
    ]
    # a note that was empty is one no longer
    filled = [dataclasses.replace(row, note=row.note or "x") for row in rows]
    bad_rows = [dataclasses.replace(row, note=row.note or "x") for row in bad_rows]
    same_elements(audit.to_html(paper, filled), audit.to_html(bad_paper, bad_rows))
    assert "default-src 'none'" in audit.to_html(paper, rows)
    check_word(audit.to_docx(bad_paper, bad_rows))


def test_the_checklists(root):
    lists = read_checklists(sorted((root / "workflow/checklists").glob("*.yaml")))
    filled = [
        FilledChecklist(
            item,
            (FilledItem("1", "s", "t", "filled", "said", ("a.csv",)), FilledItem("2", "s", "t", "not done", "x", ())),
            None,
        )
        for item in lists
    ]
    bad = [
        dataclasses.replace(
            one,
            checklist=one.checklist.model_copy(
                update={n: poisoned(getattr(one.checklist, n)) for n in ("name", "title", "citation")}
            ),
            items=tuple(
                dataclasses.replace(
                    item, **{n: poisoned(getattr(item, n)) for n in ("number", "section", "text", "statement", "files")}
                )
                for item in one.items
            ),
        )
        for one in filled
    ]
    same_elements(checklists.to_html("t", filled, True), checklists.to_html("t" + HOSTILE, bad, True))
    check_word(checklists.to_docx(bad, True))
    formulas = [
        dataclasses.replace(one, items=(FilledItem("=1", "=2", "=3", "filled", "@x", ("=a.csv",)),)) for one in filled
    ]
    read = csv.reader(io.StringIO(checklists.to_csv(formulas, True)))
    assert not [cell for row in read for cell in row if cells.is_formula(cell)]


def table(text: str) -> Table:
    data = pd.DataFrame({"characteristic": [text, text], "a": [f"1{text}", "-0.5 (-1.2 to 0.3)"]})
    headings = (Heading("a", f"A{text}", f"Group{text}"),)
    return Table(f"T{text}", data, f"C{text}", (RowLabel(f"r{text}"), RowLabel("s", 1)), headings, (f"n{text}",), True)


def test_tables():
    plain, hostile = to_html(table(""), "1"), to_html(table(HOSTILE), "1")
    same_elements(plain, hostile)
    same_elements(fragment_of(plain), fragment_of(hostile))
    # nor can a text close the fragment early
    assert fragment_of(to_html(table("<!-- /table --><!-- table -->"), "1")).count("<table") == 1
    check_word(to_docx(table(HOSTILE), "1"))
    rows = list(csv.reader(io.StringIO(to_csv(table("=1+1")))))
    assert not [cell for row in rows for cell in row if cells.is_formula(cell)]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex, and none is installed")
def test_latex_reads_no_file_and_writes_none(tmp_path):
    text = HOSTILE + "\\input{secret}\\write18{touch owned}\\openout1=owned ^^5cinput{secret}%\n#&_{}~"
    (tmp_path / "secret.tex").write_text("STOLEN", encoding="utf-8")
    body = to_latex(table(text), "1", "x")
    packages = (
        "\\usepackage[utf8]{inputenc}\\usepackage[T1]{fontenc}\\usepackage{textcomp}\\usepackage{booktabs}"
        "\\IfFileExists{rotating.sty}{\\usepackage{rotating}}{}"
    )
    source = f"\\documentclass{{article}}{packages}\\begin{{document}}{body}\\end{{document}}"
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path, capture_output=True, encoding="latin-1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:]
    assert not (tmp_path / "owned").exists()
    assert "secret.tex" not in done.stdout


def check_word(content: bytes) -> None:
    """Well-formed, no field (a field may run a program or load a file), no macro, no outside relation, no person."""
    with zipfile.ZipFile(io.BytesIO(content)) as document:
        names = document.namelist()
        assert not [name for name in names if "vba" in name.lower() or "embeddings" in name]
        for name in names:
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(document.read(name))
        text = document.read("word/document.xml").decode("utf-8")
        fields = re.findall(r"<w:instrText[^>]*>([^<]*)</w:instrText>", text)
        assert all(re.fullmatch(r" SEQ (Table|Figure)(_\w)? \\\* ARABIC( \\r \d+)? ", field) for field in fields), (
            fields
        )
        assert text.count("instrText") == 2 * len(fields) and "fldSimple" not in text
        assert "document.title='owned'" in text
        assert not [n for n in names if n.endswith(".rels") and b'TargetMode="External"' in document.read(n)]
        core = document.read("docProps/core.xml").decode("utf-8")
        assert "<dc:creator>her2radiomics</dc:creator>" in core and "2000-01-01" in core


SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {
    "svg",
    "metadata",
    "defs",
    "style",
    "g",
    "path",
    "use",
    "clipPath",
    "rect",
    "image",
    "circle",
    "text",
    "tspan",
}
ALLOWED |= {
    "RDF",
    "Work",
    "type",
    "format",
    "creator",
    "title",
    "description",
    "Agent",
    "date",
    "linearGradient",
    "stop",
    "pattern",
}


@pytest.mark.parametrize("kind", ["flow", "roc", "nomogram", "workflow"])
def test_figures(tmp_path, kind):
    """SVG without a script, handler or outside reference; PDF without an action; a CSV without a formula."""
    given = make_inputs(tmp_path / "in")
    study = given.study
    named = {"title": study.title, "positive": study.positive, "negative": study.negative}
    mapped = {n: getattr(study, n) for n in ("partitions", "models", "sequences", "columns")}
    bad = {n: "=" + v + HOSTILE for n, v in named.items()}
    bad |= {n: {key: "=" + text + HOSTILE[:60] for key, text in value.items()} for n, value in mapped.items()}
    inputs = dataclasses_or_model(given, study.model_copy(update=bad))
    figure = settings(kind)
    render_figure(figure, inputs, tmp_path / "figure", {"run": HOSTILE})
    tree = ElementTree.parse(tmp_path / "figure.svg")
    for element in tree.iter():
        assert element.tag.split("}")[-1] in ALLOWED, element.tag
        for name, value in element.attrib.items():
            assert not name.split("}")[-1].lower().startswith("on"), name
            if name.endswith("href"):
                assert value.startswith(("#", "data:image/png")), value[:60]
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert not re.search(rb"/(JavaScript|JS|OpenAction|AA|Launch|URI|EmbeddedFile)\b", pdf)
    with (tmp_path / "figure.csv").open(encoding="utf-8", newline="") as stream:
        assert not [cell for row in csv.reader(stream) for cell in row if cells.is_formula(cell)]


def dataclasses_or_model(given: Any, study: Any) -> Any:
    return (
        given.model_copy(update={"study": study})
        if isinstance(given, BaseModel)
        else dataclasses.replace(given, study=study)
    )


def test_a_dollar_in_a_name_is_no_formula_of_matplotlib():
    from matplotlib.figure import Figure

    from her2radiomics.manuscript import style

    with style.in_style():
        figure = Figure()
        figure.text(0, 0, r"A $\notacommand{$ centre")
        figure.savefig(io.BytesIO(), format="svg")


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_nothing_runs_in_chromium(hostile_page, tmp_path):
    """Neither in the report nor, which is harder, in the same page without its policy."""
    for name, text in (
        ("with", hostile_page),
        ("without", re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", hostile_page)),
    ):
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --virtual-time-budget=10000 --dump-dom"
        ).split()
        done = subprocess.run(
            [str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / f"{name}.html").as_uri()],
            capture_output=True, encoding="utf-8", timeout=120, env={**os.environ, "HOME": str(tmp_path)},
        )  # fmt: skip
        title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
        assert title and title[1] != "owned" and len(title[1]) > 100, done.stderr[-1000:]
        # the page's own script did run
        assert re.search(r"<span data-count[^>]*>\d+ of \d+ regions", done.stdout)
