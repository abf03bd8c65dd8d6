"""What differs from right tables, one by one: the tables as they are meant, and the list of kinds that the makers fill."""

from __future__ import annotations

import copy
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import openpyxl
import pandas as pd
import yaml

SAME, SAID, LEAVE, REFUSED = "read as it is meant", "read, and said", "leave, and are counted", "refused"
FORMS = (
    "the file",
    "headings and rows",
    "numbers and dates",
    "categories and missing values",
    "identifiers",
    "several tables",
    "manifest and names of files",
    "prediction",
)
STUDY: dict[str, Any] = {
    "title": "Mini",
    "question": "Does it work?",
    "paper": {"citation": "None."},
    "label": {"column": "pcr", "positive": "pCR", "negative": "non-pCR", "definition": "made up"},
    "partitions": {"kind": "centre", "training": ["north"], "testing": ["*"]},
    "columns": {
        "age": {"label": "Age", "unit": "years", "kind": "continuous"},
        "size": {"label": "Size", "unit": "mm", "kind": "continuous"},
        "ki67": {"label": "Ki-67", "kind": "categorical", "cut": 20, "levels": {"low": "low", "high": "high"}},
        "er": {"label": "ER", "kind": "categorical", "levels": {"neg": "negative", "pos": "positive"}},
    },
    "models": {"radiomics": {"kind": "radiomics", "steps": [{"step": "z_score"}]}},
    "primary_model": "radiomics",
}
COHORT: dict[str, Any] = {
    "title": "Mini",
    "kind": "features",
    "participants": [{"file": "clinical.csv"}],
    "features": {"table": {"file": "features.csv"}, "available_at": {"*": "before_treatment"}},
}
TABLES: dict[str, Any] = {"title": "Mini", "kind": "tables", "participants": [{"file": "clinical.csv"}]}
SEQUENCE = {"T1": {"label": "T1", "regions": ["tumour_slice"], "parameters": "few", "features": 18}}
Row = dict[str, Any]


@dataclass
class Files:
    """The right tables, and where to write others."""

    folder: Path
    study: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(STUDY))
    cohort: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(COHORT))

    def __post_init__(self) -> None:
        self.clinical, self.features = rows()
        self.data = self.folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)

    def write(self) -> None:
        """The tables that a maker did not write."""
        for name, table in (("clinical.csv", self.clinical), ("features.csv", self.features)):
            if not (self.data / name).exists():
                csv_file(table, self.data / name)

    def csv(self, name: str, table: list[Row] | None = None, **how: Any) -> Path:
        table = table if table is not None else (self.clinical if name.startswith("clinical") else self.features)
        return csv_file(table, self.data / name, **how)

    def text(self, name: str, change: Callable[[str], str], **how: Any) -> None:
        """A table's text, changed."""
        path = self.csv(name, **how)
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def clinical_table(self, name: str, **more: Any) -> None:
        """Let the cohort read another participants table."""
        self.cohort["participants"][0] |= {"file": name, **more}

    def workbook(self, change: Callable[[Any], None] | None = None, name: str = "clinical.xlsx") -> None:
        """The clinical table as a workbook, changed."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Patients"
        sheet.append(list(self.clinical[0]))
        for row in self.clinical:
            sheet.append([None if cell == "" else cell for cell in row.values()])
        if change is not None:
            change(sheet)
        book.save(self.data / name)
        self.clinical_table(name)

    def images(self, change: Callable[[list[Row]], None] | None = None) -> None:
        """A cohort of images with a manifest, changed."""
        self.cohort, self.study["sequences"] = copy.deepcopy(TABLES), SEQUENCE
        patients = [row["patient_id"] for row in self.clinical]
        manifest = [
            {"patient_id": name, "sequence": "T1", "image": f"images/{name}.nrrd", "mask": f"masks/{name}.nrrd"}
            for name in patients
        ]
        if change is not None:
            change(manifest)
        csv_file(manifest, self.data / "images.tsv", sep="\t")

    def found(self, names: Callable[[str], str], pattern: str, masks: str = "masks/{patient}.nii.gz") -> None:
        """A cohort of images found by name; ``names`` says what a patient's image is called."""
        self.cohort = {
            **copy.deepcopy(TABLES),
            "kind": "images",
            "images": [{"image": pattern, "masks": {"1": masks}, "sequences": {"0000": "T1"}}],
        }
        self.study["sequences"] = SEQUENCE
        for row in self.clinical:
            path = self.data / names(row["patient_id"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def rows(number: int = 24) -> tuple[list[Row], list[Row]]:
    random = np.random.default_rng(1)
    clinical, features = [], []
    for i in range(number):
        name = f"P{i + 1:03d}"
        clinical.append(
            {
                "patient_id": name,
                "centre": "north" if i % 2 else "south",
                "pcr": int(i % 3 == 0),
                "age": int(random.integers(30, 80)),
                "size": round(float(random.uniform(8, 60)), 1),
                "ki67": int(random.choice([5, 15, 25, 60])),
                "er": "pos" if random.uniform() < 0.5 else "neg",
                "exclude_reason": "male" if i == 5 else "",
            }
        )
        features.append({"patient_id": name, **{f"f{k}": round(float(random.normal()), 4) for k in range(4)}})
    return clinical, features


def csv_file(table: list[Row], path: Path, sep: str = ",", encoding: str = "utf-8", decimal: str = ".") -> Path:
    def shown(cell: Any) -> str:
        return str(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)

    lines = [sep.join(table[0]), *(sep.join(map(shown, row.values())) for row in table)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def ods_file(table: list[Row], path: Path, percent: str = "", row_style: Callable[[int], str] = lambda row: "") -> None:
    """A spreadsheet of LibreOffice, with as much of it as a reader needs."""

    def cell(name: str, value: Any) -> str:
        if value == "":
            return "<table:table-cell/>"
        if isinstance(value, int | float):
            kind = ("percentage", value / 100, f"{value}%") if name == percent else ("float", value, str(value))
            shown = f"<text:p>{kind[2]}</text:p></table:table-cell>"
            return f'<table:table-cell office:value-type="{kind[0]}" office:value="{kind[1]}">{shown}'
        return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'

    lines = [dict(zip(table[0], table[0], strict=True)), *table]
    made = "".join(
        f"<table:table-row{row_style(number)}>{''.join(cell(*item) for item in line.items())}</table:table-row>"
        for number, line in enumerate(lines, start=1)
    )
    spaces = " ".join(
        f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"' for part in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="Patients">{made}<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row></table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)


@dataclass(frozen=True)
class TableKind:
    """One thing that differs: in words, its maker, what comes of it, and what the error or note says of it."""

    form: str
    what: str
    make: Callable[[Files], Any]
    outcome: str
    words: str


KINDS: list[TableKind] = []


def kind(number: int, what: str, outcome: str = SAME, words: str = "") -> Callable[[Callable[[Files], Any]], Any]:
    def add(make: Callable[[Files], Any]) -> Callable[[Files], Any]:
        KINDS.append(TableKind(FORMS[number], what, make, outcome, words))
        return make

    return add


def write_settings(files: Files) -> Path:
    """The workflow's folder with the study and the cohort of a kind; and the few features of a parameter file."""
    workflow = files.folder / "workflow"
    for name, content in (("studies/mini", files.study), ("cohorts/mine", files.cohort)):
        path = workflow / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (workflow / "extraction").mkdir(exist_ok=True)
    shutil.copytree(Path(__file__).parents[2] / "workflow/journals", workflow / "journals", dirs_exist_ok=True)
    (workflow / "extraction/few.yaml").write_text(
        "setting: {binWidth: 25, force2D: true}\nimageType: {Original: {}}\nfeatureClass: {firstorder: []}\n",
        encoding="utf-8",
    )
    return workflow


def frame(table: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(table)
