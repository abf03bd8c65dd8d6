"""Viewer of regions and copy buttons in a browser, by keyboard: what they show, say and put on the clipboard."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from accessibility import CHROMIUM, FLAGS
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from report_run import build, build_context, describe

from her2radiomics.extraction.overlay import LAYERS
from her2radiomics.report import page
from her2radiomics.report.embed import overlays

GREYS = 16
SLICES = [[4, 0, 20, 100, 80], [3, 102, 20, 50, 50], [5, 152, 20, 50, 50]]
CHECK = """<script>
const out = { problems: [], seen: [] };
addEventListener("error", (event) => out.problems.push(String(event.message)));
addEventListener("securitypolicyviolation", (event) => out.problems.push("refused: " + event.blockedURI));
addEventListener("load", () => setTimeout(async () => {
  const one = (query) => document.querySelector(query);
  const viewer = one("[data-viewer]"), key = (name) =>
    viewer.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const look = () => {
    const [first, second] = one("[data-stage]").children;
    return [one("[data-now]").textContent, first.style.width, first.style.left, Boolean(second) &&
      getComputedStyle(second).display !== "none", one("[data-slice]").disabled, viewer.open];
  };
  const note = () => out.seen.push(look());
  one("#quality details").open = true;
  const link = one('[data-qc-pictures] li[data-patient="C1-001"] a');
  link.focus();
  link.click();
  note();
  key("ArrowDown"); note();
  key("ArrowDown"); note();
  one("[data-contours-button]").click(); note();
  out.pressed = one("[data-contours-button]").getAttribute("aria-pressed");
  out.everywhere = one("input[data-contours]").checked;
  key("ArrowRight"); note();
  key("ArrowLeft"); note();
  one("[data-close]").click();
  await new Promise((done) => setTimeout(done, 20));
  out.closed = !viewer.open;
  out.focus = document.activeElement.closest("li")?.dataset.patient;
  // the clipboard that grants, then one that refuses with the old command, then with neither
  const said = (name) => one(`[data-copy=${name}]`).parentElement.querySelector("[role=status]").textContent;
  const copy = async (name) => {
    one(`[data-copy=${name}]`).click();
    await new Promise((done) => setTimeout(done, 20));
    return said(name);
  };
  const clipboard = (value) => Object.defineProperty(navigator, "clipboard", { configurable: true, value });
  let text = "";
  clipboard({ writeText: async (given) => { text = given; } });
  out.methods = [await copy("methods"), text];
  out.references = [await copy("references"), text];
  out.paper = [await copy("paper"), text];
  clipboard({ writeText: async () => { throw new DOMException("not allowed", "NotAllowedError"); } });
  document.execCommand = () => true;
  out.refused = [await copy("methods"), document.querySelectorAll("textarea").length];
  clipboard(undefined);
  document.execCommand = () => false;
  out.neither = [await copy("paper"), await copy("paper"), document.activeElement.value,
    document.querySelectorAll("textarea").length];
  const box = document.createElement("pre");
  box.id = "checked";
  box.textContent = JSON.stringify(out);
  document.body.append(box);
}, 100));
</script>"""


def layered(path: Path) -> None:
    """A picture as the extraction draws it: a square of the second grey, outlined in the first colour."""
    indices = np.full((100, 202), 3, np.uint8)
    indices[40:60, 20:60] = 12
    indices[40, 20:60] = indices[59, 20:60] = GREYS + 12
    picture = Image.fromarray(indices, mode="P")
    ramp = [part for level in range(GREYS) for part in (level * 17,) * 3]
    picture.putpalette(ramp + [230, 159, 0] * GREYS)
    text = PngInfo()
    text.add_text(LAYERS, json.dumps({"greys": GREYS, "slices": SLICES, "of": 9}))
    picture.save(path, pnginfo=text)


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> str:
    folder, arguments = build(tmp_path_factory.mktemp("viewer"))
    for path in arguments["overlays"][:2]:
        layered(path)
    return page(build_context(folder, describe(), **arguments))


def test_outlines_are_apart_from_the_image(tmp_path):
    layered(tmp_path / "a.png")
    Image.new("RGB", (30, 20), "black").save(tmp_path / "b.png")
    (first, second) = overlays([tmp_path / "a.png", tmp_path / "b.png"])
    assert first.slices == tuple(map(tuple, SLICES)) and first.of == 9 and first.size == (202, 100)
    assert first.picture.startswith("data:image/webp") and first.contours.startswith("data:image/png")
    assert (second.contours, second.slices, second.of, second.size) == ("", (), 0, (30, 20))


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
def test_viewer_and_copies_in_chromium(html, tmp_path):
    (tmp_path / "page.html").write_text(html.replace("<head>", f"<head>{CHECK}", 1), encoding="utf-8")
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "page.html").as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    found = re.search(r'<pre id="checked">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    out = json.loads(unescape(found[1]))
    assert out["problems"] == []
    # by urgency: C1-901 failed, C1-002 has the lower Dice, C1-001 is last; its slices are cut out of the picture
    whole = ["C1-001 · DWI · case 3 of 3 · whole picture", "100%", "0%", True, False, True]
    fourth = ["C1-001 · DWI · case 3 of 3 · slice 4 of 9", "202%", "0%", True, False, True]
    third = ["C1-001 · DWI · case 3 of 3 · slice 3 of 9", "404%", "-204%", True, False, True]
    assert out["seen"][:4] == [whole, fourth, third, [*third[:3], False, False, True]]
    assert out["pressed"] == "false" and out["everywhere"] is False
    # after the last case comes the first: a picture of a reason has no slices and no outlines of its own
    assert out["seen"][4][0] == "C1-901 · DWI · failed · case 1 of 3 · whole picture" and out["seen"][4][4] is True
    assert out["seen"][5][0] == whole[0]
    assert out["closed"] and out["focus"] == "C1-001"
    said, methods = out["methods"]
    assert (
        said == "Copied." and "\n\n" in methods and len(methods) > 1000 and "Written from the protocol" not in methods
    )
    said, references = out["references"]
    assert said == "Copied." and references.startswith("1. ") and "\n2. " in references
    assert out["paper"] == ["Copied.", "Wang L, et al. Front Oncol. 2025;15:1544058. doi:10.3389/fonc.2025.1544058"]
    assert out["refused"] == ["Copied.", 0]
    told = "Not copied: press Ctrl+C or Cmd+C in the field below."
    assert out["neither"] == [told, told, out["paper"][1], 1]
