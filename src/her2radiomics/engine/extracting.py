"""Features of the images that a manifest lists, without a study: cases side by side, each kept as a run keeps it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from her2radiomics.cohort.sources import read_manifest
from her2radiomics.core import tables
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import read_yaml
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.batch import join_tables
from her2radiomics.engine.jobs.extraction import Extraction, Files
from her2radiomics.extraction.parameters import read_parameters

#: Patients of one sequence whom one process takes at a time.
CHUNK = 4
KEYS = ["patient_id", "reader"]


@dataclass
class Extracted:
    """What came out: files that were written, how many cases, and a sentence on each that failed or is doubtful."""

    files: list[Path]
    cases: int = 0
    computed: int = 0
    failed: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Places:
    """Files of an extraction: the table, and beside it quality control, pictures, and the store of finished cases."""

    features: Path

    def beside(self, name: str) -> Path:
        """A file or folder called as the table, with ``name`` behind."""
        return self.features.with_name(f"{self.features.stem}_{name}")

    @property
    def written(self) -> list[Path]:
        """Table, quality control and pictures."""
        return [self.features, self.beside("qc.csv"), self.beside("overlays")]

    @property
    def store(self) -> Path:
        """Finished cases and batches; may be deleted at any time."""
        return self.features.with_name(f".{self.features.stem}_cases")


def parameters_of(name: str, workflow: Path) -> tuple[Path, list[str]]:
    """The parameter file, and the regions that go with it.

    Parameters
    ----------
    name
        A file; or of a project a file in ``workflow/extraction`` without ``.yaml``, or a study all of whose sequences are
        extracted alike.
    workflow
        The project's folder ``workflow``.

    Raises
    ------
    SettingsError
        There is none of that name, or the study has several.
    """
    named, study = workflow / "extraction" / f"{name}.yaml", workflow / "studies" / f"{name}.yaml"
    if Path(name).is_file() or named.is_file():
        return (Path(name) if Path(name).is_file() else named), ["tumour_volume"]
    sets = sorted(path.stem for path in (workflow / "extraction").glob("*.yaml"))
    if not study.is_file():
        studies = sorted(path.stem for path in (workflow / "studies").glob("*.yaml"))
        raise SettingsError(
            f"--parameters {name}: found no such file, set or study; expected a PyRadiomics parameter file, one of "
            f"{', '.join(sets)}, or a study ({', '.join(studies)})."
        )
    sequences = (read_yaml(study).get("sequences") or {}).values()
    found = {(item["parameters"], tuple(item["regions"])) for item in sequences}
    if len(found) != 1:
        raise SettingsError(
            f"--parameters {name}: its sequences are extracted in {len(found)} ways; name one of {', '.join(sets)}."
        )
    ((parameters, regions),) = found
    return workflow / "extraction" / f"{parameters}.yaml", list(regions)


def cases_in(manifest: Path, linked: Sequence[Path] = ()) -> int:
    """How many patients' sequences a manifest lists."""
    return len(read_manifest(manifest.absolute(), linked)[0].drop_duplicates(["patient_id", "sequence"]))


def extract_manifest(
    manifest: Path,
    parameters: Path,
    regions: Sequence[str],
    features: Path,
    *,
    linked: Sequence[Path] = (),
    cores: int = 1,
    steps: Callable[[Sequence[int]], Iterator[int]] = iter,
) -> Extracted:
    """Extract every case of a manifest; one that fails is recorded and the others are written.

    Parameters
    ----------
    manifest
        Table of images and masks (``images.tsv``), paths relative to it.
    parameters, regions
        PyRadiomics parameter file, and the regions made of each mask.
    features
        The CSV to write, a row per patient and reader, columns ``<sequence>__<region>__<feature>``; empty where a sequence
        failed. Quality control and pictures go beside it.
    linked
        Folders outside the manifest's own into which its symbolic links may lead.
    cores
        Processes side by side; no number changes a byte.
    steps
        Wraps the numbers of the chunks as they end, for a progress line.

    Raises
    ------
    TableError, SettingsError
        The manifest or the parameter file is none.
    """
    table, places = read_manifest(manifest.absolute(), linked)[0], Places(features)
    read_parameters(parameters)
    jobs = list(_jobs(table, parameters.absolute(), regions, manifest.absolute().parent))
    shutil.rmtree(places.store / "parts", ignore_errors=True)
    places.store.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(max(1, min(cores, len(jobs)))) as pool:
        ended = pool.map(partial(_run, store=places.store), [job for _, job in jobs], range(len(jobs)))
        computed = [next(ended) for _ in steps(range(len(jobs)))]
    parts = _parts(places.store, jobs)
    _write_features(places, parts)
    _copy_pictures(places, parts)
    found = Extracted(places.written, sum(len(job.cases) for _, job in jobs), sum(computed))
    quality = tables.read("qc", places.beside("qc.csv"))
    # a failure's reason names patient, sequence and reader
    found.failed = list(dict.fromkeys(quality.loc[quality["status"] == "failed", "reason"]))
    doubtful = quality[quality["status"] == "warned"]
    found.doubtful = [
        f"patient {row.patient_id}, sequence {row.sequence}, reader {row.reader}, {row.region}: {row.reason}"
        for row in doubtful.itertuples()
    ]
    return found


def _jobs(
    table: pd.DataFrame, parameters: Path, regions: Sequence[str], root: Path
) -> Iterator[tuple[str, Extraction]]:
    """Some patients of one sequence at a time, in the manifest's order of sequences and sorted patients."""
    for sequence in dict.fromkeys(table["sequence"]):
        rows = table[table["sequence"] == sequence]
        cases: dict[str, dict[str, Any]] = {
            str(patient): {"rows": own.to_dict("records"), "precontrast": "", "level_rows": []}
            for patient, own in rows.groupby("patient_id")
        }
        names = sorted(cases)
        for start in range(0, len(names), CHUNK):
            files = {name: Files.of(cases[name]) for name in names[start : start + CHUNK]}
            yield (
                sequence,
                Extraction(
                    files,
                    sequence=sequence,
                    parameters=parameters,
                    regions=list(regions),
                    features=len(read_parameters(parameters).feature_names),
                    options=None,
                    simulated=False,
                    root=str(root),
                    numbered=False,
                ),
            )


def _run(job: Extraction, number: int, *, store: Path) -> int:
    """One chunk; how many cases were computed and not in the store."""
    os.environ["OMP_NUM_THREADS"] = "1"
    folder = store / "parts" / f"{number:05d}"
    # the store lies beside the features
    paths = {
        "features": str(store / f"{number:05d}.csv"),
        "qc": str(folder / "qc.csv"),
        "overlays": str(folder / "overlays"),
    }
    folder.mkdir(parents=True)
    return len(job.run(Attempt(), **paths))


def _parts(store: Path, jobs: Sequence[tuple[str, Extraction]]) -> Mapping[str, list[int]]:
    """Sequence to the numbers of its chunks."""
    found: dict[str, list[int]] = {}
    for number, (sequence, _) in enumerate(jobs):
        found.setdefault(sequence, []).append(number)
    return found


def _write_features(places: Places, parts: Mapping[str, list[int]]) -> None:
    """Join the chunks: of a sequence row by row, of several by patient and reader."""
    whole: pd.DataFrame | None = None
    for sequence, numbers in parts.items():
        joined = places.store / "parts" / f"{sequence}.csv"
        join_tables([places.store / f"{number:05d}.csv" for number in numbers], joined)
        table = tables.read("batch_features", joined)
        whole = table if whole is None else whole.merge(table, on=KEYS, how="outer", sort=True)
        for number in numbers:
            (places.store / f"{number:05d}.csv").unlink()
    assert whole is not None  # a manifest has rows
    every = [number for numbers in parts.values() for number in numbers]
    with whole_file(places.features) as temporary:
        whole.sort_values(KEYS).to_csv(temporary, index=False, lineterminator="\n")
    join_tables([places.store / "parts" / f"{number:05d}" / "qc.csv" for number in every], places.beside("qc.csv"))


def _copy_pictures(places: Places, parts: Mapping[str, list[int]]) -> None:
    """All pictures in one folder, ``<patient>/<sequence>.png``, in place of an earlier extraction's."""
    shutil.rmtree(places.beside("overlays"), ignore_errors=True)
    for numbers in parts.values():
        for number in numbers:
            shutil.copytree(
                places.store / "parts" / f"{number:05d}" / "overlays", places.beside("overlays"), dirs_exist_ok=True
            )
    shutil.rmtree(places.store / "parts")
