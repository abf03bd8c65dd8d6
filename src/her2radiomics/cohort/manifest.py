"""The manifest's row (``images.tsv``): the one typed form of an image with its mask, from the table to the extraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from her2radiomics.core.contracts import FIRST_READER, contract
from her2radiomics.core.settings import Settings
from her2radiomics.imaging.formats import formats_in_words
from her2radiomics.imaging.regions import BREAST as BREAST
from her2radiomics.imaging.regions import TUMOUR as TUMOUR


def described(table: str, column: str, default: Any = ...) -> Any:
    """A field with the meaning that the table's contract gives the column."""
    return Field(default, description=contract(table).column(column).meaning)


class ManifestRow(Settings):
    """One row of the manifest (``images.tsv``): what one reader outlined on one patient's sequence."""

    patient_id: str = described("manifest", "patient_id")
    sequence: str = described("manifest", "sequence")
    reader: str = described("manifest", "reader", FIRST_READER)
    region: str = described("manifest", "region", TUMOUR)
    image: str = Field(description=f"{formats_in_words()}; relative to the manifest.")
    mask: str = described("manifest", "mask", "")
    mask_label: str = described("manifest", "mask_label", "")
    seconds: str = described("manifest", "seconds", "")
    b_value: str = described("manifest", "b_value", "")

    @classmethod
    def of(cls, row: Mapping[str, object] | ManifestRow) -> ManifestRow:
        """The row of a table: its other columns are left out, empty cells take their default."""
        if isinstance(row, ManifestRow):
            return row
        cells = {name: str(row[name]) for name in cls.model_fields if row.get(name) not in (None, "")}
        return cls(**{"image": "", **cells})

    def printed_names(self) -> dict[str, str]:
        """Its paths to what they are, by patient, sequence and reader: for where no file's name may be printed."""
        case = f"{self.patient_id} {self.sequence}"
        mask = "breast mask" if self.region == BREAST else f"mask of reader {self.reader}"
        names = {self.mask: f"{case} {mask}", self.image: f"{case} image"}
        return {path: name for path, name in names.items() if path}
