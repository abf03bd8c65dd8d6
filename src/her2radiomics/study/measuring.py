"""Which columns of a run are measured from images, and what the jobs that measure them are given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from her2radiomics.cohort.manifest import BREAST
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.layout import path_of
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import dump
from her2radiomics.study.run import Dataset, Run


@dataclass(frozen=True)
class Measuring:
    """What is measured of a data set's patients: by all runs that ask for the same."""

    dataset: Dataset
    columns: dict[str, Column]
    resampled: tuple[str, ...]

    @cached_property
    def id(self) -> str:
        """Name of its folder: changes with what decides about a value."""
        asked = {name: [dump(column)["measured"], list(column.levels)] for name, column in self.columns.items()}
        return sha256(json.dumps([asked, self.resampled]).encode()).hexdigest()[:8]

    def paths(self, name: str) -> list[str]:
        """Paths of a contract's file of every batch of patients."""
        batches = self.dataset.batches if self.columns else ()
        return [path_of(name, dataset=self.dataset.id, measures=self.id, batch=batch) for batch in batches]

    def cases(self, batch: str) -> dict[str, list[dict[str, str]]]:
        """For each patient of a batch the rows of the manifest that are read: outlines, phases, b-values, maps."""
        return {patient: self._rows.get(patient, []) for patient in self.dataset.batches[batch]}

    @cached_property
    def _rows(self) -> dict[str, list[dict[str, str]]]:
        measured = [column.measured for column in self.columns.values() if column.measured]
        needs = {item.needs for item in measured}
        named = {item.sequence for item in measured} | {item.adc_map for item in measured}
        manifest, reader = self.dataset.data.manifest, self.dataset.readers.reference
        read = manifest["sequence"].isin(named)
        if "phases" in needs:
            read |= manifest["seconds"] != ""
        if "diffusion" in needs:
            read |= manifest["b_value"] != ""
        read &= (manifest["region"] != BREAST) & ((manifest["reader"] == reader) | (manifest["mask"] == ""))
        rows: dict[str, list[dict[str, str]]] = {}
        for row in manifest[read].to_dict("records"):
            rows.setdefault(row["patient_id"], []).append(row)
        return rows

    def files(self, batch: str) -> list[str]:
        """Images and masks that other jobs make; none of a brought cohort (:func:`extraction_inputs.batch_files`)."""
        if not self.dataset.simulated:
            return []
        rows = [row for rows in self.cases(batch).values() for row in rows]
        return list(dict.fromkeys(path for row in rows for path in (row["image"], row["mask"]) if path))

    def fingerprint(self, batch: str) -> str:
        """Changes when the manifest's rows of the batch do."""
        return sha256(json.dumps(self.cases(batch)).encode()).hexdigest()[:16]


def measuring_of(run: Run) -> Measuring:
    """What is measured for a run: the measured columns that the manifest's images can give."""
    protocol, manifest = run.protocol, run.dataset.data.manifest
    wanted = run.extracted and run.request.until != "extraction"
    columns = {
        name: column
        for name, column in protocol.columns.items()
        if wanted and column.measured and not _lacking(manifest, column)
    }
    on = {column.measured.sequence for column in columns.values() if column.measured}
    masks = {name for name, item in protocol.sequences.items() if item.preprocessing.resample_mask}
    return Measuring(run.dataset, columns, tuple(sorted(on & masks)))


def check_measured(run: Run) -> None:
    """Refuse a measured column that neither the manifest's images nor the participants table can give.

    Raises
    ------
    SettingsError
        With the column and what the manifest lacks.
    """
    for name, column in run.protocol.columns.items():
        if not column.measured or column.optional or name in run.dataset.data.participants.columns:
            continue
        lacking = _lacking(run.dataset.data.manifest, column)
        if not run.extracted or lacking:
            raise SettingsError(
                f"run {run.id}: columns.{name} is measured ({column.measured.measure}), but the manifest of cohort "
                f"{run.dataset.cohort_id} holds {lacking or 'no images'}. Add them, bring '{name}' in the participants "
                "table, or take the column out of the protocol by the cohort file."
            )


def _lacking(manifest: pd.DataFrame, column: Column) -> str:
    """What a manifest lacks for a measured column; empty where some patient can be measured."""
    measured = column.measured
    assert measured is not None
    outlined = (manifest["mask"] != "") & (manifest["region"] != BREAST)
    if not (outlined & (manifest["sequence"] == measured.sequence)).any():
        return f"no outline on '{measured.sequence}'"
    if measured.needs == "phases" and not (manifest["seconds"] != "").any():
        return "no phases with 'seconds'"
    if measured.needs == "diffusion":
        if measured.adc_map and not (manifest["sequence"] == measured.adc_map).any():
            return f"no sequence '{measured.adc_map}'"
        if not measured.adc_map and manifest["b_value"].replace("", None).nunique() < 2:
            return "no two images with different 'b_value'"
    return ""
