"""Calculators in a headless browser: every page in a frame, its controls moved by a script from outside.

The browser prints a page once it is loaded. Here that is when a picture has come that a server on this machine holds back
until all controls were moved: a browser whose time is virtual does not wait for the reading of a file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LONGEST = 90  # seconds
FRAMES = """<!doctype html><meta charset="utf-8">{frames}<img src="{server}/hold"><script>
const wanted = {wanted}, files = {files};
const wait = () => new Promise((done) => setTimeout(done, 10));
const ready = [...document.querySelectorAll("iframe")].map((frame) => new Promise((done) => {{
  frame.onload = done;
  const page = frame.contentDocument;
  if (page.URL !== "about:blank" && page.readyState === "complete") done();
}}));
Promise.all(ready).then(async () => {{
  const found = {{}};
  for (const [name, patients] of Object.entries(wanted)) {{
    const frame = document.getElementById(name), page = frame.contentDocument, view = frame.contentWindow;
    found[name] = {{ wide: page.documentElement.scrollWidth - view.innerWidth, results: [],
      loaded: view.performance.getEntriesByType("resource").map((entry) => entry.name) }};
    for (const controls of patients) {{
      page.getElementById("controls").reset();
      await wait();
      for (const [id, value] of Object.entries(controls)) {{
        if (id.startsWith("file")) {{
          const pile = new view.DataTransfer();
          pile.items.add(new view.File([files[value]], "features.csv"));
          page.querySelector("[data-file]").files = pile.files;
          page.querySelector("[data-read]").textContent = "";  // a second file may be answered by the same words
          page.querySelector("[data-file]").dispatchEvent(new view.Event("input", {{ bubbles: true }}));
          for (let n = 0; n < 300 && !page.querySelector("[data-read]").textContent; n++) await wait();
          continue;
        }}
        const named = [...page.getElementsByName(id)].find((option) => option.value === value);
        const field = page.getElementById(id.trim()) || named;
        if (field.type === "radio") field.checked = true;
        else if (field.type === "checkbox") field.checked = value;
        else field.value = value;
        field.dispatchEvent(new view.Event("input", {{ bubbles: true }}));
      }}
      await wait();
      const shown = {{}};
      for (const key of ["probability", "score", "interval", "total", "class", "missing"]) {{
        const out = page.querySelector(`[data-${{key}}]`);
        shown[key] = out && (key === "missing" ? out.textContent : out.dataset.value);
      }}
      shown.points = [...page.querySelectorAll("[data-points]")]
        .sort((a, b) => a.dataset.points - b.dataset.points).map((out) => out.dataset.value);
      shown.warnings = [...page.querySelectorAll("[data-warnings] li")].map((item) => item.textContent);
      found[name].results.push(shown);
    }}
  }}
  const out = document.createElement("pre");
  out.id = "out";
  out.textContent = JSON.stringify(found);
  document.body.append(out);
}}).finally(() => {{ new Image().src = "{server}/done"; }});
</script>"""


class _Holding(BaseHTTPRequestHandler):
    """Answers ``/hold`` once ``/done`` was asked for."""

    done: threading.Event

    def do_GET(self) -> None:
        if self.path == "/done":
            self.done.set()
        self.done.wait(LONGEST)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def moved(
    pages: dict[str, str],
    wanted: dict[str, list[dict[str, Any]]],
    files: dict[str, str],
    folder: Path,
    width: int = 390,
) -> dict[str, Any]:
    """What each page shows after its controls were moved; nothing may be written to the console."""
    frames = ""
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
        frames += f'<iframe id="{name}" src="{name}.html" style="width:{width}px;height:800px;border:0"></iframe>'
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Holding", (_Holding,), {"done": threading.Event()}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    page = FRAMES.format(frames=frames, wanted=json.dumps(wanted), files=json.dumps(files), server=at)
    (folder / "frames.html").write_text(page, encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --allow-file-access-from-files --enable-logging=stderr --v=0 "
        "--window-size=1700,900 --dump-dom"
    ).split()
    try:
        done = subprocess.run(
            [str(CHROMIUM), *flags, f"--user-data-dir={folder / 'profile'}", (folder / "frames.html").as_uri()],
            capture_output=True, encoding="utf-8", timeout=2 * LONGEST, env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-3000:]
    assert "CONSOLE" not in done.stderr, done.stderr[-3000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
