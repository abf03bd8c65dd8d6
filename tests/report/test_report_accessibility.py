"""Every page of a small run: WCAG 2.2 AA by axe-core, and no sideways scrolling; light and dark, telephone and desk.

axe-core is the version of ``tests/report/axe/package-lock.json``, installed by npm into a cache. What no program can
judge (the order of reading, the sense of an alternative text) is not tested here.
"""

from __future__ import annotations

import pytest
from accessibility import CACHE, SCHEMES, WIDTHS, axe, look
from checklist_results import write_results
from report_run import build, build_context, describe, summarise
from table_run import hostile_table

from her2radiomics.audit.paper import audit, read_audit
from her2radiomics.audit.render import to_html as audit_page
from her2radiomics.checklists.files import contents
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.tables.html import to_html as table_page
from her2radiomics.report import index, page
from her2radiomics.report.extraction_page import extraction_context
from her2radiomics.report.pages import extraction_page
from her2radiomics.study.checklist_files import checklist_run
from her2radiomics.study.plan import Plan


@pytest.fixture(scope="module")
def script() -> str:
    text, reason = axe(CACHE)
    if not text:
        pytest.skip(reason)
    return text


@pytest.fixture(scope="module")
def pages(tmp_path_factory, root) -> dict[str, str]:
    folder, arguments = build(tmp_path_factory.mktemp("accessible"))
    plan = Plan({"runs": [{"study": "her2_nomogram"}]}, root / "workflow")
    run = checklist_run(plan.runs["her2_nomogram"], plan.config, root / "workflow" / "extraction")
    lists = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    paper = read_audit(root / "workflow" / "audits" / "her2_nomogram.yaml")
    extraction = extraction_context(
        *(folder, "nat_response", "Response to therapy", "64 of 66 patients were extracted."),
        simulated=True,
        overlays=arguments["overlays"],
        centres={},
        names=Names({}),
    )
    return {
        "report": page(build_context(folder, describe(), **arguments)),
        "index": index([summarise(folder, describe(), "nat_response/report.html")]),
        "extraction": extraction_page(extraction),
        "checklists": contents(lists, run, write_results(folder / "lists", run))["html"].decode(),
        "audit": audit_page(paper, audit(paper)),
        "table": table_page(hostile_table(), "2"),
    }


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_violates_wcag(pages, script, tmp_path, width, scheme):
    found = look(pages, tmp_path / "pages", script, width, scheme)
    assert set(found) == set(pages)
    assert {name: seen["violations"] for name, seen in found.items() if seen["violations"]} == {}
    assert {name: seen["wide"] for name, seen in found.items() if seen["wide"] > 0} == {}


def test_what_violates_is_found(script, tmp_path):
    """The test would see it: grey on grey, a picture without words, a target that is too small."""
    page_ = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title></head><body><main><h1>Heading</h1>'
        '<p style="color:#aaa;background:#bbb">hardly read</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'
        '<p style="font-size:9px"><button style="all:unset">a</button><button style="all:unset">b</button></p>'
        "</main></body></html>"
    )
    found = look({"bad": page_}, tmp_path / "pages", script, 390, "light")["bad"]
    assert {"color-contrast", "image-alt", "target-size"} <= {rule for rule, *_ in found["violations"]}
