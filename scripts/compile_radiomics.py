"""Build PyRadiomics, which comes as source alone, where the machine has no C compiler: one from the package index does it.

    .venv/bin/python scripts/compile_radiomics.py     (the Makefile calls it before it installs the locked packages)

Nothing happens where PyRadiomics is installed, or where there is a compiler: then the installer builds it. Else the
compiler of ``requirements.compiler.lock`` is unpacked into a folder that is deleted at the end, and the built wheel is
kept in ``.wheels``, by Python and machine, so that it is built once. Uses the standard library alone, since nothing is
installed yet.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "pyradiomics-bhklab"
CACHE = ROOT / ".wheels" / f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
# the same instructions on all machines of a kind, and no fused operations: values equal other compilers' to the bit
FLAGS = "-mcpu=baseline -ffp-contract=off -fno-sanitize=undefined"


def locked(lock: Path, name: str) -> str:
    """The lines of a package in a lock file: its version and hashes."""
    found = re.search(rf"^{name}==(?:.*\\\n)*.*$", lock.read_text(encoding="utf-8"), re.M)
    if found is None:
        sys.exit(f"{lock.name}: found no {name}. Call: make lock")
    return found[0]


def compiler() -> str | None:
    """The C compiler that a build would take: that of ``CC``, else the one that this Python was built with, or ``cc``."""
    named = os.environ.get("CC")
    words = [named] if named else [sysconfig.get_config_var("CC"), "cc"]
    return next((word for word in words if word and shutil.which(shlex.split(word)[0])), None)


def require_headers() -> None:
    """End with what to install where Python's headers are missing."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.is_file():
        short = f"python{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"Install {short}-dev or python3-dev (Debian, Ubuntu: apt install; Fedora: python3-devel).\n"
            f"PyRadiomics is built on this machine and needs Python's headers; found no {header}."
        )


def pip(*words: str, environment: dict[str, str] | None = None) -> None:
    """Run pip; its words are printed where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        env=os.environ | (environment or {}),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        sys.exit(f"pip {' '.join(words)}:\n{done.stdout}{done.stderr}")


def build(requirement: str) -> Path:
    """Build the wheel by the compiler of the package index and keep it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compiler-", dir=CACHE) as temporary:  # programs may not run in /tmp
        folder = Path(temporary)
        lock = str(ROOT / "requirements.compiler.lock")
        pip("install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder), "-r", lock)
        # the program itself: a build's isolated environment does not see the package
        wrapper = folder / "cc"
        program = shlex.quote(str(folder / "ziglang" / "zig"))
        wrapper.write_text(f'#!/bin/sh\nexec {program} cc {FLAGS} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
        shared = "-bundle -undefined dynamic_lookup" if sys.platform == "darwin" else "-shared"
        caches = {f"ZIG_{name}_CACHE_DIR": str(folder / "cache") for name in ("GLOBAL", "LOCAL")}
        (folder / "package.txt").write_text(f"{requirement}\n", encoding="utf-8")
        pip(
            *("wheel", "--quiet", "--no-deps", "--no-cache-dir", "--require-hashes"),
            *("--wheel-dir", str(folder / "wheels"), "-r", str(folder / "package.txt")),
            environment={
                "CC": shlex.quote(str(wrapper)),
                "LDSHARED": f"{shlex.quote(str(wrapper))} {shared}",
                **caches,
            },
        )
        (made,) = (folder / "wheels").glob("*.whl")
        return Path(shutil.move(made, CACHE / made.name))


def main() -> None:
    """Build and install PyRadiomics where nothing else would."""
    requirement = locked(ROOT / "requirements.lock", NAME)
    wanted = requirement.split()[0].removeprefix(f"{NAME}==")
    try:
        if version(NAME) == wanted:
            return
    except PackageNotFoundError:
        pass
    kept = sorted(CACHE.glob(f"{NAME.replace('-', '_')}-{wanted}-*.whl"))
    if not kept:
        require_headers()
    if compiler():
        return
    if not kept:
        print("no C compiler was found: one from the package index builds PyRadiomics, once", flush=True)
    pip("install", "--quiet", "--no-deps", "--no-index", str(kept[-1] if kept else build(requirement)))


if __name__ == "__main__":
    main()
