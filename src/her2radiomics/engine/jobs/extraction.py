"""The extraction job: some patients' images of one sequence to features, quality control and pictures.

A finished case is kept as it was computed, with the files called as the manifest's rows call them; what they are called in
print, and what an error says, is decided when the batch's tables are written (:func:`_join`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2radiomics import extraction
from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.errors import CaseError
from her2radiomics.core.files import whole_folder
from her2radiomics.core.settings import validate
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.batch import Case, join_tables, run_batch
from her2radiomics.engine.jobs.case_store import CaseStore
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.extraction.quality import relative_to
from her2radiomics.imaging.preprocessing_settings import Preprocessing

#: Files of a finished case; there is no picture where there is nothing to draw.
FEATURES, QUALITY, PICTURE = "features.csv", "quality.json", "overlay.png"


@dataclass(frozen=True)
class CaseFiles:
    """A patient's manifest rows of the sequence, and the image to subtract (none: empty)."""

    rows: tuple[ManifestRow, ...]
    precontrast: str

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> CaseFiles:
        """From a rule's parameter."""
        return cls(tuple(map(ManifestRow.of, content["rows"])), content["precontrast"])

    def paths(self) -> list[str]:
        """Image, masks and the image to subtract, each once."""
        paths = [path for row in self.rows for path in (row.image, row.mask)] + [self.precontrast]
        return list(dict.fromkeys(filter(None, paths)))

    def printed_names(self) -> dict[str, str]:
        """Paths to what they are, for where no file's name may be printed."""
        names = {path: name for row in self.rows for path, name in row.printed_names().items()}
        return names | ({self.precontrast: "image to subtract"} if self.precontrast else {})


@dataclass(frozen=True)
class Extraction:
    """What a job computes of each case.

    Attributes
    ----------
    parameters
        PyRadiomics parameter file.
    regions, features
        Names of the regions, and the number of features a region that the protocol states.
    options
        Preprocessing and padding where the protocol asks for other than the default, as plain data.
    simulated
        Whether the pictures say that the images are.
    """

    parameters: Path
    regions: Sequence[str]
    features: int
    options: Mapping[str, Any] | None
    simulated: bool

    def case(self, files: CaseFiles) -> Case:
        """What decides about a case."""
        settings = {name: value for name, value in vars(self).items() if name != "parameters"}
        rows = [row.model_dump() for row in files.rows]
        return Case(
            (*files.paths(), self.parameters), {**settings, "rows": rows, "precontrast": files.precontrast}
        )

    def make(self, files: CaseFiles, folder: Path) -> bool:
        """One case's files; whether all readers and regions succeeded."""
        asked: dict[str, Any] = {}
        if self.options:
            settings = validate(Preprocessing, self.options["preprocessing"], "parameters of the rule")
            asked = {"preprocessing": settings, "precontrast": files.precontrast}
            asked["log_padding"] = log_sigmas(self.options["log_padding"])
        result = extraction.extract_case(
            files.rows,
            regions=self.regions,
            parameters=self.parameters,
            expected_features=self.features,
            **asked,
        )
        return self._write(result, files, folder)

    def give_up(self, files: CaseFiles, folder: Path, found: str) -> None:
        """The files of a case that no attempt could compute."""
        error = CaseError(
            found=found,
            expected="a case that fits into the memory of its job",
            remedy="Crop or resample the image, give the job more memory (--set-resources extract:mem_mb=12000), or "
            "exclude the patient with a reason.",
        )
        result = extraction.failed_case(files.rows, error, regions=self.regions, parameters=self.parameters)
        self._write(result, files, folder)

    def _write(self, result: extraction.CaseResult, files: CaseFiles, folder: Path) -> bool:
        extraction.write_rows(result.columns, result.features, folder / FEATURES)
        rows = [row.as_plain() for row in result.qc]
        (folder / QUALITY).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        if result.case.masks:
            extraction.draw_overlay(
                files.rows, self.regions, folder / PICTURE, simulated=self.simulated, case=result.case
            )
        return all(row.problem is None for row in result.qc)


def extract_batch(
    job: Extraction,
    cases: Mapping[str, CaseFiles],
    *,
    sequence: str,
    root: str,
    numbered: bool,
    attempt: Attempt,
    features: str | Path,
    qc: str | Path,
    overlays: str | Path,
) -> list[str]:
    """Write a batch's tables and pictures, see :func:`~her2radiomics.engine.jobs.batch.run_batch`.

    Parameters
    ----------
    job, cases, sequence, attempt
        What is computed, of whom, and which attempt at it this is.
    root
        Folder of the data set: files are named relative to it, as the manifest does.
    numbered
        Whether patients are known by study numbers: then no file's name is printed.
    features, qc, overlays
        The batch's feature table, quality-control table and folder of ``<patient>/<sequence>.png``.

    Returns
    -------
    list of str
        The patients whose case was computed.
    """

    def join(folders: Mapping[str, Path]) -> None:
        rows = {}
        for patient, folder in folders.items():
            names = cases[patient].printed_names() if numbered else {}
            rows[patient] = _read_quality(folder, names, root)
        join_tables([folder / FEATURES for folder in folders.values()], features)
        extraction.write_rows(extraction.QC_COLUMNS, [row for found in rows.values() for row in found], qc)
        with whole_folder(overlays) as pictures:
            for patient, folder in folders.items():
                picture = pictures / patient / f"{sequence}.png"
                picture.parent.mkdir()
                if (folder / PICTURE).exists():
                    shutil.copyfile(folder / PICTURE, picture)
                else:
                    reason = next((row.reason for row in rows[patient]), "no mask")
                    first = cases[patient].rows[0]
                    extraction.draw_reason(first, reason, picture, simulated=job.simulated)

    attempt.begin()
    return run_batch(
        {patient: job.case(files) for patient, files in cases.items()},
        lambda patient, folder: job.make(cases[patient], folder),
        join,
        CaseStore(Path(features).parent / ".cases"),
        sequence=sequence,
        attempt=attempt,
        give_up=lambda patient, folder, found: job.give_up(cases[patient], folder, found),
    )


def _read_quality(folder: Path, names: Mapping[str, str], root: str) -> list[extraction.QualityRow]:
    """A case's quality-control rows as they are printed: files called by ``names``, or relative to the data's folder."""
    name = (lambda path: names.get(path, "")) if names else relative_to(root)
    rows = json.loads((folder / QUALITY).read_text(encoding="utf-8"))
    return [extraction.QualityRow.from_plain(row).calling_files(name, quoting=not names) for row in rows]
