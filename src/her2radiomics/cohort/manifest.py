"""The manifest's row (``images.tsv``): the one typed form of an image with its mask, from the table to the extraction."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from her2radiomics.core.settings import Settings
from her2radiomics.imaging.formats import formats_in_words

#: Reader 1 trains and tests; others serve reproducibility.
FIRST_READER = "1"
TUMOUR, BREAST = "tumour", "breast"


class ManifestRow(Settings):
    """One row of the manifest (``images.tsv``): what one reader outlined on one patient's sequence."""

    patient_id: str = Field(description="Identifier, as in the participants table.")
    sequence: str = Field(
        description="Name of the sequence in the protocol; each DCE phase is one: DCE0, DCE2."
    )
    reader: str = Field(
        FIRST_READER,
        description=f"Who outlined; reader {FIRST_READER} trains and tests, others serve reproducibility.",
    )
    region: str = Field(
        TUMOUR, description=f"What the mask outlines; '{BREAST}' is a breast mask, used to clip rings."
    )
    image: str = Field(description=f"{formats_in_words()}; relative to the manifest.")
    mask: str = Field("", description="Mask on the image's grid; relative to the manifest.")
    mask_label: str = Field(
        "", description="Value of the region; without it the mask holds one non-zero integer."
    )

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
