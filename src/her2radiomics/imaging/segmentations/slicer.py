"""Segmentations of 3D Slicer (``.seg.nrrd``): NRRD with the segments' names in its header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.formats import format_of
from her2radiomics.imaging.formats.itk_file import text_lines
from her2radiomics.imaging.labels import Segment, choose_segment
from her2radiomics.imaging.placing import as_image, place_parts
from her2radiomics.imaging.segmentations import Segmentation, reading, segmentation


@segmentation
class SlicerSegmentation(Segmentation):
    """Slicer's segmentation by the reader of NRRD; its header's keys are read here, as Slicer's documentation has them."""

    name, files = "3D Slicer segmentation", "`.seg.nrrd` (any `.nrrd` whose header has segments)"

    def holds(self, path: Path) -> bool:
        """A NRRD header with the key `Segment0_ID`."""
        if not path.name.lower().endswith((".nrrd", ".nhdr")) or not path.is_file():
            return False
        try:
            lines, _ = text_lines(path)
        except OSError:
            return False
        return any(line.startswith("Segment0_ID:=") for line, _ in lines)

    def read(self, path: Path, image: sitk.Image, label: int | str | None, *, resample: bool) -> tuple[sitk.Image, str]:
        """The segment by its name, ID or value, of whichever layer; a cropped extent is placed on the image's grid."""
        with reading(path, self.name):
            content = format_of(path).read(path)
            keys = {key: content.GetMetaData(key).strip() for key in content.GetMetaDataKeys()}
            segments, layers = [], []
            number = 0
            while f"Segment{number}_ID" in keys:
                own = {name: keys.get(f"Segment{number}_{name}", "") for name in ("ID", "Name", "LabelValue", "Layer")}
                segments.append(Segment((own["Name"] or own["ID"], own["ID"]), int(own["LabelValue"] or 1)))
                layers.append(int(own["Layer"] or 0))
                number += 1
            chosen = choose_segment(segments, label, path)
            voxels = sitk.GetArrayViewFromImage(content)
            if voxels.ndim == 4:
                voxels = voxels[..., layers[segments.index(chosen)]]
            part = as_image(np.ascontiguousarray(voxels == chosen.number), content)
        return place_parts([part], image, resample=resample, file=path)
