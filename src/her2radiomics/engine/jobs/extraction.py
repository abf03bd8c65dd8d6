"""The extraction job: some patients' images of one sequence to features, quality control and pictures.

A finished case is kept as it was computed, its files called by their places in the case. What they are called in print is
decided when the batch is joined, from an error's own field: no sentence is rewritten.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import KEYS, Alteration, log_sigmas
from her2radiomics.extraction.quality import relative_to
from her2radiomics.imaging.preprocessing_settings import Preprocessing

#: Files of a finished case; there is no picture where there is nothing to draw.
FEATURES, QUALITY, PICTURE = "features.csv", "quality.json", "overlay.png"


@dataclass(frozen=True)
class Files:
    """One patient's manifest rows of the sequence, the image to subtract (none: empty), and rows that decide on a slice."""

    rows: list[ManifestRow]
    precontrast: str
    level_rows: list[ManifestRow]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Files:
        """From a rule's parameter."""
        rows, level = ([ManifestRow.of(row) for row in content[name]] for name in ("rows", "level_rows"))
        return cls(rows, content["precontrast"], level)

    def paths(self) -> list[str]:
        """Image, masks, the image to subtract and the masks that decide on a slice, each once."""
        paths = [path for row in self.rows for path in (row.image, row.mask)] + [self.precontrast]
        paths += [row.mask for row in self.level_rows]
        return list(dict.fromkeys(filter(None, paths)))

    def place(self, path: str) -> str:
        """The place of a file among them; empty for none of them."""
        paths = [Path(path) for path in self.paths()]
        return str(paths.index(Path(path))) if Path(path) in paths else ""

    def printed_names(self) -> dict[str, str]:
        """Paths to what they are, for where no file's name may be printed."""
        rows = [*self.rows, *self.level_rows]
        names = {path: name for row in rows for path, name in row.printed_names().items()}
        return names | ({self.precontrast: "image to subtract"} if self.precontrast else {})


@dataclass(frozen=True)
class Extraction:
    """What is computed of whom.

    Attributes
    ----------
    cases
        Patient to files, in the order of the rows.
    sequence, parameters, regions, features
        Of the protocol: the sequence, PyRadiomics' parameter file, the regions, and the number of features of each.
    options
        Preprocessing and padding where the protocol asks for other than the default, and alterations, as plain data.
    simulated, root, numbered
        Whether the images are; the data's folder, which no printed name holds; whether patients have study numbers: then no
        file is named.
    """

    cases: Mapping[str, Files]
    sequence: str
    parameters: Path
    regions: Sequence[str]
    features: int
    options: Mapping[str, Any] | None
    simulated: bool
    root: str
    numbered: bool

    def run(self, attempt: Attempt, *, features: str, qc: str, overlays: str) -> list[str]:
        """Write the batch's feature table, quality control and pictures ``<patient>/<sequence>.png``; who was computed."""
        attempt.begin()
        return run_batch(
            {patient: self._case(files) for patient, files in self.cases.items()},
            self._make,
            lambda folders: self._join(folders, features, qc, overlays),
            CaseStore(Path(features).parent / ".cases"),
            sequence=self.sequence,
            attempt=attempt,
            give_up=self._give_up,
        )

    def _case(self, files: Files) -> Case:
        """What decides about a case."""
        settings = {name: getattr(self, name) for name in ("regions", "features", "options", "simulated")}
        rows = {"rows": files.rows, "level_rows": files.level_rows}
        settings |= {name: [row.model_dump() for row in own] for name, own in rows.items()}
        settings["precontrast"] = files.precontrast
        return Case((*files.paths(), self.parameters), settings)

    def _make(self, patient: str, folder: Path) -> bool:
        """One case's files; whether all readers and regions succeeded."""
        files, options, settings = self.cases[patient], self.options or {}, None
        if options:
            settings = validate(Preprocessing, options["preprocessing"], "parameters of the rule")
        result = extraction.extract_case(
            files.rows,
            regions=self.regions,
            parameters=self.parameters,
            expected_features=self.features,
            preprocessing=settings,
            precontrast=files.precontrast,
            level_rows=files.level_rows,
            log_padding=log_sigmas(options.get("log_padding", LOG_PADDING)),
            altered=self._altered(),
        )
        return self._write(result, files, folder)

    def _give_up(self, patient: str, folder: Path, found: str) -> None:
        """The files of a case that no attempt could compute."""
        error = CaseError(
            found=found,
            expected="a case that fits into the memory of its job",
            remedy="Crop or resample the image, give the job more memory (--set-resources extract:mem_mb=12000), or "
            "exclude the patient with a reason.",
        )
        files = self.cases[patient]
        result = extraction.failed_case(
            files.rows, error, regions=self.regions, parameters=self.parameters, altered=self._altered()
        )
        self._write(result, files, folder)

    def _altered(self) -> Alteration:
        """What is other than the study's own."""
        options = self.options or {}
        return validate(Alteration, {key: options[key] for key in KEYS if key in options}, "parameters of the rule")

    def _write(self, result: extraction.CaseResult, files: Files, folder: Path) -> bool:
        extraction.write_rows(result.columns, result.features, folder / FEATURES)
        rows = [row.calling_files(files.place, quoting=not self.numbered) for row in result.qc]
        (folder / QUALITY).write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
        if result.case.masks and self._altered().pictures:
            picture = folder / PICTURE
            extraction.draw_overlay(files.rows, self.regions, picture, simulated=self.simulated, case=result.case)
        return all(row.problem is None for row in result.qc)

    def _join(self, folders: Mapping[str, Path], features: str, qc: str, overlays: str) -> None:
        join_tables([folder / FEATURES for folder in folders.values()], features)
        quality = {patient: self._printed(patient, folder) for patient, folder in folders.items()}
        extraction.write_rows(extraction.QC_COLUMNS, [row for rows in quality.values() for row in rows], qc)
        with whole_folder(overlays) as pictures:
            for patient, folder in folders.items() if self._altered().pictures else ():
                picture = pictures / patient / f"{self.sequence}.png"
                picture.parent.mkdir()
                if (folder / PICTURE).exists():
                    shutil.copyfile(folder / PICTURE, picture)
                else:
                    reason = next((row.reason for row in quality[patient]), "no mask")
                    first = self.cases[patient].rows[0]
                    extraction.draw_reason(first, reason, picture, simulated=self.simulated)

    def _printed(self, patient: str, folder: Path) -> list[extraction.QualityRow]:
        """A case's quality-control rows with its files as they are called in print."""
        files, relative = self.cases[patient], relative_to(self.root)
        printed = files.printed_names() if self.numbered else {path: relative(path) for path in files.paths()}
        called = {files.place(path): name for path, name in printed.items()}
        rows = json.loads((folder / QUALITY).read_text(encoding="utf-8"))
        return [
            extraction.QualityRow.from_plain(row).calling_files(lambda place: called.get(place, "")) for row in rows
        ]
