"""The documentation site: ``python scripts/build_site.py`` (``make site``) writes it into ``site/``.

The pages are those of ``docs``, and ``CHANGELOG.md`` and ``CONTRIBUTING.md`` beside them. A link to another file of the
project leads to a copy of it. A warning of the build is an error. What a page would load from a network is replaced.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "zensical.toml"
#: Files of the project's folder that are pages of the site.
PAGES = {"CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)")
SHIM = re.compile(r'<script src="https://unpkg\.com/iframe-worker/shim"[^>]*></script>')
WORKER = "worker_on_disk.js"


def lay_out(folder: Path) -> None:
    """Write the settings and all pages, with their links as the site has them, into a folder."""
    docs = folder / "build/pages"
    shutil.rmtree(docs, ignore_errors=True)
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("drawn_from"))
    shutil.copyfile(ROOT / "scripts" / WORKER, docs / WORKER)
    if folder != ROOT:
        shutil.copyfile(ROOT / SETTINGS, folder / SETTINGS)
    for page in sorted((ROOT / "docs").glob("*.md")):
        (docs / page.name).write_text(_linked(page, docs), encoding="utf-8")
    for name, page in PAGES.items():
        (docs / page).write_text(_linked(ROOT / name, docs), encoding="utf-8")


def _linked(page: Path, docs: Path) -> str:
    """The text of a page whose links lead to pages of the site and to copies of files."""

    def led(found: re.Match[str]) -> str:
        target = (page.parent / found[1]).resolve()
        if not target.is_file():
            raise SystemExit(f"{page.relative_to(ROOT)}: found a link to {found[1]}; expected a file of the project")
        inside = target.relative_to(ROOT).as_posix()
        if inside.startswith("docs/"):
            return f"]({inside.removeprefix('docs/')}{found[2] or ''})"
        if inside in PAGES:
            return f"]({PAGES[inside]}{found[2] or ''})"
        copy = f"files/{inside}.txt"  # a browser shows it, whatever its ending
        (docs / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, docs / copy)
        return f"]({copy})"

    return LINK.sub(led, page.read_text(encoding="utf-8"))


def build(folder: Path) -> Path:
    """Build the pages of a folder strictly, and return the folder of the site."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    subprocess.run(command, cwd=folder, check=True)
    site = folder / "site"
    for page in site.rglob("*.html"):
        up = "../" * len(page.relative_to(site).parents[:-1])
        text, count = SHIM.subn(f'<script src="{up}{WORKER}"></script>', page.read_text(encoding="utf-8"))
        if count != 1:
            raise SystemExit(f"{page}: found {count} scripts for a worker on the disk, expected 1: see {SETTINGS}")
        page.write_text(text, encoding="utf-8")
    return site


if __name__ == "__main__":
    lay_out(ROOT)
    print(build(ROOT) / "index.html")
