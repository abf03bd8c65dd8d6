"""Pages under axe-core in headless Chromium: WCAG 2.2 level A and AA, in light and dark, on a phone and on a desk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

#: Where axe-core is installed.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / "her2radiomics-axe"
LOCKED = Path(__file__).parent / "report" / "axe"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (390, 1280)
SCHEMES = {"dark": 0, "light": 1}  # Chromium's numbers of prefers-color-scheme
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --allow-file-access-from-files --virtual-time-budget=120000 "
    "--window-size=1400,900 --dump-dom"
).split()
# before the page's own policy, which lets no other script run; folded parts are looked at too
CHECK = """<script>{axe}</script><script>
addEventListener("load", () => setTimeout(async () => {{
  for (const part of document.querySelectorAll("details")) part.open = true;
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  let found;
  try {{ found = await axe.run(document, {{ runOnly: tags, resultTypes: ["violations"] }}); }}
  catch (error) {{ found = {{ violations: [], passes: [], failed: String(error) }}; }}
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const nodes = (list) => list.map((rule) => [rule.id, rule.nodes.slice(0, 4).map((node) => node.html.slice(0, 200) +
    " " + node.any.map((check) => check.message).join("; ").slice(0, 300)), rule.nodes.length]);
  const text = JSON.stringify({{ violations: nodes(found.violations), failed: found.failed ?? "",
    passed: found.passes.length, dark, width: innerWidth,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth }});
  parent.postMessage([window.name, text], "*");
}}, 50));
</script>"""
FRAME = """<!doctype html><meta charset="utf-8"><title>frames</title>
<script>const found = {{}};
addEventListener("message", ({{ data: [name, text] }}) => {{
  found[name] = JSON.parse(text);
  if (Object.keys(found).length < {count}) return;
  const out = document.createElement("pre");
  out.id = "axe";
  out.textContent = JSON.stringify(found);
  document.body.append(out);
}});</script>
{frames}"""


def axe(cache: Path) -> tuple[str, str]:
    """axe-core's script as the lock file names it, from a cache or installed by npm; else empty, and the reason."""
    folder = cache / sha256((LOCKED / "package-lock.json").read_bytes()).hexdigest()[:16]
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if CHROMIUM is None:
        return "", "needs a Chromium browser, and none is installed"
    if not script.is_file():
        if shutil.which("npm") is None:
            return "", "needs npm, which installs axe-core, and there is none"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(LOCKED / name, folder / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=300)
        if done.returncode:
            return "", f"npm could not install axe-core: {done.stderr.strip()[-200:]}"
    return script.read_text(encoding="utf-8"), ""


def look(pages: Mapping[str, str], folder: Path, script: str, width: int, scheme: str) -> dict[str, dict[str, Any]]:
    """What axe-core finds on each page of this width and colour scheme; ``wide``: pixels of sideways scrolling."""
    folder.mkdir(parents=True)
    head, frames = '<meta charset="utf-8">', []
    for name, html in pages.items():
        assert head in html
        (folder / f"{name}.html").write_text(html.replace(head, head + CHECK.format(axe=script), 1), encoding="utf-8")
        frames.append(
            f'<iframe name="{name}" src="{name}.html" style="width:{width}px;height:900px;border:0"></iframe>'
        )
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(count=len(frames), frames="\n".join(frames)), encoding="utf-8")
    command = [
        *(str(CHROMIUM), *FLAGS, f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"),
        *(f"--user-data-dir={folder / 'profile'}", frame.as_uri()),
    ]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=300, env={**os.environ, "HOME": str(folder)}
    )
    found = re.search(r'<pre id="axe">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    checked: dict[str, dict[str, Any]] = json.loads(unescape(found[1]))
    for page in checked.values():
        assert page["failed"] == "" and page["passed"], page
        assert page["dark"] == (scheme == "dark") and page["width"] == width, page
    return checked
