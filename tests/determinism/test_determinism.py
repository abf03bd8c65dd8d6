"""The same bytes whatever runs the study: cores, batches, locale, time zone, folder, user, hash seed, threads, order.

Each run varies several things at once, and every level of each thing occurs in one run at least; ``make
test-determinism`` runs them all (docs/determinism.md). Other Pythons are named in ``HER2RADIOMICS_PYTHONS``, as paths
parted by colons; another version of Python brings other versions of numpy and SciPy from the lock file, so its numbers
agree to 1e-12 and not always to the last bit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from determinism_compare import RELATIVE, differing, exempt, files, largest_difference
from workflow_run import Project, small_cohort

pytestmark = [
    pytest.mark.determinism,
    pytest.mark.skipif("HER2RADIOMICS_DETERMINISM" not in os.environ, reason="minutes: make test-determinism runs it"),
]

CONFIG = {"seed": 7, "size": "demo", "runs": [{"study": "nat_response"}]}
SHUFFLED = str(Path(__file__).parent / "shuffled")
# reads everything as root does, so that a Python in root's own folder can be used; makes files as nobody
NOBODY = (
    "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
)


@dataclass(frozen=True)
class Variation:
    """What is otherwise in a run."""

    folder: str
    cores: int = 2
    patients_per_job: int = 4
    environment: dict[str, str] = field(default_factory=dict)
    nobody: bool = False


BASE = Variation("base", environment={"LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "0"})
HERE = [
    Variation(
        "Ordner mit Umläuten (und Klammern)",
        cores=1,
        patients_per_job=1,
        environment={"LC_ALL": "de_DE.UTF-8", "TZ": "America/St_Johns", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "4"},
    ),
    Variation(
        "tr",
        cores=4,
        patients_per_job=3,
        environment={
            "LC_ALL": "tr_TR.UTF-8",
            "TZ": "Asia/Kathmandu",
            "PYTHONPATH": SHUFFLED,
            "HER2RADIOMICS_HOOKS": SHUFFLED,
            "PYTHONHASHSEED": "random",
        },
    ),
    Variation(
        "posix",
        cores=2,
        patients_per_job=20,
        environment={
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONUTF8": "0",
            "TZ": "UTC",
            "PYTHONHASHSEED": "4294967295",
            "OMP_NUM_THREADS": "2",
        },
        nobody=True,
    ),
]


def pythons() -> list[str]:
    return [path for path in os.environ.get("HER2RADIOMICS_PYTHONS", "").split(":") if path]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that any user may write to; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="determinism-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@pytest.fixture(scope="module")
def locales(place) -> str:
    """Folder of locales made for the test: with a decimal comma, and with a dotted I."""
    target = place / "locales"
    target.mkdir()
    for name in ("de_DE", "tr_TR"):
        command = ["localedef", "-i", name, "-f", "UTF-8", str(target / f"{name}.UTF-8")]
        if not shutil.which("localedef") or subprocess.run(command, capture_output=True).returncode > 1:
            pytest.skip("locales cannot be made here (localedef and its sources)")
    return str(target)


def carry_out(variation: Variation, place: Path, locales: str, python: str = sys.executable) -> Path:
    """Run the study; the folder of its results."""
    project = Project(place / variation.folder, CONFIG | {"patients_per_job": variation.patients_per_job})
    project.change("studies/nat_response.yaml", small_cohort(training=(9, 7), testing=(4, 3)))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    environment = clean | {"LOCPATH": locales, "PYTHONDONTWRITEBYTECODE": "1"} | variation.environment
    command = [python, "-m", "snakemake", "--cores", str(variation.cores)]
    if variation.nobody:
        for path in [project.folder, *project.folder.rglob("*")]:
            if not path.is_symlink():
                shutil.chown(path, 65534, 65534)
        environment |= {"HOME": str(project.folder), "XDG_CACHE_HOME": str(project.folder / ".cache")}
        command = ["sh", "-c", f'umask 077; exec {NOBODY} "$@"', "sh", *command]
    done = subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, encoding="utf-8", errors="replace"
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{project.logs()}"
    return project.folder / "results"


@pytest.fixture(scope="module")
def base(place, locales) -> Path:
    return carry_out(BASE, place, locales)


@pytest.mark.parametrize("variation", HERE, ids=lambda variation: variation.environment["LC_ALL"])
def test_the_same_bytes(base, place, locales, variation):
    if variation.nobody and (os.geteuid() != 0 or not shutil.which("setpriv")):
        pytest.skip("only root may run as another user")
    found = carry_out(variation, place, locales)
    if variation.nobody:
        owners = {path.stat().st_uid for path in files(found).values()}
        modes = {path.stat().st_mode & 0o077 for path in files(found).values()}
        assert (owners, modes) == ({65534}, {0})
    # another number of patients per job makes other batches: compared is what is made of them
    odd = [name for name in differing(base, found) if "/extraction/" not in name]
    assert odd == []
    assert len(files(found)) > 300


@pytest.mark.skipif(not pythons(), reason="HER2RADIOMICS_PYTHONS names no other Python")
@pytest.mark.parametrize("number", range(len(pythons())))
def test_another_python_gives_the_same_numbers(base, place, locales, number):
    """Tables and models to 1e-12; pages, figures and documents to the words and, where tables agree, the bytes."""
    found = carry_out(
        Variation(f"python {number}", environment={"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kolkata"}),
        place,
        locales,
        pythons()[number],
    )
    ours, theirs = files(base), files(found)
    assert set(ours) == set(theirs)
    apart = {
        name: largest_difference(ours[name], theirs[name])
        for name in differing(base, found)
        if not exempt(name) and Path(name).suffix in (".csv", ".tsv", ".parquet", ".json")
    }
    assert {name: value for name, value in apart.items() if value > RELATIVE} == {}
    (place / f"apart-{number}").write_text(repr(apart))
