"""The command line for a DICOM series of several volumes: ``python -m her2radiomics.imaging SERIES FOLDER --by WHAT``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.formats import doubts_of
from her2radiomics.imaging.formats.dicom import volumes
from her2radiomics.imaging.formats.dicom_frames import TELLING


def main(arguments: Sequence[str] | None = None) -> int:
    """Write each phase, b-value or echo of a series to a NIfTI file; bad input exits 1 with one clear line."""
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.imaging",
        description="Split a DICOM series that holds several volumes (phases, b-values, echoes) into NIfTI files.",
    )
    parser.add_argument("series", type=Path, help="folder with the files of one series, or a multi-frame file")
    parser.add_argument("folder", type=Path, help="where volume_1.nii.gz, volume_2.nii.gz, ... are written")
    what = f"what tells the volumes apart, as the error says; may be repeated ({', '.join(TELLING)})"
    parser.add_argument("--by", action="append", required=True, choices=TELLING, metavar="WHAT", help=what)
    options = parser.parse_args(arguments)
    try:
        found = volumes(options.series, options.by)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    for number, (shown, image) in enumerate(found, start=1):
        file = options.folder / f"volume_{number}.nii.gz"
        sitk.WriteImage(image, str(file), True)
        print(f"{file}: {shown}, {image.GetSize()[2]} slices")
        for doubt in doubts_of(image):
            print(f"warning: {file.name}: {doubt}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
