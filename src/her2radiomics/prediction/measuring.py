"""How the images of a saved model are measured: what ``model.json`` keeps, so that a model needs no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import Settings, validate
from her2radiomics.extraction.options import LogPadding, extraction_hash
from her2radiomics.imaging.preprocessing_settings import Preprocessing

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel


class MeasuredSequence(Settings):
    """How the features of one sequence are extracted."""

    label: str = Field(description="Printed name.")
    regions: list[str] = Field(description="Regions of interest.")
    slice_of: str | None = Field(description="Sequence at the level of whose largest slice this one's lie.")
    parameters: str = Field(description="Name of the parameter file among `parameter_files`.")
    features: int = Field(description="Features of each region.")
    preprocessing: Preprocessing = Field(description="What is done to image and masks first.")
    log_padding: LogPadding = Field(description="How far Laplacian-of-Gaussian filters see beyond the regions, in σ.")


class Measuring(Settings):
    """All that an extraction for a model needs: sequences, and the parameter files as they were in training."""

    sequences: dict[str, MeasuredSequence] = Field(description="Sequences that the model's features come from.")
    parameter_files: dict[str, str] = Field(description="Name to text of a PyRadiomics parameter file.")
    reader: str = Field(description="The reader whose outlines trained.")

    @classmethod
    def of(
        cls, sequences: Mapping[str, Mapping[str, Any]], files: Sequence[str | Path], used: set[str], reader: str
    ) -> Measuring | None:
        """From a protocol's sequences and their parameter files; ``None`` where the model uses no sequence.

        Parameters
        ----------
        sequences
            The protocol's, as plain data.
        files
            Their parameter files.
        used
            Sequences whose features the model uses.
        reader
            The reference reader.
        """
        contents = {Path(file).stem: Path(file).read_bytes().decode("utf-8") for file in files}
        names = MeasuredSequence.model_fields
        kept = {
            name: validate(MeasuredSequence, {key: item.get(key) for key in names}, f"sequences.{name}")
            for name, item in sequences.items()
            if name in used and item["parameters"] in contents
        }
        texts = {item.parameters: contents[item.parameters] for item in kept.values()}
        return cls(sequences=kept, parameter_files=texts, reader=reader) if kept else None

    def hashes(self) -> dict[str, str]:
        """Sequence to the hash of what its features depend on."""
        return {
            name: extraction_hash(
                self.parameter_files[item.parameters].encode(),
                item.regions,
                item.preprocessing,
                item.log_padding,
                item.slice_of,
            )
            for name, item in self.sequences.items()
        }

    @property
    def needed(self) -> list[str]:
        """Sequences of which a patient must have an image: the model's, and those that they are measured with."""
        found = dict.fromkeys(self.sequences)
        for item in self.sequences.values():
            found |= dict.fromkeys(filter(None, [item.preprocessing.subtract, item.slice_of]))
        return list(found)


def measuring_of(model: FittedModel) -> Measuring:
    """How the model's images are measured, and that it is what training did.

    Raises
    ------
    StudyError
        The model uses no images, was saved before this was kept, or was changed afterwards.
    """
    if not model.sequences:
        raise StudyError(f"model '{model.name}': found no image feature; expected one. Leave --images out.")
    content = model.content.get("measuring")
    if content is None:
        raise StudyError(
            f"model '{model.name}': found no settings of the extraction (format version {model.content['version']}, or "
            "features that were brought as a table); expected those of training. Extract the features with them, and give "
            "the table with --features; or train again."
        )
    found = validate(Measuring, content, "model.json, measuring")
    model.check_extraction(found.hashes())
    return found
