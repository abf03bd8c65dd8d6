"""The smaller pages in a browser at a phone's width: the index, the audit, the checklists and a table's own page.

The report's page, with its controls, is tested in ``test_report_quality.py``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
from checklist_results import write_results
from report_run import describe, protocol
from table_run import hostile_table

from her2radiomics.audit.paper import audit, read_audit
from her2radiomics.audit.render import to_html as audit_page
from her2radiomics.checklists.files import contents
from her2radiomics.manuscript.tables.html import to_html as table_page
from her2radiomics.report import index
from her2radiomics.report.context import Link, RunSummary
from her2radiomics.study.checklist_files import checklist_run
from her2radiomics.study.descriptions import read_run_info
from her2radiomics.study.plan import Plan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH = 390
# all pages at once, each in a frame of a phone's width; what they may load is their own policy's to forbid, so the frame
# asks from outside
FRAMES = """<!doctype html><meta charset="utf-8">{frames}<script>
addEventListener("load", () => setTimeout(() => {{
  const found = {{}};
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument, view = frame.contentWindow;
    for (const details of page.querySelectorAll("details")) details.open = true;
    found[frame.id] = {{
      wide: page.documentElement.scrollWidth - view.innerWidth,
      loaded: view.performance.getEntriesByType("resource").map((entry) => entry.name),
      broken: [...page.images].filter((picture) => !picture.complete || !picture.naturalWidth).length,
      unnamed: [...page.images].filter((picture) => !picture.alt).length,
      title: page.title, heading: page.querySelectorAll("h1, caption").length, text: page.body.innerText.length,
    }};
  }}
  const out = document.createElement("pre");
  out.id = "out";
  out.textContent = JSON.stringify(found);
  document.body.append(out);
}}, 100));
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_smaller_pages_in_chromium(root, tmp_path):
    """Nothing on the console, nothing loaded, no broken picture, and no sideways scrolling of a page."""
    plan = Plan({"runs": [{"study": "her2_nomogram"}]}, root / "workflow")
    run = checklist_run(plan.runs["her2_nomogram"], plan.config, root / "workflow" / "extraction")
    lists = sorted((root / "workflow" / "checklists").glob("*.yaml"))
    paper = read_audit(root / "workflow" / "audits" / "her2_nomogram.yaml")
    request = {"study": "her2_nomogram", "variant": "split_224_96"}
    long = {
        "title": "A nomogram for HER2 status in breast cancer, with radiomics, prognosis and immune profile",
        "question": "Do MRI characteristics and radiomics tell HER2-positive from HER2-negative breast cancer?",
    }
    summary = RunSummary(
        info=read_run_info(describe(request=request, protocol=protocol() | long)),
        href="a/report.html",
        variant="split_224_96: Training and validation 224 and 96, as the methods say.",
        headline="The nomogram separated HER2-positive from HER2-negative with an AUC of 0.80.",
        aucs=(("Training", "0.83 (0.78–0.88), n = 224"), ("Validation", "0.80 (0.71–0.88), n = 96")),
        n=320,
        links=(Link("Audit of the paper", "a/tables/audit.html"),),
    )
    pages = {
        "index": index([summary]),
        "audit": audit_page(paper, audit(paper)),
        "checklists": contents(lists, run, write_results(tmp_path / "r", run))["html"].decode(),
        "table": table_page(hostile_table(), "2"),
    }
    frames = ""
    for name, text in pages.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
        frames += f'<iframe id="{name}" src="{name}.html" style="width:{WIDTH}px;height:800px;border:0"></iframe>'
    (tmp_path / "frames.html").write_text(FRAMES.format(frames=frames), encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --allow-file-access-from-files --virtual-time-budget=20000 "
        "--enable-logging=stderr --v=0 --window-size=1700,900 --dump-dom"
    ).split()
    done = subprocess.run(
        [str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "frames.html").as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]  # errors, and what a page's policy refused
    checked = json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    assert set(checked) == set(pages)
    for name, page in checked.items():
        assert page["wide"] <= 0, (name, page)
        assert page["loaded"] == [] and page["broken"] == 0 and page["unnamed"] == 0, (name, page)
        assert page["title"] and page["heading"] and page["text"] > 100, (name, page)
