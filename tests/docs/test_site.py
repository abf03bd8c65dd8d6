"""The documentation site: built strictly; every page is in the navigation, every link leads somewhere, nothing is loaded."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import tomllib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from her2radiomics.core.contracts import CONTRACTS

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
spec = importlib.util.spec_from_file_location("build_site", ROOT / "scripts/build_site.py")
build_site = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_site)
needs_zensical = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None, reason="needs Zensical, which is not installed"
)


class Page(HTMLParser):
    """Links, loaded files and names of sections of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.names |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "link" and found.get("rel") != "canonical":
            self.loaded.append(found.get("href") or "")
        self.loaded += [found[key] for key in ("src", "srcset", "data", "poster") if found.get(key)]


def pages_of(entry) -> list[str]:
    """Files of a part of the navigation, in order."""
    if isinstance(entry, str):
        return [entry]
    return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in pages_of(part)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    build_site.lay_out(folder)
    return build_site.build(folder)


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_in_the_navigation_once(tmp_path):
    settings = tomllib.loads((ROOT / build_site.SETTINGS).read_text(encoding="utf-8"))
    build_site.lay_out(tmp_path)
    laid_out = {path.name for path in (tmp_path / "build/pages").glob("*.md")}
    assert sorted(pages_of(settings["project"]["nav"])) == sorted(laid_out)


@needs_zensical
def test_every_link_leads_to_a_page_a_file_or_a_section(site, pages):
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            address, name = urldefrag(link)
            if urlsplit(link).scheme in ("http", "https", "mailto") or path.name == "404.html":
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (name and target in pages and unquote(name) not in pages[target].names):
                wrong.append(f"{path.relative_to(site)}: {link}")
    assert not wrong, "\n".join(wrong)
    assert sum(len(page.links) for page in pages.values()) > 1000


@needs_zensical
def test_every_picture_and_script_is_there_and_no_style_asks_a_network(site, pages):
    for path, page in pages.items():
        for address in page.loaded:
            assert not urlsplit(address).netloc, f"{path.name} loads {address}"
            if not address.startswith("data:") and path.name != "404.html":
                assert (path.parent / unquote(urldefrag(address)[0])).is_file(), f"{path.name}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style.name


@needs_zensical
def test_the_search_has_every_page(site, pages):
    items = json.loads((site / "search.json").read_text(encoding="utf-8"))["items"]
    found = {urldefrag(item["location"])[0] or "index.html" for item in items}
    assert {path.name for path in pages} - {"404.html"} <= found
    assert (site / "search.js").is_file()


#: The page in a frame of a given width, its search asked for a word, and what it shows.
SEARCH = """<!doctype html><iframe id="f" src="index.html" style="width:{width}px;height:900px"></iframe><script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
document.getElementById("f").onload = async (event) => {{
  const view = event.target.contentWindow, page = view.document;
  await wait(300);
  const wide = page.documentElement.scrollWidth - view.innerWidth;
  page.querySelector(".md-search__button").click();
  let answers = [];
  for (let n = 0; n < 100 && !answers.length; n++) {{
    await wait(100);
    const root = [...page.body.querySelectorAll("*")].map((item) => item.shadowRoot).find(Boolean);
    const field = root?.querySelector("input");
    if (!field) continue;
    if (!field.value) {{
      field.value = "harmonisation";
      field.dispatchEvent(new view.InputEvent("input", {{ bubbles: true }}));
    }}
    answers = [...root.querySelectorAll("a[href]")].map((link) => link.href);
  }}
  const out = document.createElement("pre");
  out.id = "out";
  out.textContent = JSON.stringify({{ wide, answers }});
  document.body.append(out);
}};
</script>"""


@needs_zensical
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_search_answers_from_the_disk(site, tmp_path, width):
    """Without a server and without a network, at a desk's and a telephone's width; no page is wider than its window."""
    frame = site / "frame.html"
    frame.write_text(SEARCH.format(width=width), encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --allow-file-access-from-files --virtual-time-budget=30000 "
        "--enable-logging=stderr --v=0 --window-size=1400,950 --dump-dom"
    ).split()
    done = subprocess.run(
        [str(CHROMIUM), *flags, f"--user-data-dir={tmp_path / 'profile'}", frame.as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    frame.unlink()
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    shown = json.loads(unescape(found[1]))
    assert any("harmonisation.html" in answer for answer in shown["answers"]), shown
    assert shown["wide"] <= 0
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]  # what cannot be loaded is named there


def test_every_declared_file_is_explained_in_outputs():
    text = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    for declared in CONTRACTS.values():
        above, _, file = declared.path.replace("{", "<").replace("}", ">").rpartition("/")
        assert f"`{file}`" in text and f"{above}/`" in text, declared.path
